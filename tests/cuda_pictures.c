/*
 * The pictures of the CUDA module beside the CPU's code: figures, windows, layers, patches, planes, on random
 * people and pictures, odd and tiny sizes, windows that hang over the frame's edges. Whatever an operation
 * shall write is filled with NaN (bytes: 255) before, and all is done twice, with the emulator's blocks and
 * threads in the opposite order the second time, which must give the same bits.
 *
 * What is to be the same picture in bytes may differ by one level where a value lies between two; seen on the
 * emulator: figures, windows, layers and patches to the bit, planes of swscale one level.
 */
#include <math.h>

#include "figure/shapes.h"
#include "gan/net.h"
#include "on_device.h"
#include "parity.h"
#include "planes.h"
#include "scene.h"
#include "support.h"
#include "transfer/compose.h"
#include "transfer/dataset.h"
#include "transfer/patch.h"
#include "transfer/retouch.h"
#include "transfer/steady.h"

#define ROUNDS 24

static bl_device *device;
static int real;
static bl_rng rng;

/* ---- pictures up and down ---- */
static double uniform(double low, double high) {
    return low + (high - low) * bl_rng_uniform(&rng);
}

static int below(int n) {
    return (int)bl_rng_below(&rng, n);
}

static bl_picture poisoned(int w, int h, int channels, int size) {
    bl_err err = {0};
    bl_picture p = {0};
    const ptrdiff_t row = (ptrdiff_t)w * channels * size;
    uint8_t *bytes = bl_alloc((size_t)row * (size_t)h);
    memset(bytes, 0xff, (size_t)row * (size_t)h);
    assert_ok(bl_picture_create(&p, device, w, h, channels, size, &err));
    assert_ok(bl_picture_put(&p, bytes, row, &err));
    bl_free(bytes);
    return p;
}

static bl_picture put(const void *from, int w, int h, int channels, int size) {
    bl_err err = {0};
    bl_picture p = poisoned(w, h, channels, size);
    assert_ok(bl_picture_put(&p, from, (ptrdiff_t)w * channels * size, &err));
    return p;
}

static bl_picture put_frame(const bl_frame *f) {
    bl_err err = {0};
    bl_picture p = poisoned(f->width, f->height, 3, 1);
    assert_ok(bl_picture_put(&p, f->data, f->stride, &err));
    return p;
}

static void *get(const bl_picture *p) {
    bl_err err = {0};
    bl_staged s = {0};
    bl_fence *done = NULL;
    const int64_t bytes = (int64_t)p->w * p->h * p->channels * p->size;
    assert_ok(bl_staged_create(&s, device, bytes, &err));
    assert_ok(bl_fence_create(&done, device, &err));
    bl_picture_down(p, &s);
    bl_fence_set(done);
    assert_ok(bl_fence_wait(done, &err));
    void *out = bl_alloc((size_t)bytes);
    memcpy(out, s.host, (size_t)bytes);
    bl_fence_destroy(&done);
    bl_staged_release(&s);
    return out;
}

/* Takes the picture: what `work` made of it, twice the same. */
typedef void (*work_fn)(void *ctx, bl_picture *to);
static void *made_by(work_fn work, void *ctx, bl_picture (*fresh)(void *ctx)) {
    void *out[2];
    int64_t bytes = 0;
    for (int k = 0; k < 2; k++) {
        bl_picture to = fresh(ctx);
        if (!real) setenv("BALLERINO_EMULATOR_ORDER", k ? "1" : "0", 1);
        work(ctx, &to);
        bytes = (int64_t)to.w * to.h * to.channels * to.size;
        out[k] = get(&to);
        bl_picture_release(&to);
    }
    if (!real) setenv("BALLERINO_EMULATOR_ORDER", "0", 1);
    if (memcmp(out[0], out[1], (size_t)bytes) != 0) fail_msg("another order, other bits");
    bl_free(out[1]);
    return out[0];
}

static void note(const char *what, double error, double limit, int w, int h) {
    char size[24];
    snprintf(size, sizeof size, "%dx%d", w, h);
    parity_note(&(parity_seen){.what = what,
                               .size = size,
                               .detail = "a value",
                               .precision = BL_FP32,
                               .error = error,
                               .limit = limit});
}

static void same_floats(const char *what, const float *a, const float *b, int64_t n, double limit, int w,
                        int h) {
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= worst)) worst = d;
    }
    note(what, worst, limit, w, h);
}

