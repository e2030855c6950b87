#include "refine.h"

#include "ballerino/base.h"
#include "patches.h"

static int buffers(bl__refiner *r, size_t pixels, bl_err *err) {
    r->label = bl_alloc_array(pixels * 3, sizeof(float));
    r->made = bl_alloc_array(pixels * 3, sizeof(float));
    r->painted = bl_alloc_array(pixels * 3, sizeof(float));
    r->bytes = bl_alloc_array(pixels, 3);
    if (!r->label || !r->made || !r->painted || !r->bytes)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to refine hands and face");
    return 0;
}

static int refiner_init(bl__refiner *r, const bl_gan_net *net, bl_params *ps, int threads, bl_err *err) {
    r->size = net->width;
    int rc = bl_params_device(ps) ? 0 : buffers(r, (size_t)net->width * (size_t)net->height, err);
    if (rc < 0) return rc;
    return bl_generator_create(&r->generator, net, ps, BL_SLAB_WEIGHT,
                               bl_device_faster_precision(bl_params_device(ps)), threads, err);
}

int bl__refine_init(bl__refine *r, const bl_model *m, int threads, bl_err *err) {
    int rc = 0;
    *r = (bl__refine){0};
    for (int k = 0; k < BL__REFINERS && rc == 0; k++)
        if (m->info.refine[k].on)
            rc = refiner_init(&r->refiner[k], &m->info.refine[k].net, m->refine[k], threads, err);
    if (rc < 0) bl__refine_release(r);
    return rc;
}

void bl__refine_release(bl__refine *r) {
    for (int k = 0; k < BL__REFINERS; k++) {
        bl__refiner *x = &r->refiner[k];
        bl_generator_destroy(&x->generator);
        bl_free(x->label);
        bl_free(x->made);
        bl_free(x->painted);
        bl_free(x->bytes);
    }
    for (int k = 0; k < BL_REGIONS; k++) bl__retouch_release(&r->retouch[k]);
    *r = (bl__refine){0};
}

static int refine_part(bl__refiner *r, bl_frame *f, const bl_person *p, const bl__part_box *b, bl_err *err) {
    const bl__warp none = BL__WARP_NONE;
    const int n = r->size * r->size * 3;
    bl_figure_options o = bl_figure_options_default();
    int rc = bl__patch_cut(r->bytes, r->size, 0, f, b, err);
    if (rc < 0) return rc;
    for (int i = 0; i < n; i++) r->made[i] = (float)r->bytes[i] * (2.f / 255) - 1;
    bl__patch_label(r->label, r->size, b, p, f->width, f->height, &none, &o);
    rc = bl_generator_run(r->generator, r->label, r->made, 0, 0, r->painted, NULL, err);
    for (int i = 0; i < n; i++) r->painted[i] = 127.5f * (r->painted[i] - r->made[i]);
    return rc < 0 ? rc : bl__patch_add(f, b, r->painted, r->size, err);
}

/* Whether part k is to be refined, and how. The face comes last: it is looked at most. */
static bl__refiner *refiner_for(bl__refine *r, int k, const bl__part_box *box, float opacity,
                                bl__part_box *out) {
    bl__refiner *x = &r->refiner[bl__refiner_of((bl_region)k)];
    *out = *box;
    out->seen *= opacity;
    return x->size > 0 && out->seen > 0 ? x : NULL;
}

int bl__refine_frame(bl__refine *r, bl_frame *f, const bl_person *p, const bl__part_box boxes[BL_REGIONS],
                     float opacity, bl_err *err) {
    int rc = 0;
    for (int k = 0; k < BL_REGIONS && rc == 0; k++) {
        bl__part_box b;
        bl__refiner *x = refiner_for(r, k, &boxes[k], opacity, &b);
        if (x) rc = refine_part(x, f, p, &b, err);
    }
    return rc;
}

int bl__refine_queue(bl__refine *r, bl_picture *f, const bl_person *p, const bl__part_box boxes[BL_REGIONS],
                     float opacity, bl_err *err) {
    int rc = 0;
    for (int k = 0; k < BL_REGIONS && rc == 0; k++) {
        bl__part_box b;
        const bl__refiner *x = refiner_for(r, k, &boxes[k], opacity, &b);
        if (x) rc = bl__retouch_queue(&r->retouch[k], x->generator, f, p, &b, err);
    }
    return rc;
}
