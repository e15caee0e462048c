"""Files of torch.save, honest and hostile: writes packages/weights/src/__fixtures__/torch-checkpoints.json.

    python tooling/reference/weights_torch_goldens.py

Made with torch 2.15.0, numpy 2.4.6. Nothing here is ever unpickled. Legacy files differ a little from run to run: torch
sorts their storages by address.
"""

import argparse
import base64
import builtins
import collections
import functools
import io
import json
import operator
import os
import pickle
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import torch

FIXTURE = Path(__file__).resolve().parents[2] / "packages/weights/src/__fixtures__/torch-checkpoints.json"
NAMES = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
}  # fmt: skip


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def saved(value: object, legacy: bool = False, **options: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy, **options)
    if not legacy:
        return buffer.getvalue()
    keys: dict[bytes, bytes] = {}  # legacy storages are called by their address, which differs in every run

    def number(match: re.Match) -> bytes:
        return keys.setdefault(match[0], str(len(keys)).zfill(len(match[0])).encode())

    return re.sub(rb"(?<=X.\0\0\0)\d{12,18}", number, buffer.getvalue(), flags=re.DOTALL)


def tensors_of(value: object, path: str = "") -> dict[str, torch.Tensor]:
    """The flattening that the reader promises: keys and indices joined by dots."""
    if isinstance(value, torch.Tensor):
        return {path: value}
    if isinstance(value, np.ndarray):
        return {path: torch.from_numpy(value.copy(order="C"))}
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else []
    found = {}
    for key, item in children:
        found |= tensors_of(item, f"{path}.{key}" if path else str(key))
    return found


def described(value: object, file: bytes) -> dict:
    tensors = {}
    for name, tensor in tensors_of(value).items():
        data = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        tensors[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "bytes": text(data)}
    return {"file": text(file), "tensors": tensors}


def every_dtype() -> dict:
    values = [0.0, 1.0, -2.5, 100.0, 0.1, 7.0]
    state: dict = {name: torch.tensor(values).abs().to(dtype).reshape(2, 3) for dtype, name in NAMES.items()}
    state["special"] = torch.tensor([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504.0])
    state["special half"] = state["special"].half()
    state["special brain"] = state["special"].bfloat16()
    return state


def strided() -> dict:
    base = torch.arange(24, dtype=torch.float32)
    cube = base.reshape(2, 3, 4)
    tied = torch.nn.Parameter(torch.tensor([[1.0, 2.0]]))
    return {
        "whole": cube,
        "transposed": cube.permute(2, 0, 1),
        "every other": base[1::2],
        "inner box": cube[:, 1:, 1:3],
        "expanded": torch.tensor([[5.0], [6.0]]).expand(2, 3),
        "column": cube[0, :, 1:2],
        "scalar": torch.tensor(2.5),
        "scalar of a view": cube[1, 2, 3],
        "empty": torch.zeros(0, 3),
        "empty, transposed": torch.zeros(2, 0, 3).permute(2, 1, 0),
        "channels last": torch.arange(16, dtype=torch.int16).reshape(1, 2, 2, 4).to(memory_format=torch.channels_last),
        "half, transposed": torch.arange(6, dtype=torch.float16).reshape(2, 3).t(),
        "unsigned, offset": torch.arange(6, dtype=torch.int32).to(torch.uint16)[2:],
        "tied": {"weight": tied, "decoder": [tied, tied.data]},
    }


