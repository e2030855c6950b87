#include "screen.h"

#include "ballerino/base.h"
#include "steady.h"

int bl__screen_init(bl__screen *s, bl_generator *g, const uint8_t *plate, const bl__grid *grid, bl_err *err) {
    *s = (bl__screen){.grid = grid, .generator = g, .net = bl_generator_pictures(g)};
    s->device = s->net.label.device;
    bl__shelf_init(&s->slides);
    int rc = bl_picture_create(&s->plate, s->device, grid->w, grid->h, 3, 1, err);
    return rc < 0 ? rc : bl_picture_put(&s->plate, plate, (ptrdiff_t)grid->w * 3, err);
}

static void destroy(bl__slide *slide) {
    bl_picture_release(&slide->rgba);
    bl_staged_release(&slide->figure);
    bl_staged_release(&slide->moved);
    bl_free(slide);
}

void bl__screen_release(bl__screen *s) {
    bl__slide *slide;
    if (!s->device) return;
    while ((slide = bl__shelf_take(&s->slides))) destroy(slide);
    bl_picture_release(&s->plate);
    (void)pthread_mutex_destroy(&s->slides.lock);
    *s = (bl__screen){0};
}

int bl__screen_slide(bl__screen *s, bl__slide **out, bl_err *err) {
    bl__slide *slide = bl__shelf_take(&s->slides);
    int rc = 0;
    if (!slide) {
        slide = bl_alloc(sizeof *slide);
        if (!slide) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
        slide->screen = s;
        rc =
            bl_picture_create(&slide->rgba, s->device, s->net.label.w, s->net.label.h, 4, sizeof(float), err);
        if (rc == 0) rc = bl_staged_create(&slide->figure, s->device, BL__LABEL_BYTES, err);
        if (rc == 0)
            rc = bl_staged_create(&slide->moved, s->device, bl__steady_bytes(s->net.label.w, s->net.label.h),
                                  err);
    }
    if (rc < 0)
        destroy(slide);
    else
        *out = slide;
    return rc;
}

void bl__slide_back(bl__slide **slide) {
    if (*slide) bl__shelf_put(&(*slide)->screen->slides, *slide);
    *slide = NULL;
}

int bl__screen_show(bl__screen *s, bl__slide *slide, const bl__scene *scene, bl_err *err) {
    const bl_lift how = bl__layer_lift(s->grid, scene->x, scene->y, scene->opacity);
    bl__label_queue(&s->net.label, &slide->figure, s->grid, scene->x, scene->y, scene->person);
    if (s->net.plate.data) bl_picture_window(&s->net.plate, &s->plate, scene->x, scene->y);
    int rc = bl_generator_queue(s->generator, scene->dx, scene->dy, err);
    if (rc == 0) bl_picture_lift(&slide->rgba, &s->net.image, &s->net.mask, &s->net.plate, &how);
    return rc;
}
