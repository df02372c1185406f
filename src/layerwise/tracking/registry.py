"""The model registry: a finished run registers its model, and the champion moves when it is beaten."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from layerwise.evaluation.metrics import LOWER_IS_BETTER
from layerwise.evaluation.unsupervised import doubt_perplexity
from layerwise.inference import CHAMPION_METRICS, ModelComparison, ModelError, ModelManifest
from layerwise.tracking.environment import configure_mlflow
from layerwise.tracking.logged_models.model_lookup import CHAMPION, check_registered, registered_version

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


# What compares networks that learn without a target, by kind (`CHAMPION_METRICS` has the others): the first measured.
NETWORK_METRICS = {
    "rbm": ("log_prob", "pseudo_likelihood", "rmse", "perplexity"),
    "dbn": ("log_prob_bound", "reconstruction_mse"),
    "dbm": ("log_prob_bound", "reconstruction_mse"),
    "generator": ("frechet_distance", "marginal_distance"),
}
OTHER_NETWORKS = ("reconstruction_mse", "rmse")
LOWER_OF_NETWORKS = ("reconstruction_mse", "rmse", "perplexity", "frechet_distance", "marginal_distance")

# Encoders that cannot be compared row by row, being of different latent sizes or reading the rows otherwise, are
# compared by the first of these that both were measured by.
ENCODER_METRICS = ("anomaly_auc", "probe/latent/error", "probe/latent/rmse")

# MLflow's table takes no longer description.
MAX_CARD_LENGTH = 5000

# The versions that were the champion before, the last one last: a tag of the registered model.
EARLIER_CHAMPIONS = "champion.earlier"

# What samples rows of a table is not registered where they lie nearer to training rows than this, in distances of
# unseen rows; or where the AUC of a membership attack is above this by its whole 95 % interval.
COPYING_RATIO, MEMBERSHIP_AUC = 0.5, 0.55
PRIVACY_LIMITS = {"memorization_ratio": COPYING_RATIO, "membership_auc_low": MEMBERSHIP_AUC}

log = logging.getLogger(__name__)

# Compares the new model with the version of that number; true if both were tested on the same rows.
Comparison = Callable[[str, bool], ModelComparison | str]


def register(
    client: MlflowClient,
    manifest: ModelManifest,
    task: str,
    sha256: str,
    model_id: str,
    card: str,
    compare: Comparison | None = None,
    latent_size: int | None = None,
) -> str:
    """Register a model under its own name; move the champion if it is beaten on rows that neither has seen.

    Done again, whole or from where it was cut off, it makes no second version.

    Args:
        client: of the tracking server.
        manifest: of the model.
        task: that the network was trained for; of one that learns without a target its kind.
        sha256: of the manifest.
        model_id: of the model in its run.
        card: its description.
        compare: with the champion, on raw rows; without it the values on the same test rows decide.
        latent_size: of an encoder.

    Returns:
        A message that says what was done.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

    name = manifest.registered_name
    try:
        champion = client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        champion = None
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            _create(client, name, manifest.problem)
    tags = _tags(manifest, task, sha256, latent_size)
    created = _version_of(client, name, manifest.run_id, sha256) or client.create_model_version(
        name, f"models:/{model_id}", manifest.run_id, tags=tags, description=_shorten(card), model_id=model_id
    )
    if champion is not None and champion.version == created.version:
        return f"Registered as {name} version {created.version}. It is the champion already."
    # By this tag alone does the model's own page in the UI know that it is registered.
    client.set_logged_model_tags(
        model_id, {MLFLOW_MODEL_VERSIONS: json.dumps([{"name": name, "version": created.version}])}
    )
    number = str(champion.version) if champion else ""
    message, moves = compare_with_champion(tags, champion.tags if champion else None, number, compare)
    if moves:
        _set_champion(client, name, str(created.version), number)
    else:
        message += f" `kedro champion {name}/{created.version}` moves the alias."
    return f"Registered as {name} version {created.version}. {message}"


