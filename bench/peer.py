#!/usr/bin/python3
"""The nets of bench/nets.h in PyTorch: same generators, discriminators, losses and optimisers, on random pictures.
Timed beside bench_nn by bench/run.sh.

usage: peer.py train|infer reference|paper|draft|standard [RUNS] [fp32|bf16] [THREADS]
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

MODE, NET = sys.argv[1], sys.argv[2]
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 9
BF16 = len(sys.argv) > 4 and sys.argv[4] == "bf16"
torch.set_num_threads(int(sys.argv[5]) if len(sys.argv) > 5 else 2)
torch.manual_seed(0)

# width, height, ngf, down, blocks, ndf, discriminators
SIZES = {
    "reference": (256, 144, 32, 3, 6, 32, 2),
    "paper": (512, 256, 64, 4, 9, 64, 2),
    "draft": (192, 288, 32, 4, 2, 16, 2),
    "standard": (288, 384, 32, 4, 2, 16, 3),
}
W, H, NGF, DOWN, BLOCKS, NDF, NUMD = SIZES[NET]
LAYERS, MAXC = 3, 256
PAPERS = NET in ("reference", "paper")  # its net and losses, the second frame made from the first; else ours

norm = F.instance_norm
lrelu = lambda x: F.leaky_relu(x, 0.2)


class Paper(nn.Module):
    """pix2pixHD's global generator: figure and previous output in, picture out."""

    def __init__(s):
        super().__init__()
        c = [NGF << i for i in range(DOWN + 1)]
        s.first = nn.Conv2d(6, NGF, 7)
        s.down = nn.ModuleList([nn.Conv2d(c[i], c[i + 1], 3, 2, 1) for i in range(DOWN)])
        s.block = nn.ModuleList([nn.ModuleList([nn.Conv2d(c[-1], c[-1], 3) for _ in range(2)]) for _ in range(BLOCKS)])
        s.up = nn.ModuleList([nn.ConvTranspose2d(c[i + 1], c[i], 3, 2, 1, 1) for i in reversed(range(DOWN))])
        s.last = nn.Conv2d(NGF, 3, 7)

    def forward(s, label, previous):
        reflect = lambda x, p: F.pad(x, (p, p, p, p), mode="reflect")
        h = F.relu(norm(s.first(reflect(torch.cat([label, previous], 1), 3))))
        for d in s.down:
            h = F.relu(norm(d(h)))
        for a, b in s.block:
            h = h + norm(b(reflect(F.relu(norm(a(reflect(h, 1)))), 1)))
        for u in s.up:
            h = F.relu(norm(u(h)))
        return torch.tanh(s.last(reflect(h, 3)))


class Ours(nn.Module):
    """The U-Net, with a local enhancer around it in `standard`: figure and plate in, composite out."""

    def __init__(s, enhancer):
        super().__init__()
        c = [min(NGF << i, MAXC) for i in range(DOWN + 1)]
        s.first = nn.Conv2d(6, NGF, 3, 1, 1)
        s.down = nn.ModuleList([nn.Conv2d(c[i], c[i + 1], 3, 2, 1, bias=False) for i in range(DOWN)])
        s.block = s.blocks(BLOCKS, c[-1])
        s.narrow = nn.ModuleList([nn.Conv2d(c[i + 1], c[i], 1) for i in range(DOWN)])
        s.up = nn.ModuleList([nn.Conv2d(c[i], c[i], 3, 1, 1, bias=False) for i in range(DOWN)])
        s.enhancer = enhancer
        last = NGF
        if enhancer:
            last = NGF // 2
            s.local_first = nn.Conv2d(6, last, 3, 1, 1)
            s.local_down = nn.Conv2d(last, NGF, 3, 2, 1, bias=False)
            s.local_block = s.blocks(1, NGF)
            s.local_narrow = nn.Conv2d(NGF, last, 1)
            s.local_up = nn.Conv2d(last, last, 3, 1, 1, bias=False)
        s.last = nn.Conv2d(last, 4, 3, 1, 1)

    @staticmethod
    def blocks(n, c):
        return nn.ModuleList([nn.ModuleList([nn.Conv2d(c, c, 3, 1, 1, bias=False) for _ in range(2)]) for _ in range(n)])

    @staticmethod
    def residual(block, h):
        for a, b in block:
            h = h + norm(b(F.relu(norm(a(h)))))
        return h

    def features(s, x):
        skip = [lrelu(s.first(x))]
        for d in s.down:
            skip.append(lrelu(norm(d(skip[-1]))))
        h = s.residual(s.block, skip[-1])
        for i in reversed(range(DOWN)):
            h = F.relu(norm(s.up[i](F.interpolate(s.narrow[i](h), scale_factor=2) + skip[i])))
        return h

    def forward(s, label, plate):
        x = torch.cat([label, plate], 1)
        if s.enhancer:
            fine = lrelu(s.local_first(x))
            h = lrelu(norm(s.local_down(fine))) + s.features(halved(x))
            h = s.residual(s.local_block, h)
            h = F.relu(norm(s.local_up(F.interpolate(s.local_narrow(h), scale_factor=2) + fine)))
        else:
            h = s.features(x)
        o = s.last(h)
        m = torch.sigmoid(o[:, 3:])
        return m * torch.tanh(o[:, :3]) + (1 - m) * plate


