/* Pictures on a device: memory, marks in its queue, and the module's operations under the device's lock. */
#include "device.h"

#include <string.h>

/* ---- memory ---- */
static int64_t bytes_of(const bl_picture *p) {
    return (int64_t)p->w * p->h * p->channels * p->size;
}

int bl_picture_create(bl_picture *p, bl_device *d, int w, int h, int channels, int size, bl_err *err) {
    *p = (bl_picture){.w = w, .h = h, .channels = channels, .size = size, .device = d};
    bl__device_lock(d);
    int rc = bl__device_alloc(d, &p->data, bytes_of(p), err);
    bl__device_unlock(d);
    return rc;
}

void bl_picture_release(bl_picture *p) {
    if (p->data) {
        bl__device_lock(p->device);
        (void)p->device->ops->sync(p->device->d, NULL); /* something may be queued about it */
        bl__device_free(p->device, p->data);
        bl__device_unlock(p->device);
    }
    *p = (bl_picture){0};
}

int bl_picture_put(bl_picture *p, const void *from, ptrdiff_t stride, bl_err *err) {
    const bl_device *d = p->device;
    const int64_t row = (int64_t)p->w * p->channels * p->size;
    if (d->like) return 0;
    bl__device_lock(p->device);
    for (int y = 0; y < p->h; y++)
        d->ops->upload(d->d, (uint8_t *)p->data + y * row, (const uint8_t *)from + y * stride, row);
    int rc = d->ops->sync(d->d, err);
    bl__device_unlock(p->device);
    return rc;
}

int bl_staged_create(bl_staged *s, bl_device *d, int64_t bytes, bl_err *err) {
    *s = (bl_staged){.bytes = bytes, .device = d};
    bl__device_lock(d);
    int rc = bl__device_alloc_host(d, &s->host, bytes, err);
    if (rc == 0) rc = bl__device_alloc(d, &s->data, bytes, err);
    bl__device_unlock(d);
    if (rc < 0) bl_staged_release(s);
    return rc;
}

void bl_staged_release(bl_staged *s) {
    if (s->device) {
        bl__device_lock(s->device);
        (void)s->device->ops->sync(s->device->d, NULL);
        bl__device_free(s->device, s->data);
        bl__device_free_host(s->device, s->host);
        bl__device_unlock(s->device);
    }
    *s = (bl_staged){0};
}

bl_taps bl_taps_in(const bl_staged *s, int n, int count, int **first, float **weight) {
    *first = s->host;
    *weight = (float *)s->host + n;
    return (bl_taps){.first = s->data, .weight = (const float *)s->data + n, .n = n, .count = count};
}

/* ---- marks ---- */
struct bl_fence {
    bl_device *device;
    void *mark;
};

int bl_fence_create(bl_fence **out, bl_device *d, bl_err *err) {
    bl_fence *f = bl_alloc(sizeof *f);
    if (!f) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    f->device = d;
    bl__device_lock(d);
    int rc = d->ops->mark_create(d->d, &f->mark, err);
    bl__device_unlock(d);
    if (rc < 0)
        bl_free(f);
    else
        *out = f;
    return rc;
}

void bl_fence_destroy(bl_fence **fp) {
    bl_fence *f = *fp;
    if (!f) return;
    bl__device_lock(f->device);
    f->device->ops->mark_free(f->device->d, f->mark);
    bl__device_unlock(f->device);
    bl_free(f);
    *fp = NULL;
}

int bl_fence_wait(bl_fence *f, bl_err *err) {
    const bl_device *d = f->device;
    const int waited = d->ops->mark_wait(d->d, f->mark, NULL);
    bl__device_lock(f->device);
    int rc = waited < 0 ? d->ops->sync(d->d, err) : d->ops->failed(d->d, err);
    bl__device_unlock(f->device);
    return rc < 0 || waited == 0 ? rc : bl_fail(err, waited, "the GPU failed (waiting for a frame)");
}

/* ---- what is queued ---- */
#define QUEUE(device_, call, ...)                                                                            \
    do {                                                                                                     \
        bl_device *const d_ = (device_);                                                                     \
        bl__device_lock(d_);                                                                                 \
        if (!d_->like) d_->ops->call(d_->d, __VA_ARGS__);                                                    \
        bl__device_unlock(d_);                                                                               \
    } while (0)

void bl_staged_up(bl_staged *s, int64_t bytes) {
    QUEUE(s->device, upload, s->data, s->host, bytes);
}

void bl_staged_down(bl_staged *s) {
    QUEUE(s->device, download, s->host, s->data, s->bytes);
}

void bl_picture_down(const bl_picture *p, bl_staged *s) {
    QUEUE(s->device, download, s->host, p->data, bytes_of(p));
}

void bl_fence_set(bl_fence *f) {
    QUEUE(f->device, mark_set, f->mark);
}

void bl_picture_copy(bl_picture *to, const bl_picture *from) {
    if (from)
        QUEUE(to->device, copy, to->data, from->data, bytes_of(to));
    else
        QUEUE(to->device, fill, to->data, 0, bytes_of(to));
}

void bl_picture_draw(bl_picture *to, const bl_staged *list, int n) {
    QUEUE(to->device, pictures->draw, to, list->data, n);
}

void bl_picture_window(bl_picture *to, const bl_picture *from, int x, int y) {
    QUEUE(to->device, pictures->window, to, from, x, y);
}

void bl_picture_shift(bl_picture *to, const bl_picture *from, float dx, float dy) {
    QUEUE(to->device, pictures->shift, to, from, dx, dy);
}

void bl_picture_lift(bl_picture *to, const bl_picture *rgb, const bl_picture *mask, const bl_picture *plate,
                     const bl_lift *how) {
    QUEUE(to->device, pictures->lift, to, rgb, mask, plate, how);
}

void bl_picture_steady(bl_picture *layer, const bl_picture *before, const bl_staged *field,
                       const bl_steadying *how) {
    QUEUE(layer->device, pictures->steady, layer, before, field->data, how);
}

void bl_picture_over(bl_picture *frame, const bl_picture *layer, const bl_over *how) {
    QUEUE(frame->device, pictures->over, frame, layer, how);
}

void bl_picture_resample(bl_picture *to, const bl_picture *from, bl_taps x, bl_taps y) {
    QUEUE(to->device, pictures->resample, to, from, x, y);
}

void bl_picture_patch(bl_picture *frame, const bl_picture *painted, const bl_picture *made,
                      const bl_patching *how) {
    QUEUE(frame->device, pictures->patch, frame, painted, made, how);
}

void bl_picture_planes(void *to, const bl_picture *frame) {
    QUEUE(frame->device, pictures->planes, to, frame);
}
