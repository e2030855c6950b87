"""The paper's drawing against the libraries that its authors' program draws with.

Random poses are drawn twice: by Ballerino (through the small program given as the argument) and by OpenCV and
Pillow, following the published facts; every byte of the canvas and of the reduced picture must be the same.
Leaves with 77 (skipped) where OpenCV's or Pillow's Python modules are not installed.
"""
import math
import os
import random
import subprocess
import sys
import tempfile

try:
    import cv2
    import numpy as np
    import PIL
    from PIL import Image
except ImportError as missing:
    print("SKIP: %s (python3-opencv, python3-pil)" % missing)
    sys.exit(77)

POSES = 12
RAINBOW = [(0, 0, 255), (0, 85, 255), (0, 170, 255), (0, 255, 255), (0, 255, 170), (0, 255, 85), (0, 255, 0),
           (85, 255, 0), (170, 255, 0), (255, 255, 0), (255, 170, 0), (255, 85, 0), (255, 0, 0), (255, 0, 85),
           (255, 0, 170), (255, 0, 255), (170, 0, 255), (85, 0, 255)]
BODIES = {  # limbs, colours
    18: ("1-2 1-5 2-3 3-4 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 1-0 0-14 14-16 0-15 15-17", RAINBOW),
    23: ("0-1 1-2 2-3 0-4 4-5 5-6 0-7 7-8 8-9 9-10 10-11 10-12 7-13 13-14 14-15 15-16 15-17 0-18 18-19 19-20 "
         "18-21 21-22",
         [(0, 0, 255), (0, 55, 255), (0, 110, 255), (0, 165, 255), (0, 215, 255), (0, 235, 255), (0, 255, 255),
          (0, 0, 255), (0, 255, 175), (0, 255, 85), (0, 255, 0), (85, 255, 0), (170, 255, 0), (128, 25, 25),
          (255, 85, 0), (255, 170, 0), (255, 212, 0), (255, 255, 0), (0, 0, 255), (255, 0, 255),
          (238, 130, 238), (226, 43, 138), (130, 0, 75)]),
    25: ("0-1 0-15 0-16 1-2 1-5 1-8 2-3 3-4 5-6 6-7 8-9 8-12 9-10 10-11 11-22 11-24 12-13 13-14 14-19 14-21 "
         "15-17 16-18 19-20 22-23",
         [RAINBOW[17]] + RAINBOW[:7] + [(0, 0, 255)] + RAINBOW[7:13] +
         [(170, 0, 255), (255, 0, 170), (255, 0, 255), (255, 0, 85)] + 3 * [(255, 0, 0)] + 3 * [(255, 255, 0)]),
}
HAND = [(40, 53, 230), (64, 115, 231), (31, 136, 233), (13, 160, 213), (19, 200, 217), (35, 210, 170),
        (48, 228, 139), (45, 214, 83), (46, 192, 77), (133, 213, 83), (190, 223, 82), (197, 184, 80),
        (189, 140, 78), (208, 112, 86), (217, 73, 83), (183, 46, 123), (255, 102, 189), (232, 83, 218),
        (189, 65, 229), (141, 61, 236), (145, 102, 255)]
FACE = (27, 30, 8, 0, 16, 33, 68, 69)


def dot(canvas, p, radius, rgb):
    cv2.circle(canvas, (int(p[0]), int(p[1])), radius, rgb, -1)


def limb(canvas, a, b, half_width, rgb):
    half = math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / 2
    turn = math.degrees(math.atan2(a[1] - b[1], a[0] - b[0]))
    centre = (int((a[0] + b[0]) / 2), int((a[1] + b[1]) / 2))
    outline = cv2.ellipse2Poly(centre, (int(half), half_width), int(turn), 0, 360, 1)
    drawn = canvas.copy()
    cv2.fillConvexPoly(drawn, outline, rgb)
    return cv2.addWeighted(canvas, 0.4, drawn, 0.6, 0)


def hand(canvas, points):
    for p, rgb in zip(points, HAND):
        if p[2] > 0.05:
            dot(canvas, p, 3, rgb)
    for base in range(1, 21, 4):
        for a, b in ((base, base + 1), (base + 1, base + 2), (base + 2, base + 3), (0, base)):
            if points[a][2] > 0.05 and points[b][2] > 0.05:
                canvas = limb(canvas, points[a], points[b], 2, HAND[b])
    return canvas


def draw(body, face, right, left):
    limbs, colours = BODIES[len(body)]
    canvas = np.full((1080, 1920, 3), 255, np.uint8)
    for p, rgb in zip(body, colours):
        if p[2] > 0:
            dot(canvas, p, 8, rgb)
    for pair in limbs.split():
        a, b = map(int, pair.split("-"))
        if body[a][2] > 0 and body[b][2] > 0:
            canvas = limb(canvas, body[a], body[b], 4, colours[a])
    if sum(p[2] for p in face) / 70 >= 0.2:
        for k in FACE:
            if face[k][2] > 0:
                dot(canvas, face[k], 4, (0, 0, 0))
    return hand(hand(canvas, right), left)


def cloud(rng, n, x, y, spread, form, inside):
    points = []
    for _ in range(n):
        px, py = x + rng.uniform(-spread, spread), y + rng.uniform(-spread, spread)
        if inside:
            px, py = min(max(px, 0), 1919), min(max(py, 0), 1079)
        points.append((form % px, form % py, "%.6g" % (rng.random() if rng.random() > 0.1 else 0)))
    return points


def main(program):
    rng = random.Random(20190)
    folder = tempfile.mkdtemp()
    name = [os.path.join(folder, n) for n in ("in", "canvas", "picture")]
    differ = 0
    for turn in range(POSES):
        n = (23, 25, 18)[turn % 3]
        form = ("%.3f", "%.6g", "%.8e", "%.0f")[turn // 3 % 4]
        spread, inside = rng.choice((60, 200, 500, 700)), turn % 2
        text = [cloud(rng, n, 960, 540, spread, form, inside), cloud(rng, 70, 960, 200, 60, form, inside),
                cloud(rng, 21, 600, 500, 50, form, inside), cloud(rng, 21, 1300, 500, 80, form, inside)]
        with open(name[0], "w") as f:
            f.write("%d\n" % n + "\n".join(" ".join(p) for part in text for p in part) + "\n")
        subprocess.check_call([program] + name)
        canvas = draw(*[[tuple(map(float, p)) for p in part] for part in text])
        picture = np.array(Image.fromarray(canvas).resize((1024, 512), Image.LANCZOS))
        ours = [np.fromfile(f, np.uint8) for f in name[1:]]
        wrong = [int((a != b.ravel()).sum()) for a, b in zip(ours, (canvas, picture))]
        if any(wrong):
            print("pose %d (%d points, %s, spread %d): %d bytes of the canvas, %d of the picture differ" %
                  (turn, n, form, spread, wrong[0], wrong[1]))
            differ += 1
    for f in name:
        os.remove(f)
    os.rmdir(folder)
    print("OpenCV %s, Pillow %s: %d of %d poses differ" %
          (cv2.__version__, PIL.__version__, differ, POSES))
    return 1 if differ else 0


sys.exit(main(sys.argv[1]))
