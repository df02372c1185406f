"""The networks as scikit-learn estimators.

They take arrays and know nothing of problems, Kedro or MLflow.
"""
