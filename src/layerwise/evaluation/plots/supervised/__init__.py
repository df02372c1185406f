"""A supervised network's predictions beside the true targets: classes, calibration, values."""
