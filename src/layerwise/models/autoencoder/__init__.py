"""Autoencoders: one file an idea, pure torch."""
