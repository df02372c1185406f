from .animation import (
    Animation as Animation,
    animate_images as animate_images,
    animate_points as animate_points,
    plot_points as plot_points,
)
from .autoencoder import (
    format_denoising as format_denoising,
    name_noise as name_noise,
    plot_anomaly_scores as plot_anomaly_scores,
    plot_imputation_errors as plot_imputation_errors,
    plot_rate_distortion as plot_rate_distortion,
)
from .comparison import (
    plot_importances as plot_importances,
    plot_metric_comparison as plot_metric_comparison,
    plot_segments as plot_segments,
)
from .drift import plot_drift as plot_drift
from .gan import (
    plot_class_fractions as plot_class_fractions,
    plot_distance_histogram as plot_distance_histogram,
    plot_frames as plot_frames,
    plot_gan_curves as plot_gan_curves,
    plot_scatter_grid as plot_scatter_grid,
)
from .gradients import (
    NetworkGradients as NetworkGradients,
    plot_gradients_by_layer as plot_gradients_by_layer,
    plot_remedies as plot_remedies,
)
from .images import (
    plot_features as plot_features,
    plot_image_rows as plot_image_rows,
    plot_images as plot_images,
    plot_reconstructions as plot_reconstructions,
    plot_samples as plot_samples,
)
from .latent import plot_heat_map as plot_heat_map, plot_latent_map as plot_latent_map
from .rbm import plot_activations as plot_activations, plot_inpainting as plot_inpainting
from .style import (
    cycle_color as cycle_color,
    legend as legend,
    new_figure as new_figure,
    style_axes as style_axes,
)
from .supervised.calibration import plot_calibration as plot_calibration
from .supervised.classes import (
    plot_confusion_matrix as plot_confusion_matrix,
    plot_label_errors as plot_label_errors,
    plot_roc_and_pr_curves as plot_roc_and_pr_curves,
)
from .supervised.values import plot_predicted_vs_true as plot_predicted_vs_true
from .tables import (
    plot_marginals as plot_marginals,
    plot_table_reconstructions as plot_table_reconstructions,
)
from .training import (
    plot_grid_scores as plot_grid_scores,
    plot_label_efficiency as plot_label_efficiency,
    plot_learning_curves as plot_learning_curves,
    plot_long_range_memory as plot_long_range_memory,
)
