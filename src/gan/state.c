/* The trainer's whole state in one safetensors file: going on from it is the same as never having stopped. */
#include <string.h>

#include "ballerino/safetensors.h"
#include "trainer.h"

#define STATE_FORMAT "ballerino-training-state"
#define STATE_VERSION "2"
#define RANKS                                                                                                \
    "state/rngs" /* ranks x 4, where there were several: each one's random numbers; the first is state/rng   \
                  */

static const struct {
    bl_slab slab;
    const char *prefix;
} slabs[] = {{BL_SLAB_WEIGHT, "weight/"}, {BL_SLAB_M, "m/"}, {BL_SLAB_V, "v/"}, {BL_SLAB_EMA, "ema/"}};

static int64_t shape_of(bl_params *ps, int i, int64_t dims[4]) {
    for (int k = 0; k < bl_params_rank(ps, i); k++) dims[k] = bl_params_dims(ps, i)[k];
    return bl_params_size(ps, i);
}

/* ---- saving ---- */
static void add(bl_tensor *tensors, int *at, const char *name, bl_dtype type, int64_t rows, int64_t columns,
                const void *data) {
    tensors[(*at)++] = (bl_tensor){.name = name,
                                   .dtype = type,
                                   .rank = rows ? 2 : 1,
                                   .dims = {rows ? rows : columns, columns},
                                   .data = data,
                                   .bytes = (size_t)(BL_MAX(rows, 1) * columns) * sizeof(uint64_t)};
}

static int write(const bl_trainer *t, const bl_rng *rngs, const char *path, bl_err *err) {
    int n = bl_params_count(t->ps), total = n * (int)BL_COUNT(slabs) + 3, at = 0, rc;
    bl_tensor *tensors = bl_alloc_array((size_t)total, sizeof *tensors);
    char(*names)[112] = bl_alloc_array((size_t)total, sizeof *names);
    rc = tensors && names ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to save the training state");
    for (size_t s = 0; s < BL_COUNT(slabs) && rc == 0; s++)
        for (int i = 0; i < n; i++) {
            if (bl_params_frozen(t->ps, i)) continue;
            snprintf(names[at], sizeof names[at], "%s%s", slabs[s].prefix, bl_params_name(t->ps, i));
            tensors[at] = (bl_tensor){.name = names[at],
                                      .dtype = BL_DT_F32,
                                      .rank = bl_params_rank(t->ps, i),
                                      .data = bl_params_data(t->ps, i, slabs[s].slab)};
            tensors[at].bytes = sizeof(float) * (size_t)shape_of(t->ps, i, tensors[at].dims);
            at++;
        }
    bl_tensor_meta meta[] = {{"format", STATE_FORMAT}, {"version", STATE_VERSION}};
    if (rc == 0) {
        const int ranks = bl_dist_size(t->train.dist);
        add(tensors, &at, "state/step", BL_DT_I64, 0, 1, &t->step);
        add(tensors, &at, "state/rng", BL_DT_U64, 0, 4, rngs[0].s);
        if (ranks > 1) add(tensors, &at, RANKS, BL_DT_U64, ranks, 4, rngs[0].s);
        rc = bl_tensors_write(path, tensors, at, meta, (int)BL_COUNT(meta), err);
    }
    bl_free(names);
    bl_free(tensors);
    return rc;
}

int bl_trainer_save(const bl_trainer *t, const char *path, bl_err *err) {
    bl_dist *dist = t->train.dist;
    bl_rng *rngs = bl_alloc_array((size_t)bl_dist_size(dist), sizeof *rngs);
    int rc = rngs ? bl_params_to_host(t->ps, err)
                  : bl_fail(err, BL_E_NOMEM, "not enough memory to save the training state");
    if (rc == 0) rc = bl_dist_check_params(dist, t->ps, err);
    if (rc == 0) rc = bl_dist_gather(dist, rngs, &t->rng, sizeof t->rng, err);
    if (rc == 0 && bl_dist_rank(dist) == 0) rc = write(t, rngs, path, err);
    bl_free(rngs);
    return rc;
}

/* ---- loading ---- */
/* Opens a training state of this version. (Version 1 named the discriminators from the finest.) */
static int open_state(bl_tensors **file, const char *path, bl_err *err) {
    int rc = bl_tensors_read(file, path, err);
    if (rc < 0) return rc;
    const char *format = bl_tensors_meta(*file, "format"), *version = bl_tensors_meta(*file, "version");
    if (format && version && !strcmp(format, STATE_FORMAT) && !strcmp(version, STATE_VERSION)) return 0;
    bl_tensors_close(file);
    return bl_fail(err, BL_E_MISMATCH,
                   "%s is not a training state of this version; remove it and train from the start", path);
}

