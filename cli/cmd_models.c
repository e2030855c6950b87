/* models fetch [--from TARBALL,...] | list */
#include <string.h>

#include "ballerino/pose.h"
#include "commands.h"

static int list(const char *dir, bl_err *err) {
    char path[4096];
    int count = 0, rc = dir ? 0 : bl_path_models(path, sizeof path, err);
    if (rc < 0) return rc;
    const bl_model_file *m = bl_models_table(&count);
    printf("%s\n", dir ? dir : path);
    for (int i = 0; i < count; i++) {
        bl_err why = {0};
        int state = bl_models_check(&m[i], dir ? dir : path, &why);
        printf("  %-36s %9lld bytes  %s\n", m[i].name, (long long)m[i].bytes,
               state > 0    ? "ok"
               : state == 0 ? "missing"
                            : "damaged");
    }
    return 0;
}

static int fetch(const bl__options *o, const char *dir, bl_err *err) {
    char from[4096];
    const char *tarballs[16];
    int n = 0;
    snprintf(from, sizeof from, "%s", bl__option_text(o, BL__OPT_from));
    for (char *at = from; *at && n < 16;) {
        tarballs[n++] = at;
        at += strcspn(at, ",");
        if (*at) *at++ = 0;
    }
    int rc = bl_models_fetch(dir, tarballs, n, err);
    if (rc == 0) puts("the pose models are installed");
    return rc;
}

int bl__cmd_models(const bl__options *o, bl_err *err) {
    const char *what = o->n_words == 1 ? o->words[0] : "";
    if (!strcmp(what, "list")) return list(bl__models_dir(o), err);
    if (!strcmp(what, "fetch")) return fetch(o, bl__models_dir(o), err);
    return bl_fail(err, BL_E_USAGE, "say 'ballerino models fetch' or 'ballerino models list'");
}