class PatchD(nn.Module):
    def __init__(s, cin):
        super().__init__()
        layers, c = [], NDF
        for i in range(LAYERS + 2):
            out = 1 if i == LAYERS + 1 else c
            layers.append(nn.Conv2d(cin, out, 4, 2 if i < LAYERS else 1, 2))
            cin, c = out, min(2 * c, 8 * NDF)
        s.l = nn.ModuleList(layers)

    def forward(s, x):
        out = []
        for i, l in enumerate(s.l):
            x = l(x)
            if i == 0:
                x = lrelu(x)
            elif i <= LAYERS:
                x = lrelu(norm(x))
            out.append(x)
        return out


def halved(x):
    return F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)


def judge(x):
    out = []
    for k, d in enumerate(D):
        out.append(d(x))
        if k + 1 < NUMD:
            x = halved(x)
    return out


G = Paper() if PAPERS else Ours(NET == "standard")
D = nn.ModuleList([PatchD(12) for _ in range(NUMD)])  # two frames are judged at once
window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / 4.5)
window = (window / window.sum()).outer(window / window.sum()).expand(3, 1, 11, 11).contiguous()


def ssim_loss(a, b, w):
    f = lambda x: F.conv2d(x, window, groups=3)
    a, b = a.float(), b.float()
    ma, mb = f(a), f(b)
    va, vb, cov = f(a * a) - ma * ma, f(b * b) - mb * mb, f(a * b) - ma * mb
    s = (2 * ma * mb + 4e-4) * (2 * cov + 36e-4) / ((ma * ma + mb * mb + 4e-4) * (va + vb + 36e-4))
    w = w[:, :, 5:-5, 5:-5]
    return 1 - (s * w).sum() / (3 * w.sum())


og = torch.optim.Adam(G.parameters(), 4e-4, (0.5, 0.999))
od = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999))
pic = lambda: torch.rand(1, 3, H, W) * 2 - 1
x0, x1, plate, y0, y1, weight = torch.rand(1, 3, H, W), torch.rand(1, 3, H, W), pic(), pic(), pic(), torch.ones(1, 1, H, W)
zero = torch.zeros(1, 3, H, W)
ema = [p.detach().clone() for p in G.parameters()]
cast = lambda: torch.autocast("cpu", torch.bfloat16, enabled=BF16)


def lsgan(verdicts, real):
    return sum(((d[-1].float() - (1 if real else 0)) ** 2).mean() for d in verdicts)


def matching(fake, real):
    return sum((a.float() - b.detach().float()).abs().mean() for x, y in zip(fake, real) for a, b in zip(x[:-1], y[:-1])) / NUMD


def losses():
    if PAPERS:
        f0 = G(x0, zero)
        f1 = G(x1, f0)
    else:
        f0, f1 = G(torch.cat([x0, x1]), torch.cat([plate, plate])).split(1)
    real, fake = torch.cat([x0, x1, y0, y1], 1), torch.cat([x0, x1, f0, f1], 1)
    dg, dr, df = judge(fake), judge(real), judge(fake.detach())
    ld = 0.5 * (lsgan(dr, True) + lsgan(df, False))
    if PAPERS:
        return lsgan(dg, True) + 10 * matching(dg, dr), ld
    l1 = sum((weight * (f.float() - y).abs()).sum() / (6 * weight.sum()) for f, y in ((f0, y0), (f1, y1)))
    ssim = 0.5 * (ssim_loss(f0, y0, weight) + ssim_loss(f1, y1, weight))
    return 10 * l1 + 4 * ssim + 0.2 * lsgan(dg, True) + matching(dg, dr), ld


def step():
    with cast():
        lg, ld = losses()
    og.zero_grad()
    lg.backward()
    og.step()
    od.zero_grad()
    ld.backward()
    od.step()
    with torch.no_grad():
        torch._foreach_mul_(ema, 0.999)
        torch._foreach_add_(ema, list(G.parameters()), alpha=0.001)


def frame():
    with torch.no_grad(), cast():
        G(x0, zero if PAPERS else plate)


run, times = step if MODE == "train" else frame, []
for i in range(-2, RUNS):
    start = time.perf_counter()
    run()
    if i >= 0:
        times.append(time.perf_counter() - start)
times.sort()
print(f"torch {torch.__version__} {MODE} {NET} {W}x{H} {'bf16' if BF16 else 'fp32'}: median {times[len(times) // 2] * 1e3:.2f} ms")
