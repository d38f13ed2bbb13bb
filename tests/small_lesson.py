"""A lesson of two exercises and a hunt, small enough to be graded in seconds."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CELLS = (
    ("title", "markdown", "# A small lesson"),
    ("setup", "code", "import numpy as np\n\nfrom medgen_course import exercises"),
    ("parameters", "code", "seed: int = 0  # of nothing"),
    ("idle", "code", "raise RuntimeError('nobody needs this cell')"),
    ("helper", "code", "def mean_of(x):\n    return x.mean((1, 2))"),
    ("told", "markdown", "**Exercise 1.** A small spot."),
    (
        "stub1",
        "code",
        "def my_score(maps):\n    return None  # your code\n\n\n"
        "exercises.check_spot_score(my_score)",
    ),
    (
        "solution1",
        "code",
        "def solved_score(maps):\n    secret_maps = np.sort(maps.reshape(len(maps), 1, -1))[..., -10:]\n"
        "    return mean_of(secret_maps)\n\n\n"
        "assert exercises.check_spot_score(solved_score).right",
    ),
    ("after", "code", "print(solved_score(np.ones((1, 4, 4))))"),
    ("kept", "code", "print(mean_of(np.ones((1, 2, 2))))"),
    (
        "stub2",
        "code",
        "def my_threshold(healthy_scores, share):\n    return None  # your code\n\n\n"
        "exercises.check_volume_threshold(my_threshold)",
    ),
    (
        "solution2",
        "code",
        "def solved_threshold(healthy_scores, share):\n    secret_rank = np.sort(healthy_scores.max(1))\n"
        "    return secret_rank[len(secret_rank) - 1 - int(share * len(secret_rank) + 1e-9)]\n\n\n"
        "assert exercises.check_volume_threshold(solved_threshold).right",
    ),
)
NAME = "90_small.ipynb"
RIGHT = {
    "stub1": "def my_score(maps):\n    top = np.sort(maps.reshape(len(maps), 1, -1))[..., -10:]\n"
    "    return top.mean((1, 2))",
    "stub2": "def my_threshold(healthy_scores, share):\n    ranked = np.sort(healthy_scores.max(1))\n"
    "    return ranked[len(ranked) - 1 - int(share * len(ranked) + 1e-9)]",
}


def lesson():
    cells = []
    for key, kind, source in CELLS:
        make = new_markdown_cell if kind == "markdown" else new_code_cell
        cell = make(source, id=key)
        tag = {"parameters": "parameters", "solution1": "solution", "solution2": "solution"}.get(key)
        cell.metadata |= {"tags": [tag]} if tag else {}
        cell.metadata |= {"medgen": {"exercise": "90.2", "points": 3}} if key == "stub2" else {}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "medgen": {"title": "Small"}})
