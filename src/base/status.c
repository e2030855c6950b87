#include "ballerino/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code, exit_code;
    const char *name, *text;
} table[] = {
#define BL_X(name, value, exit_code, text) {value, exit_code, #name, text},
    BL_STATUS_TABLE(BL_X)
#undef BL_X
};

static int row(int code) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code) return (int)i;
    return 1; /* E_INTERNAL */
}

const char *bl_status_name(int code) {
    return table[row(code)].name;
}
const char *bl_status_text(int code) {
    return table[row(code)].text;
}
int bl_status_exit_code(int code) {
    return table[row(code)].exit_code;
}

int bl_fail_at(bl_err *err, int code, const char *file, int line, const char *fmt, ...) {
    if (!err) return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    err->code = code;
    err->file = file;
    err->line = line;
    return code;
}

int bl_err_context(bl_err *err, int code, const char *fmt, ...) {
    if (!err) return code;
    char old[sizeof err->msg], context[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    memcpy(old, err->msg, sizeof old);
    size_t n = (size_t)snprintf(err->msg, sizeof err->msg, "%s: ", context);
    if (n >= sizeof err->msg) n = sizeof err->msg - 1;
    size_t rest = sizeof err->msg - n - 1, len = strlen(old);
    if (len > rest) len = rest;
    memcpy(err->msg + n, old, len);
    err->msg[n + len] = 0;
    return err->code ? err->code : code;
}
