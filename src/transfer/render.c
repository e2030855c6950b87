#include "render.h"

#include <math.h>

#include "ballerino/base.h"
#include "dataset.h"
#include "label.h"

#define FADE 8   /* frames that a lost person takes to vanish */
#define GROW 1.5 /* a window may grow by this, each way */

static int step_of(const bl_gan_net *net) {
    return 1 << (net->down + (net->enhancer != 0));
}

void bl__render_widest(const bl_gan_net *net, int *w, int *h) {
    const int step = step_of(net), grows = net->scene != BL_SCENE_PAINT;
    *w = grows ? (int)(net->width * GROW) / step * step : net->width;
    *h = grows ? (int)(net->height * GROW) / step * step : net->height;
}

/* A dance may reach further than the target did: the net is convolutional, so the window may be larger than
 * in training, at the same scale. */
static void window_size(bl__render *r, const bl__extent *e) {
    const bl_gan_net *net = &r->model->info.net;
    const int step = step_of(net);
    int most_w, most_h;
    r->w = net->width;
    r->h = net->height;
    if (net->scene == BL_SCENE_PAINT) return;
    const double want_w = (double)e->width * r->grid.scale, want_h = (double)e->height * r->grid.scale;
    bl__render_widest(net, &most_w, &most_h);
    r->w = BL_CLAMP((int)ceil(want_w / step - 0.25) * step, net->width, most_w);
    r->h = BL_CLAMP((int)ceil(want_h / step - 0.25) * step, net->height, most_h);
}

static bl_device *device_of(const bl__render *r) {
    return bl_params_device(r->model->params);
}

static int sample_plate(bl__render *r, bl_err *err) {
    const bl_frame *p = r->model->plate;
    r->plate = bl_alloc_array((size_t)r->grid.w * (size_t)r->grid.h, 3);
    if (!r->plate) return bl_fail(err, BL_E_NOMEM, "not enough memory for the plate");
    return bl__grid_sample(&r->grid, r->plate, p->data, p->stride, 3, 0, 0, r->grid.w, r->grid.h, err);
}

static int buffers(bl__render *r, bl_err *err) {
    const size_t n = (size_t)r->w * (size_t)r->h;
    r->label = bl_alloc_array(n * 3, sizeof(float));
    r->plate_window = bl_alloc_array(n * 3, sizeof(float));
    r->rgb = bl_alloc_array(n * 3, sizeof(float));
    r->mask = bl_alloc_array(n, sizeof(float));
    if (!r->label || !r->plate_window || !r->rgb || !r->mask)
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a window of %dx%d", r->w, r->h);
    return 0;
}

/* What makes pictures, once the window's size is known. */
static int make_maker(bl__render *r, float steady, int threads, bl_err *err) {
    bl_gan_net net = r->model->info.net;
    net.width = r->w;
    net.height = r->h;
    int rc = sample_plate(r, err);
    if (rc == 0)
        rc = bl_generator_create(&r->generator, &net, r->model->params, BL_SLAB_WEIGHT,
                                 bl_device_faster_precision(device_of(r)), threads, err);
    if (rc == 0)
        rc = bl__steady_init(&r->steady, bl__steady_share(steady, &net), r->w, r->h, device_of(r), err);
    if (rc < 0) return rc;
    return device_of(r) ? bl__screen_init(&r->screen, r->generator, r->plate, &r->grid, err)
                        : buffers(r, err);
}

int bl__render_plan(bl__render *r, const bl_model *m, int w, int h, int threads, bl_err *err) {
    *r = (bl__render){.model = m, .w = w, .h = h, .last = -1};
    int rc = bl__grid_init(&r->grid, m->plate->width, m->plate->height, m->info.scale, err);
    if (rc == 0) rc = make_maker(r, -1, threads, err);
    if (rc < 0) bl__render_release(r);
    return rc;
}

