#include "window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/motion.h"

#define SEEN 0.2f        /* visibility from which a landmark counts */
#define SKULL 0.75f      /* skull above the nose, in neck-to-nose lengths */
#define FLESH 0.04f      /* beyond the joints, in body heights */
#define MARGIN 0.04f     /* free space around the extent, in body heights */
#define SMOOTH_S 0.35    /* standard deviation of the follower, seconds */
#define PERCENTILE 0.985 /* of frames that must fit entirely */
#define SMALLEST 64      /* window side */
#define AREA_SLACK 1.04  /* a window may exceed the wanted area by this */

static void take(bl__body_box *b, float x, float y) {
    b->x0 = fminf(b->x0, x);
    b->x1 = fmaxf(b->x1, x);
    b->y0 = fminf(b->y0, y);
    b->y1 = fmaxf(b->y1, y);
}

int bl__body_box_of(bl__body_box *box, const bl_track_frame *f, int frame_w, int frame_h) {
    if (!f->has_person || !bl_motion_person_usable(&f->person)) return 0;
    const bl_landmark *lm = f->person.landmarks;
    const float w = (float)frame_w, h = (float)frame_h;
    bl__body_box b = {1e9f, 1e9f, -1e9f, -1e9f};
    for (int k = 0; k < BL_LANDMARKS; k++)
        if (lm[k].visibility >= SEEN) take(&b, lm[k].x * w, lm[k].y * h);
    if (b.x0 > b.x1) return 0;
    if (lm[BL_LM_NOSE].visibility >= SEEN) {
        float nx = 0.5f * (lm[BL_LM_L_SHOULDER].x + lm[BL_LM_R_SHOULDER].x);
        float ny = 0.5f * (lm[BL_LM_L_SHOULDER].y + lm[BL_LM_R_SHOULDER].y);
        take(&b, (lm[BL_LM_NOSE].x + SKULL * (lm[BL_LM_NOSE].x - nx)) * w,
             (lm[BL_LM_NOSE].y + SKULL * (lm[BL_LM_NOSE].y - ny)) * h);
    }
    float flesh = FLESH * fmaxf(b.y1 - b.y0, b.x1 - b.x0);
    *box = (bl__body_box){b.x0 - flesh, b.y0 - flesh, b.x1 + flesh, b.y1 + flesh};
    return 1;
}

/* The point to follow: half torso, half middle of the box, so that a stretched arm moves it only a little. */
static int centre_of(const bl_track_frame *f, const bl_track *t, float *cx, float *cy) {
    bl__body_box b;
    if (!bl__body_box_of(&b, f, t->width, t->height)) return 0;
    const bl_landmark *lm = f->person.landmarks;
    float torso = 0.25f * (float)t->width *
                  (lm[BL_LM_L_HIP].x + lm[BL_LM_R_HIP].x + lm[BL_LM_L_SHOULDER].x + lm[BL_LM_R_SHOULDER].x);
    *cx = 0.5f * torso + 0.25f * (b.x0 + b.x1);
    *cy = 0.5f * (b.y0 + b.y1);
    return 1;
}

/* Straight lines across frames without a person; held before the first and after the last. */
static int bridge(float *v, const uint8_t *known, int64_t n) {
    int64_t last = -1;
    for (int64_t i = 0; i < n; i++) {
        if (!known[i]) continue;
        for (int64_t k = last + 1; k < i; k++)
            v[k] = last < 0 ? v[i] : v[last] + (v[i] - v[last]) * (float)(k - last) / (float)(i - last);
        last = i;
    }
    for (int64_t k = last + 1; last >= 0 && k < n; k++) v[k] = v[last];
    return last >= 0;
}

/* A Gaussian that is cut at the clip's ends. */
static int smooth(float *v, int64_t n, double sigma, bl_err *err) {
    float *in = bl_alloc_array((size_t)n, sizeof *in);
    if (!in)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to smooth a track of %lld frames", (long long)n);
    memcpy(in, v, (size_t)n * sizeof *in);
    const int64_t reach = (int64_t)ceil(3 * sigma);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0, total = 0;
        for (int64_t k = BL_MAX(i - reach, 0); k <= BL_MIN(i + reach, n - 1); k++) {
            double d = (double)(k - i) / sigma, w = exp(-0.5 * d * d);
            sum += w * (double)in[k];
            total += w;
        }
        v[i] = (float)(sum / total);
    }
    bl_free(in);
    return 0;
}

/* Nothing is bridged or smoothed across a cut. */
static int follow_shots(bl__follow *f, const bl_track *t, const uint8_t *known, bl_err *err) {
    const double sigma = SMOOTH_S * (t->fps > 0 ? t->fps : 25);
    int any = 0, rc = 0;
    for (int64_t a = 0, b; rc == 0 && a < t->n; a = b) {
        b = bl_track_shot_end(t, a);
        (void)bridge(f->cy + a, known + a, b - a);
        any |= bridge(f->cx + a, known + a, b - a);
        rc = smooth(f->cx + a, b - a, sigma, err);
        if (rc == 0) rc = smooth(f->cy + a, b - a, sigma, err);
    }
    if (rc == 0 && !any)
        rc = bl_fail(err, BL_E_FOOTAGE, "%s: no usable person in any frame", t->video ? t->video : "clip");
    return rc;
}

