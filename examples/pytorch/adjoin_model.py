"""A network saved by adjoin as a PyTorch module.

    from adjoin_model import load
    model = load("small.safetensors")        # in evaluation mode, weights loaded
    logits = model(model.normalize(pixels))  # uint8 [batch, height, width, channels]
    print(model.info["classes"][logits[0].argmax()])

`AdjoinNetwork` is built from the layers in the file's metadata; its submodules have the names of the
tensors, so that `load_state_dict` takes them as they are. It needs torch, and nothing else. Weights
of 16 or 64 bits are converted to float32.

    python3 adjoin_model.py small.safetensors                      # says what is in the file
    python3 adjoin_model.py small.safetensors check.safetensors    # compares logits

The second reads images from the tensor `pixels` (uint8, as above) and compares with the tensor
`logits`: to 1e-4 of the largest logit of an image, or of 1 where that is more, as the command
`export` does, and the same class for each. It ends with exit code 1 if they are not equal. A file
that cannot be read gives one line and exit code 3.
"""

import json
import struct
import sys
from collections import namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

TOLERANCE = 1e-4

DTYPES = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "U8": torch.uint8,
}


def refuse(path, why):
    raise ValueError(f"Cannot load {path}: {why}")


def read_safetensors(path):
    """Tensors by name, and the metadata: strings by name."""
    with open(path, "rb") as file:
        start = file.read(8)
        if start == b"version ":
            refuse(path, "it is a pointer of Git LFS, not the file itself; run git lfs pull")
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= 100_000_000:
            refuse(path, "wanted a safetensors file")
        try:
            header = json.loads(file.read(length))
        except ValueError:
            refuse(path, "wanted a safetensors file")
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in DTYPES:
            refuse(path, f"wanted numbers of {', '.join(DTYPES)}, found {entry['dtype']} in {name!r}")
        begin, end = entry["data_offsets"]
        if end > len(data):
            refuse(path, f"it ends before the numbers of {name!r}; copy or download it again")
        flat = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def place(root, name, module):
    """Puts a module at a name with dots, as `layer1.0.conv1`."""
    *parents, last = name.split(".")
    for part in parents:
        root = root._modules.setdefault(part, nn.Module())
    # A block may be the name of a layer as well as the beginning of others' names.
    if last in root._modules:
        module._modules.update(root._modules[last]._modules)
    root._modules[last] = module


def find(root, name):
    """The module at a name with dots."""
    for part in name.split("."):
        root = root._modules[part]
    return root


def pair(sides):
    """A number for rows and one for columns, of one for both or of two."""
    return tuple(sides) if isinstance(sides, list) else (sides, sides)


