/* RGB to YUV 4:2:0 of BT.709 in limited range. swscale, which the CPU's writer uses, halves chroma by a cubic
 * (a = -0.6) stretched to two pixels, so eight taps around the middle of each pair; here in float, rounded
 * once. */
#include "picture.h"

#define KR 0.2126f
#define KB 0.0722f
#define HALF 4 /* taps to each side */

struct Rgb {
    Array<const uint8_t> p;
    int w, h; /* beyond them it repeats */
    __device__ float at(int x, int y, int c) const {
        return (float)p[((int64_t)clamped(y, h) * w + clamped(x, w)) * 3 + c];
    }
};
static __device__ inline uint8_t rounded(float v) {
    return (uint8_t)(within(v, 0, 255) + 0.5f);
}

struct Luma {
    Array<uint8_t> to;
    Rgb from;
    int w;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const float y =
            KR * from.at(p.x, p.y, 0) + (1 - KR - KB) * from.at(p.x, p.y, 1) + KB * from.at(p.x, p.y, 2);
        to[i] = rounded(16 + 219.f / 255 * y);
    }
};
struct Chroma {
    Array<uint8_t> u, v;
    Rgb from;
    int w;
    static __device__ float weight(int k) { /* of the k-th pixel from the middle of a pair, either way */
        return k == 0 ? 0.4359375f : k == 1 ? 0.1203125f : k == 2 ? -0.0421875f : -0.0140625f;
    }
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        float rgb[3] = {0, 0, 0};
        for (int b = -HALF; b < HALF; b++) {
            float line[3] = {0, 0, 0};
            for (int a = -HALF; a < HALF; a++)
                for (int c = 0; c < 3; c++)
                    line[c] += weight(a < 0 ? -1 - a : a) * from.at(2 * p.x + 1 + a, 2 * p.y + 1 + b, c);
            for (int c = 0; c < 3; c++) rgb[c] += weight(b < 0 ? -1 - b : b) * line[c];
        }
        const float y = KR * rgb[0] + (1 - KR - KB) * rgb[1] + KB * rgb[2];
        u[i] = rounded(128 + 112.f / 255 / (1 - KB) * (rgb[2] - y));
        v[i] = rounded(128 + 112.f / 255 / (1 - KR) * (rgb[0] - y));
    }
};
extern "C" void bl__cuda_planes(bl__device *d, uint8_t *to, const bl_picture *frame) {
    const int w = (frame->w + 1) / 2, h = (frame->h + 1) / 2;
    const int64_t n = (int64_t)w * h;
    const Rgb from = {array((const uint8_t *)frame->data), frame->w, frame->h};
    each(d, "luma", 4 * n, Luma{array(to), from, 2 * w});
    each(d, "chroma", n, Chroma{array(to + 4 * n), array(to + 5 * n), from, w});
}
