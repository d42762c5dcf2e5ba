"""What Pillow and torchvision make of small pictures: reference files for the tests of decoding.

    python3 tests/python/pictures.py tests/reference/pictures

It writes pictures, their pixels as Pillow decodes them (decoded.json), and pixels of noise that
Pillow and torchvision bring to other sizes (resized.json). Pixels are red, green, blue of each pixel
in turn, or grey, in base64. It needs Pillow, NumPy, PyTorch and torchvision.
"""

import base64
import io
import json
import os
import struct
import sys

# The script beside this one is called torchvision, too.
sys.path.pop(0)

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageCms
from torchvision.transforms import InterpolationMode

HEIGHT, WIDTH = 23, 29
BICUBIC = InterpolationMode.BICUBIC
BILINEAR = InterpolationMode.BILINEAR


def base64_of(pixels):
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def scene():
    """Waves of the three colours, and an edge."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [127 + 110 * np.sin(x / (3 + k) + k) * np.cos(y / (5 - k)) for k in range(3)]
    pixels = np.stack(waves, -1)
    pixels[12:, 20:] = [230, 40, 20]
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)


def s15f16(value):
    return struct.pack(">i", round(value * 65536))


def wide_profile():
    """An ICC profile of version 2: primaries as of Adobe RGB (1998), a gamma of 2.2."""
    def xyz(values):
        return b"XYZ \0\0\0\0" + b"".join(map(s15f16, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233) + b"\0\0"
    text = b"Wide\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = [
        (b"desc", description + bytes(-len(description) % 4)),
        (b"wtpt", xyz([0.9642, 1.0, 0.8249])),
        (b"rXYZ", xyz([0.60974, 0.31111, 0.01947])),
        (b"gXYZ", xyz([0.20528, 0.62567, 0.06087])),
        (b"bXYZ", xyz([0.14919, 0.06322, 0.74457])),
        (b"rTRC", curve),
        (b"gTRC", curve),
        (b"bTRC", curve),
    ]
    at = 132 + 12 * len(tags)
    table, body = b"", b""
    for name, data in tags:
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += s15f16(0.9642) + s15f16(1.0) + s15f16(0.8249) + bytes(48)
    assert len(head) == 128, len(head)
    return head + struct.pack(">I", len(tags)) + table + body


def ycck(image):
    """A JPEG whose inks are written as a luma, two chromas, and black, as Adobe has it."""
    inks = np.array(image.convert("CMYK"))
    # Photoshop's black takes part of the other inks away: something to see in all four.
    inks[..., 3] = 40
    luma = np.array(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    # Pillow writes inks inverted, and what it is given here as inks are chromas.
    stored = np.concatenate([255 - luma, inks[..., 3:]], -1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(stored, "CMYK").save(file, "JPEG", quality=95)
    data = bytearray(file.getvalue())
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data[adobe + 11] = 2
    return bytes(data)


def write_pictures(folder):
    image = Image.fromarray(scene())
    profile = wide_profile()
    fading = image.convert("RGBA")
    fading.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1)).astype(np.uint8)))
    files = {
        "baseline.jpg": dict(quality=85),
        "progressive.jpg": dict(quality=85, progressive=True),
        "half_chroma.jpg": dict(quality=85, subsampling=1),
        "profile.jpg": dict(quality=85, icc_profile=profile),
    }
    for name, options in files.items():
        image.save(f"{folder}/{name}", **options)
    image.convert("L").save(f"{folder}/grey.jpg", quality=85)
    image.convert("CMYK").save(f"{folder}/cmyk.jpg", quality=85)
    with open(f"{folder}/ycck.jpg", "wb") as file:
        file.write(ycck(image))
    image.save(f"{folder}/colours.png")
    image.save(f"{folder}/profile.png", icc_profile=profile)
    fading.save(f"{folder}/fading.png")
    image.convert("LA").save(f"{folder}/grey_alpha.png")
    image.quantize(16).save(f"{folder}/palette.png", transparency=3)
    image.quantize(200).save(f"{folder}/palette.bmp")
    image.save(f"{folder}/colours.bmp")
    image.save(f"{folder}/colours.webp", quality=85)
    image.save(f"{folder}/colours.tif", compression="tiff_lzw")
    image.convert("CMYK").save(f"{folder}/cmyk.tif", compression="tiff_lzw")
    image.quantize(64).save(f"{folder}/colours.gif", transparency=5)


def decoded(path):
    image = Image.open(path)
    profile = image.info.get("icc_profile")
    if profile:
        image = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    if image.mode in ("RGBA", "LA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    rgb = np.array(image.convert("RGB"))
    grey = np.array(image.convert("RGB").convert("L"))
    return dict(width=image.width, height=image.height, rgb=base64_of(rgb), grey=base64_of(grey))


def noise(height, width, channels):
    """Bytes that the tests make again: the high ones of a linear congruence."""
    pixels = np.empty(height * width * channels, np.uint8)
    state = 1
    for i in range(pixels.size):
        state = (state * 1664525 + 1013904223) % 2**32
        pixels[i] = state >> 24
    return pixels.reshape(height, width, channels)


CENTRAL = [
    # height, width, channels, size, crop_pct, interpolation
    (47, 61, 3, 16, 0.875, BILINEAR),
    (61, 47, 3, 24, 0.875, BICUBIC),
    (60, 60, 3, 32, 1.0, BILINEAR),
    (50, 31, 1, 28, 0.8, BILINEAR),
    (20, 33, 3, 32, 0.9, BICUBIC),
    (13, 200, 3, 8, 0.95, BILINEAR),
]
LEVELS = [
    # height, width, channels, height and width of the level
    (47, 61, 3, 20, 25),
    (90, 40, 1, 36, 16),
    (33, 33, 3, 31, 31),
]


def write_sizes(path):
    cases = []
    for height, width, channels, size, crop_pct, interpolation in CENTRAL:
        pixels = noise(height, width, channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        short = int(size / crop_pct)
        result = F.center_crop(F.resize(image, short, interpolation), size)
        tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float()
        on_tensor = F.center_crop(F.resize(tensor, short, interpolation, antialias=True), size)
        on_tensor = on_tensor.clamp(0, 255).round().byte().numpy().transpose(1, 2, 0)
        cases.append(dict(
            height=height, width=width, channels=channels,
            preparation=dict(
                kind="central", channels=channels, size=size, cropPct=crop_pct,
                interpolation=interpolation.value,
            ),
            pillow=base64_of(result), tensor=base64_of(on_tensor),
        ))
    for height, width, channels, to_height, to_width in LEVELS:
        pixels = noise(height, width, channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        result = image.resize((to_width, to_height), Image.Resampling.BILINEAR)
        tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float()
        on_tensor = F.resize(tensor, [to_height, to_width], BILINEAR, antialias=True)
        on_tensor = on_tensor.clamp(0, 255).round().byte().numpy().transpose(1, 2, 0)
        cases.append(dict(
            height=height, width=width, channels=channels,
            preparation=dict(
                kind="level", channels=channels, side=min(to_height, to_width), area=10_000
            ),
            pillow=base64_of(result), tensor=base64_of(on_tensor),
        ))
    write_json(path, cases)


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def main(folder):
    os.makedirs(folder, exist_ok=True)
    write_pictures(folder)
    names = sorted(name for name in os.listdir(folder) if not name.endswith(".json"))
    write_json(f"{folder}/decoded.json", {name: decoded(f"{folder}/{name}") for name in names})
    write_sizes(f"{folder}/resized.json")


if __name__ == "__main__":
    main(sys.argv[1])