int bl__follow_init(bl__follow *f, const bl_track *t, bl_err *err) {
    const size_t n = (size_t)t->n;
    *f = (bl__follow){.n = t->n};
    uint8_t *known = bl_alloc(n + 1);
    f->cx = bl_alloc_array(n + 1, sizeof *f->cx);
    f->cy = bl_alloc_array(n + 1, sizeof *f->cy);
    f->x = bl_alloc_array(n + 1, sizeof *f->x);
    f->y = bl_alloc_array(n + 1, sizeof *f->y);
    int rc = 0;
    if (!known || !f->cx || !f->cy || !f->x || !f->y) {
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory for a track of %lld frames", (long long)t->n);
    } else {
        for (size_t i = 0; i < n; i++) known[i] = (uint8_t)centre_of(&t->frames[i], t, &f->cx[i], &f->cy[i]);
        rc = follow_shots(f, t, known, err);
    }
    bl_free(known);
    if (rc < 0) bl__follow_release(f);
    return rc;
}

void bl__follow_release(bl__follow *f) {
    bl_free(f->cx);
    bl_free(f->cy);
    bl_free(f->x);
    bl_free(f->y);
    *f = (bl__follow){0};
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float percentile(float *v, int64_t n, double p) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[(int64_t)((double)(n - 1) * p + 0.5)];
}

int bl__follow_extent(const bl__follow *f, bl__extent *e, const bl_track *t, int64_t n, bl_err *err) {
    n = BL_MIN(n, t->n);
    float *v = bl_alloc_array(4 * (size_t)n + 4, sizeof *v);
    if (!v) return bl_fail(err, BL_E_NOMEM, "not enough memory to measure a track");
    float *side = v, *up = v + n, *down = v + 2 * n, *tall = v + 3 * n;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        bl__body_box b;
        if (!bl__body_box_of(&b, &t->frames[i], t->width, t->height)) continue;
        side[m] = fmaxf(f->cx[i] - b.x0, b.x1 - f->cx[i]);
        up[m] = f->cy[i] - b.y0;
        down[m] = b.y1 - f->cy[i];
        tall[m++] = b.y1 - b.y0;
    }
    if (m > 0) {
        float margin = MARGIN * percentile(tall, m, 0.9), above = percentile(up, m, PERCENTILE) + margin,
              below = percentile(down, m, PERCENTILE) + margin;
        *e = (bl__extent){.width = 2 * (percentile(side, m, PERCENTILE) + margin),
                          .height = above + below,
                          .drop = 0.5f * (below - above)};
        e->width = BL_CLAMP(e->width, 16, (float)t->width);
        e->height = BL_CLAMP(e->height, 16, (float)t->height);
    }
    bl_free(v);
    return m > 0 ? 0 : bl_fail(err, BL_E_FOOTAGE, "no usable person in the first %lld frames", (long long)n);
}

static int place(double centre, int window, int grid) {
    int at = (int)lround(centre - 0.5 * window);
    if (grid <= window) return -((window - grid) / 2);
    return BL_CLAMP(at, 0, grid - window);
}

void bl__follow_place(bl__follow *f, const bl__grid *g, int w, int h, float drop) {
    for (int64_t i = 0; i < f->n; i++) {
        f->x[i] = place((double)f->cx[i] * g->scale, w, g->w);
        f->y[i] = place((double)(f->cy[i] + drop) * g->scale, h, g->h);
    }
}

static int round_up(double v, int step) {
    return BL_MAX((int)ceil(v / step - 1e-6) * step, (SMALLEST + step - 1) / step * step);
}

bl__window bl__window_fit(const bl__extent *e, int area, int step, int fixed_w, int fixed_h) {
    bl__window best = {fixed_w, fixed_h, 0};
    if (fixed_w > 0 && fixed_h > 0) {
        best.scale = fmin((double)fixed_w / (double)e->width, (double)fixed_h / (double)e->height);
    } else {
        for (int h = round_up(SMALLEST, step); h <= 4096; h += step) {
            int w = (int)(area * AREA_SLACK / h) / step * step;
            if (w < SMALLEST) break;
            double scale = fmin(w / (double)e->width, h / (double)e->height);
            if (scale > best.scale + 1e-9) best = (bl__window){w, h, scale};
        }
    }
    if (best.scale <= 1) return best;
    best.scale = 1; /* never enlarge: a smaller window holds a small person */
    if (fixed_w <= 0 || fixed_h <= 0) {
        best.w = BL_MIN(best.w, round_up((double)e->width, step));
        best.h = BL_MIN(best.h, round_up((double)e->height, step));
    }
    return best;
}

bl__window bl__window_whole(int frame_w, int frame_h, int area, int step, int fixed_w, int fixed_h) {
    bl__window v = {fixed_w, fixed_h, 1};
    if (fixed_w <= 0 || fixed_h <= 0) {
        double scale = fmin(1, sqrt((double)area / ((double)frame_w * frame_h)));
        v.w = round_up(frame_w * scale - step / 2, step);
        v.h = round_up(frame_h * scale - step / 2, step);
    }
    v.scale = fmin(1, fmin((double)v.w / frame_w, (double)v.h / frame_h));
    return v;
}
