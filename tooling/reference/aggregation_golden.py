"""Golden values of packages/aggregation from torch in float64: forward and gradients of every pooling.

Run: python tooling/reference/aggregation_golden.py   (needs torch)
Writes packages/aggregation/src/__fixtures__/torch.json
"""

import json
import math
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261122)
S, E, D, L = 5, 6, 3, 4
D2, HEADS, LAYERS, WIDE = 8, 2, 2, 10
OUT = Path(__file__).parents[2] / "packages/aggregation/src/__fixtures__/torch.json"


def linear(name, size_in, size_out):
    return {f"{name}.weight": torch.randn(size_out, size_in) * 0.5, f"{name}.bias": torch.randn(size_out) * 0.2}


def contextual(h, w, scale):
    """AttentionPooling of UnderXAI-OVIT without dropout: sqrt(E) in the original."""
    x = torch.nn.functional.layer_norm(h, (E,), w["norm.weight"], w["norm.bias"], 1e-5)
    q, k, v = (torch.nn.functional.linear(x, w[f"{n}.weight"], w[f"{n}.bias"]) for n in ("query", "key", "value"))
    a = torch.softmax(q @ k.T / math.sqrt(scale), dim=-1)
    return (a @ v).mean(0), a.mean(0)


def scored(h, w, gated):
    """AttentionDeepMIL's attention, with its gate or without."""
    hidden = torch.tanh(torch.nn.functional.linear(h, w["value.weight"], w["value.bias"]))
    if gated:
        hidden = hidden * torch.sigmoid(torch.nn.functional.linear(h, w["gate.weight"], w["gate.bias"]))
    a = torch.softmax(torch.nn.functional.linear(hidden, w["score.weight"])[:, 0], dim=0)
    return a @ h, a


def transformer(h, w, positions):
    """Class token through nn.TransformerEncoderLayer(norm_first=True); attention of the class token in the last layer."""
    x = torch.nn.functional.linear(h, w["input.weight"], w["input.bias"])
    if positions:
        rates = 10000 ** (-torch.arange(0, D2, 2) / D2)
        angles = torch.arange(len(h))[:, None] * rates
        x = x + torch.stack([angles.sin(), angles.cos()], 2).reshape(len(h), D2)
    x = torch.cat([w["class_token"][None], x])[None]
    for i in range(LAYERS):
        layer = torch.nn.TransformerEncoderLayer(D2, HEADS, WIDE, dropout=0, norm_first=True, batch_first=True)
        own = {k.removeprefix(f"layers.{i}."): v for k, v in w.items() if k.startswith(f"layers.{i}.")}
        if i == LAYERS - 1:
            normed = torch.nn.functional.layer_norm(x, (D2,), own["norm1.weight"], own["norm1.bias"], 1e-5)
            heads = {k.removeprefix("self_attn."): v for k, v in own.items() if k.startswith("self_attn.")}
            _, a = torch.func.functional_call(layer.self_attn, heads, (normed, normed, normed), {"need_weights": True})
        x = torch.func.functional_call(layer, own, (x,))
    z = torch.nn.functional.layer_norm(x[0, 0], (D2,), w["norm.weight"], w["norm.bias"], 1e-5)
    return z, a[0, 0, 1:] / a[0, 0, 1:].sum()


def transformer_weights():
    w = {**linear("input", D2, D2), "class_token": torch.randn(D2)}
    w["input.weight"] = torch.randn(D2, E) * 0.5
    for i in range(LAYERS):
        layer = torch.nn.TransformerEncoderLayer(D2, HEADS, WIDE)
        for k, v in layer.named_parameters():
            w[f"layers.{i}.{k}"] = v.detach() + 0.1 * torch.randn_like(v)  # norms and biases start as constants
    return {**w, "norm.weight": 1 + 0.3 * torch.randn(D2), "norm.bias": 0.2 * torch.randn(D2)}


norm = {"norm.weight": 1 + 0.3 * torch.randn(E), "norm.bias": 0.2 * torch.randn(E)}
qkv = {**norm, **linear("query", E, D), **linear("key", E, D), **linear("value", E, D)}
score = {"score.weight": torch.randn(1, L)}
plain = {**linear("value", E, L), **score}
cases = {
    "contextualSqrtE": (qkv, lambda h, w: contextual(h, w, E)),
    "contextualSqrtD": (qkv, lambda h, w: contextual(h, w, D)),
    "gated": ({**plain, **linear("gate", E, L)}, lambda h, w: scored(h, w, True)),
    "attention": (plain, lambda h, w: scored(h, w, False)),
}
slices = torch.randn(S, E)
mix_z = {D: torch.randn(D), E: torch.randn(E)}
mix_a = torch.randn(S)
mix_z[D2] = torch.randn(D2)
of_transformer = transformer_weights()
cases["transformer"] = (of_transformer, lambda h, w: transformer(h, w, False))
cases["transformerPositions"] = (of_transformer, lambda h, w: transformer(h, w, True))
cases["mean"] = ({}, lambda h, w: (h.mean(0), torch.full((S,), 1 / S)))
cases["max"] = ({}, lambda h, w: (h.max(0).values, torch.bincount(h.argmax(0), minlength=S) / E))
result = {"torch": torch.__version__, "slices": slices.tolist(), "mixAttention": mix_a.tolist(), "cases": {}}
for name, (weights, forward) in cases.items():
    h = slices.clone().requires_grad_()
    w = {key: value.clone().requires_grad_() for key, value in weights.items()}
    z, a = forward(h, w)
    mix = mix_z[len(z)]
    (z @ mix + a @ mix_a).backward()  # a scalar that both results reach
    result["cases"][name] = {
        "weights": {key: value.tolist() for key, value in weights.items()},
        "mixEmbedding": mix.tolist(),
        "embedding": z.tolist(),
        "attention": a.tolist(),
        "slicesGradient": h.grad.tolist(),
        "weightGradients": {key: value.grad.tolist() for key, value in w.items()},
    }
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(result, indent=1) + "\n")
print("wrote", OUT)
