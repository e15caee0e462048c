"""The peer's side of `pnpm bench encoder`: transformers (5) + peft on PyTorch. Answers one line a command, see bench-encoder.mjs."""
import json
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from transformers import ViTConfig, ViTModel

task, folder, threads, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
FROZEN = 8

if task == "prepare":
    config = ViTConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536, patch_size=16)
    ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    sys.exit()

model = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()
pixels = torch.sin(0.01 * torch.arange(batch * 3 * 224 * 224, dtype=torch.float32)).reshape(batch, 3, 224, 224)
labels = torch.tensor([float(index % 2) for index in range(batch)])


with torch.inference_mode():
    embedded = model.embeddings(pixels)
    for layer in model.layers[:FROZEN]:
        embedded = layer(embedded)
    cached = embedded.numpy().copy()  # [B, 197, 384]: tokens after the frozen blocks, as a cache hands them over


def forward():
    with torch.inference_mode():
        return model(pixels).last_hidden_state[:, 0].numpy()


if task != "forward":
    adapted = get_peft_model(
        model,
        # a pattern: peft's layers_to_transform does not find `layers.8` at the start of a name
        LoraConfig(r=8, lora_alpha=16, target_modules=r"layers\.(8|9|10|11)\.attention\.[qv]_proj"),
    )
    adapted.train()
    head = torch.nn.Linear(384, 1)
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad] + list(head.parameters()), lr=1e-4)


def train(class_tokens):
    loss = F.binary_cross_entropy_with_logits(head(class_tokens)[:, 0], labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def step():
    """As peft's documentation shows it: the whole model runs."""
    return train(adapted(pixel_values=pixels).last_hidden_state[:, 0])


def cached_step():
    """With our caching and our last block for the class token only, written for PyTorch."""
    x = torch.from_numpy(cached)
    vit = adapted.base_model.model
    for layer in vit.layers[FROZEN:-1]:
        x = layer(x)
    last = vit.layers[-1]
    normed = last.layernorm_before(x)
    heads = lambda tokens: tokens.view(tokens.shape[0], -1, 6, 64).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(
        heads(last.attention.q_proj(normed[:, :1])),
        heads(last.attention.k_proj(normed)),
        heads(last.attention.v_proj(normed)),
    )
    middle = x[:, :1] + last.attention.o_proj(mixed.transpose(1, 2).reshape(x.shape[0], 1, 384))
    return train(vit.layernorm(middle + last.mlp(last.layernorm_after(middle)))[:, 0])


work = {"forward": forward, "step": step, "cached": cached_step}[task]
print(json.dumps({"ready": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    if line.strip() == "peak":
        print(json.dumps({"peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
        continue
    start = time.perf_counter()
    result = work()
    print(json.dumps({"milliseconds": 1000 * (time.perf_counter() - start), "result": float(np.ravel(result)[0])}), flush=True)
