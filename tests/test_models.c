/* The model files: the tar reader, the checks, fetching from given tarballs. */
#include <dirent.h>
#include <sys/stat.h>
#include <zlib.h>

#include "ballerino/pose.h"
#include "pose/models.h"
#include "pose/tgz.h"
#include "support.h"

static char dir[64];

static const char *in_dir(const char *name) {
    static char path[4][400];
    static int turn;
    char *p = path[turn++ & 3];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static int make_dir(void **state) {
    (void)state;
    memcpy(dir, "/tmp/bl_models_XXXXXX", sizeof "/tmp/bl_models_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') unlink(in_dir(e->d_name));
    if (d) closedir(d);
    return rmdir(dir);
}

/* Appends a file to a tar in memory. */
static size_t put_file(char *tar, size_t at, const char *name, const char *data, size_t size) {
    char *h = tar + at;
    memset(h, 0, 512);
    snprintf(h, 100, "%s", name);
    snprintf(h + 124, 12, "%011o", (unsigned)size);
    h[156] = '0';
    memcpy(h + 257, "ustar", 6);
    unsigned sum = 8 * ' ';
    for (int k = 0; k < 512; k++) sum += (unsigned char)h[k];
    snprintf(h + 148, 8, "%06o", sum);
    memcpy(h + 512, data, size);
    size_t padded = (size + 511) / 512 * 512;
    memset(h + 512 + size, 0, padded - size);
    return at + 512 + padded;
}

static void gzip(const char *path, const char *data, size_t size) {
    gzFile f = gzopen(path, "wb");
    assert_int_equal(gzwrite(f, data, (unsigned)size), (int)size);
    gzclose(f);
}

static void tgz_gives_names_and_bytes(void **state) {
    (void)state;
    bl_err err = {0};
    static char tar[8192];
    size_t at = put_file(tar, 0, "package/a.txt", "hello", 5);
    at = put_file(tar, at, "package/b.bin", tar, 700);
    memset(tar + at, 0, 1024);
    gzip(in_dir("a.tgz"), tar, at + 1024);
    bl__tgz *t = NULL;
    char name[64], *data = NULL;
    int64_t size;
    assert_ok(bl__tgz_open(&t, in_dir("a.tgz"), &err));
    assert_int_equal(bl__tgz_next(t, name, sizeof name, &size, &err), 1);
    assert_string_equal(name, "package/a.txt");
    assert_int_equal(bl__tgz_next(t, name, sizeof name, &size, &err), 1); /* a.txt was skipped */
    assert_int_equal(size, 700);
    assert_ok(bl__tgz_read(t, &data, &err));
    assert_memory_equal(data, tar, 700);
    bl_free(data);
    assert_int_equal(bl__tgz_next(t, name, sizeof name, &size, &err), 0);
    bl__tgz_close(&t);
    tar[3] ^= 1;
    gzip(in_dir("a.tgz"), tar, at + 1024);
    assert_ok(bl__tgz_open(&t, in_dir("a.tgz"), &err));
    assert_int_equal(bl__tgz_next(t, name, sizeof name, &size, &err), BL_E_FORMAT);
    bl__tgz_close(&t);
}

static void cut_and_foreign_archives_are_refused(void **state) {
    (void)state;
    bl_err err = {0};
    static char tar[4096];
    size_t at = put_file(tar, 0, "package/readme", "hello", 5);
    const char *path = in_dir("b.tgz");
    gzip(path, tar, at + 1024);
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "none of the model files"));
    gzip(path, tar, at);
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_FORMAT);
    assert_ok(bl_file_write(path, tar, at, &err));
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_FORMAT);
    assert_non_null(strstr(err.msg, "not compressed"));
    assert_ok(bl_file_write(path, "", 0, &err));
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_FORMAT);
    path = in_dir("nowhere.tgz");
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_NOT_FOUND);
}

static void a_wrong_model_is_never_installed(void **state) {
    (void)state;
    bl_err err = {0};
    static char tar[8192];
    const char *path = in_dir("c.tgz");
    size_t at = put_file(tar, 0, "package/pose_landmark_full.tflite", "not it", 6);
    gzip(path, tar, at + 1024);
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_MODELS);
    assert_false(bl_file_exists(in_dir("pose_landmark_full.tflite")));
    const char list[] =
        "x(); loadPackage({\"files\": [{\"filename\": \"/m/pose_detection.tflite\", \"start\": 0, "
        "\"end\": 99}]}); }";
    at = put_file(tar, 0, "package/x_packed_assets_loader.js", list, sizeof list - 1);
    at = put_file(tar, at, "package/x_packed_assets.data", "short", 5);
    memset(tar + at, 0, 1024);
    gzip(path, tar, at + 1024);
    assert_int_equal(bl_models_fetch(dir, &path, 1, &err), BL_E_FORMAT);
    assert_non_null(strstr(err.msg, "outside its packed assets"));
}

static void missing_and_damaged_files_are_told_apart(void **state) {
    (void)state;
    bl_err err = {0};
    int n;
    const bl_model_file *m = bl_models_table(&n);
    assert_true(n >= 4);
    assert_int_equal(bl_models_check(&m[0], dir, &err), 0);
    assert_ok(bl_file_write(in_dir(m[0].name), "TFL3", 4, &err));
    assert_int_equal(bl_models_check(&m[0], dir, &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "damaged"));
    bl_map map;
    assert_int_equal(bl__models_open(&map, dir, m[1].name, &err), BL_E_MODELS);
    assert_non_null(strstr(err.msg, "models fetch"));
}

/* npm is replaced by scripts of our own at the front of PATH. */
static void with_npm(const char *script, int code, const char *word) {
    bl_err err = {0};
    const char *old = getenv("PATH");
    char *kept = bl_strdup(old ? old : "");
    assert_int_equal(mkdir(in_dir("models"), 0700), 0);
    if (script) {
        assert_ok(bl_file_write(in_dir("npm"), script, strlen(script), &err));
        chmod(in_dir("npm"), 0700);
    }
    setenv("PATH", dir, 1);
    int rc = bl_models_fetch(in_dir("models"), NULL, 0, &err);
    setenv("PATH", kept, 1);
    bl_free(kept);
    unlink(in_dir("npm"));
    assert_int_equal(rmdir(in_dir("models")), 0); /* nothing is left behind */
    if (rc != code || !strstr(err.msg, word)) fail_msg("%d %s", rc, err.msg);
}

static void npm_that_fails_is_one_sentence(void **state) {
    (void)state;
    with_npm(NULL, BL_E_MODELS, "not installed");
    with_npm("#!/bin/sh\necho npm ERR! code ENOTFOUND >&2\nexit 3\n", BL_E_MODELS, "ENOTFOUND");
    with_npm("#!/bin/sh\nexit 0\n", BL_E_MODELS, "no tarball");
    with_npm("#!/bin/sh\necho wrong > mediapipe-pose-0.5.1675469404.tgz\n", BL_E_MODELS,
             "not the known archive");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tgz_gives_names_and_bytes),
        cmocka_unit_test(cut_and_foreign_archives_are_refused),
        cmocka_unit_test(a_wrong_model_is_never_installed),
        cmocka_unit_test(missing_and_damaged_files_are_told_apart),
        cmocka_unit_test(npm_that_fails_is_one_sentence),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
