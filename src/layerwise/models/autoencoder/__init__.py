"""Autoencoder networks, one kind a file, with their configs; how they are trained is in `training.autoencoder`."""
