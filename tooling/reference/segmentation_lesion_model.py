"""A tiny nnU-Net v2 model that finds the lesion in SYNTHETIC volumes, for the tests of the apps: writes
packages/segmentation/src/__fixtures__/nnunet/Dataset803_SyntheticLesion/.

    nnUNet_compile=f python tooling/reference/segmentation_lesion_model.py [--work DIR]

Planned, preprocessed and trained (2D, no mirroring, 250 steps) by nnunetv2 2.8.1, as in segmentation_nnunet_models.py. The
volumes are those of packages/segmentation/src/__fixtures__/synthetic-ct.ts: a ball of 220 HU, striped or not, in a body of
40 HU in noise; some without the ball.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import numpy as np
from segmentation_nnunet_models import FIXTURES, plan_and_preprocess, shrink, write

SPACING = (4.0, 1.5, 1.5)  # z, y, x
SHAPE = (8, 32, 32)


def phantom(seed):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * s for n, s in zip(SHAPE, SPACING)], indexing="ij"))
    image = np.where((grid[1] / 22) ** 2 + (grid[2] / 22) ** 2 < 1, 40.0, -800.0)
    labels = np.zeros(SHAPE, np.uint8)
    if seed % 4 != 3:
        center = rng.uniform(-4, 4, 3)
        labels[((grid - center[:, None, None, None]) ** 2).sum(0) < rng.uniform(8, 12) ** 2] = 1
        stripes = (np.arange(SHAPE[2]) % 4 < 2) * 40 * (seed % 2)
        image = np.where(labels == 1, 220 + stripes, image)
    return image + rng.normal(0, 12, SHAPE), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", default="/tmp/nnunet-lesion")
    work = Path(parser.parse_args().work)
    shutil.rmtree(work, ignore_errors=True)
    for name in ("raw", "preprocessed", "results"):
        (work / name).mkdir(parents=True)
        os.environ[f"nnUNet_{name}"] = str(work / name)
    os.environ.update(nnUNet_n_proc_DA="1", nnUNet_def_n_proc="1", nnUNet_compile="f")
    import torch

    torch.set_num_threads(1)
    dataset = work / "raw" / "Dataset803_SyntheticLesion"
    for name in ("imagesTr", "labelsTr"):
        (dataset / name).mkdir(parents=True)
    for case in range(8):
        image, labels = phantom(case)
        write(dataset / f"imagesTr/case_{case:03}_0000.nii.gz", np.rint(image).astype(np.int16), SPACING)
        write(dataset / f"labelsTr/case_{case:03}.nii.gz", labels, SPACING)
    (dataset / "dataset.json").write_text(
        json.dumps(
            {
                "channel_names": {"0": "CT"},
                "labels": {"background": 0, "lesion": 1},
                "numTraining": 8,
                "file_ending": ".nii.gz",
            }
        )
    )

    def small(plans):
        shrink(plans["configurations"]["2d"], [4, 8, 8], [32, 32], [[1, 1], [2, 2], [2, 2]])

    plans = plan_and_preprocess(803, "ExperimentPlanner", "nnUNetPlans", small, ["2d"])
    train(plans, 250)
    model = work / "results" / dataset.name / "nnUNetTrainerNoMirroring__nnUNetPlans__2d"
    target = FIXTURES / dataset.name / model.name
    shutil.rmtree(target, ignore_errors=True)
    (target / "fold_all").mkdir(parents=True)
    shutil.copy(model / "fold_all/checkpoint_final.pth", target / "fold_all")
    for file in ("plans.json", "dataset.json"):
        shutil.copy(model / file, target)


def train(plans_path, iterations):
    import random

    import torch
    from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerNoMirroring import (
        nnUNetTrainerNoMirroring,
    )

    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    plans = json.loads(plans_path.read_text())
    plans["continue_training"] = False
    os.environ["nnUNet_n_proc_DA"] = "0"
    dataset = json.loads((plans_path.parent / "dataset.json").read_text())
    trainer = nnUNetTrainerNoMirroring(plans, "2d", "all", dataset, torch.device("cpu"))
    trainer.num_epochs = 2
    trainer.num_iterations_per_epoch = iterations // 2
    trainer.num_val_iterations_per_epoch = 1
    trainer.oversample_foreground_percent = 0.6
    trainer.run_training()


if __name__ == "__main__":
    main()
