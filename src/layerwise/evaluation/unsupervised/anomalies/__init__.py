"""Anomaly detection: what is unusual to a network, and how well that finds anomalies."""
