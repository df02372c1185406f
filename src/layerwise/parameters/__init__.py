"""The parameters in `conf/`: one pydantic model for each top-level key, and the rules across keys.

Settings of how something learns stand beside it in `training`; this package gathers them.
"""
