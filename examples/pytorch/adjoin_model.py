"""A network saved by adjoin as a PyTorch module.

    from adjoin_model import load
    model = load("small.safetensors")        # in evaluation mode, weights loaded
    logits = model(model.normalize(pixels))  # uint8 [batch, height, width, channels]
    print(model.info["classes"][logits[0].argmax()])

`AdjoinNetwork` is built from the layers in the file's metadata; its submodules have the names of the
tensors, so that `load_state_dict` takes them as they are. It needs torch, and nothing else.

    python3 adjoin_model.py small.safetensors                      # says what is in the file
    python3 adjoin_model.py small.safetensors check.safetensors    # compares logits

The second reads images from the tensor `pixels` (uint8, as above) and wants the tensor `logits` to
1e-4; it ends with exit code 1 if they are not equal.
"""

import json
import struct
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

TOLERANCE = 1e-4

DTYPES = {"F32": torch.float32, "U8": torch.uint8}


def read_safetensors(path):
    """Tensors by name, and the metadata: strings by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def place(root, name, module):
    """Puts a module at a name with dots, as `layer1.0.conv1`."""
    *parents, last = name.split(".")
    for part in parents:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root._modules[part]
    root.add_module(last, module)


def make_module(layer, channels):
    """The module of a layer with weights, applied to so many channels; else None."""
    kind = layer["kind"]
    if kind == "conv2d":
        kernel = layer["kernel"]
        stride, padding = layer.get("stride", 1), layer.get("padding", kernel // 2)
        return nn.Conv2d(channels, layer["out"], kernel, stride, padding, bias=False)
    if kind == "batchNorm":
        return nn.BatchNorm2d(channels)
    if kind == "linear":
        return nn.Linear(channels, layer["out"])
    return None


def run_layer(layer, module, x, *others):
    kind = layer["kind"]
    if kind == "batchNorm" and x.dim() == 2:
        return module(x[:, :, None, None])[:, :, 0, 0]
    if module is not None:
        return module(x)
    if kind == "relu":
        return F.relu(x)
    if kind == "add":
        return x + others[0]
    if kind == "narrow":
        return x[:, : layer["channels"]]
    if kind == "maxPool2d":
        return F.max_pool2d(x, layer["kernel"], layer["stride"], layer["padding"])
    if kind == "avgPool2d":
        ceil = layer.get("ceilMode", False)
        return F.avg_pool2d(x, layer["kernel"], layer["stride"], ceil_mode=ceil)
    if kind == "globalAvgPool2d":
        return x.mean(dim=(2, 3))
    raise ValueError(f"Cannot run layer {kind}: it is not known here")


class AdjoinNetwork(nn.Module):
    """Runs layers one after the other.

    `info` are the metadata of the file, read as JSON: `network`, `classes`, `image` (height, width,
    channels), `mean`, `std`, and maybe `top1`.
    """

    def __init__(self, info):
        super().__init__()
        self.info = info
        self._layers = []
        channels = []
        for i, layer in enumerate(info["network"]["layers"]):
            # What the file leaves out follows from the rest.
            layer = {"inputs": [i - 1], **layer}
            made = [info["network"]["channels"] if v < 0 else channels[v] for v in layer["inputs"]]
            module = make_module(layer, made[0])
            if module is not None:
                place(self, layer["name"], module)
            self._layers.append(layer)
            channels.append(layer.get("out", layer.get("channels", made[0])))

    def forward(self, image):
        """Normalised images `[batch, channels, height, width]` to logits `[batch, classes]`."""
        values = []
        for layer in self._layers:
            inputs = [image if v < 0 else values[v] for v in layer["inputs"]]
            module = self.get_submodule(layer["name"]) if "name" in layer else None
            values.append(run_layer(layer, module, *inputs))
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
        raise ValueError(f"Cannot load {path}: wanted {', '.join(keys)} in its metadata; export it")
    info = {key: json.loads(metadata[key]) for key in (*keys, "top1") if key in metadata}
    model = AdjoinNetwork(info)
    model.load_state_dict(tensors)
    return model.eval()


def main(path, check=None):
    model = load(path)
    parameters = sum(p.numel() for p in model.parameters())
    classes, image = model.info["classes"], model.info["image"]
    print(f"{path}: {parameters} parameters, {len(classes)} classes, images of {image}")
    if check is None:
        return 0
    wanted, _ = read_safetensors(check)
    with torch.no_grad():
        logits = model(model.normalize(wanted["pixels"]))
    difference = (logits - wanted["logits"]).abs().max().item()
    print(f"largest logit difference {difference:.1e} over {len(logits)} images")
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
