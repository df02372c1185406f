from .conditioning import sample_conditions as sample_conditions
from .diagnosis import (
    MAX_DISCRIMINATOR_ACCURACY as MAX_DISCRIMINATOR_ACCURACY,
    MAX_MOVEMENT as MAX_MOVEMENT,
    MIN_DIVERSITY as MIN_DIVERSITY,
    MIN_LOSS_DERIVATIVE as MIN_LOSS_DERIVATIVE,
    MIN_MODE_FRACTION as MIN_MODE_FRACTION,
    MIN_NET_FRACTION as MIN_NET_FRACTION,
)
from .feature_classifier import (
    CLASSIFIER_BATCH_SIZE as CLASSIFIER_BATCH_SIZE,
    CLASSIFIER_SIZES as CLASSIFIER_SIZES,
    ClassifierHistory as ClassifierHistory,
    extract_features as extract_features,
    predict_classes as predict_classes,
    predict_probabilities as predict_probabilities,
    train_feature_classifier as train_feature_classifier,
)
from .gaussian_ring import (
    N_MODES as N_MODES,
    SAMPLES as SAMPLES,
    RingResults as RingResults,
    RingSettings as RingSettings,
    count_modes as count_modes,
    sample_ring as sample_ring,
    train_ring_gan as train_ring_gan,
    train_ring_gans as train_ring_gans,
)
from .image_pairs import (
    PairSettings as PairSettings,
    build_paired_networks as build_paired_networks,
    generate_images as generate_images,
    rollout as rollout,
    train_paired_gan as train_paired_gan,
)
from .objectives.base import (
    GANObjective as GANObjective,
    known_objectives as known_objectives,
    register_objective as register_objective,
)
from .settings import GANSettings as GANSettings
from .tables import train_table_gan as train_table_gan
from .train import (
    GANHistory as GANHistory,
    GANResult as GANResult,
    train_image_gan as train_image_gan,
)
