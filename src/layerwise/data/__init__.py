"""Raw data: its sources, reading, splits, preprocessing and batch transforms."""