static void same_frame(const char *what, const uint8_t *there, const bl_frame *here) {
    double worst = 0;
    for (int y = 0; y < here->height; y++)
        for (int i = 0; i < here->width * 3; i++)
            worst = fmax(worst,
                         abs(there[(ptrdiff_t)y * here->width * 3 + i] - here->data[y * here->stride + i]));
    note(what, worst, 1, here->width, here->height);
}

static float *random_floats(int64_t n, double low, double high) {
    float *x = bl_alloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)uniform(low, high);
    return x;
}

/* Noise over slow waves, so that neighbours both differ and agree. */
static bl_frame *random_frame(int w, int h) {
    bl_err err = {0};
    bl_frame *f = NULL;
    const double fx = uniform(0.02, 0.5), fy = uniform(0.02, 0.5), noise = uniform(0, 120);
    assert_ok(bl_frame_create(&f, w, h, &err));
    for (int y = 0; y < h; y++)
        for (int i = 0; i < w * 3; i++) {
            const double v = 128 + 110 * sin(fx * (i / 3) + i % 3) * cos(fy * y) + uniform(-noise, noise);
            f->data[y * f->stride + i] = (uint8_t)BL_CLAMP(v, 0, 255);
        }
    return f;
}

static bl_frame *copy_of(const bl_frame *f) {
    bl_err err = {0};
    bl_frame *c = NULL;
    assert_ok(bl_frame_create(&c, f->width, f->height, &err));
    memcpy(c->data, f->data, (size_t)f->stride * (size_t)f->height);
    return c;
}

/* ---- figures ---- */
static void random_points(bl_point3 *q, int n, double x, double y, double r) {
    for (int k = 0; k < n; k++)
        q[k] = (bl_point3){(float)(x + uniform(-r, r)), (float)(y + uniform(-r, r)), (float)uniform(-r, r)};
}

static bl_person random_person(void) {
    bl_person p = {0};
    for (int k = 0; k < BL_LANDMARKS; k++) {
        p.landmarks[k] = (bl_landmark){(float)uniform(-0.2, 1.2), (float)uniform(-0.2, 1.2),
                                       (float)uniform(-1, 1), (float)uniform(0, 0.6)};
        p.world[k] =
            (bl_landmark){(float)uniform(-1, 1), (float)uniform(-1, 1), 0, p.landmarks[k].visibility};
    }
    p.face.score = (float)uniform(0, 1), p.left_hand.score = (float)uniform(0, 1), p.right_hand.score = 1;
    random_points(p.face.points, BL_FACE_POINTS, uniform(0, 1), uniform(0, 1), uniform(0.01, 0.3));
    random_points(p.left_hand.points, BL_HAND_POINTS, uniform(0, 1), uniform(0, 1), uniform(0.01, 0.2));
    random_points(p.right_hand.points, BL_HAND_POINTS, uniform(0, 1), uniform(0, 1), uniform(0.01, 0.2));
    return p;
}

typedef struct drawing {
    int w, h, n;
    bl_staged list;
} drawing;
static bl_picture fresh_label(void *ctx) {
    const drawing *d = ctx;
    return poisoned(d->w, d->h, 3, 4);
}
static void draw(void *ctx, bl_picture *to) {
    drawing *d = ctx;
    bl_staged_up(&d->list, d->n * (int64_t)sizeof(bl_capsule));
    bl_picture_draw(to, &d->list, d->n);
}

static void figures(void **state) {
    (void)state;
    bl_err err = {0};
    drawing d = {0};
    assert_ok(bl_staged_create(&d.list, device, BL_FIGURE_CAPSULES * (int64_t)sizeof(bl_capsule), &err));
    for (int k = 0; k < 2 * ROUNDS; k++) {
        const bl_person p = random_person();
        const int fw = 40 + below(400), fh = 40 + below(400);
        d.w = k < 4 ? k + 1 : 1 + below(150);
        d.h = k < 4 ? 1 : 1 + below(150);
        const bl_view view = {(float)uniform(-50, fw), (float)uniform(-50, fh), (float)uniform(0.1, 4)};
        d.n = bl_figure_capsules(d.list.host, &p, fw, fh, view, NULL);
        float *there = made_by(draw, &d, fresh_label), *here = bl_alloc((size_t)d.w * (size_t)d.h * 12);
        bl_figure_draw(here, d.w, d.h, &p, fw, fh, view, NULL);
        same_floats("figure", there, here, (int64_t)d.w * d.h * 3, 1.0 / 255, d.w, d.h);
        bl_free(there);
        bl_free(here);
    }
    bl_staged_release(&d.list);
    parity_expect();
}

