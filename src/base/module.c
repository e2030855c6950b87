/* Where shared libraries lie that are loaded when they are needed. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "ballerino/base.h"

/* The folder of the program, with its slash: from /proc, or without it from how it was started. */
static void own_folder(char *out, size_t size) {
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n < 0) {
        const char *started = (const char *)getauxval(AT_EXECFN);
        n = started ? snprintf(out, size, "%s", started) : 0;
    }
    out[n > 0 && (size_t)n < size ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    snprintf(slash ? slash + 1 : out, 3, "%s", slash ? "" : "./");
}

/* Beside the program as built, or where `install` puts it, the program being in libexec/ballerino or bin. */
int bl_path_module(char *out, size_t size, const char *file, const char *variable) {
    static const char *const places[] = {"", "../../lib/ballerino/", "../lib/ballerino/"};
    char self[4000];
    const char *asked = getenv(variable);
    if (asked && *asked) return snprintf(out, size, "%s", asked) < (int)size;
    own_folder(self, sizeof self);
    for (size_t i = 0; i < BL_COUNT(places); i++)
        if (snprintf(out, size, "%s%s%s", self, places[i], file) < (int)size && bl_file_exists(out)) return 1;
    return 0;
}
