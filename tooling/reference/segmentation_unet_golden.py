"""Tiny PlainConvUNets and ResidualEncoderUNets of dynamic_network_architectures (2D and 3D, anisotropic): checkpoints as
nnU-Net writes them, logits at every resolution, bottleneck features and gradients, for
packages/segmentation/src/__fixtures__/unets."""
import json
import pathlib
import numpy as np
import torch
from importlib.metadata import version
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

OUT = pathlib.Path(__file__).parents[2] / "packages/segmentation/src/__fixtures__/unets"
OUT.mkdir(parents=True, exist_ok=True)


def plain(tensor):
    """channels last"""
    tensor = tensor.detach().movedim(1, -1)
    return {"shape": list(tensor.shape), "values": [float(f"{value:.6g}") for value in tensor.flatten().tolist()]}


def network(name, class_name, dimensions, channels, classes, size, batch, **kwargs):
    torch.manual_seed(len(name))
    architecture = {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{class_name}",
        "arch_kwargs": {
            "n_stages": 3, "features_per_stage": [3, 4, 5], "conv_op": f"torch.nn.modules.conv.Conv{dimensions}d", "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimensions}d", "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None, "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True}, **kwargs,
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    made = get_network_from_plans(architecture["network_class_name"], architecture["arch_kwargs"],
                                  architecture["_kw_requires_import"], channels, classes, deep_supervision=True)
    for parameter in made.parameters():  # no norm that is the identity, no bias that is 0
        torch.nn.init.normal_(parameter, 0.3 if parameter.ndim == 1 else 0, 0.4)
    made = made.double()
    patch = torch.randn(batch, channels, *size).mul(100).round().div(100).double()
    logits = made(patch)
    dys = [torch.randn_like(out).mul(100).round().div(100) for out in logits]
    sum((out * dy).sum() for out, dy in zip(logits, dys)).backward()
    gradients = {key: {"shape": list(p.grad.shape), "values": [float(f"{v:.6g}") for v in p.grad.flatten().tolist()]}
                 for key, p in made.named_parameters() if p.grad is not None and (".norm." in key or "transp" in key or "seg_" in key or "0.0" in key)}
    with torch.no_grad():
        bottleneck = made.encoder(patch)[-1]
    made.float()  # as torch stores it: copies of a tensor share their memory
    configuration = {"patch_size": size, "architecture": architecture}
    labels = {"background": 0, **{f"label {index}": index for index in range(1, classes)}}
    dataset = {"channel_names": {str(index): "CT" for index in range(channels)}, "labels": labels}
    checkpoint = {
        "network_weights": made.state_dict(), "optimizer_state": {"state": {}, "param_groups": [{"lr": np.float64(0.01)}]},
        "grad_scaler_state": None, "logging": {"mean_fg_dice": [np.float64(0.5)], "train_losses": [np.float32(-0.25)], "epoch": np.int64(3)},
        "_best_ema": np.float64(0.5), "current_epoch": 1000, "init_args": {"plans": configuration, "device": torch.device("cpu"), "fold": 0},
        "trainer_name": "nnUNetTrainer", "inference_allowed_mirroring_axes": tuple(range(dimensions)),
    }
    torch.save(checkpoint, OUT / f"{name}.pth")
    golden = {
        "versions": {key: version(key) for key in ("torch", "nnunetv2", "dynamic-network-architectures")}, "configuration": configuration,
        "dataset": dataset, "patch": plain(patch), "logits": [plain(out) for out in logits], "bottleneck": plain(bottleneck),
        "dys": [plain(dy) for dy in dys], "gradients": gradients,
    }
    (OUT / f"{name}.json").write_text(json.dumps(golden) + "\n")


network("plain-2d", "PlainConvUNet", 2, 2, 3, (8, 8), 2, kernel_sizes=[[3, 3]] * 3, strides=[[1, 1], [2, 2], [2, 1]], n_conv_per_stage=[2, 1, 2], n_conv_per_stage_decoder=[1, 2])
network("plain-3d", "PlainConvUNet", 3, 1, 3, (4, 8, 8), 2, kernel_sizes=[[1, 3, 3], [3, 3, 3], [3, 3, 3]], strides=[[1, 1, 1], [1, 2, 2], [2, 2, 2]], n_conv_per_stage=[1, 2, 2], n_conv_per_stage_decoder=[2, 1])
network("residual-2d", "ResidualEncoderUNet", 2, 1, 2, (8, 12), 1, kernel_sizes=[[3, 3]] * 3, strides=[[1, 1], [2, 2], [2, 2]], n_blocks_per_stage=[1, 2, 1], n_conv_per_stage_decoder=[1, 1])
network("residual-3d", "ResidualEncoderUNet", 3, 2, 3, (4, 8, 8), 1, kernel_sizes=[[1, 3, 3], [3, 3, 3], [3, 3, 3]], strides=[[1, 1, 1], [1, 2, 2], [2, 2, 2]], n_blocks_per_stage=[1, 2, 2], n_conv_per_stage_decoder=[1, 1], features_per_stage=[3, 3, 5])
