/* Reads "[section]", "key = value" and comment lines (# or ;). Values may be quoted. Errors name the line. */
#ifndef BALLERINO_CLI_INI_H
#define BALLERINO_CLI_INI_H

#include "ballerino/base.h"

/* A negative return stops the parsing with that status. Strings live only during the call. */
typedef int (*bl__ini_fn)(void *ctx, const char *section, const char *key, const char *value, int line,
                          bl_err *err);
int bl__ini_parse(const char *text, size_t size, const char *name, bl__ini_fn fn, void *ctx, bl_err *err);

#endif
