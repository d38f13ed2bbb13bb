"""The kernels that execute notebooks: always this interpreter, whatever kernels are registered here.

A kernel named python3 may belong to another environment, where the course's packages are missing. So the
specification is made here instead of looked up.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from medgen_course.files import expanded

# What torch, numpy and their libraries ask for the number of threads, on all systems.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: int | None = None) -> dict[str, str]:
    """The environment variables of a kernel.

    Args:
        threads: what a kernel may compute with; variables that say so already are left as they are.
    Returns:
        This process's variables; MEDMNIST_ROOT made absolute, because a kernel has a working directory of
        its own, and figures drawn into the notebook whatever MPLBACKEND says.
    """
    variables = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    if threads and not any(name in variables for name in THREADS):
        variables |= dict.fromkeys(THREADS, str(threads))
    if root := variables.get("MEDMNIST_ROOT"):
        variables["MEDMNIST_ROOT"] = str(expanded(root).resolve())
    return variables


class Kernels:
    """Kernels that run side by side: each with its share of threads, and all can be ended at once.

    Args:
        threads: of each; None leaves it to the libraries.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads
        self._managers: list[AsyncKernelManager] = []
        self._ended = False

    def end(self) -> None:
        """Kill every kernel, from whatever thread; those that are about to start do not."""
        self._ended = True
        for manager in list(self._managers):
            _kill(manager)

    def kind(self, folder: Path) -> type[AsyncKernelManager]:
        """A kind of kernel manager that starts ipykernel under `sys.executable`.

        Args:
            folder: the kernel's working directory. `environment()` is taken now, in the caller's.
        """
        kernels, variables = self, environment(self.threads)

        class ThisPython(AsyncKernelManager):
            @property
            def kernel_spec(self) -> KernelSpec:
                # Its own log goes to the terminal; what a notebook has to say stands in the notebook.
                quiet = "--log-level=CRITICAL"
                command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
                curve = {"supported_encryption": ["curve"]}  # ipykernel 7 warns of plain text otherwise
                return KernelSpec(argv=command, display_name="Python 3", language="python", metadata=curve)

            async def start_kernel(self, **kwargs: Any) -> None:
                kwargs |= {"env": variables, "cwd": str(folder), "transport_encryption": "auto"}
                kernels._managers.append(self)
                await super().start_kernel(**kwargs)
                if kernels._ended:
                    _kill(self)

        return ThisPython


def _kill(manager: AsyncKernelManager) -> None:
    """Kill a kernel's process, with those that it has started where the system knows of groups."""
    process = getattr(manager.provisioner, "process", None)
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)  # a kernel leads a group of its own
        else:
            process.kill()
