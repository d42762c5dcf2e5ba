"""Writes a torchvision model with random weights and statistics as ONNX.

Usage: python3 onnx_model.py NAME OPSET SIZE FILE [KEYWORD=NUMBER ...]
Names of layers are kept, nothing is folded. The batch can be any.
"""

import sys

# Beside this file there is another torchvision.
sys.path.pop(0)

import torch
import torchvision


def main():
    name, opset, size, file, *keywords = sys.argv[1:]
    torch.manual_seed(1)
    options = {key: int(value) for key, value in (word.split("=") for word in keywords)}
    model = getattr(torchvision.models, name)(weights=None, **options)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    torch.onnx.export(
        model.eval(),
        torch.randn(2, 3, int(size), int(size)),
        file,
        opset_version=int(opset),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        # With folding on, norms go into convolutions, and weights lose their names.
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )


main()
