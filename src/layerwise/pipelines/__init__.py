"""What runs after what: the only place that knows Kedro nodes."""
