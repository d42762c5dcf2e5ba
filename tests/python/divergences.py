"""What PyTorch gives for the divergences of two networks' outputs: files for deno task parity.

    python3 tests/python/divergences.py tests/reference

Each file holds logits of two networks (base, small), labels, and where its metadata say so the labels
and shares of mixed images (others, shares); then the value of each divergence, and the gradients of
the logits, all from float64, after the formulas of the papers:

    kl    T^2 KL(softmax(base / T) || softmax(small / T)), Hinton et al. 2015
    dist  Huang et al. 2022, equations 6 to 9: Pearson's correlations over classes and over images
    dkd   Zhao et al. 2022, equation 7: target class against the rest, and among the rest
"""

import json
import sys

import torch
import torch.nn.functional as F

from safetensors_file import save

BATCH, CLASSES = 13, 11
ALPHA, BETA, GAMMA = 1.5, 2.0, 0.75


def kl_rows(p, q):
    return (p * (p.log() - q.log())).sum(1)


def kl(base, small, temperature, data):
    p, q = (F.softmax(x / temperature, 1) for x in (base, small))
    return temperature**2 * kl_rows(p, q).mean()


def pearson(a, b):
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-8)


def dist(base, small, temperature, data):
    p, q = (F.softmax(x / temperature, 1) for x in (base, small))
    inter, intra = 1 - pearson(p, q).mean(), 1 - pearson(p.T, q.T).mean()
    return temperature**2 * (BETA * inter + GAMMA * intra)


def dkd_rows(base, small, labels):
    target = F.one_hot(labels, CLASSES).bool()

    def parts(logits):
        own = F.softmax(logits, 1)[target][:, None]
        rest = logits[~target].reshape(BATCH, CLASSES - 1)
        return torch.cat([own, 1 - own], 1), F.softmax(rest, 1)

    (p, p_rest), (q, q_rest) = parts(base), parts(small)
    return ALPHA * kl_rows(p, q) + BETA * kl_rows(p_rest, q_rest)


def dkd(base, small, temperature, data):
    base, small = base / temperature, small / temperature
    rows = dkd_rows(base, small, data["labels"])
    if "others" in data:
        shares = data["shares"].double()
        rows = shares * rows + (1 - shares) * dkd_rows(base, small, data["others"])
    return temperature**2 * rows.mean()


def reference(path, temperature, mixed, seed):
    torch.manual_seed(seed)
    logits = {name: torch.randn(BATCH, CLASSES) * 2 for name in ("base", "small")}
    data = {"labels": torch.randint(CLASSES, (BATCH,))}
    if mixed:
        data["others"] = torch.randint(CLASSES, (BATCH,))
        data["shares"] = torch.rand(BATCH)
        data["shares"][3] = 1
    tensors = {**logits, **data}
    for name, divergence in {"kl": kl, "dist": dist, "dkd": dkd}.items():
        pair = [logits[which].double().requires_grad_() for which in ("base", "small")]
        value = divergence(*pair, temperature, data)
        value.backward()
        tensors[f"{name}.value"] = value.detach().float().reshape(1)
        for which, x in zip(("base", "small"), pair):
            tensors[f"{name}.d{which}"] = x.grad.float()
    said = {"temperature": temperature, "mixed": mixed, "alpha": ALPHA, "beta": BETA, "gamma": GAMMA}
    save(path, tensors, {key: json.dumps(value) for key, value in said.items()})


def main(folder):
    reference(f"{folder}/divergences.safetensors", 1.0, False, 1)
    reference(f"{folder}/divergences_warm.safetensors", 4.0, False, 2)
    reference(f"{folder}/divergences_mixed.safetensors", 2.0, True, 3)


main(*sys.argv[1:])
