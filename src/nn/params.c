/* Parameters: declared by name, then one slab for all weights, and when training one each for gradients, both
 * moments of Adam and the running average. A checkpoint is five writes, an allreduce is one call. */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "params.h"

#define MAX_PARAMS 65536
#define MAX_FLOATS ((int64_t)1 << 33)

int bl_params_create(bl_params **out, bl_err *err) {
    bl_params *ps = bl_alloc(sizeof *ps);
    if (!ps) return bl_fail(err, BL_E_NOMEM, "not enough memory for parameters");
    *out = ps;
    return 0;
}

void bl_params_destroy(bl_params **psp) {
    bl_params *ps = *psp;
    if (!ps) return;
    bl__params_leave_device(ps);
    for (int i = 0; i < 5; i++) bl_free(ps->slab[i]);
    bl_free(ps->frozen);
    bl_free(ps->p);
    bl_free(ps);
    *psp = NULL;
}

int bl_params_find(const bl_params *ps, const char *name) {
    for (int i = 0; i < ps->n; i++)
        if (!strcmp(ps->p[i].name, name)) return i;
    return -1;
}

static int grow(bl_params *ps, bl_err *err) {
    if (ps->n < ps->capacity) return 0;
    int more = ps->capacity ? ps->capacity * 2 : 64;
    bl__param *p = more > MAX_PARAMS ? NULL : bl_realloc_array(ps->p, (size_t)ps->n, (size_t)more, sizeof *p);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory for %d parameters", more);
    ps->p = p;
    ps->capacity = more;
    return 0;
}

int bl_params_add(bl_params *ps, const char *name, int rank, const int *dims, bl_init init, float scale,
                  bl_err *err) {
    int found = bl_params_find(ps, name);
    if (found >= 0) {
        const bl__param *q = &ps->p[found];
        if (q->rank != rank || memcmp(q->dims, dims, sizeof *dims * (size_t)rank) != 0)
            return bl_fail(err, BL_E_MISMATCH, "parameter %s is declared twice with different shapes", name);
        return found;
    }
    if (ps->sealed) return bl_fail(err, BL_E_MISMATCH, "parameter %s is not in the model", name);
    if (rank < 1 || rank > 4 || strlen(name) >= sizeof ps->p->name)
        return bl_fail(err, BL_E_INTERNAL, "parameter %s: rank %d or name too long", name, rank);
    if (grow(ps, err) < 0) return BL_E_NOMEM;
    bl__param q = {.rank = rank, .size = 1, .init = init, .scale = scale};
    snprintf(q.name, sizeof q.name, "%s", name);
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 1 || q.size > MAX_FLOATS / dims[i])
            return bl_fail(err, BL_E_FORMAT, "parameter %s has an impossible shape", name);
        q.dims[i] = dims[i];
        q.size *= dims[i];
    }
    ps->p[ps->n] = q;
    return ps->n++;
}

int bl_params_count(const bl_params *ps) {
    return ps->n;
}
const char *bl_params_name(const bl_params *ps, int i) {
    return ps->p[i].name;
}
int bl_params_rank(const bl_params *ps, int i) {
    return ps->p[i].rank;
}
const int *bl_params_dims(const bl_params *ps, int i) {
    return ps->p[i].dims;
}
int64_t bl_params_size(const bl_params *ps, int i) {
    return ps->p[i].size;
}
void bl_params_touch(bl_params *ps) {
    ps->version++;
    if (ps->device) bl__params_host_changed(ps);
}
uint64_t bl__params_version(const bl_params *ps) {
    return ps->version;
}

static int starts(const bl__param *q, const char *prefix) {
    return !strncmp(q->name, prefix, strlen(prefix));
}

int64_t bl_params_total(const bl_params *ps, const char *prefix) {
    int64_t total = 0;
    for (int i = 0; i < ps->n; i++)
        if (starts(&ps->p[i], prefix)) total += ps->p[i].size;
    return total;
}

int bl_params_freeze(bl_params *ps, const char *prefix, bl_err *err) {
    if (ps->sealed || ps->n_frozen == BL__MAX_FROZEN || !*prefix ||
        strlen(prefix) >= sizeof *ps->frozen_prefix)
        return bl_fail(err, BL_E_INTERNAL, "the parameters %s cannot be frozen", prefix);
    snprintf(ps->frozen_prefix[ps->n_frozen++], sizeof *ps->frozen_prefix, "%s", prefix);
    return 0;
}

int bl_params_frozen(const bl_params *ps, int i) {
    for (int k = 0; k < ps->n_frozen; k++)
        if (starts(&ps->p[i], ps->frozen_prefix[k])) return 1;
    return 0;
}

float *bl_params_data(bl_params *ps, int i, bl_slab slab) {
    if (ps->device) bl__params_lend(ps, ps->p[i].frozen ? BL__SLAB_FROZEN : (int)slab);
    if (ps->p[i].frozen)
        return slab == BL_SLAB_WEIGHT || slab == BL_SLAB_EMA ? ps->frozen + ps->p[i].offset : NULL;
    return ps->slab[slab] ? ps->slab[slab] + ps->p[i].offset : NULL;
}

