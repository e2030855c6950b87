/* Reading the samples: the trainer's source, with augmentation. */
#include "dataset.h"

#include <string.h>

#include "augment.h"
#include "dataset_file.h"

/* Measured on short clips; docs/RESULTS.md. */
static const bl__augment usual = {
    .shift = 8, .warp_share = 0.5f, .zoom = 0.06f, .turn = 0.06f, .drop_share = 0.03f, .jitter = 0.003f};

static const uint8_t *record_at(const bl__dataset *d, int64_t index) {
    return d->map.data + BL__DATASET_HEADER + (size_t)index * d->record;
}

const bl__sample *bl__dataset_sample(const bl__dataset *d, int64_t index) {
    return &d->samples[index];
}

/* A long clip's samples would otherwise all stay in memory once they were looked at. */
static void forget(const bl__dataset *d, int64_t index) {
    bl_map_forget(&d->map, BL__DATASET_HEADER + (size_t)index * d->record, d->record);
}

/* ---- opening ---- */
/* 0 when a record cannot be. */
static int read_records(bl__dataset *d) {
    for (int64_t i = 0; i < d->n; i++) {
        bl__sample *s = &d->samples[i];
        memcpy(s, record_at(d, i), sizeof *s);
        forget(d, i);
        if (s->frame < 0 || s->frame >= d->track->n || s->run < 0 || s->run > i) return 0;
    }
    return 1;
}

static int map_file(bl__dataset *d, const char *path, bl_err *err) {
    bl__dataset_header h = {0};
    int rc = bl_map_open(&d->map, path, err);
    if (rc < 0) return rc;
    int ok = d->map.size >= BL__DATASET_HEADER;
    if (ok) memcpy(&h, d->map.data, sizeof h);
    ok = ok && memcmp(h.magic, BL__DATASET_MAGIC, sizeof h.magic) == 0 && h.w >= 16 && h.h >= 16 &&
         h.w <= 4096 && h.h <= 4096 && h.border == BL__BORDER && h.n >= 0 && h.n <= BL_TRACK_MAX_FRAMES &&
         h.n_train >= 0 && h.n_train <= h.n;
    if (ok) {
        d->w = h.w;
        d->h = h.h;
        d->n = h.n;
        d->n_train = h.n_train;
        d->record = bl__dataset_record(h.w, h.h);
        ok = d->map.size == BL__DATASET_HEADER + (size_t)h.n * d->record;
    }
    if (ok) {
        d->samples = bl_alloc_array((size_t)d->n, sizeof *d->samples);
        if (!d->samples) return bl_fail(err, BL_E_NOMEM, "not enough memory for training samples");
        ok = read_records(d);
    }
    return ok ? 0 : bl_fail(err, BL_E_FORMAT, "%s is damaged; remove its folder and train again", path);
}

int bl__dataset_open(bl__dataset *d, const char *path, const bl__grid *g, const bl_track *t,
                     const bl_frame *plate, bl_err *err) {
    *d = (bl__dataset){.grid = g, .track = t, .threads = 1};
    int rc = map_file(d, path, err);
    if (rc == 0) {
        d->plate = bl_alloc_array((size_t)g->w * (size_t)g->h, 3);
        d->scratch = bl_alloc_array((size_t)(d->w + 2 * BL__BORDER) * (size_t)(d->h + 2 * BL__BORDER) * 7,
                                    sizeof *d->scratch);
        rc = d->plate && d->scratch
                 ? bl__grid_sample(g, d->plate, plate->data, plate->stride, 3, 0, 0, g->w, g->h, err)
                 : bl_fail(err, BL_E_NOMEM, "not enough memory for training samples");
    }
    if (rc < 0) bl__dataset_close(d);
    return rc;
}

void bl__dataset_close(bl__dataset *d) {
    bl_map_close(&d->map);
    bl_free(d->samples);
    bl_free(d->plate);
    bl_free(d->scratch);
    *d = (bl__dataset){0};
}

/* ---- unmoved windows ---- */
static float signed_unit(uint8_t v) {
    return (float)v * (2.f / 255) - 1;
}

void bl__plate_window(float *out, const uint8_t *plate, const bl__grid *g, int x, int y, int w, int h) {
    for (int j = 0; j < h; j++) {
        const uint8_t *row = plate + (ptrdiff_t)BL_CLAMP(y + j, 0, g->h - 1) * g->w * 3;
        for (int i = 0; i < w; i++) {
            const uint8_t *px = row + (ptrdiff_t)BL_CLAMP(x + i, 0, g->w - 1) * 3;
            for (int c = 0; c < 3; c++) *out++ = signed_unit(px[c]);
        }
    }
}

/* Copies the window, moved by whole pixels within the border. */
static void cut(const bl__dataset *d, int64_t index, int dx, int dy, float *real, float *weight) {
    const int full = d->w + 2 * BL__BORDER;
    const uint8_t *rgb = record_at(d, index) + sizeof(bl__sample);
    const uint8_t *wt = rgb + (size_t)full * (size_t)(d->h + 2 * BL__BORDER) * 3;
    for (int j = 0; j < d->h; j++) {
        const ptrdiff_t from = (ptrdiff_t)(j + BL__BORDER + dy) * full + BL__BORDER + dx;
        for (int i = 0; i < d->w * 3; i++) *real++ = signed_unit(rgb[from * 3 + i]);
        for (int i = 0; weight && i < d->w; i++)
            *weight++ = 1 + (BL__WEIGHT_PERSON - 1) * (float)wt[from + i] / 255;
    }
    forget(d, index);
}

