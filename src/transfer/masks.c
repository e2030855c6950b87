#include "masks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "ballerino/motion.h"

#define MAGIC "BLMASK01"
#define HEADER 32
#define LIMB 0.035f /* half-width of a limb's capsule, in body heights */
#define TORSO 0.08f /* of the torso's sides and the head */

/* ---- reading ---- */
int bl__masks_open(bl__masks *m, const char *path, bl_err *err) {
    *m = (bl__masks){0};
    int rc = bl_map_open(&m->map, path, err);
    if (rc < 0) return rc;
    int32_t size[2] = {0, 0};
    uint64_t bytes = 0;
    const int whole = m->map.size >= HEADER && memcmp(m->map.data, MAGIC, 8) == 0;
    if (whole) {
        memcpy(size, m->map.data + 8, 8);
        memcpy(&m->n, m->map.data + 16, 8);
    }
    if (whole && size[0] > 0 && size[1] > 0 && size[0] <= BL__MASK_SIDE && size[1] <= BL__MASK_SIDE &&
        m->n >= 0 && m->n <= BL_TRACK_MAX_FRAMES)
        bytes = HEADER + (uint64_t)m->n * ((uint64_t)size[0] * (uint64_t)size[1] + 4);
    /* the bytes of the masks are padded to a multiple of 4, so that the floats are aligned */
    bytes = (bytes + 3) & ~(uint64_t)3;
    if (bytes == 0 || m->map.size != bytes) {
        bl__masks_close(m);
        return bl_fail(err, BL_E_FORMAT, "%s is damaged; remove its folder and train again", path);
    }
    m->w = size[0];
    m->h = size[1];
    m->data = m->map.data + HEADER;
    m->shift = (const float *)(const void *)(m->map.data + bytes - (uint64_t)m->n * 4);
    return 0;
}

void bl__masks_close(bl__masks *m) {
    bl_map_close(&m->map);
    *m = (bl__masks){0};
}

const uint8_t *bl__masks_at(const bl__masks *m, int64_t i) {
    return m->data + i * m->w * m->h;
}

void bl__masks_forget(const bl__masks *m, int64_t i) {
    const size_t size = (size_t)m->w * (size_t)m->h;
    bl_map_forget(&m->map, HEADER + (size_t)i * size, size);
}

/* ---- writing ---- */
static int header(bl__masks_writer *w) {
    char head[HEADER] = MAGIC;
    int32_t size[2] = {w->w, w->h};
    memcpy(head + 8, size, 8);
    memcpy(head + 16, &w->n, 8);
    return fwrite(head, 1, HEADER, w->file.f) == HEADER;
}

static int full(const bl__masks_writer *w, bl_err *err) {
    return bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", w->file.path, strerror(errno));
}

int bl__masks_begin(bl__masks_writer *w, const char *path, int frame_w, int frame_h, bl_err *err) {
    *w = (bl__masks_writer){.frame_w = frame_w, .frame_h = frame_h, .capacity = 1024};
    double scale = BL_MIN(1.0, (double)BL__MASK_SIDE / BL_MAX(frame_w, frame_h));
    w->w = BL_MAX(1, (int)(frame_w * scale + 0.5));
    w->h = BL_MAX(1, (int)(frame_h * scale + 0.5));
    w->small = bl_alloc((size_t)w->w * (size_t)w->h);
    w->shift = bl_alloc_array((size_t)w->capacity, sizeof *w->shift);
    int rc = w->small && w->shift ? bl_file_begin(&w->file, path, err)
                                  : bl_fail(err, BL_E_NOMEM, "not enough memory for person masks");
    if (rc == 0 && !header(w)) rc = full(w, err);
    if (rc < 0) bl__masks_abort(w);
    return rc;
}

static void shrink(const bl__masks_writer *w, const uint8_t *mask) {
    for (int y = 0; y < w->h; y++) {
        int y0 = y * w->frame_h / w->h, y1 = BL_MAX(y0 + 1, (y + 1) * w->frame_h / w->h);
        for (int x = 0; x < w->w; x++) {
            int x0 = x * w->frame_w / w->w, x1 = BL_MAX(x0 + 1, (x + 1) * w->frame_w / w->w);
            unsigned sum = 0;
            for (int j = y0; j < y1; j++)
                for (int i = x0; i < x1; i++) sum += mask[(size_t)j * (size_t)w->frame_w + (size_t)i];
            w->small[y * w->w + x] = (uint8_t)(sum / (unsigned)((y1 - y0) * (x1 - x0)));
        }
    }
}

static void capsule(const bl__masks_writer *w, float ax, float ay, float bx, float by, float r) {
    float dx = bx - ax, dy = by - ay, len2 = dx * dx + dy * dy;
    if (!(fabsf(ax) < 1e5f && fabsf(ay) < 1e5f && fabsf(bx) < 1e5f && fabsf(by) < 1e5f)) return;
    int x0 = BL_MAX(0, (int)(fminf(ax, bx) - r)), x1 = BL_MIN(w->w - 1, (int)(fmaxf(ax, bx) + r) + 1);
    int y0 = BL_MAX(0, (int)(fminf(ay, by) - r)), y1 = BL_MIN(w->h - 1, (int)(fmaxf(ay, by) + r) + 1);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float px = (float)x + 0.5f - ax, py = (float)y + 0.5f - ay;
            float t = len2 > 0 ? BL_CLAMP((px * dx + py * dy) / len2, 0, 1) : 0;
            float ex = px - t * dx, ey = py - t * dy;
            if (ex * ex + ey * ey <= r * r) w->small[y * w->w + x] = 255;
        }
}

