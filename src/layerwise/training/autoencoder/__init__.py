"""Training of autoencoders of every kind: reconstruction, penalties, variational bounds, stacks.

The networks are in `models.autoencoder`.
"""
