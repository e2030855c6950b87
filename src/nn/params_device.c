/* Parameters on a device: a copy of each slab there, brought up to date where and when it is read. */
#include "params.h"

static int64_t floats(const bl_params *ps, int slab) {
    return slab == BL__SLAB_FROZEN ? ps->frozen_total : ps->total;
}

static float *host(const bl_params *ps, int slab) {
    return slab == BL__SLAB_FROZEN ? ps->frozen : ps->slab[slab];
}

static int has(const bl_params *ps, int slab) {
    return slab == BL_SLAB_WEIGHT || slab == BL__SLAB_FROZEN || ps->train;
}

int bl_params_place(bl_params *ps, bl_device *device, bl_err *err) {
    if (ps->sealed) return bl_fail(err, BL_E_INTERNAL, "parameters are placed before they are sealed");
    ps->device = device;
    return 0;
}

bl_device *bl_params_device(const bl_params *ps) {
    return ps->device;
}

static int allocate(bl_params *ps, bl_err *err) {
    bl_device *d = ps->device;
    int rc = 0;
    for (int k = 0; k < BL__SLABS && rc == 0; k++)
        if (has(ps, k) && floats(ps, k) > 0)
            rc = bl__device_alloc(d, (void **)&ps->copies.slab[k], floats(ps, k) * (int64_t)sizeof(float),
                                  err);
    for (int k = 0; k < 2 && rc == 0; k++) {
        const int64_t n = floats(ps, k ? BL__SLAB_FROZEN : BL_SLAB_WEIGHT);
        if (n > 0) rc = bl__device_alloc(d, (void **)&ps->copies.half[k], n * (int64_t)sizeof(uint16_t), err);
    }
    return rc;
}

int bl__params_enter_device(bl_params *ps, bl_err *err) {
    bl__device_lock(ps->device);
    int rc = allocate(ps, err);
    for (int k = 0; k < BL__SLABS; k++) ps->copies.on_host[k] = 1;
    bl__device_unlock(ps->device);
    return rc < 0 ? bl_err_context(err, rc, "%.1f million parameters", 1e-6 * (double)ps->total) : 0;
}

void bl__params_leave_device(bl_params *ps) {
    bl_device *d = ps->device;
    if (!d) return;
    bl__device_lock(d);
    for (int k = 0; k < BL__SLABS; k++) bl__device_free(d, ps->copies.slab[k]);
    for (int k = 0; k < 2; k++) bl__device_free(d, ps->copies.half[k]);
    bl__device_unlock(d);
}

/* ---- which copy holds the truth ---- */
static void bring_home(bl_params *ps, int k) {
    bl__copies *c = &ps->copies;
    bl_device *d = ps->device;
    if (c->on_host[k] || !c->slab[k] || d->like) return;
    d->ops->download(d->d, host(ps, k), c->slab[k], floats(ps, k) * (int64_t)sizeof(float));
    (void)d->ops->sync(d->d, NULL); /* a failure is kept, and met again */
    c->on_host[k] = 1;
}

static void round_weights(bl_params *ps, int k) {
    bl__copies *c = &ps->copies;
    const int h = k == BL__SLAB_FROZEN;
    if ((k != BL_SLAB_WEIGHT && !h) || !c->half_wanted || c->half_fresh[h] || !c->half[h]) return;
    ps->device->ops->round(ps->device->d, c->half[h], c->slab[k], floats(ps, k));
    c->half_fresh[h] = 1;
}

static void take_along(bl_params *ps, int k) {
    bl__copies *c = &ps->copies;
    bl_device *d = ps->device;
    if (!c->slab[k] || d->like) return;
    if (!c->on_device[k]) {
        d->ops->upload(d->d, c->slab[k], host(ps, k), floats(ps, k) * (int64_t)sizeof(float));
        (void)d->ops->sync(d->d, NULL); /* the host may write again at once */
        c->on_device[k] = 1;
        if (k == BL_SLAB_WEIGHT || k == BL__SLAB_FROZEN) c->half_fresh[k == BL__SLAB_FROZEN] = 0;
    }
    round_weights(ps, k);
}

static void wrote(bl_params *ps, int k, int on_device) {
    ps->copies.on_device[k] = on_device;
    ps->copies.on_host[k] = !on_device;
    if (on_device) ps->copies.lent[k] = 0;
}

