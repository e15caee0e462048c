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
