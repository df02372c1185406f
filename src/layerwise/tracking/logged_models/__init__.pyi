from .folder import SavedModel as SavedModel, save_model_folder as save_model_folder
from .mlflow_files import write_mlflow_model as write_mlflow_model
