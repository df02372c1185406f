"""The composition behind the supervised pipelines, which differ in how the hidden layers are initialized."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import evaluation, finetuning, preprocessing, pretraining


def compose(name: str, pretrained: bool, stack: str = "dbn", problem: str = "params:problem") -> Pipeline:
    """Return preprocessing, pretraining (if any), fine-tuning, evaluation and reporting as one pipeline.

    Args:
        name: of the pipeline.
        pretrained: whether the hidden layers are pretrained without labels; if not, they start at random.
        stack: the parameters' key of what is pretrained: `dbn` (RBMs) or `sae` (autoencoders).
        problem: the data set from which the first node takes the problem, such as one that a node of the
            pipeline's own has checked.
    """
    beginning = pretraining.create_pipeline(name, stack) if pretrained else Pipeline([])
    return (
        preprocessing.create_pipeline(name, pretrained, problem=problem)
        + beginning
        + finetuning.create_pipeline(name, pretrained, stack)
        + evaluation.create_pipeline(name, pretrained, stack)
    )
