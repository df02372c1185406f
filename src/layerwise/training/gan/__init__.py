"""How adversarial networks learn: objectives, gradient penalties, conditions, images and tables.

The networks are in `models.gan`; what their samples are worth is in `evaluation.generative`.
"""
