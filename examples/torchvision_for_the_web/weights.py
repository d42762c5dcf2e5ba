"""Writes torchvision's weights of a network as safetensors.

    pip install torchvision safetensors
    python3 weights.py mobilenet_v2 mobilenet_v2.safetensors

torchvision downloads them, trained on ImageNet, when they are first asked for.
"""

import sys

from safetensors.torch import save_file
from torchvision.models import get_model

name, file = sys.argv[1:]
save_file(get_model(name, weights="DEFAULT").state_dict(), file)
