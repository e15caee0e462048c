"""Golden values of packages/losses from torch in float64: losses and gradients.

Run: python tooling/reference/losses_golden.py   (needs torch)
Writes packages/losses/src/__fixtures__/torch.json
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261122)
OUT = Path(__file__).parents[2] / "packages/losses/src/__fixtures__/torch.json"


def focal(x, y, gamma, alpha=None):
    """MONAI sigmoid_focal_loss: (1 - p_t)^gamma BCE; alpha for positives, 1 - alpha for negatives."""
    bce = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    loss = (1 - torch.exp(-bce)) ** gamma * bce
    if alpha is not None:
        loss = loss * torch.where(y == 1, alpha, 1 - alpha)
    return loss.mean()


def pairs(z, y, memory):
    z = F.normalize(z, dim=1)
    keys, labels = z, y
    if memory is not None:
        keys = torch.cat([z, F.normalize(memory[0], dim=1)])
        labels = torch.cat([y, memory[1]])
    same = y[:, None] == labels[None, :]
    other = torch.ones_like(same)
    other[torch.arange(len(y)), torch.arange(len(y))] = False
    return z @ keys.T, same & other, ~same


def per_anchor(z, y, memory, term):
    """Loops over anchors, as the formulas are written; an anchor for which `term` gives None adds 0 and counts."""
    s, positive, negative = pairs(z, y, memory)
    terms = [term(s[i], positive[i], negative[i]) for i in range(len(y))]
    return torch.stack([t if t is not None else s[i].sum() * 0 for i, t in enumerate(terms)])


def sup_con(z, y, tau, base=None, memory=None):
    def term(s, p, n):
        if not p.any():
            return None
        return -(s[p] / tau - torch.logsumexp(s[p | n] / tau, 0)).mean()

    return per_anchor(z, y, memory, term).mean() * (1 if base is None else tau / base)


def reweight(z, y, tau, beta, memory=None, weights=None):
    def term(s, p, n):
        if not p.any():
            return None
        denominator = torch.exp(s[p] / tau).sum()
        if n.any():
            w = torch.exp(beta * s[n].detach() / tau)
            denominator = denominator + n.sum() * (w * torch.exp(s[n] / tau)).sum() / w.sum()
        return -(s[p] / tau - torch.log(denominator)).mean()

    terms = per_anchor(z, y, memory, term)
    return (terms if weights is None else terms * weights).mean()


def hscl(z, y, tau, beta, memory=None):
    """rjiang03/H-SCL main.py: all positive pairs alike, other positives not in the denominator, K - 2 negatives."""
    s, positive, negative = pairs(z, y, memory)
    c = torch.exp(s / tau)
    terms = []
    for i in range(len(y)):
        if not positive[i].any() or not negative[i].any():
            continue
        w = c[i, negative[i]].detach() ** beta
        g = (w * c[i, negative[i]]).sum() / w.sum()
        terms.append(-torch.log(c[i, positive[i]] / (c[i, positive[i]] + (s.shape[1] - 2) * g)))
    return torch.cat(terms).mean()


def sup_con_items(z, y, tau, memory, items, kept_items):
    """SupCon whose anchors leave out every key of their own item (patient)."""
    s, _, _ = pairs(z, y, memory)
    labels, keys = torch.cat([y, memory[1]]), torch.cat([items, kept_items])
    terms = []
    for i in range(len(y)):
        other = keys != items[i]
        p = other & (labels == y[i])
        terms.append(-(s[i, p] / tau - torch.logsumexp(s[i, other] / tau, 0)).mean() if p.any() else s[i].sum() * 0)
    return torch.stack(terms).mean()


def top_k(z, y, margin, k, memory=None):
    def term(s, p, n):
        if not n.any():
            return None
        return F.relu(torch.topk(s[n], min(k, int(n.sum()))).values - margin).pow(2).mean()

    return per_anchor(z, y, memory, term).mean()


def batch_hard(z, y, margin, memory=None):
    def term(s, p, n):
        if not p.any() or not n.any():
            return None
        return F.relu(margin + s[n].max() - s[p].min())

    return per_anchor(z, y, memory, term).mean()


def golden(x, loss):
    x = x.clone().requires_grad_()
    value = loss(x)
    value.backward()
    return {"loss": value.item(), "gradient": x.grad.tolist()}


logits = torch.tensor([-2, -0.5, 0, 0.7, 3, -9.0])
binary = torch.tensor([0, 1.0, 1, 0, 1, 1])
z = torch.randn(8, 5)
y = torch.tensor([1, 0, 1, 0, 1, 0, 1, 2])  # the last is alone in its class: an anchor without a positive
memory = (torch.randn(4, 5), torch.tensor([0, 1, 2, 1]))
weights = torch.rand(8)
class_logits = torch.randn(7, 3) * 2
classes = torch.tensor([0, 2, 1, 1, 0, 2, 2])
class_weights = torch.tensor([0.5, 2.0, 1.25])
two_weights = torch.tensor([0.7, 1.9])
items = torch.tensor([5, 3, 9, 4, 5, 8, 2, 7])  # the first and the fifth are one patient
kept_items = torch.tensor([3, 9, 7, 11])


def two_columns(x):
    return torch.stack([torch.zeros_like(x), x], 1)


result = {
    "torch": torch.__version__,
    "logits": logits.tolist(),
    "binary": binary.tolist(),
    "embeddings": z.tolist(),
    "labels": y.tolist(),
    "memory": {"embeddings": memory[0].tolist(), "labels": memory[1].tolist()},
    "anchorWeights": weights.tolist(),
    "classification": {
        "bce": golden(logits, lambda x: F.binary_cross_entropy_with_logits(x, binary)),
        "bcePosWeight": golden(
            logits, lambda x: F.binary_cross_entropy_with_logits(x, binary, pos_weight=torch.tensor(2.5))
        ),
        "crossEntropyTwo": golden(
            logits, lambda x: F.cross_entropy(two_columns(x), binary.long(), weight=two_weights)
        ),
        "focal": golden(logits, lambda x: focal(x, binary, 2)),
        "focalAlpha": golden(logits, lambda x: focal(x, binary, 1.5, 0.25)),
    },
    "classLogits": class_logits.tolist(),
    "classes": classes.tolist(),
    "classWeights": class_weights.tolist(),
    "twoWeights": two_weights.tolist(),
    "items": items.tolist(),
    "keptItems": kept_items.tolist(),
    "multiClass": {
        "crossEntropy": golden(class_logits, lambda x: F.cross_entropy(x, classes)),
        "crossEntropyWeights": golden(class_logits, lambda x: F.cross_entropy(x, classes, weight=class_weights)),
    },
    "pairs": {
        "supCon": golden(z, lambda x: sup_con(x, y, 0.07)),
        "supConBase": golden(z, lambda x: sup_con(x, y, 0.2, 0.07)),
        "supConMemory": golden(z, lambda x: sup_con(x, y, 0.1, memory=memory)),
        "reweight": golden(z, lambda x: reweight(x, y, 0.1, 1)),
        "reweightMemory": golden(z, lambda x: reweight(x, y, 0.5, 2, memory)),
        "reweightAnchors": golden(z, lambda x: reweight(x, y, 0.5, 1, weights=weights)),
        "reweightByWeights": golden(
            z, lambda x: reweight(x, y, 0.5, 1, weights=weights * len(weights) / weights.sum())
        ),
        "hscl": golden(z, lambda x: hscl(x, y, 0.5, 1)),
        "hsclMemory": golden(z, lambda x: hscl(x, y, 0.2, 5, memory)),
        "supConItems": golden(z, lambda x: sup_con_items(x, y, 0.1, memory, items, kept_items)),
        "topk": golden(z, lambda x: top_k(x, y, 0.2, 3)),
        "topkMemory": golden(z, lambda x: top_k(x, y, -0.1, 5, memory)),
        "batchHardTriplet": golden(z, lambda x: batch_hard(x, y, 0.2)),
        "batchHardTripletMemory": golden(z, lambda x: batch_hard(x, y, 0.3, memory)),
    },
}
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps(result, indent=1) + "\n")
print("wrote", OUT)
