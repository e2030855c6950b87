#include "json_scan.h"

#include <stdio.h>

#include "ballerino/base.h"

static int peek(bl__json *j) {
    while (j->at < j->size) {
        char c = j->text[j->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return (unsigned char)c;
        j->at++;
    }
    return -1;
}

static int wrong(const bl__json *j, const char *wanted, bl_err *err) {
    if (j->at >= j->size)
        return bl_fail(err, BL_E_FORMAT, "%s ends too early: %s was expected at byte %zu; is it cut off?",
                       j->name, wanted, j->at);
    return bl_fail(err, BL_E_FORMAT, "%s is damaged: %s was expected at byte %zu", j->name, wanted, j->at);
}

static int take(bl__json *j, char c, bl_err *err) {
    char wanted[] = {'\'', c, '\'', 0};
    if (peek(j) != c) return wrong(j, wanted, err);
    j->at++;
    return 0;
}

int bl__json_enter(bl__json *j, char bracket, bl_err *err) {
    j->fresh = 1;
    return take(j, bracket, err);
}

/* 1: another entry follows, 0: `close` was read. */
static int next(bl__json *j, char close, bl_err *err) {
    int c = peek(j), fresh = j->fresh;
    j->fresh = 0;
    if (c == close) {
        j->at++;
        return 0;
    }
    if (fresh) return 1;
    int rc = take(j, ',', err);
    return rc < 0 ? rc : 1;
}

int bl__json_key(bl__json *j, char *key, size_t size, bl_err *err) {
    int rc = next(j, '}', err);
    if (rc <= 0) return rc;
    if (peek(j) != '"') return wrong(j, "a key in quotes", err);
    json_t *v = NULL;
    rc = bl__json_value(j, &v, err);
    if (rc < 0) return rc;
    snprintf(key, size, "%s", json_string_value(v));
    json_decref(v);
    rc = take(j, ':', err);
    return rc < 0 ? rc : 1;
}

int bl__json_more(bl__json *j, bl_err *err) {
    return next(j, ']', err);
}

int bl__json_value(bl__json *j, json_t **out, bl_err *err) {
    json_error_t e;
    if (peek(j) < 0) return wrong(j, "a value", err);
    json_t *v = json_loadb(j->text + j->at, j->size - j->at, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &e);
    if (!v) {
        if (json_error_code(&e) == json_error_out_of_memory)
            return bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", j->name);
        return bl_fail(err, BL_E_FORMAT, "%s is damaged near byte %zu: %s", j->name,
                       j->at + (size_t)BL_MAX(e.position, 0), e.text);
    }
    j->at += (size_t)e.position;
    j->fresh = 0;
    *out = v;
    return 0;
}

int bl__json_end(bl__json *j, bl_err *err) {
    return peek(j) < 0 ? 0 : wrong(j, "the end", err);
}

int bl__json_number(const json_t *v, double lo, double hi, double *out) {
    double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= lo && x <= hi)) return -1;
    *out = x;
    return 0;
}
