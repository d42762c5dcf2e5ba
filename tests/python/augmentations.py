"""Writes tests/reference/augmentations.json: what Pillow makes of one small picture.

Run with a Python that has Pillow: `python3 tests/python/augmentations.py`.
"""
import json
import random
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

WIDTH, HEIGHT = 17, 13
FILL = (128, 127, 126)

random.seed(5)
pixels = [
    (min(255, 10 * x + random.randrange(60)), min(255, 15 * y + random.randrange(70)), random.randrange(30, 200))
    for y in range(HEIGHT)
    for x in range(WIDTH)
]
picture = Image.new("RGB", (WIDTH, HEIGHT))
picture.putdata(pixels)


def moved(matrix):
    return picture.transform(picture.size, Image.AFFINE, matrix, resample=Image.BILINEAR, fillcolor=FILL)


def solarize_add(add):
    table = [min(255, i + add) if i < 128 else i for i in range(256)]
    return picture.point(table * 3)


CASES = [
    ("AutoContrast", 0, ImageOps.autocontrast(picture)),
    ("Equalize", 0, ImageOps.equalize(picture)),
    ("Invert", 0, ImageOps.invert(picture)),
    ("Posterize", 3, ImageOps.posterize(picture, 3)),
    ("Solarize", 97, ImageOps.solarize(picture, 97)),
    ("SolarizeAdd", 61, solarize_add(61)),
    ("Contrast", 1.63, ImageEnhance.Contrast(picture).enhance(1.63)),
    ("Contrast", 0.4, ImageEnhance.Contrast(picture).enhance(0.4)),
    ("Brightness", 0.37, ImageEnhance.Brightness(picture).enhance(0.37)),
    ("Brightness", 1.57, ImageEnhance.Brightness(picture).enhance(1.57)),
    ("Color", 1.71, ImageEnhance.Color(picture).enhance(1.71)),
    ("Color", 0.3, ImageEnhance.Color(picture).enhance(0.3)),
    ("Sharpness", 0.23, ImageEnhance.Sharpness(picture).enhance(0.23)),
    ("Sharpness", 1.83, ImageEnhance.Sharpness(picture).enhance(1.83)),
    ("Rotate", 27.3, picture.rotate(27.3, resample=Image.BILINEAR, fillcolor=FILL)),
    ("Rotate", -13.1, picture.rotate(-13.1, resample=Image.BILINEAR, fillcolor=FILL)),
    ("ShearX", 0.27, moved((1, 0.27, 0, 0, 1, 0))),
    ("ShearY", -0.19, moved((1, 0, 0, -0.19, 1, 0))),
    ("TranslateXRel", 0.33, moved((1, 0, 0.33 * WIDTH, 0, 1, 0))),
    ("TranslateYRel", -0.41, moved((1, 0, 0, 0, 1, -0.41 * HEIGHT))),
]


def flat(image):
    return [value for pixel in image.getdata() for value in pixel]


found = {
    "width": WIDTH,
    "height": HEIGHT,
    "fill": FILL,
    "pixels": flat(picture),
    "cases": [
        {"operation": name, "magnitude": magnitude, "pixels": flat(image)}
        for name, magnitude, image in CASES
    ],
}
path = Path(__file__).parent.parent / "reference" / "augmentations.json"
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
