#include "ini.h"

#include <string.h>

#define LINE_MAX_BYTES 4096

static char *trim(char *s) {
    s += strspn(s, " \t\r");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1])) s[--n] = 0;
    return s;
}

static char *unquote(char *s) {
    size_t n = strlen(s);
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        s[n - 1] = 0;
        return s + 1;
    }
    return s;
}

static int one_line(char *line, char section[64], const char *name, int number, bl__ini_fn fn, void *ctx,
                    bl_err *err) {
    char *s = trim(line);
    if (!*s || *s == '#' || *s == ';') return 0;
    if (*s == '[') {
        char *end = strchr(s, ']');
        if (!end || *trim(end + 1) || end - s - 1 >= 64 || end == s + 1)
            return bl_fail(err, BL_E_USAGE, "%s line %d: a section is written [name]", name, number);
        *end = 0;
        snprintf(section, 64, "%.63s", s + 1);
        return 0;
    }
    char *equals = strchr(s, '=');
    if (!equals || equals == s)
        return bl_fail(err, BL_E_USAGE, "%s line %d: expected 'option = value'", name, number);
    *equals = 0;
    return fn(ctx, section, trim(s), unquote(trim(equals + 1)), number, err);
}

int bl__ini_parse(const char *text, size_t size, const char *name, bl__ini_fn fn, void *ctx, bl_err *err) {
    char section[64] = "defaults", line[LINE_MAX_BYTES];
    int number = 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t n = end ? (size_t)(end - text) - at : size - at;
        number++;
        if (n >= sizeof line || memchr(text + at, 0, n))
            return bl_fail(err, BL_E_USAGE, "%s line %d is too long or not text", name, number);
        memcpy(line, text + at, n);
        line[n] = 0;
        int rc = one_line(line, section, name, number, fn, ctx, err);
        if (rc < 0) return rc;
        at += n + 1;
    }
    return 0;
}
