#include "press.h"

#include <string.h>

#include "ballerino/base.h"

int bl__press_init(bl__press *p, bl_device *device, const bl_frame *plate, const bl__grid *grid,
                   bl_err *err) {
    *p = (bl__press){.device = device, .grid = grid};
    bl__shelf_init(&p->prints);
    int rc = bl_picture_create(&p->plate, device, plate->width, plate->height, 3, 1, err);
    if (rc == 0) rc = bl_picture_create(&p->frame, device, plate->width, plate->height, 3, 1, err);
    if (rc == 0) rc = bl__axis_up(&p->axis[0], &p->from_x, &grid->from_x, device, err);
    if (rc == 0) rc = bl__axis_up(&p->axis[1], &p->from_y, &grid->from_y, device, err);
    if (rc == 0) rc = bl_fence_create(&p->done, device, err);
    return rc < 0 ? rc : bl_picture_put(&p->plate, plate->data, plate->stride, err);
}

static void destroy(bl__print *print) {
    bl_staged_release(&print->bytes);
    bl_free(print);
}

void bl__press_release(bl__press *p) {
    bl__print *print;
    if (!p->device) return;
    while ((print = bl__shelf_take(&p->prints))) destroy(print);
    bl_picture_release(&p->plate);
    bl_picture_release(&p->frame);
    for (int k = 0; k < 2; k++) bl_staged_release(&p->axis[k]);
    bl_staged_release(&p->looked_at);
    bl_fence_destroy(&p->done);
    (void)pthread_mutex_destroy(&p->prints.lock);
    *p = (bl__press){0};
}

void bl__press_lay(bl__press *p, const bl__slide *slide, int x, int y) {
    bl_picture_copy(&p->frame, &p->plate);
    if (!slide) return;
    bl_over how = bl__layer_place(p->grid, x, y, slide->rgba.w, slide->rgba.h);
    how.from_x = p->from_x;
    how.from_y = p->from_y;
    bl_picture_over(&p->frame, &slide->rgba, &how);
}

static int wait(bl__press *p, bl_err *err) {
    bl_fence_set(p->done);
    return bl_fence_wait(p->done, err);
}

static int new_print(bl__press *p, bl__print **out, bl_err *err) {
    bl__print *print = bl_alloc(sizeof *print);
    if (!print) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    print->press = p;
    int rc = bl_staged_create(&print->bytes, p->device, bl_planes_bytes(p->frame.w, p->frame.h), err);
    if (rc < 0) {
        destroy(print);
        return rc;
    }
    print->planes = (bl_planes){.width = p->frame.w, .height = p->frame.h, .data = print->bytes.host};
    *out = print;
    return 0;
}

int bl__press_print(bl__press *p, bl__print **out, bl_err *err) {
    bl__print *print = bl__shelf_take(&p->prints);
    int rc = print ? 0 : new_print(p, &print, err);
    if (rc < 0) return rc;
    bl_picture_planes(print->bytes.data, &p->frame);
    bl_staged_down(&print->bytes);
    *out = print;
    return wait(p, err);
}

void bl__print_back(bl__print **print) {
    if (*print) bl__shelf_put(&(*print)->press->prints, *print);
    *print = NULL;
}

int bl__press_frame(bl__press *p, bl_frame *f, bl_err *err) {
    const size_t row = (size_t)f->width * 3;
    int rc = 0;
    if (!p->looked_at.data) rc = bl_staged_create(&p->looked_at, p->device, (int64_t)row * f->height, err);
    if (rc < 0) return rc;
    bl_picture_down(&p->frame, &p->looked_at);
    rc = wait(p, err);
    for (int y = 0; rc == 0 && y < f->height; y++)
        memcpy(f->data + y * f->stride, (const uint8_t *)p->looked_at.host + (size_t)y * row, row);
    return rc;
}
