"""Tiny Attention U-Nets and vector-quantised U-Nets in PyTorch, on the encoder and decoder of dynamic_network_architectures:
weights, logits at every resolution, bottleneck, codes and gradients, for packages/segmentation/src/__fixtures__/unets
(attention-*, quantised-*). Written from the description of ozan-oktay/Attention-Gated-Networks@4a36328
(models/layers/grid_attention_layer.py, models/networks/unet_grid_attention_3D.py) and
AinkaranSanthi/Vector-Quantisation-for-Robust-Segmentation@aef926b (layers.py, models.py); where the networks differ from
these (instance norm, nnU-Net's stages), the README of packages/segmentation says so.

    OMP_NUM_THREADS=1 /root/venv-reference/bin/python tooling/reference/segmentation_variants_golden.py
"""
import json
import pathlib
from importlib.metadata import version

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from dynamic_network_architectures.building_blocks.residual import BasicBlockD
from torch import nn
from torch.nn import functional as F

OUT = pathlib.Path(__file__).parents[2] / "packages/segmentation/src/__fixtures__/unets"
MODE = {2: "bilinear", 3: "trilinear"}


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.6g}") for v in tensor.detach().flatten().tolist()]}


def channels_last(tensor):
    return numbers(tensor.movedim(1, -1))


class NormAfter(nn.Module):
    """1x1 convolution and norm"""

    def __init__(self, conv, norm, inputs, outputs):
        super().__init__()
        self.conv, self.norm = conv(inputs, outputs, 1, bias=False), norm(outputs, eps=1e-5, affine=True)

    def forward(self, x):
        return self.norm(self.conv(x))


class Gate(nn.Module):
    def __init__(self, conv, norm, features, channels, stride):
        super().__init__()
        self.theta = conv(features, features, stride, stride, bias=False)
        self.phi = conv(channels, features, 1)
        self.psi = conv(features, 1, 1)
        self.output = NormAfter(conv, norm, features, features)

    def forward(self, x, g):
        mode = MODE[x.ndim - 2]
        theta = self.theta(x)
        phi = F.interpolate(self.phi(g), size=theta.shape[2:], mode=mode, align_corners=False)
        alpha = torch.sigmoid(self.psi(F.relu(theta + phi)))
        return self.output(x * F.interpolate(alpha, size=x.shape[2:], mode=mode, align_corners=False))


class Variant(nn.Module):
    def __init__(self, kind, conv, norm, channels, classes, values, codebook):
        super().__init__()
        kernels, strides, features = values["kernel_sizes"], values["strides"], values["features_per_stage"]
        whole = PlainConvUNet(channels, conv_op=conv, num_classes=classes, deep_supervision=True, norm_op=norm,
                              norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU, conv_bias=True,
                              **{k: values[k] for k in ("n_stages", "features_per_stage", "kernel_sizes", "strides",
                                                        "n_conv_per_stage", "n_conv_per_stage_decoder")})  # fmt: skip
        self.encoder, self.decoder, self.kind, self.codebook = whole.encoder, whole.decoder, kind, codebook
        if kind == "attention":
            self.attention = nn.Module()
            self.attention.signal = NormAfter(conv, norm, features[-1], features[-2])
            gates = {str(s): Gate(conv, norm, features[s], features[-2], strides[s + 1]) for s in range(1, len(features) - 1)}
            self.attention.gates = nn.ModuleDict(gates)
        else:
            self.quantiser = nn.Module()
            self.quantiser.before = conv(features[-1], codebook["codebook_features"], 1)
            self.quantiser.codebook = nn.Embedding(codebook["codebook_size"], codebook["codebook_features"])
            self.quantiser.after = conv(codebook["codebook_features"], features[-1], 1)
            self.quantiser.block = BasicBlockD(conv, features[-1], features[-1], kernels[-1], 1, conv_bias=True, norm_op=norm,
                                               norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU)  # fmt: skip

    def forward(self, x):
        skips = self.encoder(x)
        out = {"bottleneck": skips[-1]}
        if self.kind == "attention":
            g = F.relu(self.attention.signal(skips[-1]))
            for stage, gate in self.attention.gates.items():
                skips[int(stage)] = gate(skips[int(stage)], g)
        else:
            z = self.quantiser.before(skips[-1]).movedim(1, -1)
            codes = torch.cdist(z.reshape(-1, z.shape[-1]), self.quantiser.codebook.weight).argmin(1).view(z.shape[:-1])
            z_q = self.quantiser.codebook(codes)
            out["loss"] = ((z_q - z.detach()) ** 2).mean() + self.codebook["commitment"] * ((z_q.detach() - z) ** 2).mean()
            shares = torch.bincount(codes.flatten(), minlength=self.codebook["codebook_size"]) / codes.numel()
            out["codes"], out["shares"] = codes, shares
            out["perplexity"] = torch.exp(-(shares * torch.log(shares.clamp_min(1e-30))).sum())
            straight = (z + (z_q - z).detach()).movedim(-1, 1)
            out["bottleneck"] = straight
            skips[-1] = self.quantiser.block(self.quantiser.after(straight))
        out["logits"] = self.decoder(skips)
        return out