/* Each parameter draws from its own generator, seeded by its name, so that adding a layer changes no other.
 */
static void fill(const bl__param *q, float *w, uint64_t seed) {
    bl_rng r;
    for (const char *s = q->name; *s; s++) seed = (seed ^ (uint64_t)(unsigned char)*s) * 0x100000001b3u;
    bl_rng_seed(&r, seed);
    for (int64_t i = 0; i < q->size; i++) switch (q->init) {
        case BL_INIT_ZERO: w[i] = 0; break;
        case BL_INIT_ONE: w[i] = 1; break;
        case BL_INIT_NORMAL: w[i] = q->scale * (float)bl_rng_normal(&r); break;
        case BL_INIT_UNIFORM: w[i] = q->scale * (float)(2 * bl_rng_uniform(&r) - 1); break;
        }
}

static void place(bl_params *ps) {
    ps->total = ps->frozen_total = 0;
    for (int i = 0; i < ps->n; i++) {
        bl__param *q = &ps->p[i];
        q->frozen = bl_params_frozen(ps, i);
        int64_t *end = q->frozen ? &ps->frozen_total : &ps->total;
        q->offset = *end;
        *end += (q->size + 15) & ~(int64_t)15;
    }
}

int bl_params_seal(bl_params *ps, uint64_t seed, int train, bl_err *err) {
    if (ps->sealed) return bl_fail(err, BL_E_INTERNAL, "parameters were sealed twice");
    place(ps);
    ps->train = train;
    for (int i = 0; i < (train ? 5 : 1) + 1; i++) {
        int64_t size = i ? ps->total : ps->frozen_total;
        float *slab = bl_alloc_array((size_t)size, sizeof(float));
        if (!slab)
            return bl_fail(err, BL_E_NOMEM,
                           "not enough memory for %.1f million parameters; choose a smaller preset or size",
                           1e-6 * (double)size);
        *(i ? &ps->slab[i - 1] : &ps->frozen) = slab;
    }
    for (int i = 0; i < ps->n; i++)
        fill(&ps->p[i], (ps->p[i].frozen ? ps->frozen : ps->slab[BL_SLAB_WEIGHT]) + ps->p[i].offset, seed);
    if (train) memcpy(ps->slab[BL_SLAB_EMA], ps->slab[BL_SLAB_WEIGHT], sizeof(float) * (size_t)ps->total);
    ps->sealed = 1;
    ps->version++;
    return ps->device ? bl__params_enter_device(ps, err) : 0;
}

int bl_params_plan(bl_params *ps, int train, bl_err *err) {
    if (ps->sealed || !ps->device)
        return bl_fail(err, BL_E_INTERNAL, "parameters are planned once, and on a device that plans");
    place(ps);
    ps->train = train;
    ps->sealed = 1;
    return bl__params_enter_device(ps, err);
}

/* Runs of parameters that start with prefix are contiguous in practice: one call of the kernel a run. */
int bl__params_next_run(const bl_params *ps, const char *prefix, int *at, int64_t *offset, int64_t *size) {
    int i = *at;
    while (i < ps->n && (ps->p[i].frozen || !starts(&ps->p[i], prefix))) i++;
    if (i == ps->n) return 0;
    *offset = ps->p[i].offset;
    int64_t end = *offset;
    for (; i < ps->n && !ps->p[i].frozen && starts(&ps->p[i], prefix); i++)
        end = ps->p[i].offset + ((ps->p[i].size + 15) & ~(int64_t)15);
    *size = end - *offset;
    *at = i;
    return 1;
}

float *bl_params_run(bl_params *ps, const char *prefix, bl_slab slab, int *at, int64_t *floats) {
    int64_t offset;
    if (!ps->slab[slab] || !bl__params_next_run(ps, prefix, at, &offset, floats)) return NULL;
    if (ps->device) bl__params_lend(ps, (int)slab);
    return ps->slab[slab] + offset;
}

/* One run of parameters, in cache lines. */
typedef struct update {
    bl_params *ps;
    const bl_adam *a;
    int64_t t, offset;
} update;

#define LINE 16 /* floats */

static void update_lines(const void *arg, int64_t from, int64_t to) {
    const update *u = arg;
    float *const *slab = u->ps->slab;
    const int64_t at = u->offset + from * LINE;
    bl__vector()->adam(slab[0] + at, slab[1] + at, slab[2] + at, slab[3] + at,
                       u->a->ema > 0 ? slab[4] + at : NULL, (to - from) * LINE, u->a, u->t);
}

void bl_params_adam(bl_params *ps, const char *prefix, const bl_adam *a, int64_t t) {
    update u = {.ps = ps, .a = a, .t = t};
    int64_t size;
    ps->version++;
    if (ps->device) {
        bl__params_device_adam(ps, prefix, a, t);
        return;
    }
    for (int at = 0; bl__params_next_run(ps, prefix, &at, &u.offset, &size);)
        bl_team_split(bl__threads(a->threads), size / LINE, update_lines, &u);
}
