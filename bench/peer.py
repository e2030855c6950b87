#!/usr/bin/python3
"""The nets of bench/nets.h in PyTorch: same generators, discriminators, losses and optimisers, on random pictures.
Timed beside bench_nn by bench/run.sh.

usage: peer.py train|infer reference|paper|paper-full|draft|standard [RUNS] [fp32|bf16] [THREADS] [--device cuda[:N]] [--compile]
       peer.py peak [--device cuda[:N]]       the fastest bf16 product of matrices (cuBLASLt), in Tflop/s
"""
import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

args = argparse.ArgumentParser()
args.add_argument("mode", choices=["train", "infer", "peak"])
args.add_argument("net", nargs="?", default="draft")
args.add_argument("runs", nargs="?", type=int, default=9)
args.add_argument("precision", nargs="?", default="fp32")
args.add_argument("threads", nargs="?", type=int, default=2)
args.add_argument("--device", default="cpu")
args.add_argument("--compile", action="store_true")
args = args.parse_args()
MODE, NET, RUNS, BF16 = args.mode, args.net, args.runs, args.precision == "bf16"
DEVICE = torch.device(args.device)
ON_GPU = DEVICE.type == "cuda"
torch.set_num_threads(args.threads)
torch.manual_seed(0)
torch.backends.cudnn.benchmark = True  # the fastest algorithm for each shape


def wait():
    if ON_GPU:
        torch.cuda.synchronize()


def peak(n=8192, rounds=5, products=20):
    """Random data: zeros draw less power and run faster."""
    a, b = (torch.randn(n, n, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    best = 0
    for _ in range(rounds):
        wait()
        start = time.perf_counter()
        for _ in range(products):
            a @ b
        wait()
        best = max(best, products * 2 * n**3 / (time.perf_counter() - start) * 1e-12)
    return best


if MODE == "peak":
    print(f"peak bf16 {peak() if ON_GPU else peak(1024, 3, 3):.1f} Tflop/s")
    raise SystemExit

# width, height, ngf, down, blocks, ndf, discriminators
SIZES = {
    "reference": (256, 144, 32, 3, 6, 32, 2),
    "paper": (512, 256, 64, 4, 9, 64, 2),
    "paper-full": (1024, 512, 64, 4, 9, 64, 3),
    "draft": (192, 288, 32, 4, 2, 16, 2),
    "standard": (288, 384, 32, 4, 2, 16, 3),
}
W, H, NGF, DOWN, BLOCKS, NDF, NUMD = SIZES[NET]
LAYERS, MAXC = 3, 256
PAPERS = NET in ("reference", "paper", "paper-full")  # its net and losses, the second frame made from the first; else ours

norm = F.instance_norm
lrelu = lambda x: F.leaky_relu(x, 0.2)


class Paper(nn.Module):
    """pix2pixHD's global generator, in `paper-full` with its local enhancer: figure and previous output in, picture out."""

    def __init__(s, enhancer):
        super().__init__()
        c = [NGF << i for i in range(DOWN + 1)]
        s.first = nn.Conv2d(6, NGF, 7)
        s.down = nn.ModuleList([nn.Conv2d(c[i], c[i + 1], 3, 2, 1) for i in range(DOWN)])
        s.block = nn.ModuleList([nn.ModuleList([nn.Conv2d(c[-1], c[-1], 3) for _ in range(2)]) for _ in range(BLOCKS)])
        s.up = nn.ModuleList([nn.ConvTranspose2d(c[i + 1], c[i], 3, 2, 1, 1) for i in reversed(range(DOWN))])
        s.enhancer = enhancer
        last = NGF
        if enhancer:
            last = NGF // 2
            s.local_first = nn.Conv2d(6, last, 7)
            s.local_down = nn.Conv2d(last, NGF, 3, 2, 1)
            s.local_block = nn.ModuleList([nn.ModuleList([nn.Conv2d(NGF, NGF, 3) for _ in range(2)]) for _ in range(3)])
            s.local_up = nn.ConvTranspose2d(NGF, last, 3, 2, 1, 1)
        s.last = nn.Conv2d(last, 3, 7)

    @staticmethod
    def reflect(x, p):
        return F.pad(x, (p, p, p, p), mode="reflect")

    def residual(s, block, h):
        for a, b in block:
            h = h + norm(b(s.reflect(F.relu(norm(a(s.reflect(h, 1)))), 1)))
        return h

    def features(s, x):
        h = F.relu(norm(s.first(s.reflect(x, 3))))
        for d in s.down:
            h = F.relu(norm(d(h)))
        h = s.residual(s.block, h)
        for u in s.up:
            h = F.relu(norm(u(h)))
        return h

    def forward(s, label, previous):
        x = torch.cat([label, previous], 1)
        if s.enhancer:
            fine = F.relu(norm(s.local_first(s.reflect(x, 3))))
            h = F.relu(norm(s.local_down(fine))) + s.features(halved(x))
            h = F.relu(norm(s.local_up(s.residual(s.local_block, h))))
        else:
            h = s.features(x)
        return torch.tanh(s.last(s.reflect(h, 3)))


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
                x = lrelu(norm(x) if PAPERS else x)
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


place = lambda m: m.to(DEVICE, memory_format=torch.channels_last) if ON_GPU else m
G = place(Paper(NET == "paper-full") if PAPERS else Ours(NET == "standard"))
D = place(nn.ModuleList([PatchD(12) for _ in range(NUMD)]))  # two frames are judged at once
window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / 4.5)
window = (window / window.sum()).outer(window / window.sum()).expand(3, 1, 11, 11).contiguous().to(DEVICE)


def ssim_loss(a, b, w):
    f = lambda x: F.conv2d(x, window, groups=3)
    a, b = a.float(), b.float()
    ma, mb = f(a), f(b)
    va, vb, cov = f(a * a) - ma * ma, f(b * b) - mb * mb, f(a * b) - ma * mb
    s = (2 * ma * mb + 4e-4) * (2 * cov + 36e-4) / ((ma * ma + mb * mb + 4e-4) * (va + vb + 36e-4))
    w = w[:, :, 5:-5, 5:-5]
    return 1 - (s * w).sum() / (3 * w.sum())


fast = {"fused": True} if ON_GPU else {}
og = torch.optim.Adam(G.parameters(), 4e-4, (0.5, 0.999), **fast)
od = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999), **fast)
pic = lambda: place(torch.rand(1, 3, H, W) * 2 - 1)
x0, x1, plate, y0, y1, weight = pic(), pic(), pic(), pic(), pic(), torch.ones(1, 1, H, W, device=DEVICE)
zero = place(torch.zeros(1, 3, H, W))
ema = [p.detach().clone() for p in G.parameters()]
cast = lambda: torch.autocast(DEVICE.type, torch.bfloat16, enabled=BF16)


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


if args.compile:
    if MODE == "train":
        losses = torch.compile(losses)
    else:
        G = torch.compile(G, mode="reduce-overhead")  # with CUDA graphs, as a frame is always the same work
run, times = step if MODE == "train" else frame, []
for i in range(-6 if ON_GPU else -2, RUNS):
    wait()
    start = time.perf_counter()
    run()
    wait()
    if i >= 0:
        times.append(time.perf_counter() - start)
times.sort()
how = " compiled" if args.compile else ""
print(f"torch{how} {torch.__version__} {MODE} {NET} {W}x{H} {'bf16' if BF16 else 'fp32'}: median {times[len(times) // 2] * 1e3:.2f} ms")