def make_conv2d(layer, channels):
    kernel, dilation = pair(layer["kernel"]), pair(layer.get("dilation", 1))
    half = [side // 2 * step for side, step in zip(kernel, dilation)]
    return nn.Conv2d(
        channels,
        layer["out"],
        kernel,
        pair(layer.get("stride", 1)),
        pair(layer.get("padding", half)),
        dilation,
        layer.get("groups", 1),
        bias=layer.get("bias", False),
    )


def run_batch_norm(layer, module, x):
    """Norms rows of features as images of one pixel."""
    return module(x) if x.dim() == 4 else module(x[:, :, None, None])[:, :, 0, 0]


def run_avg_pool2d(layer, module, x):
    return F.avg_pool2d(
        x,
        layer["kernel"],
        layer["stride"],
        layer.get("padding", 0),
        ceil_mode=layer.get("ceilMode", False),
        count_include_pad=layer.get("countPadding", True),
    )


def run_max_pool2d(layer, module, x):
    ceil = layer.get("ceilMode", False)
    return F.max_pool2d(x, layer["kernel"], layer["stride"], layer["padding"], ceil_mode=ceil)


def run_adaptive_avg_pool2d(layer, module, x):
    size, least = layer["size"], layer.get("atLeast", False)
    sides = [max(size, side) if least else size for side in x.shape[2:]]
    return F.adaptive_avg_pool2d(x, sides)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of images, or of rows of features."""

    def forward(self, x):
        if x.dim() == 2:
            return super().forward(x)
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Scale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        return x * self.gamma.reshape(1, -1, *[1] * (x.dim() - 2))


def run_drop_path(layer, network, x):
    """Stochastic depth: drops the values of whole images, in training."""
    if not network.training or layer["rate"] == 0:
        return x
    kept = x.new_empty((len(x),) + (1,) * (x.dim() - 1)).bernoulli_(1 - layer["rate"])
    return x * kept / (1 - layer["rate"])


# A kind of layers: its output from a layer, its module and its inputs (where it has no module, the
# network); the module of a layer that is applied to so many channels, where it has weights; and the
# channels of its output, given those of its inputs, where they are not those of the first.
Kind = namedtuple("Kind", ("run", "module", "channels"), defaults=(None, lambda layer, made: made[0]))

KINDS = {
    "conv2d": Kind(
        lambda layer, module, x: module(x), make_conv2d, lambda layer, made: layer["out"]
    ),
    "batchNorm": Kind(
        run_batch_norm,
        lambda layer, channels: nn.BatchNorm2d(channels, layer.get("eps", 1e-5)),
    ),
    "linear": Kind(
        lambda layer, module, x: module(x),
        lambda layer, channels: nn.Linear(channels, layer["out"]),
        lambda layer, made: layer["out"],
    ),
    "layerNorm": Kind(
        lambda layer, module, x: module(x),
        lambda layer, channels: ChannelNorm(channels, layer.get("eps", 1e-6)),
    ),
    "scale": Kind(lambda layer, module, x: module(x), lambda layer, channels: Scale(channels)),
    "relu": Kind(lambda layer, module, x: F.relu(x)),
    "relu6": Kind(lambda layer, module, x: F.relu6(x)),
    "leakyRelu": Kind(lambda layer, module, x: F.leaky_relu(x, layer.get("slope", 0.01))),
    "sigmoid": Kind(lambda layer, module, x: torch.sigmoid(x)),
    "hardSigmoid": Kind(lambda layer, module, x: F.hardsigmoid(x)),
    "silu": Kind(lambda layer, module, x: F.silu(x)),
    "hardSwish": Kind(lambda layer, module, x: F.hardswish(x)),
    "gelu": Kind(lambda layer, module, x: F.gelu(x)),
    "add": Kind(lambda layer, module, a, b: a + b),
    "multiply": Kind(lambda layer, module, a, b: a * b),
    "narrow": Kind(
        lambda layer, module, x: x[:, : layer["channels"]],
        channels=lambda layer, made: layer["channels"],
    ),
    "select": Kind(
        lambda layer, module, x: x[:, layer["channels"]],
        channels=lambda layer, made: len(layer["channels"]),
    ),
    "concat": Kind(
        lambda layer, module, *values: torch.cat(values, dim=1),
        channels=lambda layer, made: sum(made),
    ),
    "maxPool2d": Kind(run_max_pool2d),
    "avgPool2d": Kind(run_avg_pool2d),
    "adaptiveAvgPool2d": Kind(run_adaptive_avg_pool2d),
    "globalAvgPool2d": Kind(
        lambda layer, module, x: x.mean(dim=(2, 3), keepdim=layer.get("keepImage", False))
    ),
    "upsample2d": Kind(
        lambda layer, module, x: F.interpolate(x, scale_factor=layer["factor"], mode="nearest")
    ),
    "channelShuffle": Kind(lambda layer, module, x: torch.channel_shuffle(x, layer["groups"])),
    "dropout": Kind(lambda layer, network, x: F.dropout(x, layer["rate"], network.training)),
    "dropPath": Kind(run_drop_path),
}


class AdjoinNetwork(nn.Module):
    """Runs layers one after the other.

    `info` are the metadata of the file, read as JSON: `network`, `classes`, `image` (height, width,
    channels), `mean`, `std`, and maybe `crop_pct` and `top1`; besides, maybe the word
    `interpolation`.
    """

    def __init__(self, info):
        super().__init__()
        self.info = info
        self._layers = []
        channels = []
        for i, layer in enumerate(info["network"]["layers"]):
            # What the file leaves out follows from the rest.
            layer = {"inputs": [i - 1], **layer}
            if layer["kind"] not in KINDS:
                raise ValueError(f"Cannot build layer {i}: its kind {layer['kind']!r} is not known")
            kind = KINDS[layer["kind"]]
            made = [info["network"]["channels"] if v < 0 else channels[v] for v in layer["inputs"]]
            if kind.module is not None:
                place(self, layer["name"], kind.module(layer, made[0]))
            self._layers.append(layer)
            channels.append(kind.channels(layer, made))

    def forward(self, image):
        """Normalised images `[batch, channels, height, width]` to logits `[batch, classes]`."""
        values = []
        for layer in self._layers:
            kind = KINDS[layer["kind"]]
            inputs = [image if v < 0 else values[v] for v in layer["inputs"]]
            module = find(self, layer["name"]) if kind.module is not None else self
            values.append(kind.run(layer, module, *inputs))
        return values[-1]

    def normalize(self, pixels):
        """uint8 `[batch, height, width, channels]` to what `forward` takes."""
        mean, std = (
            torch.tensor(self.info[key], device=pixels.device).reshape(1, -1, 1, 1)
            for key in ("mean", "std")
        )
        return (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std


def load(path):
    """The network in a file, with its weights, in evaluation mode."""
    tensors, metadata = read_safetensors(path)
    keys = ("network", "classes", "image", "mean", "std")
    if any(key not in metadata for key in keys):
        refuse(path, f"wanted {', '.join(keys)} in its metadata; export it")
    info = {
        key: json.loads(metadata[key]) for key in (*keys, "crop_pct", "top1") if key in metadata
    }
    if "interpolation" in metadata:
        info["interpolation"] = metadata["interpolation"]
    model = AdjoinNetwork(info)
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model.eval()


def compare(logits, wanted):
    """The largest difference, the largest one relative to its image, and how many classes agree."""
    apart = (logits - wanted).abs().amax(dim=1)
    scale = wanted.abs().amax(dim=1).clamp(min=1)
    first, second = logits.argmax(dim=1), wanted.argmax(dim=1)
    # Classes that neither tells apart by more than the tolerance count as the same.
    tied = torch.maximum(
        logits.gather(1, first[:, None]) - logits.gather(1, second[:, None]),
        wanted.gather(1, second[:, None]) - wanted.gather(1, first[:, None]),
    )[:, 0]
    return apart.max().item(), (apart / scale).max().item(), (tied <= TOLERANCE * scale).sum().item()


def main(path, check=None):
    model = load(path)
    parameters = sum(p.numel() for p in model.parameters())
    classes, image = model.info["classes"], model.info["image"]
    print(f"{path}: {parameters} parameters, {len(classes)} classes, images of {image}")
    if check is None:
        return 0
    wanted, _ = read_safetensors(check)
    if any(key not in wanted for key in ("pixels", "logits")):
        refuse(check, "wanted the tensors pixels and logits")
    with torch.no_grad():
        logits = model(model.normalize(wanted["pixels"]))
    difference, error, agreeing = compare(logits, wanted["logits"].float())
    print(
        f"largest logit difference {difference:.1e}, {error:.1e} of the largest logit or 1, "
        f"{agreeing} of {len(logits)} images in the same class"
    )
    # NaN is not equal to anything.
    return 0 if error <= TOLERANCE and agreeing == len(logits) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
