"""Golden values of every architecture of packages/encoder, from transformers, timm and peft.

    python tooling/reference/encoder_architectures.py          # writes packages/encoder/src/__fixtures__/architectures
    python tooling/reference/encoder_architectures.py check NAME ADAPTER_DIR
                                                               # what peft computes with an adapter that saveAdapter wrote

Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2, timm 1.0.31. Every parameter is random, so that none is at a
value (0 or 1) where a forgotten term would not show, and is a float16, so that the files are small and yet exact.
Arrays are base64 of little-endian float32.
"""

import base64
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import peft
import timm
import torch
import transformers as t
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

FIXTURES = Path(__file__).resolve().parents[2] / "packages/encoder/src/__fixtures__/architectures"
SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 16, "patch_size": 4}
MLP = {"intermediate_size": 48}
SIZES = [(2, 16, 16), (1, 24, 12), (1, 8, 32)]


class Timm(VisionTransformer):
    """A DINOv2 in timm's names: fused qkv. Its own way to resize positions is none of the references, so it is not used."""

    def __init__(self):
        super().__init__(
            img_size=16, patch_size=4, embed_dim=32, depth=2, num_heads=4, mlp_ratio=1.5, init_values=1.0, num_classes=0
        )

    def forward(self, pixels):
        return t.modeling_outputs.BaseModelOutputWithPooling(last_hidden_state=self.forward_features(pixels))


LORA = peft.LoraConfig
MODELS = {
    "dinov2-swiglu": (
        lambda: t.Dinov2Model(t.Dinov2Config(**SMALL, mlp_ratio=2, use_swiglu_ffn=True)),
        LORA(
            r=2, lora_alpha=3, target_modules="all-linear", bias="lora_only",
            rank_pattern={"mlp.up_proj": 3, r".*layer\.1\.attention\.q_proj": 1}, alpha_pattern={"o_proj": 5},
        ),
    ),
    "dinov2-registers": (
        lambda: t.Dinov2WithRegistersModel(t.Dinov2WithRegistersConfig(**SMALL, mlp_ratio=2)),
        LORA(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], modules_to_save=["encoder.layer.1", "layernorm"]),
    ),
    "dinov3": (
        lambda: t.DINOv3ViTModel(t.DINOv3ViTConfig(**SMALL, **MLP, num_register_tokens=2)),
        LORA(r=2, target_modules=["k_proj", "o_proj", "down_proj"], layers_to_transform=[1], layers_pattern="layer"),
    ),
    "dinov3-gated": (
        lambda: t.DINOv3ViTModel(t.DINOv3ViTConfig(**SMALL, **MLP, use_gated_mlp=True, hidden_act="silu", key_bias=True)),
        LORA(r=2, target_modules=["gate_proj", "q_proj"], init_lora_weights="gaussian"),
    ),
    "deit": (
        lambda: t.DeiTModel(t.DeiTConfig(**SMALL, **MLP)),
        LORA(r=3, lora_alpha=2, use_rslora=True, target_modules=r".*layers\.1\.attention\.(q|v)_proj|pooler\.dense"),
    ),
    "clip": (
        lambda: t.CLIPVisionModel(t.CLIPVisionConfig(**SMALL, **MLP)),
        LORA(r=2, target_modules=["q_proj", "k_proj", "v_proj", "out_proj"], bias="all"),
    ),
    "siglip": (
        lambda: t.SiglipVisionModel(t.SiglipVisionConfig(**SMALL, **MLP)),
        LORA(r=2, target_modules=["q_proj", "out_proj", "fc1"], exclude_modules=["layers.0.mlp.fc1"]),
    ),
    "siglip-headless": (
        lambda: t.SiglipVisionModel(t.SiglipVisionConfig(**SMALL, **MLP, vision_use_head=False)),
        LORA(r=2, target_modules=["fc2"], layers_to_transform=[1]),
    ),
    "timm": (
        Timm,
        LORA(r=2, lora_alpha=4, target_modules=["qkv", "fc2"], layers_to_transform=[1], layers_pattern="blocks"),
    ),
}
# What config.json does not say of itself in timm's own format.
TIMM_CONFIG = {"model_type": "dinov2", **SMALL, "mlp_ratio": 1.5}

TRAJECTORIES = {
    "dinov2-swiglu": LORA(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]),
    "clip": LORA(r=2, target_modules=["q_proj", "v_proj", "fc1"], bias="lora_only", modules_to_save=["post_layernorm"]),
    "timm": LORA(r=2, lora_alpha=4, target_modules=["qkv"]),
}


def pixels(batch: int, height: int, width: int) -> torch.Tensor:
    """[B, 3, H, W] of sin(0.7 i), i counting in the order [B, H, W, 3] that the TypeScript side uses."""
    values = [math.sin(0.7 * index) for index in range(batch * height * width * 3)]
    return torch.tensor(values, dtype=torch.float32).reshape(batch, height, width, 3).permute(0, 3, 1, 2)


def packed(tensor: torch.Tensor) -> str:
    return base64.b64encode(tensor.detach().contiguous().numpy().astype("<f4").tobytes()).decode()


def model_of(name: str) -> torch.nn.Module:
    torch.manual_seed(list(MODELS).index(name))
    model = MODELS[name][0]().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.25)
        parameter.data = parameter.data.half().float()
    return model