void bl__params_lend(bl_params *ps, int slab) {
    if (!ps->sealed) return;
    bl__device_lock(ps->device);
    bring_home(ps, slab);
    ps->copies.lent[slab] = 1;
    bl__device_unlock(ps->device);
}

void bl__params_host_changed(bl_params *ps) {
    bl__copies *c = &ps->copies;
    for (int k = 0; k < BL__SLABS; k++)
        if (c->lent[k] && c->on_host[k]) c->on_device[k] = 0;
}

int bl_params_to_host(bl_params *ps, bl_err *err) {
    if (!ps->device || !ps->sealed) return 0;
    bl__device_lock(ps->device);
    for (int k = 0; k < BL__SLABS; k++) bring_home(ps, k);
    int rc = ps->device->ops->failed(ps->device->d, err);
    bl__device_unlock(ps->device);
    return rc;
}

/* ---- for programs ---- */
float *bl__params_on_device(const bl_params *ps, int i, bl_slab slab) {
    const int frozen = ps->p[i].frozen, reads = slab == BL_SLAB_WEIGHT || slab == BL_SLAB_EMA;
    float *start = frozen ? (reads ? ps->copies.slab[BL__SLAB_FROZEN] : NULL) : ps->copies.slab[slab];
    return start ? start + ps->p[i].offset : NULL;
}

const uint16_t *bl__params_half(bl_params *ps, int i, bl_slab slab) {
    const int frozen = ps->p[i].frozen;
    if (!ps->sealed || (!frozen && slab != BL_SLAB_WEIGHT)) return NULL;
    ps->copies.half_wanted = 1;
    return ps->copies.half[frozen] + ps->p[i].offset;
}

void bl__params_ready(bl_params *ps, bl_slab weights, int gradients, int on_device) {
    void (*bring)(bl_params *, int) = on_device ? take_along : bring_home;
    bring(ps, weights);
    bring(ps, BL__SLAB_FROZEN);
    if (gradients) bring(ps, BL_SLAB_GRAD);
}

void bl__params_wrote_gradients(bl_params *ps, int on_device) {
    wrote(ps, BL_SLAB_GRAD, on_device);
}

void bl__params_device_adam(bl_params *ps, const char *prefix, const bl_adam *a, int64_t t) {
    bl__copies *c = &ps->copies;
    bl_device *d = ps->device;
    int64_t offset, size;
    bl__device_lock(d);
    for (int k = 0; k < BL__SLAB_FROZEN; k++) take_along(ps, k);
    for (int at = 0; bl__params_next_run(ps, prefix, &at, &offset, &size);)
        d->ops->adam(d->d, &(bl__adam_run){.w = c->slab[BL_SLAB_WEIGHT] + offset,
                                           .g = c->slab[BL_SLAB_GRAD] + offset,
                                           .m = c->slab[BL_SLAB_M] + offset,
                                           .v = c->slab[BL_SLAB_V] + offset,
                                           .ema = a->ema > 0 ? c->slab[BL_SLAB_EMA] + offset : NULL,
                                           .half = c->half_wanted ? c->half[0] + offset : NULL,
                                           .n = size,
                                           .t = t,
                                           .a = *a});
    for (int k = 0; k < BL__SLAB_FROZEN; k++)
        if (k != BL_SLAB_EMA || a->ema > 0) wrote(ps, k, 1);
    bl__device_unlock(d);
}

int bl_params_group_mean(bl_params *ps, const char *prefix, bl_err *err) {
    bl_device *d = ps->device;
    int64_t offset, size;
    if (!d || !d->ops->group_mean)
        return bl_fail(err, BL_E_INTERNAL, "these parameters are on no device that is in a group");
    bl__device_lock(d);
    take_along(ps, BL_SLAB_GRAD);
    for (int at = 0; bl__params_next_run(ps, prefix, &at, &offset, &size);)
        d->ops->group_mean(d->d, ps->copies.slab[BL_SLAB_GRAD] + offset, size);
    wrote(ps, BL_SLAB_GRAD, 1);
    int rc = d->ops->failed(d->d, err);
    bl__device_unlock(d);
    return rc;
}
