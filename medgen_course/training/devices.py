"""Where and how to compute: Lightning Fabric, chosen from three plain arguments."""

import os
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}


def resolved(precision: str, device: str) -> str:
    """What "auto" means on this machine, see `make_fabric`; "float32" or "bfloat16"."""
    if precision != "auto":
        return precision
    on_gpu = device in ("auto", "cuda") and torch.cuda.is_available()
    return "bfloat16" if on_gpu and torch.cuda.is_bf16_supported() else "float32"


def make_fabric(device: str = "auto", precision: str = "auto", devices: int = 1) -> "Fabric":
    """Choose where and how to compute.

    Args:
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "mps".
        precision: "float32", "bfloat16" (autocast), or "auto": bfloat16 on a GPU that has it, else float32,
            because only there it pays on every processor and bit-for-bit repeats matter more on a CPU.
        devices: processes on this machine; under `torchrun` its own numbers are taken.
    Raises:
        ValueError: the device or precision is unknown or not there.
    """
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise ValueError(f"device is {device!r}; choose auto, cpu, cuda or mps.")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "device is 'cuda', but torch sees no CUDA GPU. Use device='auto', or see `medgen doctor`."
        )
    if device == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device is 'mps', but this machine has no Apple GPU. Use device='auto'.")
    if precision not in (*PRECISIONS, "auto"):
        raise ValueError(f"precision is {precision!r}; choose auto, {' or '.join(PRECISIONS)}.")
    if devices < 1:
        raise ValueError(f"devices is {devices}; give the number of processes, at least 1.")
    there = torch.cuda.device_count() if device in ("auto", "cuda") else 0
    if there and devices > there:
        raise ValueError(
            f"devices is {devices}, but this machine has {there} GPU. Give at most {there}, or device='cpu'."
        )
    cores = max(2, os.cpu_count() or 1)
    if not there and devices > cores:
        raise ValueError(f"devices is {devices}, but this machine has {cores} cores. Give at most {cores}.")
    if device in ("auto", "mps") and torch.backends.mps.is_available() and devices > 1:
        raise ValueError(
            f"devices is {devices}, but an Apple GPU takes one process. Give 1, or device='cpu'."
        )
    nodes = 1
    if "TORCHELASTIC_RUN_ID" in os.environ:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    from lightning_fabric import Fabric  # here: it brings torch's compiler, 2 s

    return Fabric(
        accelerator=device,
        devices=devices,
        num_nodes=nodes,
        precision=PRECISIONS[resolved(precision, device)],
        strategy="ddp" if devices * nodes > 1 else "auto",
    )
