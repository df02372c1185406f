from .anomalies import (
    evaluate_detection as evaluate_detection,
    isolation_forest_scores as isolation_forest_scores,
    synthetic_anomalies as synthetic_anomalies,
)
from .compression import (
    decoder_bytes as decoder_bytes,
    jpeg_bytes as jpeg_bytes,
    jpeg_rate_distortion as jpeg_rate_distortion,
    latent_rate_distortion as latent_rate_distortion,
)
from .imputation import (
    imputation_errors as imputation_errors,
    impute as impute,
    impute_with_baselines as impute_with_baselines,
    mask_cells as mask_cells,
)
from .latent import active_units as active_units, latent_statistics as latent_statistics
from .principal_components import PrincipalComponents as PrincipalComponents, fit_pca as fit_pca
from .recommendation import (
    errors_with_mean_baselines as errors_with_mean_baselines,
    rating_errors as rating_errors,
)
from .reconstruction import (
    peak_signal_to_noise_ratio as peak_signal_to_noise_ratio,
    reconstruction_cross_entropy as reconstruction_cross_entropy,
    reconstruction_metrics as reconstruction_metrics,
    reconstruction_sse as reconstruction_sse,
    structural_similarity as structural_similarity,
)
from .topics import (
    lda_perplexity as lda_perplexity,
    perplexity as perplexity,
    top_words as top_words,
    unigram_perplexity as unigram_perplexity,
)
