"""
PyTorch on CUDA, else on the CPU: the same work as the other peers, line by line.

    pytorch.py [float32|tf32|fp16|bf16] [graph]

float32 is without TF32; tf32 is PyTorch's default for convolutions on CUDA, here for products as well;
fp16 and bf16 are autocast. All but float32 keep images channels last. A graph is a CUDA graph of a whole
step. What a device cannot do ends the process with the reason.
"""

import gc
import json
import math
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

ENOUGH = 0.2
MOST_RUNS = 256

ARGUMENTS = sys.argv[1:] if __name__ == "__main__" else []
PRECISION = ARGUMENTS[0] if ARGUMENTS else "float32"
GRAPH = ARGUMENTS[1:] == ["graph"]
HALF = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(PRECISION)
LAST = PRECISION != "float32"
NAMES = {"float32": "float32", "tf32": "TF32", "fp16": "fp16 autocast", "bf16": "bf16 autocast"}
# A loss is scaled to begin with by less than PyTorch's 65,536, so that no step is left out.
SCALE = 1024.0

torch.backends.cuda.matmul.allow_tf32 = PRECISION == "tf32"
torch.backends.cudnn.allow_tf32 = PRECISION == "tf32"
torch.backends.cudnn.benchmark = True
CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
if PRECISION not in NAMES:
    raise SystemExit(f"error: wanted a precision out of {', '.join(NAMES)}, found {PRECISION}")
if not CUDA and (GRAPH or PRECISION in ("tf32", "fp16")):
    raise SystemExit(f"error: {'a CUDA graph' if GRAPH else NAMES[PRECISION]} needs CUDA")
if not CUDA:
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


def values(count, seed):
    """As in bench/work.ts."""
    bits = 0xFFFFFFFF
    h = torch.arange(1, count + 1, dtype=torch.int64)
    h = ((h * 0x9E3779B1) & bits) ^ (((seed + 1) * 0x85EBCA6B) & bits)
    h = ((h ^ (h >> 15)) * 0x2C1B3C6D) & bits
    h = ((h ^ (h >> 12)) * 0x297A2D39) & bits
    return ((h ^ (h >> 15)) >> 8).to(torch.float32) / 2**24 - 0.5


def weights(shape, index):
    count = math.prod(shape)
    return (values(count, index) * math.sqrt(12 * shape[-1] / count)).reshape(shape)


def laid(made):
    """As the precision wants images and filters in memory."""
    return made.contiguous(memory_format=torch.channels_last) if LAST else made.contiguous()


def image(batch, size, channels, seed):
    """[batch, channels, size, size]"""
    made = values(batch * size * size * channels, seed).reshape(batch, size, size, channels)
    return laid(made.permute(0, 3, 1, 2).to(DEVICE))


def filters(made):
    """[height, width, in, out] to [out, in, height, width]"""
    return laid(made.permute(3, 2, 0, 1).to(DEVICE))


def operand(made):
    """What a convolution is given under autocast: half floats."""
    return made if HALF is None else laid(made.to(HALF))


def convolution(task):
    kernel, inputs, out, size, batch = (task[k] for k in ("kernel", "in", "out", "size", "batch"))
    pad = kernel // 2
    x = operand(image(batch, size, inputs, 0))
    w = operand(filters(values(kernel * kernel * inputs * out, 1).reshape(kernel, kernel, inputs, out)))
    if task["direction"] == "forward":
        return lambda: F.conv2d(x, w, padding=pad)
    dy = operand(image(batch, size, out, 2))
    at = 0 if task["direction"] == "inputGradient" else 1
    wanted = [at == 0, at == 1, False]
    backward = torch.ops.aten.convolution_backward
    place = (None, [1, 1], [pad, pad], [1, 1], False, [0, 0], 1, wanted)
    return lambda: backward(dy, x, w, *place)[at]


class Norm(nn.Sequential):
    """Convolution and batch norm."""

    def __init__(self, kernel, inputs, out, stride=1, groups=1):
        conv = nn.Conv2d(inputs, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(out))


class Block(nn.Module):
    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        out = 4 * width if bottleneck else width
        if bottleneck:
            body = [Norm(1, inputs, width), nn.ReLU(), Norm(3, width, width, stride), nn.ReLU(), Norm(1, width, out)]
        else:
            body = [Norm(3, inputs, width, stride), nn.ReLU(), Norm(3, width, width)]
        self.body = nn.Sequential(*body)
        if bottleneck:
            # As in bench/own.ts.
            nn.init.zeros_(body[-1][1].weight)
        shortcut = [nn.AvgPool2d(2)] if stride > 1 else []
        self.shortcut = nn.Sequential(*shortcut, *([Norm(1, inputs, out)] if inputs != out else []))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def stem(task):
    if task["stem"] == "cifar":
        return [Norm(3, 3, task["widths"][0]), nn.ReLU()]
    rows = [Norm(3, 3, 32, 2), Norm(3, 32, 64), Norm(3, 64, 64)]
    return [layer for row in rows for layer in (row, nn.ReLU())] + [nn.MaxPool2d(3, 2, 1)]


def residual(task):
    bottleneck = task["bottleneck"]
    layers = stem(task)
    inputs = task["widths"][0]
    for stage, (width, depth) in enumerate(zip(task["widths"], task["depths"])):
        for i in range(depth):
            layers.append(Block(inputs, width, 2 if stage > 0 and i == 0 else 1, bottleneck))
            inputs = 4 * width if bottleneck else width
    return layers, inputs