static void add_limbs(const bl__masks_writer *w, const bl_person *p) {
    static const uint8_t limb[][3] = {
        /* from, to, 1 = torso-wide */
        {BL_LM_L_SHOULDER, BL_LM_R_SHOULDER, 1},
        {BL_LM_L_HIP, BL_LM_R_HIP, 1},
        {BL_LM_L_SHOULDER, BL_LM_L_HIP, 1},
        {BL_LM_R_SHOULDER, BL_LM_R_HIP, 1},
        {BL_LM_L_SHOULDER, BL_LM_R_HIP, 1},
        {BL_LM_L_EAR, BL_LM_R_EAR, 1},
        {BL_LM_NOSE, BL_LM_L_EYE, 1},
        {BL_LM_L_SHOULDER, BL_LM_L_ELBOW, 0},
        {BL_LM_L_ELBOW, BL_LM_L_WRIST, 0},
        {BL_LM_L_WRIST, BL_LM_L_INDEX, 0},
        {BL_LM_R_SHOULDER, BL_LM_R_ELBOW, 0},
        {BL_LM_R_ELBOW, BL_LM_R_WRIST, 0},
        {BL_LM_R_WRIST, BL_LM_R_INDEX, 0},
        {BL_LM_L_HIP, BL_LM_L_KNEE, 0},
        {BL_LM_L_KNEE, BL_LM_L_ANKLE, 0},
        {BL_LM_L_HEEL, BL_LM_L_FOOT, 0},
        {BL_LM_R_HIP, BL_LM_R_KNEE, 0},
        {BL_LM_R_KNEE, BL_LM_R_ANKLE, 0},
        {BL_LM_R_HEEL, BL_LM_R_FOOT, 0},
    };
    float top = 1e9f, bottom = -1e9f;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        if (p->landmarks[k].visibility < 0.2f) continue;
        top = fminf(top, p->landmarks[k].y);
        bottom = fmaxf(bottom, p->landmarks[k].y);
    }
    if (bottom <= top) return;
    const float height = BL_MIN(bottom - top, 2) * (float)w->h;
    for (size_t k = 0; k < BL_COUNT(limb); k++) {
        const bl_landmark *a = &p->landmarks[limb[k][0]], *b = &p->landmarks[limb[k][1]];
        if (a->visibility < 0.2f || b->visibility < 0.2f) continue;
        float r = fmaxf(1, height * (limb[k][2] ? TORSO : LIMB));
        capsule(w, a->x * (float)w->w, a->y * (float)w->h, b->x * (float)w->w, b->y * (float)w->h, r);
    }
}

int bl__masks_put(bl__masks_writer *w, const uint8_t *mask, const bl_track_frame *found, float shift,
                  bl_err *err) {
    if (w->n == w->capacity) {
        float *more = bl_realloc_array(w->shift, (size_t)w->n, (size_t)w->capacity * 2, sizeof *more);
        if (!more) return bl_fail(err, BL_E_NOMEM, "not enough memory for person masks");
        w->shift = more;
        w->capacity *= 2;
    }
    memset(w->small, 0, (size_t)w->w * (size_t)w->h);
    if (mask) shrink(w, mask);
    if (found->has_person) add_limbs(w, &found->person);
    w->shift[w->n++] = shift;
    const size_t size = (size_t)w->w * (size_t)w->h;
    return fwrite(w->small, 1, size, w->file.f) == size ? 0 : full(w, err);
}

int bl__masks_commit(bl__masks_writer *w, bl_err *err) {
    static const char zero[4];
    size_t pad = (size_t)(-(w->n * w->w * w->h) & 3);
    int ok = fwrite(zero, 1, pad, w->file.f) == pad &&
             fwrite(w->shift, sizeof *w->shift, (size_t)w->n, w->file.f) == (size_t)w->n &&
             fseek(w->file.f, 0, SEEK_SET) == 0 && header(w);
    int rc = ok ? bl_file_commit(&w->file, err) : full(w, err);
    bl__masks_abort(w);
    return rc;
}

void bl__masks_abort(bl__masks_writer *w) {
    bl_file_abort(&w->file);
    bl_free(w->small);
    bl_free(w->shift);
    *w = (bl__masks_writer){0};
}

/* ---- dilation: a square of side 2r+1, then corners cut by a second, rotated pass would cost more than it
 * gives; the plate only needs "near the person" ---- */
int bl__mask_dilate(uint8_t *out, const uint8_t *mask, int w, int h, int radius, int level, bl_err *err) {
    uint8_t *rows = bl_alloc((size_t)w * (size_t)h);
    if (!rows) return bl_fail(err, BL_E_NOMEM, "not enough memory to widen a mask");
    for (int y = 0; y < h; y++) {
        int last = -radius - 1; /* the last set pixel seen so far */
        for (int x = -radius; x < w; x++) {
            if (x + radius < w && mask[y * w + x + radius] > level) last = x + radius;
            if (x >= 0) rows[y * w + x] = last >= x - radius;
        }
    }
    for (int x = 0; x < w; x++) {
        int last = -radius - 1;
        for (int y = -radius; y < h; y++) {
            if (y + radius < h && rows[(y + radius) * w + x]) last = y + radius;
            if (y >= 0) out[y * w + x] = last >= y - radius;
        }
    }
    bl_free(rows);
    return 0;
}
