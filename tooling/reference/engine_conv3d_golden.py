"""torch's conv3d, conv_transpose3d and instance_norm + leaky_relu with their gradients in float64, channels last, for
packages/engine/src/__fixtures__/volume-operations.json."""
import json
import pathlib
import torch
import torch.nn.functional as F

torch.manual_seed(0)
LAST, FIRST, FILTER = (0, 2, 3, 4, 1), (0, 4, 1, 2, 3), (2, 3, 4, 1, 0)


def plain(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "values": [float(f"{value:.7g}") for value in tensor.flatten().tolist()]}


def rounded(tensor):
    """Two decimals are written out in full."""
    return tensor.double().mul(100).round().div(100)


def case(name, operation, inputs, options, run, filter_axes=None):
    leaves = [rounded(tensor).requires_grad_() for tensor in inputs]
    output = run(*leaves)
    dy = rounded(torch.randn_like(output))
    output.backward(dy)
    axes = [LAST, filter_axes, None] if filter_axes else [LAST, None, None]
    turned = lambda tensors: [plain(t.permute(a) if a else t) for t, a in zip(tensors, axes)]
    return {
        "name": name, "operation": operation, "options": options, "inputs": turned(leaves),
        "output": plain(output.permute(LAST)), "dy": plain(dy.permute(LAST)), "gradients": turned([leaf.grad for leaf in leaves]),
    }


def convolution(name, size, channels, kernel, strides=(1, 1, 1), dilations=(1, 1, 1), padding="same", batch=1, bias=True):
    margins = [d * (k - 1) // 2 for k, d in zip(kernel, dilations)] if padding == "same" else list(padding)
    inputs = [torch.randn(batch, channels[0], *size), torch.randn(channels[1], channels[0], *kernel)]
    inputs += [torch.randn(channels[1])] if bias else []
    options = {"strides": strides, "dilations": dilations, "padding": padding}
    run = lambda x, w, b=None: F.conv3d(x, w, b, stride=strides, padding=margins, dilation=dilations)
    return case(name, "conv3d", inputs, options, run, FILTER)


def transposed(name, size, channels, kernel, strides, padding=(0, 0, 0), output_padding=(0, 0, 0), batch=1):
    inputs = [torch.randn(batch, channels[0], *size), torch.randn(channels[0], channels[1], *kernel), torch.randn(channels[1])]
    options = {"strides": strides, "padding": padding, "outputPadding": output_padding}
    run = lambda x, w, b: F.conv_transpose3d(x, w, b, stride=strides, padding=padding, output_padding=output_padding)
    return case(name, "conv3dTranspose", inputs, options, run, FILTER)


def norm(name, batch, slope):
    inputs = [torch.randn(batch, 3, 3, 4, 5) * 2 + 1, torch.randn(3), torch.randn(3)]
    run = lambda x, w, b: F.leaky_relu(F.instance_norm(x, weight=w, bias=b, eps=1e-5), slope)
    return case(name, "instanceNorm3d", inputs, {"epsilon": 1e-5, "negativeSlope": slope}, run)


cases = [
    convolution("3x3x3", (4, 5, 6), (2, 3), (3, 3, 3), batch=2),
    convolution("no bias", (3, 4, 4), (2, 2), (3, 3, 3), bias=False),
    convolution("stride 2, even sizes", (4, 6, 4), (2, 3), (3, 3, 3), strides=(2, 2, 2)),
    convolution("stride 2, odd sizes", (5, 7, 3), (2, 3), (3, 3, 3), strides=(2, 2, 2)),
    convolution("1x3x3 with stride 1x2x2", (3, 6, 6), (2, 3), (1, 3, 3), strides=(1, 2, 2), batch=2),
    convolution("1x1x1", (2, 3, 4), (3, 4), (1, 1, 1), batch=2),
    convolution("1x1x1 with stride 2", (4, 5, 4), (3, 2), (1, 1, 1), strides=(2, 2, 2)),
    convolution("dilation 2", (5, 6, 6), (2, 2), (3, 3, 3), dilations=(2, 2, 2)),
    convolution("dilation 1x2x3", (4, 6, 7), (2, 2), (3, 3, 3), dilations=(1, 2, 3)),
    convolution("dilation 2 with stride 2", (5, 6, 7), (1, 2), (3, 3, 3), strides=(2, 2, 2), dilations=(2, 2, 2)),
    convolution("no padding", (5, 5, 5), (1, 2), (3, 3, 3), padding=(0, 0, 0)),
    convolution("padding 1x2x0", (4, 4, 5), (1, 2), (3, 3, 3), padding=(1, 2, 0)),
    convolution("an image", (1, 7, 6), (2, 3), (1, 3, 3), batch=2),
    transposed("2x2x2 by 2", (2, 3, 3), (3, 2), (2, 2, 2), (2, 2, 2), batch=2),
    transposed("1x2x2 by 1x2x2", (3, 2, 3), (3, 2), (1, 2, 2), (1, 2, 2)),
    transposed("3x3x3 by 2, overlapping", (3, 3, 2), (2, 2), (3, 3, 3), (2, 2, 2)),
    transposed("3x3x3 by 2, padding 1, output padding 1", (3, 3, 2), (2, 2), (3, 3, 3), (2, 2, 2), (1, 1, 1), (1, 1, 1)),
    norm("leaky", 2, 0.01),
    norm("linear", 1, 1.0),
    norm("ReLU", 1, 0.0),
]
out = pathlib.Path(__file__).parents[2] / "packages/engine/src/__fixtures__/volume-operations.json"
out.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
