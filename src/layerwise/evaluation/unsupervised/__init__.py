"""What representations are worth: reconstruction, compression, anomalies, imputation, ratings, topics.

Log-probabilities are in `evaluation.likelihood`, samples in `evaluation.generative`.
"""
