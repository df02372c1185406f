"""Metrics of models without labels: reconstruction, compression, anomalies, imputation, ratings, topics.

Log-probabilities are in `evaluation.likelihood`, samples in `evaluation.generative`.
"""
