/* What several commands do alike. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static int read_settings(bl__options *o, bl_err *err) {
    char path[4096];
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (xdg && *xdg)
        snprintf(path, sizeof path, "%s/ballerino/ballerino.ini", xdg);
    else
        snprintf(path, sizeof path, "%s/.config/ballerino/ballerino.ini", home ? home : "");
    int rc = bl__options_ini_file(o, path, err);
    return rc < 0 ? rc : bl__options_ini_file(o, "ballerino.ini", err);
}

static int command_of(const char *name, bl_err *err) {
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version")) name = "version";
    const int command = bl__command_find(name);
    if (command >= 0) return command;
    const char *near = bl__command_nearest(name);
    return bl_fail(err, BL_E_USAGE, "'%s' is not a command%s%s%s", name,
                   near ? "; did you mean '" : "; see 'ballerino help'", near ? near : "", near ? "'?" : "");
}

int bl__options_of(bl__options *o, int argc, char **argv, bl_err *err) {
    const int command = argc < 2 ? bl_fail(err, BL_E_USAGE, "say which command; see 'ballerino help'")
                                 : command_of(argv[1], err);
    if (command < 0) return command;
    bl__options_init(o, command);
    int rc = read_settings(o, err);
    if (rc == 0) rc = bl__options_parse(o, argc - 2, argv + 2, err);
    if (rc < 0) bl__options_release(o);
    return rc;
}

int bl__exit_code(int rc, bl_err *err) {
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        rc = bl_fail(err, BL_E_IO, "cannot write the result to standard output");
    if (rc == 0) return 0;
    fprintf(stderr, "ballerino: %s\n", err->msg);
    return bl_status_exit_code(err->code);
}

const char *bl__models_dir(const bl__options *o) {
    const char *dir = bl__option_text(o, BL__OPT_models_dir);
    return *dir ? dir : NULL;
}

int bl__no_words(const bl__options *o, bl_err *err) {
    if (o->n_words == 0) return 0;
    return bl_fail(err, BL_E_USAGE, "%s takes no '%s'; see 'ballerino help %s'", bl__command_name(o->command),
                   o->words[0], bl__command_name(o->command));
}

int bl__consent(const bl__options *o, char *buf, size_t size, bl_err *err) {
    snprintf(buf, size, "%s", bl__option_text(o, BL__OPT_consent));
    if (!*buf && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
        fprintf(stderr, "This learns the looks of a real person. Who is it, and how did they agree? (name, "
                        "date, for what)\n> ");
        if (!fgets(buf, (int)size, stdin)) *buf = 0;
        buf[strcspn(buf, "\r\n")] = 0;
    }
    if (strspn(buf, " \t") < strlen(buf)) return 0;
    return bl_fail(
        err, BL_E_CONSENT,
        "the target's consent is missing; say who agreed and when: --consent \"NAME, DATE, FOR WHAT\"");
}
