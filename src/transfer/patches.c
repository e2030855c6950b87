#include "patches.h"

#include <errno.h>
#include <string.h>

#include "augment.h"

#define MAGIC "BLPATC01"
#define HEADER 64
#define LEAST_WEIGHT 0.1f /* of the border, which is not pasted but should be right as well */

static const bl__augment usual = {
    .shift = 5, .warp_share = 0.5f, .zoom = 0.08f, .turn = 0.08f, .drop_share = 0, .jitter = 0.01f};

typedef struct header {
    char magic[8];
    int32_t size, border;
    int64_t n, zero;
} header;

static size_t picture_bytes(int size) {
    const size_t side = (size_t)(size + 2 * BL__PATCH_BORDER);
    return side * side * 3;
}

static size_t record_bytes(int size) {
    return (sizeof(bl__patch) + 2 * picture_bytes(size) + 63) & ~(size_t)63;
}

/* ---- writing ---- */
static int head(bl__patches_writer *w) {
    char bytes[HEADER] = {0};
    header h = {.size = w->size, .border = BL__PATCH_BORDER, .n = w->n};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    memcpy(bytes, &h, sizeof h);
    return fwrite(bytes, 1, sizeof bytes, w->file.f) == sizeof bytes;
}

static int full(const bl__patches_writer *w, bl_err *err) {
    return bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", w->file.path, strerror(errno));
}

int bl__patches_begin(bl__patches_writer *w, const char *path, int size, bl_err *err) {
    *w = (bl__patches_writer){.size = size, .record_size = record_bytes(size)};
    w->record = bl_alloc(w->record_size);
    int rc = w->record ? bl_file_begin(&w->file, path, err)
                       : bl_fail(err, BL_E_NOMEM, "not enough memory for the patches of hands and face");
    if (rc == 0 && !head(w)) rc = full(w, err);
    if (rc < 0) bl__patches_abort(w);
    return rc;
}

int bl__patches_put(bl__patches_writer *w, const bl__patch *patch, const bl_frame *made,
                    const bl_frame *photo, bl_err *err) {
    uint8_t *at = w->record + sizeof *patch;
    memcpy(w->record, patch, sizeof *patch);
    int rc = bl__patch_cut(at, w->size, BL__PATCH_BORDER, made, &patch->box, err);
    if (rc == 0)
        rc = bl__patch_cut(at + picture_bytes(w->size), w->size, BL__PATCH_BORDER, photo, &patch->box, err);
    if (rc < 0) return rc;
    w->n++;
    return fwrite(w->record, 1, w->record_size, w->file.f) == w->record_size ? 0 : full(w, err);
}

int bl__patches_commit(bl__patches_writer *w, bl_err *err) {
    int ok = fseek(w->file.f, 0, SEEK_SET) == 0 && head(w);
    int rc = ok ? bl_file_commit(&w->file, err) : full(w, err);
    bl__patches_abort(w);
    return rc;
}

void bl__patches_abort(bl__patches_writer *w) {
    bl_file_abort(&w->file);
    bl_free(w->record);
    *w = (bl__patches_writer){0};
}

/* ---- reading ---- */
const bl__patch *bl__patches_at(const bl__patches *p, int64_t index) {
    return (const bl__patch *)(const void *)(p->map.data + HEADER + (size_t)index * p->record);
}

static void forget(const bl__patches *p, int64_t index) {
    bl_map_forget(&p->map, HEADER + (size_t)index * p->record, p->record);
}

static int check_records(const bl__patches *p) {
    for (int64_t i = 0; i < p->n; i++) {
        const bl__patch *a = bl__patches_at(p, i);
        if (a->frame < 0 || a->frame >= p->track->n || !(a->box.side > 0)) return 0;
        forget(p, i);
    }
    return 1;
}

