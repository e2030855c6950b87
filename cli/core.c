/* ballerino-core: the program that does the work, started by `ballerino` (main.c). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ballerino/dist.h"
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

/* Before any thread is started: threads inherit it. */
static void give_way(const bl__options *o) {
    const int by = (int)bl__option_int(o, BL__OPT_nice);
    errno = 0;
    if (by > 0 && nice(by) == -1 && errno != 0)
        bl_log(BL_LOG_WARN, "ballerino", "cannot lower the priority: %s", strerror(errno));
}

/* Several processes, where a launcher started them; each but the first works in silence. */
static int join_others(bl__options *o, bl_err *err) {
    if (!(BL__IN_WORK >> o->command & 1)) return 0;
    if (!(BL__IN_TOGETHER >> o->command & 1)) {
        if (bl_dist_launched() < 2) return 0;
        return bl_fail(err, BL_E_USAGE,
                       "%s is one process's work and %d were started; start it without the launcher (mpirun)",
                       bl__command_name(o->command), bl_dist_launched());
    }
    int rc = bl_dist_open(&o->dist, bl__option_text(o, BL__OPT_dist), err);
    if (rc == 0 && bl_dist_rank(o->dist) > 0) {
        bl_log_set_level(BL_LOG_ERROR);
        bl_progress_sink(NULL, NULL);
    }
    return rc;
}

/* `auto` is the CPU until the module has run on a GPU and been held to the reference there; then it goes to
 * bl_device_open as it is. Of several processes on a machine each takes its own GPU. */
static int open_device(bl__options *o, bl_err *err) {
    if (!(bl__opt_rows[BL__OPT_device].commands >> o->command & 1)) return 0;
    const char *spec = bl__option_text(o, BL__OPT_device);
    char own[32];
    bl_err none = {0};
    if (o->dist && !strcmp(spec, "cuda")) {
        snprintf(own, sizeof own, "cuda:%d", bl_dist_local_rank(o->dist));
        spec = own;
    }
    int rc = 0;
    if (strcmp(spec, "auto") != 0)
        rc = bl_device_open(&o->device, spec, err);
    else if (bl_device_count(&none) > 0)
        bl_log(BL_LOG_INFO, "ballerino",
               "there is an NVIDIA GPU, but its part of this program has never run on one: --device cuda "
               "tries it");
    return rc < 0 ? rc : bl_dist_use_device(o->dist, o->device, err);
}

static int work(bl__options *o, bl_err *err) {
    bl__show_install(o);
    int rc = 0;
    if (BL__IN_WORK >> o->command & 1) {
        give_way(o);
        rc = bl_mem_need(LEAST_MEMORY, bl__command_name(o->command), err);
    }
    if (rc == 0) rc = join_others(o, err);
    if (rc == 0) rc = open_device(o, err);
    if (rc == 0) rc = commands[o->command](o, err);
    return rc < 0 ? rc : bl_dist_barrier(o->dist, err);
}

/* Of several processes one says what went wrong, and all end with its exit code. */
static int end(bl__options *o, int rc, bl_err *err) {
    const int say = bl_dist_tell(o->dist, rc, err);
    const int exit_code = say ? bl__exit_code(rc, err) : bl_status_exit_code(err->code);
    bl_device_close(&o->device);
    bl_dist_close(&o->dist);
    bl__options_release(o);
    return exit_code;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bl__options o;
    bl_interrupt_install();
    int rc = bl__options_of(&o, argc, argv, &err);
    return rc < 0 ? bl__exit_code(rc, &err) : end(&o, work(&o, &err), &err);
}
