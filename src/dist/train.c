/* What training needs of a group: parameters that are equal, and gradients that become so. */
#include <string.h>

#include "transport.h"

/* ---- the ranks' GPUs ---- */
enum { HAS_GPU = 1, HAS_NONE = 2, FAILED = 4 };

static int join_gpus(bl_dist *d, bl_device *device, bl_err *why, bl_err *err) {
    char id[BL_DEVICE_GROUP_ID] = {0};
    unsigned bits = 0;
    if (d->place.rank == 0 && bl_device_group_id(device, id, why) < 0) bits = FAILED;
    int rc = bl_dist_any(d, &bits, err);
    if (rc < 0 || bits) return rc;
    rc = bl_dist_broadcast(d, id, sizeof id, err);
    if (rc < 0) return rc;
    if (bl_device_group_join(device, id, d->place.rank, d->place.size, why) < 0) bits = FAILED;
    rc = bl_dist_any(d, &bits, err);
    d->on_gpus = rc == 0 && !bits;
    return rc;
}

int bl_dist_use_device(bl_dist *d, bl_device *device, bl_err *err) {
    unsigned bits = device ? HAS_GPU : HAS_NONE;
    bl_err why = {0};
    int rc = bl_dist_any(d, &bits, err);
    if (!d || rc < 0 || !(bits & HAS_GPU)) return rc;
    if (bits & HAS_NONE)
        (void)bl_fail(&why, BL_E_UNSUPPORTED, "not all processes have a GPU");
    else
        rc = join_gpus(d, device, &why, err);
    if (rc == 0 && !d->on_gpus && (d->place.rank == 0 || why.code))
        bl_log(BL_LOG_WARN, "dist", "gradients go through the host's memory and MPI: %s",
               why.code ? why.msg : "another process cannot use NCCL");
    return rc;
}

/* ---- gradients ---- */
#define LINE 16 /* floats */

typedef struct scaling {
    float *x, by;
} scaling;

static void scale_lines(const void *arg, int64_t from, int64_t to) {
    const scaling *s = arg;
    for (int64_t i = from * LINE; i < to * LINE; i++) s->x[i] *= s->by;
}

int bl_dist_average_gradients(bl_dist *d, bl_params *ps, const char *prefix, bl_err *err) {
    scaling s = {.by = 1.f / (float)bl_dist_size(d)};
    int64_t n = 0;
    int rc = 0;
    if (!d) return 0;
    if (d->on_gpus && bl_params_device(ps)) {
        rc = bl_dist_barrier(d, err); /* so that nobody queues what others will not */
        return rc < 0 ? rc : bl_params_group_mean(ps, prefix, err);
    }
    for (int at = 0; rc == 0 && (s.x = bl_params_run(ps, prefix, BL_SLAB_GRAD, &at, &n));) {
        rc = bl_dist_sum_floats(d, s.x, n, err);
        if (rc == 0) bl_team_split(bl_dist_threads(d), n / LINE, scale_lines, &s);
    }
    if (bl_params_device(ps)) bl_params_touch(ps);
    return rc;
}

/* ---- parameters ---- */
int bl_dist_share_params(bl_dist *d, bl_params *ps, bl_err *err) {
    static const bl_slab slabs[] = {BL_SLAB_WEIGHT, BL_SLAB_M, BL_SLAB_V, BL_SLAB_EMA};
    float *x;
    int64_t n = 0;
    int rc = d ? bl_params_to_host(ps, err) : 0;
    if (!d || rc < 0) return rc;
    for (size_t k = 0; k < BL_COUNT(slabs); k++)
        for (int at = 0; rc == 0 && (x = bl_params_run(ps, "", slabs[k], &at, &n));)
            rc = bl_dist_broadcast(d, x, (size_t)n * sizeof *x, err);
    bl_params_touch(ps);
    return rc;
}

/* A sum that any changed bit changes; not against people who want to fool it. */
static uint64_t sum_of(bl_params *ps) {
    uint64_t h = 0x9e3779b97f4a7c15u;
    const float *x;
    int64_t n = 0;
    for (int at = 0; (x = bl_params_run(ps, "", BL_SLAB_WEIGHT, &at, &n));)
        for (int64_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &x[i], sizeof bits);
            h = (h ^ bits) * 0xd1342543de82ef95u;
            h ^= h >> 32;
        }
    return h;
}

int bl_dist_check_params(bl_dist *d, bl_params *ps, bl_err *err) {
    int rc = d ? bl_params_to_host(ps, err) : 0;
    if (!d || rc < 0) return rc;
    uint64_t mine = sum_of(ps), first = mine;
    rc = bl_dist_broadcast(d, &first, sizeof first, err);
    if (rc == 0 && first != mine)
        rc = bl_fail(err, BL_E_INTERNAL, "the weights are no longer those of process 0");
    return rc;
}
