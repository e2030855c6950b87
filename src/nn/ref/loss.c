/* Losses: scalars, means over elements. */
#include <math.h>
#include <string.h>

#include "ref.h"

/* mean w*|a-b| / mean w, w a map of one channel. saved[0] = 1 / (c * sum w) */
static int l1_plan(bl__step *s, bl_err *err) {
    (void)err;
    s->saved_floats = 1;
    return 0;
}

static void l1_forward(bl__step *s) {
    int c = s->xs[0].c;
    double sum = 0, weights = 0;
    for (int64_t p = 0, n = bl__elements(s->xs[0]) / c; p < n; p++) {
        double w = s->n_in == 3 ? s->x[2][p] : 1, d = 0;
        for (int64_t i = p * c; i < p * c + c; i++) d += fabsf(s->x[0][i] - s->x[1][i]);
        sum += w * d;
        weights += w;
    }
    s->saved[0] = weights > 0 ? (float)(1 / (weights * c)) : 0;
    s->y[0] = (float)(weights > 0 ? sum / (weights * c) : 0);
}

static void l1_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int c = s->xs[0].c;
    float scale = b->dy[0] * s->saved[0];
    for (int64_t i = 0, n = bl__elements(s->xs[0]); i < n; i++) {
        float d = s->x[0][i] - s->x[1][i], g = scale * (s->n_in == 3 ? s->x[2][i / c] : 1) *
                                               (d > 0   ? 1.f
                                                : d < 0 ? -1.f
                                                        : 0.f);
        if (b->dx[0]) put(b->dx[0] + i, g, b->add & 1);
        if (b->dx[1]) put(b->dx[1] + i, -g, b->add & 2);
    }
}

const bl__kernel bl__ref_loss_l1 = {.plan = l1_plan, .forward = l1_forward, .backward = l1_backward};

static void mse_forward(bl__step *s) {
    double sum = 0;
    int64_t n = bl__elements(s->xs[0]);
    for (int64_t i = 0; i < n; i++)
        sum += (double)(s->x[0][i] - s->node->f[0]) * (s->x[0][i] - s->node->f[0]);
    s->y[0] = (float)(sum / (double)n);
}

static void mse_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int64_t n = bl__elements(s->xs[0]);
    for (int64_t i = 0; i < n; i++)
        put(b->dx[0] + i, b->dy[0] * 2 * (s->x[0][i] - s->node->f[0]) / (float)n, b->add & 1);
}

const bl__kernel bl__ref_loss_mse_to = {.forward = mse_forward, .backward = mse_backward};

static void hinge_forward(bl__step *s) {
    double sum = 0;
    int64_t n = bl__elements(s->xs[0]);
    for (int64_t i = 0; i < n; i++) sum += fmaxf(0, 1 - s->node->f[0] * s->x[0][i]);
    s->y[0] = (float)(sum / (double)n);
}

static void hinge_backward(const bl__back *b) {
    const bl__step *s = b->s;
    int64_t n = bl__elements(s->xs[0]);
    float sign = s->node->f[0];
    for (int64_t i = 0; i < n; i++)
        put(b->dx[0] + i, 1 - sign * s->x[0][i] > 0 ? -sign * b->dy[0] / (float)n : 0, b->add & 1);
}

const bl__kernel bl__ref_loss_hinge = {.forward = hinge_forward, .backward = hinge_backward};

static void sum_forward(bl__step *s) {
    double sum = 0;
    for (int i = 0; i < s->n_in; i++) sum += (double)s->node->f[i] * s->x[i][0];
    s->y[0] = (float)sum;
}

static void sum_backward(const bl__back *b) {
    for (int i = 0; i < b->s->n_in; i++)
        if (b->dx[i]) put(b->dx[i], b->dy[0] * b->s->node->f[i], b->add >> i & 1);
}

const bl__kernel bl__ref_weighted_sum = {.forward = sum_forward, .backward = sum_backward};

/* ---- SSIM (Wang et al. 2004, eq. 13): Gaussian window 11x11, sigma 1.5, valid area, K1 0.01, K2 0.03 ----
 */
#define TAPS 11

static void gaussian(double g[TAPS]) {
    double sum = 0;
    for (int i = 0; i < TAPS; i++) sum += g[i] = exp(-(i - 5.0) * (i - 5.0) / (2 * 1.5 * 1.5));
    for (int i = 0; i < TAPS; i++) g[i] /= sum;
}

