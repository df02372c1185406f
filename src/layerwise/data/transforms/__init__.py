"""Transforms of a batch's inputs: augmentation, corruption, binarization, images in pairs.

Each has a random stream of its own; nothing here is fitted.
"""
