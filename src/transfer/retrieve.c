#include "retrieve.h"

#include <math.h>
#include <string.h>

#include "match.h"

#define FADE 4   /* frames of a cross-fade */
#define VANISH 8 /* frames that a lost person takes to vanish, as in render.c */
#define LEAST_SCALE 0.7
#define MOST_SCALE 1.45
#define MOST_TURN 0.25 /* radians */

/* ---- what is shown when ---- */
static int shows_somebody(const bl__retrieve *r, int64_t frame) {
    const bl__training *t = &r->library->t;
    return frame >= 0 && frame < t->n_train && t->track->frames[frame].has_person &&
           bl_motion_person_usable(&t->track->frames[frame].person);
}

/* Around a jump to entry k both runs go on for half a fade. */
static void fade(bl__retrieve *r, const int64_t *choice, int64_t k) {
    r->jumps++;
    for (int64_t s = k - FADE / 2; s < k + FADE / 2; s++) {
        if (s < 0 || s >= r->track->n || choice[s] < 0) continue;
        const float later = ((float)(s - (k - FADE / 2)) + 0.5f) / FADE;
        const int64_t other = s < k ? choice[k] - (k - s) : choice[k - 1] + (s - k + 1);
        if (!shows_somebody(r, other)) continue;
        r->mix[s].other = other;
        r->mix[s].other_weight = s < k ? later : 1 - later;
    }
}

static int plan(bl__retrieve *r, uint8_t **used, bl_err *err) {
    const bl_track *target = r->library->t.track;
    int64_t *choice = bl_alloc_array((size_t)r->track->n, sizeof *choice);
    r->mix = bl_alloc_array((size_t)r->track->n, sizeof *r->mix);
    *used = bl_alloc((size_t)target->n);
    int rc = choice && r->mix && *used ? bl__match(choice, r->track, target, r->library->t.n_train, err)
                                       : bl_fail(err, BL_E_NOMEM, "not enough memory to choose frames");
    for (int64_t k = 0; rc == 0 && k < r->track->n; k++) r->mix[k] = (bl__mix){choice[k], -1, 0};
    for (int64_t k = 1; rc == 0 && k < r->track->n; k++)
        if (choice[k] >= 0 && choice[k - 1] >= 0 && !r->track->frames[k].cut &&
            !bl__match_runs_on(choice[k - 1], choice[k]))
            fade(r, choice, k);
    for (int64_t k = 0; rc == 0 && k < r->track->n; k++) {
        if (r->mix[k].frame >= 0) (*used)[r->mix[k].frame] = 1;
        if (r->mix[k].other >= 0) (*used)[r->mix[k].other] = 1;
    }
    bl_free(choice);
    return rc;
}

int bl__retrieve_init(bl__retrieve *r, const bl__library *l, const bl_track *track, bl_err *err) {
    uint8_t *used = NULL;
    *r = (bl__retrieve){.library = l, .track = track};
    int rc = bl__grid_init(&r->grid, l->t.track->width, l->t.track->height, 1, err);
    if (rc == 0) rc = plan(r, &used, err);
    if (rc == 0) rc = bl__cutouts_make(&r->cutouts, l, used, err);
    bl_free(used);
    if (rc < 0)
        bl__retrieve_release(r);
    else
        bl_log(BL_LOG_INFO, "retrieve", "%lld frames are put together with %lld jumps", (long long)track->n,
               (long long)r->jumps);
    return rc;
}

void bl__retrieve_release(bl__retrieve *r) {
    bl__cutouts_close(&r->cutouts);
    bl__grid_release(&r->grid);
    bl_free(r->mix);
    *r = (bl__retrieve){0};
}

/* ---- laying one person over another ---- */
static const struct {
    int joint;
    float weight;
} anchors[] = {{BL_LM_NOSE, 1},       {BL_LM_L_SHOULDER, 2}, {BL_LM_R_SHOULDER, 2}, {BL_LM_L_ELBOW, 0.5f},
               {BL_LM_R_ELBOW, 0.5f}, {BL_LM_L_HIP, 2},      {BL_LM_R_HIP, 2},      {BL_LM_L_KNEE, 1},
               {BL_LM_R_KNEE, 1},     {BL_LM_L_ANKLE, 1.5f}, {BL_LM_R_ANKLE, 1.5f}};

/* X = a x - b y + tx, Y = b x + a y + ty */
typedef struct similarity {
    double a, b, tx, ty;
} similarity;

/* Least squares over the anchors, weighted; scale and turn are clamped, the weighted middles stay on each
 * other. */
static similarity lay_over(const bl_person *from, const bl_person *to, int w, int h) {
    double sum = 1e-9, px = 0, py = 0, qx = 0, qy = 0, dot = 0, cross = 0, size = 1e-9;
    double weight[BL_COUNT(anchors)];
    for (size_t k = 0; k < BL_COUNT(anchors); k++) {
        const bl_landmark *p = &from->landmarks[anchors[k].joint], *q = &to->landmarks[anchors[k].joint];
        const float seen = fminf(p->visibility, q->visibility);
        weight[k] = (double)(anchors[k].weight * BL_CLAMP(seen, 0.02f, 1));
        sum += weight[k];
        px += weight[k] * (double)p->x * w;
        py += weight[k] * (double)p->y * h;
        qx += weight[k] * (double)q->x * w;
        qy += weight[k] * (double)q->y * h;
    }
    px /= sum, py /= sum, qx /= sum, qy /= sum;
    for (size_t k = 0; k < BL_COUNT(anchors); k++) {
        const bl_landmark *p = &from->landmarks[anchors[k].joint], *q = &to->landmarks[anchors[k].joint];
        const double ax = (double)p->x * w - px, ay = (double)p->y * h - py, bx = (double)q->x * w - qx,
                     by = (double)q->y * h - qy;
        dot += weight[k] * (ax * bx + ay * by);
        cross += weight[k] * (ax * by - ay * bx);
        size += weight[k] * (ax * ax + ay * ay);
    }
    const double scale = BL_CLAMP(hypot(dot, cross) / size, LEAST_SCALE, MOST_SCALE),
                 turn = BL_CLAMP(atan2(cross, dot), -MOST_TURN, MOST_TURN);
    similarity s = {.a = scale * cos(turn), .b = scale * sin(turn)};
    s.tx = qx - (s.a * px - s.b * py);
    s.ty = qy - (s.b * px + s.a * py);
    return s;
}

