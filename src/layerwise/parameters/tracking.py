"""What a run logs beside its own metrics."""

from __future__ import annotations

from layerwise.utils import Config, setting


class TrackingSettings(Config):
    """What MLflow keeps of the hardware while a run is under way."""

    system_metrics: bool = setting(
        False,
        "log processor, memory, disk, network and GPU as `system/...` every ten seconds, or every "
        "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL seconds",
        "runs of minutes and more",
    )
