"""What runs after what: the stages, and the pipelines that are composed of them. The only place that knows Kedro nodes.

A node gets data and parameter models and returns data; the work is done in the packages below.
"""
