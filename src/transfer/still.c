#include "still.h"

#include <string.h>

#include "ballerino/base.h"

int bl__still_make(bl__still **out, bl__render *r, int64_t k, bl_frame *source, bl_err *err) {
    bl__still *s = bl_alloc(sizeof *s);
    if (!s) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    if (source) s->source = bl_frame_ref(source);
    const int64_t pose = bl__render_pose(r, k, &s->opacity);
    if (pose >= 0) {
        s->person = r->track->frames[pose].person;
        for (int i = 0; i < BL_REGIONS; i++) s->box[i] = r->parts.box[i][pose];
    }
    int rc = bl__render_new_layer(r, &s->layer, &s->slide, err);
    if (rc == 0) rc = s->filled = bl__render_layer(r, k, &s->layer, s->slide, &s->x, &s->y, err);
    if (rc < 0)
        bl__still_free(&s);
    else
        *out = s;
    return rc < 0 ? rc : 0;
}

void bl__still_free(bl__still **s) {
    if (!*s) return;
    bl_frame_unref(&(*s)->source);
    bl__layer_release(&(*s)->layer);
    bl__slide_back(&(*s)->slide);
    bl__print_back(&(*s)->print);
    bl_free(*s);
    *s = NULL;
}

int bl__painter_init(bl__painter *p, const bl_model *m, const bl__grid *g, int threads, bl_err *err) {
    *p = (bl__painter){.plate = m->plate, .grid = g};
    bl_device *device = m->params ? bl_params_device(m->params) : NULL; /* retrieval has none */
    int rc = bl__refine_init(&p->refine, m, threads, err);
    if (rc == 0 && device) rc = bl__press_init(&p->press, device, m->plate, g, err);
    if (rc < 0) bl__painter_release(p);
    return rc;
}

void bl__painter_release(bl__painter *p) {
    bl__press_release(&p->press);
    bl__refine_release(&p->refine);
}

static int lay(bl__painter *p, const bl__still *s, bl_err *err) {
    bl__press_lay(&p->press, s->filled ? s->slide : NULL, s->x, s->y);
    return s->filled ? bl__refine_queue(&p->refine, &p->press.frame, &s->person, s->box, s->opacity, err) : 0;
}

int bl__painter_print(bl__painter *p, bl__still *s, bl_frame *f, bl_err *err) {
    int rc = lay(p, s, err);
    if (rc == 0) rc = bl__press_print(&p->press, &s->print, err);
    return rc == 0 && f ? bl__press_frame(&p->press, f, err) : rc;
}

int bl__painter_paint(bl__painter *p, const bl__still *s, bl_frame *f, bl_err *err) {
    if (s->slide) {
        int rc = lay(p, s, err);
        return rc < 0 ? rc : bl__press_frame(&p->press, f, err);
    }
    for (int y = 0; y < f->height; y++)
        memcpy(f->data + y * f->stride, p->plate->data + y * p->plate->stride, (size_t)f->width * 3);
    if (!s->filled) return 0;
    bl__layer_over(&s->layer, p->grid, s->x, s->y, f);
    return bl__refine_frame(&p->refine, f, &s->person, s->box, s->opacity, err);
}
