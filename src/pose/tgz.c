/* POSIX ustar in gzip. A header block: name at 0, size (octal) at 124, checksum at 148, type at 156, the mark
 * "ustar" at 257, a prefix of the name at 345. */
#include "tgz.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "ballerino/base.h"

enum { BLOCK = 512, NAME = 0, SIZE = 124, CHECKSUM = 148, TYPE = 156, MARK = 257, PREFIX = 345 };

struct bl__tgz {
    gzFile f;
    char *path;
    int64_t left, padding; /* bytes of the current file that were not read; then up to a whole block */
};

static int damaged(const bl__tgz *t, const char *what, bl_err *err) {
    return bl_fail(err, BL_E_FORMAT, "%s is damaged or not a .tgz archive: %s; fetch it again", t->path,
                   what);
}

int bl__tgz_open(bl__tgz **out, const char *path, bl_err *err) {
    if (!bl_file_exists(path))
        return bl_fail(err, BL_E_NOT_FOUND, "there is no file %s; check the path", path);
    bl__tgz *t = bl_alloc(sizeof *t);
    if (t) t->path = bl_strdup(path);
    if (!t || !t->path) {
        bl__tgz_close(&t);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", path);
    }
    t->f = gzopen(path, "rb");
    if (!t->f) {
        bl__tgz_close(&t);
        return bl_fail(err, BL_E_NOT_FOUND, "cannot open %s; check that it is readable", path);
    }
    gzbuffer(t->f, 1 << 17);
    *out = t;
    return 0;
}

static int get(bl__tgz *t, void *to, size_t n, bl_err *err) {
    if (gzdirect(t->f)) return damaged(t, "it is not compressed with gzip", err);
    return gzread(t->f, to, (unsigned)n) == (int)n ? 0
                                                   : damaged(t, "it ends too early or does not unpack", err);
}

static int skip(bl__tgz *t, int64_t n, bl_err *err) {
    char block[4096];
    for (; n > 0; n -= (int64_t)sizeof block) {
        int rc = get(t, block, (size_t)BL_MIN(n, (int64_t)sizeof block), err);
        if (rc < 0) return rc;
    }
    return 0;
}

/* Octal digits, ended by a blank, NUL or the field's end; -1 when there are none, or others. */
static int64_t octal(const char *s, int n) {
    int64_t x = 0;
    int digits = 0;
    while (n > 0 && *s == ' ') s++, n--;
    for (; n > 0 && *s >= '0' && *s <= '7'; s++, n--, digits++) x = x * 8 + (*s - '0');
    return digits && digits <= 12 && (n == 0 || *s == ' ' || *s == 0) ? x : -1;
}

/* The sum of the header's bytes, its own field read as blanks. */
static int checksum_ok(const char *h) {
    int64_t sum = 0;
    for (int k = 0; k < BLOCK; k++) sum += k >= CHECKSUM && k < CHECKSUM + 8 ? ' ' : (unsigned char)h[k];
    return octal(h + CHECKSUM, 8) == sum;
}

static void join_name(const char *h, char *name, size_t size) {
    if (memcmp(h + MARK, "ustar", 5) == 0 && h[PREFIX])
        snprintf(name, size, "%.155s/%.100s", h + PREFIX, h + NAME);
    else
        snprintf(name, size, "%.100s", h + NAME);
}

int bl__tgz_next(bl__tgz *t, char *name, size_t name_size, int64_t *size, bl_err *err) {
    char h[BLOCK];
    for (;;) {
        int rc = skip(t, t->left + t->padding, err);
        t->left = t->padding = 0;
        if (rc == 0) rc = get(t, h, BLOCK, err);
        if (rc < 0) return rc;
        if (h[0] == 0) return 0; /* an empty block ends the archive */
        if (!checksum_ok(h)) return damaged(t, "a header's checksum is wrong", err);
        t->left = octal(h + SIZE, 12);
        if (t->left < 0 || t->left > BL__TGZ_MAX_FILE)
            return damaged(t, "a file in it has no usable size", err);
        t->padding = -t->left & (BLOCK - 1);
        if (h[TYPE] != '0' && h[TYPE] != 0) continue; /* folders, links, extended headers */
        join_name(h, name, name_size);
        *size = t->left;
        return 1;
    }
}

int bl__tgz_read(bl__tgz *t, char **data, bl_err *err) {
    char *p = bl_alloc((size_t)t->left + 1);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory to unpack %s", t->path);
    int rc = get(t, p, (size_t)t->left, err);
    t->left = 0;
    if (rc < 0) {
        bl_free(p);
        return rc;
    }
    *data = p;
    return 0;
}

void bl__tgz_close(bl__tgz **t) {
    if (!*t) return;
    if ((*t)->f) gzclose((*t)->f);
    bl_free((*t)->path);
    bl_free(*t);
    *t = NULL;
}
