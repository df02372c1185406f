"""The one composition behind the supervised pipelines: they differ in how the hidden layers begin."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import evaluation, finetuning, preprocessing, pretraining


def compose(
    name: str,
    pretrained: bool,
    stack: str = "dbn",
    problem: str = "params:problem",
    more: Pipeline | None = None,
) -> Pipeline:
    """Return preprocessing, pretraining (unless from a random start), fine-tuning and evaluation.

    Everything but the raw rows and the parameters lives in the namespace `name`.

    Args:
        name: of the pipeline.
        pretrained: whether hidden layers learn without labels first.
        stack: the parameters' key of what is pretrained: `dbn` (machines) or `sae` (autoencoders).
        problem: what the first step takes the problem from, such as a node of `more` that checks it.
        more: nodes of this pipeline alone.
    """
    beginning = pretraining.create_pipeline(name, stack) if pretrained else Pipeline([])
    whole = (
        preprocessing.create_pipeline(pretrained, problem=problem)
        + beginning
        + finetuning.create_pipeline(name, pretrained, stack)
        + evaluation.create_pipeline(pretrained)
        + (more or Pipeline([]))
    )
    parameters = {each for each in whole.inputs() if each == "parameters" or each.startswith("params:")}
    return Pipeline(whole, namespace=name, inputs={"raw"}, parameters=parameters)