def _tags(manifest: ModelManifest, task: str, sha256: str, latent_size: int | None) -> dict[str, str]:
    """Return what versions of a model are compared by."""
    metric, value = champion_metric(task, manifest.metrics)
    tags = {
        "pipeline": manifest.pipeline,
        "test.rows": manifest.test_rows_sha256,
        "test.metric": metric,
        "test.value": repr(value),
        "model.sha256": sha256,
    }
    doubt = doubt_perplexity({name: each["value"] for name, each in manifest.metrics.items()})
    if metric == "perplexity" and doubt:
        tags["test.doubt"] = doubt
    if latent_size is None:
        return tags
    tags["model.latent_size"] = str(latent_size)
    for name in ENCODER_METRICS:
        found = manifest.metrics.get(name)
        if found is not None:
            tags[f"test.{name}"] = repr(float(found["value"]))
            if "low" in found:
                tags[f"test.{name}.half_width"] = repr((found["high"] - found["low"]) / 2)
    return tags


def privacy_refusal(manifest: ModelManifest) -> str:
    """Return why a model that samples rows of a table is not registered: they give training rows away; empty if not."""
    found = {name: each["value"] for name, each in manifest.metrics.items() if name in PRIVACY_LIMITS}
    if found.get("memorization_ratio", COPYING_RATIO) < COPYING_RATIO:
        what, name, said = "are too near to training rows", "memorization_ratio", "below"
    elif found.get("membership_auc_low", 0.0) > MEMBERSHIP_AUC:
        what, name, said = "tell which rows it learnt from", "membership_auc_low", "above"
    else:
        return ""
    return (
        f"Not registered as {manifest.registered_name}: the rows that it draws {what}, and are not for others to see "
        f"({name} {found[name]:.2f}, {said} {PRIVACY_LIMITS[name]}). Train it for fewer epochs, or on more rows."
    )


def _set_champion(client: MlflowClient, name: str, version: str, before: str) -> None:
    """Move the alias, and note first which version had it before: cut off in between, no champion is forgotten."""
    earlier = _earlier_champions(client, name) if before and before != version else [before]
    if earlier[-1:] != [before]:
        client.set_registered_model_tag(name, EARLIER_CHAMPIONS, json.dumps([*earlier, before][-100:]))
    client.set_registered_model_alias(name, CHAMPION, version)


def _version_of(client: MlflowClient, name: str, run_id: str, sha256: str) -> ModelVersion | None:
    """Return the version that a run has registered of a model already, before it was cut off."""
    found = client.search_model_versions(f"name='{name}' and run_id='{run_id}'")
    return next((each for each in found if each.tags.get("model.sha256") == sha256), None)


def _earlier_champions(client: MlflowClient, name: str) -> list[str]:
    return list(json.loads(client.get_registered_model(name).tags.get(EARLIER_CHAMPIONS, "[]")))


def move_champion(uri: str, reference: str, *, back: bool = False) -> str:
    """Move the alias `champion` of a registered model, or say which version has it; return what was done.

    Args:
        uri: of the tracking server.
        reference: a name and a version, `churn/3`; a name alone shows its versions.
        back: move it to the version that had it before.

    Raises:
        ModelError: there is no such model or version, or none was the champion before.
    """
    configure_mlflow()
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    name, _, number = reference.partition("/")
    check_registered(client, name)
    aliases = client.get_registered_model(name).aliases
    before = str(aliases.get(CHAMPION, ""))
    if back:
        earlier = _earlier_champions(client, name)
        if not earlier:
            raise ModelError(f"no version of {name} was the champion before version {before}")
        client.set_registered_model_alias(name, CHAMPION, earlier[-1])
        client.set_registered_model_tag(name, EARLIER_CHAMPIONS, json.dumps(earlier[:-1]))
        return f"{name}@{CHAMPION} is version {earlier[-1]} again, after version {before}."
    if number:
        version = str(registered_version(client, name, number=number).version)
        _set_champion(client, name, version, before)
        return f"{name}@{CHAMPION} is version {version}" + (f", after version {before}." if before else ".")
    return "\n".join(_describe_versions(client, name, before))


