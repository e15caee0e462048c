"""The PyTorch twin of `onco-train segment`: the same network, cases, split, number of steps, loss and optimiser, trained with
torch and with nnU-Net's own loss and augmentation, for a paired comparison on the same held-out patients.

    node apps/train/dist/cli.js segment --config examples/lidc/segment.yaml --out runs/lidc-segment
    python tooling/reference/segmentation_train_peer.py --run runs/lidc-segment --out runs/lidc-segment-peer [--threads 1]
    node apps/train/dist/cli.js segment --config examples/lidc/segment.yaml --out runs/lidc-segment \
        --compare runs/lidc-segment-peer

Reads run.json, model/plans.json and the prepared cases that onco-train left; writes a model folder as nnU-Net leaves it
(fold_0/checkpoint_final.pth), which the last command runs on the test cases: inference is the same program for both, and
equals nnUNetv2_predict voxel for voxel. Needs nnunetv2 2.8.1. `--augmentation ours` mirrors and changes intensities as
onco-train does (no blur, no simulated low resolution) with nnU-Net's own transforms; `nnunet` is all that nnU-Net does.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

parser = argparse.ArgumentParser()
parser.add_argument("--run", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--augmentation", choices=["ours", "nnunet"], default="nnunet")
parser.add_argument("--epochs", type=int, help="else the run's: fewer only to see whether it works")
arguments = parser.parse_args()

torch.set_num_threads(arguments.threads)
run = json.loads((arguments.run / "run.json").read_text())
plans = json.loads((arguments.run / "model/plans.json").read_text())
dataset = json.loads((arguments.run / "model/dataset.json").read_text())
study = run["study"]
training = study["training"]
name = study["plan"]["configuration"]
plan = plans["configurations"][name]
patch, batch_size = plan["patch_size"], plan["batch_size"]
epochs = arguments.epochs or training["epochs"]
for seeded in (random.seed, np.random.seed, torch.manual_seed):
    seeded(study["seed"])

from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

architecture = plan["architecture"]
network = get_network_from_plans(
    architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
    len(dataset["channel_names"]), len(dataset["labels"]), deep_supervision=True,
)  # fmt: skip
strides = np.cumprod(np.array(architecture["arch_kwargs"]["strides"]), axis=0)[:-1]
scales = [list(1 / each) for each in strides]
weights = np.array([1 / 2**i for i in range(len(scales))])
if len(weights) > 1:
    weights[-1] = 0
loss_function = DeepSupervisionWrapper(
    DC_and_CE_loss({"batch_dice": plan["batch_dice"], "smooth": 1e-5, "do_bg": False, "ddp": False}, {}, weight_ce=1,
                   weight_dice=1, dice_class=MemoryEfficientSoftDiceLoss),
    weights / weights.sum(),
)  # fmt: skip
optimizer = torch.optim.SGD(network.parameters(), training["learningRate"], momentum=training["momentum"],
                            weight_decay=training["weightDecay"], nesterov=True)  # fmt: skip

# nnU-Net's choices of rotation, of patches that are turned in their planes only, and of the larger patch that is turned
mirror_axes = tuple(range(len(patch)))
flat = len(patch) == 3 and max(patch) / patch[0] > 3
angle = 180 if flat else 30
if len(patch) == 2:
    angle = 15 if max(patch) / min(patch) > 1.5 else 180
rotation = (-angle / 360 * 2 * np.pi, angle / 360 * 2 * np.pi)
around = get_patch_size(patch[1:] if flat else patch, rotation, rotation, rotation, (0.85, 1.25))
initial = [patch[0], *around] if flat else list(around)
transforms = nnUNetTrainer.get_training_transforms(patch, rotation, scales, mirror_axes, flat)
if arguments.augmentation == "ours":
    left_out = ("GaussianBlurTransform", "SimulateLowResolutionTransform")
    transforms.transforms = [
        each for each in transforms.transforms
        if type(getattr(each, "transform", each)).__name__ not in left_out
    ]  # fmt: skip
if len(patch) == 2:
    patch, initial = [1, *patch], [1, *initial]

cases = []
for case in run["trainCases"]:
    tensors = load_file(arguments.run / run["preprocessed"] / f"{case}.safetensors")
    image, labels = tensors["image"], tensors["labels"].to(torch.int16)
    cases.append((image, labels, [torch.nonzero(labels == value) for value in torch.unique(labels) if value > 0]))


def patch_of(image, labels, locations, needs_foreground):
    """nnU-Net's get_bbox: the larger patch lies anywhere, or around a voxel of a random label; 0 and -1 outside."""
    shape = labels.shape
    missing = [max(0, i - p, i - n) for i, p, n in zip(initial, patch, shape)]
    low = [-(m // 2) - m % 2 for m in missing]
    high = [n + m // 2 + m % 2 - i for n, m, i in zip(shape, missing, initial)]
    start = [np.random.randint(a, max(a, b) + 1) for a, b in zip(low, high)]
    if needs_foreground and locations:
        voxels = locations[np.random.choice(len(locations))]
        voxel = voxels[np.random.choice(len(voxels))]
        start = [max(a, int(v) - i // 2) for a, v, i in zip(low, voxel, initial)]
    cut = torch.zeros(image.shape[0], *initial)
    cut_labels = torch.full((1, *initial), -1, dtype=torch.int16)
    there = tuple(slice(max(0, -s), min(i, n - s)) for s, i, n in zip(start, initial, shape))
    here = tuple(slice(max(0, s), min(n, s + i)) for s, i, n in zip(start, initial, shape))
    cut[(slice(None), *there)] = image[(slice(None), *here)]
    cut_labels[(0, *there)] = labels[here]
    if len(plan["patch_size"]) == 2:
        cut, cut_labels = cut[:, 0], cut_labels[:, 0]
    if training["augment"]:
        done = transforms(image=cut, segmentation=cut_labels)
        return done["image"], done["segmentation"]
    raise SystemExit("the run was trained without augmentation: so far only augmented runs have a twin")


def batch():
    without_demand = round(batch_size * (1 - training["foregroundShare"]))
    drawn = [patch_of(*cases[np.random.choice(len(cases))], sample >= without_demand) for sample in range(batch_size)]
    return torch.stack([x for x, _ in drawn]), [torch.stack(level) for level in zip(*[y for _, y in drawn])]


started = time.time()
network.train()
in_steps = 0.0
for epoch in range(epochs):
    for group in optimizer.param_groups:
        group["lr"] = training["learningRate"] * (1 - epoch / epochs) ** 0.9
    losses = []
    for _ in range(training["stepsPerEpoch"]):
        data, target = batch()
        step_started = time.time()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(network(data), target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimizer.step()
        losses.append(loss.item())
        in_steps += time.time() - step_started
    print(f"epoch {epoch + 1}/{epochs}, loss {np.mean(losses):.3f}, {time.time() - started:.0f} s", flush=True)

(arguments.out / "fold_0").mkdir(parents=True, exist_ok=True)
for file in ("plans.json", "dataset.json"):
    shutil.copy(arguments.run / "model" / file, arguments.out / file)
network.decoder.deep_supervision = False
torch.save(
    {
        "network_weights": network.state_dict(),
        "init_args": {"configuration": name, "fold": 0},
        "trainer_name": "segmentation_train_peer",
        "inference_allowed_mirroring_axes": mirror_axes,
    },
    arguments.out / "fold_0/checkpoint_final.pth",
)
print(json.dumps({"seconds": round(time.time() - started, 1), "inSteps": round(in_steps, 1),
                  "steps": epochs * training["stepsPerEpoch"], "torch": torch.__version__}))  # fmt: skip
