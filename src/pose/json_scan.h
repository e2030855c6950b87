/*
 * Walks the outermost objects and arrays of a JSON text and hands the values inside to jansson one at a
 * time, so that a file of a hundred thousand frames never stands in memory as one tree.
 *
 *     bl__json j = {.text = text, .size = size, .name = "a.json"};
 *     char key[64]; json_t *v;
 *     bl__json_enter(&j, '{', err);
 *     while ((rc = bl__json_key(&j, key, sizeof key, err)) > 0)
 *         if ((rc = bl__json_value(&j, &v, err)) < 0) break; else { use(v); json_decref(v); }
 *
 * Every call gives a negative status and one sentence that names the file and the byte where the text is
 * wrong.
 */
#ifndef BL_POSE_JSON_SCAN_H
#define BL_POSE_JSON_SCAN_H

#include <jansson.h>
#include <stddef.h>

#include "ballerino/status.h"

typedef struct bl__json {
    const char *text; /* needs no NUL at its end */
    size_t size, at;  /* at: the next byte to be read */
    const char *name; /* for messages */
    int fresh;        /* just entered: no comma is due */
} bl__json;

int bl__json_enter(bl__json *j, char bracket, bl_err *err); /* '{' or '[' */
/* Next key of the object we are in. 1 and the key (cut to size), 0 at the closing brace. */
int bl__json_key(bl__json *j, char *key, size_t size, bl_err *err);
/* 1 when another element of the array follows, 0 at the closing bracket. */
int bl__json_more(bl__json *j, bl_err *err);
/* The value that starts here, as a tree that the caller json_decref()s. */
int bl__json_value(bl__json *j, json_t **out, bl_err *err);
/* Nothing but white space may follow. */
int bl__json_end(bl__json *j, bl_err *err);

/* Reads one number of a tree: 0, or -1 when `v` is none or lies outside lo..hi. */
int bl__json_number(const json_t *v, double lo, double hi, double *out);

#endif
