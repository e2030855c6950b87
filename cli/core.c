/* ballerino-core: the program that does the work, started by `ballerino` (main.c). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ballerino/nn.h"
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

/* `auto` is the CPU until the module has run on a GPU and been held to the reference there; then it goes to
 * bl_device_open as it is. */
static int open_device(bl__options *o, bl_err *err) {
    if (!(bl__opt_rows[BL__OPT_device].commands >> o->command & 1)) return 0;
    const char *spec = bl__option_text(o, BL__OPT_device);
    bl_err none = {0};
    if (strcmp(spec, "auto")) return bl_device_open(&o->device, spec, err);
    if (bl_device_count(&none) > 0)
        bl_log(BL_LOG_INFO, "ballerino",
               "there is an NVIDIA GPU, but its part of this program has never run on one: --device cuda "
               "tries it");
    return 0;
}

static int work(bl__options *o, bl_err *err) {
    bl__show_install(o);
    int rc = 0;
    if (BL__IN_WORK >> o->command & 1) {
        give_way(o);
        rc = bl_mem_need(LEAST_MEMORY, bl__command_name(o->command), err);
    }
    if (rc == 0) rc = open_device(o, err);
    if (rc == 0) rc = commands[o->command](o, err);
    bl_device_close(&o->device);
    return rc;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bl__options o;
    bl_interrupt_install();
    int rc = bl__options_of(&o, argc, argv, &err);
    if (rc == 0) {
        rc = work(&o, &err);
        bl__options_release(&o);
    }
    return bl__exit_code(rc, &err);
}
