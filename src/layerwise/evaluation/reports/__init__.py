"""Texts about a finished run: the model card, the evaluation report, a page that runs a generator.

Numbers come from the other packages of `evaluation`.
"""
