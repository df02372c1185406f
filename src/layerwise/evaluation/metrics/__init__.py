"""Metrics of supervised networks with intervals and base rates, and the usual models beside them.

Metrics of unsupervised networks are in `evaluation.unsupervised`.
"""
