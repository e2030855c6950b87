/* What several commands do alike. */
#include <string.h>
#include <unistd.h>

#include "commands.h"

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
