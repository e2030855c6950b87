#!/usr/bin/env python3
"""What PyTorch makes of the perceptual loss and of LPIPS, for test_perceptual_parity.c to be held against.

usage: perceptual_peer.py FOLDER
Writes FOLDER/NET.safetensors for NET in vgg19, vgg16, alexnet, squeezenet: random weights under torchvision's
names, LPIPS's linear weights, two pictures, and what was computed from them in float64 (in float32 a rounding error at a
kink, where two features are equal, turns a gradient's sign: PyTorch's own two gradients then differ by 2e-3 of
the largest). Exits with 77 without PyTorch.
Networks are built from torch.nn alone, by their published tables.
"""
import json
import struct
import sys

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError:
    print("SKIP: PyTorch is not installed (Debian: python3-torch)")
    sys.exit(77)

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
VGG19_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(x)), torch.relu(self.expand3x3(x))], 1)


def vgg(plan):
    layers, channels = [], 3
    for out in plan:
        if out == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
            channels = out
    return layers


def alexnet():
    relu, pool = nn.ReLU, lambda: nn.MaxPool2d(3, 2)
    return [nn.Conv2d(3, 64, 11, 4, 2), relu(), pool(), nn.Conv2d(64, 192, 5, padding=2), relu(), pool(),
            nn.Conv2d(192, 384, 3, padding=1), relu(), nn.Conv2d(384, 256, 3, padding=1), relu(),
            nn.Conv2d(256, 256, 3, padding=1), relu()]


def squeezenet():
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    return [nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(),
            Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192),
            Fire(384, 64, 256), Fire(512, 64, 256)]


# layers, the last index of each tap, size of the pictures, how the weights are stored
NETS = {
    "vgg19": (lambda: vgg([64, 64, "M", 128, 128, "M"] + [256] * 4 + ["M"] + [512] * 4 + ["M", 512]),
              (1, 6, 11, 20, 29), (48, 80), "F32"),
    "vgg16": (lambda: vgg([64, 64, "M", 128, 128, "M"] + [256] * 3 + ["M"] + [512] * 3 + ["M"] + [512] * 3),
              (3, 8, 15, 22, 29), (64, 80), "F16"),
    "alexnet": (alexnet, (1, 4, 7, 9, 11), (75, 98), "F32"),
    "squeezenet": (squeezenet, (1, 4, 7, 9, 10, 11, 12), (101, 84), "BF16"),
}


def stored(t, dtype):
    """The bytes, and the tensor as it will be read back."""
    if dtype == "F16":
        return t.half().numpy().tobytes(), t.half().float()
    if dtype == "BF16":
        kept = t.bfloat16()
        return (kept.float().numpy().view(np.uint32) >> 16).astype(np.uint16).tobytes(), kept.float()
    return t.float().numpy().astype("<f4").tobytes(), t


def write(path, arrays):
    header, data = {}, b""
    for name, (dtype, shape, content) in arrays.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def taps_of(layers, last, x):
    out = []
    for i, layer in enumerate(layers):
        x = layer(x)
        if i in last:
            out.append(x)
    return out


def lpips(layers, last, linear, a, b):
    shift, scale = (torch.tensor(v).view(1, 3, 1, 1) for v in (SHIFT, SCALE))
    total = 0
    pairs = zip(taps_of(layers, last, (a - shift) / scale), taps_of(layers, last, (b - shift) / scale), linear)
    for fa, fb, w in pairs:
        fa, fb = (f / (f.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for f in (fa, fb))
        total = total + (w * (fa - fb) ** 2).sum(1).mean()
    return total


def make(folder, name):
    build, last, (h, w), dtype = NETS[name]
    layers, arrays = nn.Sequential(*build()), {}
    for key, p in layers.named_parameters():
        if p.dim() == 4:
            nn.init.kaiming_normal_(p)
        else:
            nn.init.normal_(p, std=0.1)
        content, kept = stored(p.data, dtype)
        p.data = kept
        p.requires_grad = False
        arrays["features." + key] = (dtype, p.shape, content)
    layers = layers.double()
    low = torch.rand(2, 3, h // 6, w // 6) * 2 - 1
    pictures = nn.functional.interpolate(low, (h, w), mode="bilinear") * 0.8 + torch.rand(2, 3, h, w) * 0.2
    pictures = pictures.double()
    fake, real = pictures[:1].clone().requires_grad_(True), pictures[1:]
    linear = []
    for k, f in enumerate(taps_of(layers, last, real)):
        linear.append(torch.rand(1, f.shape[1], 1, 1).double())
        arrays["lin%d.model.1.weight" % k] = ("F32", linear[k].shape, stored(linear[k], "F32")[0])
    weights = VGG19_WEIGHTS if name == "vgg19" else [1.0] * len(last)
    loss = sum(v * (a - b).abs().mean() for v, a, b in
               zip(weights, taps_of(layers, last, fake), taps_of(layers, last, real)))
    loss.backward()
    results = {"fake": fake.detach().permute(0, 2, 3, 1)[0], "real": real.permute(0, 2, 3, 1)[0],
               "gradient": fake.grad.permute(0, 2, 3, 1)[0], "loss": loss.detach().view(1),
               "lpips": lpips(layers, last, linear, fake.detach(), real).view(1)}
    for key, value in results.items():
        arrays["peer." + key] = ("F32", value.shape, stored(value.contiguous(), "F32")[0])
    write("%s/%s.safetensors" % (folder, name), arrays)


torch.manual_seed(7)
torch.set_num_threads(1)
for net in NETS:
    make(sys.argv[1], net)
