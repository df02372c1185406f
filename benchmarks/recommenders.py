"""How MovieLens's held-out ratings are ranked, beside `implicit`'s recommenders on the same split.

Each peer has a few settings, of which validation ratings choose one, as they choose ours. The model is the folder that
`kedro run --pipelines=rbm --env=movielens` writes.

    pip install --no-deps --target peers implicit
    PYTHONPATH=peers LAYERWISE_DATA=... python benchmarks/recommenders.py data/06_models/movielens/rbm/model
"""

import os
import sys
from importlib import import_module
from itertools import product
from pathlib import Path

import torch
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.sources import RatingsPreprocessor, read_ratings
from layerwise.evaluation.unsupervised import expected_ratings, rating_matrix
from layerwise.evaluation.unsupervised.ranking import mean_ranking
from layerwise.inference import load_trained_model

items = import_module("implicit.nearest_neighbours")
NEIGHBORS = (20, 50, 100, 200)
PEERS = {
    "ALS": [
        (AlternatingLeastSquares, {"factors": f, "alpha": a, "regularization": r})
        for f, a, r in product((16, 32, 64), (1, 4, 16), (0.1, 1.0))
    ],
    "BPR": [
        (BayesianPersonalizedRanking, {"factors": f, "learning_rate": r, "iterations": 200})
        for f, r in product((32, 64), (0.01, 0.03))
    ],
    "cosine": [(items.CosineRecommender, {"K": k}) for k in NEIGHBORS],
    "TF-IDF": [(items.TFIDFRecommender, {"K": k}) for k in NEIGHBORS],
    "BM25": [(items.BM25Recommender, {"K": k, "B": b}) for k, b in product(NEIGHBORS, (0.2, 0.8))],
}


def peer_scores(kind, settings, rated):
    """Return a peer's scores of all items, (users, items), trained on who has rated what."""
    ratings = csr_matrix(rated.float().numpy())
    if "K" in settings:
        model = kind(**settings)
        model.fit(ratings, show_progress=False)
        return torch.from_numpy((ratings @ model.similarity).toarray())
    model = kind(**settings, random_state=0, num_threads=1)
    model.fit(ratings, show_progress=False)
    return torch.from_numpy(model.user_factors @ model.item_factors.T)


def main():
    """Print NDCG and recall of the first ten items for ours and each peer."""
    raw = read_ratings(Path(os.environ["LAYERWISE_DATA"], "movielens_100k/u.data"))
    problem = Problem(name="movielens", task="ratings")
    split = split_raw(raw, problem, SplitSettings(test_fraction=0.1, validation_fraction=0.05), 0)
    preprocessor = RatingsPreprocessor.fit(raw, split.training, problem, PreprocessingSettings())
    levels = preprocessor.data_spec.levels
    training, validation, test = (
        rating_matrix(part.inputs, levels, preprocessor.state["by_items"])
        for part in preprocessor.parts(raw, split)
    )
    mean, rated = training.nanmean(), ~training.isnan()
    seen = rated | ~validation.isnan()

    def line(name, scores):
        found = mean_ranking(scores, seen, test > mean)
        print(f"{name:60} NDCG@10 {found.ndcg:.4f}  recall@10 {found.recall:.4f}", flush=True)

    model = load_trained_model(sys.argv[1])
    ours = model.parts.recommender
    line("ours", ours.scores(training, expected_ratings(model.network, ours, training, levels)))
    line("popularity", rated.sum(0).double().expand(rated.shape))
    for name, candidates in PEERS.items():
        scores = [peer_scores(kind, settings, rated) for kind, settings in candidates]
        ndcg = [mean_ranking(each, rated, validation > mean).ndcg for each in scores]
        best = max(range(len(candidates)), key=ndcg.__getitem__)
        line(f"implicit {name} {candidates[best][1]}", scores[best])


if __name__ == "__main__":
    main()
