/* The generator in use: one frame after another, each seeing the one before. */
#include <math.h>
#include <string.h>

#include "net.h"

struct bl_generator {
    bl_gan_net net;
    bl_graph *g;
    bl_program *p;
    bl_value label, plate, previous, image, mask;
    float *last; /* previous output, or NULL */
    int have_last;
};

static int build(bl_generator *g, bl_params *ps, bl_slab slab, bl_precision precision, int threads,
                 int plan_only, bl_err *err) {
    const bl_gan_net *n = &g->net;
    int rc = bl_graph_create(&g->g, ps, err);
    if (rc < 0) return rc;
    g->label = bl_input(g->g, "label", n->label_channels);
    g->plate = bl__sees_plate(n) ? bl_input(g->g, "plate", 3) : BL_NONE;
    g->previous = n->previous ? bl_input(g->g, "previous", 3) : BL_NONE;
    bl__painted out = bl__declare_generator(g->g, n, g->label, g->plate, g->previous);
    g->image = out.image;
    g->mask = out.mask;
    bl_input_shape in[3];
    int n_in = 0;
    for (int i = 0; i < 3; i++) {
        bl_value v = (bl_value[]){g->label, g->plate, g->previous}[i];
        if (v >= 0) in[n_in++] = (bl_input_shape){v, 1, n->height, n->width};
    }
    bl_value outputs[2] = {g->image, g->mask};
    return bl_program_compile(&g->p, g->g,
                              &(bl_program_options){.inputs = in,
                                                    .n_inputs = n_in,
                                                    .outputs = outputs,
                                                    .n_outputs = g->mask >= 0 ? 2 : 1,
                                                    .precision = precision,
                                                    .weights = slab,
                                                    .threads = threads,
                                                    .plan_only = plan_only},
                              err);
}

int bl_generator_create(bl_generator **out, const bl_gan_net *net, bl_params *ps, bl_slab slab,
                        bl_precision precision, int threads, bl_err *err) {
    int rc = bl__gan_check(net, err);
    if (rc < 0) return rc;
    bl_generator *g = bl_alloc(sizeof *g);
    if (!g) return bl_fail(err, BL_E_NOMEM, "not enough memory for the generator");
    g->net = *net;
    g->last = bl_alloc_array((size_t)net->width * (size_t)net->height * 3, sizeof(float));
    rc = g->last ? build(g, ps, slab, precision, threads, 0, err)
                 : bl_fail(err, BL_E_NOMEM, "not enough memory for the generator");
    if (rc < 0)
        bl_generator_destroy(&g);
    else
        *out = g;
    return rc;
}

void bl_generator_destroy(bl_generator **gp) {
    if (!*gp) return;
    bl_program_destroy(&(*gp)->p);
    bl_graph_destroy(&(*gp)->g);
    bl_free((*gp)->last);
    bl_free(*gp);
    *gp = NULL;
}

void bl_generator_reset(bl_generator *g) {
    g->have_last = 0;
}

static int is_moved(float dx, float dy) {
    return fabsf(dx) > 1e-3f || fabsf(dy) > 1e-3f;
}

void bl__shift_picture(float *dst, const float *src, int w, int h, float dx, float dy) {
    if (!is_moved(dx, dy)) {
        memcpy(dst, src, sizeof *dst * (size_t)w * (size_t)h * 3);
        return;
    }
    for (int y = 0; y < h; y++) {
        float py = BL_CLAMP((float)y + dy, 0.f, (float)(h - 1));
        int y0 = (int)py, y1 = BL_MIN(y0 + 1, h - 1);
        float ty = py - (float)y0;
        for (int x = 0; x < w; x++) {
            float px = BL_CLAMP((float)x + dx, 0.f, (float)(w - 1));
            int x0 = (int)px, x1 = BL_MIN(x0 + 1, w - 1);
            float tx = px - (float)x0;
            for (int c = 0; c < 3; c++) {
                float a = src[(y0 * w + x0) * 3 + c], b = src[(y0 * w + x1) * 3 + c];
                float d = src[(y1 * w + x0) * 3 + c], e = src[(y1 * w + x1) * 3 + c];
                dst[(y * w + x) * 3 + c] = (a + (b - a) * tx) * (1 - ty) + (d + (e - d) * tx) * ty;
            }
        }
    }
}

