/* Whether a report page is well-formed XML that loads nothing. */
#ifndef BALLERINO_TEST_PAGE_CHECK_H
#define BALLERINO_TEST_PAGE_CHECK_H

#include "support.h"

static inline int count(const char *text, const char *what) {
    const size_t length = strlen(what);
    int n = 0; /* not with strstr, which walks the whole text each time under the address sanitizer */
    for (const char *s = text; *s; s++) n += *s == *what && !strncmp(s, what, length);
    return n;
}

/* What matters of XML: tags that match, quoted attributes, known entities. */
typedef struct checker {
    const char *s, *begin;
    char open[64][24];
    int depth;
} checker;

static inline void wrong(const checker *c, const char *why) {
    fail_msg("not well-formed at byte %d: %s: %.80s", (int)(c->s - c->begin), why, c->s);
}

static inline void check_entity(checker *c) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t k = 0; k < BL_COUNT(known); k++)
        if (!strncmp(c->s, known[k], strlen(known[k]))) return;
    wrong(c, "unknown entity");
}

static inline void check_attributes(checker *c) {
    while (*c->s && *c->s != '>' && *c->s != '/') {
        if (*c->s == ' ') {
            c->s++;
            continue;
        }
        size_t n = strspn(c->s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
        if (n == 0 || c->s[n] != '=' || c->s[n + 1] != '"') wrong(c, "attribute without quotes");
        for (c->s += n + 2; *c->s != '"'; c->s++) {
            if (!*c->s || *c->s == '<') wrong(c, "attribute does not end");
            if (*c->s == '&') check_entity(c);
        }
        c->s++;
    }
}

static inline void check_tag(checker *c) {
    const int closing = c->s[1] == '/';
    char name[24] = "";
    c->s += 1 + closing;
    size_t n = strspn(c->s, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (n == 0 || n >= sizeof name) wrong(c, "tag without a name");
    memcpy(name, c->s, n);
    c->s += n;
    if (closing) {
        if (c->depth == 0 || strcmp(c->open[--c->depth], name) != 0) wrong(c, "closes what is not open");
    } else {
        check_attributes(c);
        if (*c->s == '/')
            c->s++;
        else if (c->depth < 64)
            memcpy(c->open[c->depth++], name, sizeof name);
    }
    if (*c->s != '>') wrong(c, "tag does not end");
    c->s++;
}

static inline void assert_well_formed(const char *text) {
    static const char doctype[] = "<!DOCTYPE html>\n";
    checker c = {.s = text, .begin = text};
    if (strncmp(text, doctype, strlen(doctype)) != 0) wrong(&c, "no doctype");
    c.s += strlen(doctype);
    while (*c.s) {
        if (*c.s == '<') {
            check_tag(&c);
            continue;
        }
        if (*c.s == '&') check_entity(&c);
        if ((unsigned char)*c.s < 32 && *c.s != '\n' && *c.s != '\t') wrong(&c, "control character");
        c.s++;
    }
    if (c.depth != 0) wrong(&c, "something is left open");
    /* nothing is loaded: no address other than data: and the name of XHTML */
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<link"));
    assert_int_equal(count(text, "src=\""), count(text, "src=\"data:image/png;base64,"));
    assert_int_equal(count(text, "://"), count(text, "xmlns=\"http://www.w3.org/1999/xhtml\""));
}

#endif
