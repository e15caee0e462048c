"""
The peer's side of `pnpm bench train`: transformers + peft + pytorch-metric-learning on PyTorch, see bench-train.mjs.

Images are read and cut once and stay in memory; in each step the whole encoder runs, the frozen blocks without autograd;
the slices of all cases of a batch pass together. Reads one line of JSON, {"cohort", "splits", "encoder", "method", "seed"},
and answers with one: seconds of the parts, the AUC of the best epoch's model on validation, the logits on test cases.
"""
import csv
import json
import math
import os
import random
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore", category=FutureWarning)

import numpy as np
import SimpleITK as sitk
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from PIL import Image
from pytorch_metric_learning import distances, losses, miners, reducers
from torch import nn
from transformers import Dinov2Model
from transformers.utils import logging

logging.disable_progress_bar()

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def read_slices(image_path, mask_path, options):
    """[S, 3, H, W]: slices spread over the lesion, windowed, cut to a square box around it."""
    read = lambda path: sitk.DICOMOrient(sitk.ReadImage(path), "LPS")
    image = read(image_path)
    sx, sy, _ = image.GetSpacing()
    ct = sitk.GetArrayFromImage(image).astype(np.float32)  # [z, y, x]
    mask = sitk.GetArrayFromImage(read(mask_path)) > 0
    zs, ys, xs = np.nonzero(mask)
    side = max((np.ptp(xs) + 1) * sx, (np.ptp(ys) + 1) * sy) + 2 * options["marginMm"]
    centre_x, centre_y = (xs.min() + xs.max() + 1) / 2, (ys.min() + ys.max() + 1) / 2
    left, top = centre_x - side / sx / 2, centre_y - side / sy / 2
    pad = math.ceil(max(0, -left, -top, left + side / sx - ct.shape[2], top + side / sy - ct.shape[1]))
    box = (left + pad, top + pad, left + pad + side / sx, top + pad + side / sy)
    with_lesion = np.unique(zs)
    taken = min(options["slices"]["count"], len(with_lesion))
    chosen = [with_lesion[int((part + 0.5) * len(with_lesion) / taken)] for part in range(taken)]
    level, width = options["window"]["level"], options["window"]["width"]
    size = (options["imageSize"],) * 2
    slices = []
    for z in chosen:
        shown = np.clip((ct[z] - (level - width / 2)) / width, 0, 1)
        plane = Image.fromarray(np.pad(shown, pad))
        slices.append(np.asarray(plane.resize(size, Image.Resampling.BILINEAR, box=box)))
    grey = torch.from_numpy(np.stack(slices))[:, None].expand(-1, 3, -1, -1)  # [S, 3, H, W]
    return (grey - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


class ContextualAttention(nn.Module):
    """Slices attend to slices; the volume is the mean of what they see (FrancescaFati/UnderXAI-OVIT)."""

    def __init__(self, width, hidden, dropout):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, hidden) for _ in range(3))
        self.dropout = nn.Dropout(dropout)
        self.scale = math.sqrt(width)

    def forward(self, slices, mask):  # [B, S, E], [B, S] -> [B, D]
        x = self.norm(slices)
        scores = self.query(x) @ self.key(x).transpose(1, 2) / self.scale  # [B, S, S]
        attention = self.dropout(scores.masked_fill(~mask[:, None], -torch.inf).softmax(-1))
        seen = attention @ self.value(x)  # [B, S, D]
        return (seen * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


class Head(nn.Module):
    def __init__(self, width, options):
        super().__init__()
        (hidden,) = options["hiddenSizes"]
        self.classifier = nn.Sequential(
            nn.LayerNorm(width, eps=1e-6), nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(options["dropout"]), nn.Linear(hidden, 1)
        )
        self.projection = nn.Linear(width, options["projectionSize"])

    def forward(self, embedding):  # [B, D] -> [B], [B, P]
        return self.classifier(embedding)[:, 0], F.normalize(self.projection(embedding), dim=1)


class Model(nn.Module):
    def __init__(self, encoder_path, options):
        super().__init__()
        vit = Dinov2Model.from_pretrained(encoder_path)
        encoder = options["encoder"]
        depth = vit.config.num_hidden_layers
        self.frozen = depth - encoder["adaptedBlocks"]
        blocks = "|".join(str(block) for block in range(self.frozen, depth))
        lora = LoraConfig(
            r=encoder["r"],
            lora_alpha=encoder["lora_alpha"],
            lora_dropout=encoder["lora_dropout"],
            # a pattern: peft's layers_to_transform does not find Dinov2's `encoder.layer.8`
            target_modules=rf"encoder\.layer\.({blocks})\.attention\.[qv]_proj",
        )
        self.encoder = get_peft_model(vit, lora)
        width = vit.config.hidden_size
        pool = options["aggregation"]
        self.pool = ContextualAttention(width, pool["hiddenSize"], pool["dropout"])
        self.head = Head(pool["hiddenSize"], options["head"])
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def embed(self, pixels):  # [S, 3, H, W] -> [S, E], the class token
        vit = self.encoder.base_model.model
        with torch.no_grad():
            x = vit.embeddings(pixels)
            for block in vit.encoder.layer[: self.frozen]:
                x = block(x)
        for block in vit.encoder.layer[self.frozen :]:
            x = block(x)
        return vit.layernorm(x)[:, 0]

    def forward(self, bags):  # B bags [S, 3, H, W] -> [B], [B, P]
        embedded = (self.embed(torch.cat(bags)) - self.centre) / self.spread
        parts = embedded.split([len(bag) for bag in bags])
        padded = nn.utils.rnn.pad_sequence(parts, batch_first=True)  # [B, S, E]
        mask = nn.utils.rnn.pad_sequence([torch.ones(len(part), dtype=torch.bool) for part in parts], batch_first=True)
        return self.head(self.pool(padded, mask))


def deal(labels, batch_size):
    """Every case once, in batches with both classes in the cohort's proportion."""
    batches = [[] for _ in range(math.ceil(len(labels) / batch_size))]
    order = []
    for label in (1, 0):
        own = [index for index, each in enumerate(labels) if each == label]
        random.shuffle(own)
        order += own
    for position, index in enumerate(order):
        batches[position % len(batches)].append(index)
    random.shuffle(batches)
    return batches


def run(cohort, splits, encoder, method, seed, threads):
    torch.set_num_threads(threads)
    random.seed(seed)
    torch.manual_seed(seed)
    options, training, weights = method["model"], method["training"], method["loss"]
    model = Model(encoder, options)

    start = time.perf_counter()
    folder = os.path.dirname(cohort)
    with open(cohort, newline="") as file:
        rows = {f"case-{number:04d}": row for number, row in enumerate(csv.DictReader(file), 1)}
    bags, labels = {}, {}
    for split in ("train", "validation", "test"):
        chosen = [rows[case] for case in splits[split]]
        bags[split] = [read_slices(os.path.join(folder, row["image"]), os.path.join(folder, row["mask"]), options["input"]) for row in chosen]
        labels[split] = torch.tensor([float(row["label"]) for row in chosen])
    prepared = time.perf_counter()

    def predict(split):
        model.eval()
        with torch.inference_mode():
            return torch.cat([model(bags[split][at : at + 8])[0] for at in range(0, len(bags[split]), 8)])

    model.eval()
    with torch.inference_mode():
        embedded = torch.cat([model.embed(bag) for bag in bags["train"]])
    model.centre.copy_(embedded.mean(0))
    model.spread.copy_(embedded.std(0, correction=0) + 1e-6)

    positives = labels["train"].sum()
    pos_weight = (len(labels["train"]) - positives) / positives
    bce = lambda logits, truth: F.binary_cross_entropy_with_logits(logits, truth, pos_weight=pos_weight)
    contrastive = losses.SupConLoss(temperature=weights["temperature"])
    cosine = distances.CosineSimilarity()
    hardest = miners.BatchHardMiner(distance=cosine)
    triplet = losses.TripletMarginLoss(margin=weights["hardNegativeMargin"], distance=cosine, reducer=reducers.MeanReducer())

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=training["learningRate"], weight_decay=training["weightDecay"])
    steps = math.ceil(len(labels["train"]) / training["batchSize"])
    warm_up, total = training["warmUpEpochs"] * steps, training["epochs"] * steps
    rate = lambda step: (step + 1) / warm_up if step < warm_up else (1 + math.cos(math.pi * (step - warm_up) / max(1, total - warm_up))) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)

    best, seconds = None, []
    for _ in range(training["epochs"]):
        epoch_start = time.perf_counter()
        model.train()
        for batch in deal(labels["train"].tolist(), training["batchSize"]):
            truth = labels["train"][batch]
            logits, projection = model([bags["train"][index] for index in batch])
            loss = (
                bce(logits, truth)
                + weights["contrastive"] * contrastive(projection, truth)
                + weights["hardNegatives"] * triplet(projection, truth, hardest(projection, truth))
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, training["clipNorm"])
            optimizer.step()
            schedule.step()
        validation = bce(predict("validation"), labels["validation"]).item()
        if best is None or validation < best[0]:
            best = (validation, {name: value.clone() for name, value in model.state_dict().items() if "encoder" not in name or "lora" in name})
        seconds.append(time.perf_counter() - epoch_start)
    trained = time.perf_counter()
    model.load_state_dict(best[1], strict=False)
    logits = predict("test").tolist()
    return {
        "trainedParameters": sum(parameter.numel() for parameter in parameters),
        "prepareSeconds": prepared - start,
        "trainSeconds": trained - prepared,
        "testSeconds": time.perf_counter() - trained,
        "epochSeconds": seconds,
        "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "testLogits": logits,
        "library": f"PyTorch {torch.__version__}",
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.loads(sys.stdin.readline()))), flush=True)
