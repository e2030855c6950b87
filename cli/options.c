#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ini.h"

const bl__opt_row bl__opt_rows[BL__OPT_COUNT] = {
#define BL_X(id, name, s, type, least, most, def, value, commands, help)                                     \
    {name, s, BL__##type, least, most, def, value, help, commands},
    BL__OPT_TABLE(BL_X)
#undef BL_X
};

static const char *const command_names[BL__CMD_COUNT] = {
#define BL_X(name, words, help) #name,
    BL__CMD_TABLE(BL_X)
#undef BL_X
};

const char *bl__command_name(int command) {
    return command_names[command];
}

int bl__command_find(const char *name) {
    for (int i = 0; i < BL__CMD_COUNT; i++)
        if (!strcmp(command_names[i], name)) return i;
    return -1;
}

/* Levenshtein distance of two short words. */
static int distance(const char *a, const char *b) {
    int row[64], n = (int)BL_MIN(strlen(b), sizeof row / sizeof *row - 1);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 0; a[i]; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 1; j <= n; j++) {
            int cost = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            row[j] = BL_MIN(cost, BL_MIN(row[j] + 1, row[j - 1] + 1));
        }
    }
    return row[n];
}

const char *bl__command_nearest(const char *word) {
    int best = 3;
    const char *name = NULL;
    for (int i = 0; i < BL__CMD_COUNT; i++) {
        int d = distance(word, command_names[i]);
        if (d < best) best = d, name = command_names[i];
    }
    return name;
}

static const char *nearest_option(const bl__options *o, const char *word) {
    int best = 4;
    const char *name = NULL;
    for (int i = 0; i < BL__OPT_COUNT; i++) {
        int d = bl__opt_rows[i].commands >> o->command & 1 ? distance(word, bl__opt_rows[i].name) : 99;
        if (d < best) best = d, name = bl__opt_rows[i].name;
    }
    return name;
}

void bl__options_init(bl__options *o, int command) {
    *o = (bl__options){.command = command};
}

void bl__options_release(bl__options *o) {
    for (int i = 0; i < BL__OPT_COUNT; i++) bl_free(o->text[i]);
    *o = (bl__options){.command = o->command};
}

/* ---- one value ---- */
static int number_in_range(const bl__opt_row *row, const char *value) {
    char *end;
    errno = 0;
    double v = strtod(value, &end);
    if (*value == 0 || *end || errno || !(v >= row->least && v <= row->most)) return 0;
    return row->type == BL__REAL || v == (double)(int64_t)v;
}

static int choice_of(const char *choices, const char *value) {
    size_t n = strlen(value);
    for (int i = 0;; i++) {
        size_t length = strcspn(choices, "|");
        if (length == n && !strncmp(choices, value, n)) return i;
        if (!choices[length]) return -1;
        choices += length + 1;
    }
}

static int parse_size(const char *value, int *width, int *height) {
    int used = 0;
    return sscanf(value, "%5dx%5d%n", width, height, &used) == 2 && value[used] == 0;
}

static int check_value(const bl__opt_row *row, const char *value, const char *where, bl_err *err) {
    const char *sep = where ? ": " : "";
    int w, h;
    if (!where) where = "";
    switch (row->type) {
    case BL__INT:
    case BL__REAL:
        if (number_in_range(row, value)) return 0;
        return bl_fail(err, BL_E_USAGE, "%s%s--%s must be a%s number from %g to %g, not '%s'", where, sep,
                       row->name, row->type == BL__INT ? " whole" : "", row->least, row->most, value);
    case BL__FLAG:
        if (!strcmp(value, "0") || !strcmp(value, "1") || !strcmp(value, "yes") || !strcmp(value, "no"))
            return 0;
        return bl_fail(err, BL_E_USAGE, "%s%s--%s is yes or no, not '%s'", where, sep, row->name, value);
    case BL__CHOICE:
        if (choice_of(row->value, value) >= 0) return 0;
        return bl_fail(err, BL_E_USAGE, "%s%s--%s is one of %s, not '%s'", where, sep, row->name, row->value,
                       value);
    case BL__SIZE:
        if (parse_size(value, &w, &h) && w >= row->least && w <= row->most && h >= row->least &&
            h <= row->most)
            return 0;
        return bl_fail(err, BL_E_USAGE, "%s%s--%s must be WIDTHxHEIGHT, each from %g to %g, not '%s'", where,
                       sep, row->name, row->least, row->most, value);
    default: return 0;
    }
}

static int find(const bl__options *o, const char *name, size_t length) {
    for (int i = 0; i < BL__OPT_COUNT; i++)
        if ((bl__opt_rows[i].commands >> o->command & 1) && strlen(bl__opt_rows[i].name) == length &&
            !strncmp(bl__opt_rows[i].name, name, length))
            return i;
    return -1;
}

static int store(bl__options *o, int id, const char *value, const char *where, bl_err *err) {
    int rc = check_value(&bl__opt_rows[id], value, where, err);
    if (rc < 0) return rc;
    char *copy = bl_strdup(value);
    if (!copy) return bl_fail(err, BL_E_NOMEM, "not enough memory for the options");
    bl_free(o->text[id]);
    o->text[id] = copy;
    return 0;
}

