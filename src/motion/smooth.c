/* Smooth: a confidence-weighted local quadratic through the path of each joint and of each point of hands and
 * face, without lag, also at the ends. */
#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "points.h"

#define MAX_WINDOW 99

/* The frames around one: indices into `people` and their time offsets in frame intervals. */
typedef struct neighbourhood {
    int count, own; /* people[own] is the frame itself */
    const bl_person *people[MAX_WINDOW];
    double dt[MAX_WINDOW], kernel[MAX_WINDOW];
} neighbourhood;

/* Value at dt = 0 of the weighted least-squares quadratic (or line, or mean, as far as the points carry one).
 * Sums are of w dt^k and w y dt^k; the intercept follows by Cramer's rule. */
static double fit_at_zero(const double s[5], const double t[3]) {
    double c00 = s[2] * s[4] - s[3] * s[3], c01 = s[2] * s[3] - s[1] * s[4], c02 = s[1] * s[3] - s[2] * s[2];
    double det3 = s[0] * c00 + s[1] * c01 + s[2] * c02;
    if (det3 > 1e-6 * s[0] * s[2] * s[4]) return (t[0] * c00 + t[1] * c01 + t[2] * c02) / det3;
    double det2 = s[0] * s[2] - s[1] * s[1];
    if (det2 > 1e-6 * s[0] * s[2]) return (t[0] * s[2] - t[1] * s[1]) / det2;
    return t[0] / s[0];
}

static void smooth_landmark(bl_landmark *out, const neighbourhood *nb, int joint, int world) {
    double s[5] = {0}, tx[3] = {0}, ty[3] = {0}, tz[3] = {0}, kernel = 0, visibility = 0;
    for (int k = 0; k < nb->count; k++) {
        const bl_person *p = nb->people[k];
        const bl_landmark *l = world ? &p->world[joint] : &p->landmarks[joint];
        double confidence = p->landmarks[joint].visibility, w = nb->kernel[k] * confidence * confidence;
        kernel += nb->kernel[k];
        visibility += nb->kernel[k] * l->visibility;
        if (!(w > 0)) continue;
        for (int power = 0; power < 5; power++, w *= nb->dt[k]) {
            s[power] += w;
            if (power < 3) tx[power] += w * l->x, ty[power] += w * l->y, tz[power] += w * l->z;
        }
    }
    if (!(s[0] > 1e-12)) return;
    out->x = (float)fit_at_zero(s, tx);
    out->y = (float)fit_at_zero(s, ty);
    out->z = (float)fit_at_zero(s, tz);
    if (out->visibility > 0) out->visibility = (float)(visibility / kernel);
}

/* The run of neighbours around `own` that have the part: nothing is mixed across frames without it. */
static void run_of(int *from, int *to, const neighbourhood *nb, bl_region part) {
    for (*from = nb->own; *from > 0 && *bl__points_look(nb->people[*from - 1], part).score > 0;) --*from;
    for (*to = nb->own; *to + 1 < nb->count && *bl__points_look(nb->people[*to + 1], part).score > 0;) ++*to;
}

/* The fit is linear in the values, and all points of a part share their weights: one set of coefficients per
 * frame serves them all. */
static void smooth_part(bl_person *p, const neighbourhood *nb, bl_region part) {
    bl__points out = bl__points_of(p, part);
    if (!(*out.score > 0)) return;
    double s[5] = {0}, w[MAX_WINDOW], c[MAX_WINDOW], kernel = 0, score = 0;
    int from, to;
    run_of(&from, &to, nb, part);
    for (int k = from; k <= to; k++) {
        double confidence = *bl__points_look(nb->people[k], part).score, u = nb->kernel[k];
        kernel += u, score += u * confidence;
        u *= confidence * confidence;
        w[k] = u;
        for (int power = 0; power < 5; power++, u *= nb->dt[k]) s[power] += u;
    }
    if (to == from || !(s[0] > 1e-12)) return;
    const double basis[3] = {fit_at_zero(s, (double[3]){1, 0, 0}), fit_at_zero(s, (double[3]){0, 1, 0}),
                             fit_at_zero(s, (double[3]){0, 0, 1})};
    for (int k = from; k <= to; k++) c[k] = w[k] * (basis[0] + nb->dt[k] * (basis[1] + nb->dt[k] * basis[2]));
    bl__points_blend(out, nb->people + from, part, c + from, to - from + 1);
    *out.score = (float)(score / kernel);
}

/* Is there a hole in time, or a cut, between two frames that follow one another in the track? */
static int gap_between(const bl_track *t, int64_t a) {
    double dt = t->frames[a + 1].t_ms - t->frames[a].t_ms;
    return !t->frames[a].has_person || !t->frames[a + 1].has_person || t->frames[a + 1].cut ||
           dt * t->fps > 6000;
}

/* Copies of the frames behind, which smoothing has overwritten already. */
typedef struct history {
    bl_person *people; /* ring of `size` */
    int size;
} history;

static void gather(neighbourhood *nb, const bl_track *t, const history *h, int64_t k, int half) {
    int64_t from = k, to = k;
    while (from > 0 && k - from < half && !gap_between(t, from - 1)) from--;
    while (to + 1 < t->n && to - k < half && !gap_between(t, to)) to++;
    double interval = to > from ? (t->frames[to].t_ms - t->frames[from].t_ms) / (double)(to - from) : 0;
    nb->count = 0;
    nb->own = (int)(k - from);
    for (int64_t j = from; j <= to; j++) {
        double dt = (double)(j - k);
        if (interval > 0) dt = (t->frames[j].t_ms - t->frames[k].t_ms) / interval;
        double u = BL_MIN(fabs(dt) / (half + 1), 1), kernel = 1 - u * u * u;
        nb->people[nb->count] = j <= k ? &h->people[j % h->size] : &t->frames[j].person;
        nb->kernel[nb->count] = kernel * kernel * kernel;
        nb->dt[nb->count++] = dt;
    }
}

int bl_motion_smooth(bl_track *t, int window, bl_err *err) {
    if (window < 1 || window > MAX_WINDOW || window % 2 == 0)
        return bl_fail(err, BL_E_USAGE, "a smoothing window of %d frames cannot be; it must be odd, 1 to %d",
                       window, MAX_WINDOW);
    if (window == 1) return 0;
    int half = window / 2;
    history h = {.size = half + 1, .people = bl_alloc_array((size_t)half + 1, sizeof *h.people)};
    if (!h.people) return bl_fail(err, BL_E_NOMEM, "not enough memory to smooth a track");
    neighbourhood nb;
    for (int64_t k = 0; k < t->n; k++) {
        bl_person *p = &t->frames[k].person;
        h.people[k % h.size] = *p;
        if (!t->frames[k].has_person) continue;
        gather(&nb, t, &h, k, half);
        for (int joint = 0; nb.count > 1 && joint < BL_LANDMARKS; joint++) {
            smooth_landmark(&p->landmarks[joint], &nb, joint, 0);
            smooth_landmark(&p->world[joint], &nb, joint, 1);
        }
        for (int part = 0; nb.count > 1 && part < BL_REGIONS; part++) smooth_part(p, &nb, (bl_region)part);
    }
    bl_free(h.people);
    return 0;
}
