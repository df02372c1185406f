"""Inference with a trained model: its folder, predictions of a file's rows, their evaluation, requests over HTTP.

Nothing is trained here. Finding a model by name is in `tracking`.
"""
