"""A trained model at work: a folder of data that takes raw rows, its answers by file and over HTTP.

Training code is not needed here. Where a model is found by name is in `tracking`.
"""