/* ---- windows ---- */
typedef struct windowing {
    int w, h, x, y;
    bl_picture from;
    float dx, dy;
} windowing;
static bl_picture fresh_window(void *ctx) {
    const windowing *q = ctx;
    return poisoned(q->w, q->h, 3, 4);
}
static void window(void *ctx, bl_picture *to) {
    const windowing *q = ctx;
    bl_picture_window(to, &q->from, q->x, q->y);
}
static void shift(void *ctx, bl_picture *to) {
    const windowing *q = ctx;
    bl_picture_shift(to, &q->from, q->dx, q->dy);
}

static void windows(void **state) {
    (void)state;
    for (int k = 0; k < ROUNDS; k++) {
        const int gw = 1 + below(90), gh = 1 + below(90);
        windowing q = {
            .w = 1 + below(70), .h = 1 + below(70), .x = below(gw + 60) - 60, .y = below(gh + 60) - 60};
        const bl__grid g = {.w = gw, .h = gh};
        uint8_t *plate = bl_alloc((size_t)gw * (size_t)gh * 3);
        for (int i = 0; i < gw * gh * 3; i++) plate[i] = (uint8_t)below(256);
        const int64_t n = (int64_t)q.w * q.h * 3;
        float *here = bl_alloc((size_t)n * 4), *last = random_floats(n, -1, 1);
        q.from = put(plate, gw, gh, 3, 1);
        float *there = made_by(window, &q, fresh_window);
        bl__plate_window(here, plate, &g, q.x, q.y, q.w, q.h);
        same_floats("window of the plate", there, here, n, 1e-6, q.w, q.h);
        bl_free(there);
        bl_picture_release(&q.from);
        q.from = put(last, q.w, q.h, 3, 4);
        q.dx = k % 3 ? (float)(below(9) - 4) : (float)uniform(-80, 80);
        q.dy = k % 2 ? (float)(below(9) - 4) : (float)uniform(-5, 5);
        there = made_by(shift, &q, fresh_window);
        bl__shift_picture(here, last, q.w, q.h, q.dx, q.dy);
        same_floats("frame before, moved", there, here, n, 1e-5, q.w, q.h);
        bl_free(there);
        bl_free(here);
        bl_free(last);
        bl_free(plate);
        bl_picture_release(&q.from);
    }
    parity_expect();
}

/* ---- composition ---- */
typedef struct composing {
    bl__grid grid;
    int w, h, x, y;
    float opacity;
    bl_picture rgb, mask, plate, layer;
    const bl_frame *under;
    bl_staged axis[2];
    bl_taps from_x, from_y;
} composing;
static bl_picture fresh_layer(void *ctx) {
    const composing *c = ctx;
    return poisoned(c->w, c->h, 4, 4);
}
static void lift(void *ctx, bl_picture *to) {
    const composing *c = ctx;
    const bl_lift how = bl__layer_lift(&c->grid, c->x, c->y, c->opacity);
    bl_picture_lift(to, &c->rgb, &c->mask, &c->plate, &how);
}
static bl_picture fresh_frame(void *ctx) {
    const composing *c = ctx;
    return put_frame(c->under);
}
static void over(void *ctx, bl_picture *to) {
    const composing *c = ctx;
    bl_over how = bl__layer_place(&c->grid, c->x, c->y, c->w, c->h);
    how.from_x = c->from_x, how.from_y = c->from_y;
    bl_picture_over(to, &c->layer, &how);
}

/* A mask with empty parts, full parts and soft edges. */
static float *random_mask(int w, int h) {
    float *m = bl_alloc((size_t)w * (size_t)h * sizeof *m);
    const double cx = uniform(0, w), cy = uniform(0, h), r = uniform(1, w + h);
    for (int i = 0; i < w * h; i++) {
        const double v = 0.5 + (r - hypot(i % w - cx, i / w - cy)) / 4 + uniform(-0.1, 0.1);
        m[i] = (float)BL_CLAMP(v, -0.1, 1.1);
    }
    return m;
}

