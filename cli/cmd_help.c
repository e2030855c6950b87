#include "commands.h"

int bl__cmd_help(const bl__options *o, bl_err *err) {
    if (o->n_words == 0) {
        bl__help_overview(stdout);
        return 0;
    }
    int command = bl__command_find(o->words[0]);
    if (command < 0)
        return bl_fail(err, BL_E_USAGE, "'%s' is not a command; see 'ballerino help'", o->words[0]);
    if (bl__option_flag(o, BL__OPT_man))
        bl__help_man(stdout, command);
    else
        bl__help_command(stdout, command);
    return 0;
}
