"""How restricted Boltzmann machines learn: contrastive divergence, chains, greedy pretraining.

The energies and units are in `models.rbm`.
"""
