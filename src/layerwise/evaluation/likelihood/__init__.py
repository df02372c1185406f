"""Log-probabilities in nats: exact, by annealed importance sampling, by importance weights, by Parzen windows.

The energies themselves are in `models.rbm`.
"""