/* ---- painting ---- */
typedef struct box {
    double x0, y0, x1, y1;
} box;

static void widen(box *b, const similarity *s, const bl__cutout *c) {
    for (int k = 0; k < 4; k++) {
        const double x = c->x + (k & 1 ? c->w : 0), y = c->y + (k & 2 ? c->h : 0);
        const double tx = s->a * x - s->b * y + s->tx, ty = s->b * x + s->a * y + s->ty;
        b->x0 = fmin(b->x0, tx);
        b->x1 = fmax(b->x1, tx);
        b->y0 = fmin(b->y0, ty);
        b->y1 = fmax(b->y1, ty);
    }
}

/* The cutout at (sx, sy) of its own pixels: premultiplied colour and alpha, bilinear, nothing outside. */
static void sample(const bl__cutout *c, const uint8_t *rgba, double sx, double sy, float v[4]) {
    const int ix = (int)floor(sx), iy = (int)floor(sy);
    const float fx = (float)(sx - ix), fy = (float)(sy - iy);
    v[0] = v[1] = v[2] = v[3] = 0;
    for (int k = 0; k < 4; k++) {
        const int x = ix + (k & 1), y = iy + (k >> 1);
        if (x < 0 || y < 0 || x >= c->w || y >= c->h) continue;
        const uint8_t *p = rgba + ((size_t)y * (size_t)c->w + (size_t)x) * 4;
        const float a = (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy) * (float)p[3] / 255;
        for (int i = 0; i < 3; i++) v[i] += a * (float)p[i];
        v[3] += a;
    }
}

static void add(bl__layer *l, int x, int y, const bl__cutout *c, const uint8_t *rgba, const similarity *s,
                float weight) {
    const double det = s->a * s->a + s->b * s->b, ia = s->a / det, ib = s->b / det;
    float *out = l->rgba;
    for (int j = 0; j < l->h; j++)
        for (int i = 0; i < l->w; i++, out += 4) {
            const double dx = x + i + 0.5 - s->tx, dy = y + j + 0.5 - s->ty;
            float v[4];
            sample(c, rgba, ia * dx + ib * dy - c->x - 0.5, -ib * dx + ia * dy - c->y - 0.5, v);
            for (int k = 0; k < 4; k++) out[k] += weight * v[k];
        }
}

static int paint(bl__still *s, const bl__retrieve *r, const bl__mix *mix, bl_err *err) {
    const int64_t frames[2] = {mix->frame, mix->other};
    const float weights[2] = {1 - mix->other_weight, mix->other_weight};
    const bl_track *target = r->library->t.track;
    similarity laid[2];
    box b = {1e9, 1e9, -1e9, -1e9};
    for (int k = 0; k < 2; k++) {
        if (frames[k] < 0 || r->cutouts.of[frames[k]].w == 0) continue;
        laid[k] = lay_over(&target->frames[frames[k]].person, &s->person, target->width, target->height);
        widen(&b, &laid[k], &r->cutouts.of[frames[k]]);
    }
    const int x0 = (int)floor(BL_CLAMP(b.x0, 0, target->width)),
              x1 = (int)ceil(BL_CLAMP(b.x1, 0, target->width)),
              y0 = (int)floor(BL_CLAMP(b.y0, 0, target->height)),
              y1 = (int)ceil(BL_CLAMP(b.y1, 0, target->height));
    if (x1 <= x0 || y1 <= y0) return 0;
    int rc = bl__layer_init(&s->layer, x1 - x0, y1 - y0, err);
    if (rc < 0) return rc;
    s->x = x0;
    s->y = y0;
    for (int k = 0; k < 2; k++) {
        const bl__cutout *c = frames[k] < 0 ? NULL : &r->cutouts.of[frames[k]];
        if (c && c->w > 0)
            add(&s->layer, x0, y0, c, r->cutouts.map.data + c->at, &laid[k], s->opacity * weights[k]);
    }
    return 1;
}

/* The entry whose choice stands for k, and how solid it is. */
static int64_t stand_in(const bl__retrieve *r, int64_t k, float *opacity) {
    for (int64_t d = 0; d < VANISH; d++) {
        *opacity = 1 - (float)d / VANISH;
        if (k - d >= 0 && r->mix[k - d].frame >= 0) return k - d;
        if (k + d < r->track->n && r->mix[k + d].frame >= 0) return k + d;
    }
    *opacity = 0;
    return -1;
}

int bl__retrieve_still(bl__still **out, const bl__retrieve *r, int64_t k, bl_frame *source, bl_err *err) {
    bl__still *s = bl_alloc(sizeof *s);
    if (!s) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    if (source) s->source = bl_frame_ref(source);
    const int64_t entry = stand_in(r, k, &s->opacity);
    int rc = 0;
    if (entry >= 0) {
        s->person = r->track->frames[entry].person;
        rc = s->filled = paint(s, r, &r->mix[entry], err);
    }
    if (rc < 0)
        bl__still_free(&s);
    else
        *out = s;
    return rc < 0 ? rc : 0;
}
