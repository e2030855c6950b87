#include "retouch.h"

#include "label.h"
#include "patch.h"
#include "patches.h"

void bl__retouch_release(bl__retouch *r) {
    bl_staged_release(&r->figure);
    for (int k = 0; k < 4; k++) bl_staged_release(&r->taps[k]);
}

static int fit(bl_staged *s, bl_device *d, int64_t bytes, bl_err *err) {
    if (s->bytes >= bytes) return 0;
    bl_staged_release(s);
    return bl_staged_create(s, d, bytes + bytes / 2, err);
}

static int taps_up(bl_staged *s, bl_taps *out, bl_device *d, const bl__patch_axis *a, bl_err *err) {
    const int count = bl__patch_taps_count(a);
    const int64_t bytes = bl_taps_bytes(a->n, count);
    int *first;
    float *weight;
    int rc = fit(s, d, bytes, err);
    if (rc < 0) return rc;
    *out = bl_taps_in(s, a->n, count, &first, &weight);
    bl__patch_taps(a, first, weight);
    bl_staged_up(s, bytes);
    return 0;
}

/* The frame's part as the refiner sees it, with its figure. */
static int cut(bl__retouch *r, bl_generator_there *net, const bl_picture *frame, const bl_person *p,
               const bl__part_box *b, bl_err *err) {
    bl_device *d = frame->device;
    bl__patch_axis across, down;
    bl_taps x = {0}, y = {0};
    bl__patch_cut_axes(b, net->label.w, 0, &across, &down);
    int rc = fit(&r->figure, d, BL__LABEL_BYTES, err);
    if (rc == 0) rc = taps_up(&r->taps[0], &x, d, &across, err);
    if (rc == 0) rc = taps_up(&r->taps[1], &y, d, &down, err);
    if (rc < 0) return rc;
    bl_picture_resample(&net->plate, frame, x, y);
    bl__label_queue_view(&net->label, &r->figure, p, frame->w, frame->h, bl__patch_view(b, net->label.w));
    return 0;
}

int bl__retouch_queue(bl__retouch *r, bl_generator *g, bl_picture *frame, const bl_person *p,
                      const bl__part_box *box, bl_err *err) {
    bl_generator_there net = bl_generator_pictures(g);
    bl__patch_place at;
    bl_patching how = {.side = (double)box->side, .seen = box->seen, .fade = BL__PATCH_FADE};
    if (!bl__patch_lay(&at, box, net.label.w, frame->w, frame->h)) return 0;
    how.x0 = at.x0, how.y0 = at.y0;
    how.left = at.left, how.top = at.top;
    int rc = cut(r, &net, frame, p, box, err);
    if (rc == 0) rc = taps_up(&r->taps[2], &how.x, frame->device, &at.x, err);
    if (rc == 0) rc = taps_up(&r->taps[3], &how.y, frame->device, &at.y, err);
    if (rc == 0) rc = bl_generator_queue(g, 0, 0, err);
    if (rc == 0) bl_picture_patch(frame, &net.image, &net.plate, &how);
    return rc;
}
