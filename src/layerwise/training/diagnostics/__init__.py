"""Why a network does not learn: gradients, updates and activations by layer, and studies of them.

Diagnosis of a GAN is in `training.gan`.
"""
