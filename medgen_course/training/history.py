"""What training looked like: one row an epoch."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from medgen_course.files import write_text


@dataclass
class History:
    """Columns of numbers, one entry an epoch: `epoch`, each logged value, `seconds`, `images_per_second`.

    Attributes:
        columns: name -> values.
        interrupted: the run was stopped by hand before its last epoch.
    """

    columns: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False

    def append(self, row: dict[str, float]) -> None:
        """Add an epoch."""
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __getitem__(self, name: str) -> list[float]:
        return self.columns[name]

    def to_csv(self, path: str | Path) -> None:
        """Write the columns as CSV, atomically."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        write_text(Path(path), text.getvalue())

    def __repr__(self) -> str:
        names = [name for name in self.columns if name not in ("epoch", "seconds", "images_per_second")]
        last = ", ".join(
            f"{name} {self.columns[name][0]:.4g} -> {self.columns[name][-1]:.4g}" for name in names
        )
        state = "interrupted after" if self.interrupted else "of"
        return f"History {state} {len(self)} epochs" + (f": {last}" if last else "")