def _describe_versions(client: MlflowClient, name: str, champion: str) -> list[str]:
    found = sorted(client.search_model_versions(f"name='{name}'"), key=lambda version: int(version.version))
    return [
        f"{'*' if str(version.version) == champion else ' '} {name}/{version.version}  {tags.get('pipeline', '')}  "
        f"{tags.get('test.metric', '')} {tags.get('test.value', '')}  run {version.run_id}"
        for version in found
        for tags in (version.tags,)
    ]


def _create(client: MlflowClient, name: str, problem: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=f"Networks trained on the problem {problem}.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def champion_metric(task: str, metrics: dict[str, Any]) -> tuple[str, float]:
    """Return the metric by which models of this task are compared, and its value on the test rows."""
    if task not in CHAMPION_METRICS:
        names = NETWORK_METRICS.get(task, OTHER_NETWORKS)
        name = next((each for each in names if each in metrics), "")
    else:
        name = CHAMPION_METRICS[task]
        # Test rows of one class have no AUC.
        name = name if name in metrics else next(iter(metrics), "")
    return name, float(metrics[name]["value"]) if name else float("nan")


def compare_with_champion(
    new: dict[str, str], champion: dict[str, str] | None, version: str, compare: Comparison | None = None
) -> tuple[str, bool]:
    """Return a message on a new model beside the champion, and whether it becomes the champion.

    Args:
        new: the new version's tags.
        champion: the present champion's tags; None if there is none.
        version: the champion's version.
        compare: compares the models themselves; without it the values of the tags decide, on the same test rows.
    """
    metric, value = new["test.metric"], float(new["test.value"])
    if champion is None:
        return "It is the first champion" + (f" ({metric} {value:.4f})." if metric else "."), True
    if "test.metric" not in champion:
        return (
            f"It replaces version {version}, a model of the first edition that cannot be used any more.",
            True,
        )
    for tags, which in ((new, "here"), (champion, "of that version")):
        if doubt := tags.get("test.doubt"):
            return f"The champion stays version {version}: {which} {doubt}.", False
    same_rows = champion.get("test.rows") == new["test.rows"]
    if compare is not None:
        found = compare(version, same_rows)
        shared = (each for each in ENCODER_METRICS if f"test.{each}" in new and f"test.{each}" in champion)
        name = next(shared, "") if isinstance(found, str) and same_rows else ""
        if not name:
            return _decide(found, version)
        widths = [float(tags.get(f"test.{name}.half_width", 0)) for tags in (new, champion)]
        values = float(new[f"test.{name}"]), float(champion[f"test.{name}"])
        return _decide_by_value(name, *values, version, math.hypot(*widths))
    if not same_rows:
        return (
            f"The champion stays version {version}: it was measured on other test rows, so that the two cannot be "
            "compared.",
            False,
        )
    if champion.get("test.metric") != metric:
        return f"The champion stays version {version}: it was compared by {champion['test.metric']}.", False
    return _decide_by_value(metric, value, float(champion["test.value"]), version)


def _decide_by_value(
    metric: str, value: float, old: float, version: str, chance: float = 0.0
) -> tuple[str, bool]:
    """Decide by two values on the same test rows, of which one has to be better by more than chance."""
    lower = metric.rpartition("/")[2] in (*LOWER_IS_BETTER, *LOWER_OF_NETWORKS)
    if (old - value if lower else value - old) > chance:
        return f"It is the new champion: {metric} {value:.4f} on the same test rows, after {old:.4f}.", True
    return (
        f"The champion stays version {version}: {metric} {old:.4f} on the same test rows, and {value:.4f} here.",
        False,
    )


def _decide(found: ModelComparison | str, version: str) -> tuple[str, bool]:
    if isinstance(found, str):
        return f"The champion stays version {version}, with which it cannot be compared: {found}.", False
    if found.wins:
        return f"It is the new champion: {found}.", True
    than = "no better than chance allows" if found.is_better else "no better"
    return f"The champion stays version {version}, and this one is {than}: {found}.", False


def _shorten(card: str) -> str:
    """Return the card without its table of parameters, which the run has, in the length that the registry takes."""
    text = card.split("\n## Parameters")[0].rstrip() + "\n\nThe parameters are those of the run.\n"
    return text if len(text) <= MAX_CARD_LENGTH else text[: MAX_CARD_LENGTH - 2].rstrip() + "…\n"