int bl__options_set(bl__options *o, const char *name, const char *value, const char *where, bl_err *err) {
    int id = find(o, name, strlen(name));
    if (id >= 0) return store(o, id, value, where, err);
    const char *near = nearest_option(o, name);
    return bl_fail(err, BL_E_USAGE, "%s%s'%s' is not an option of %s%s%s%s", where ? where : "",
                   where ? ": " : "", name, command_names[o->command], near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

/* ---- the command line ---- */
static int by_letter(const bl__options *o, char letter) {
    for (int i = 0; i < BL__OPT_COUNT; i++)
        if (bl__opt_rows[i].letter == letter && (bl__opt_rows[i].commands >> o->command & 1)) return i;
    return -1;
}

static int unknown(const bl__options *o, const char *word, bl_err *err) {
    const char *near = nearest_option(o, word + strspn(word, "-"));
    return bl_fail(err, BL_E_USAGE, "'%s' is not an option of %s%s%s%s", word, command_names[o->command],
                   near ? "; did you mean --" : "; see --help", near ? near : "", near ? "?" : "");
}

/* Takes argv[*i] (and perhaps the next) as an option. */
static int take_option(bl__options *o, int argc, char **argv, int *i, bl_err *err) {
    const char *word = argv[*i], *value = NULL;
    int id;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        id = find(o, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
        if (equals) value = equals + 1;
    } else {
        id = by_letter(o, word[1]);
        if (word[2]) value = word + 2;
    }
    if (id < 0) return unknown(o, word, err);
    if (bl__opt_rows[id].type == BL__FLAG) {
        if (value && word[1] != '-') return unknown(o, word, err);
        return store(o, id, value ? value : "1", NULL, err);
    }
    if (!value) {
        if (*i + 1 >= argc)
            return bl_fail(err, BL_E_USAGE, "--%s needs a value: %s", bl__opt_rows[id].name,
                           bl__opt_rows[id].value);
        value = argv[++*i];
    }
    return store(o, id, value, NULL, err);
}

int bl__options_parse(bl__options *o, int argc, char **argv, bl_err *err) {
    int only_words = 0;
    for (int i = 0; i < argc; i++) {
        int rc = 0;
        if (!only_words && !strcmp(argv[i], "--"))
            only_words = 1;
        else if (!only_words && argv[i][0] == '-' && argv[i][1])
            rc = take_option(o, argc, argv, &i, err);
        else if (o->n_words == BL__WORDS_MAX)
            rc = bl_fail(err, BL_E_USAGE, "too many words after %s", command_names[o->command]);
        else
            o->words[o->n_words++] = argv[i];
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- ballerino.ini ---- */
typedef struct ini_use {
    bl__options *o;
    const char *path;
} ini_use;

static int known_anywhere(const char *name) {
    for (int i = 0; i < BL__OPT_COUNT; i++)
        if (!strcmp(bl__opt_rows[i].name, name)) return 1;
    return 0;
}

static int on_setting(void *ctx, const char *section, const char *key, const char *value, int line,
                      bl_err *err) {
    ini_use *use = ctx;
    char where[512];
    snprintf(where, sizeof where, "%s line %d", use->path, line);
    int defaults = !strcmp(section, "defaults"), command = bl__command_find(section);
    if (!defaults && command < 0)
        return bl_fail(err, BL_E_USAGE, "%s: there is no section [%s]; use [defaults] or a command's name",
                       where, section);
    if (!defaults && command != use->o->command) return 0;
    if (defaults && find(use->o, key, strlen(key)) < 0 && known_anywhere(key)) return 0;
    return bl__options_set(use->o, key, value, where, err);
}

int bl__options_ini(bl__options *o, const char *text, size_t size, const char *path, bl_err *err) {
    return bl__ini_parse(text, size, path, on_setting, &(ini_use){o, path}, err);
}

int bl__options_ini_file(bl__options *o, const char *path, bl_err *err) {
    char *text = NULL;
    size_t size = 0;
    if (!bl_file_exists(path)) return 0;
    int rc = bl_file_read(&text, &size, path, 1 << 20, err);
    if (rc == 0) rc = bl__options_ini(o, text, size, path, err);
    bl_free(text);
    return rc;
}

/* ---- reading values ---- */
const char *bl__option_text(const bl__options *o, bl__opt id) {
    return o->text[id] ? o->text[id] : bl__opt_rows[id].def;
}
int64_t bl__option_int(const bl__options *o, bl__opt id) {
    return (int64_t)strtod(bl__option_text(o, id), NULL);
}
double bl__option_real(const bl__options *o, bl__opt id) {
    return strtod(bl__option_text(o, id), NULL);
}
int bl__option_choice(const bl__options *o, bl__opt id) {
    return choice_of(bl__opt_rows[id].value, bl__option_text(o, id));
}

int bl__option_flag(const bl__options *o, bl__opt id) {
    const char *t = bl__option_text(o, id);
    return !strcmp(t, "1") || !strcmp(t, "yes");
}

void bl__option_size(const bl__options *o, bl__opt id, int *width, int *height) {
    if (!parse_size(bl__option_text(o, id), width, height)) *width = *height = 0;
}

int bl__option_need(const bl__options *o, bl__opt id, const char **text, bl_err *err) {
    *text = bl__option_text(o, id);
    if (**text) return 0;
    return bl_fail(err, BL_E_USAGE, "%s needs --%s %s; see 'ballerino help %s'", command_names[o->command],
                   bl__opt_rows[id].name, bl__opt_rows[id].value, command_names[o->command]);
}
