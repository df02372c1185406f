"""How near generated rows are to real ones: distances, precision and recall, copies, use.

Anything that generates rows can be measured; how GANs learn is in `training.gan`.
"""
