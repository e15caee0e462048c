"""Ten steps of torch.optim.SGD as nnU-Net takes them (Nesterov, weight decay), for packages/engine/src/__fixtures__/sgd.json."""
import json
import pathlib
import torch

torch.manual_seed(0)
weight = torch.randn(3, 2, dtype=torch.float64).float().requires_grad_()
target = torch.tensor([[0.5, -1.0], [2.0, 0.0], [-0.3, 0.7]])
start = weight.detach().clone()
optimizer = torch.optim.SGD([weight], lr=0.002, momentum=0.99, weight_decay=0.1, nesterov=True)
losses = []
for _ in range(10):
    optimizer.zero_grad()
    loss = ((weight - target) ** 4).sum()
    loss.backward()
    optimizer.step()
    losses.append(float(loss))
out = pathlib.Path(__file__).parents[2] / "packages/engine/src/__fixtures__/sgd.json"
out.write_text(json.dumps({"torch": torch.__version__, "start": start.tolist(), "target": target.tolist(), "losses": losses, "end": weight.tolist()}, indent=1) + "\n")
