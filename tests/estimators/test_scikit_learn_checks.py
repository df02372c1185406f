"""scikit-learn's own checks of every estimator, on networks that learn them in a few steps."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from layerwise.estimators import (
    AutoencoderDetector,
    AutoencoderTransformer,
    DBNClassifier,
    DBNRegressor,
    NetworkClassifier,
    NetworkRegressor,
    RBMTransformer,
    TabularGAN,
)

SUPERVISED = {"ensemble_members": 1, "epochs": 6, "learning_rate": 0.05, "batch_size": 10}
CHECKED = [
    NetworkClassifier((8,), **SUPERVISED),
    NetworkRegressor((8,), **SUPERVISED),
    DBNClassifier((8,), pretraining_epochs=1, epochs=8, learning_rate=0.1, batch_size=10),
    DBNRegressor((8,), pretraining_epochs=1, epochs=8, learning_rate=0.1, batch_size=10),
    AutoencoderTransformer(epochs=2),
    AutoencoderDetector(epochs=2),
    TabularGAN(generator_sizes=(8,), discriminator_sizes=(8,), epochs=1),
    RBMTransformer(n_components=4, n_iter=2),
    RBMTransformer(4, n_iter=1, chain="persistent", settings={"learn_variance": False, "chains": 5}),
]
WEIGHTED = (NetworkClassifier, NetworkRegressor, DBNClassifier, DBNRegressor)
WEIGHTS = "a row of weight 0, or one that is there twice, is in a batch or held out by chance"
ONE_COLUMN = "a latent smaller than one column does not exist, as the error says"


def expected_failures(estimator):
    """The checks that are not meant to pass, each with its reason."""
    if isinstance(estimator, WEIGHTED):
        return {"check_sample_weight_equivalence_on_dense_data": WEIGHTS}
    if isinstance(estimator, AutoencoderTransformer | AutoencoderDetector):
        return {"check_fit2d_1feature": ONE_COLUMN}
    return {}


@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures)
def test_scikit_learns_own_checks_pass(estimator, check):
    check(estimator)
