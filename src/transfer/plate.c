#include "plate.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ballerino/motion.h"

#define PERSON_LEVEL 25 /* mask value (of 255) from which a pixel may be the person */
#define WIDEN 0.05f     /* widening, in body heights */
#define ENOUGH 8        /* samples that a place should have */
#define CANDIDATES 400  /* frames looked at when choosing */
#define LEAST_SAMPLES 2 /* fewer: a hole */

struct bl__plate {
    int w, h, max, n;
    uint8_t *rgb;   /* max pictures of w * h * 3, mapped */
    uint8_t *valid; /* max masks of w * h, mapped */
    size_t bytes;
    uint8_t *wide; /* one small mask */
    size_t wide_size;
};

/* ---- which frames ---- */
int bl__plate_radius(const bl__masks *masks, const bl_track *t) {
    double sum = 0;
    int64_t found = 0;
    for (int64_t i = 0; i < t->n; i++) {
        float top = 1e9f, bottom = -1e9f;
        if (!t->frames[i].has_person) continue;
        for (int k = 0; k < BL_LANDMARKS; k++) {
            const bl_landmark *lm = &t->frames[i].person.landmarks[k];
            if (lm->visibility < 0.2f) continue;
            top = fminf(top, lm->y);
            bottom = fmaxf(bottom, lm->y);
        }
        if (bottom > top) sum += (double)BL_MIN(bottom - top, 1), found++;
    }
    double height = found ? sum / (double)found * masks->h : 0.5 * masks->h;
    return BL_MAX(2, (int)(WIDEN * (float)height + 0.5f));
}

/* How much a frame adds where little is known yet. */
static int64_t gain(const uint8_t *person, const uint8_t *count, int size) {
    int64_t g = 0;
    for (int k = 0; k < size; k++)
        if (person[k] <= PERSON_LEVEL && count[k] < ENOUGH) g += ENOUGH - count[k];
    return g;
}

static void count_in(uint8_t *count, const uint8_t *person, int size) {
    for (int k = 0; k < size; k++)
        if (person[k] <= PERSON_LEVEL && count[k] < 255) count[k]++;
}

static int listed(const int64_t *list, int n, int64_t v) {
    for (int i = 0; i < n; i++)
        if (list[i] == v) return 1;
    return 0;
}

static void insert_sorted(int64_t *list, int n, int64_t v) {
    for (; n > 0 && list[n - 1] > v; n--) list[n] = list[n - 1];
    list[n] = v;
}

int bl__plate_choose(int64_t *chosen, int max, const bl__masks *masks, const bl_track *t, int64_t n,
                     bl_err *err) {
    const int size = masks->w * masks->h;
    int got = 0;
    n = BL_MIN(BL_MIN(n, masks->n), t->n);
    if (n <= max) {
        for (int64_t i = 0; i < n; i++) chosen[got++] = i;
        return got;
    }
    uint8_t *count = bl_alloc((size_t)size);
    if (!count) return bl_fail(err, BL_E_NOMEM, "not enough memory to choose frames for the plate");
    const int even = max * 2 / 3;
    for (int k = 0; k < even; k++) {
        chosen[got++] = (2 * k + 1) * n / (2 * even);
        count_in(count, bl__masks_at(masks, chosen[k]), size);
    }
    const int64_t step = BL_MAX(1, n / CANDIDATES);
    while (got < max) {
        int64_t best = -1, most = 0;
        for (int64_t i = 0; i < n; i += step) {
            int64_t g = listed(chosen, got, i) ? 0 : gain(bl__masks_at(masks, i), count, size);
            bl__masks_forget(masks, i);
            if (g > most) most = g, best = i;
        }
        if (best < 0) break;
        count_in(count, bl__masks_at(masks, best), size);
        insert_sorted(chosen, got++, best);
    }
    bl_free(count);
    return got;
}

/* ---- collecting ---- */
/* A mapping of a file that has no name any more: the system may write it out when memory is short. */
static void *map_scratch(const char *dir, size_t bytes, bl_err *err) {
    char path[4096];
    if (bl_path_join(path, sizeof path, dir, "scratch.XXXXXX", err) < 0) return NULL;
    int fd = mkstemp(path);
    if (fd < 0) {
        bl_fail(err, BL_E_IO, "cannot write in %s: %s", dir, strerror(errno));
        return NULL;
    }
    unlink(path);
    int why = posix_fallocate(fd, 0, (off_t)bytes); /* a full disk must be an error, not a signal later */
    void *p = why ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (!why && p == MAP_FAILED) why = errno;
    close(fd);
    if (p != MAP_FAILED) return p;
    bl_fail(err, why == ENOMEM ? BL_E_NOMEM : BL_E_IO, "cannot put %zu MB of frames aside in %s: %s",
            bytes >> 20, dir, strerror(why));
    return NULL;
}

