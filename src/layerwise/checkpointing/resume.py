"""All that changes while the loop trains, gathered for a checkpoint and put back from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from layerwise.checkpointing.state import Stateful, history_from_json, history_to_json
from layerwise.checkpointing.store import Checkpoint, CheckpointStore
from layerwise.utils import ResumeError, current_checkpoint_store, current_reports, ranks

if TYPE_CHECKING:
    from layerwise.checkpointing.state import Progress


log = logging.getLogger(__name__)


class ResumableTraining:
    """Save and restore one training of the loop; without checkpoints in this process every call does nothing.

    Args:
        progress: of the training; its history comes back with it.
        plan: what learns.
        rng: of the rows' order.
        others: callbacks and the transform; those with `state_dict` and `load_state_dict` are kept.
        n_rows: training rows, which have to be as many when training goes on.
    """

    def __init__(
        self,
        progress: Progress,
        plan: Stateful,
        rng: torch.Generator,
        others: Sequence[Any],
        n_rows: int,
    ) -> None:
        self.progress, self.rng, self.n_rows = progress, rng, n_rows
        # Reports that are collected, as those of a fold, are nowhere but in memory and here.
        self._reports = current_reports()
        self._n_reports_before = len(self._reports or ())
        self.parts: dict[str, Stateful] = {"plan": plan}
        for other in others:
            if hasattr(other, "state_dict") and hasattr(other, "load_state_dict"):
                self.parts[self._free_name(type(other).__name__)] = other
        checkpoints = cast("CheckpointStore | None", current_checkpoint_store())
        self.stage = None if checkpoints is None else checkpoints.stage(progress.name)
        # All ranks go on from what rank 0, which writes them, has found.
        self.found: Checkpoint | None = ranks.from_rank_0(None if self.stage is None else self.stage.load())
        if self.found is not None:
            try:
                self._check(self.found.metadata)
            except (KeyError, TypeError) as error:
                raise self._other_training(f"{type(error).__name__}: {error}") from error

    @property
    def finished(self) -> bool:
        """True when the checkpoint is of a training that came to its end."""
        return self.found is not None and bool(self.found.metadata["done"])

    def restore(self) -> None:
        """Put everything back as the checkpoint has it, if there is one.

        Raises:
            ResumeError: it is whole, but of another training.
        """
        if self.found is None:
            return
        try:
            self._restore(self.found.metadata, self.found.tensors)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise self._other_training(f"{type(error).__name__}: {reason}") from error
        log.info(
            "%s %s: epoch %d",
            self.progress.name,
            "was finished before" if self.finished else "goes on after",
            self.progress.epoch,
        )
        self.found = None

    def _restore(self, metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        for name, part in self.parts.items():
            prefix = f"{name}/"
            part.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )
        self.rng.set_state(tensors["order"])
        self.progress.epoch, self.progress.seconds = metadata["epoch"], metadata["seconds"]
        self.progress.stop = metadata["stop"]
        self.progress.best_epoch = metadata.get("best_epoch", 0)
        self.progress.history[:] = history_from_json(metadata["history"])
        if self._reports is not None and "reports" in metadata:
            steps, values = metadata["reports"]
            self._reports[self._n_reports_before :] = zip(history_from_json(values), steps, strict=True)
        now = {f"{name}/{key}": value for name, key, value in self._tensors()} | {
            "order": self.rng.get_state()
        }
        other = sorted(
            name for name in now.keys() | tensors.keys() if _kind(now, name) != _kind(tensors, name)
        )
        if other:
            raise ValueError(f"{other[0]} has another shape or type, or is not there")

    def save_if_due(self) -> None:
        """Write a checkpoint if it is time for one; the last epoch's is written when the training is done."""
        progress = self.progress
        if self.stage is None or progress.stop or progress.epoch >= progress.epochs:
            return
        if self.stage.due(progress.epoch):
            self._save(done=False)

    def mark_finished(self) -> None:
        """Write down that this training is finished, so that it is not done again."""
        if self.stage is not None:
            self._save(done=True)

    def _save(self, done: bool) -> None:
        assert self.stage is not None
        tensors = {f"{name}/{key}": value for name, key, value in self._tensors()}
        progress = self.progress
        metadata: dict[str, Any] = {
            "name": progress.name,
            "epochs": progress.epochs,
            "rows": self.n_rows,
            "seconds": progress.seconds,
            "stop": progress.stop,
            "best_epoch": progress.best_epoch,
            "history": history_to_json(progress.history),
            "best": self._best(),
        }
        if self._reports is not None:
            own = self._reports[self._n_reports_before :]
            metadata["reports"] = [
                [step for _, step in own],
                history_to_json([values for values, _ in own]),
            ]
        self.stage.save(progress.epoch, tensors | {"order": self.rng.get_state()}, metadata, done)

    def _tensors(self) -> Iterator[tuple[str, str, Tensor]]:
        for name, part in self.parts.items():
            for key, value in part.state_dict().items():
                yield name, key, value

    def _best(self) -> dict[str, Any] | None:
        for part in self.parts.values():
            epoch = getattr(part, "best_epoch", 0)
            if epoch:
                return {
                    "epoch": epoch,
                    "score": getattr(part, "best", None),
                    "monitor": getattr(part, "monitor", ""),
                }
        return None

    def _check(self, metadata: Mapping[str, Any]) -> None:
        if not isinstance(metadata["done"], bool):
            raise TypeError("done is neither true nor false")
        pairs = {"training rows": ("rows", self.n_rows), "epochs": ("epochs", self.progress.epochs)}
        differ = [
            f"{what}: {metadata[key]} there, {now} here"
            for what, (key, now) in pairs.items()
            if metadata[key] != now
        ]
        if differ:
            raise ResumeError(
                f"{self.progress.name}: this is not the training of the checkpoint ({'; '.join(differ)})"
            )

    def _other_training(self, reason: str) -> ResumeError:
        where = "" if self.stage is None else f" in {self.stage.folder}"
        return ResumeError(
            f"{self.progress.name}: the checkpoint{where} is not of this training ({reason}): put this run's own files "
            "back, or start a new run with resume=false"
        )

    def _free_name(self, name: str) -> str:
        free, k = name, 2
        while free in self.parts:
            free, k = f"{name}_{k}", k + 1
        return free


def _kind(tensors: Mapping[str, Tensor], name: str) -> tuple[torch.Size, torch.dtype] | None:
    return (tensors[name].shape, tensors[name].dtype) if name in tensors else None
