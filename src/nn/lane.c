/* Lanes: memory on both sides, and inputs that came up beside the queue. */
#include "ballerino/lane.h"

#include <string.h>

#include "program.h"

#define SLOTS 2

struct bl_lane {
    bl_device *device;
    void *way; /* the module's */
    float *host[SLOTS], *there;
    int64_t bytes;
    int next, sent; /* slots: to be sent, sent last */
};

static int build(bl_lane *l, bl_err *err) {
    int rc = bl__device_alloc(l->device, (void **)&l->there, l->bytes, err);
    for (int k = 0; k < SLOTS && rc == 0; k++) {
        rc = bl__device_alloc_host(l->device, (void **)&l->host[k], l->bytes, err);
        if (rc == 0) memset(l->host[k], 0, (size_t)l->bytes);
    }
    return rc < 0 ? rc : l->device->ops->lane_create(l->device->d, &l->way, SLOTS, err);
}

int bl_lane_create(bl_lane **out, bl_device *d, int64_t floats, bl_err *err) {
    bl_lane *l = bl_alloc(sizeof *l);
    if (!l) return bl_fail(err, BL_E_NOMEM, "not enough memory to fetch frames ahead");
    l->device = d;
    l->bytes = floats * (int64_t)sizeof(float);
    bl__device_lock(d);
    int rc = build(l, err);
    bl__device_unlock(d);
    if (rc < 0)
        bl_lane_destroy(&l);
    else
        *out = l;
    return rc;
}

void bl_lane_destroy(bl_lane **lp) {
    bl_lane *l = *lp;
    if (!l) return;
    bl_device *d = l->device;
    bl__device_lock(d);
    (void)d->ops->sync(d->d, NULL);
    d->ops->lane_free(d->d, l->way);
    for (int k = 0; k < SLOTS; k++) bl__device_free_host(d, l->host[k]);
    bl__device_free(d, l->there);
    bl__device_unlock(d);
    bl_free(l);
    *lp = NULL;
}

float *bl_lane_slot(bl_lane *l, bl_err *err) {
    int rc = l->device->ops->lane_wait(l->device->d, l->way, l->next, err);
    return rc < 0 ? NULL : l->host[l->next];
}

int bl_lane_send(bl_lane *l, bl_err *err) {
    int rc =
        l->device->ops->lane_send(l->device->d, l->way, l->next, l->there, l->host[l->next], l->bytes, err);
    l->sent = l->next;
    l->next = (l->next + 1) % SLOTS;
    return rc;
}

const float *bl_lane_sent(const bl_lane *l) {
    return l->host[l->sent];
}

void bl_lane_take(bl_lane *l, bl_program *p, bl_value input, int64_t at) {
    const bl__device_ops *ops = l->device->ops;
    bl__value *x = &p->v[input];
    bl__device_lock(l->device);
    ops->lane_join(l->device->d, l->way, l->sent);
    ops->copy(l->device->d, p->arena + x->offset, l->there + at,
              bl__elements(x->shape) * (int64_t)sizeof(float));
    x->arrived = 1;
    p->arrived++;
    bl__device_unlock(l->device);
}

void bl_lane_taken(bl_lane *l) {
    bl__device_lock(l->device);
    l->device->ops->lane_taken(l->device->d, l->way);
    bl__device_unlock(l->device);
}
