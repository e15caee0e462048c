"""The peer's side of `pnpm bench segmentation`: PyTorch. Answers one line a command, see bench-segmentation.mjs."""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

threads, shape = int(sys.argv[1]), json.loads(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
kind, size, (inputs, outputs) = shape["kind"], shape["size"], shape["channels"]
strides, dilations = shape.get("strides", [1, 1, 1]), shape.get("dilations", [1, 1, 1])
kernel = shape.get("kernel", [1, 1, 1])


def one_layer():
    strides, dilations = shape.get("strides", [1, 1, 1]), shape.get("dilations", [1, 1, 1])
    kernel = shape["kernel"]
    x = torch.randn(1, inputs, *size, requires_grad=True)
    filters = [inputs, outputs] if kind == "transposed" else [outputs, inputs]
    weight = (torch.randn(*filters, *kernel) * 0.05).requires_grad_()
    scale, shift = torch.ones(outputs, requires_grad=True), torch.zeros(outputs, requires_grad=True)
    padding = [d * (k - 1) // 2 for k, d in zip(kernel, dilations)]

    def layer():
        if kind == "convolution":
            return F.conv3d(x, weight, stride=strides, padding=padding, dilation=dilations)
        if kind == "transposed":
            return F.conv_transpose3d(x, weight, stride=strides)
        return F.leaky_relu(F.instance_norm(x, weight=scale, bias=shift), 0.01, inplace=True)

    dy = torch.ones_like(layer())

    def forward():
        with torch.inference_mode():
            layer()

    def step():
        for leaf in (x, weight, scale, shift):
            leaf.grad = None
        layer().backward(dy)

    return {"forward": forward, "step": step}


def whole_network():
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = shape["configuration"]["architecture"]
    network = get_network_from_plans(architecture["network_class_name"], architecture["arch_kwargs"],
                                     architecture["_kw_requires_import"], inputs, outputs, deep_supervision=True)
    patch = torch.randn(shape["batch"], inputs, *size)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.99, nesterov=True)

    def forward():
        network.decoder.deep_supervision = False
        with torch.inference_mode():
            network(patch)

    def step():
        network.decoder.deep_supervision = True
        optimizer.zero_grad()
        sum((logits**2).mean() for logits in network(patch)).backward()
        optimizer.step()

    return {"forward": forward, "step": step}


work = whole_network() if kind == "network" else one_layer()
print(json.dumps({"ready": f"torch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    if line.strip() == "peak":
        print(json.dumps({"peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
        continue
    start = time.perf_counter()
    work[line.strip()]()
    print(json.dumps({"milliseconds": (time.perf_counter() - start) * 1e3}), flush=True)
