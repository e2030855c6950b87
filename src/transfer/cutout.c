#include "cutout.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reading.h"

#define MARGIN 0.06f     /* around the body's box, in its longer side */
#define SOLID 2          /* mask pixels inside the mask, from where on the person is solid */
#define LEVEL 90         /* of the mask, from which the person may be there */
#define DIFFERS_FROM 9.f /* bytes, mean over 3 x 3 pixels and channels */
#define DIFFERS_TO 30.f
#define CLOSE 2 /* radius of the smoothing that closes holes, pixels */
#define CLOSE_FROM 0.3f
#define CLOSE_TO 0.7f

typedef struct cutting {
    const bl__library *l;
    bl_file_writer file;
    size_t size;          /* written so far */
    uint8_t *may, *solid; /* of the mask's size */
    float *alpha, *smooth, *row;
    uint8_t *rgba;
} cutting;

static float between(float v, float from, float to) {
    return bl_smoothstep((v - from) / (to - from));
}

/* ---- where the person is ---- */
static int prepare_masks(cutting *c, int64_t i, bl_err *err) {
    const bl__masks *m = &c->l->t.masks;
    const size_t n = (size_t)m->w * (size_t)m->h;
    const uint8_t *mask = bl__masks_at(m, i);
    int rc = bl__mask_dilate(c->may, mask, m->w, m->h, 1, LEVEL, err);
    if (rc < 0) return rc;
    for (size_t k = 0; k < n; k++) c->rgba[k] = (uint8_t)(255 - mask[k]);
    bl__masks_forget(m, i);
    rc = bl__mask_dilate(c->solid, c->rgba, m->w, m->h, SOLID, 127, err);
    for (size_t k = 0; k < n; k++) c->solid[k] = !c->solid[k];
    return rc;
}

/* The mask (0 or 1 a pixel) at a frame pixel, bilinear. */
static float mask_at(const uint8_t *mask, const bl__masks *m, float x, float y) {
    const float mx = BL_CLAMP(x, 0, (float)m->w - 1.001f), my = BL_CLAMP(y, 0, (float)m->h - 1.001f);
    const int ix = (int)mx, iy = (int)my;
    const float fx = mx - (float)ix, fy = my - (float)iy;
    const uint8_t *a = mask + iy * m->w + ix, *b = a + (iy + 1 < m->h ? m->w : 0);
    return (1 - fy) * ((1 - fx) * a[0] + fx * a[1]) + fy * ((1 - fx) * b[0] + fx * b[1]);
}

static float differs(const bl_frame *f, const bl_frame *plate, int x, int y) {
    int sum = 0, n = 0;
    for (int j = BL_MAX(0, y - 1); j <= BL_MIN(f->height - 1, y + 1); j++)
        for (int i = BL_MAX(0, x - 1) * 3; i <= BL_MIN(f->width - 1, x + 1) * 3 + 2; i++, n++)
            sum += abs(f->data[j * f->stride + i] - plate->data[j * plate->stride + i]);
    return (float)sum / (float)n;
}

static void find_alpha(cutting *c, const bl_frame *f, const bl__cutout *o) {
    const bl__masks *m = &c->l->t.masks;
    const float sx = (float)m->w / (float)f->width, sy = (float)m->h / (float)f->height;
    float *a = c->alpha;
    for (int j = 0; j < o->h; j++)
        for (int i = 0; i < o->w; i++, a++) {
            const int x = o->x + i, y = o->y + j;
            const float mx = ((float)x + 0.5f) * sx - 0.5f, my = ((float)y + 0.5f) * sy - 0.5f;
            const float may = mask_at(c->may, m, mx, my);
            *a = 0;
            if (may <= 0) continue;
            const float solid = mask_at(c->solid, m, mx, my);
            *a = solid >= 1
                     ? 1
                     : may * fmaxf(solid, between(differs(f, c->l->t.plate, x, y), DIFFERS_FROM, DIFFERS_TO));
        }
}

/* Means over (2 CLOSE + 1) squared pixels, then steeper: holes close, crumbs go, the edge is soft. */
static void close_holes(cutting *c, const bl__cutout *o) {
    const int r = CLOSE;
    for (int j = 0; j < o->h; j++) {
        for (int i = 0; i < o->w; i++) {
            c->row[i] = 0;
            for (int k = -r; k <= r; k++) c->row[i] += c->alpha[BL_CLAMP(j + k, 0, o->h - 1) * o->w + i];
        }
        for (int i = 0; i < o->w; i++) {
            float sum = 0;
            for (int k = -r; k <= r; k++) sum += c->row[BL_CLAMP(i + k, 0, o->w - 1)];
            c->smooth[j * o->w + i] = between(sum / (float)((2 * r + 1) * (2 * r + 1)), CLOSE_FROM, CLOSE_TO);
        }
    }
}

