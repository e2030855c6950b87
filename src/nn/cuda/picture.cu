/* Pictures: figures, windows of a plate, what a generator adds, laid over a frame. What each does says
 * ballerino/picture.h; the arithmetic is that of figure/shapes.h, transfer/compose.c and steady.c, in their
 * order. */
#include "picture.h"

static int64_t pixels(const bl_picture *p) {
    return (int64_t)p->w * p->h;
}

/* ---- figures ---- */
struct Draw {
    Array<float> to;
    Array<const bl_capsule> list;
    int n, w;

    /* How much of the pixel centred at (x, y) is covered. */
    static __device__ float coverage(const bl_capsule &s, float x, float y) {
        const float reach = (s.ra > s.rb ? s.ra : s.rb) + 1;
        const float left = s.ax < s.bx ? s.ax : s.bx, right = s.ax < s.bx ? s.bx : s.ax;
        const float top = s.ay < s.by ? s.ay : s.by, bottom = s.ay < s.by ? s.by : s.ay;
        if (!(x > left - reach && x < right + reach && y > top - reach && y < bottom + reach)) return 0;
        const float dx = s.bx - s.ax, dy = s.by - s.ay, px = x - s.ax, py = y - s.ay;
        const float squared = dx * dx + dy * dy;
        float t = (px * dx + py * dy) * (squared > 1e-12f ? 1 / squared : 0);
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        const float r = s.ra + t * (s.rb - s.ra), ex = px - t * dx, ey = py - t * dy;
        const float c = r + 0.5f - sqrtf(ex * ex + ey * ey), most = r < 0.5f ? 2 * r : 1;
        return c <= 0 ? 0 : c < most ? c : most;
    }
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const float x = (float)p.x + 0.5f, y = (float)p.y + 0.5f;
        float rgb[3] = {0, 0, 0};
        for (int k = 0; k < n;) {
            const int first = k;
            float cover = 0;
            do {
                const float c = coverage(list[k], x, y);
                cover = c > cover ? c : cover;
            } while (++k < n && list[k].joined);
            const float a = cover * list[first].alpha;
            if (a <= 0) continue;
            for (int c = 0; c < 3; c++) rgb[c] += a * (list[first].rgb[c] - rgb[c]);
        }
        for (int c = 0; c < 3; c++) to[3 * i + c] = rgb[c];
    }
};
static void draw(bl__device *d, const bl_picture *to, const bl_capsule *list, int n) {
    each(d, "a figure", pixels(to), Draw{array((float *)to->data), array(list), n, to->w});
}

/* ---- windows ---- */
struct Window {
    Array<float> to;
    Array<const uint8_t> from;
    int w, from_w, from_h, x, y;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const int64_t at = (int64_t)clamped(y + p.y, from_h) * from_w + clamped(x + p.x, from_w);
        for (int c = 0; c < 3; c++) to[3 * i + c] = (float)from[3 * at + c] * (2.f / 255) - 1;
    }
};
static void window(bl__device *d, const bl_picture *to, const bl_picture *from, int x, int y) {
    each(d, "a window of the plate", pixels(to),
         Window{array((float *)to->data), array((const uint8_t *)from->data), to->w, from->w, from->h, x, y});
}

struct Shift {
    Array<float> to;
    Array<const float> from;
    int w, h;
    float dx, dy;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const float px = within((float)p.x + dx, 0, (float)(w - 1)),
                    py = within((float)p.y + dy, 0, (float)(h - 1));
        const int x0 = (int)px, y0 = (int)py, x1 = clamped(x0 + 1, w), y1 = clamped(y0 + 1, h);
        const float tx = px - (float)x0, ty = py - (float)y0;
        for (int c = 0; c < 3; c++) {
            const float a = from[((int64_t)y0 * w + x0) * 3 + c], b = from[((int64_t)y0 * w + x1) * 3 + c];
            const float e = from[((int64_t)y1 * w + x0) * 3 + c], f = from[((int64_t)y1 * w + x1) * 3 + c];
            to[3 * i + c] = (a + (b - a) * tx) * (1 - ty) + (e + (f - e) * tx) * ty;
        }
    }
};
static void shift(bl__device *d, const bl_picture *to, const bl_picture *from, float dx, float dy) {
    each(d, "the frame before", pixels(to),
         Shift{array((float *)to->data), array((const float *)from->data), to->w, to->h, dx, dy});
}

/* ---- composition ---- */
static __device__ inline float feather(int at, int n, int place, int grid, float fade) {
    float f = 1;
    if (place > 0) f *= smoothstep(((float)at + 0.5f) / fade);
    if (place + n < grid) f *= smoothstep(((float)(n - at) - 0.5f) / fade);
    return f;
}
struct Lift {
    Array<float4> to;
    Array<const float> rgb, mask, plate;
    int w, h;
    bl_lift how;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const float m = mask.p ? within(mask[i], 0, 1) : 1;
        const float keep = smoothstep((m - how.below) / (how.above - how.below)) *
                           (how.opacity * feather(p.y, h, how.y, how.grid_h, how.fade)) *
                           feather(p.x, w, how.x, how.grid_w, how.fade);
        float v[3];
        for (int c = 0; c < 3; c++)
            v[c] = keep * 127.5f * ((rgb[3 * i + c] + 1) - (mask.p ? (1 - m) * (plate[3 * i + c] + 1) : 0));
        to[i] = make_float4(v[0], v[1], v[2], keep * m);
    }
};
static void lift(bl__device *d, const bl_picture *to, const bl_picture *rgb, const bl_picture *mask,
                 const bl_picture *plate, const bl_lift *how) {
    each(d, "a layer", pixels(to),
         Lift{array((float4 *)to->data), array((const float *)rgb->data), array((const float *)mask->data),
              array((const float *)plate->data), to->w, to->h, *how});
}