/* This process's random numbers: its own from then, or new ones from what was saved. */
static void take_rng(bl_trainer *t, const bl_tensor *first, const bl_tensor *all) {
    const int rank = bl_dist_rank(t->train.dist), ranks = bl_dist_size(t->train.dist);
    const int64_t saved = all ? all->dims[0] : 1;
    if (saved != ranks && rank == 0)
        bl_log(BL_LOG_INFO, "train",
               "saved by %lld processes, goes on with %d: not bit for bit the same training",
               (long long)saved, ranks);
    if (rank < saved) {
        const bl_tensor *from = all ? all : first;
        memcpy(t->rng.s, (const char *)from->data + (size_t)rank * sizeof t->rng.s, sizeof t->rng.s);
        return;
    }
    uint64_t seed;
    memcpy(&seed, first->data, sizeof seed);
    bl_rng_seed(&t->rng, bl__rank_seed(&t->train, seed));
}

/* All have read the same state, and have the same weights even where they have not. */
static int compare_with_others(bl_trainer *t, const char *path, bl_err *err) {
    int64_t step = t->step;
    int rc = bl_dist_broadcast(t->train.dist, &step, sizeof step, err);
    if (rc == 0 && step != t->step)
        rc = bl_fail(err, BL_E_MISMATCH,
                     "%s is of step %lld here and of %lld where process 0 is; all need the same file system",
                     path, (long long)t->step, (long long)step);
    return rc < 0 ? rc : bl_dist_share_params(t->train.dist, t->ps, err);
}

/* The random numbers of all ranks, *all NULL where there was one; checked. */
static int find_ranks(const bl_tensor **all, bl_tensors *file, bl_err *err) {
    const bl_tensor *found = bl_tensors_find(file, RANKS);
    const int64_t dims[2] = {found && found->rank == 2 ? BL_MAX(found->dims[0], 1) : 1, 4};
    *all = found ? bl_tensors_need(file, RANKS, BL_DT_U64, 2, dims, err) : NULL;
    return found && !*all ? BL_E_MISMATCH : 0;
}

int bl_trainer_load(bl_trainer *t, const char *path, bl_err *err) {
    bl_tensors *file = NULL;
    int rc = open_state(&file, path, err);
    if (rc < 0) return rc;
    int64_t four = 4, one = 1, dims[4];
    const bl_tensor *step = bl_tensors_need(file, "state/step", BL_DT_I64, 1, &one, err), *rng = NULL, *all;
    if (step) rng = bl_tensors_need(file, "state/rng", BL_DT_U64, 1, &four, err);
    rc = rng ? find_ranks(&all, file, err) : BL_E_MISMATCH;
    for (int pass = 0; pass < 2 && rc == 0;
         pass++) /* first check everything, then take it: no half-loaded state */
        for (size_t s = 0; s < BL_COUNT(slabs) && rc == 0; s++)
            for (int i = 0; i < bl_params_count(t->ps) && rc == 0; i++) {
                char name[112];
                if (bl_params_frozen(t->ps, i)) continue;
                snprintf(name, sizeof name, "%s%s", slabs[s].prefix, bl_params_name(t->ps, i));
                (void)shape_of(t->ps, i, dims);
                const bl_tensor *x =
                    bl_tensors_need(file, name, BL_DT_F32, bl_params_rank(t->ps, i), dims, err);
                if (!x)
                    rc = BL_E_MISMATCH;
                else if (pass)
                    memcpy(bl_params_data(t->ps, i, slabs[s].slab), x->data, x->bytes);
            }
    if (rc == 0) {
        memcpy(&t->step, step->data, 8);
        take_rng(t, rng, all);
        bl_params_touch(t->ps);
    }
    bl_tensors_close(&file);
    return rc < 0 ? rc : compare_with_others(t, path, err);
}

/* The tensor of another training that fits parameter i, or NULL. */
static const bl_tensor *fitting(bl_tensors *file, bl_params *ps, int i, const char *prefix) {
    char name[112];
    int64_t dims[4];
    snprintf(name, sizeof name, "%s%s", prefix, bl_params_name(ps, i));
    (void)shape_of(ps, i, dims);
    return bl_tensors_need(file, name, BL_DT_F32, bl_params_rank(ps, i), dims, NULL);
}

int bl_trainer_warm_start(bl_trainer *t, const char *checkpoint, bl_err *err) {
    bl_tensors *file = NULL;
    int rc = open_state(&file, checkpoint, err), taken = 0;
    if (rc < 0) return rc;
    for (int i = 0; i < bl_params_count(t->ps); i++) {
        if (bl_params_frozen(t->ps, i)) continue;
        size_t bytes = sizeof(float) * (size_t)bl_params_size(t->ps, i);
        memset(bl_params_data(t->ps, i, BL_SLAB_M), 0, bytes);
        memset(bl_params_data(t->ps, i, BL_SLAB_V), 0, bytes);
        const bl_tensor *weight = fitting(file, t->ps, i, "weight/"),
                        *average = fitting(file, t->ps, i, "ema/");
        if (!weight || !average) continue;
        memcpy(bl_params_data(t->ps, i, BL_SLAB_WEIGHT), weight->data, bytes);
        memcpy(bl_params_data(t->ps, i, BL_SLAB_EMA), average->data, bytes);
        taken++;
    }
    t->step = 0;
    bl_params_touch(t->ps);
    bl_tensors_close(&file);
    rc = bl_dist_share_params(t->train.dist, t->ps, err);
    return rc < 0 ? rc : taken;
}
