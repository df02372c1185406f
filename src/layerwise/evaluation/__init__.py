"""Metrics, likelihoods, drift, figures and reports of trained networks; how they learn is in `training`."""
