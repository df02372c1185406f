from .autoencoder import (
    AutoencoderDetector as AutoencoderDetector,
    AutoencoderTransformer as AutoencoderTransformer,
)
from .dbn import DBNClassifier as DBNClassifier, DBNRegressor as DBNRegressor
from .gan import TabularGAN as TabularGAN
from .network import NetworkClassifier as NetworkClassifier, NetworkRegressor as NetworkRegressor
from .rbm import RBMTransformer as RBMTransformer