/* ---- one frame ---- */
static bl__cutout window_of(const bl__library *l, int64_t i) {
    const bl_track *t = l->t.track;
    bl__body_box b;
    bl__cutout o = {0};
    if (!bl__body_box_of(&b, &t->frames[i], t->width, t->height)) return o;
    const float margin = MARGIN * fmaxf(b.x1 - b.x0, b.y1 - b.y0);
    const float x1 = BL_CLAMP(b.x1 + margin, 0, (float)t->width),
                y1 = BL_CLAMP(b.y1 + margin, 0, (float)t->height);
    o.x = (int)BL_CLAMP(b.x0 - margin, 0, (float)t->width);
    o.y = (int)BL_CLAMP(b.y0 - margin, 0, (float)t->height);
    o.w = BL_MAX(0, (int)ceilf(x1) - o.x);
    o.h = BL_MAX(0, (int)ceilf(y1) - o.y);
    return o.w > 0 && o.h > 0 ? o : (bl__cutout){0};
}

static int cut(cutting *c, const bl_frame *f, bl__cutout *out, bl_err *err) {
    bl__cutout o = window_of(c->l, f->index);
    if (o.w == 0) return 0;
    int rc = prepare_masks(c, f->index, err);
    if (rc < 0) return rc;
    find_alpha(c, f, &o);
    close_holes(c, &o);
    uint8_t *p = c->rgba;
    for (int j = 0; j < o.h; j++)
        for (int i = 0; i < o.w; i++, p += 4) {
            memcpy(p, f->data + (o.y + j) * f->stride + (ptrdiff_t)(o.x + i) * 3, 3);
            p[3] = (uint8_t)(255 * c->smooth[j * o.w + i] + 0.5f);
        }
    const size_t bytes = (size_t)o.w * (size_t)o.h * 4;
    o.at = c->size;
    c->size += bytes;
    *out = o;
    return fwrite(c->rgba, 1, bytes, c->file.f) == bytes
               ? 0
               : bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", c->file.path,
                         strerror(errno));
}

/* ---- all of them ---- */
static int begin(cutting *c, const char *path, bl_err *err) {
    const bl__masks *m = &c->l->t.masks;
    const size_t pixels = (size_t)c->l->t.track->width * (size_t)c->l->t.track->height;
    c->may = bl_alloc((size_t)m->w * (size_t)m->h);
    c->solid = bl_alloc((size_t)m->w * (size_t)m->h);
    c->alpha = bl_alloc_array(pixels, sizeof *c->alpha);
    c->smooth = bl_alloc_array(pixels, sizeof *c->smooth);
    c->row = bl_alloc_array((size_t)c->l->t.track->width, sizeof *c->row);
    c->rgba = bl_alloc_array(BL_MAX(pixels, (size_t)m->w * (size_t)m->h), 4);
    if (!c->may || !c->solid || !c->alpha || !c->smooth || !c->row || !c->rgba)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to cut the person out");
    return bl_file_begin(&c->file, path, err);
}

static void end(cutting *c) {
    bl_file_abort(&c->file);
    bl_free(c->may);
    bl_free(c->solid);
    bl_free(c->alpha);
    bl_free(c->smooth);
    bl_free(c->row);
    bl_free(c->rgba);
}

static int go_through(cutting *c, bl__cutouts *out, const uint8_t *used, bl_err *err) {
    const bl_track *t = c->l->t.track;
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    bl_progress p;
    int64_t last = t->n - 1, seen = 0;
    while (last >= 0 && !used[last]) last--;
    const bl_reader_options reading = bl__reading(c->l->job.device, c->l->job.hw);
    int rc = bl_reader_open(&r, c->l->job.target, &reading, err);
    bl_progress_begin(&p, "samples", "frames", 0);
    while (rc >= 0 && seen <= last && (rc = bl_reader_next(r, &f, err)) > 0) {
        if (f->width != t->width || f->height != t->height || f->index >= t->n)
            rc = bl_fail(err, BL_E_MISMATCH, "%s has changed since its poses were found; remove %s",
                         c->l->job.target, c->l->t.state.dir);
        else if (used[f->index])
            rc = cut(c, f, &out->of[f->index], err);
        bl_frame_unref(&f);
        if (rc >= 0) rc = bl_check_interrupt(err);
        bl_progress_update(&p, ++seen, last + 1, NULL);
    }
    bl_reader_close(&r);
    if (rc >= 0) bl_progress_end(&p, seen, NULL);
    return rc < 0 ? rc : 0;
}

static int map_file(bl__cutouts *c, const char *path, size_t size, bl_err *err) {
    if (size == 0) return 0;
    int rc = bl_map_open(&c->map, path, err);
    unlink(path); /* it lives as long as it is mapped */
    return rc;
}

int bl__cutouts_make(bl__cutouts *out, const bl__library *l, const uint8_t *used, bl_err *err) {
    char path[4096];
    cutting c = {.l = l};
    *out = (bl__cutouts){.n = l->t.track->n};
    out->of = bl_alloc_array((size_t)out->n, sizeof *out->of);
    int rc = out->of ? bl__job_file(&l->t.state, path, "cutouts.bin", err)
                     : bl_fail(err, BL_E_NOMEM, "not enough memory to cut the person out");
    if (rc == 0) rc = begin(&c, path, err);
    if (rc == 0) rc = go_through(&c, out, used, err);
    if (rc == 0) rc = bl_file_commit(&c.file, err);
    if (rc == 0) rc = map_file(out, path, c.size, err);
    end(&c);
    if (rc < 0) bl__cutouts_close(out);
    return rc;
}

void bl__cutouts_close(bl__cutouts *c) {
    bl_map_close(&c->map);
    bl_free(c->of);
    *c = (bl__cutouts){0};
}
