"""Ten steps of torch.optim.AdamW with clipping by global norm, for packages/engine/src/__fixtures__/adamw.json."""
import json
import pathlib
import torch

torch.manual_seed(0)
weight = torch.randn(3, 2, dtype=torch.float64).float().requires_grad_()
target = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-0.3, 0.7]])
start = weight.detach().clone()
optimizer = torch.optim.AdamW([weight], lr=0.05, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
losses, norms = [], []
for _ in range(10):
    optimizer.zero_grad()
    loss = ((weight - target) ** 4).sum()
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_([weight], 1.0)))
    optimizer.step()
    losses.append(float(loss))
out = pathlib.Path(__file__).parents[2] / "packages/engine/src/__fixtures__/adamw.json"
out.parent.mkdir(exist_ok=True)
out.write_text(json.dumps({"torch": torch.__version__, "start": start.tolist(), "target": target.tolist(), "losses": losses, "norms": norms, "end": weight.tolist()}, indent=1) + "\n")
