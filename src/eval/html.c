#include "html.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX (1 << 20) /* bytes of one formatted text; longer ones are cut */
#define REPLACEMENT "\xEF\xBF\xBD"

int bl__html_begin(bl__html *h, const char *path, bl_err *err) {
    *h = (bl__html){0};
    return bl_file_begin(&h->file, path, err);
}

int bl__html_commit(bl__html *h, bl_err *err) {
    if (h->rc == 0) return bl_file_commit(&h->file, err);
    if (err) *err = h->err;
    bl__html_abort(h);
    return h->rc;
}

void bl__html_abort(bl__html *h) {
    bl_file_abort(&h->file);
}

void bl__html_fail(bl__html *h, const bl_err *why) {
    if (h->rc < 0) return;
    h->err = *why;
    h->rc = why->code;
}

static void put(bl__html *h, const char *data, size_t size) {
    bl_err err = {0};
    if (h->rc < 0 || size == 0 || fwrite(data, 1, size, h->file.f) == size) return;
    (void)bl_fail(&err, BL_E_IO, "cannot write %s: %s; is the disk full?", h->file.path, strerror(errno));
    bl__html_fail(h, &err);
}

void bl__html_raw(bl__html *h, const char *fmt, ...) {
    va_list ap;
    bl_err err = {0};
    if (h->rc < 0) return;
    va_start(ap, fmt);
    int n = vfprintf(h->file.f, fmt, ap);
    va_end(ap);
    if (n >= 0) return;
    (void)bl_fail(&err, BL_E_IO, "cannot write %s: %s; is the disk full?", h->file.path, strerror(errno));
    bl__html_fail(h, &err);
}

/* ---- text ---- */
/* Bytes of the valid UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 = not one. */
static size_t sequence(const unsigned char *s, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (n == 0) return 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) return 0; /* the closing NUL ends up here too */
        c = c << 6 | (s[i] & 0x3Fu);
    }
    *code = c;
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? 0 : n;
}

/* Not allowed in XML, or able to turn the direction of what follows. */
static int unwanted(uint32_t c) {
    if (c < 0x20) return c != '\n' && c != '\t';
    return (c >= 0x7F && c <= 0x9F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           (c & 0xFFFE) == 0xFFFE || c == 0x200E || c == 0x200F;
}

static const char *escape_of(uint32_t c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return unwanted(c) ? REPLACEMENT : NULL;
    }
}

void bl__html_text(bl__html *h, const char *text) {
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    while (*s) {
        uint32_t c = 0;
        size_t n = sequence(s, &c);
        const char *instead = n ? escape_of(c) : REPLACEMENT;
        if (instead)
            put(h, instead, strlen(instead));
        else
            put(h, (const char *)s, n);
        s += n ? n : 1;
    }
}

void bl__html_vtext(bl__html *h, const char *fmt, va_list ap) {
    char small[512];
    va_list again;
    va_copy(again, ap);
    const int n = vsnprintf(small, sizeof small, fmt, ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        bl__html_text(h, small);
    } else if (n >= 0) {
        const size_t size = BL_MIN((size_t)n + 1, TEXT_MAX);
        char *large = bl_alloc(size);
        bl_err err = {0};
        if (large) {
            vsnprintf(large, size, fmt, again);
            bl__html_text(h, large);
        } else {
            (void)bl_fail(&err, BL_E_NOMEM, "not enough memory to write %s", h->file.path);
            bl__html_fail(h, &err);
        }
        bl_free(large);
    }
    va_end(again);
}

/* ---- RFC 4648, section 4 ---- */
void bl__html_base64(bl__html *h, const void *data, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = data;
    char out[1024];
    size_t n = 0;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0u) |
                           (left > 2 ? (uint32_t)p[i + 2] : 0u);
        out[n++] = digits[v >> 18];
        out[n++] = digits[v >> 12 & 63];
        out[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
        out[n++] = left > 2 ? digits[v & 63] : '=';
        if (n == sizeof out) put(h, out, n), n = 0;
    }
    put(h, out, n);
}
