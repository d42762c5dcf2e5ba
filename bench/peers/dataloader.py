"""torchvision's ImageFolder and PyTorch's DataLoader: requests in, answers out, a line of JSON each."""

import json
import sys
import time

import torch
import torchvision
from torch.utils.data import DataLoader, Subset
from torchvision import transforms

# As a worker of a DataLoader has it.
torch.set_num_threads(1)


def loader(task):
    size = task["size"]
    crop = (
        [transforms.RandomResizedCrop(size, scale=(0.35, 1))]
        if task["kind"] == "level"
        else [transforms.Resize(int(size * 1.14)), transforms.CenterCrop(size)]
    )
    transform = transforms.Compose(crop + [transforms.ToTensor()])
    folder = torchvision.datasets.ImageFolder(task["dir"], transform)
    part = Subset(folder, range(min(task["files"], len(folder))))
    return DataLoader(part, task["batch"], num_workers=task["workers"])


def say(message):
    print(json.dumps(message), flush=True)


def main():
    say({"name": "torchvision", "version": torchvision.__version__, "device": "CPU"})
    batches = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                batches = loader(request["task"])
                say({"check": len(batches)})
            else:
                # Pictures after the first batch, as processes have to start before it.
                count = 0
                for images, _ in batches:
                    if count == 0:
                        start = time.perf_counter()
                    count += len(images)
                seconds = time.perf_counter() - start
                say({"ms": seconds * 1000 / (count - batches.batch_size)})
        except Exception as error:
            say({"error": str(error)})


if __name__ == "__main__":
    main()
