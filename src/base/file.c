/* Files: whole reads with a cap, writes that appear complete or not at all, and where things live. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ballerino/base.h"

static int read_open(FILE **f, size_t *size, const char *path, size_t cap, bl_err *err) {
    struct stat st;
    *f = fopen(path, "rb");
    if (!*f) return bl_fail(err, BL_E_NOT_FOUND, "cannot open %s: %s; check the path", path, strerror(errno));
    int rc = 0;
    if (fstat(fileno(*f), &st) < 0)
        rc = bl_fail(err, BL_E_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = bl_fail(err, BL_E_NOT_FOUND, "%s is not a regular file; give a file", path);
    else if ((uint64_t)st.st_size > cap)
        rc = bl_fail(err, BL_E_FORMAT, "%s is %lld bytes, more than the %zu that such a file may have", path,
                     (long long)st.st_size, cap);
    if (rc < 0) {
        fclose(*f);
        *f = NULL;
        return rc;
    }
    *size = (size_t)st.st_size;
    return 0;
}

int bl_file_read(char **data, size_t *size, const char *path, size_t cap, bl_err *err) {
    FILE *f;
    size_t n = 0;
    int rc = read_open(&f, &n, path, cap, err);
    if (rc < 0) return rc;
    char *p = bl_alloc(n + 1);
    if (!p)
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory to read %s (%zu bytes)", path, n);
    else if (fread(p, 1, n, f) != n)
        rc = bl_fail(err, BL_E_NOT_FOUND, "cannot read all of %s: %s", path, strerror(errno));
    fclose(f);
    if (rc < 0) {
        bl_free(p);
        return rc;
    }
    *data = p;
    if (size) *size = n;
    return 0;
}

int bl_file_begin(bl_file_writer *w, const char *path, bl_err *err) {
    *w = (bl_file_writer){.path = bl_strdup(path), .part = bl_alloc(strlen(path) + 6)};
    if (!w->path || !w->part) {
        bl_file_abort(w);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    }
    snprintf(w->part, strlen(path) + 6, "%s.part", path);
    w->f = fopen(w->part, "wb");
    if (w->f) return 0;
    int rc = bl_fail(err, BL_E_IO, "cannot write %s: %s; choose a folder that exists and is writable", path,
                     strerror(errno));
    bl_file_abort(w);
    return rc;
}

/* A rename is durable only once its folder is. */
static void sync_folder(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

int bl_file_commit(bl_file_writer *w, bl_err *err) {
    int rc = 0;
    int bad = !w->f || ferror(w->f) || fflush(w->f) != 0 || fsync(fileno(w->f)) < 0;
    int why = errno;
    if (w->f && fclose(w->f) != 0 && !bad) bad = 1, why = errno;
    w->f = NULL;
    if (bad || rename(w->part, w->path) < 0)
        rc = bl_fail(err, BL_E_IO, "cannot finish %s: %s; is the disk full?", w->path,
                     strerror(bad ? why : errno));
    else
        sync_folder(w->path);
    if (rc == 0) {
        bl_free(w->part);
        w->part = NULL; /* nothing left to remove */
    }
    bl_file_abort(w);
    return rc;
}

void bl_file_abort(bl_file_writer *w) {
    if (w->f) fclose(w->f);
    if (w->part) unlink(w->part);
    bl_free(w->path);
    bl_free(w->part);
    *w = (bl_file_writer){0};
}

int bl_file_write(const char *path, const void *data, size_t size, bl_err *err) {
    bl_file_writer w;
    int rc = bl_file_begin(&w, path, err);
    if (rc < 0) return rc;
    if (size && fwrite(data, 1, size, w.f) != size) {
        rc = bl_fail(err, BL_E_IO, "cannot write %s: %s; is the disk full?", path, strerror(errno));
        bl_file_abort(&w);
        return rc;
    }
    return bl_file_commit(&w, err);
}

int bl_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int bl_dir_make(const char *path, bl_err *err) {
    char p[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof p)
        return bl_fail(err, BL_E_USAGE, "the folder name '%.40s' is empty or too long", path);
    memcpy(p, path, n + 1);
    for (char *s = p + 1;; s++) {
        if (*s && *s != '/') continue;
        char kept = *s;
        *s = 0;
        if (mkdir(p, 0777) < 0 && errno != EEXIST)
            return bl_fail(err, BL_E_IO, "cannot make the folder %s: %s", p, strerror(errno));
        *s = kept;
        if (!kept) break;
    }
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return bl_fail(err, BL_E_IO, "%s is in the way: it is not a folder", path);
    return 0;
}

int bl_path_join(char *out, size_t size, const char *dir, const char *name, bl_err *err) {
    int n = snprintf(out, size, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= size) return bl_fail(err, BL_E_USAGE, "the path %s/%s is too long", dir, name);
    return 0;
}

int bl_path_models(char *out, size_t size, bl_err *err) {
    const char *own = getenv("BALLERINO_MODELS"), *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;
    if (own && *own)
        n = snprintf(out, size, "%s", own);
    else if (xdg && *xdg)
        n = snprintf(out, size, "%s/ballerino/models", xdg);
    else
        n = snprintf(out, size, "%s/.local/share/ballerino/models", home && *home ? home : "/root");
    if (n < 0 || (size_t)n >= size)
        return bl_fail(err, BL_E_USAGE, "the path of the models folder is too long");
    return 0;
}