static void compose_one(int fw, int fh, double scale, int painted) {
    bl_err err = {0};
    composing c = {.opacity = (float)uniform(0.1, 1)};
    bl__layer l;
    bl_frame *under = random_frame(fw, fh), *here = copy_of(under);
    assert_ok(bl__grid_init(&c.grid, fw, fh, scale, &err));
    c.w = 1 + below(80), c.h = 1 + below(80);
    c.x = below(c.grid.w + c.w) - c.w, c.y = below(c.grid.h + c.h) - c.h;
    const int64_t n = (int64_t)c.w * c.h;
    float *rgb = random_floats(3 * n, -1.1, 1.1), *plate = random_floats(3 * n, -1, 1),
          *mask = random_mask(c.w, c.h);
    for (int64_t i = 0; painted && i < n; i++) mask[i] = 1;
    c.rgb = put(rgb, c.w, c.h, 3, 4), c.plate = put(plate, c.w, c.h, 3, 4);
    if (!painted) c.mask = put(mask, c.w, c.h, 1, 4);
    float *lifted = made_by(lift, &c, fresh_layer);
    assert_ok(bl__layer_init(&l, c.w, c.h, &err));
    bl__layer_fill(&l, &c.grid, c.x, c.y, rgb, mask, plate, c.opacity);
    same_floats("layer", lifted, l.rgba, 4 * n, 1e-3, c.w, c.h);
    c.layer = put(l.rgba, c.w, c.h, 4, 4);
    c.under = under;
    assert_ok(bl__axis_up(&c.axis[0], &c.from_x, &c.grid.from_x, device, &err));
    assert_ok(bl__axis_up(&c.axis[1], &c.from_y, &c.grid.from_y, device, &err));
    uint8_t *there = made_by(over, &c, fresh_frame);
    bl__layer_over(&l, &c.grid, c.x, c.y, here);
    same_frame("layer over the plate", there, here);
    bl_picture *const all[] = {&c.rgb, &c.mask, &c.plate, &c.layer};
    for (size_t k = 0; k < BL_COUNT(all); k++) bl_picture_release(all[k]);
    for (int k = 0; k < 2; k++) bl_staged_release(&c.axis[k]);
    bl__layer_release(&l);
    bl__grid_release(&c.grid);
    bl_free(rgb), bl_free(plate), bl_free(mask), bl_free(lifted), bl_free(there);
    bl_frame_unref(&under);
    bl_frame_unref(&here);
}

static void compositions(void **state) {
    (void)state;
    for (int k = 0; k < ROUNDS; k++)
        compose_one(k < 3 ? k + 1 : 2 + below(220), k < 3 ? 3 - k : 2 + below(180),
                    k % 5 ? uniform(0.2, 1) : 1, k % 6 == 5);
    parity_expect();
}

/* ---- layers after each other ---- */
typedef struct steadying {
    bl__grid grid;
    bl__steady there;
    bl_picture before;
    const float *layer;
    bl_staged field;
    bl__moment then, now;
} steadying;
static bl_picture fresh_second(void *ctx) {
    const steadying *s = ctx;
    return put(s->layer, s->there.w, s->there.h, 4, 4);
}
static void steadied(void *ctx, bl_picture *to) {
    steadying *s = ctx;
    bl__steady_restart(&s->there);
    bl__steady_queue(&s->there, &s->grid, &s->before, &s->field, s->then);
    bl__steady_queue(&s->there, &s->grid, to, &s->field, s->now);
}

