"""Small ratings and documents in files of the formats that real ones have, and environments that read them."""

import numpy as np
import yaml

TASTES = 3
MOVIES = 60


def write_environment(project, name, source, files, task, **parameters):
    """Write a problem's folder, whose raw rows are read by a source of `layerwise.datasets`."""
    folder = project.path / "conf" / name
    folder.mkdir()
    entry = {"type": f"layerwise.datasets.{source}", "path": "data/01_raw", **files}
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    parameters = {"problem": {"name": name, "task": task}} | parameters
    (folder / "parameters.yml").write_text(yaml.safe_dump(parameters))


def rating_lines(n_users=90, seed=0):
    """Lines of user, movie and rating by users of three tastes: high for a third of the movies, low for the others."""
    rng = np.random.default_rng(seed)
    for user in range(n_users):
        for movie in rng.permutation(MOVIES)[:30]:
            is_liked = movie % TASTES == user % TASTES
            yield user + 1, movie + 1, rng.choice([4, 5]) if is_liked else rng.choice([1, 2])


def write_ratings(project, name, **parameters):
    """Write `<name>.data` and `<name>.item` as MovieLens has them, and an environment of that name."""
    raw = project.path / "data/01_raw"
    (raw / f"{name}.data").write_text("".join(f"{u}\t{m}\t{r}\t0\n" for u, m, r in rating_lines()))
    titles = "".join(f"{k + 1}|Movie {k + 1} (1999)|x\n" for k in range(MOVIES))
    (raw / f"{name}.item").write_text(titles, encoding="latin-1")
    files = {"ratings": {"name": f"{name}.data"}, "titles": {"name": f"{name}.item"}}
    write_environment(project, name, "SourceRatings", files, "ratings", **parameters)


def two_topics(n=200, length=20, seed=0):
    """Documents as word numbers from 0: words 0 to 4 in even documents, 5 to 9 in odd ones."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 5, size=length) + 5 * (k % 2) for k in range(n)]
