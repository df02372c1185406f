"""New rows read from a file a piece at a time, and those that a trained network cannot answer.

Fitting and applying a preparation is in `data.preprocessing`.
"""
