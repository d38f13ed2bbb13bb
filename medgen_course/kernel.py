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


class ThisPython(AsyncKernelManager):
    """A kernel manager that starts ipykernel under `sys.executable`."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification that is used in place of a registered one."""
        # Its own log goes to the terminal; what a notebook has to say stands in the notebook.
        quiet = "--log-level=CRITICAL"
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", quiet]
        curve = {"supported_encryption": ["curve"]}  # ipykernel 7 warns of plain text otherwise
        return KernelSpec(argv=command, display_name="Python 3", language="python", metadata=curve)

    async def start_kernel(self, **kwargs: Any) -> None:
        """Start it, with `environment()`."""
        await super().start_kernel(env=environment(), transport_encryption="auto", **kwargs)
