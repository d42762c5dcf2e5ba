"""What PyTorch gives for grouped, dilated and rectangular convolutions: files for deno task parity.

    python3 tests/python/convolutions.py tests/reference

Each file holds an image x, the weight, the result y, the gradient dy of that, and the gradients dx and
dweight, all from float64 and stored as float32; the attributes are in its metadata, numbers for
height and width with an x between them.
"""

import sys

import torch
import torch.nn.functional as F

from safetensors_file import save


def sides(number):
    return "x".join(str(side) for side in number) if isinstance(number, tuple) else str(number)


def reference(path, shape, weight_shape, seed, **attributes):
    torch.manual_seed(seed)
    x = torch.randn(shape).double().requires_grad_()
    weight = torch.randn(weight_shape).double().requires_grad_()
    y = F.conv2d(x, weight, **attributes)
    dy = torch.randn(y.shape)
    y.backward(dy.double())
    tensors = {
        "x": x.detach().float(),
        "weight": weight.detach().float(),
        "y": y.float(),
        "dy": dy,
        "dx": x.grad.float(),
        "dweight": weight.grad.float(),
    }
    defaults = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    save(path, tensors, {k: sides(v) for k, v in {**defaults, **attributes}.items()})


def bias(path, seed):
    torch.manual_seed(seed)
    x = torch.randn(2, 7, 5, 3).double().requires_grad_()
    weight = torch.randn(7).double().requires_grad_()
    y = x + weight.reshape(1, -1, 1, 1)
    dy = torch.randn(y.shape)
    y.backward(dy.double())
    tensors = {
        "x": x.detach().float(),
        "bias": weight.detach().float(),
        "y": y.float(),
        "dy": dy,
        "dx": x.grad.float(),
        "dbias": weight.grad.float(),
    }
    save(path, tensors, {})


def main(folder):
    def conv(name, *args, **attributes):
        reference(f"{folder}/conv2d_{name}.safetensors", *args, **attributes)

    conv("depthwise", (2, 6, 7, 5), (6, 1, 3, 3), 1, padding=1, groups=6)
    conv("depthwise_strided", (2, 5, 8, 7), (5, 1, 3, 3), 2, stride=2, padding=1, groups=5)
    conv("multiplied", (2, 3, 6, 7), (6, 1, 3, 3), 3, stride=2, padding=1, groups=3)
    conv("grouped", (2, 8, 6, 5), (12, 4, 3, 3), 4, stride=2, padding=1, groups=2)
    conv("grouped_oddly", (1, 6, 6, 5), (9, 2, 3, 3), 5, padding=1, groups=3)
    conv("dilated", (1, 3, 9, 8), (5, 3, 3, 3), 6, padding=2, dilation=2)
    conv("dilated_strided", (1, 3, 11, 9), (4, 3, 3, 3), 7, stride=2, padding=(2, 3), dilation=(2, 3))
    conv("rectangular", (1, 4, 8, 9), (6, 4, 1, 7), 8, stride=(2, 1), padding=(0, 3))
    bias(f"{folder}/bias.safetensors", 9)


main(*sys.argv[1:])