int bl__plate_create(bl__plate **out, const char *dir, int width, int height, int samples, bl_err *err) {
    bl__plate *p = bl_alloc(sizeof *p);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory for the plate");
    const size_t pixels = (size_t)width * (size_t)height;
    p->w = width;
    p->h = height;
    p->max = BL_CLAMP(samples, 1, BL__PLATE_MAX);
    p->bytes = pixels * 4 * (size_t)p->max;
    p->rgb = map_scratch(dir, p->bytes, err);
    if (!p->rgb) {
        bl__plate_destroy(&p);
        return BL_E_IO;
    }
    p->valid = p->rgb + pixels * 3 * (size_t)p->max;
    *out = p;
    return 0;
}

void bl__plate_destroy(bl__plate **pp) {
    bl__plate *p = *pp;
    if (!p) return;
    if (p->rgb) munmap(p->rgb, p->bytes);
    bl_free(p->wide);
    bl_free(p);
    *pp = NULL;
}

int bl__plate_add(bl__plate *p, const bl_frame *f, const uint8_t *mask, int mask_w, int mask_h, int radius,
                  bl_err *err) {
    if (p->n == p->max || f->width != p->w || f->height != p->h)
        return bl_fail(err, BL_E_INTERNAL, "too many frames for the plate, or of another size");
    const size_t small = (size_t)mask_w * (size_t)mask_h;
    if (p->wide_size < small) {
        bl_free(p->wide);
        p->wide = bl_alloc(small);
        p->wide_size = p->wide ? small : 0;
        if (!p->wide) return bl_fail(err, BL_E_NOMEM, "not enough memory for the plate");
    }
    int rc = bl__mask_dilate(p->wide, mask, mask_w, mask_h, radius, PERSON_LEVEL, err);
    if (rc < 0) return rc;
    uint8_t *rgb = p->rgb + (size_t)p->n * (size_t)p->w * (size_t)p->h * 3;
    uint8_t *valid = p->valid + (size_t)p->n * (size_t)p->w * (size_t)p->h;
    for (int y = 0; y < p->h; y++) {
        const uint8_t *row = p->wide + (ptrdiff_t)(y * (int64_t)mask_h / p->h) * mask_w;
        memcpy(rgb + (size_t)y * (size_t)p->w * 3, f->data + y * f->stride, (size_t)p->w * 3);
        for (int x = 0; x < p->w; x++)
            valid[(size_t)y * (size_t)p->w + (size_t)x] = !row[x * (int64_t)mask_w / p->w];
    }
    p->n++;
    return 0;
}

/* ---- the median ---- */
/* Lower median of n bytes, by counting in two levels of 16. */
static uint8_t median(const uint8_t *v, int n) {
    uint8_t coarse[16] = {0}, fine[16] = {0};
    int rank = (n - 1) / 2, high = 0, low = 0;
    for (int i = 0; i < n; i++) coarse[v[i] >> 4]++;
    while (rank >= coarse[high]) rank -= coarse[high++];
    for (int i = 0; i < n; i++)
        if (v[i] >> 4 == high) fine[v[i] & 15]++;
    while (rank >= fine[low]) rank -= fine[low++];
    return (uint8_t)(high << 4 | low);
}

/* One row; known[x] = 0 where too few samples show the wall. Rows of all samples are gathered first, so that
 * the mapped file is read in order. */
static void median_row(const bl__plate *p, int y, uint8_t *out, uint8_t *known) {
    const size_t pixels = (size_t)p->w * (size_t)p->h, row = (size_t)y * (size_t)p->w;
    for (int x = 0; x < p->w; x++) {
        uint8_t v[3][BL__PLATE_MAX];
        int n = 0;
        for (int k = 0; k < p->n; k++) {
            const size_t at = (size_t)k * pixels + row + (size_t)x;
            if (!p->valid[at]) continue;
            for (int c = 0; c < 3; c++) v[c][n] = p->rgb[at * 3 + (size_t)c];
            n++;
        }
        known[x] = n >= BL_MIN(LEAST_SAMPLES, p->n);
        for (int c = 0; c < 3; c++) out[x * 3 + c] = known[x] ? median(v[c], n) : 0;
    }
}

/* ---- holes: push-pull. Each level is the mean of the known quarter; unknown pixels take the level above
 * ---- */