void bl__first_previous(float *dst, const float *plate, size_t pixels) {
    if (plate)
        memcpy(dst, plate, sizeof *dst * pixels * 3);
    else
        memset(dst, 0, sizeof *dst * pixels * 3);
}

int bl_generator_run(bl_generator *g, const float *label, const float *plate, float dx, float dy, float *rgb,
                     float *mask, bl_err *err) {
    size_t pixels = (size_t)g->net.width * (size_t)g->net.height;
    memcpy(bl_program_buffer(g->p, g->label), label, sizeof *label * pixels * (size_t)g->net.label_channels);
    if (g->plate >= 0) memcpy(bl_program_buffer(g->p, g->plate), plate, sizeof *plate * pixels * 3);
    if (g->previous >= 0) {
        float *in = bl_program_buffer(g->p, g->previous);
        if (g->have_last)
            bl__shift_picture(in, g->last, g->net.width, g->net.height, dx, dy);
        else
            bl__first_previous(in, g->plate >= 0 ? plate : NULL, pixels);
    }
    int rc = bl_program_forward(g->p, err);
    if (rc < 0) return rc;
    const float *image = bl_program_buffer(g->p, g->image);
    memcpy(g->last, image, sizeof *image * pixels * 3);
    g->have_last = 1;
    if (rgb) memcpy(rgb, image, sizeof *image * pixels * 3);
    if (!mask) return 0;
    if (g->mask >= 0)
        memcpy(mask, bl_program_buffer(g->p, g->mask), sizeof *mask * pixels);
    else
        for (size_t i = 0; i < pixels; i++) mask[i] = 1;
    return 0;
}

bl_generator_there bl_generator_pictures(bl_generator *g) {
    return (bl_generator_there){.label = bl_program_picture(g->p, g->label),
                                .plate = bl_program_picture(g->p, g->plate),
                                .image = bl_program_picture(g->p, g->image),
                                .mask = bl_program_picture(g->p, g->mask)};
}

int bl_generator_queue(bl_generator *g, float dx, float dy, bl_err *err) {
    const bl_generator_there there = bl_generator_pictures(g);
    bl_picture previous = bl_program_picture(g->p, g->previous);
    if (previous.data) {
        if (!g->have_last)
            bl_picture_copy(&previous, there.plate.data ? &there.plate : NULL);
        else if (is_moved(dx, dy))
            bl_picture_shift(&previous, &there.image, dx, dy);
        else
            bl_picture_copy(&previous, &there.image);
    }
    g->have_last = 1;
    return bl_program_queue(g->p, err);
}

int bl__generator_plan(const bl_gan_net *net, bl_params *ps, bl_precision precision, int threads,
                       int64_t *bytes, double *macs, bl_err *err) {
    bl_generator g = {.net = *net};
    int rc = build(&g, ps, BL_SLAB_WEIGHT, precision, threads, 1, err);
    if (rc == 0) {
        *bytes = bl_program_memory(g.p);
        if (!bl_params_device(ps)) *bytes += (int64_t)sizeof(float) * 3 * net->width * net->height;
        *macs = bl_program_macs(g.p);
    }
    bl_program_destroy(&g.p);
    bl_graph_destroy(&g.g);
    return rc;
}

int bl_generator_estimate(const bl_gan_net *net, bl_precision precision, int threads, bl_device *device,
                          int64_t *bytes, double *macs, bl_err *err) {
    const size_t each = sizeof(float) + (device ? sizeof(uint16_t) : 0); /* kept rounded too */
    bl_params *ps = NULL;
    int rc = bl__gan_check(net, err);
    if (rc < 0 || (rc = bl_params_create(&ps, err)) < 0) return rc;
    rc = bl_params_place(ps, device, err);
    if (rc == 0) rc = bl__generator_plan(net, ps, precision, threads, bytes, macs, err);
    if (rc == 0) *bytes += (int64_t)each * bl_params_total(ps, "");
    bl_params_destroy(&ps);
    return rc;
}
