"""`medgen doctor`, `data` and `pack`: this machine and its images. What is heavy is imported late."""

from json import dumps as dump_json
from pathlib import Path
from typing import Any


def doctor() -> int:
    """Check this machine: Python, packages, torch and its devices, image files, disk, browser.

    Returns:
        0, or 1 when the course cannot run as it is.
    """
    from medgen_course.doctor import examine

    findings = examine()
    width = max(len(finding.topic) for finding in findings)
    for finding in findings:
        print(f"{finding.mark:7}  {finding.topic:{width}}  {finding.text}")
        if finding.remedy:
            print(f"{'':7}  {'':{width}}  -> {finding.remedy}")
    return int(any(finding.mark == "PROBLEM" for finding in findings))


def data(
    name: str | None = None,
    size: int = 28,
    root: Path | None = None,
    json: bool = False,
    clear_cache: bool = False,
) -> int:
    """Describe and audit images: counts, classes, grey levels, repeats, images shared between splits.

    Args:
        name: a MedMNIST name, "phantom" (T1w), "phantom-t2w", or the path of your own .npz.
        size: side of the images in pixels (28, 64, 128, 224).
        root: folder to look in first, before MEDMNIST_ROOT, data/ and ~/.medmnist.
        json: print JSON for scripts.
        clear_cache: remove what was unpacked of files that are too large for the memory, beside the file that
            is named or, without a name, in the folders that are searched; nothing else is done.
    """
    from medgen_course import datasets
    from medgen_course.datasets.audit import audit as examine

    if clear_cache:
        return _clear_cache(name, root)
    if name is None:
        raise ValueError("of which images? Give a MedMNIST name, phantom, or the path of your own .npz.")

    loaded = datasets.load(name, root=root, size=size)
    found = examine(loaded)
    if json:
        print(dump_json({"name": loaded.name, "source": loaded.source, **found}, indent=2))
        return 0
    print(loaded)
    _print_audit(found)
    return 0


def _clear_cache(name: str | None, root: Path | None) -> int:
    from medgen_course.datasets import fetch, mapped

    folders = [place.folder for place in fetch.places(root)] if name is None else [Path(name).parent]
    cleared = {path: size for folder in folders for path, size in mapped.clear(folder).items()}
    for path, size in cleared.items():
        print(f"{path}: removed, {size / 1e6:,.1f} MB")
    if not cleared:
        print(f"nothing is unpacked in {', '.join(map(str, folders))}")
    return 0


def pack(source: Path, out: Path, **settings: Any) -> int:
    """Pack own images (PNG, JPEG, TIFF, DICOM, NIfTI) into one .npz in the course's layout.

    Args:
        source: a folder with a folder for each class, or a table file,label[,group][,split] (.csv).
        out: the .npz to be written; its name works wherever a data set is asked for.
    """
    from medgen_course.pack.packing import pack as pack_images

    packed = pack_images(source, out, **settings)
    for title, text in packed.facts:
        print(f"{title:8}{text}")
    for warning in packed.warnings:
        print(f"warning: {warning}")
    _print_audit(packed.audit)
    return 0


def _print_audit(found: dict[str, Any]) -> None:
    for split, facts in found["splits"].items():
        grey = facts["grey"]
        classes = ", ".join(f"{label} {count:,}" for label, count in facts["classes"].items())
        print(f"\n{split}: {facts['count']:,} images; {classes}")
        print(f"  grey levels {grey['min']} to {grey['max']}, mean {grey['mean']:.1f}, std {grey['std']:.1f}")
        print(f"  exact repeats within: {found['audit']['repeats'][split]}")
    shared = ", ".join(f"{pair} {count}" for pair, count in found["audit"]["shared"].items())
    print(f"\ndistinct images shared between splits: {shared}")
    for doubt in found["audit"]["doubts"]:
        print(f"doubtful: {doubt}")
