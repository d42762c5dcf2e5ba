"""What Pillow makes of small pictures, and torchvision of their colours.

    python3 tests/python/augmentations.py tests/reference/augmentations.json

Pixels are `[height, width, channels]` in base64: bytes of pictures, single precision of the jitter.
"""

import base64
import json
import random
import sys

# torchvision.py beside this file is not the package.
sys.path.pop(0)

import numpy
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageEnhance, ImageOps

FILL = (128, 127, 126)

random.seed(5)


def picture(width, height, pixel, mode="RGB"):
    made = Image.new(mode, (width, height))
    made.putdata([pixel(x, y) for y in range(height) for x in range(width)])
    return made


def slope(x, y):
    return (
        min(255, 10 * x + random.randrange(60)),
        min(255, 15 * y + random.randrange(70)),
        random.randrange(30, 200),
    )


PICTURES = {
    "colour": picture(17, 13, slope),
    "grey": picture(13, 17, lambda x, y: min(255, 12 * x + random.randrange(90)), "L"),
    # Equalizing leaves pictures of fewer than 256 pixels as they are.
    "large": picture(31, 37, lambda x, y: tuple(v // 2 + 20 for v in slope(x // 2, y // 3))),
    "large grey": picture(31, 37, lambda x, y: 60 + x + random.randrange(50), "L"),
    "flat": picture(19, 17, lambda x, y: (90, 0, 255)),
    "two colours": picture(19, 17, lambda x, y: (90, 0, 255) if x < 5 else (91, 255, 254)),
}


def moved(image, matrix):
    fill = FILL if image.mode == "RGB" else FILL[0]
    return image.transform(image.size, Image.AFFINE, matrix, resample=Image.BILINEAR, fillcolor=fill)


def rotated(image, degrees):
    fill = FILL if image.mode == "RGB" else FILL[0]
    return image.rotate(degrees, resample=Image.BILINEAR, fillcolor=fill)


def solarize_add(image, add):
    table = [min(255, i + add) if i < 128 else i for i in range(256)]
    return image.point(table * len(image.getbands()))


# As timm calls them.
OPERATIONS = {
    "Identity": lambda image, _: image,
    "AutoContrast": lambda image, _: ImageOps.autocontrast(image),
    "Equalize": lambda image, _: ImageOps.equalize(image),
    "Invert": lambda image, _: ImageOps.invert(image),
    "Posterize": ImageOps.posterize,
    "Solarize": ImageOps.solarize,
    "SolarizeAdd": solarize_add,
    "Contrast": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    "Brightness": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    "Color": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "Sharpness": lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor),
    "Rotate": rotated,
    "ShearX": lambda image, by: moved(image, (1, by, 0, 0, 1, 0)),
    "ShearY": lambda image, by: moved(image, (1, 0, 0, by, 1, 0)),
    "TranslateXRel": lambda image, part: moved(image, (1, 0, part * image.width, 0, 1, 0)),
    "TranslateYRel": lambda image, part: moved(image, (1, 0, 0, 0, 1, part * image.height)),
}

MAGNITUDES = {
    "Posterize": (1, 3, 8),
    "Solarize": (0, 97, 256),
    "SolarizeAdd": (0, 61, 110),
    "Contrast": (0.1, 0.4, 1, 1.63),
    "Brightness": (0.1, 0.37, 1.57),
    "Color": (0.1, 0.3, 1.71),
    "Sharpness": (0.1, 0.23, 1.83),
    "Rotate": (27.3, -13.1, 180),
    "ShearX": (0.27, -0.3),
    "ShearY": (0.3, -0.19),
    "TranslateXRel": (0.33, -0.45),
    "TranslateYRel": (0.25, -0.41),
}

CASES = [
    (name, operation, magnitude)
    for name in ("colour", "grey")
    for operation in OPERATIONS
    for magnitude in MAGNITUDES.get(operation, (0,))
] + [
    (name, operation, 0.7)
    for name in ("large", "large grey", "flat", "two colours")
    for operation in ("AutoContrast", "Equalize", "Contrast")
]

# Factors of brightness, contrast and saturation, the turn of the hue, and the order of the four.
JITTER = [
    ("colour", (1.3, 0.7, 1.4, 0.1), (0, 1, 2, 3)),
    ("colour", (0.6, 1.4, 0.5, -0.2), (3, 2, 1, 0)),
    ("colour", (1.1, 0.6, 1.7, 0.45), (1, 3, 0, 2)),
    ("colour", (1.8, 1.9, 0, -0.5), (2, 0, 3, 1)),
    ("large", (1, 1, 1, 0.3), (0, 1, 2, 3)),
    ("flat", (0.9, 0.2, 3, 0.25), (3, 1, 0, 2)),
    ("grey", (1.4, 0.3, 5, 0.2), (0, 1, 2, 3)),
    ("grey", (0.7, 1.9, 0, 0), (3, 2, 1, 0)),
]


def jittered(image, factors, order):
    """torchvision.transforms.ColorJitter with its numbers drawn."""
    x = torch.from_numpy(numpy.array(image).reshape(image.height, image.width, -1))
    x = x.permute(2, 0, 1).to(torch.float32) / 255
    for which in order:
        adjust = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)[which]
        x = adjust(x, factors[which])
    return (x * 255).permute(1, 2, 0).contiguous().numpy()


def encoded(values):
    return base64.b64encode(values).decode()


found = {
    "fill": FILL,
    "pictures": {
        name: {
            "shape": [image.height, image.width, len(image.getbands())],
            "pixels": encoded(image.tobytes()),
        }
        for name, image in PICTURES.items()
    },
    "cases": [
        {
            "picture": name,
            "operation": operation,
            "magnitude": magnitude,
            "pixels": encoded(OPERATIONS[operation](PICTURES[name], magnitude).tobytes()),
        }
        for name, operation, magnitude in CASES
    ],
    "jitter": [
        {
            "picture": name,
            "factors": factors,
            "order": order,
            "pixels": encoded(jittered(PICTURES[name], factors, order).astype("<f4").tobytes()),
        }
        for name, factors, order in JITTER
    ],
}
with open(sys.argv[1], "w") as file:
    json.dump(found, file, indent=2)
    file.write("\n")
