/* Frames: reference-counted RGB24 pictures with 64-byte rows. */
#include <stdatomic.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/media.h"

typedef struct counted {
    bl_frame frame; /* first: a bl_frame * is a counted * */
    atomic_int references;
} counted;

int bl_frame_create_empty(bl_frame **out, int width, int height, bl_err *err) {
    if (width < 1 || height < 1 || width > BL_FRAME_MAX_SIDE || height > BL_FRAME_MAX_SIDE ||
        (int64_t)width * height > BL_FRAME_MAX_PIXELS)
        return bl_fail(err, BL_E_UNSUPPORTED, "pictures of %dx%d are not supported; the largest side is %d",
                       width, height, BL_FRAME_MAX_SIDE);
    counted *c = bl_alloc(sizeof *c);
    if (!c) return bl_fail(err, BL_E_NOMEM, "not enough memory for a picture");
    c->frame.width = width;
    c->frame.height = height;
    c->frame.stride = ((ptrdiff_t)width * 3 + 63) & ~(ptrdiff_t)63;
    c->frame.time_base = (bl_rational){1, 1000000};
    atomic_init(&c->references, 1);
    *out = &c->frame;
    return 0;
}

int bl_frame_create(bl_frame **out, int width, int height, bl_err *err) {
    bl_frame *f = NULL;
    int rc = bl_frame_create_empty(&f, width, height, err);
    if (rc < 0) return rc;
    f->data = bl_alloc((size_t)f->stride * (size_t)height + 64); /* swscale may write a little past a row */
    if (!f->data) {
        bl_frame_unref(&f);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a picture of %dx%d", width, height);
    }
    *out = f;
    return 0;
}

bl_frame *bl_frame_ref(bl_frame *f) {
    if (f) atomic_fetch_add(&((counted *)f)->references, 1);
    return f;
}

void bl_frame_unref(bl_frame **f) {
    if (!*f) return;
    counted *c = (counted *)*f;
    *f = NULL;
    if (atomic_fetch_sub(&c->references, 1) != 1) return;
    bl_free(c->frame.data);
    bl_free(c);
}

int bl_frame_make_writable(bl_frame **f, bl_err *err) {
    if (atomic_load(&((counted *)*f)->references) == 1) return 0;
    bl_frame *copy = NULL;
    int rc = bl_frame_create(&copy, (*f)->width, (*f)->height, err);
    if (rc < 0) return rc;
    memcpy(copy->data, (*f)->data, (size_t)copy->stride * (size_t)copy->height);
    copy->pts = (*f)->pts;
    copy->time_base = (*f)->time_base;
    copy->index = (*f)->index;
    bl_frame_unref(f);
    *f = copy;
    return 0;
}

double bl_frame_seconds(const bl_frame *f) {
    return (double)f->pts * f->time_base.num / f->time_base.den;
}
