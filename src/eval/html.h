/* A stream of markup into one file. Nobody checks after each call: the first failure is kept and everything
 * after it is dropped. */
#ifndef BALLERINO_EVAL_HTML_H
#define BALLERINO_EVAL_HTML_H

#include <stdarg.h>

#include "ballerino/base.h"

typedef struct bl__html {
    bl_file_writer file;
    int rc; /* the first failure, told by err; 0 = none */
    bl_err err;
} bl__html;

int bl__html_begin(bl__html *h, const char *path, bl_err *err);
int bl__html_commit(bl__html *h, bl_err *err);
void bl__html_abort(bl__html *h);
void bl__html_fail(bl__html *h, const bl_err *why);

/* Markup as it is: literals and numbers only, never a text from outside. */
void bl__html_raw(bl__html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text: escaped for elements and quoted attributes, made valid UTF-8. NULL is nothing. */
void bl__html_text(bl__html *h, const char *s);
void bl__html_vtext(bl__html *h, const char *fmt, va_list ap);
void bl__html_base64(bl__html *h, const void *data, size_t size);

#endif
