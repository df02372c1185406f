"""Training of GANs: objectives, gradient penalties, conditioning, images and tables.

The networks are in `models.gan`; the metrics of their samples are in `evaluation.generative`.
"""
