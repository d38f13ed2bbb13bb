"""README's results and pictures: from what `medgen evaluate` and the notebooks stored, never by hand."""

import base64
import json
from pathlib import Path
from typing import Any

SHOWN = {  # kind of model -> figure: what to call it
    "autoencoder": {"psnr": "PSNR, dB", "ssim": "SSIM"},
    "vae": {"elbo": "ELBO, nats", "bits_per_dim": "bits per pixel", "ssim": "SSIM"},
    "gan": {"density": "density", "coverage": "coverage", "memorisation": "memorisation"},
    "cyclegan": {
        "ssim_ab": "SSIM A → B",
        "ssim_ba": "SSIM B → A",
        "erased_ab": "lesions erased A → B",
        "invented_ab": "slices with inventions A → B",
        "domain_auc": "AUC of the classes",
        "domain_auc_translated": "AUC after translation",
        "cycle_l1": "cycle error",
    },
    "pix2pix": {
        "ssim_ab": "SSIM A → B",
        "ssim_ba": "SSIM B → A",
        "erased_ab": "lesions erased A → B",
        "invented_ab": "slices with inventions A → B",
    },
}
BEGIN, END = "<!-- results: written by `make report` -->", "<!-- end of results -->"


def results_table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown of the figures in `SHOWN`.

    Args:
        results: run -> {"kind", "dataset", "metrics": figure -> row with `value`, `low`, `high`, `worst`,
            `best`}, as `make report` collects them from the run folders.
    """
    lines = ["| model | images | figure | test split | interval | worst | best |", "|---" * 7 + "|"]
    for run in results.values():
        for figure, name in SHOWN[run["kind"]].items():
            row = run["metrics"].get(figure)
            if row is None:
                continue
            ends = f"{number(row['low'])} to {number(row['high'])}" if "low" in row else ""
            cells = (run["title"], run["dataset"], name, number(row["value"]), ends,
                     number(row.get("worst")), number(row.get("best")))  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three or four digits; nothing where there is no number."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def written(readme: str, table: str) -> str:
    """README with the table in its place.

    Raises:
        ValueError: the two marks are not there.
    """
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"README.md lacks the marks {BEGIN!r} and {END!r}; put them back around the table.")
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def gallery_picture(notebook: Path) -> bytes:
    """The PNG that the cell tagged `gallery` of a stored notebook shows.

    Raises:
        ValueError: there is not exactly one such picture.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output["data"]["image/png"] for cell in cells if "gallery" in cell["metadata"].get("tags", ())
             for output in cell["outputs"] if "image/png" in output.get("data", {})]  # fmt: skip
    if len(shown) != 1:
        raise ValueError(f"{notebook}: {len(shown)} pictures in cells tagged gallery; tag the cell of one.")
    return base64.b64decode("".join(shown[0]))


def gallery_path(notebook: Path) -> Path:
    """Where README looks for it."""
    return notebook.parents[1] / "docs" / "gallery" / f"{notebook.stem}.png"
