/* Picture metrics against values worked out by hand and against their own invariants. */
#include <math.h>

#include "ballerino/eval.h"
#include "support.h"

enum { W = 40, H = 30 };
static float a[W * H * 3], b[W * H * 3];

static void fill_noise(float *p, uint64_t seed) {
    bl_rng r;
    bl_rng_seed(&r, seed);
    for (int i = 0; i < W * H * 3; i++) p[i] = (float)(bl_rng_uniform(&r) * 255);
}

static void test_psnr(void **state) {
    (void)state;
    fill_noise(a, 1);
    memcpy(b, a, sizeof a);
    assert_near(bl_eval_psnr(a, b, W, H, 3, 255), 100, 0);
    for (int i = 0; i < W * H * 3; i++) b[i] = a[i] + (i % 2 ? 5.f : -5.f);
    assert_near(bl_eval_psnr(a, b, W, H, 3, 255), 20 * log10(255 / 5.0), 1e-4);
}

static void test_ssim_flat_pictures(void **state) { /* no variance: the luminance term alone */
    (void)state;
    bl_err err = {0};
    double got = 0;
    for (int i = 0; i < W * H * 3; i++) a[i] = 100, b[i] = 150;
    assert_ok(bl_eval_ssim(&got, a, b, W, H, 3, 255, &err));
    double c1 = 0.01 * 255 * 0.01 * 255;
    assert_near(got, (2 * 100.0 * 150 + c1) / (100.0 * 100 + 150.0 * 150 + c1), 1e-5);
}

static void test_ssim_order(void **state) {
    (void)state;
    bl_err err = {0};
    double same = 0, near = 0, far = 0, scaled = 0;
    fill_noise(a, 1);
    memcpy(b, a, sizeof a);
    assert_ok(bl_eval_ssim(&same, a, b, W, H, 3, 255, &err));
    assert_near(same, 1, 1e-6);
    for (int i = 0; i < W * H * 3; i++) b[i] = a[i] + (float)(i % 7 - 3) * 8;
    assert_ok(bl_eval_ssim(&near, a, b, W, H, 3, 255, &err));
    fill_noise(b, 2);
    assert_ok(bl_eval_ssim(&far, a, b, W, H, 3, 255, &err));
    assert_true(near < 0.999 && near > 0.9 && fabs(far) < 0.1);
    fill_noise(b, 1);
    for (int i = 0; i < W * H * 3; i++) b[i] += (float)(i % 7 - 3) * 8, a[i] /= 255, b[i] /= 255;
    assert_ok(bl_eval_ssim(&scaled, a, b, W, H, 3, 1, &err));
    assert_near(scaled, near, 1e-5);
    assert_int_equal(bl_eval_ssim(&far, a, b, 10, 30, 3, 255, &err), BL_E_USAGE);
}

/* One bright pixel in the middle of an 11x11 picture: only one place is valid, so the formula can be written
 * down. */
static void test_ssim_single_pixel(void **state) {
    (void)state;
    bl_err err = {0};
    float p[121] = {0}, q[121] = {0};
    double got = 0, sum = 0, v = 100.0 / 255, c1 = 1e-4, c2 = 9e-4;
    for (int i = -5; i <= 5; i++) sum += exp(-i * i / 4.5);
    double g = 1 / (sum * sum); /* centre weight of the Gaussian */
    q[60] = 100;
    assert_ok(bl_eval_ssim(&got, p, q, 11, 11, 1, 255, &err));
    double mean = g * v, var = g * v * v - mean * mean;
    assert_near(got, c1 * c2 / ((mean * mean + c1) * (var + c2)), 1e-5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_psnr),
        cmocka_unit_test(test_ssim_flat_pictures),
        cmocka_unit_test(test_ssim_order),
        cmocka_unit_test(test_ssim_single_pixel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