def nnunet() -> dict:
    """The parts of nnUNetTrainer.save_checkpoint."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 2, 3), torch.nn.InstanceNorm3d(2, affine=True))
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.99, nesterov=True)
    network(torch.ones(1, 1, 4, 4, 4)).square().mean().backward()
    optimizer.step()
    weights = network.state_dict()
    assert weights._metadata  # pickled as an attribute of the OrderedDict
    return {
        "network_weights": weights,
        "optimizer_state": optimizer.state_dict(),
        "grad_scaler_state": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 0},
        "logging": {"mean_fg_dice": [np.float64(0.25), np.float64(0.5)], "ema_fg_dice": [np.float32(0.25)], "lrs": [0.01]},
        "_best_ema": np.float64(0.375),
        "current_epoch": 1000,
        "init_args": {
            "plans": {"configurations": {"3d_fullres": {"patch_size": [32, 64, 64], "spacing": [1.0, 0.7, 0.7]}}},
            "configuration": "3d_fullres",
            "fold": 0,
            "unpack_dataset": True,
            "device": torch.device("cuda:0"),
        },
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }


def numpy_values() -> dict:
    return {
        "arrays": [np.arange(6, dtype=np.float32).reshape(2, 3), np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)), np.array([True, False]), np.array(3.0, dtype=np.float16)],
        "scalars": [np.float16(0.5), np.int64(2**60), np.int8(-3), np.bool_(True), np.uint16(65535)],
        "others": [{1, 2}, frozenset({"a"}), b"bytes", b"", bytearray(b"more"), torch.Size([1, 2]), torch.float16, 2**70, -(2**40), 1e-300, None, "Größe \U0001f600"],
        7: {"int key": torch.ones(1)},
    }  # fmt: skip


class Calls:
    """Pickles as a call, which a real unpickler makes."""

    def __init__(self, function: object, *arguments: object, state: object = None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple:
        return self.call


def hostile() -> dict:
    harmless = {"weight": torch.ones(2)}
    calls = {
        "os.system": Calls(os.system, "echo pwned"),
        "builtins.eval": Calls(eval, "1"),
        "builtins.exec": Calls(exec, "pass"),
        "builtins.getattr": Calls(getattr, torch.Tensor, "numpy"),
        "builtins.__import__": Calls(builtins.__import__, "os"),
        "subprocess.Popen": Calls(subprocess.Popen, ["true"]),
        "functools.partial": Calls(functools.partial, os.system),
        "operator.attrgetter": Calls(operator.attrgetter("__class__.__base__").__class__, "a.b"),
        "torch.load": Calls(torch.load, "/tmp/x"),
        "torch.hub.load": Calls(torch.hub.load, "a/b", "c"),
        "numpy.load": Calls(np.load, "/tmp/x"),
        "pickle.loads": Calls(pickle.loads, b"N."),
        "a class": argparse.Namespace(lr=0.1),
        "a module": torch.nn.Linear(1, 1),
        "as an argument of OrderedDict": Calls(collections.OrderedDict, Calls(os.system, "echo pwned")),
        "as a state": Calls(collections.OrderedDict, state={"a": Calls(os.system, "echo pwned")}),
    }
    files = {}
    for name, value in calls.items():
        files[name] = text(saved(harmless | {"z": value}))
        files[f"{name}, legacy"] = text(saved(harmless | {"z": value}, legacy=True))
    for protocol in range(6):
        files[f"a bare pickle of protocol {protocol}"] = text(pickle.dumps(Calls(os.system, "echo pwned"), protocol))
    return files


def archives() -> dict:
    """Zip files that other readers accept, with the error that they get here ('' for none)."""
    original = zipfile.ZipFile(io.BytesIO(saved({"a": torch.ones(40)})))
    contents = {info.filename: original.read(info) for info in original.infolist()}

    def rewritten(entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, data in entries:
                archive.writestr(zipfile.ZipInfo(name), data, compression)
            archive.comment = comment
        return text(buffer.getvalue())

    entries = list(contents.items())
    return {
        "written by zipfile": [rewritten(entries), ""],
        "without a byte order, as old versions of torch": [rewritten([e for e in entries if "byteorder" not in e[0]]), ""],
        "big-endian": [rewritten([(n, b"big" if "byteorder" in n else d) for n, d in entries]), "UNSUPPORTED"],
        "deflated": [rewritten(entries, zipfile.ZIP_DEFLATED), "UNSUPPORTED"],
        "with a comment": [rewritten(entries, comment=b"hello"), "TRUNCATED"],
        "a storage twice": [rewritten([*entries, ("archive/data/0", bytes(160))]), "DUPLICATE_KEY"],
        "two pickles": [rewritten([*entries, ("other/data.pkl", contents["archive/data.pkl"])]), "MALFORMED"],
        "no pickle": [rewritten(entries[1:]), "MALFORMED"],
        "no storage": [rewritten([e for e in entries if e[0] != "archive/data/0"]), "TRUNCATED"],
        "a short storage": [rewritten([(n, d[:-4] if n == "archive/data/0" else d) for n, d in entries]), "TRUNCATED"],
        "a long storage": [rewritten([(n, d + b"1234" if n == "archive/data/0" else d) for n, d in entries]), "MALFORMED"],
        "TorchScript": [rewritten([*entries, ("archive/constants.pkl", b"")]), "UNSUPPORTED"],
        "an empty archive": [rewritten([]), "MALFORMED"],
    }


if __name__ == "__main__":
    honest = {"every dtype": every_dtype(), "strides and sharing": strided(), "nnU-Net": nnunet(), "numpy": numpy_values(), "a lone tensor": torch.arange(3.0)}
    files = {}
    for name, value in honest.items():
        files[name] = described(value, saved(value))
        files[f"{name}, legacy"] = described(value, saved(value, legacy=True))
        files[f"{name}, protocol 5"] = described(value, saved(value, pickle_protocol=5))
    unreadable = {
        "complex": text(saved({"a": torch.ones(2, dtype=torch.complex64)})),
        "float8": text(saved({"a": torch.ones(2).to(torch.float8_e4m3fn)})),
        "a conjugated view": text(saved({"a": torch.ones(2, dtype=torch.complex64).conj()})),
        "a negated view": text(saved({"a": torch.complex(torch.ones(2), torch.ones(2)).conj().imag.double()._neg_view()})),
        "a big-endian numpy array": text(saved({"a": np.ones(2, dtype=">f4")})),
        "numpy objects": text(saved({"a": np.array([{}], dtype=object)})),
        "numpy text": text(saved({"a": np.str_("x")})),
    }
    golden = {"honest": files, "hostile": hostile(), "archives": archives(), "unreadable": unreadable}
    golden["namespace"] = text(saved({"args": argparse.Namespace(lr=0.1, scale=torch.tensor([2.0])), "model": {"weight": torch.ones(1)}}))
    FIXTURE.write_text(json.dumps(golden) + "\n")
    print(FIXTURE, FIXTURE.stat().st_size)
