"""Tiny nnU-Net v2 models, trained for seconds on synthetic volumes, and what nnU-Net predicts with them: writes
packages/segmentation/src/__fixtures__/nnunet/.

    nnUNet_compile=f python tooling/reference/segmentation_nnunet_models.py [--work DIR]

Made with nnunetv2 2.8.1, batchgenerators 0.25.5, torch 2.15.0 (CPU). Everything goes through nnU-Net's own planner,
preprocessor, trainer and predictor; only the networks' width, depth and patch are made small in the plans. The volumes
are synthetic: ellipsoids in noise. The test images are anisotropic and oblique, on other grids than the training images.
Training is seeded but not bit-reproducible (nnU-Net's loaders are not): a rerun makes new models and new predictions.
"""

import argparse
import copy
import gzip
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "packages/segmentation/src/__fixtures__/nnunet"
OBLIQUE = np.array([[0.96, -0.2, 0.196], [0.216, 0.974, -0.066], [-0.178, 0.106, 0.978]])


def rotation(matrix):
    u, _, v = np.linalg.svd(matrix)
    return u @ v


def phantom(shape, spacing, seed):
    """Background -800 with a body of 40 HU, an organ (1) and a lesion (2) in it."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing)], indexing="ij"))
    extent = np.array(shape) * np.array(spacing)

    def inside(center, radii):
        return sum(((grid[i] - center[i]) / radii[i]) ** 2 for i in range(3)) < 1

    labels = np.zeros(shape, np.uint8)
    body = inside(np.zeros(3), extent * [0.55, 0.46, 0.46])
    organ = inside(extent * rng.uniform(-0.06, 0.06, 3), extent * rng.uniform(0.24, 0.32, 3))
    lesion = inside(extent * rng.uniform(-0.08, 0.08, 3), extent * rng.uniform(0.1, 0.16, 3))
    labels[organ] = 1
    labels[lesion] = 2
    image = np.where(body, 40.0, -800.0)
    image[organ] = 110
    image[lesion] = 220
    return image + rng.normal(0, 12, shape), labels, body


def write(path, array, spacing_zyx, direction=None, origin=(0, 0, 0)):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetSpacing([float(s) for s in spacing_zyx[::-1]])
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(direction.ravel().tolist())
    sitk.WriteImage(image, str(path))


def make_datasets(raw):
    ct = raw / "Dataset801_SyntheticCT"
    mr = raw / "Dataset802_SyntheticMR"
    for folder in (ct, mr):
        for name in ("imagesTr", "labelsTr", "imagesTs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
    cases = 6
    for case in range(cases):
        shape, spacing = (13 + case % 3, 34 + case, 36 - case), (3.6, 1.0, 1.0)
        image, labels, _ = phantom(shape, spacing, case)
        write(ct / f"imagesTr/case_{case:03}_0000.nii.gz", np.rint(image).astype(np.int16), spacing)
        write(ct / f"labelsTr/case_{case:03}.nii.gz", labels, spacing)

        # the thick axis is x, so that nnU-Net transposes; outside the body is 0, so that it crops and masks
        shape, spacing = (30 + case, 32 - case, 13), (1.1, 1.0, 3.5)
        image, labels, body = phantom(shape, spacing, 100 + case)
        for channel in range(2):
            values = np.where(body, (image + 1000) * (1 + channel) / 4, 0)
            padded = np.pad(values, ((3, 4), (4, 5), (1, 1)))
            write(mr / f"imagesTr/case_{case:03}_{channel:04}.nii.gz", np.rint(padded).astype(np.int16), spacing)
        write(mr / f"labelsTr/case_{case:03}.nii.gz", np.pad(labels, ((3, 4), (4, 5), (1, 1))), spacing)
    (ct / "dataset.json").write_text(
        json.dumps(
            {
                "channel_names": {"0": "CT"},
                "labels": {"background": 0, "organ": 1, "lesion": 2},
                "numTraining": cases,
                "file_ending": ".nii.gz",
            }
        )
    )
    (mr / "dataset.json").write_text(
        json.dumps(
            {
                "channel_names": {"0": "T1", "1": "T2"},
                "labels": {"background": 0, "whole": [1, 2], "core": 2},
                "regions_class_order": [1, 2],
                "numTraining": cases,
                "file_ending": ".nii.gz",
            }
        )
    )
    # test images: thick slices, rotated axes, other spacings in every direction than in training
    direction = rotation(OBLIQUE)
    shape, spacing = (12, 41, 38), (4.2, 0.85, 0.9)
    image, _, _ = phantom(shape, spacing, 500)
    write(
        ct / "imagesTs/test_000_0000.nii.gz", np.rint(image).astype(np.int16), spacing, direction, (-20.5, 13.25, -88.0)
    )
    shape, spacing = (36, 33, 10), (0.95, 0.9, 4.4)
    image, _, body = phantom(shape, spacing, 600)
    hollow = body.copy()
    hollow[16:20, 14:18, 4:6] = False  # zeros inside the body: a hole that nnU-Net fills before it masks
    for channel in range(2):
        values = np.where(hollow, (image + 1000) * (1 + channel) / 4, 0)
        padded = np.pad(values, ((2, 3), (1, 4), (1, 1)))
        write(
            mr / f"imagesTs/test_000_{channel:04}.nii.gz",
            np.rint(padded).astype(np.int16),
            spacing,
            direction[:, [1, 2, 0]],
            (5.0, -7.5, 31.0),
        )
    return ct.name, mr.name


def shrink(configuration, features, patch, strides):
    """The architecture that the planner chose, narrower and shallower."""
    arch = configuration["architecture"]["arch_kwargs"]
    stages = len(features)
    arch["n_stages"] = stages
    arch["features_per_stage"] = features
    arch["strides"] = strides
    dimensions = len(patch)
    arch["kernel_sizes"] = [[1, 3, 3]] + [[3] * 3] * (stages - 1) if dimensions == 3 else [[3, 3]] * stages
    for key in ("n_conv_per_stage", "n_blocks_per_stage"):
        if key in arch:
            arch[key] = [1, 2, 2][:stages] if key == "n_blocks_per_stage" else [2] * stages
    arch["n_conv_per_stage_decoder"] = [2] * (stages - 1) if "n_conv_per_stage" in arch else [1] * (stages - 1)
    configuration["patch_size"] = patch
    configuration["batch_size"] = 2
    configuration["batch_dice"] = False


def plan_and_preprocess(dataset_id, planner, plans_name, edit, configurations):
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess
    from nnunetv2.paths import nnUNet_preprocessed
    from nnunetv2.utilities.dataset_name_id_conversion import convert_id_to_dataset_name

    os.environ["nnUNet_n_proc_DA"] = "1"
    extract_fingerprints([dataset_id], num_processes=1, check_dataset_integrity=False)
    plan_experiments([dataset_id], planner)
    path = Path(str(nnUNet_preprocessed)) / convert_id_to_dataset_name(dataset_id) / f"{plans_name}.json"
    plans = json.loads(path.read_text())
    edit(plans)
    path.write_text(json.dumps(plans, indent=1))
    preprocess([dataset_id], plans_name, configurations, [1] * len(configurations))
    return path


def train(plans_path, configuration, fold, iterations):
    import torch
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    plans = json.loads(plans_path.read_text())
    plans["continue_training"] = False
    os.environ["nnUNet_n_proc_DA"] = "0"  # loads in this process; the planner does not take 0
    dataset = json.loads((plans_path.parent / "dataset.json").read_text())
    trainer = nnUNetTrainer(plans, configuration, fold, dataset, torch.device("cpu"))
    trainer.num_epochs = 1
    trainer.num_iterations_per_epoch = iterations
    trainer.num_val_iterations_per_epoch = 1
    trainer.oversample_foreground_percent = 0.6
    trainer.run_training()
    return trainer


def predict(model, images, out, folds, previous=None):
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(model), folds, "checkpoint_final.pth")
    predictor.predict_from_files(
        str(images),
        str(out),
        save_probabilities=True,
        num_processes_preprocessing=1,
        num_processes_segmentation_export=1,
        folder_with_segs_from_prev_stage=None if previous is None else str(previous),
    )


def packed(array):
    return gzip.compress(np.ascontiguousarray(array).tobytes(), mtime=0)


def export(name, model, folds, images, out, channels):
    """The model folder as nnU-Net leaves it (without logs and pictures), the image, and nnU-Net's prediction of it."""
    import SimpleITK as sitk

    target = FIXTURES / model.parent.name / model.name
    for fold in folds:
        (target / f"fold_{fold}").mkdir(parents=True, exist_ok=True)
        shutil.copy(model / f"fold_{fold}/checkpoint_final.pth", target / f"fold_{fold}")
    for file in ("plans.json", "dataset.json"):
        shutil.copy(model / file, target)
    # plans.json repeats its configurations in full; only the used ones matter, but it stays as nnU-Net wrote it
    goldens = FIXTURES / "goldens"
    goldens.mkdir(parents=True, exist_ok=True)
    volumes = [sitk.ReadImage(str(images / f"test_000_{c:04}.nii.gz")) for c in range(channels)]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "test_000.nii.gz")))
    probabilities = np.load(out / "test_000.npz")["probabilities"]
    first = volumes[0]
    info = {
        "model": f"{model.parent.name}/{model.name}",
        "folds": folds,
        "size": first.GetSize(),
        "spacing": first.GetSpacing(),
        "origin": first.GetOrigin(),
        "direction": first.GetDirection(),
        "channels": channels,
        "probabilities": list(probabilities.shape),
        "labels": np.bincount(mask.ravel()).tolist(),
    }
    (goldens / f"{name}.json").write_text(json.dumps(info, indent=1) + "\n")
    (goldens / f"{name}.image.gz").write_bytes(
        packed(np.stack([sitk.GetArrayFromImage(v) for v in volumes]).astype(np.int16))
    )
    (goldens / f"{name}.mask.gz").write_bytes(packed(mask.astype(np.uint8)))
    # 1e-4 steps: far below the 1e-3 that is asked for, and a sixth of the bytes
    (goldens / f"{name}.probabilities.gz").write_bytes(packed(np.rint(probabilities * 10000).astype(np.uint16)))
    print(name, info["labels"], "of", mask.shape)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", default="/tmp/nnunet-models")
    work = Path(parser.parse_args().work)
    shutil.rmtree(work, ignore_errors=True)
    for name in ("raw", "preprocessed", "results"):
        (work / name).mkdir(parents=True)
        os.environ[f"nnUNet_{name}"] = str(work / name)
    os.environ.update(nnUNet_n_proc_DA="1", nnUNet_def_n_proc="1", nnUNet_compile="f")
    import torch

    torch.set_num_threads(1)
    ct, mr = make_datasets(work / "raw")
    results = work / "results"

    def small_ct(plans):
        configurations = plans["configurations"]
        full = configurations["3d_fullres"]
        full["spacing"] = [3.6, 1.0, 1.0]
        shrink(full, [4, 8, 12], [8, 24, 24], [[1, 1, 1], [1, 2, 2], [2, 2, 2]])
        shrink(configurations["2d"], [4, 8, 12], [28, 24], [[1, 1], [2, 2], [2, 2]])
        low = copy.deepcopy(full)
        low.update(
            data_identifier="nnUNetPlans_3d_lowres", spacing=[4.4, 1.5, 1.5], next_stage="3d_cascade_fullres"
        )
        shrink(low, [4, 8, 12], [8, 16, 20], [[1, 1, 1], [1, 2, 2], [2, 2, 2]])
        configurations["3d_lowres"] = low
        configurations["3d_cascade_fullres"] = {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"}

    plans = plan_and_preprocess(801, "ExperimentPlanner", "nnUNetPlans", small_ct, ["2d", "3d_fullres", "3d_lowres"])
    for fold in (0, 1):
        train(plans, "3d_fullres", fold, 60)
    train(plans, "2d", 0, 60)
    train(plans, "3d_lowres", "all", 60).perform_actual_validation()  # also writes the cascade's training input
    train(plans, "3d_cascade_fullres", "all", 60)
    images = work / "raw" / ct / "imagesTs"
    model = {c: results / ct / f"nnUNetTrainer__nnUNetPlans__{c}" for c in ("2d", "3d_fullres", "3d_lowres")}
    cascade = results / ct / "nnUNetTrainer__nnUNetPlans__3d_cascade_fullres"
    predict(model["3d_fullres"], images, work / "out-fullres", (0, 1))
    export("plain-3d-two-folds", model["3d_fullres"], [0, 1], images, work / "out-fullres", 1)
    predict(model["2d"], images, work / "out-2d", (0,))
    export("plain-2d", model["2d"], [0], images, work / "out-2d", 1)
    predict(model["3d_lowres"], images, work / "out-lowres", ("all",))
    export("plain-3d-lowres", model["3d_lowres"], ["all"], images, work / "out-lowres", 1)
    predict(cascade, images, work / "out-cascade", ("all",), work / "out-lowres")
    export("cascade", cascade, ["all"], images, work / "out-cascade", 1)

    def small_mr(plans):
        full = plans["configurations"]["3d_fullres"]
        shrink(full, [4, 8, 12], [8, 24, 20], [[1, 1, 1], [1, 2, 2], [2, 2, 2]])

    plans = plan_and_preprocess(
        802, "nnUNetPlannerResEncM", "nnUNetResEncUNetMPlans", small_mr, ["3d_fullres"]
    )
    train(plans, "3d_fullres", 0, 60)
    residual = results / mr / "nnUNetTrainer__nnUNetResEncUNetMPlans__3d_fullres"
    images = work / "raw" / mr / "imagesTs"
    predict(residual, images, work / "out-residual", (0,))
    export("residual-regions", residual, [0], images, work / "out-residual", 2)


if __name__ == "__main__":
    main()
