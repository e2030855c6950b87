#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include "ballerino/base.h"

static atomic_int threshold = BL_LOG_INFO;
static bl_log_hook hook_fn;
static void *hook_ctx;

void bl_log_set_level(bl_log_level level) {
    atomic_store(&threshold, (int)level);
}

void bl_log_set_hook(bl_log_hook hook, void *ctx) {
    hook_fn = hook;
    hook_ctx = ctx;
}

void bl_log(bl_log_level level, const char *component, const char *fmt, ...) {
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    if ((int)level > atomic_load(&threshold)) return;
    char line[1024];
    int n = snprintf(line, sizeof line, "%s: %s", component, names[level]);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    if (hook_fn)
        hook_fn(hook_ctx, level, line);
    else
        fprintf(stderr, "%s\n", line); /* one call: lines of threads do not mix */
}
