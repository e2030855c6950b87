/* Writing the samples of a clip, one usable frame after another. */
#include <errno.h>
#include <string.h>

#include "dataset.h"
#include "dataset_file.h"

#define NEAR 0.025f     /* how far around the person its weight reaches, in mask heights */
#define PERSON_LEVEL 50 /* mask value (of 255) */

size_t bl__dataset_record(int w, int h) {
    size_t bytes = sizeof(bl__sample) + (size_t)(w + 2 * BL__BORDER) * (size_t)(h + 2 * BL__BORDER) * 4;
    return (bytes + 63) & ~(size_t)63;
}

static int head(bl__dataset_writer *w) {
    union {
        bl__dataset_header h;
        char bytes[BL__DATASET_HEADER];
    } u = {.bytes = {0}};
    u.h = (bl__dataset_header){.w = w->w, .h = w->h, .border = BL__BORDER, .n = w->n, .n_train = w->n_train};
    memcpy(u.h.magic, BL__DATASET_MAGIC, sizeof u.h.magic);
    return fwrite(u.bytes, 1, sizeof u.bytes, w->file.f) == sizeof u.bytes;
}

static int full(const bl__dataset_writer *w, bl_err *err) {
    return bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", w->file.path, strerror(errno));
}

int bl__dataset_begin(bl__dataset_writer *w, const char *path, const bl__grid *g, int width, int height,
                      bl_err *err) {
    *w = (bl__dataset_writer){.w = width,
                              .h = height,
                              .last_frame = -2,
                              .grid = g,
                              .record_size = bl__dataset_record(width, height)};
    w->record = bl_alloc(w->record_size);
    w->wide = bl_alloc((size_t)BL__MASK_SIDE * BL__MASK_SIDE);
    int rc = w->record && w->wide ? bl_file_begin(&w->file, path, err)
                                  : bl_fail(err, BL_E_NOMEM, "not enough memory for training samples");
    if (rc == 0 && !head(w)) rc = full(w, err);
    if (rc < 0) bl__dataset_abort(w);
    return rc;
}

/* The widened mask, bilinear, at the middles of the grid pixels of a window with its border. */
static void weigh(const bl__dataset_writer *w, uint8_t *out, int mask_w, int mask_h, int x, int y) {
    const int fw = w->w + 2 * BL__BORDER, fh = w->h + 2 * BL__BORDER;
    const double sx = mask_w / (w->grid->frame_w * w->grid->scale),
                 sy = mask_h / (w->grid->frame_h * w->grid->scale);
    for (int j = 0; j < fh; j++) {
        const float my = (float)BL_CLAMP((y - BL__BORDER + j + 0.5) * sy - 0.5, 0, mask_h - 1.001);
        const int iy = (int)my, ny = BL_MIN(iy + 1, mask_h - 1);
        for (int i = 0; i < fw; i++) {
            const float mx = (float)BL_CLAMP((x - BL__BORDER + i + 0.5) * sx - 0.5, 0, mask_w - 1.001);
            const int ix = (int)mx, nx = BL_MIN(ix + 1, mask_w - 1);
            const float fx = mx - (float)ix, fy = my - (float)iy;
            const uint8_t *a = w->wide + iy * mask_w, *b = w->wide + ny * mask_w;
            float v = (1 - fy) * ((1 - fx) * a[ix] + fx * a[nx]) + fy * ((1 - fx) * b[ix] + fx * b[nx]);
            *out++ = (uint8_t)(255 * v + 0.5f);
        }
    }
}

int bl__dataset_put(bl__dataset_writer *w, const bl_frame *f, const uint8_t *mask, int mask_w, int mask_h,
                    int64_t frame, int x, int y, int held_out, bl_err *err) {
    if (mask_w > BL__MASK_SIDE || mask_h > BL__MASK_SIDE || (!held_out && w->n_train < w->n))
        return bl_fail(err, BL_E_INTERNAL, "training samples come in the wrong order");
    const int fw = w->w + 2 * BL__BORDER, fh = w->h + 2 * BL__BORDER;
    const int follows = frame == w->last_frame + 1 && w->n > 0 && !(held_out && w->n_train == w->n);
    w->run = follows ? w->run + 1 : 0;
    w->last_frame = frame;
    bl__sample s = {.frame = frame, .x = x, .y = y, .run = w->run};
    uint8_t *rgb = w->record + sizeof s;
    memcpy(w->record, &s, sizeof s);
    int rc =
        bl__grid_sample(w->grid, rgb, f->data, f->stride, 3, x - BL__BORDER, y - BL__BORDER, fw, fh, err);
    const int radius = BL_MAX(1, (int)(NEAR * (float)mask_h + 0.5f));
    if (rc == 0) rc = bl__mask_dilate(w->wide, mask, mask_w, mask_h, radius, PERSON_LEVEL, err);
    if (rc < 0) return rc;
    weigh(w, rgb + (size_t)fw * (size_t)fh * 3, mask_w, mask_h, x, y);
    w->n++;
    if (!held_out) w->n_train++;
    return fwrite(w->record, 1, w->record_size, w->file.f) == w->record_size ? 0 : full(w, err);
}

int bl__dataset_commit(bl__dataset_writer *w, bl_err *err) {
    int ok = fseek(w->file.f, 0, SEEK_SET) == 0 && head(w);
    int rc = ok ? bl_file_commit(&w->file, err) : full(w, err);
    bl__dataset_abort(w);
    return rc;
}

void bl__dataset_abort(bl__dataset_writer *w) {
    bl_file_abort(&w->file);
    bl_free(w->record);
    bl_free(w->wide);
    *w = (bl__dataset_writer){0};
}
