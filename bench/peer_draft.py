#!/usr/bin/python3
"""The draft preset's training step in PyTorch: same generator, discriminators, losses and optimisers as
src/gan (net.c, trainer.c), on random pictures. Timed beside bench_train by bench/run.sh.

usage: peer_draft.py [steps] [threads] [bf16]
"""
import sys, time
import torch, torch.nn as nn, torch.nn.functional as F

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 9
torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
bf16 = len(sys.argv) > 3 and sys.argv[3] == "bf16"
torch.manual_seed(0)
W, H, NGF, DOWN, BLOCKS, MAXC, NDF, NUMD, LAYERS = 144, 192, 32, 4, 2, 256, 16, 2, 3

norm = lambda x: F.instance_norm(x)
lrelu = lambda x: F.leaky_relu(x, 0.2)
width = lambda i: min(NGF << i, MAXC)


class Generator(nn.Module):
    def __init__(s, cin):
        super().__init__()
        c = nn.Conv2d
        s.first = c(cin, NGF, 3, 1, 1)
        s.down = nn.ModuleList([c(width(i - 1), width(i), 3, 2, 1, bias=False) for i in range(1, DOWN + 1)])
        s.a = nn.ModuleList([c(width(DOWN), width(DOWN), 3, 1, 1, bias=False) for _ in range(BLOCKS)])
        s.b = nn.ModuleList([c(width(DOWN), width(DOWN), 3, 1, 1, bias=False) for _ in range(BLOCKS)])
        s.narrow = nn.ModuleList([c(width(i + 1), width(i), 1) for i in range(DOWN)])
        s.up = nn.ModuleList([c(width(i), width(i), 3, 1, 1, bias=False) for i in range(DOWN)])
        s.out = c(NGF, 4, 3, 1, 1)

    def forward(s, label, plate):
        skip = [lrelu(s.first(torch.cat([label, plate], 1)))]
        for d in s.down:
            skip.append(lrelu(norm(d(skip[-1]))))
        h = skip[-1]
        for a, b in zip(s.a, s.b):
            h = h + norm(b(F.relu(norm(a(h)))))
        for i in reversed(range(DOWN)):
            h = F.interpolate(s.narrow[i](h), scale_factor=2) + skip[i]
            h = F.relu(norm(s.up[i](h)))
        o = s.out(h)
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
            if i == 0: x = lrelu(x)
            elif i <= LAYERS: x = lrelu(norm(x))
            out.append(x)
        return out


G, D = Generator(6), nn.ModuleList([PatchD(6) for _ in range(NUMD)])
window = torch.exp(-(torch.arange(11.) - 5) ** 2 / 4.5)
window = (window / window.sum()).outer(window / window.sum()).expand(3, 1, 11, 11).contiguous()


def ssim_loss(a, b, w):
    f = lambda x: F.conv2d(x, window, groups=3)
    a, b = a.float(), b.float()
    ma, mb = f(a), f(b)
    va, vb, cov = f(a * a) - ma * ma, f(b * b) - mb * mb, f(a * b) - ma * mb
    s = (2 * ma * mb + 4e-4) * (2 * cov + 36e-4) / ((ma * ma + mb * mb + 4e-4) * (va + vb + 36e-4))
    w = w[:, :, 5:-5, 5:-5]
    return 1 - (s * w).sum() / (3 * w.sum())


def judge(x):
    out = []
    for k, d in enumerate(D):
        out.append(d(x))
        if k + 1 < NUMD: x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    return out


og = torch.optim.Adam(G.parameters(), 4e-4, (0.5, 0.999))
od = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999))
pic = lambda: torch.rand(1, 3, H, W) * 2 - 1
label, plate, real, weight = torch.rand(1, 3, H, W), pic(), pic(), torch.ones(1, 1, H, W)
ema = [p.detach().clone() for p in G.parameters()]


def step():
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        fake = G(label, plate)
        df, dr, dg = judge(torch.cat([label, fake.detach()], 1)), judge(torch.cat([label, real], 1)), judge(torch.cat([label, fake], 1))
        l1 = (weight * (fake.float() - real).abs()).sum() / (3 * weight.sum())
        gan = sum(((d[-1] - 1) ** 2).mean() for d in dg)
        fm = sum((a - b.detach()).abs().mean() for x, y in zip(dg, dr) for a, b in zip(x[:-1], y[:-1])) / NUMD
        loss = 10 * l1 + 2 * ssim_loss(fake, real, weight) + 0.5 * gan + 2 * fm
        ld = 0.5 * sum(((d[-1] - 1) ** 2).mean() for d in dr) + 0.5 * sum((d[-1] ** 2).mean() for d in df)
    og.zero_grad(); loss.backward(); og.step()
    od.zero_grad(); ld.backward(); od.step()
    with torch.no_grad():
        for e, p in zip(ema, G.parameters()): e.lerp_(p, 0.001)


times = []
for i in range(-2, steps):
    t = time.perf_counter(); step()
    if i >= 0: times.append(time.perf_counter() - t)
times.sort()
print(f"torch {torch.__version__} train draft {W}x{H} {'bf16' if bf16 else 'fp32'}: median {times[len(times) // 2] * 1e3:.1f} ms")