static int map_file(bl__patches *p, const char *path, bl_err *err) {
    header h = {0};
    int rc = bl_map_open(&p->map, path, err);
    if (rc < 0) return rc;
    int ok = p->map.size >= HEADER;
    if (ok) memcpy(&h, p->map.data, sizeof h);
    ok = ok && memcmp(h.magic, MAGIC, sizeof h.magic) == 0 && h.size >= 32 && h.size <= 1024 &&
         h.border == BL__PATCH_BORDER && h.n >= 0 && h.n <= 2 * BL_TRACK_MAX_FRAMES;
    if (ok) {
        p->size = h.size;
        p->n = h.n;
        p->record = record_bytes(h.size);
        ok = p->map.size == HEADER + (size_t)h.n * p->record && check_records(p);
    }
    return ok ? 0 : bl_fail(err, BL_E_FORMAT, "%s is damaged; remove its folder and train again", path);
}

int bl__patches_open(bl__patches *p, const char *path, const bl_track *t, bl_err *err) {
    *p = (bl__patches){.track = t};
    int rc = map_file(p, path, err);
    if (rc == 0) {
        p->scratch = bl_alloc_array(picture_bytes(p->size) * 2, sizeof *p->scratch);
        if (!p->scratch) rc = bl_fail(err, BL_E_NOMEM, "not enough memory for the patches of hands and face");
    }
    if (rc < 0) bl__patches_close(p);
    return rc;
}

void bl__patches_close(bl__patches *p) {
    bl_map_close(&p->map);
    bl_free(p->scratch);
    *p = (bl__patches){0};
}

/* ---- the trainer's source ---- */
bl_view bl__patch_view(const bl__part_box *b, int size) {
    return (bl_view){b->cx - 0.5f * b->side, b->cy - 0.5f * b->side, (float)size / b->side};
}

void bl__patch_label(float *label, int size, const bl__part_box *b, const bl_person *p, int frame_w,
                     int frame_h, const bl__warp *warp, const bl_figure_options *o) {
    bl__label_draw_view(label, size, size, p, frame_w, frame_h, bl__patch_view(b, size), warp, o);
}

/* Made and photo side by side as floats, patch and border: 6 a pixel. */
static void gather(bl__patches *p, int64_t index) {
    const size_t bytes = picture_bytes(p->size);
    const uint8_t *made = (const uint8_t *)bl__patches_at(p, index) + sizeof(bl__patch),
                  *photo = made + bytes;
    float *out = p->scratch;
    for (size_t i = 0; i < bytes; i += 3, out += 6)
        for (int c = 0; c < 3; c++) {
            out[c] = made[i + c];
            out[3 + c] = photo[i + c];
        }
    forget(p, index);
}

static int get(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
               float *weight, bl_err *err) {
    bl__patches *d = ctx;
    const int n = d->size, side = n + 2 * BL__PATCH_BORDER;
    if (index < 0 || index >= d->n)
        return bl_fail(err, BL_E_INTERNAL, "there is no patch %lld", (long long)index);
    const bl__patch at = *bl__patches_at(d, index);
    bl_person p = d->track->frames[at.frame].person;
    const bl__moves m =
        bl__disturb(&p, &usual, augment, index, (double)at.box.side, d->track->width, d->track->height);
    bl_figure_options o = bl_figure_options_default();
    bl__patch_label(label, n, &at.box, &p, d->track->width, d->track->height, &m.warp, &o);
    gather(d, index);
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) {
            float u, v, px[6];
            bl__moves_back(&m, n, n, i, j, &u, &v);
            bl__sample_cubic(d->scratch, side, side, 6, u + BL__PATCH_BORDER, v + BL__PATCH_BORDER, px);
            for (int c = 0; c < 3; c++) {
                *plate++ = BL_CLAMP(px[c], 0, 255) * (2.f / 255) - 1;
                *real++ = BL_CLAMP(px[3 + c], 0, 255) * (2.f / 255) - 1;
            }
            *weight++ = LEAST_WEIGHT + bl__patch_weight((u + 0.5f) / (float)n, (v + 0.5f) / (float)n);
        }
    return 0;
}

static int64_t run_before(void *ctx, int64_t index) {
    (void)ctx, (void)index; /* patches are refined one by one */
    return 0;
}

bl_gan_source bl__patches_source(bl__patches *p) {
    return (bl_gan_source){.ctx = p, .count = p->n, .run_before = run_before, .get = get};
}
