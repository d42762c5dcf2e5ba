"""Families of networks in PyTorch: reference numbers, and torchvision's own models.

    python3 tests/python/families.py thin tests/reference/families.json
    python3 tests/python/families.py whole FOLDER 10 64 mobilenet_v2 densenet121

The first line writes what thin networks give in float64: logits and loss of a first training step,
logits of an evaluation, and of each gradient its length and its products with random directions.
Weights, images and directions follow from names, by the same formula as in tests/thin_families.ts,
so the file holds none of them. The second line writes torchvision's own models with drawn weights, of
10 classes, a file each: the state (init.NAME, float32), two images of 64 pixels (x) and their logits in
evaluation, in float64.
"""

import json
import sys
from functools import partial

# torchvision.py beside this file is not torchvision.
sys.path.append(sys.path.pop(0))

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.models as models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.densenet import DenseNet
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.models.squeezenet import Fire, SqueezeNet
from torchvision.models.vgg import VGG, make_layers

from safetensors_file import save

CLASSES = 5
IMAGES = 6
DIRECTIONS = 4


def uniform(name, count):
    """Numbers in [-1, 1) by a name: mulberry32, begun at the FNV-1a hash of the name."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 % 2**32
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t = (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))) ^ t
    return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2**31 - 1


def values_of(name, shape):
    """The first values of a tensor: norms are wide enough that activations are cut off at 6 and at 3."""
    count = int(np.prod(shape))
    u = uniform(name, count)
    if name.endswith("running_var"):
        values = 1 + 0.3 * u
    elif name.endswith("layer_scale"):
        values = 0.5 + 0.3 * u
    elif len(shape) > 1:
        values = (6 * shape[0] / count) ** 0.5 * u
    else:
        values = 2 + 0.4 * u if name.endswith(".weight") else 0.1 * u
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)


class WideBlock(nn.Module):
    def __init__(self, inputs, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.convShortcut = None
        if inputs != out or stride != 1:
            self.convShortcut = nn.Conv2d(inputs, out, 1, stride, bias=False)

    def forward(self, x):
        first = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(first))))
        return y + (x if self.convShortcut is None else self.convShortcut(first))


class WideStage(nn.Module):
    def __init__(self, inputs, out, stride, depth):
        super().__init__()
        blocks = [WideBlock(out if b else inputs, out, 1 if b else stride) for b in range(depth)]
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """As the code that goes with arXiv 1605.07146 has it."""

    def __init__(self, depth, factor):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideStage(16, 16 * factor, 1, depth)
        self.block2 = WideStage(16 * factor, 32 * factor, 2, depth)
        self.block3 = WideStage(32 * factor, 64 * factor, 2, depth)
        self.bn1 = nn.BatchNorm2d(64 * factor)
        self.fc = nn.Linear(64 * factor, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def resnext():
    network = ResNet(Bottleneck, [1, 1, 1, 1], CLASSES, groups=4, width_per_group=32)
    network.conv1, network.bn1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
    network.inplanes = 8
    network.layer1 = network._make_layer(Bottleneck, 16, 1)
    network.layer2 = network._make_layer(Bottleneck, 24, 2, stride=2)
    network.layer3 = network.layer4 = nn.Identity()
    network.fc = nn.Linear(96, CLASSES)
    return network


def vgg():
    network = VGG(make_layers([8, "M", 12, 16, "M"], batch_norm=True), CLASSES, init_weights=False)
    linear = [nn.Linear(16 * 49, 20), nn.Linear(20, 20), nn.Linear(20, CLASSES)]
    network.classifier = nn.Sequential(
        linear[0], nn.ReLU(), nn.Identity(), linear[1], nn.ReLU(), nn.Identity(), linear[2]
    )
    return network


def squeezenet():
    network = SqueezeNet("1_1", CLASSES, dropout=0)
    pool = partial(nn.MaxPool2d, 3, 2, ceil_mode=True)
    network.features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), nn.ReLU(), pool(), Fire(8, 4, 16, 16), pool(), Fire(32, 6, 24, 24)
    )
    network.classifier[1] = nn.Conv2d(48, CLASSES, 1)
    return network


def mobilenet_v3():
    rows = [
        (16, 3, 16, 16, False, "RE", 1),
        (16, 3, 64, 24, False, "RE", 2),
        (24, 5, 72, 40, True, "RE", 2),
        (40, 3, 104, 40, True, "HS", 1),
    ]
    settings = [InvertedResidualConfig(*row, 1, 1) for row in rows]
    norm = partial(nn.BatchNorm2d, eps=1e-5)
    return MobileNetV3(settings, 32, CLASSES, norm_layer=norm, dropout=0)


def efficientnet():
    rows = [(1, 3, 1, 16, 8, 1), (6, 5, 2, 8, 16, 2), (4, 3, 2, 16, 24, 1)]
    settings = [MBConvConfig(*row) for row in rows]
    return EfficientNet(settings, 0, 0, CLASSES, last_channel=40)


# Networks, and sides of their images: odd, and not alike.
THIN = {
    "resnext": (resnext, (33, 30)),
    "wide_resnet": (lambda: WideResNet(2, 1), (11, 9)),
    "vgg": (vgg, (21, 17)),
    "densenet": (lambda: DenseNet(6, (2, 3), 8, 4, 0, CLASSES), (35, 30)),
    "squeezenet": (squeezenet, (29, 26)),
    "mobilenetv2": (
        lambda: MobileNetV2(CLASSES, 1, [[1, 8, 1, 1], [3, 16, 2, 2], [6, 24, 1, 2]], dropout=0),
        (19, 22),
    ),
    "mobilenetv3": (mobilenet_v3, (27, 22)),
    "efficientnet": (efficientnet, (23, 18)),
    "convnext": (
        lambda: ConvNeXt(
            [CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)], 0, num_classes=CLASSES
        ),
        (27, 22),
    ),
}


def rounded(values):
    return [float(f"{value:.9g}") for value in values]


def thin(name):
    build, sides = THIN[name]
    network = build().double()
    state = {
        key: values_of(key, tensor.shape) if tensor.dtype.is_floating_point else tensor
        for key, tensor in network.state_dict().items()
    }
    network.load_state_dict(state)
    shape = (IMAGES, 3, *sides)
    pixels = uniform("images", int(np.prod(shape))).astype(np.float32).astype(np.float64)
    x = torch.from_numpy(pixels).reshape(shape)
    labels = torch.arange(IMAGES) % CLASSES
    with torch.no_grad():
        evaluation = network.eval()(x)
    logits = network.train()(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = {}
    for key, parameter in network.named_parameters():
        gradient = parameter.grad.flatten()
        directions = [
            torch.from_numpy(uniform(f"{key} {k}", gradient.numel())) * 3**0.5
            for k in range(DIRECTIONS)
        ]
        products = [gradient.dot(direction).item() for direction in directions]
        gradients[key] = rounded([gradient.norm().item(), *products])
    return {
        "sides": sides,
        "logits": rounded(logits.detach().flatten().tolist()),
        "evaluation": rounded(evaluation.flatten().tolist()),
        "loss": loss.item(),
        "gradients": gradients,
    }


def draw(network):
    """Weights in which nothing is zero or one; sums of many blocks keep their size."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, 0, (1.5 / fan_in) ** 0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.2)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.2)
            nn.init.normal_(module.bias, 0, 0.1)
        if hasattr(module, "layer_scale"):
            nn.init.uniform_(module.layer_scale, 0.2, 0.5)


def whole(path, name, classes, size):
    torch.manual_seed(0)
    network = getattr(models, name)(num_classes=classes)
    with torch.no_grad():
        draw(network)
        weights = {f"init.{key}": tensor.clone() for key, tensor in network.state_dict().items()}
        x = torch.randn(2, 3, size, size)
        logits = network.double().eval()(x.double())
    save(path, {**weights, "x": x, "logits": logits}, {"model": name})


def main(what, path, classes="10", size="64", *names):
    if what == "whole":
        for name in names:
            whole(f"{path}/{name}.safetensors", name, int(classes), int(size))
        return
    with open(path, "w") as file:
        lines = [f'  "{name}": {json.dumps(thin(name))}' for name in THIN]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


main(*sys.argv[1:])
