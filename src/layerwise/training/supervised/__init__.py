"""How networks learn from labels: losses, back-propagation, fine-tuning, many networks at once.

The networks are in `models.mlp` and `models.stack`.
"""