struct Steady {
    Array<float4> layer;
    Array<const float4> before;
    Array<const float> field;
    int w, h;
    bl_steadying how;

    static __device__ float between(float a, float b, float t) { return a + (b - a) * t; }
    static __device__ float4 between(const float4 &a, const float4 &b, float t) {
        return make_float4(between(a.x, b.x, t), between(a.y, b.y, t), between(a.z, b.z, t),
                           between(a.w, b.w, t));
    }
    /* Component c of the field between the nodes around a pixel. */
    __device__ float moved(const Pixel &p, int c) const {
        const int64_t node = ((int64_t)(p.y / how.step) * how.nodes_w + p.x / how.step) * 2 + c,
                      below = node + (int64_t)how.nodes_w * 2;
        const float tx = (float)(p.x % how.step) / (float)how.step,
                    ty = (float)(p.y % how.step) / (float)how.step;
        return between(between(field[node], field[node + 2], tx), between(field[below], field[below + 2], tx),
                       ty);
    }
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, w);
        const float x = (float)(p.x + how.dx) + moved(p, 0), y = (float)(p.y + how.dy) + moved(p, 1);
        if (!(x >= 0 && y >= 0 && x <= (float)(w - 1) && y <= (float)(h - 1))) return;
        const int x0 = clamped((int)x, w - 1), y0 = clamped((int)y, h - 1);
        const int64_t at = (int64_t)y0 * w + x0;
        const float tx = x - (float)x0;
        const float4 was = between(between(before[at], before[at + 1], tx),
                                   between(before[at + w], before[at + w + 1], tx), y - (float)y0),
                     now = layer[i];
        const float4 change = make_float4(was.x - now.x, was.y - now.y, was.z - now.z, was.w - now.w);
        const float a = how.alpha * change.w;
        const float squared = change.x * change.x + change.y * change.y + change.z * change.z + a * a;
        const float near = 1 - squared / (how.reach * how.reach);
        if (near <= 0) return;
        const float k = how.share * near * near;
        layer[i] = make_float4(now.x + k * change.x, now.y + k * change.y, now.z + k * change.z,
                               now.w + k * change.w);
    }
};
static void steady(bl__device *d, const bl_picture *layer, const bl_picture *before, const float *field,
                   const bl_steadying *how) {
    each(d, "a steadied layer", pixels(layer),
         Steady{array((float4 *)layer->data), array((const float4 *)before->data), array(field), layer->w,
                layer->h, *how});
}

struct Over {
    Array<uint8_t> frame;
    Array<const float4> layer;
    Taps from_x, from_y;
    int frame_w, w, h;
    bl_over how;
    __device__ void operator()(int64_t i) const {
        const Pixel p = pixel_of(i, how.x1 - how.x0);
        const int fx = how.x0 + p.x, fy = how.y0 + p.y;
        float v[4] = {0, 0, 0, 0};
        for (int k = 0; k < from_x.count; k++) {
            const int column = clamped(from_x.first[fx] + k - how.x, w);
            float mixed[4] = {0, 0, 0, 0};
            for (int j = 0; j < from_y.count; j++) {
                const float4 in = layer[(int64_t)clamped(from_y.first[fy] + j - how.y, h) * w + column];
                const float t = from_y.weight[(int64_t)fy * from_y.count + j];
                mixed[0] += t * in.x, mixed[1] += t * in.y, mixed[2] += t * in.z, mixed[3] += t * in.w;
            }
            for (int c = 0; c < 4; c++) v[c] += from_x.weight[(int64_t)fx * from_x.count + k] * mixed[c];
        }
        if (v[3] <= how.least) return;
        const float rest = 1 - fminf(v[3], 1);
        const int64_t at = ((int64_t)fy * frame_w + fx) * 3;
        for (int c = 0; c < 3; c++)
            frame[at + c] = (uint8_t)(within(v[c] + rest * (float)frame[at + c], 0, 255) + 0.5f);
    }
};
static void over(bl__device *d, const bl_picture *frame, const bl_picture *layer, const bl_over *how) {
    if (how->x1 <= how->x0 || how->y1 <= how->y0) return;
    each(d, "a layer over the plate", (int64_t)(how->x1 - how->x0) * (how->y1 - how->y0),
         Over{array((uint8_t *)frame->data), array((const float4 *)layer->data), taps(how->from_x),
              taps(how->from_y), frame->w, layer->w, layer->h, *how});
}

extern "C" const bl__picture_ops bl__cuda_pictures = {.draw = draw,
                                                      .window = window,
                                                      .shift = shift,
                                                      .lift = lift,
                                                      .steady = steady,
                                                      .over = over,
                                                      .resample = bl__cuda_resample,
                                                      .patch = bl__cuda_patch,
                                                      .planes = bl__cuda_planes};