static void steady_one(int k) {
    static const scene room = {.w = 240, .h = 320, .fps = 25};
    bl_err err = {0};
    bl_track_frame a, b;
    bl__steady here;
    bl__layer l;
    const int w = 2 + below(90), h = 2 + below(90), n = w * h * 4;
    steadying s = {.now = {&b.person, below(60) - 10, below(60) - 10}};
    s.then = (bl__moment){&a.person, s.now.x + below(9) - 4, s.now.y + below(9) - 4};
    scene_person(&room, below(50), &a);
    scene_person(&room, a.i + k % 3, &b);
    assert_ok(bl__grid_init(&s.grid, room.w, room.h, uniform(0.2, 1), &err));
    const float share = (float)uniform(0.1, 0.9);
    assert_ok(bl__steady_init(&here, share, w, h, NULL, &err));
    assert_ok(bl__steady_init(&s.there, share, w, h, device, &err));
    assert_ok(bl_staged_create(&s.field, device, bl__steady_bytes(w, h), &err));
    assert_ok(bl__layer_init(&l, w, h, &err));
    float *before = random_floats(n, -1, 1), *layer = random_floats(n, -1, 1);
    for (int i = 0; i < n; i++) { /* smooth, with a little noise, and some alike in no way */
        const float size = i % 4 == 3 ? 0.01f : 1, x = (float)(i / 4 % w), y = (float)(i / 4 / w);
        before[i] = size * (60 + 30 * sinf(0.2f * x) * cosf(0.15f * y) + 4 * before[i]);
        layer[i] = before[i] + size * (below(8) ? 12 : 90) * layer[i];
    }
    s.layer = layer;
    s.before = put(before, w, h, 4, 4);
    float *made = made_by(steadied, &s, fresh_second);
    memcpy(l.rgba, before, (size_t)n * sizeof *before);
    bl__steady_layer(&here, &s.grid, &l, s.then);
    memcpy(l.rgba, layer, (size_t)n * sizeof *layer);
    bl__steady_layer(&here, &s.grid, &l, s.now);
    int changed = 0;
    for (int i = 0; i < n; i++) changed += l.rgba[i] != layer[i];
    assert_true(changed > n / 4 || w < 16 || h < 16);
    same_floats("steadied layer", made, l.rgba, n, 1e-3, w, h);
    bl__layer_release(&l);
    bl__steady_release(&here);
    bl__steady_release(&s.there);
    bl_picture_release(&s.before);
    bl_staged_release(&s.field);
    bl__grid_release(&s.grid);
    bl_free(before), bl_free(layer), bl_free(made);
}

static void steadied_layers(void **state) {
    (void)state;
    for (int k = 0; k < ROUNDS; k++) steady_one(k);
    parity_expect();
}

/* ---- patches ---- */
typedef struct patching {
    const bl_frame *frame;
    int n;
    bl_picture from, painted, made;
    bl_taps x, y;
    bl_patching how;
} patching;
static bl_picture fresh_patch(void *ctx) {
    const patching *p = ctx;
    return poisoned(p->n, p->n, 3, 4);
}
static void cut(void *ctx, bl_picture *to) {
    const patching *p = ctx;
    bl_picture_resample(to, &p->from, p->x, p->y);
}
static bl_picture fresh_patched(void *ctx) {
    const patching *p = ctx;
    return put_frame(p->frame);
}
static void add(void *ctx, bl_picture *to) {
    const patching *p = ctx;
    bl_picture_patch(to, &p->painted, &p->made, &p->how);
}

static bl_taps taps(bl_staged *s, const bl__patch_axis *a) {
    bl_err err = {0};
    int *first;
    float *weight;
    assert_ok(bl_staged_create(s, device, bl_taps_bytes(a->n, bl__patch_taps_count(a)), &err));
    const bl_taps t = bl_taps_in(s, a->n, bl__patch_taps_count(a), &first, &weight);
    bl__patch_taps(a, first, weight);
    bl_staged_up(s, s->bytes);
    return t;
}

static void cut_one(patching *p, const bl__part_box *b) {
    bl_err err = {0};
    bl_staged s[2] = {{0}};
    bl__patch_axis across, down;
    const int64_t n = (int64_t)p->n * p->n * 3;
    uint8_t *bytes = bl_alloc((size_t)n);
    float *here = bl_alloc((size_t)n * sizeof *here);
    bl__patch_cut_axes(b, p->n, 0, &across, &down);
    p->x = taps(&s[0], &across), p->y = taps(&s[1], &down);
    p->from = put_frame(p->frame);
    float *there = made_by(cut, p, fresh_patch);
    assert_ok(bl__patch_cut(bytes, p->n, 0, p->frame, b, &err));
    for (int64_t i = 0; i < n; i++) here[i] = (float)bytes[i] * (2.f / 255) - 1;
    same_floats("patch", there, here, n, 2.0 / 255 + 1e-6, p->n, p->n);
    bl_picture_release(&p->from);
    for (int k = 0; k < 2; k++) bl_staged_release(&s[k]);
    bl_free(bytes), bl_free(here), bl_free(there);
}

