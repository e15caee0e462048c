"""Golden values of packages/encoder from transformers, peft and torch.

    python tooling/reference/encoder_goldens.py          # writes packages/encoder/src/__fixtures__
    python tooling/reference/encoder_goldens.py check MODEL_DIR ADAPTER_DIR
                                                         # what peft computes with an adapter that saveAdapter wrote

Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2. Every parameter is random, so that none is at a value (0 or 1)
where a forgotten term would not show.
"""

import json
import math
import shutil
import sys
from pathlib import Path

import peft
import torch
import transformers
from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

FIXTURES = Path(__file__).resolve().parents[2] / "packages/encoder/src/__fixtures__"
SMALL = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 16, "patch_size": 4}
MODELS = {
    "dinov2-tiny": (Dinov2Model, Dinov2Config(**SMALL, mlp_ratio=2)),
    "vit-tiny": (ViTModel, ViTConfig(**SMALL, intermediate_size=48)),
}
ADAPTERS = {
    "dinov2-tiny": peft.LoraConfig(
        r=4, lora_alpha=6, lora_dropout=0.1, target_modules=["q_proj", "v_proj", "fc1"], layers_to_transform=[1, 2]
    ),
    "vit-tiny": peft.LoraConfig(r=2, lora_alpha=2, use_rslora=True, target_modules=["k_proj", "o_proj", "mlp.fc2"]),
}


def pixels(batch: int, height: int, width: int) -> torch.Tensor:
    """[B, 3, H, W] of sin(0.7 i), i counting in the order [B, H, W, 3] that the TypeScript side uses."""
    count = batch * height * width * 3
    values = [math.sin(0.7 * index) for index in range(count)]
    return torch.tensor(values, dtype=torch.float32).reshape(batch, height, width, 3).permute(0, 3, 1, 2)


def rounded(tensor: torch.Tensor) -> list[float]:
    return [float(f"{value:.8g}") for value in tensor.detach().flatten().tolist()]


def outputs(model, size: tuple[int, int, int]) -> dict:
    more = {"interpolate_pos_encoding": True} if isinstance(model, ViTModel) else {}
    with torch.no_grad():
        tokens = model(pixels(*size), **more).last_hidden_state
    return {"size": size, "cls": rounded(tokens[:, 0]), "patches": rounded(tokens[:, 1:])}


def adapted(model, config: peft.LoraConfig, folder: Path) -> dict:
    """Class token and LoRA gradients of the loss sum(cls * sin(0.3 i)), with the adapter in evaluation mode."""
    wrapped = peft.get_peft_model(model, config)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    wrapped.eval()
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    cls = wrapped(pixels(2, 16, 16)).last_hidden_state[:, 0]
    weight = torch.sin(0.3 * torch.arange(cls.numel(), dtype=torch.float64)).float().reshape(cls.shape)
    (cls * weight).sum().backward()
    gradients = {
        name.replace("base_model.model.", "").replace(".default", ""): rounded(parameter.grad)
        for name, parameter in wrapped.named_parameters()
        if parameter.requires_grad
    }
    return {"cls": rounded(cls), "gradients": gradients}


def write_fixtures() -> None:
    golden = {"made_with": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}}
    for index, (name, (model_class, config)) in enumerate(MODELS.items()):
        torch.manual_seed(index)
        model = model_class(config).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.25)
        model.save_pretrained(FIXTURES / name)
        golden[name] = {"outputs": [outputs(model, (2, 16, 16)), outputs(model, (1, 20, 12))]}
        folder = FIXTURES / f"{name}-adapter"
        shutil.rmtree(folder, ignore_errors=True)
        golden[name]["adapted"] = adapted(model, ADAPTERS[name], folder)
    (FIXTURES / "goldens.json").write_text(json.dumps(golden) + "\n")


def check(model_folder: str, adapter_folder: str) -> None:
    model = transformers.AutoModel.from_pretrained(model_folder).eval()
    wrapped = peft.PeftModel.from_pretrained(model, adapter_folder).eval()
    with torch.no_grad():
        cls = wrapped(pixels(2, 16, 16)).last_hidden_state[:, 0]
    print(json.dumps(rounded(cls)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:4])
    else:
        write_fixtures()
