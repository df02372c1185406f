"""What is reported of a trained network."""