def write(name, dimensions, channels, classes, size, batch, **values):
    torch.manual_seed(len(name))
    kind = name.split("-")[0]
    conv, norm = (nn.Conv2d, nn.InstanceNorm2d) if dimensions == 2 else (nn.Conv3d, nn.InstanceNorm3d)
    codebook = {"codebook_size": 8, "codebook_features": 3, "commitment": 0.25} if kind == "quantised" else {}
    network = Variant(kind, conv, norm, channels, classes, values, codebook)
    for parameter in network.parameters():  # no norm that is the identity, no bias that is 0
        nn.init.normal_(parameter, 0.3 if parameter.ndim == 1 else 0, 0.4)
    with torch.no_grad():  # numbers that the fixture holds exactly
        for parameter in network.parameters():
            parameter.copy_(parameter.mul(1000).round().div(1000))
    network = network.double()
    patch = torch.randn(batch, channels, *size).mul(100).round().div(100).double()
    if kind == "quantised":  # vectors near what the encoder gives, so that several are used
        with torch.no_grad():
            z = network.quantiser.before(network.encoder(patch)[-1]).movedim(1, -1).flatten(0, -2)
            near = z[torch.randperm(len(z))[:codebook["codebook_size"]]]
            network.quantiser.codebook.weight.copy_((near + 0.2 * torch.randn_like(near)).mul(1000).round().div(1000))
            nearest = torch.cdist(z, network.quantiser.codebook.weight).sort(1).values
            print(name, "smallest gap between the two nearest vectors:", (nearest[:, 1] - nearest[:, 0]).min().item())
    found = network(patch)
    dys = [torch.randn_like(out).mul(100).round().div(100) for out in found["logits"]]
    (sum((out * dy).sum() for out, dy in zip(found["logits"], dys)) + 3 * found.get("loss", 0)).backward()
    own = ("attention.", "quantiser.")
    state = {key: value for key, value in network.state_dict().items() if "all_modules" not in key and not key.startswith("decoder.encoder")}
    gradients = {key: numbers(p.grad) for key, p in network.named_parameters()
                 if p.grad is not None and not (key.startswith(own) and key.endswith("conv.bias"))
                 and (key.startswith(own) or "seg_" in key or "encoder.stages.0.0.convs.0.norm" in key or "encoder.stages.2.0.convs.0.conv.weight" in key)}  # fmt: skip
    architecture = {
        "network_class_name": {"attention": "onco_response.AttentionUNet", "quantised": "onco_response.VectorQuantisedUNet"}[kind],
        "arch_kwargs": {
            "conv_op": f"torch.nn.modules.conv.Conv{dimensions}d", "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimensions}d", "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True}, **values, **codebook,
        },
    }
    labels = {"background": 0, **{f"label {index}": index for index in range(1, classes)}}
    golden = {
        "versions": {key: version(key) for key in ("torch", "dynamic-network-architectures")},
        "configuration": {"patch_size": size, "architecture": architecture},
        "dataset": {"channel_names": {str(index): "CT" for index in range(channels)}, "labels": labels},
        "state": {key: numbers(value) for key, value in state.items()},
        "patch": channels_last(patch), "logits": [channels_last(out) for out in found["logits"]],
        "bottleneck": channels_last(found["bottleneck"]), "dys": [channels_last(dy) for dy in dys], "gradients": gradients,
    }
    if kind == "quantised":
        golden["quantised"] = {"loss": found["loss"].item(), "lossWeight": 3, "codes": numbers(found["codes"]),
                               "histogram": found["shares"].tolist(), "perplexity": found["perplexity"].item()}  # fmt: skip
        print(name, "codes used:", int((found["shares"] > 0).sum()), "perplexity", found["perplexity"].item())
    (OUT / f"{name}.json").write_text(json.dumps(golden) + "\n")


shape3d = dict(n_stages=3, features_per_stage=[2, 3, 4], kernel_sizes=[[1, 3, 3], [3, 3, 3], [3, 3, 3]],
               strides=[[1, 1, 1], [1, 2, 2], [2, 2, 2]], n_conv_per_stage=[1, 1, 1], n_conv_per_stage_decoder=[1, 1])  # fmt: skip
shape2d = dict(n_stages=4, features_per_stage=[2, 3, 4, 4], kernel_sizes=[[3, 3]] * 4, strides=[[1, 1], [2, 2], [2, 2], [1, 2]],
               n_conv_per_stage=[1, 1, 1, 1], n_conv_per_stage_decoder=[1, 1, 1])  # fmt: skip
write("attention-3d", 3, 1, 2, (4, 8, 8), 2, **shape3d)
write("attention-2d", 2, 2, 2, (8, 16), 2, **shape2d)
write("quantised-3d", 3, 1, 2, (4, 8, 8), 2, **shape3d)
write("quantised-2d", 2, 2, 2, (8, 16), 2, **shape2d)
