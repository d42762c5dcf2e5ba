"""What PyTorch gives for losses with soft targets and weights of classes: files for deno task parity.

    python3 tests/python/soft_labels.py tests/reference

Each file holds logits of two networks (base, small), labels, and where its metadata say so the labels
and shares of mixed images (others, shares) and weights of classes (weights); then, for each loss, its
value and the gradients of the logits, all from float64. The divergence is the mean over the batch.
"""

import json
import sys

import torch
import torch.nn.functional as F

from safetensors_file import save

BATCH, CLASSES, LAMBDA = 13, 11, 0.36


def cross_entropy(logits, data, smoothing):
    """torch.nn.CrossEntropyLoss where it has a definition that this project shares."""
    labels, weights = data["labels"], data.get("weights")
    if "others" not in data:
        return F.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)
    shares = data["shares"][:, None]
    target = shares * F.one_hot(labels, CLASSES) + (1 - shares) * F.one_hot(data["others"], CLASSES)
    loss = F.cross_entropy(logits, target, weight=weights, label_smoothing=smoothing)
    if weights is None:
        return loss
    # PyTorch divides by the batch here. With labels as targets it divides by the weights of the
    # targets, and so do we in both cases.
    return loss * BATCH / (target * weights).sum()


def divergence(p, q):
    return F.kl_div(q.log_softmax(1), p.log_softmax(1), reduction="batchmean", log_target=True)


def reference(path, mixed, weighted, smoothing, seed):
    torch.manual_seed(seed)
    logits = {name: torch.randn(BATCH, CLASSES) * 2 for name in ("base", "small")}
    data = {"labels": torch.randint(CLASSES, (BATCH,))}
    if mixed:
        data["others"] = torch.randint(CLASSES, (BATCH,))
        data["shares"] = torch.rand(BATCH)
        data["shares"][3] = 1
    if weighted:
        data["weights"] = torch.rand(CLASSES) * 3
    wide = {k: v.double() if v.is_floating_point() else v for k, v in data.items()}
    losses = {
        "cross_entropy": lambda base, small: cross_entropy(base, wide, smoothing),
        "adjoined": lambda base, small: cross_entropy(base, wide, smoothing)
        + LAMBDA * divergence(base, small),
        "distillation": lambda base, small: cross_entropy(small, wide, smoothing)
        + divergence(base.detach(), small),
    }
    tensors = {**logits, **data}
    for name, loss in losses.items():
        pair = [logits[which].double().requires_grad_() for which in ("base", "small")]
        value = loss(*pair)
        value.backward()
        tensors[f"{name}.loss"] = value.float().reshape(1)
        for which, x in zip(("base", "small"), pair):
            if x.grad is not None:
                tensors[f"{name}.d{which}"] = x.grad.float()
    said = {"mixed": mixed, "weighted": weighted, "label_smoothing": smoothing, "lambda": LAMBDA}
    save(path, tensors, {key: json.dumps(value) for key, value in said.items()})


def main(folder):
    reference(f"{folder}/soft_labels_mixed.safetensors", True, False, 0.1, 1)
    reference(f"{folder}/soft_labels_weighted.safetensors", False, True, 0.1, 2)
    reference(f"{folder}/soft_labels_weighted_hard.safetensors", False, True, 0.0, 3)
    reference(f"{folder}/soft_labels_both.safetensors", True, True, 0.2, 4)


main(*sys.argv[1:])
