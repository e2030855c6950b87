/* Finding and loading the transport; opening and closing a group. */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "transport.h"

#define MODULE "libballerino-mpi.so"
#define MODULE_VARIABLE "BALLERINO_MPI_MODULE"

/* Open MPI's own plug-ins look for its symbols among the global ones. It is never unloaded: it does not like
 * to be loaded twice. */
static int load(const bl__transport **t, bl_err *err) {
    char path[4200];
    if (!bl_path_module(path, sizeof path, MODULE, MODULE_VARIABLE))
        return bl_fail(err, BL_E_UNSUPPORTED,
                       "there is no MPI module (%s) beside this program: it was built without BL_MPI",
                       MODULE);
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!module) return bl_fail(err, BL_E_UNSUPPORTED, "the MPI module cannot be loaded: %s", dlerror());
    const bl__transport *(*entry)(void) = NULL;
    *(void **)(void *)&entry = dlsym(module, BL__DIST_SYMBOL);
    *t = entry ? entry() : NULL;
    if (*t && (*t)->abi == BL__DIST_ABI && (*t)->place_size == sizeof(bl__place)) return 0;
    *t = NULL;
    return bl_fail(err, BL_E_UNSUPPORTED,
                   "%s belongs to another build of Ballerino; install both from one build", path);
}

int bl_dist_describe(char *text, size_t size, bl_err *err) {
    const bl__transport *t = NULL;
    int rc = load(&t, err);
    if (rc == 0) t->describe(text, size);
    return rc;
}

/* ---- cores ---- */
static int count_bits(const uint8_t *mask) {
    int n = 0;
    for (int i = 0; i < BL__CPU_MASK; i++) n += __builtin_popcount(mask[i]);
    return n;
}

int bl_dist_threads(const bl_dist *d) {
    const int own = bl_cpu_count();
    if (!d) return own;
    return BL_MAX(1, BL_MIN(own, bl_cpu_granted(count_bits(d->place.cpus)) / d->place.local_size));
}

static void say_what_is_there(const bl_dist *d) {
    const bl__place *p = &d->place;
    const int all = bl_cpu_granted((int)sysconf(_SC_NPROCESSORS_ONLN)), each = bl_dist_threads(d);
    if (p->rank == 0)
        bl_log(BL_LOG_INFO, "dist", "%d processes, %d of them on this machine, %d cores each", p->size,
               p->local_size, each);
    if (p->local_rank == 0 && each < all / p->local_size)
        bl_log(BL_LOG_WARN, "dist",
               "the launcher lets each process use %d of %d cores; mpirun's --bind-to none lifts that", each,
               all);
}

/* ---- the group ---- */
static int check(const bl__place *p, int launched, bl_err *err) {
    if (p->size == launched || launched == 0 || (p->size > 1 && launched == 1)) return 0;
    return bl_fail(
        err, BL_E_UNSUPPORTED,
        "the launcher started %d processes and MPI sees %d: they belong to different MPI libraries; "
        "start with the launcher of the MPI that 'ballerino doctor' names",
        launched, p->size);
}

static int join(bl_dist **out, int launched, bl_err *err) {
    bl_dist *d = bl_alloc(sizeof *d);
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for a group of processes");
    bl_cpu_mask(d->place.cpus, sizeof d->place.cpus);
    int rc = load(&d->t, err);
    if (rc == 0) rc = d->t->open(&d->c, &d->place, err);
    if (rc == 0) rc = check(&d->place, launched, err);
    if (rc < 0 || d->place.size == 1) {
        if (d->c) d->t->close(d->c);
        bl_free(d);
        return rc;
    }
    say_what_is_there(d);
    *out = d;
    return 0;
}

int bl_dist_open(bl_dist **out, const char *spec, bl_err *err) {
    const int launched = bl_dist_launched(), asked = spec && !strcmp(spec, "mpi");
    *out = NULL;
    if (spec && !strcmp(spec, "none")) return 0;
    if (spec && *spec && strcmp(spec, "auto") != 0 && !asked)
        return bl_fail(err, BL_E_USAGE, "'%s' is not a way to work together; say auto, mpi or none", spec);
    if (!asked && launched < 2) return 0;
    int rc = join(out, launched, err);
    if (rc == 0 || asked) return rc;
    return bl_err_context(err, rc, "started as one of %d processes", launched);
}

void bl_dist_close(bl_dist **dp) {
    bl_dist *d = *dp;
    if (!d) return;
    if (!d->end.code && !d->lost) (void)bl_dist_barrier(d, NULL);
    if (d->lost) d->t->abort(d->c, d->lost);
    d->t->close(d->c);
    bl_free(d);
    *dp = NULL;
}

void bl_dist_abort(bl_dist *d, int exit_code) {
    if (d) d->t->abort(d->c, exit_code);
}

int bl_dist_rank(const bl_dist *d) {
    return d ? d->place.rank : 0;
}
int bl_dist_size(const bl_dist *d) {
    return d ? d->place.size : 1;
}
int bl_dist_local_rank(const bl_dist *d) {
    return d ? d->place.local_rank : 0;
}
int bl_dist_local_size(const bl_dist *d) {
    return d ? d->place.local_size : 1;
}
