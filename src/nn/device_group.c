/* Devices of several processes. */
#include "device.h"

static int built(const bl__device_ops *ops, bl_err *err) {
    return ops->group_mean ? 0 : bl_fail(err, BL_E_UNSUPPORTED, "the GPU module was built without NCCL");
}

int bl_device_group_describe(char *text, size_t size, bl_err *err) {
    const bl__device_ops *ops;
    int rc = bl__device_loaded(&ops, err);
    if (rc == 0) rc = built(ops, err);
    return rc < 0 ? rc : ops->group_describe(text, size, err);
}

int bl_device_group_id(bl_device *d, void *id, bl_err *err) {
    int rc = built(d->ops, err);
    return rc < 0 ? rc : d->ops->group_id(id, err);
}

int bl_device_group_join(bl_device *d, const void *id, int rank, int size, bl_err *err) {
    int rc = built(d->ops, err);
    if (rc < 0) return rc;
    bl__device_lock(d);
    rc = d->ops->group_join(d->d, id, rank, size, err);
    bl__device_unlock(d);
    return rc;
}
