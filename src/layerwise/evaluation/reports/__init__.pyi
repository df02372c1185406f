from .cross_validation import (
    CrossValidation as CrossValidation,
    Fold as Fold,
    corrected_interval as corrected_interval,
    make_fold as make_fold,
)
from .evaluation import (
    BaselineComparison as BaselineComparison,
    EvaluationReport as EvaluationReport,
    MemberStatistics as MemberStatistics,
)
from .evaluation_report import (
    describe_seen_rows as describe_seen_rows,
    make_evaluation_report as make_evaluation_report,
)
from .gan import (
    gan_report as gan_report,
    image_section as image_section,
    training_section as training_section,
)
from .gan_tables import table_section as table_section
from .html_report import render_html_report as render_html_report
from .leaderboard import Leaderboard as Leaderboard
from .markdown import table as table
from .model_card import (
    compare_with_components as compare_with_components,
    make_model_card as make_model_card,
    make_network_card as make_network_card,
)
from .predictions import make_prediction_table as make_prediction_table
from .sections import report_sections as report_sections, segment_section as segment_section
