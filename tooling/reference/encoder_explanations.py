"""Golden values of integrated gradients (captum) and attention rollout (numpy, Abnar and Zuidema 2020) on the small random models
that encoder_goldens.py and encoder_architectures.py wrote, with and without their LoRA.

    python tooling/reference/encoder_explanations.py > packages/encoder/src/__fixtures__/explanations.json

Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2, captum 0.9.0. Captum runs in float64 on the float32 weights. Arrays are base64 of
little-endian float32.
"""

import base64
import json
import math
import sys
from pathlib import Path

import numpy as np
import peft
import torch
import transformers
from captum.attr import IntegratedGradients

FIXTURES = Path(__file__).resolve().parents[2] / "packages/encoder/src/__fixtures__"
MODELS = {
    "dinov2-tiny": (transformers.Dinov2Model, "dinov2-tiny-adapter", 1),
    "vit-tiny": (transformers.ViTModel, "vit-tiny-adapter", 1),
    "architectures/dinov3": (transformers.DINOv3ViTModel, "architectures/dinov3/adapter", 3),
    "architectures/deit": (transformers.DeiTModel, "architectures/deit/adapter", 2),
}
SIZE = (2, 16, 16)


def pixels(batch: int, height: int, width: int) -> torch.Tensor:
    """[B, 3, H, W] of sin(0.7 i), i counting in the order [B, H, W, 3]."""
    values = [math.sin(0.7 * index) for index in range(batch * height * width * 3)]
    return torch.tensor(values, dtype=torch.float32).double().reshape(batch, height, width, 3).permute(0, 3, 1, 2)


def packed(values) -> str:
    return base64.b64encode(np.ascontiguousarray(values).astype("<f4").tobytes()).decode()


def explain(model, leading: int) -> dict:
    weight = torch.sin(0.3 * torch.arange(32, dtype=torch.float64))
    logit = lambda images: model(images).last_hidden_state[:, 0] @ weight
    images = pixels(*SIZE)
    attributions, deltas = IntegratedGradients(logit).attribute(
        images[:1], baselines=0.0, n_steps=50, method="gausslegendre", return_convergence_delta=True
    )
    few = IntegratedGradients(logit).attribute(images, baselines=torch.full_like(images[:1], 0.25), n_steps=7, method="gausslegendre")
    with torch.no_grad():
        attentions = model(images, output_attentions=True).attentions
    maps = {}
    for name, joined in (("mean", lambda a: a.mean(1)), ("max", lambda a: a.max(1))):
        rollout = None
        for attention in attentions:
            mixed = joined(attention.numpy()) + np.eye(attention.shape[-1])
            mixed /= mixed.sum(-1, keepdims=True)
            rollout = mixed if rollout is None else mixed @ rollout
        maps[name] = packed(rollout[:, 0, leading:])
        if name == "mean":
            maps["patches"] = packed(rollout[:, leading:, leading:].mean(1))
    last = lambda tensor: packed(tensor.detach().permute(0, 2, 3, 1).numpy())
    return {
        "attributions": last(attributions),
        "deltas": deltas.tolist(),
        "few": last(few),
        "outputs": logit(images[:1]).tolist(),
        "rollout": maps,
    }


result = {}
for name, (model_class, adapter, leading) in MODELS.items():
    load = lambda: model_class.from_pretrained(FIXTURES / name, attn_implementation="eager").double().eval()
    adapted = peft.PeftModel.from_pretrained(load(), FIXTURES / adapter).double().eval()
    result[name] = {"adapter": adapter, "plain": explain(load(), leading), "adapted": explain(adapted, leading)}
json.dump(result, sys.stdout)
print()
