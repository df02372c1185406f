"""What every package needs and none owns: errors, files, random streams, signals, settings, the present run.

It knows nothing of data, networks, Kedro or MLflow.
"""
