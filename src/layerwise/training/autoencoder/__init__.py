"""How autoencoders of every kind learn: reconstruction, penalties, variational bounds, stacks.

The networks are in `models.autoencoder`.
"""
