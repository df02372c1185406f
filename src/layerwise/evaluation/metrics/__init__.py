"""Metrics of supervised networks with bootstrap intervals and base rates, and baseline models beside them.

Metrics of unsupervised networks are in `evaluation.unsupervised`.
"""