typedef struct moments {
    double ma, mb, aa, bb, ab;
} moments;

static moments window_moments(const bl__step *s, const double g[TAPS], int n, int y, int x, int c) {
    moments m = {0, 0, 0, 0, 0};
    for (int i = 0; i < TAPS; i++)
        for (int j = 0; j < TAPS; j++) {
            int64_t p = at(s->xs[0], n, y + i, x + j, c);
            double w = g[i] * g[j], a = s->x[0][p], b = s->x[1][p];
            m.ma += w * a;
            m.mb += w * b;
            m.aa += w * a * a;
            m.bb += w * b * b;
            m.ab += w * a * b;
        }
    return m;
}

static double centre_weight(const bl__step *s, int n, int y, int x) {
    return s->n_in == 3 ? s->x[2][at(s->xs[2], n, y + 5, x + 5, 0)] : 1;
}

/* SSIM of one window, and its derivatives by the mean of a, of a*a and of a*b (d[0..2]). */
static double ssim_of(moments m, double range, double d[3]) {
    double c1 = 0.01 * range * 0.01 * range, c2 = 0.03 * range * 0.03 * range;
    double va = m.aa - m.ma * m.ma, vb = m.bb - m.mb * m.mb, cov = m.ab - m.ma * m.mb;
    double a1 = 2 * m.ma * m.mb + c1, a2 = 2 * cov + c2, b1 = m.ma * m.ma + m.mb * m.mb + c1,
           b2 = va + vb + c2;
    double value = a1 * a2 / (b1 * b2);
    if (d) {
        double ds_ma =
            2 * m.mb * a2 / (b1 * b2) - value * 2 * m.ma / b1; /* with variance and covariance held */
        double ds_va = -value / b2, ds_cov = 2 * a1 / (b1 * b2);
        d[0] = ds_ma - 2 * m.ma * ds_va - m.mb * ds_cov;
        d[1] = ds_va;
        d[2] = ds_cov;
    }
    return value;
}

static double ssim_weights(const bl__step *s) {
    double sum = 0;
    for (int n = 0; n < s->xs[0].n; n++)
        for (int y = 0; y + TAPS <= s->xs[0].h; y++)
            for (int x = 0; x + TAPS <= s->xs[0].w; x++) sum += centre_weight(s, n, y, x);
    return sum * s->xs[0].c;
}

static void ssim_forward(bl__step *s) {
    double g[TAPS], sum = 0, weights = ssim_weights(s);
    gaussian(g);
    for (int n = 0; n < s->xs[0].n; n++)
        for (int y = 0; y + TAPS <= s->xs[0].h; y++)
            for (int x = 0; x + TAPS <= s->xs[0].w; x++)
                for (int c = 0; c < s->xs[0].c; c++)
                    sum += centre_weight(s, n, y, x) *
                           ssim_of(window_moments(s, g, n, y, x, c), s->node->f[0], NULL);
    s->y[0] = (float)(weights > 0 ? 1 - sum / weights : 0);
}

/* Gradient to the first picture only: the second is the photo. */
static void ssim_backward(const bl__back *b) {
    const bl__step *s = b->s;
    double g[TAPS], weights = ssim_weights(s), d[3];
    gaussian(g);
    if (!b->dx[0]) return;
    if (!(b->add & 1)) memset(b->dx[0], 0, sizeof(float) * (size_t)bl__elements(s->xs[0]));
    for (int n = 0; n < s->xs[0].n; n++)
        for (int y = 0; y + TAPS <= s->xs[0].h; y++)
            for (int x = 0; x + TAPS <= s->xs[0].w; x++)
                for (int c = 0; c < s->xs[0].c; c++) {
                    (void)ssim_of(window_moments(s, g, n, y, x, c), s->node->f[0], d);
                    double scale = weights > 0 ? -b->dy[0] * centre_weight(s, n, y, x) / weights : 0;
                    for (int i = 0; i < TAPS; i++)
                        for (int j = 0; j < TAPS; j++) {
                            int64_t p = at(s->xs[0], n, y + i, x + j, c);
                            b->dx[0][p] += (float)(scale * g[i] * g[j] *
                                                   (d[0] + 2 * d[1] * s->x[0][p] + d[2] * s->x[1][p]));
                        }
                }
}

const bl__kernel bl__ref_loss_ssim = {.forward = ssim_forward, .backward = ssim_backward};
