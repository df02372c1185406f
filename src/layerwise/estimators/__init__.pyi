from .rbm import RBMTransformer as RBMTransformer
