"""Metrics of generated rows: distances to real ones, precision and recall, memorization, utility.

They hold for any generator of rows; training of GANs is in `training.gan`.
"""
