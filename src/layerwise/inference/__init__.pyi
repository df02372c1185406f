from .asked_model import AskedModel as AskedModel
from .batch_evaluate import BatchEvaluation as BatchEvaluation, evaluate_chunks as evaluate_chunks
from .batch_predict import StreamedPredictions as StreamedPredictions
from .comparison import (
    CHAMPION_METRICS as CHAMPION_METRICS,
    ModelComparison as ModelComparison,
    compare_models as compare_models,
    compare_networks as compare_networks,
    which_are_seen as which_are_seen,
)
from .manifest import (
    MANIFEST_FILE as MANIFEST_FILE,
    MLMODEL_SHA256 as MLMODEL_SHA256,
    ModelError as ModelError,
    ModelManifest as ModelManifest,
    described_sha256 as described_sha256,
    mlmodel_of as mlmodel_of,
    read_mlmodel as read_mlmodel,
    verify_model_folder as verify_model_folder,
)
from .model import (
    TrainedModel as TrainedModel,
    load_trained_model as load_trained_model,
    save_trained_model as save_trained_model,
)
from .parts import ModelParts as ModelParts
from .reproducible import BLOCK_ROWS as BLOCK_ROWS, apply_in_blocks as apply_in_blocks
from .seen_rows import hash_rows as hash_rows
from .serving import (
    AddressError as AddressError,
    ServerSettings as ServerSettings,
    create_app as create_app,
    serve as serve,
)
from .whole_answers import WholeAnswer as WholeAnswer
