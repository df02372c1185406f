"""The scored rows of an evaluation in the catalog: arrays as safetensors, counts as JSON, kept cells as Parquet."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from layerwise.datasets.stored import StoredDataset
from layerwise.utils import atomic_write

if TYPE_CHECKING:
    from layerwise.inference import BatchEvaluation

ARRAYS, KEPT = "rows.safetensors", "kept.parquet"
# The field of an array of each column, in the file's names.
NUMBERS = "numbers/"


class BatchEvaluationDataset(StoredDataset["BatchEvaluation"]):
    """Scores, targets and inputs of rows that were evaluated, so that any process can measure them.

    Its folder holds `rows.safetensors`, `counts.json` and, where cells are kept, `kept.parquet`.
    """

    MARK: ClassVar[str] = "counts.json"

    def _read(self, path: Path) -> BatchEvaluation:
        import pandas as pd
        from safetensors.numpy import load_file

        from layerwise.inference import BatchEvaluation

        arrays = load_file(path / ARRAYS)
        found = json.loads((path / self.MARK).read_text())
        kept = pd.read_parquet(path / KEPT).astype(object) if found["kept"] else pd.DataFrame()
        return BatchEvaluation(
            arrays["targets"],
            arrays["scores"],
            n_rejected=found["n_rejected"],
            n_seen=found["n_seen"],
            reasons=Counter(found["reasons"]),
            kept={
                name: kept[name].where(kept[name].notna(), None).to_numpy(object) for name in found["kept"]
            },
            weights=arrays.get("weights"),
            numbers={name: arrays[NUMBERS + name] for name in found["numbers"]},
            values={name: Counter(dict(pairs)) for name, pairs in found["values"]},
            missing=Counter(found["missing"]),
            tags=found["tags"],
        )

    def _write(self, data: BatchEvaluation, path: Path) -> None:
        import pandas as pd
        from safetensors.numpy import save_file

        own = {"targets": data.targets, "scores": data.scores, "weights": data.weights}
        arrays = {name: array for name, array in own.items() if array is not None}
        arrays |= {NUMBERS + name: array for name, array in data.numbers.items()}
        with atomic_write(path / ARRAYS) as part:
            save_file(arrays, part)
        if data.kept:
            with atomic_write(path / KEPT) as part:
                pd.DataFrame(data.kept).to_parquet(part)
        counts = {
            "n_rejected": data.n_rejected,
            "n_seen": data.n_seen,
            "reasons": data.reasons,
            "kept": list(data.kept),
            "numbers": list(data.numbers),
            "values": [[name, list(counter.items())] for name, counter in data.values.items()],
            "missing": data.missing,
            "tags": data.tags,
        }
        with atomic_write(path / self.MARK) as part:
            part.write_text(json.dumps(counts))
