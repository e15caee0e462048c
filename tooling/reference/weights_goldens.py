"""Golden values of packages/weights from safetensors, torch, numpy and onnx: writes packages/weights/src/__fixtures__.

    python tooling/reference/weights_goldens.py

Made with safetensors 0.8.0, torch 2.15.0, numpy 2.4.6, onnx 1.23.2.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from safetensors.torch import save_file

FIXTURES = Path(__file__).resolve().parents[2] / "packages/weights/src/__fixtures__"


def safetensors_file() -> dict:
    """One tensor of every dtype, written by the reference library. bool to int64, then floats, extremes included."""
    integers = {"U8": torch.uint8, "I8": torch.int8, "I16": torch.int16, "I32": torch.int32, "I64": torch.int64}
    integers |= {"U16": torch.uint16, "U32": torch.uint32, "U64": torch.uint64}
    floats = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}
    tensors = {"layer.BOOL": torch.tensor([[True, False, True]])}
    for name, dtype in integers.items():
        limits = torch.iinfo(dtype)
        tensors[f"layer.{name}"] = torch.tensor([[limits.min, 1, limits.max]], dtype=dtype)
    for name, dtype in floats.items():
        tensors[f"layer.{name}"] = torch.tensor([[-1.5, 0.1, 300.0], [0.0, 1e-7, -2.0]], dtype=dtype)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["scalar"] = torch.tensor(2.5)
    save_file(tensors, FIXTURES / "every-dtype.safetensors", {"format": "pt"})
    return {name: tensor.flatten().double().tolist() for name, tensor in tensors.items()}


def half_floats() -> dict:
    """float32 bit patterns with what torch rounds them to, and a hash of all 65536 halves as float32 (NaN as 7fc00000)."""
    random = np.random.default_rng(1)
    patterns = random.integers(0, 2**32, 1500, dtype=np.uint32)
    near_half = random.normal(0, 1, 1000).astype(np.float32) * 2.0 ** random.integers(-28, 18, 1000).astype(np.float32)
    ties = np.array([1 + 2**-11, 1 + 3 * 2**-11, 65519.9, 65520, 65504, 2**-24, 2**-25, 1.5 * 2**-24, 2.5 * 2**-24, 0.0, -0.0])
    ties = np.concatenate([ties, [2**-25 + 2**-48, 2**-14, 2**-14 - 2**-25, 2**-14 - 2**-26, np.inf, -np.inf, 1 + 2**-8, 1 + 3 * 2**-8]])
    values = np.concatenate([patterns.view(np.float32), near_half, ties.astype(np.float32)]).astype(np.float32)
    values = values[~np.isnan(values)]
    tensor = torch.from_numpy(values)
    as_bits = lambda dtype: tensor.to(dtype).view(torch.int16).numpy().view(np.uint16).tolist()  # noqa: E731
    table = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    words = table.view(np.uint32).copy()
    words[np.isnan(table)] = 0x7FC00000
    return {
        "float32": values.view(np.uint32).tolist(),
        "float16": as_bits(torch.float16),
        "bfloat16": as_bits(torch.bfloat16),
        "all_halves_sha256": hashlib.sha256(words.tobytes()).hexdigest(),
    }


def initialisers_file() -> dict:
    """Each way in which ONNX stores numbers: raw bytes, and the typed repeated fields."""
    tensors = []
    expected = {}

    def add(name: str, data_type: int, dims: list, values: list, raw: bool = False) -> None:
        stored = np.array(values, dtype=helper.tensor_dtype_to_np_dtype(data_type)).tobytes() if raw else values
        tensors.append(helper.make_tensor(name, data_type, dims, stored, raw=raw))
        expected[name] = [float(value) for value in values]

    add("raw float", TensorProto.FLOAT, [2, 2], [1.5, -2.0, 0.25, 8.0], raw=True)
    add("float_data", TensorProto.FLOAT, [3], [1.5, -2.0, 0.25])
    add("double_data", TensorProto.DOUBLE, [2], [0.1, -1e300])
    add("int64_data", TensorProto.INT64, [3], [-1, 0, 2**40])
    add("int32_data", TensorProto.INT32, [3], [-1, 0, 2**30])
    add("uint64_data", TensorProto.UINT64, [2], [1, 2**40])
    add("bytes in int32_data", TensorProto.INT8, [3], [-128, -1, 127])
    add("bool", TensorProto.BOOL, [2], [True, False])
    add("half in int32_data", TensorProto.FLOAT16, [3], [1.0, -0.5, 300.0])
    add("raw half", TensorProto.FLOAT16, [2], [1.0, -0.5], raw=True)
    add("empty", TensorProto.FLOAT, [0, 3], [])
    add("scalar", TensorProto.INT64, [], [7])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="act")], "g", [], [], tensors)
    (FIXTURES / "initialisers.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    return expected


LINEAR = ["attention.attention.key", "attention.attention.value", "attention.attention.query", "attention.output.dense", "mlp.fc1", "mlp.fc2"]
WIDTH = 64


def dinov2_export() -> None:
    """What torch.onnx makes of a Hugging Face Dinov2 (1 layer, width 64, patch 2, 3 x 3 positions) with a decoder after it.

    Only the structure matters: anonymous transposed weights in the order k, v, q, o, fc1, fc2, the position embeddings in
    two. Weight n has the elements (n * 7 + out * 3 + in * 5) % 101, so a missing transpose or a swap shows.
    """
    nodes, tensors = [], []

    def constant(name: str, array: np.ndarray) -> str:
        tensors.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    constant("backbone.embeddings.cls_token", np.arange(WIDTH).reshape(1, 1, WIDTH))
    constant("backbone.embeddings.patch_embeddings.projection.weight", np.arange(WIDTH * 12).reshape(WIDTH, 3, 2, 2))
    constant("backbone.embeddings.patch_embeddings.projection.bias", np.arange(WIDTH))
    for name in ("norm1", "norm2"):
        constant(f"backbone.encoder.layer.0.{name}.weight", np.full(WIDTH, 2.0))
        constant(f"backbone.encoder.layer.0.{name}.bias", np.full(WIDTH, 3.0))
    for name in ("layer_scale1", "layer_scale2"):
        constant(f"backbone.encoder.layer.0.{name}.lambda1", np.full(WIDTH, 4.0))
    out, inner = np.meshgrid(np.arange(WIDTH), np.arange(WIDTH), indexing="ij")
    for number, name in enumerate(LINEAR):
        bias = constant(f"backbone.encoder.layer.0.{name}.bias", np.full(WIDTH, number))
        weight = constant(f"onnx::MatMul_{1966 + number}", ((number * 7 + out * 3 + inner * 5) % 101).T)
        nodes.append(helper.make_node("MatMul", [f"x{number}", weight], [f"product{number}"], name=f"/n{number}/MatMul"))
        added = [bias, f"product{number}"] if number % 2 else [f"product{number}", bias]
        nodes.append(helper.make_node("Add", added, [f"y{number}"], name=f"/n{number}/Add"))
    for name in ("weight", "bias"):
        constant(f"backbone.layernorm.{name}", np.ones(WIDTH))
    constant("decoder.final.bias", np.zeros(3))
    constant("onnx::MatMul_9", np.zeros((WIDTH, 3)))
    nodes.append(helper.make_node("MatMul", ["x9", "onnx::MatMul_9"], ["product9"]))
    nodes.append(helper.make_node("Add", ["decoder.final.bias", "product9"], ["y9"]))
    constant("onnx::Concat_1957", np.full((1, 1, WIDTH), 5.0))
    constant("onnx::Reshape_1962", np.full((1, 9, WIDTH), 6.0))
    nodes.append(helper.make_node("Reshape", ["onnx::Reshape_1962", "shape"], ["grid"]))
    nodes.append(helper.make_node("Concat", ["onnx::Concat_1957", "grid"], ["positions"], axis=1))
    graph = helper.make_graph(nodes, "export", [], [], tensors)
    (FIXTURES / "dinov2-export.onnx").write_bytes(helper.make_model(graph).SerializeToString())


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    golden = {"safetensors": safetensors_file(), "initialisers": initialisers_file()}
    (FIXTURES / "goldens.json").write_text(json.dumps(golden) + "\n")
    (FIXTURES / "half-floats.json").write_text(json.dumps(half_floats()) + "\n")
    dinov2_export()
