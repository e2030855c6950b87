/* The program as people know it. It reads the command and its options, shows help or says what is wrong, and
 * starts ballerino-core for everything else: help does not wait for the libraries that do the work, a
 * hundred and more with all that FFmpeg brings. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

#define CORE "ballerino-core"

/* In the folder of this program (as built), or where `install` puts it; else along the PATH. */
static int start_core(char **argv, bl_err *err) {
    static const char *const places[] = {"", "../libexec/ballerino/"};
    char self[4096], path[4200];
    if (bl_own_folder(self, sizeof self) < 0) {
        execvp(CORE, argv);
        return bl_fail(err, BL_E_NOT_FOUND, "cannot start %s: %s; install it along the PATH", CORE,
                       strerror(errno));
    }
    for (size_t i = 0; i < BL_COUNT(places); i++) {
        snprintf(path, sizeof path, "%s%s%s", self, places[i], CORE);
        execv(path, argv);
        if (errno != ENOENT) break;
    }
    return bl_fail(err, BL_E_NOT_FOUND, "cannot start %s: %s; install it beside ballerino", path,
                   strerror(errno));
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bl__options o;
    if (argc < 2) {
        bl__help_overview(stderr);
        return bl_status_exit_code(BL_E_USAGE);
    }
    int rc = bl__options_of(&o, argc, argv, &err);
    if (rc == 0) {
        if (bl__option_flag(&o, BL__OPT_help))
            bl__help_command(stdout, o.command);
        else
            rc = o.command == BL__CMD_BIT_help ? bl__cmd_help(&o, &err) : start_core(argv, &err);
        bl__options_release(&o);
    }
    return bl__exit_code(rc, &err);
}
