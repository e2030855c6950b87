#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"

#define TAPS 11
#define SIGMA 1.5
#define K1 0.01
#define K2 0.03
#define MOMENTS 5 /* a, b, aa, bb, ab */

static void gaussian(float g[TAPS]) {
    double sum = 0, v[TAPS];
    for (int i = 0; i < TAPS; i++) {
        double d = (i - TAPS / 2) / SIGMA;
        sum += v[i] = exp(-0.5 * d * d);
    }
    for (int i = 0; i < TAPS; i++) g[i] = (float)(v[i] / sum);
}

/* One row's five moments, filtered along x: out[m * valid + x]. Values are divided by the range. */
static void filter_row(float *out, const float *a, const float *b, int valid, int step, float inverse,
                       const float g[TAPS]) {
    for (int x = 0; x < valid; x++) {
        float s[MOMENTS] = {0};
        for (int k = 0; k < TAPS; k++) {
            float p = a[(x + k) * step] * inverse, q = b[(x + k) * step] * inverse, w = g[k];
            s[0] += w * p;
            s[1] += w * q;
            s[2] += w * p * p;
            s[3] += w * q * q;
            s[4] += w * p * q;
        }
        for (int m = 0; m < MOMENTS; m++) out[m * valid + x] = s[m];
    }
}

static double ssim_at(const double s[MOMENTS]) {
    const double c1 = K1 * K1, c2 = K2 * K2; /* range 1 */
    double va = s[2] - s[0] * s[0], vb = s[3] - s[1] * s[1], cov = s[4] - s[0] * s[1];
    return (2 * s[0] * s[1] + c1) * (2 * cov + c2) / ((s[0] * s[0] + s[1] * s[1] + c1) * (va + vb + c2));
}

int bl_eval_ssim(double *out, const float *a, const float *b, int w, int h, int channels, float range,
                 bl_err *err) {
    const int vw = w - TAPS + 1, vh = h - TAPS + 1;
    float g[TAPS];
    if (vw < 1 || vh < 1)
        return bl_fail(err, BL_E_USAGE, "SSIM needs pictures of at least %dx%d", TAPS, TAPS);
    float *rows = bl_alloc_array((size_t)h * (size_t)vw * MOMENTS, sizeof *rows);
    if (!rows) return bl_fail(err, BL_E_NOMEM, "not enough memory to compare pictures");
    const size_t row_size = (size_t)vw * MOMENTS;
    double total = 0;
    gaussian(g);
    for (int c = 0; c < channels; c++) {
        for (int y = 0; y < h; y++) {
            const ptrdiff_t at = (ptrdiff_t)y * w * channels + c;
            filter_row(rows + (size_t)y * row_size, a + at, b + at, vw, channels, 1 / range, g);
        }
        for (int y = 0; y < vh; y++)
            for (int x = 0; x < vw; x++) {
                double s[MOMENTS] = {0};
                for (int k = 0; k < TAPS; k++)
                    for (int m = 0; m < MOMENTS; m++)
                        s[m] += (double)(g[k] * rows[(size_t)(y + k) * row_size + (size_t)(m * vw + x)]);
                total += ssim_at(s);
            }
    }
    bl_free(rows);
    *out = total / ((double)vw * vh * channels);
    return 0;
}
