"""nnU-Net's own fingerprint, plans, loss and training steps: writes packages/segmentation/src/__fixtures__/planning.json,
training-losses.json and training-steps.json (steps of the networks in __fixtures__/unets).

    python tooling/reference/segmentation_training_goldens.py

Made with nnunetv2 2.8.1, dynamic-network-architectures 0.4.4, torch 2.15.0, numpy 2.4.6. Images and fingerprints are
synthetic. Networks are only measured, on torch's meta device.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import torch

FIXTURES = Path(__file__).resolve().parents[2] / "packages/segmentation/src/__fixtures__"
work = Path(tempfile.mkdtemp())
for name in ("raw", "preprocessed", "results"):
    os.environ[f"nnUNet_{name}"] = str(work / name)

import SimpleITK as sitk
from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans


def volume(shape, spacing, seed):
    """CT-like integers; the outermost voxels are 0, so that there is something to crop."""
    rng = np.random.default_rng(seed)
    image = np.zeros(shape, np.int16)
    inner = tuple(slice(1, n - 1 - (seed + axis) % 2) for axis, n in enumerate(shape))
    image[inner] = rng.integers(-200, 300, image[inner].shape)
    labels = np.zeros(shape, np.uint8)
    center = [n // 2 for n in shape]
    labels[tuple(slice(c - 2, c + 2 + seed % 2) for c in center)] = 1
    image[labels == 1] += 400
    return image, labels


def write(path, array, spacing):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(s) for s in spacing[::-1]])
    sitk.WriteImage(image, str(path))


def fingerprint_case():
    folder = work / "raw/Dataset901_Fingerprint"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    cases = []
    for index in range(4):
        shape, spacing = (9 + index, 14 + 2 * index, 12 + index), (3.0 + 0.5 * index, 0.7 + 0.1 * index, 0.8)
        image, labels = volume(shape, spacing, index)
        write(folder / f"imagesTr/case_{index}_0000.nii.gz", image, spacing)
        write(folder / f"labelsTr/case_{index}.nii.gz", labels, spacing)
        cases.append({"shape": shape, "spacing": spacing, "image": image.ravel().tolist(),
                      "labels": labels.ravel().tolist()})  # fmt: skip
    dataset = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "lesion": 1}, "numTraining": 4,
               "file_ending": ".nii.gz"}  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(dataset))
    extractor = DatasetFingerprintExtractor("Dataset901_Fingerprint", 1)
    extractor.num_foreground_voxels_for_intensitystats = 4e6
    found = extractor.run()
    return {"cases": cases, "fingerprint": json.loads((work / "preprocessed/Dataset901_Fingerprint/dataset_fingerprint.json").read_text())}


def plan(number, spacings, shapes, channels, labels, relative=1.0):
    name = f"Dataset{number}_Plan"
    folder = work / "raw" / name
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    dataset = {"channel_names": {str(i): c for i, c in enumerate(channels)}, "labels": labels,
               "numTraining": len(spacings), "file_ending": ".nii.gz"}  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(dataset))
    for i in range(len(channels)):
        write(folder / f"imagesTr/a_{i:04}.nii.gz", np.zeros((3, 4, 5), np.int16), (1, 1, 1))
    write(folder / "labelsTr/a.nii.gz", np.zeros((3, 4, 5), np.uint8), (1, 1, 1))
    stats = {"mean": 1.0, "median": 1.0, "std": 2.0, "min": 0.0, "max": 3.0, "percentile_00_5": 0.1, "percentile_99_5": 2.9}
    fingerprint = {
        "spacings": [list(map(float, s)) for s in spacings],
        "shapes_after_crop": [list(map(int, s)) for s in shapes],
        "foreground_intensity_properties_per_channel": {str(i): stats for i in range(len(channels))},
        "median_relative_size_after_cropping": relative,
    }
    preprocessed = work / "preprocessed" / name
    preprocessed.mkdir(parents=True)
    (preprocessed / "dataset_fingerprint.json").write_text(json.dumps(fingerprint))
    with torch.device("meta"):
        ExperimentPlanner(name).plan_experiment()
    return {"dataset": dataset, "fingerprint": fingerprint,
            "plans": json.loads((preprocessed / "nnUNetPlans.json").read_text())}  # fmt: skip


def losses():
    generator = torch.Generator().manual_seed(5)
    found = []
    for batch_dice in (False, True):
        logits = [torch.randn(2, 3, *size, generator=generator, dtype=torch.float64, requires_grad=True)
                  for size in ((4, 6, 5), (2, 3, 5), (1, 2, 3))]  # fmt: skip
        targets = [torch.randint(0, 3, (2, 1, *each.shape[2:]), generator=generator) for each in logits]
        targets[0][1] = torch.clamp(targets[0][1], max=1)  # a label that one sample lacks
        supervision = deep_supervision(len(logits), batch_dice)
        single = [supervision.loss(x, y).item() for x, y in zip(logits, targets)]
        total = supervision(logits, targets)
        total.backward()

        def last(x):
            return x.movedim(1, -1).contiguous().flatten().tolist()

        found.append({
            "batchDice": batch_dice,
            "shapes": [[2, *x.shape[2:], 3] for x in logits],
            "logits": [last(x.detach()) for x in logits],
            "targets": [y.flatten().tolist() for y in targets],
            "single": single,
            "weights": list(supervision.weight_factors),
            "loss": total.item(),
            "gradients": [None if x.grad is None else last(x.grad) for x in logits],
        })  # fmt: skip
    return found


def deep_supervision(outputs, batch_dice):
    weights = np.array([1 / 2**i for i in range(outputs)])
    weights[-1] = 0
    loss = DC_and_CE_loss({"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": False}, {}, weight_ce=1,
                          weight_dice=1, dice_class=MemoryEfficientSoftDiceLoss)  # fmt: skip
    return DeepSupervisionWrapper(loss, weights / weights.sum())


def steps(name):
    """Eight steps as nnUNetTrainer takes them, two an epoch of four, from a fixture's weights on a pattern."""
    golden = json.loads((FIXTURES / f"unets/{name}.json").read_text())
    plan, channels = golden["configuration"], len(golden["dataset"]["channel_names"])
    architecture = plan["architecture"]
    network = get_network_from_plans(architecture["network_class_name"], architecture["arch_kwargs"],
                                     architecture["_kw_requires_import"], channels, 3, deep_supervision=True)  # fmt: skip
    checkpoint = torch.load(FIXTURES / f"unets/{name}.pth", weights_only=False)
    network.load_state_dict(checkpoint["network_weights"])
    size = plan["patch_size"]
    at = torch.arange(int(np.prod(size)), dtype=torch.float64).reshape(size)
    labels = ((at % 7) // 3).long()  # 0, 1 and 2
    image = torch.stack([labels + torch.sin(1.7 * at + channel) for channel in range(channels)]).float()
    strides = np.cumprod(np.array(architecture["arch_kwargs"]["strides"]), axis=0)[:-1]
    x, y = image[None].repeat(2, *[1] * (len(size) + 1)), labels[None, None].repeat(2, *[1] * (len(size) + 1))
    targets = [y if (s == 1).all() else torch.nn.functional.interpolate(
        y.float(), [int(n // k) for n, k in zip(size, s)], mode="nearest-exact").long() for s in strides]  # fmt: skip
    loss_function = deep_supervision(len(strides), False)
    optimizer = torch.optim.SGD(network.parameters(), 0.02, momentum=0.99, weight_decay=3e-5, nesterov=True)
    losses = []
    for step in range(8):
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * (1 - (step // 2) / 4) ** 0.9
        optimizer.zero_grad()
        loss = loss_function(network(x), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimizer.step()
        losses.append(loss.item())
    return losses


def write_steps():
    found = {name: steps(name) for name in ("plain-2d", "plain-3d", "residual-3d")}
    (FIXTURES / "training-steps.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    rng = np.random.default_rng(3)

    def cases(count, spacing, shape, jitter=0.1):
        return ([[s * (1 + jitter * rng.uniform(-1, 1)) for s in spacing] for _ in range(count)],
                [[max(1, round(n * (1 + jitter * rng.uniform(-1, 1)))) for n in shape] for _ in range(count)])  # fmt: skip

    binary = {"background": 0, "lesion": 1}
    plans = {
        "isotropic, small": plan(911, *cases(40, (1, 1, 1), (60, 72, 64)), ["CT"], binary),
        "thick slices": plan(912, *cases(25, (5.0, 0.8, 0.8), (20, 256, 240)), ["CT"], binary),
        "thick middle axis": plan(913, *cases(12, (0.9, 4.5, 0.9), (180, 24, 200)), ["MR", "zscore"],
                                  {"background": 0, "a": 1, "b": 2, "c": 3}, 0.5),
        "large, with a cascade": plan(914, *cases(30, (1.5, 0.8, 0.8), (420, 512, 512)), ["CT"], binary),
        "nodules": plan(915, *cases(60, (2.5, 0.72, 0.72), (5, 44, 44), 0.3), ["CT"], binary),
        "one slice": plan(916, *cases(10, (1, 0.7, 0.7), (1, 300, 400), 0), ["rescale_to_0_1", "noNorm"], binary),
    }
    golden = {"fingerprint": fingerprint_case(), "plans": plans}
    (FIXTURES / "planning.json").write_text(json.dumps(golden) + "\n")
    (FIXTURES / "training-losses.json").write_text(json.dumps(losses()) + "\n")
    write_steps()
