"""What torchvision's ResNets give for random weights: reference files for deno task parity.

    python3 tests/python/torchvision.py tests/reference
    python3 tests/python/torchvision.py FOLDER resnet18 1000 64

The first line writes the two files of that folder, of thin networks; the second one file of a whole
network of 1000 classes on images of 64 pixels. It needs PyTorch alone: the architecture is written
out below, as torchvision has it. A file holds weights by torchvision's names (init.NAME, float32),
images (x) and the logits of an evaluation in float64 (logits); its metadata say what was built.
"""

import json
import sys

import torch
import torch.nn as nn

from safetensors_file import save

MODELS = {
    "resnet18": (1, [2, 2, 2, 2]),
    "resnet34": (1, [3, 4, 6, 3]),
    "resnet50": (4, [3, 4, 6, 3]),
    "resnet101": (4, [3, 4, 23, 3]),
    "resnet152": (4, [3, 8, 36, 3]),
}
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}


class Block(nn.Module):
    def __init__(self, inputs, width, stride, expansion):
        super().__init__()
        out = width * expansion
        if expansion == 1:
            kernels, widths, strides = [3, 3], [inputs, width, out], [stride, 1]
        else:
            kernels, widths, strides = [1, 3, 1], [inputs, width, width, out], [1, stride, 1]
        self.count = len(kernels)
        for i, kernel in enumerate(kernels):
            convolution = nn.Conv2d(
                widths[i], widths[i + 1], kernel, strides[i], kernel // 2, bias=False
            )
            setattr(self, f"conv{i + 1}", convolution)
            setattr(self, f"bn{i + 1}", nn.BatchNorm2d(widths[i + 1]))
        self.downsample = None
        if stride != 1 or inputs != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = torch.relu(y)
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, expansion, blocks, widths, classes):
        super().__init__()
        inputs = widths[0]
        self.conv1 = nn.Conv2d(3, inputs, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for s, (depth, width) in enumerate(zip(blocks, widths)):
            stage = []
            for b in range(depth):
                stage.append(Block(inputs, width, 2 if s > 0 and b == 0 else 1, expansion))
                inputs = width * expansion
            setattr(self, f"layer{s + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def draw(network):
    """Weights in which nothing is zero or one; the last norm of a block keeps sums from growing."""
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.weight[0].numel()
                module.weight.normal_(0, (2 / fan_in) ** 0.5)
            elif isinstance(module, nn.BatchNorm2d):
                last = name.endswith("bn3") or (name.endswith("bn2") and network.expansion == 1)
                module.weight.uniform_(0.5, 1.5).mul_(0.3 if last and "layer" in name else 1)
                module.bias.normal_(0, 0.1)
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.num_batches_tracked.fill_(7)
            elif isinstance(module, nn.Linear):
                module.weight.normal_(0, module.in_features**-0.5)
                module.bias.normal_(0, 0.1)


def reference(path, expansion, blocks, widths, classes, size, seed=0):
    torch.manual_seed(seed)
    network = ResNet(expansion, blocks, widths, classes)
    network.expansion = expansion
    draw(network)
    weights = {f"init.{name}": tensor.clone() for name, tensor in network.state_dict().items()}
    x = torch.randn(2, 3, *size)
    with torch.no_grad():
        logits = network.double().eval()(x.double())
    metadata = {"expansion": expansion, "blocks": blocks, "widths": widths, "stem": widths[:1]}
    tensors = {**weights, "x": x, "logits": logits}
    save(path, tensors, {key: json.dumps(value) for key, value in metadata.items()})
    return sum(p.numel() for p in network.parameters())


def main(folder, name=None, classes="1000", size="64"):
    if name is None:
        # Sides that are odd after every stride tell one padding from another.
        reference(f"{folder}/torchvision_basic.safetensors", 1, [2, 1, 2, 1], [8, 12, 16, 24], 10, (35, 30))
        reference(f"{folder}/torchvision_bottleneck.safetensors", 4, [1, 2, 1, 1], [4, 6, 8, 10], 7, (33, 46))
        return
    expansion, blocks = MODELS[name]
    path = f"{folder}/torchvision_{name}.safetensors"
    count = reference(path, expansion, blocks, [64, 128, 256, 512], int(classes), (int(size),) * 2)
    assert classes != "1000" or count == PARAMETERS[name], count


main(*sys.argv[1:])
