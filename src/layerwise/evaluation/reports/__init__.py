"""Texts about a finished run: the model card, evaluation and GAN reports, an HTML demo of a generator.

Numbers come from the other packages of `evaluation`.
"""