void bl__dataset_real(const bl__dataset *d, int64_t index, float *real) {
    cut(d, index, 0, 0, real, NULL);
}

/* ---- augmentation ---- */
typedef struct warping {
    const bl__dataset *d;
    const bl__sample *s;
    const uint8_t *rgb, *weights; /* of the record */
    const bl__moves *moves;
    float *plate, *real, *weight;
} warping;

/* Photo, plate and weight side by side as floats, window plus border: 7 a pixel. */
static void gather(const void *arg, int64_t from, int64_t to) {
    const warping *p = arg;
    const bl__dataset *d = p->d;
    const int fw = d->w + 2 * BL__BORDER;
    const uint8_t *rgb = p->rgb + 3 * from * fw, *wt = p->weights + from * fw;
    float *out = d->scratch + 7 * from * fw;
    for (int j = (int)from; j < to; j++) {
        const uint8_t *row =
            d->plate + (ptrdiff_t)BL_CLAMP(p->s->y + j - BL__BORDER, 0, d->grid->h - 1) * d->grid->w * 3;
        for (int i = 0; i < fw; i++, rgb += 3, wt++, out += 7) {
            const uint8_t *px = row + (ptrdiff_t)BL_CLAMP(p->s->x + i - BL__BORDER, 0, d->grid->w - 1) * 3;
            for (int c = 0; c < 3; c++) {
                out[c] = rgb[c];
                out[3 + c] = px[c];
            }
            out[6] = *wt;
        }
    }
}

static void warp_rows(const void *arg, int64_t from, int64_t to) {
    const warping *p = arg;
    const bl__dataset *d = p->d;
    const int fw = d->w + 2 * BL__BORDER, fh = d->h + 2 * BL__BORDER;
    float *real = p->real + 3 * from * d->w, *plate = p->plate + 3 * from * d->w,
          *weight = p->weight + from * d->w;
    for (int j = (int)from; j < to; j++)
        for (int i = 0; i < d->w; i++) {
            float u, v, px[7];
            bl__moves_back(p->moves, d->w, d->h, i, j, &u, &v);
            bl__sample_cubic(d->scratch, fw, fh, 7, u + BL__BORDER, v + BL__BORDER, px);
            for (int c = 0; c < 3; c++) {
                *real++ = BL_CLAMP(px[c], 0, 255) * (2.f / 255) - 1;
                *plate++ = BL_CLAMP(px[3 + c], 0, 255) * (2.f / 255) - 1;
            }
            *weight++ = 1 + (BL__WEIGHT_PERSON - 1) * BL_CLAMP(px[6], 0, 255) / 255;
        }
}

static void warp_all(const bl__dataset *d, int64_t index, const bl__moves *m, float *plate, float *real,
                     float *weight) {
    const int full_h = d->h + 2 * BL__BORDER;
    warping p = {.d = d, .moves = m, .plate = plate, .real = real, .weight = weight};
    p.s = bl__dataset_sample(d, index);
    p.rgb = record_at(d, index) + sizeof *p.s;
    p.weights = p.rgb + (size_t)(d->w + 2 * BL__BORDER) * (size_t)full_h * 3;
    bl_team_split(d->threads, full_h, gather, &p);
    forget(d, index);
    bl_team_split(d->threads, d->h, warp_rows, &p);
}

/* ---- the trainer's source ---- */
static int get(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
               float *weight, bl_err *err) {
    bl__dataset *d = ctx;
    if (index < 0 || index >= d->n)
        return bl_fail(err, BL_E_INTERNAL, "there is no sample %lld", (long long)index);
    const bl__sample *s = bl__dataset_sample(d, index);
    bl_person p = d->track->frames[s->frame].person;
    const bl__moves m =
        bl__disturb(&p, &usual, augment, index, d->h / d->grid->scale, d->grid->frame_w, d->grid->frame_h);
    bl_figure_options o = bl_figure_options_default();
    o.drop = m.drop;
    o.drop_parts = m.drop_parts;
    bl__label_draw(label, d->grid, s->x, s->y, d->w, d->h, &p, &m.warp, &o);
    if (!m.whole) {
        warp_all(d, index, &m, plate, real, weight);
        return 0;
    }
    const int dx = (int)m.warp.tx, dy = (int)m.warp.ty;
    cut(d, index, dx, dy, real, weight);
    bl__plate_window(plate, d->plate, d->grid, s->x + dx, s->y + dy, d->w, d->h);
    return 0;
}

static int64_t run_before(void *ctx, int64_t index) {
    return bl__dataset_sample(ctx, index)->run;
}

static void window_shift(void *ctx, int64_t index, float *dx, float *dy) {
    const bl__sample *s = bl__dataset_sample(ctx, index);
    *dx = *dy = 0;
    if (s->run < 1) return;
    const bl__sample *before = bl__dataset_sample(ctx, index - 1);
    *dx = (float)(s->x - before->x);
    *dy = (float)(s->y - before->y);
}

bl_gan_source bl__dataset_source(bl__dataset *d) {
    return (bl_gan_source){
        .ctx = d, .count = d->n_train, .run_before = run_before, .window_shift = window_shift, .get = get};
}
