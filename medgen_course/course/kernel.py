"""The kernel that executes notebooks: always this interpreter, whatever kernels are registered here.

A kernel named python3 may belong to another environment, where the course's packages are missing. So the
specification is made here instead of looked up.
"""

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


def environment() -> dict[str, str]:
    """The environment variables of a kernel.

    Returns:
        This process's variables; MEDMNIST_ROOT made absolute, because a kernel has a working directory of
        its own, and figures drawn into the notebook whatever MPLBACKEND says.
    """
    variables = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    if root := variables.get("MEDMNIST_ROOT"):
        variables["MEDMNIST_ROOT"] = str(Path(root).expanduser().resolve())
    return variables


def this_python(folder: Path) -> type[AsyncKernelManager]:
    """A kind of kernel manager that starts ipykernel under `sys.executable`.

    Args:
        folder: the kernel's working directory. `environment()` is taken now, in the caller's.
    """
    variables = environment()

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
            await super().start_kernel(**kwargs)

    return ThisPython
