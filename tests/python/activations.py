"""What PyTorch gives for activations, products, factors and layer norms: files for deno task parity.

    python3 tests/python/activations.py tests/reference

Results and gradients are from float64 and stored as float32. `activations.safetensors` holds numbers
x, those where slopes jump among them, the gradient dy, and NAME.y and NAME.dx for each activation.
"""

import sys

import torch
import torch.nn.functional as F

from safetensors_file import save

ACTIVATIONS = {
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid,
    "silu": F.silu,
    "hard_swish": F.hardswish,
    "gelu": F.gelu,
}


def activations(path):
    torch.manual_seed(1)
    x = torch.cat([torch.tensor([-100.0, -0.0, 0.0, 6.0, 100.0]), 3 * torch.randn(54)])
    dy = torch.randn(x.shape)
    tensors = {"x": x, "dy": dy}
    for name, function in ACTIVATIONS.items():
        at = x.double().requires_grad_()
        y = function(at)
        y.backward(dy.double())
        tensors[f"{name}.y"], tensors[f"{name}.dx"] = y.detach().float(), at.grad.float()
    save(path, tensors, {"slope": "0.1"})


def reference(path, function, shapes, seed, **metadata):
    """Inputs, y, its gradient dy, and the gradients of the inputs, `d` before their names."""
    torch.manual_seed(seed)
    inputs = {name: torch.randn(shape) for name, shape in shapes.items()}
    at = {name: value.double().requires_grad_() for name, value in inputs.items()}
    y = function(*at.values())
    dy = torch.randn(y.shape)
    y.backward(dy.double())
    gradients = {f"d{name}": value.grad.float() for name, value in at.items()}
    save(path, {**inputs, "y": y.detach().float(), "dy": dy, **gradients}, metadata)


def layer_norm(x, weight, bias):
    """Over the channels of each pixel, as in ConvNeXt."""
    channels = x.permute(0, 2, 3, 1)
    return F.layer_norm(channels, channels.shape[-1:], weight, bias, 1e-6).permute(0, 3, 1, 2)


def main(folder):
    activations(f"{folder}/activations.safetensors")
    reference(f"{folder}/multiply.safetensors", torch.mul, {"a": (2, 3, 4, 3), "b": (2, 3, 4, 3)}, 2)
    reference(
        f"{folder}/multiply_spread.safetensors", torch.mul, {"a": (2, 5, 3, 4), "b": (2, 5, 1, 1)}, 3
    )
    reference(
        f"{folder}/scale_channels.safetensors",
        lambda x, gamma: x * gamma.reshape(-1, 1, 1), {"x": (2, 5, 3, 4), "gamma": (5,)}, 4,
    )
    reference(
        f"{folder}/layer_norm.safetensors", layer_norm,
        {"x": (2, 6, 3, 4), "weight": (6,), "bias": (6,)}, 5, eps="1e-6",
    )


main(*sys.argv[1:])
