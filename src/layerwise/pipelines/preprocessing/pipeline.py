"""The preprocessing stage: raw rows to training, validation, test and labelled rows."""

from collections.abc import Callable, Sequence

from kedro.pipeline import Node, Pipeline

from layerwise.parameters import sizing
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.preprocessing import nodes
from layerwise.pipelines.preprocessing.streamed import streamed_nodes
from layerwise.pipelines.preprocessing.sufficient_rows import preprocess_sufficient_rows, rules_of
from layerwise.pipelines.preprocessing.warm_start import adopt_preprocessor
from layerwise.pipelines.stage import UNREAD, Stage, reads_cells, with_first

# What fills in the sizes of these keys.
SIZES: dict[tuple[str, ...], Callable[..., object]] = {
    ("mlp",): sizing.size_mlp,
    ("dbn",): sizing.size_dbn,
    ("dbn", "pretraining"): sizing.size_pretrained_dbn,
    ("dbm", "pretraining"): sizing.size_dbm,
    ("sae", "pretraining"): sizing.size_sae,
    ("rbm",): sizing.size_rbm,
    ("autoencoder",): sizing.size_autoencoder,
    ("gan",): sizing.size_gan,
}


def create_pipeline(
    pipeline: str = "preprocessing",
    *,
    supervised: bool = True,
    labelled: bool = True,
    input_example: bool = False,
    sized: Sequence[str] = (),
    pretrains: bool = False,
    several: bool = False,
    beside_folds: bool = False,
    generates: bool = False,
    compares: bool = False,
    problem: str = "params:problem",
    facts: ProblemFacts | None = None,
) -> Pipeline:
    """Return the nodes from `raw` to training, validation, test and labelled rows.

    Args:
        pipeline: the name of the pipeline that they belong to.
        supervised: whether a task without labels is refused.
        labelled: whether some rows are chosen whose labels are read, where the problem has labels.
        input_example: whether some raw rows are kept, for a pipeline whose model takes raw rows.
        sized: the keys of parameters whose open sizes the rows decide, the network's first; `<key>_settings` are
            the data sets with them.
        several: whether many networks train at once.
        beside_folds: whether `split.folds` has a use for the pipeline; it is refused elsewhere.
        generates: whether the rows of a table are generated, its target, where it has one, among their columns.
        compares: whether rows of a table are compared with the test rows, which then are two at least.
        pretrains: whether something learns from rows without labels too, where there may be some.
        problem: the first node's dataset of the problem, where another node checks it before.
        facts: of the problem; the present session's by default.
    """
    stage, facts = Stage("preprocessing", pipeline), facts or current_facts()
    split: Callable[..., object] = nodes.split_labelled_rows if supervised else nodes.split_rows
    if beside_folds:
        split = nodes.split_rows_beside_folds
    if stage.streams_rows:
        found = streamed_nodes(stage, split, problem)
        return Pipeline([*found, *_sizes(stage, sized, several)])
    rules = rules_of(facts, compares)
    split_inputs = ["raw", problem, "params:split", "params:seed"]
    if generates:
        split, split_inputs = nodes.split_rows_of_generator, [*split_inputs, "params:preprocessing"]
    found = [
        stage.node(split, split_inputs, "split", "split_rows"),
        _fitted(stage, facts, "finetuning" in sized),
        _preprocessed(stage, input_example, with_first(preprocess_sufficient_rows, rules) if rules else None),
        *_described(stage, pretrains and facts.are_partly_labelled, facts),
    ]
    if reads_cells():
        settings = [problem, "params:preprocessing"]
        found.insert(0, stage.node(nodes.read_rows, [UNREAD, *settings], "rows"))
    if labelled and facts.are_labelled:
        inputs = ["training", "params:problem", "params:labelled_rows", "params:seed"]
        found.append(stage.node(nodes.choose_labelled_rows, inputs, "labelled"))
    return Pipeline([*found, *_sizes(stage, sized, several)])


def _fitted(stage: Stage, facts: ProblemFacts, finetunes: bool) -> Node:
    inputs = ["raw", "split", "params:problem", "params:preprocessing"]
    if finetunes and facts.parameter("finetuning.init_from"):
        return stage.node(
            adopt_preprocessor, [*inputs, "finetuning_source"], "preprocessor", "fit_preprocessor"
        )
    return stage.node(nodes.fit_preprocessor, [*inputs, "params:seed"], "preprocessor")


def _described(stage: Stage, pretrains: bool, facts: ProblemFacts) -> list[Node]:
    if not pretrains:
        return [stage.node(nodes.describe_rows, ["preprocessor"], "data_spec")]
    inputs = ["raw", "split", "preprocessor", *(["unlabelled_source"] if facts.has_unlabelled else [])]
    return [
        stage.measure(nodes.preprocess_unlabelled_rows, inputs, "unlabelled"),
        stage.node(
            nodes.describe_rows_and_unlabelled, ["preprocessor", "unlabelled"], "data_spec", "describe_rows"
        ),
    ]


def _preprocessed(stage: Stage, input_example: bool, checked: Callable[..., object] | None) -> Node:
    inputs, outputs = ["raw", "split", "preprocessor"], ["training", "validation", "test"]
    if not input_example:
        return stage.node(nodes.preprocess_rows, inputs, outputs)
    outputs.append("input_example")
    return stage.node(checked or nodes.preprocess_rows_with_example, inputs, outputs, "preprocess_rows")


def _sizes(stage: Stage, keys: Sequence[str], several: bool) -> list[Node]:
    """Return the node that chooses the sizes of the network and its pretraining, and that of the fine-tuning alone.

    A run may begin at the second one, with other settings, on the network as it was pretrained.
    """
    learnt = tuple(key for key in keys if key != "finetuning")
    found = []
    if learnt:
        # What fine-tuning could not take is refused before the stack is pretrained, which waits for the labelled rows.
        labelled = ["labelled"] if "pretraining" in learnt else []
        read = ("mlp", "finetuning") if learnt == ("mlp",) else keys if labelled else learnt
        inputs = ["data_spec", "training", *labelled, *(f"params:{key}" for key in read)]
        outputs = [f"{key}_settings" for key in learnt]
        chooses = sizing.size_several_mlps if several else SIZES[learnt]
        found.append(stage.node(chooses, inputs, outputs if len(outputs) > 1 else outputs[0], "choose_sizes"))
    if "finetuning" in keys:
        size = sizing.size_finetuning if learnt in ((), ("mlp",)) else sizing.size_stack_finetuning
        inputs = ["data_spec", "training", "labelled", "params:finetuning"]
        found.append(stage.node(size, inputs, "finetuning_settings", "choose_finetuning"))
    return found
