"""Looks at this machine and says what the course would stumble over, each finding with its remedy."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medgen_course import home

OLDEST_PYTHON = (3, 11)
FREE_GB = 2
FETCHED = "playwright"  # its own download, wherever that lies
BROWSERS = ("chromium", "chromium-browser", "google-chrome", FETCHED)


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        topic: what was looked at.
        mark: `ok`, `note` (something is missing that the course can do without) or `PROBLEM`.
        text: what was found.
        remedy: what to do about it, or "".
    """

    topic: str
    mark: str
    text: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything in turn."""
    parts = (_python(), _packages(), _torch(), _torchvision(), _kernel(), _images(), _disk(), _browser())
    return [finding for part in parts for finding in part]


def _python() -> Iterator[Finding]:
    text = f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}"
    fine = sys.version_info >= OLDEST_PYTHON
    remedy = "" if fine else "the course needs Python 3.11 or newer: make a new environment with one"
    yield Finding("Python", "ok" if fine else "PROBLEM", text, remedy)


def constraints() -> dict[str, str]:
    """Package -> exact version that the course is tested with; empty outside a checkout."""
    checkout = home.checkout()
    if not checkout:
        return {}
    path = checkout / "constraints.txt"
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def _packages() -> Iterator[Finding]:
    """The direct dependencies: there, and in the tested version?"""
    from packaging.requirements import Requirement

    tested = {name.lower().replace("_", "-"): version for name, version in constraints().items()}
    wrong, other, count = [], [], 0
    for line in importlib.metadata.requires("medgen_course") or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        wanted = tested.get(requirement.name.lower().replace("_", "-"))
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, wanted {requirement.specifier}")
        elif wanted and found.split("+")[0] != wanted:
            other.append(f"{requirement.name} {found} (tested: {wanted})")
    if wrong:
        remedy = (
            "in the course's folder: python -m pip install -c constraints.txt -e ."
            if home.checkout()
            else "install the course's wheel again: python -m pip install medgen_course-VERSION.whl"
        )
        yield Finding("packages", "PROBLEM", "; ".join(wrong), remedy)
    elif other:
        yield Finding("packages", "note", f"{count} found, other versions than tested: {', '.join(other)}")
    else:
        yield Finding("packages", "ok", f"all {count} found" + (" in the tested versions" if tested else ""))


def _torch() -> Iterator[Finding]:
    import torch

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for CPU"
    yield Finding("torch", "ok", f"{torch.__version__}, {build}, {torch.get_num_threads()} threads")
    if cuda:
        for index in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(index)
            bf16 = "with" if torch.cuda.is_bf16_supported() else "without"
            text = f"{about.name}, {about.total_memory / 2**30:.0f} GB, {bf16} bfloat16"
            yield Finding(f"cuda:{index}", "ok", text)
    elif torch.version.cuda:
        remedy = "update the graphics driver, or install the smaller torch for CPU (README.md, TORCH_INDEX)"
        yield Finding("GPU", "note", "torch is built for CUDA but sees no GPU", remedy)
    else:
        yield Finding("GPU", "ok", "Apple GPU" if mps else "none; the course needs none")


def _torchvision() -> Iterator[Finding]:
    """Tried in a process of its own: a failed import leaves pieces behind."""
    try:
        version = importlib.metadata.version("torchvision")
    except importlib.metadata.PackageNotFoundError:
        yield Finding("torchvision", "ok", "not installed; the course does not use it")
        return
    command = [sys.executable, "-c", "import torchvision"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        yield Finding("torchvision", "ok", f"{version}, fits torch; the course does not use it")
        return
    cause = (tried.stderr.strip().splitlines() or ["no message"])[-1]
    remedy = "python -m pip uninstall torchvision (the course does not use it; torchmetrics breaks beside it)"
    yield Finding("torchvision", "PROBLEM", f"{version} does not fit torch: {cause}", remedy)


def _kernel() -> Iterator[Finding]:
    """Which Python JupyterLab starts; `medgen run` always takes this one."""
    from jupyter_client.kernelspec import KernelSpecManager

    command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    own = command in ("python", "python3") or Path(command).absolute() == Path(sys.executable).absolute()
    if own:
        yield Finding("kernel", "ok", "python3 is this Python")
    else:
        remedy = "python -m ipykernel install --sys-prefix, and restart JupyterLab"
        yield Finding("kernel", "PROBLEM", f"in JupyterLab python3 is another Python: {command}", remedy)


def _images() -> Iterator[Finding]:
    from medgen_course.datasets.fetch import medmnist_info, places

    official = {name for name in medmnist_info() if not name.endswith("3d")}
    found = []
    distinct = {place.folder.resolve(): place for place in reversed(places())}
    for place in reversed(distinct.values()):
        files = place.folder.glob("*.npz")
        there = sorted(path.stem for path in files if path.stem.split("_")[0] in official)
        if there:
            found.append(f"{', '.join(there)} in {place.folder.resolve()} ({place.label})")
    if found:
        yield Finding("images", "ok", "; ".join(found))
        return
    looked = ", ".join(str(place.folder) for place in places())
    remedy = "they are downloaded when wanted; without a connection set MEDMNIST_ROOT, or use the phantom"
    yield Finding("images", "note", f"no MedMNIST file in {looked}", remedy)


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    mark, remedy = ("ok", "") if free >= FREE_GB else ("PROBLEM", f"make room for {FREE_GB} GB")
    yield Finding("disk", mark, f"{free:.1f} GB free at {Path.cwd()}", remedy)


def chromium() -> str | None:
    """The path of a Chromium that starts, for the browser tests: on the PATH, or fetched by playwright."""
    for name in BROWSERS:
        path = _fetched_by_playwright() if name == FETCHED else shutil.which(name)
        if path and _starts(path):
            return path
    return None


def _fetched_by_playwright() -> str | None:
    """Asked in a process of its own: playwright brings an event loop."""
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    path = asked.stdout.strip()
    return path if path and Path(path).is_file() else None


def _starts(path: str) -> bool:
    """A downloaded one may lack libraries of the system, and Ubuntu's may be an empty shell without snap."""
    if sys.platform == "win32":  # --version opens a window there
        return True
    try:
        return (
            subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _browser() -> Iterator[Finding]:
    if path := chromium():
        yield Finding("browser", "ok", f"{path}, for the browser tests")
    else:
        remedy = "only tests use one: `make browser`, or python -m playwright install --no-shell chromium"
        yield Finding("browser", "note", "no Chromium that starts; browser tests are skipped", remedy)