typedef struct level {
    int w, h;
    float *rgbw; /* colour times weight, weight */
} level;

static int level_init(level *l, int w, int h) {
    *l = (level){w, h, bl_alloc_array((size_t)w * (size_t)h * 4, sizeof(float))};
    return l->rgbw ? 0 : -1;
}

static void push(const level *fine, level *coarse) {
    for (int y = 0; y < fine->h; y++)
        for (int x = 0; x < fine->w; x++)
            for (int c = 0; c < 4; c++)
                coarse->rgbw[((y / 2) * coarse->w + x / 2) * 4 + c] += fine->rgbw[(y * fine->w + x) * 4 + c];
    for (int i = 0; i < coarse->w * coarse->h; i++) {
        float *p = &coarse->rgbw[i * 4];
        if (p[3] <= 1) continue;
        for (int c = 0; c < 3; c++) p[c] /= p[3];
        p[3] = 1;
    }
}

static void pull(const level *coarse, level *fine) {
    for (int y = 0; y < fine->h; y++)
        for (int x = 0; x < fine->w; x++) {
            float *p = &fine->rgbw[(y * fine->w + x) * 4], missing = 1 - p[3];
            if (missing <= 0) continue;
            float sx = ((float)x + 0.5f) / 2 - 0.5f, sy = ((float)y + 0.5f) / 2 - 0.5f;
            int ix = (int)floorf(sx), iy = (int)floorf(sy);
            float fx = sx - (float)ix, fy = sy - (float)iy;
            for (int c = 0; c < 3; c++) {
                float v = 0;
                for (int k = 0; k < 4; k++) {
                    int cx = BL_CLAMP(ix + (k & 1), 0, coarse->w - 1),
                        cy = BL_CLAMP(iy + (k >> 1), 0, coarse->h - 1);
                    v += (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy) *
                         coarse->rgbw[(cy * coarse->w + cx) * 4 + c];
                }
                p[c] += missing * v;
            }
            p[3] = 1;
        }
}

static int fill_holes(bl_frame *f, const uint8_t *known, bl_err *err) {
    level l[18] = {{0}};
    int n = 0, rc = 0;
    if (level_init(&l[n++], f->width, f->height) < 0) goto fail;
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++) {
            if (!known[(size_t)y * (size_t)f->width + (size_t)x]) continue;
            float *p = &l[0].rgbw[((size_t)y * (size_t)f->width + (size_t)x) * 4];
            for (int c = 0; c < 3; c++) p[c] = f->data[y * f->stride + x * 3 + c];
            p[3] = 1;
        }
    while (l[n - 1].w > 1 || l[n - 1].h > 1) {
        if (level_init(&l[n], (l[n - 1].w + 1) / 2, (l[n - 1].h + 1) / 2) < 0) goto fail;
        push(&l[n - 1], &l[n]);
        n++;
    }
    if (l[n - 1].rgbw[3] <= 0) /* nothing at all is known: mid-grey */
        for (int c = 0; c < 3; c++) l[n - 1].rgbw[c] = 128;
    for (int k = n - 2; k >= 0; k--) pull(&l[k + 1], &l[k]);
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++)
            for (int c = 0; c < 3; c++)
                f->data[y * f->stride + x * 3 + c] = (uint8_t)(BL_CLAMP(
                    l[0].rgbw[((size_t)y * (size_t)f->width + (size_t)x) * 4 + (size_t)c] + 0.5f, 0, 255));
    goto done;
fail:
    rc = bl_fail(err, BL_E_NOMEM, "not enough memory to fill the plate's holes");
done:
    for (int k = 0; k < (int)BL_COUNT(l); k++) bl_free(l[k].rgbw);
    return rc;
}

int bl__plate_finish(bl__plate *p, bl_frame **out, double *holes, bl_err *err) {
    bl_frame *f = NULL;
    const size_t pixels = (size_t)p->w * (size_t)p->h;
    int rc = bl_frame_create(&f, p->w, p->h, err);
    if (rc < 0) return rc;
    uint8_t *known = bl_alloc(pixels);
    int64_t missing = 0;
    if (!known) {
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory for the plate");
    } else {
        for (int y = 0; y < p->h; y++)
            median_row(p, y, f->data + y * f->stride, known + (size_t)y * (size_t)p->w);
        for (size_t i = 0; i < pixels; i++) missing += !known[i];
        if (missing) rc = fill_holes(f, known, err);
    }
    bl_free(known);
    if (holes) *holes = (double)missing / (double)pixels;
    if (rc < 0)
        bl_frame_unref(&f);
    else
        *out = f;
    return rc;
}
