/* Instance norm (Ulyanov et al. 2016): per sample and channel over the plane, biased variance, eps 1e-5. */
#include <math.h>

#include "ref.h"

static int plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = 2 * (int64_t)s->ys.n * s->ys.c; /* mean, 1/sigma */
    return 0;
}

static void forward(bl__step *s) {
    bl_shape sh = s->ys;
    int64_t plane = bl__plane(sh);
    for (int n = 0; n < sh.n; n++)
        for (int c = 0; c < sh.c; c++) {
            const float *x = s->x[0] + n * plane * sh.c + c,
                        *r = s->n_in == 2 ? s->x[1] + n * plane * sh.c + c : NULL;
            float *y = s->y + n * plane * sh.c + c, *saved = s->saved + 2 * ((int64_t)n * sh.c + c);
            double sum = 0, square = 0;
            for (int64_t i = 0; i < plane; i++) sum += x[i * sh.c];
            double mean = sum / (double)plane;
            for (int64_t i = 0; i < plane; i++) square += (x[i * sh.c] - mean) * (x[i * sh.c] - mean);
            saved[0] = (float)mean;
            saved[1] = (float)(1 / sqrt(square / (double)plane + 1e-5));
            for (int64_t i = 0; i < plane; i++) {
                float v = (x[i * sh.c] - saved[0]) * saved[1];
                if (s->w) v = v * s->w[c] + s->b[c];
                y[i * sh.c] = bl__act(v + (r ? r[i * sh.c] : 0), s->node->act);
            }
        }
}

static void backward(const bl__back *b) {
    const bl__step *s = b->s;
    bl_shape sh = s->ys;
    int64_t plane = bl__plane(sh);
    for (int n = 0; n < sh.n; n++)
        for (int c = 0; c < sh.c; c++) {
            int64_t base = n * plane * sh.c + c;
            const float *x = s->x[0] + base, *saved = s->saved + 2 * ((int64_t)n * sh.c + c);
            double sum = 0, dot = 0;
            for (int64_t i = 0; i < plane; i++) {
                float *dz = b->dy + base + i * sh.c;
                *dz *= bl__act_slope(s->y[base + i * sh.c], s->node->act);
                sum += *dz;
                dot += (double)*dz * ((x[i * sh.c] - saved[0]) * saved[1]);
            }
            double gamma = s->w ? s->w[c] : 1, m1 = sum / (double)plane, m2 = dot / (double)plane;
            for (int64_t i = 0; b->dx[0] && i < plane; i++) {
                double hat = (x[i * sh.c] - saved[0]) * saved[1];
                put(b->dx[0] + base + i * sh.c,
                    (float)(gamma * saved[1] * (b->dy[base + i * sh.c] - m1 - hat * m2)), b->add & 1);
            }
            for (int64_t i = 0; b->dx[1] && i < plane; i++) /* last: it may be x itself, and is added then */
                put(b->dx[1] + base + i * sh.c, b->dy[base + i * sh.c], b->add & 2);
            if (b->params && s->dw) s->dw[c] += (float)dot, s->db[c] += (float)sum;
        }
}

const bl__kernel bl__ref_norm_act = {.plan = plan, .forward = forward, .backward = backward};
