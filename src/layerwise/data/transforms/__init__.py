"""What is done to a batch's inputs: augmentation, corruption, binarization, images in pairs.

Each draws from a random stream of its own; nothing here is fitted.
"""