class Inverted(nn.Module):
    def __init__(self, inputs, inner, out, stride):
        super().__init__()
        expand = [] if inner == inputs else [Norm(1, inputs, inner), nn.ReLU6()]
        depthwise = [Norm(3, inner, inner, stride, groups=inner), nn.ReLU6()]
        self.body = nn.Sequential(*expand, *depthwise, Norm(1, inner, out))
        self.adds = stride == 1 and inputs == out

    def forward(self, x):
        return self.body(x) + x if self.adds else self.body(x)


def inverted(task):
    inputs, head = task["stemWidth"], task["headWidth"]
    layers = [Norm(3, 3, inputs, 2), nn.ReLU6()]
    for row in task["rows"]:
        for i in range(row["repeat"]):
            layers.append(Inverted(inputs, inputs * row["expand"], row["out"], row["stride"] if i == 0 else 1))
            inputs = row["out"]
    return layers + [Norm(1, inputs, head), nn.ReLU6()], head


def network(task):
    layers, features = {"residual": residual, "inverted": inverted}[task["blocks"]](task)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, task["classes"])]
    made = nn.Sequential(*layers).to(DEVICE)
    index = 0
    with torch.no_grad():
        for p in made.parameters():
            if p.dim() == 4:
                p.copy_(filters(weights([p.shape[2], p.shape[3], p.shape[1], p.shape[0]], index)))
            elif p.dim() == 2:
                p.copy_(weights([p.shape[1], p.shape[0]], index).T)
            index += p.dim() > 1
        made[-1].bias.zero_()
    return made


def grad_scaler():
    """Of loss scaling, where gradients are fp16: what newer versions call it, or older ones."""
    if PRECISION != "fp16":
        return None
    made = getattr(torch.amp, "GradScaler", None)
    return made("cuda", init_scale=SCALE) if made else torch.cuda.amp.GradScaler(init_scale=SCALE)


def forward_loss(made, x, y):
    if HALF is None:
        return F.cross_entropy(made(x), y)
    with torch.autocast(DEVICE.type, HALF):
        return F.cross_entropy(made(x), y)


def step(task):
    batch, size = task["batch"], task["size"]
    made = network(task)
    if LAST:
        made = made.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(made.parameters(), task["lr"], momentum=task["momentum"])
    pixels = torch.floor((image(batch, size, 3, 999) + 0.5) * 256)
    x = (pixels / 255 - 0.5) / 0.5
    y = torch.arange(batch, device=DEVICE) % task["classes"]
    if GRAPH:
        return captured(made, optimizer, lambda: forward_loss(made, x, y))
    scaler = grad_scaler()

    def run():
        optimizer.zero_grad()
        loss = forward_loss(made, x, y)
        if scaler:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        else:
            loss.backward()
            optimizer.step()
        return loss.detach()

    return run


def captured(made, optimizer, forward):
    """
    A whole step as a CUDA graph. A scaler asks the processor whether to step, which no graph can: the
    loss of fp16 is scaled by a constant, and gradients are scaled back.
    """
    parameters = list(made.parameters())
    scale = SCALE if PRECISION == "fp16" else 1.0

    def run():
        # Gradients that are not there are written, not added up; in a graph they keep their place.
        optimizer.zero_grad(set_to_none=True)
        loss = forward()
        (loss * scale).backward()
        if scale != 1.0:
            torch._foreach_mul_([p.grad for p in parameters], 1 / scale)
        optimizer.step()
        return loss.detach()

    kept = [value.clone() for value in made.state_dict().values()]
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = run()
    # Training begins here, as it does for all others.
    with torch.no_grad():
        for value, before in zip(made.state_dict().values(), kept):
            value.copy_(before)
        for p in parameters:
            optimizer.state[p]["momentum_buffer"].zero_()

    def replay():
        graph.replay()
        return loss

    return replay


def settle():
    if CUDA:
        torch.cuda.synchronize()


def timed(run, count):
    """Seconds of one run, and the last result."""
    settle()
    start = time.perf_counter()
    for _ in range(count):
        last = run()
    settle()
    return (time.perf_counter() - start) / count, last


def forget():
    """Gives the memory of the last task back, for the other peers."""
    if CUDA:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak():
    return {"bytes": torch.cuda.max_memory_allocated()} if CUDA else {}


def say(message):
    print(json.dumps(message), flush=True)


def main():
    device = torch.cuda.get_device_name() if CUDA else f"CPU, {torch.get_num_threads()} threads"
    words = [NAMES[PRECISION]] if ARGUMENTS else []
    name = " ".join(["PyTorch", *words, *(["CUDA graph"] if GRAPH else [])])
    say({"name": name, "version": torch.__version__, "device": device})
    run, runs = None, 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                run = None
                forget()
                task = request["task"]
                run = step(task) if task["kind"] == "step" else convolution(task)
                timed(run, 1)
                one, last = timed(run, 1)
                runs = min(MOST_RUNS, math.ceil(ENOUGH / max(one, ENOUGH / MOST_RUNS)))
                say({"check": last.double().abs().sum().item(), **peak()})
            else:
                say({"ms": timed(run, runs)[0] * 1000})
        except Exception as error:
            say({"error": str(error)})


if __name__ == "__main__":
    main()
