"""New rows read from a file in chunks, and validated row by row before a trained network predicts them.

Fitting and applying a preprocessor is in `data.preprocessing`.
"""
