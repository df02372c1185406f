from .anomalies.density import RowDensity as RowDensity
from .anomalies.detection import (
    AnomalyReport as AnomalyReport,
    AnomalyRows as AnomalyRows,
    evaluate_detection as evaluate_detection,
    evaluate_detector as evaluate_detector,
    isolation_forest_scores as isolation_forest_scores,
    rows_without_class as rows_without_class,
    synthetic_anomalies as synthetic_anomalies,
)
from .anomalies.each_class import (
    ClassAnomalyReport as ClassAnomalyReport,
    detect_each_class as detect_each_class,
)
from .anomalies.probability import (
    FEWEST_KNOWN_ANOMALIES as FEWEST_KNOWN_ANOMALIES,
    AnomalyProbability as AnomalyProbability,
)
from .anomalies.scores import (
    AnomalyReference as AnomalyReference,
    error_columns as error_columns,
    evaluate_known_anomalies as evaluate_known_anomalies,
    make_scorer as make_scorer,
    occluded_rows as occluded_rows,
)
from .compression import (
    CompressionReport as CompressionReport,
    compare_compression as compare_compression,
    decoder_bytes as decoder_bytes,
    jpeg_bytes as jpeg_bytes,
    jpeg_rate_distortion as jpeg_rate_distortion,
    latent_rate_distortion as latent_rate_distortion,
)
from .imputation import (
    MISSING_FRACTION as MISSING_FRACTION,
    ImputationReport as ImputationReport,
    choose_iterations as choose_iterations,
    imputation_errors as imputation_errors,
    impute as impute,
    impute_with_baselines as impute_with_baselines,
    mask_cells as mask_cells,
)
from .principal_components import fit_pca as fit_pca
from .ranking import (
    RankingReport as RankingReport,
    evaluate_ranking as evaluate_ranking,
    item_neighbors as item_neighbors,
    item_regressions as item_regressions,
    mean_ranking as mean_ranking,
    rankings as rankings,
)
from .recommendation import (
    RatingErrors as RatingErrors,
    errors_with_mean_baselines as errors_with_mean_baselines,
    rating_errors as rating_errors,
)
from .recommender import (
    expected_ratings as expected_ratings,
    fit_recommender as fit_recommender,
    rating_matrix as rating_matrix,
)
from .reconstruction import (
    DenoisingReport as DenoisingReport,
    evaluate_denoising as evaluate_denoising,
    peak_signal_to_noise_ratio as peak_signal_to_noise_ratio,
    reconstruction_cross_entropy as reconstruction_cross_entropy,
    reconstruction_metrics as reconstruction_metrics,
    reconstruction_sse as reconstruction_sse,
    structural_similarity as structural_similarity,
)
from .reconstruction_report import (
    ReconstructionReport as ReconstructionReport,
    active_units as active_units,
    evaluate_reconstructions as evaluate_reconstructions,
    latent_statistics as latent_statistics,
)
from .sequences import SequenceReport as SequenceReport, evaluate_sequences as evaluate_sequences
from .topics import (
    TopicReport as TopicReport,
    doubt_perplexity as doubt_perplexity,
    evaluate_topics as evaluate_topics,
    lda_perplexity as lda_perplexity,
    perplexity as perplexity,
    top_words as top_words,
    unigram_perplexity as unigram_perplexity,
)
