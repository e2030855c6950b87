/* Where shared libraries lie that are loaded when they are needed. */
#include <stdlib.h>

#include "ballerino/base.h"

/* Beside the program as built, or where `install` puts it, the program being in libexec/ballerino or bin. */
int bl_path_module(char *out, size_t size, const char *file, const char *variable) {
    static const char *const places[] = {"", "../../lib/ballerino/", "../lib/ballerino/"};
    char self[4000];
    const char *asked = getenv(variable);
    if (asked && *asked) return snprintf(out, size, "%s", asked) < (int)size;
    if (bl_own_folder(self, sizeof self) < 0) snprintf(self, sizeof self, "./");
    for (size_t i = 0; i < BL_COUNT(places); i++)
        if (snprintf(out, size, "%s%s%s", self, places[i], file) < (int)size && bl_file_exists(out)) return 1;
    return 0;
}
