/* Patches of a frame: cut out to another size, and put back. The arithmetic is that of transfer/patch.c:
 * along x first, then along y; a row along x is made anew by each pixel that needs it. */
#include "picture.h"

/* Pixel (i, j) of the resampled picture, whose pixels `in` gives: in(x, y, rgb). */
template <class F>
static __device__ void mix(float out[3], const Taps &x, const Taps &y, int i, int j, int w, int h,
                           const F &in) {
    out[0] = out[1] = out[2] = 0;
    for (int b = 0; b < y.count; b++) {
        const int row = clamped(y.first[j] + b, h);
        float line[3] = {0, 0, 0};
        for (int a = 0; a < x.count; a++) {
            const float t = x.weight[(int64_t)i * x.count + a];
            float rgb[3];
            in(clamped(x.first[i] + a, w), row, rgb);
            for (int c = 0; c < 3; c++) line[c] += t * rgb[c];
        }
        const float t = y.weight[(int64_t)j * y.count + b];
        for (int c = 0; c < 3; c++) out[c] += t * line[c];
    }
}

struct Bytes {
    Array<const uint8_t> p;
    int w, h;
    __device__ void operator()(int x, int y, float rgb[3]) const {
        for (int c = 0; c < 3; c++) rgb[c] = (float)p[((int64_t)y * w + x) * 3 + c];
    }
};
struct Resample {
    Array<float> to;
    Bytes from;
    Taps x, y;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, x.n);
        float v[3];
        mix(v, x, y, p.x, p.y, from.w, from.h, from);
        for (int c = 0; c < 3; c++)
            to[3 * i + c] = (float)(uint8_t)(within(v[c], 0, 255) + 0.5f) * (2.f / 255) - 1;
    }
};
extern "C" void bl__cuda_resample(bl__device *d, const bl_picture *to, const bl_picture *from, bl_taps x,
                                  bl_taps y) {
    each(d, "a patch", (int64_t)x.n * y.n,
         Resample{array((float *)to->data), Bytes{array((const uint8_t *)from->data), from->w, from->h},
                  taps(x), taps(y)});
}

struct Change {
    Array<const float> painted, made;
    int w, h;
    __device__ void operator()(int x, int y, float rgb[3]) const {
        const int64_t at = ((int64_t)y * w + x) * 3;
        for (int c = 0; c < 3; c++) rgb[c] = 127.5f * (painted[at + c] - made[at + c]);
    }
};
struct Patch {
    Array<uint8_t> frame;
    int frame_w;
    Change change;
    Taps x, y;
    bl_patching how;
    __device__ float fade(double at) const {
        const float u = (float)at;
        return smoothstep(fminf(u, 1 - u) / how.fade);
    }
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, x.n);
        float v[3];
        mix(v, x, y, p.x, p.y, change.w, change.h, change);
        const int fx = how.x0 + p.x, fy = how.y0 + p.y;
        const float weight = fade((fx + 0.5 - how.left) / how.side) * fade((fy + 0.5 - how.top) / how.side);
        const int64_t at = ((int64_t)fy * frame_w + fx) * 3;
        for (int c = 0; c < 3; c++) {
            const float now = (float)frame[at + c] + how.seen * weight * v[c];
            frame[at + c] = (uint8_t)(within(now, 0, 255) + 0.5f);
        }
    }
};
extern "C" void bl__cuda_patch(bl__device *d, const bl_picture *frame, const bl_picture *painted,
                               const bl_picture *made, const bl_patching *how) {
    each(
        d, "a patch over the frame", (int64_t)how->x.n * how->y.n,
        Patch{array((uint8_t *)frame->data), frame->w,
              Change{array((const float *)painted->data), array((const float *)made->data), made->w, made->h},
              taps(how->x), taps(how->y), *how});
}
