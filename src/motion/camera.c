/*
 * Camera: a few Gauss-Newton steps on the brightness of a small picture, outside the person (Lucas and Kanade
 * 1981, one translation for the whole background): good to a tenth of its pixels and up to a few of them.
 */
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/motion.h"

#define SIDE 160   /* longest side of the small picture */
#define STEPS 6    /* Gauss-Newton steps */
#define OUTLIER 24 /* brightness difference beyond which a pixel is something else that moved */

struct bl_camera {
    int w, h;
    float *now, *before;
    uint8_t *person; /* in either frame */
    int frames;
};

int bl_camera_create(bl_camera **out, int frame_w, int frame_h, bl_err *err) {
    double scale = BL_MIN(1.0, (double)SIDE / BL_MAX(frame_w, frame_h));
    bl_camera *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory to watch the camera");
    *c = (bl_camera){.w = BL_MAX(8, (int)(frame_w * scale)), .h = BL_MAX(8, (int)(frame_h * scale))};
    size_t n = (size_t)c->w * (size_t)c->h;
    c->now = bl_alloc_array(n, sizeof *c->now);
    c->before = bl_alloc_array(n, sizeof *c->before);
    c->person = bl_alloc_array(n, 1);
    *out = c;
    if (c->now && c->before && c->person) return 0;
    bl_camera_destroy(out);
    return bl_fail(err, BL_E_NOMEM, "not enough memory to watch the camera");
}

void bl_camera_destroy(bl_camera **cp) {
    bl_camera *c = *cp;
    if (!c) return;
    bl_free(c->now);
    bl_free(c->before);
    bl_free(c->person);
    bl_free(c);
    *cp = NULL;
}

/* Mean brightness of up to 4x4 spread samples a cell: no aliasing to speak of, and no full pass. */
static void shrink(bl_camera *c, const bl_frame *f) {
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            int sum = 0;
            for (int j = 0; j < 4; j++) {
                int fy = BL_MIN((int)(((float)y + ((float)j + 0.5f) / 4) * (float)f->height / (float)c->h),
                                f->height - 1);
                for (int i = 0; i < 4; i++) {
                    int fx = BL_MIN((int)(((float)x + ((float)i + 0.5f) / 4) * (float)f->width / (float)c->w),
                                    f->width - 1);
                    const uint8_t *px = f->data + fy * f->stride + (ptrdiff_t)fx * 3;
                    sum += 77 * px[0] + 150 * px[1] + 29 * px[2];
                }
            }
            c->now[y * c->w + x] = (float)sum / (16 * 256);
        }
}

/* Marks the person of this frame on top of those of the one before (value 1 before, 2 now). */
static void mark(bl_camera *c, const bl_frame *f, const uint8_t *mask) {
    for (int y = 0; y < c->h; y++)
        for (int x = 0; x < c->w; x++) {
            uint8_t *p = &c->person[y * c->w + x];
            *p = *p & 2 ? 1 : 0;
            if (!mask) continue;
            for (int j = -1; j <= 1; j++)
                for (int i = -1; i <= 1; i++) {
                    int fy = BL_CLAMP((y + j) * f->height / c->h, 0, f->height - 1);
                    int fx = BL_CLAMP((x + i) * f->width / c->w, 0, f->width - 1);
                    if (mask[(size_t)fy * (size_t)f->width + (size_t)fx] > 40) *p |= 2;
                }
        }
}

static float bilinear(const float *p, int w, float x, float y) {
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const float *a = p + iy * w + ix;
    return (a[0] * (1 - fx) + a[1] * fx) * (1 - fy) + (a[w] * (1 - fx) + a[w + 1] * fx) * fy;
}

/* One Gauss-Newton step for now(x + d) = before(x). 0 when the background has no texture. */
static int refine(const bl_camera *c, float *dx, float *dy) {
    double xx = 0, xy = 0, yy = 0, ex = 0, ey = 0;
    for (int y = 1; y < c->h - 1; y++)
        for (int x = 1; x < c->w - 1; x++) {
            float px = (float)x + *dx, py = (float)y + *dy;
            if (c->person[y * c->w + x] || px < 0 || py < 0 || px >= (float)c->w - 1 || py >= (float)c->h - 1)
                continue;
            const float *b = c->before + y * c->w + x;
            float e = b[0] - bilinear(c->now, c->w, px, py);
            if (fabsf(e) > OUTLIER) continue;
            float gx = 0.5f * (b[1] - b[-1]), gy = 0.5f * (b[c->w] - b[-c->w]);
            xx += (double)(gx * gx);
            xy += (double)(gx * gy);
            yy += (double)(gy * gy);
            ex += (double)(gx * e);
            ey += (double)(gy * e);
        }
    double det = xx * yy - xy * xy, trace = xx + yy;
    if (det < 1e-4 * trace * trace + 1) return 0;
    *dx += (float)((yy * ex - xy * ey) / det);
    *dy += (float)((xx * ey - xy * ex) / det);
    return fabsf(*dx) < (float)c->w / 4 && fabsf(*dy) < (float)c->h / 4;
}

float bl_camera_add(bl_camera *c, const bl_frame *f, const uint8_t *mask) {
    float *swap = c->before, dx = 0, dy = 0;
    c->before = c->now;
    c->now = swap;
    shrink(c, f);
    mark(c, f, mask);
    if (c->frames++ == 0) return 0;
    for (int k = 0; k < STEPS; k++)
        if (!refine(c, &dx, &dy)) return 0;
    return hypotf(dx * (float)f->width / (float)c->w, dy * (float)f->height / (float)c->h);
}
