"""A stage of a pipeline: a namespace for its nodes, names and tags as all pipelines have them."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kedro.pipeline import Node
from kedro.pipeline.preview_contract import PreviewPayload

from layerwise.pipelines.previews import ReportPreview
from layerwise.utils import kind_of_rows, look_up, run_parameters

# The tag of a stage's nodes, for `kedro run --tags`; a figure's is `figures` in every stage.
TAGS = {
    "preprocessing": "preprocessing",
    "pretraining": "training",
    "finetuning": "training",
    "training": "training",
    "evaluation": "evaluation",
    "reporting": "reports",
    "prediction": "prediction",
}
# The rows as the catalog's entry `raw` gives them; `raw` itself is what the first node has read of a table.
UNREAD = "unread"
# The standings of a comparison, which the pipeline of the best model reads.
LEADERBOARD = "compare.leaderboard"
# The pipelines that learn from rows in files, where `compute.out_of_core` says so.
STREAMED = ("mlp", "rbm", "autoencoder")
# All test rows, where those that most nodes of the evaluation read may be a sample.
ALL_TEST_ROWS = "all_test"
# The texts that a node writes, which Kedro-Viz shows with the node.
REPORTS = ("model_card", "report")


@dataclass(frozen=True)
class Stage:
    """Makes the nodes of one stage of one pipeline.

    The stage is their namespace, so that Kedro-Viz shows it as one box. The pipeline's name begins that of each data
    set and ends that of each node: `preprocessing.split_rows_dbn` makes `dbn.split`. Pipelines thus share no name but
    that of the raw rows, and several run in one command.

    Args:
        name: of the stage, one of `TAGS`.
        pipeline: the name of the pipeline that it belongs to.
    """

    name: str
    pipeline: str

    @property
    def streams_rows(self) -> bool:
        """Whether the rows stay in files: then what is not learnt from them reads a sample in memory."""
        return self.pipeline in STREAMED and streams_rows()

    def node(
        self,
        function: Callable[..., object],
        inputs: list[str] | dict[str, str],
        outputs: str | list[str],
        name: str | None = None,
        preview: Callable[[], PreviewPayload] | None = None,
        tag: str | None = None,
    ) -> Node:
        """Return a node of this stage.

        Args:
            function: what it does.
            inputs: data sets of the pipeline by their names within it, `raw` (of a table the rows as they were
                read), `params:...`; in a mapping by the names of the function's arguments.
            outputs: data sets of the pipeline by their names within it.
            name: an action; the function's name without it.
            preview: what Kedro-Viz shows of it.
            tag: instead of the stage's.
        """
        if preview is None and outputs in REPORTS:
            preview = ReportPreview(self.pipeline, f"{outputs}.md")
        with warnings.catch_warnings():
            # Of a data set that carries another name than its node's namespace, and of previews as experimental.
            warnings.simplefilter("ignore")
            return Node(
                function,
                {argument: self._dataset(each) for argument, each in inputs.items()}
                if isinstance(inputs, dict)
                else [self._dataset(each) for each in inputs],
                self._dataset(outputs)
                if isinstance(outputs, str)
                else [self._dataset(each) for each in outputs],
                name=f"{name or function.__name__}_{self.pipeline}",
                namespace=self.name,
                tags=[tag or TAGS[self.name]],
                preview_fn=preview,
            )

    def figure(self, function: Callable[..., object], inputs: list[str], name: str | None = None) -> Node:
        """Return the node of a figure: `plot_samples` makes the data set `figure_samples`."""
        name = name or function.__name__
        return self.node(function, inputs, name.replace("plot_", "figure_"), name, tag="figures")

    def measure(self, function: Callable[..., object], inputs: list[str], output: str) -> Node:
        """Return a node that returns what it measured, and the metrics of it that the run logs.

        The metrics' entry is `metrics_<output>`, without a `_metrics` at the output's end.
        """
        part = output.removesuffix("_metrics")
        return self.node(function, inputs, [output, f"metrics_{part}"])

    def _dataset(self, name: str) -> str:
        if name == UNREAD:
            return "raw"
        if name == "raw" and reads_cells():
            name = "rows"
        name = self._of_whole_or_sample(name)
        shared = name in ("raw", "unlabelled_source", LEADERBOARD) or name.startswith("params:")
        return name if shared else f"{self.pipeline}.{name}"

    def _of_whole_or_sample(self, name: str) -> str:
        """Return the data set of a part of the rows: in files that of all rows to learn from, else that of a sample."""
        if name == ALL_TEST_ROWS:
            return "test"
        if not self.streams_rows:
            return name
        if name == "labelled":  # without `labelled_rows` they are the training rows
            return "training" if self.name in ("preprocessing", "finetuning") else sampled("training")
        is_part = name in ("training", "validation", "test")
        return sampled(name) if is_part and self.name in ("evaluation", "reporting") else name


def sampled(part: str) -> str:
    """Return the name of the sample of a part of the rows, where these stay in files."""
    return f"sampled_{part}"


def streams_rows() -> bool:
    """Return whether the problem's rows are a table that stays in files."""
    return reads_cells() and bool(look_up(run_parameters(), "compute.out_of_core"))


def reads_cells() -> bool:
    """Return whether the problem's rows are a table, whose cells the first node reads for all others."""
    return kind_of_rows() == "table"


def with_first(function: Callable[..., object], given: object) -> Callable[..., object]:
    """Return a node's function whose first argument is given."""
    found = partial(function, given)
    # A partial has no name and no hints of its own, which Kedro asks for.
    found.__name__ = function.__name__  # type: ignore[attr-defined]
    found.__annotations__ = {}
    return found
