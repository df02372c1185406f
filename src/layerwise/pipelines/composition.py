"""The composition behind the supervised pipelines, which differ in how the hidden layers are initialized."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import evaluation, finetuning, preprocessing, pretraining


def compose(
    name: str,
    pretrained: bool,
    stack: str = "dbn",
    problem: str = "params:problem",
    more: Pipeline | None = None,
) -> Pipeline:
    """Return preprocessing, pretraining (if any), fine-tuning and evaluation as one pipeline.

    Everything but the raw rows and the parameters lives in the namespace `name`.

    Args:
        name: of the pipeline.
        pretrained: whether the hidden layers are pretrained without labels; if not, they start at random.
        stack: the parameters' key of what is pretrained: `dbn` (RBMs) or `sae` (autoencoders).
        problem: the data set from which the first node takes the problem, such as one that a node of `more`
            has checked.
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
