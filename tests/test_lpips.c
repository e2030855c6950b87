/* LPIPS without PyTorch: what it does with files that do not fit, and its properties on random weights. */
#include <math.h>

#include "ballerino/backbones.h"
#include "ballerino/lpips.h"
#include "support.h"

enum { MAX = 64 };
static float *pool, *positive; /* random values for all arrays */

/* A file of AlexNet with random weights; linear weights of the first `linear` taps. */
static void write_file(const char *path, int linear, int wrong_size) {
    static const int dims[5][4] = {
        {64, 3, 11, 11}, {192, 64, 5, 5}, {384, 192, 3, 3}, {256, 384, 3, 3}, {256, 256, 3, 3}};
    static const int index[5] = {0, 3, 6, 8, 10};
    bl_err err = {0};
    bl_tensor t[MAX] = {0};
    char names[MAX][32];
    int n = 0;
    for (int k = 0; k < 5; k++) {
        snprintf(names[n], sizeof *names, "features.%d.weight", index[k]);
        t[n] = (bl_tensor){.rank = 4, .dims = {dims[k][0], dims[k][1], dims[k][2], dims[k][3]}};
        n++;
        snprintf(names[n], sizeof *names, "features.%d.bias", index[k]);
        t[n++] = (bl_tensor){.rank = 1, .dims = {dims[k][0]}};
    }
    for (int k = 0; k < linear; k++) {
        snprintf(names[n], sizeof *names, "lin%d.model.1.weight", k);
        t[n++] = (bl_tensor){.rank = 4, .dims = {1, dims[k][0] + (wrong_size && k == 2), 1, 1}};
    }
    for (int i = 0; i < n; i++) {
        t[i].name = names[i];
        t[i].data = names[i][0] == 'l' ? positive : pool;
        t[i].bytes = sizeof(float);
        for (int k = 0; k < t[i].rank; k++) t[i].bytes *= (size_t)t[i].dims[k];
    }
    bl_tensor_meta meta = {"format", "test"};
    assert_ok(bl_tensors_write(path, t, n, &meta, 1, &err));
}

static int open_refused(const char *path, const char *word) {
    bl_err err = {0};
    bl_lpips *l = NULL;
    int rc = bl_lpips_open(&l, path, NULL, NULL, 2, &err);
    assert_null(l);
    if (!strstr(err.msg, word)) fail_msg("'%s' does not say '%s'", err.msg, word);
    return rc;
}

static void files_are_checked(void **state) {
    (void)state;
    char path[] = "/tmp/bl_lpips_XXXXXX";
    close(mkstemp(path));
    write_file(path, 0, 0);
    assert_int_equal(open_refused(path, "linear weights"), BL_E_MISMATCH);
    write_file(path, 4, 0);
    assert_int_equal(open_refused(path, "lin4.model.1.weight"), BL_E_MISMATCH);
    write_file(path, 5, 1);
    assert_int_equal(open_refused(path, "lin2.model.1.weight"), BL_E_MISMATCH);
    unlink(path);
    assert_true(open_refused(path, path) < 0);
}

static void distances_grow_with_the_difference(void **state) {
    (void)state;
    bl_err err = {0};
    bl_lpips *l = NULL;
    char path[] = "/tmp/bl_lpips_XXXXXX";
    enum { W = 90, H = 70, N = W * H * 3 };
    float *a = bl_alloc_array(N, sizeof *a), *b = bl_alloc_array(N, sizeof *b);
    close(mkstemp(path));
    write_file(path, 5, 0);
    assert_ok(bl_lpips_open(&l, path, path, NULL, 2, &err));
    assert_string_equal(bl_lpips_backbone(l), "AlexNet");
    double same, little, much, back, again, other;
    for (int i = 0; i < N; i++) a[i] = 0.7f * sinf((float)i * 0.01f);
    assert_ok(bl_lpips_distance(l, a, a, W, H, &same, &err));
    for (int i = 0; i < N; i++) b[i] = a[i] + 0.3f * pool[i];
    assert_ok(bl_lpips_distance(l, a, b, W, H, &little, &err));
    assert_ok(bl_lpips_distance(l, b, a, W, H, &back, &err));
    for (int side = 64; side < 70; side++) /* more sizes than are kept ready */
        assert_ok(bl_lpips_distance(l, a, b, side, 64, &other, &err));
    assert_ok(bl_lpips_distance(l, a, b, W, H, &again, &err));
    for (int i = 0; i < N; i++) b[i] = a[i] + 4 * pool[i];
    assert_ok(bl_lpips_distance(l, a, b, W, H, &much, &err));
    assert_true(same == 0 && little > 0 && little < much);
    assert_true(fabs(little - back) < 1e-9 && little == again);
    assert_int_equal(bl_lpips_distance(l, a, b, W, 63, &other, &err), BL_E_USAGE);
    bl_lpips_close(&l);
    bl_free(a);
    bl_free(b);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_checked),
        cmocka_unit_test(distances_grow_with_the_difference),
    };
    bl_rng rng;
    bl_rng_seed(&rng, 3);
    pool = bl_alloc_array(1 << 20, sizeof *pool);
    positive = bl_alloc_array(1 << 10, sizeof *positive);
    for (int i = 0; i < 1 << 20; i++) pool[i] = 0.1f * (float)bl_rng_normal(&rng);
    for (int i = 0; i < 1 << 10; i++) positive[i] = (float)bl_rng_uniform(&rng);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    bl_free(pool);
    bl_free(positive);
    return rc;
}