def outputs_of(model, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the class token is in each model, and its patches."""
    base = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    config = getattr(base, "config", None)
    takes_flag = isinstance(base, (t.DeiTModel, t.CLIPVisionModel, t.SiglipVisionModel))
    output = model(images, **({"interpolate_pos_encoding": True} if takes_flag else {}))
    tokens = output.last_hidden_state
    if isinstance(base, t.SiglipVisionModel):
        return output.pooler_output if config.vision_use_head else tokens.mean(1), tokens
    if isinstance(base, t.CLIPVisionModel):
        return output.pooler_output, tokens[:, 1:]
    registers = getattr(config, "num_register_tokens", 0)
    return tokens[:, 0], tokens[:, 1 + registers + isinstance(base, t.DeiTModel) :]


def adapted(name: str, config: peft.LoraConfig, folder: Path) -> dict:
    """Class token, and gradients of the loss sum(cls * sin(0.3 i)): each as its length and its product with sin(i)."""
    wrapped = peft.get_peft_model(model_of(name), config).eval()
    for key, parameter in wrapped.named_parameters():
        if parameter.requires_grad and "lora_A" not in key:
            parameter.data += 0.2 * torch.randn_like(parameter)
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    cls, _ = outputs_of(wrapped, pixels(2, 16, 16))
    weight = torch.sin(0.3 * torch.arange(cls.numel(), dtype=torch.float64)).float().reshape(cls.shape)
    (cls * weight).sum().backward()
    gradients = {}
    for key, parameter in wrapped.named_parameters():
        if not parameter.requires_grad or parameter.grad is None:
            continue
        gradient = parameter.grad.flatten().double()
        probe = torch.sin(torch.arange(gradient.numel(), dtype=torch.float64))
        clean = key.replace("base_model.model.", "").replace(".default", "").replace(".base_layer", "")
        gradients[clean.replace(".modules_to_save", "")] = [gradient.norm().item(), (gradient * probe).sum().item()]
    return {"cls": packed(cls), "gradients": gradients}


def trajectory(name: str, config: peft.LoraConfig, folder: Path) -> dict:
    """Losses of 10 AdamW steps on four images: binary cross-entropy of sum(cls * sin(0.3 i))."""
    torch.manual_seed(99)
    wrapped = peft.get_peft_model(model_of(name), config).eval()
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    images, labels = pixels(4, 16, 16), torch.tensor([0.0, 1.0, 1.0, 0.0])
    weight = torch.sin(0.3 * torch.arange(32, dtype=torch.float64)).float()
    optimiser = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=0.02, weight_decay=0.01)
    losses = []
    for _ in range(10):
        logits = outputs_of(wrapped, images)[0] @ weight
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return {"losses": losses}


def resized_positions() -> list[dict]:
    """Positions of a 5 x 5 grid as each reference resizes them; 'offset' is facebookresearch/dinov2's 0.1."""
    grid = torch.sin(torch.arange(25 * 2, dtype=torch.float64)).float().reshape(1, 5, 5, 2).permute(0, 3, 1, 2)
    cases = []
    for rows, columns in [(8, 3), (3, 11), (2, 2)]:
        size, scale = {"size": (rows, columns)}, {"scale_factor": ((rows + 0.1) / 5, (columns + 0.1) / 5)}
        for antialias, offset, how in [(False, 0, size), (True, 0, size), (False, 0.1, scale)]:
            grown = torch.nn.functional.interpolate(grid, mode="bicubic", antialias=antialias, **how)
            assert grown.shape[-2:] == (rows, columns)
            values = packed(grown.permute(0, 2, 3, 1))
            cases.append({"rows": rows, "columns": columns, "antialias": antialias, "offset": offset, "values": values})
    return cases


def default_configs() -> list[dict]:
    """What each family's config.json may leave out."""
    classes = [
        t.Dinov2Config, t.Dinov2WithRegistersConfig, t.DINOv3ViTConfig, t.ViTConfig, t.DeiTConfig, t.CLIPVisionConfig,
        t.SiglipVisionConfig,
    ]
    fields = [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps", "image_size",
        "patch_size", "num_channels", "query_bias", "key_bias", "value_bias", "proj_bias", "mlp_bias", "rope_theta",
        "num_register_tokens", "intermediate_size",
    ]
    return [
        {"model_type": each.model_type, **{key: value for key, value in each().to_dict().items() if key in fields}}
        for each in classes
    ]


def write_fixtures() -> None:
    versions = {"torch": torch.__version__, "transformers": t.__version__, "peft": peft.__version__, "timm": timm.__version__}
    golden = {"made_with": versions, "defaults": default_configs(), "positions": resized_positions(), "models": {}, "trajectories": {}}
    for name, (_, config) in MODELS.items():
        folder, model = FIXTURES / name, model_of(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sizes = SIZES[:1] if name == "timm" else SIZES
        with torch.no_grad():
            results = [(size, outputs_of(model, pixels(*size))) for size in sizes]
        outputs = [{"size": size, "cls": packed(cls), "patches": packed(patches)} for size, (cls, patches) in results]
        if name == "timm":
            save_file({key: value.half() for key, value in model.state_dict().items()}, folder / "model.safetensors")
            (folder / "config.json").write_text(json.dumps(TIMM_CONFIG, indent=2) + "\n")
        else:
            model.half().save_pretrained(folder)
        golden["models"][name] = {"outputs": outputs, "adapted": adapted(name, config, folder / "adapter")}
    for name, config in TRAJECTORIES.items():
        golden["trajectories"][name] = trajectory(name, config, FIXTURES / name / "untrained-adapter")
    (FIXTURES / "goldens.json").write_text(json.dumps(golden) + "\n")


def check(name: str, adapter_folder: str) -> None:
    wrapped = peft.PeftModel.from_pretrained(model_of(name), adapter_folder).eval()
    with torch.no_grad():
        cls, _ = outputs_of(wrapped, pixels(2, 16, 16))
    print(json.dumps(cls.flatten().tolist()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:4])
    else:
        write_fixtures()
