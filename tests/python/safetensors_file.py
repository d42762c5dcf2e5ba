"""Files of tensors, as the scripts beside it write them."""

import json
import struct

import torch


def save(path, tensors, metadata):
    """safetensors: the length of a header of JSON, the header, the data."""
    types = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64"}
    header, chunks, end = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {
            "dtype": types[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [end, end + len(data)],
        }
        chunks.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))