static void add_one(patching *p, const bl__part_box *b) {
    bl_err err = {0};
    bl_staged s[2] = {{0}};
    bl__patch_place at;
    const int64_t n = (int64_t)p->n * p->n * 3;
    bl_frame *here = copy_of(p->frame);
    float *made = random_floats(n, -1, 1), *painted = random_floats(n, -1, 1),
          *change = bl_alloc((size_t)n * 4);
    for (int64_t i = 0; i < n; i++) change[i] = 127.5f * (painted[i] - made[i]);
    assert_ok(bl__patch_add(here, b, change, p->n, &err));
    if (bl__patch_lay(&at, b, p->n, here->width, here->height)) {
        p->how = (bl_patching){.x = taps(&s[0], &at.x),
                               .y = taps(&s[1], &at.y),
                               .x0 = at.x0,
                               .y0 = at.y0,
                               .left = at.left,
                               .top = at.top,
                               .side = (double)b->side,
                               .seen = b->seen,
                               .fade = BL__PATCH_FADE};
        p->painted = put(painted, p->n, p->n, 3, 4), p->made = put(made, p->n, p->n, 3, 4);
        uint8_t *there = made_by(add, p, fresh_patched);
        same_frame("patch over the frame", there, here);
        bl_free(there);
        bl_picture_release(&p->painted);
        bl_picture_release(&p->made);
    }
    for (int k = 0; k < 2; k++) bl_staged_release(&s[k]);
    bl_free(made), bl_free(painted), bl_free(change);
    bl_frame_unref(&here);
}

static void patches(void **state) {
    (void)state;
    for (int k = 0; k < ROUNDS; k++) {
        bl_frame *f = random_frame(k < 2 ? 1 + k : 2 + below(150), k < 2 ? 2 - k : 2 + below(150));
        patching p = {.frame = f, .n = 1 + below(48)};
        const bl__part_box b = {.cx = (float)uniform(-20, f->width + 20),
                                .cy = (float)uniform(-20, f->height + 20),
                                .side = (float)uniform(1, 120),
                                .seen = (float)uniform(0.1, 1)};
        cut_one(&p, &b);
        add_one(&p, &b);
        bl_frame_unref(&f);
    }
    parity_expect();
}

/* ---- planes ---- */
static bl_picture fresh_planes(void *ctx) {
    const bl_picture *frame = ctx;
    return poisoned((int)bl_planes_bytes(frame->w, frame->h), 1, 1, 1);
}
static void planes(void *ctx, bl_picture *to) {
    bl_picture_planes(to->data, ctx);
}

static void colours(void **state) {
    (void)state;
    for (int k = 0; k < ROUNDS; k++) {
        bl_frame *f = random_frame(k < 4 ? 1 + k : 1 + below(120), k < 4 ? 4 - k : 1 + below(120));
        bl_picture there = put_frame(f);
        const int64_t n = bl_planes_bytes(f->width, f->height);
        uint8_t *made = made_by(planes, &there, fresh_planes), *here = bl_alloc((size_t)n);
        double worst = 0;
        planes_of(here, f);
        for (int64_t i = 0; i < n; i++) worst = fmax(worst, abs(made[i] - here[i]));
        note("RGB to planes", worst, 1, f->width, f->height);
        bl_picture_release(&there);
        bl_free(made), bl_free(here);
        bl_frame_unref(&f);
    }
    parity_expect();
}

/* ---- beside pictures ---- */
static void memory_that_is_not_there(void **state) {
    (void)state;
    bl_err err = {0};
    bl_picture p = {0};
    bl_staged s = {0};
    if (real) {
        puts("SKIP: the memory of a real device is not filled here");
        skip();
    }
    setenv("BALLERINO_EMULATOR_MB", "1", 1);
    assert_int_equal(bl_picture_create(&p, device, 1024, 1024, 3, 1, &err), BL_E_NOMEM);
    assert_non_null(strstr(err.msg, "not enough memory on the GPU"));
    assert_int_equal(bl_staged_create(&s, device, 4 << 20, &err), BL_E_NOMEM);
    unsetenv("BALLERINO_EMULATOR_MB");
    assert_null(s.host);
    assert_ok(bl_device_check(device, &err)); /* said and forgotten */
    bl_picture_release(&p);
}

static void nothing_is_left(void **state) {
    (void)state;
    expect_nothing_left(real);
}

int cuda_pictures_tests(bl_device *where, int is_real) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures),
        cmocka_unit_test(windows),
        cmocka_unit_test(compositions),
        cmocka_unit_test(steadied_layers),
        cmocka_unit_test(patches),
        cmocka_unit_test(colours),
        cmocka_unit_test(memory_that_is_not_there),
        cmocka_unit_test(nothing_is_left),
    };
    device = where;
    real = is_real;
    bl_rng_seed(&rng, 7);
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
