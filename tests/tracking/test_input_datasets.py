import json

import numpy as np

from layerwise.data import ColumnBlock, DataSpec, Split
from layerwise.tracking.input_datasets import describe_datasets, fingerprint

SPEC = DataSpec(
    task="binary",
    n_inputs=2,
    n_outputs=1,
    feature_names=("age", "income"),
    blocks=(
        ColumnBlock(name="age", start=0, stop=1, kind="real"),
        ColumnBlock(name="income", start=1, stop=2, kind="real"),
    ),
    target_names=("left",),
    source="https://example.org/rows.csv",
    sha256="f" * 64,
)
SPLIT = Split(training=np.array([0, 2, 4]), validation=np.array([], dtype=int), test=np.array([1, 3]))


def test_each_part_that_has_rows_is_described_with_its_digest_and_source():
    training, test = describe_datasets(SPEC, SPLIT, "churn")
    assert (training["context"], test["context"]) == ("training", "testing")
    assert test["digest"] == fingerprint("f" * 64, ["left"], [1, 3])[:16]
    assert json.loads(test["profile"]) == {"num_rows": 2, "num_elements": 4}
    assert (test["source_type"], json.loads(test["source"])["url"]) == (
        "http",
        "https://example.org/rows.csv",
    )
    assert [column["name"] for column in json.loads(test["schema"])["mlflow_colspec"]] == ["age", "income"]


def test_a_digest_is_of_the_file_the_targets_and_the_rows_of_its_part():
    others = SPLIT.model_copy(update={"validation": np.array([5]), "test": np.array([1, 6])})
    changed = {
        "file": (SPEC.model_copy(update={"sha256": "e" * 64}), SPLIT),
        "target": (SPEC.model_copy(update={"target_names": ("stayed",)}), SPLIT),
        "rows": (SPEC, others),
    }

    def digests(spec, split):
        return {each["context"]: each["digest"] for each in describe_datasets(spec, split, "churn")}

    own = digests(SPEC, SPLIT)
    found = {name: digests(*given) for name, given in changed.items()}
    assert len({own["testing"], *(each["testing"] for each in found.values())}) == 4
    # Other test rows leave the training rows what they are, and so does another name of the file.
    assert found["rows"]["training"] == own["training"]
    assert digests(SPEC.model_copy(update={"source": "rows.csv"}), SPLIT) == own


def test_images_have_one_tensor_as_their_schema():
    images = SPEC.model_copy(update={"image_shape": (1, 2), "source": "package"})
    first = describe_datasets(images, SPLIT, "digits")[0]
    (features,) = json.loads(json.loads(first["schema"])["mlflow_tensorspec"]["features"])
    assert features["tensor-spec"]["shape"] == [-1, 2]
    assert first["source_type"] == "local"
