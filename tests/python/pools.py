"""What PyTorch gives for pools and upsampling: files for deno task parity.

    python3 tests/python/pools.py tests/reference

Each file holds an image x, the result y, the gradient dy of that, and the gradient dx, all from float64
and stored as float32; the attributes are in its metadata.
"""

import sys

import torch
import torch.nn.functional as F

from safetensors_file import save


def reference(path, op, shape, seed, **attributes):
    torch.manual_seed(seed)
    x = torch.randn(shape).double().requires_grad_()
    y = op(x, **attributes)
    dy = torch.randn(y.shape)
    y.backward(dy.double())
    tensors = {"x": x.detach().float(), "y": y.float(), "dy": dy, "dx": x.grad.float()}
    named = {{"kernel_size": "kernel", "scale_factor": "factor"}.get(k, k): str(v)
             for k, v in attributes.items()}
    save(path, tensors, named)


def main(folder):
    pad = {"kernel_size": 3, "stride": 2, "padding": 1}
    reference(f"{folder}/avg_pool2d_padding.safetensors", F.avg_pool2d, (2, 5, 7, 9), 1, **pad)
    reference(
        f"{folder}/avg_pool2d_uncounted.safetensors", F.avg_pool2d, (2, 3, 8, 5), 2,
        **pad, ceil_mode=True, count_include_pad=False,
    )
    # The last window hangs over the padding.
    reference(
        f"{folder}/avg_pool2d_over.safetensors", F.avg_pool2d, (1, 3, 8, 6), 3,
        kernel_size=3, stride=3, padding=1, ceil_mode=True,
    )
    reference(
        f"{folder}/max_pool2d_ceil.safetensors", F.max_pool2d, (2, 3, 8, 6), 4,
        kernel_size=3, stride=2, ceil_mode=True,
    )
    reference(
        f"{folder}/max_pool2d_over.safetensors", F.max_pool2d, (1, 5, 12, 7), 5,
        kernel_size=3, stride=4, padding=1, ceil_mode=True,
    )
    reference(
        f"{folder}/upsample2d.safetensors", F.interpolate, (2, 5, 3, 4), 6,
        scale_factor=3, mode="nearest",
    )


main(*sys.argv[1:])