int bl__render_init(bl__render *r, const bl_model *m, const bl_track *track, float steady, int threads,
                    bl_err *err) {
    bl__extent e;
    *r = (bl__render){.model = m, .track = track, .last = -1};
    int rc = bl__grid_init(&r->grid, m->plate->width, m->plate->height, m->info.scale, err);
    if (rc == 0) rc = bl__follow_init(&r->follow, track, err);
    if (rc == 0) rc = bl__parts_init(&r->parts, track, err);
    if (rc == 0) rc = bl__follow_extent(&r->follow, &e, track, track->n, err);
    if (rc == 0) {
        window_size(r, &e);
        bl__follow_place(&r->follow, &r->grid, r->w, r->h, e.drop);
        rc = make_maker(r, steady, threads, err);
    }
    if (rc < 0) bl__render_release(r);
    return rc;
}

void bl__render_release(bl__render *r) {
    bl__screen_release(&r->screen);
    bl__steady_release(&r->steady);
    bl_generator_destroy(&r->generator);
    bl_free(r->label);
    bl_free(r->plate_window);
    bl_free(r->rgb);
    bl_free(r->mask);
    bl_free(r->plate);
    bl__parts_release(&r->parts);
    bl__follow_release(&r->follow);
    bl__grid_release(&r->grid);
    *r = (bl__render){0};
}

int64_t bl__render_pose(const bl__render *r, int64_t k, float *opacity) {
    const bl_track *t = r->track;
    const int64_t end = bl_track_shot_end(t, k); /* of the shot; nobody is held across a cut */
    int64_t first = k;
    while (first > 0 && k - first < FADE && !t->frames[first].cut) first--;
    for (int64_t d = 0; d < FADE; d++) {
        *opacity = 1 - (float)d / FADE;
        if (k - d >= first && k - d < t->n && t->frames[k - d].has_person) return k - d;
        if (k + d >= 0 && k + d < end && t->frames[k + d].has_person) return k + d;
    }
    *opacity = 0;
    return -1;
}

int bl__render_new_layer(bl__render *r, bl__layer *layer, bl__slide **slide, bl_err *err) {
    return device_of(r) ? bl__screen_slide(&r->screen, slide, err) : bl__layer_init(layer, r->w, r->h, err);
}

static int on_the_cpu(bl__render *r, bl__layer *layer, const bl__scene *s, bl_err *err) {
    bl_figure_options o = bl_figure_options_default();
    const bl__warp none = BL__WARP_NONE;
    bl__label_draw(r->label, &r->grid, s->x, s->y, r->w, r->h, s->person, &none, &o);
    bl__plate_window(r->plate_window, r->plate, &r->grid, s->x, s->y, r->w, r->h);
    int rc = bl_generator_run(r->generator, r->label, r->plate_window, s->dx, s->dy, r->rgb, r->mask, err);
    if (rc < 0) return rc;
    bl__layer_fill(layer, &r->grid, s->x, s->y, r->rgb, r->mask, r->plate_window, s->opacity);
    bl__steady_layer(&r->steady, &r->grid, layer, (bl__moment){s->person, s->x, s->y});
    return 0;
}

static int on_the_device(bl__render *r, bl__slide *slide, const bl__scene *s, bl_err *err) {
    int rc = bl__screen_show(&r->screen, slide, s, err);
    if (rc == 0)
        bl__steady_queue(&r->steady, &r->grid, &slide->rgba, &slide->moved,
                         (bl__moment){s->person, s->x, s->y});
    return rc;
}

int bl__render_layer(bl__render *r, int64_t k, bl__layer *layer, bl__slide *slide, int *x, int *y,
                     bl_err *err) {
    bl__scene s = {0};
    const int64_t pose = bl__render_pose(r, k, &s.opacity);
    if (pose < 0) {
        r->last = -1;
        return 0;
    }
    s.person = &r->track->frames[pose].person;
    s.x = *x = r->follow.x[k];
    s.y = *y = r->follow.y[k];
    if (r->last < 0 || r->track->frames[k].cut) {
        bl_generator_reset(r->generator);
        bl__steady_restart(&r->steady);
    } else {
        s.dx = (float)(*x - r->follow.x[r->last]);
        s.dy = (float)(*y - r->follow.y[r->last]);
    }
    r->last = k;
    int rc = slide ? on_the_device(r, slide, &s, err) : on_the_cpu(r, layer, &s, err);
    return rc < 0 ? rc : 1;
}
