/* Devices that only count: what would be taken of a device, by the very code that would take it. */
#include "device.h"

#include <string.h>

int bl_device_plan(bl_device **out, bl_device *like, bl_err *err) {
    bl_device *d = bl_alloc(sizeof *d);
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for a plan");
    d->ops = like->ops;
    d->d = like->d;
    d->index = like->index;
    memcpy(d->name, like->name, sizeof d->name);
    d->like = like;
    *out = d;
    return 0;
}

int64_t bl_device_planned(const bl_device *d) {
    return d->most;
}

/* In a plan an address is that of a note on the host about how much would lie there. */
static int note(bl_device *d, void **out, int64_t bytes, bl_err *err) {
    int64_t *size = bl_alloc(sizeof *size);
    if (!size) return bl_fail(err, BL_E_NOMEM, "not enough memory for a plan");
    *size = bytes;
    d->taken += bytes;
    d->most = BL_MAX(d->most, d->taken);
    *out = size;
    return 0;
}

int bl__device_alloc(bl_device *d, void **out, int64_t bytes, bl_err *err) {
    return d->like ? note(d, out, bytes, err) : d->ops->alloc(d->d, out, bytes, err);
}

void bl__device_free(bl_device *d, void *p) {
    if (!d->like) {
        d->ops->free(d->d, p);
        return;
    }
    if (p) d->taken -= *(const int64_t *)p;
    bl_free(p);
}

/* Of the host only what the device's own copies need: inputs, outputs, frames. */
int bl__device_alloc_host(bl_device *d, void **out, int64_t bytes, bl_err *err) {
    if (!d->like) return d->ops->alloc_host(d->d, out, bytes, err);
    *out = bl_alloc((size_t)bytes);
    return *out ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory for a plan");
}

void bl__device_free_host(bl_device *d, void *p) {
    if (d->like)
        bl_free(p);
    else
        d->ops->free_host(d->d, p);
}
