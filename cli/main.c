/* The program: finds the command, reads its options, runs it, and turns a failure into a sentence and an exit
 * code. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "show.h"

/* Below this the libraries that do the work fall over instead of saying so: oneDNN's kernel maker, x264. */
#define LEAST_MEMORY (640LL << 20)

typedef int (*command_fn)(const bl__options *o, bl_err *err);

static const command_fn commands[BL__CMD_COUNT] = {
#define BL_X(name, words, help) bl__cmd_##name,
    BL__CMD_TABLE(BL_X)
#undef BL_X
};

/* OpenMP's threads must not spin for long when they wait: beside another busy process that would cost both
 * many times over. libgomp reads this when it is loaded, so the program starts itself once more with it set.
 */
static void start_with_patient_threads(char **argv) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") || getenv("BALLERINO_STARTED")) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 0) < 0 || setenv("BALLERINO_STARTED", "1", 0) < 0) return;
    execv("/proc/self/exe", argv);
    /* without /proc it goes on as it is */
}

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

static int run(int command, int argc, char **argv, bl_err *err) {
    bl__options o;
    bl__options_init(&o, command);
    int rc = read_settings(&o, err);
    if (rc == 0) rc = bl__options_parse(&o, argc, argv, err);
    if (rc == 0 && bl__option_flag(&o, BL__OPT_help))
        bl__help_command(stdout, command);
    else if (rc == 0) {
        bl__show_install(&o);
        if (BL__IN_WORK >> command & 1) rc = bl_mem_need(LEAST_MEMORY, bl__command_name(command), err);
        if (rc == 0) rc = commands[command](&o, err);
    }
    bl__options_release(&o);
    return rc;
}

static int fail(const bl_err *err) {
    fprintf(stderr, "ballerino: %s\n", err->msg);
    return bl_status_exit_code(err->code);
}

int main(int argc, char **argv) {
    bl_err err = {0};
    start_with_patient_threads(argv);
    bl_interrupt_install();
    if (argc < 2) {
        bl__help_overview(stderr);
        return bl_status_exit_code(BL_E_USAGE);
    }
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version")) name = "version";
    int command = bl__command_find(name);
    if (command < 0) {
        const char *near = bl__command_nearest(name);
        (void)bl_fail(&err, BL_E_USAGE, "'%s' is not a command%s%s%s", name,
                      near ? "; did you mean '" : "; see 'ballerino help'", near ? near : "",
                      near ? "'?" : "");
        return fail(&err);
    }
    int rc = run(command, argc - 2, argv + 2, &err);
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        rc = bl_fail(&err, BL_E_IO, "cannot write the result to standard output");
    return rc < 0 ? fail(&err) : 0;
}
