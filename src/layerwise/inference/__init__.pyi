from .batch_evaluate import BatchEvaluation as BatchEvaluation, evaluate_chunks as evaluate_chunks
from .batch_predict import StreamedPredictions as StreamedPredictions
from .http_server import AddressError as AddressError, create_app as create_app, serve as serve
from .model import (
    MANIFEST_FILE as MANIFEST_FILE,
    ModelError as ModelError,
    ModelManifest as ModelManifest,
    TrainedModel as TrainedModel,
    load_trained_model as load_trained_model,
    save_trained_model as save_trained_model,
    verify_model_folder as verify_model_folder,
)
from .reproducible import BLOCK_ROWS as BLOCK_ROWS, apply_in_blocks as apply_in_blocks
