"""Networks as ONNX files, which a page can run: weights in half precision, arithmetic in single."""

import io
import logging
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

LEAST = 64  # numbers in a weight that is worth halving


def to_onnx(module: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str]) -> bytes:
    """Export a network, its graph as it is: what runs it simplifies it.

    The exporter's own simplifier takes an addend of 1e-8 under a root for zero, so that `layers.pixel_norm`
    of zeros is NaN, and folds norms into weights, which half precision then no longer holds.

    Args:
        module: in evaluation mode; takes the inputs by position.
        inputs: examples by name, the batch first.
        outputs: names of what it returns.
    Returns:
        The file. Weights that half precision holds exactly are stored in it.
    Raises:
        ValueError: the network can only take batches of the example's size.
    """
    # The exporter says once a network that torchvision, which the course does without, is not there.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the exporter's own dependencies
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", "# The axis name: batch", UserWarning)  # of two inputs: as meant
        program = torch.onnx.export(
            module, tuple(inputs.values()), input_names=list(inputs), output_names=list(outputs),
            dynamic_shapes=tuple({0: batch} for _ in inputs), dynamo=True, optimize=False,
            verbose=False,
        )  # fmt: skip
    for name, value in zip(inputs, program.model.graph.inputs, strict=True):
        if isinstance(value.shape[0], int):
            raise ValueError(f"{name} takes {value.shape[0]} images only: len() in forward? Use shape[0].")
    buffer = io.BytesIO()
    program.save(buffer)
    return _halved(buffer.getvalue())


def _halved(content: bytes) -> bytes:
    """Store float32 weights that are exact in float16 as that, and cast them where they are used."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(content)
    casts = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if values.size < LEAST or not np.array_equal(half.astype(np.float32), values):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}/half"))
        casts.append(helper.make_node("Cast", [f"{name}/half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]  # where each came from: nearly as large as the weights, and full of paths
    return model.SerializeToString()
