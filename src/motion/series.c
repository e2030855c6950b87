#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float bl__quantile(float *v, int64_t n, double q) {
    if (n < 1) return 0;
    qsort(v, (size_t)n, sizeof *v, by_value);
    double at = BL_CLAMP(q, 0, 1) * (double)(n - 1);
    int64_t k = BL_MIN((int64_t)at, n - 1), next = BL_MIN(k + 1, n - 1);
    return (float)(v[k] + (at - (double)k) * (v[next] - v[k]));
}

int64_t bl__series_fill(float *v, const uint8_t *known, int64_t n) {
    int64_t count = 0, last = -1;
    for (int64_t k = 0; k < n; k++) {
        if (!known[k]) continue;
        for (int64_t j = last + 1; j < k; j++) {
            float part = last < 0 ? 1 : (float)(j - last) / (float)(k - last);
            v[j] = last < 0 ? v[k] : v[last] + part * (v[k] - v[last]);
        }
        last = k;
        count++;
    }
    if (last >= 0)
        for (int64_t j = last + 1; j < n; j++) v[j] = v[last];
    return count;
}

void bl__series_median(float *v, int64_t n) {
    float before[2] = {0}; /* original values of the two frames behind */
    for (int64_t k = 0; k < n && n > 2; k++) {
        float w[5], own = v[k];
        int count = 0;
        int reach = (int)BL_MIN(2, BL_MIN(k, n - 1 - k)); /* symmetric near the ends, so that slopes stay */
        w[count++] = own;
        for (int d = 1; d <= reach; d++) w[count++] = before[d - 1], w[count++] = v[k + d];
        if (k == 0) w[count++] = v[1], w[count++] = v[2];
        if (k == n - 1) w[count++] = before[0], w[count++] = before[1];
        v[k] = bl__quantile(w, count, 0.5);
        before[1] = before[0];
        before[0] = own;
    }
}

/* Solves (W + lambda D'D) z = W v, D = second differences: banded Cholesky (LDL') of a matrix with two
 * sub-diagonals. `work` holds 3 n: the diagonal of D, the two sub-diagonals of L. */
static void solve(double *z, const float *v, const double *w, double *work, int64_t n, double lambda) {
    double *d = work, *l1 = work + n, *l2 = work + 2 * n;
    for (int64_t i = 0; i < n; i++) {
        int64_t left = BL_MIN(i, n - 1 - i);
        double diagonal = left == 0 ? 1 : left == 1 ? 5 : 6;
        if (n == 3 && i == 1) diagonal = 4;
        double a1 = i < 1 ? 0 : (i == 1 || i == n - 1) ? -2 : -4, a2 = i < 2 ? 0 : 1;
        double e2 = i < 2 ? 0 : lambda * a2 / d[i - 2];
        double e1 = i < 1 ? 0 : (lambda * a1 - (i < 2 ? 0 : e2 * d[i - 2] * l1[i - 1])) / d[i - 1];
        l1[i] = e1, l2[i] = e2;
        d[i] = w[i] + lambda * diagonal;
        if (i >= 1) d[i] -= e1 * e1 * d[i - 1];
        if (i >= 2) d[i] -= e2 * e2 * d[i - 2];
        z[i] = w[i] * v[i];
        if (i >= 1) z[i] -= e1 * z[i - 1];
        if (i >= 2) z[i] -= e2 * z[i - 2];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        z[i] /= d[i];
        if (i + 1 < n) z[i] -= l1[i + 1] * z[i + 1];
        if (i + 2 < n) z[i] -= l2[i + 2] * z[i + 2];
    }
}

int bl__series_smooth(float *v, int64_t n, double period, double tau, bl_err *err) {
    if (n < 3) return 0;
    double *z = bl_alloc_array((size_t)n * 5, sizeof *z);
    if (!z) return bl_fail(err, BL_E_NOMEM, "not enough memory to smooth %lld frames", (long long)n);
    double *w = z + n, omega = 2 * 3.14159265358979 / BL_MAX(period, 4);
    double lambda = 1 / pow(2 - 2 * cos(omega), 2);
    for (int64_t k = 0; k < n; k++) w[k] = 1;
    for (int turn = 0; turn < 20; turn++) {
        int64_t changed = 0;
        solve(z, v, w, z + 2 * n, n, lambda * (tau > 0.5 ? 1 - tau : 1));
        if (tau <= 0.5) break;
        for (int64_t k = 0; k < n; k++) {
            double weight = v[k] > z[k] ? tau : 1 - tau;
            changed += weight != w[k];
            w[k] = weight;
        }
        if (!changed) break;
    }
    for (int64_t k = 0; k < n; k++) v[k] = (float)z[k];
    bl_free(z);
    return 0;
}

/* Weighted least squares with the slope held inside its bounds. */
static void line(double *a, double *b, const float *x, const float *y, const double *w, int64_t n,
                 double b_min, double b_max) {
    double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int64_t k = 0; k < n; k++) sw += w[k], sx += w[k] * x[k], sy += w[k] * y[k];
    double mx = sx / sw, my = sy / sw;
    for (int64_t k = 0; k < n; k++) {
        sxx += w[k] * (x[k] - mx) * (x[k] - mx);
        sxy += w[k] * (x[k] - mx) * (y[k] - my);
    }
    *b = sxx > 1e-9 ? BL_CLAMP(sxy / sxx, b_min, b_max) : BL_CLAMP(0, b_min, b_max);
    *a = my - *b * mx;
}

int bl__quantile_line(double *a, double *b, const float *x, const float *y, int64_t n, double tau,
                      double b_min, double b_max, bl_err *err) {
    double *w = bl_alloc_array((size_t)BL_MAX(n, 1), sizeof *w);
    if (!w) return bl_fail(err, BL_E_NOMEM, "not enough memory for statistics of %lld frames", (long long)n);
    for (int64_t k = 0; k < n; k++) w[k] = 1;
    for (int turn = 0; turn < 50; turn++) {
        line(a, b, x, y, w, n, b_min, b_max);
        for (int64_t k = 0; k < n; k++) {
            double r = y[k] - (*a + *b * x[k]);
            w[k] =
                (r > 0 ? tau : 1 - tau) / BL_MAX(fabs(r), 0.05); /* pixels: closer than this is on the line */
        }
    }
    bl_free(w);
    return 0;
}
