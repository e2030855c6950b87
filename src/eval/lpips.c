#include "ballerino/lpips.h"

#include <math.h>
#include <string.h>

#include "ballerino/backbones.h"
#include "ballerino/base.h"

#define LEAST_SIDE 64
#define MOST_SIDE 8192
#define SIZES 4 /* kept ready */
#define PREFIX "net."
#define SCALING "scaling"
#define EPSILON 1e-10 /* added to lengths, as in the authors' program */

/* Brings -1..1 to what the backbones were trained on: (x - shift) / scale, R, G, B (the authors' program). */
static const float shift[3] = {-.030f, -.088f, -.188f}, scale[3] = {.458f, .448f, .450f};

typedef struct size {
    bl_program *p;
    int w, h;
} size;

struct bl_lpips {
    bl_backbone which;
    bl_params *ps;
    bl_graph *g;
    bl_value image, taps[BL_BACKBONE_MAX_TAPS];
    int n, channels[BL_BACKBONE_MAX_TAPS];
    float *linear[BL_BACKBONE_MAX_TAPS];
    size sizes[SIZES];
    int next; /* whose turn it is to be replaced */
    int threads;
};

static void fill_scaling(bl_params *ps) {
    float *w = bl_params_data(ps, bl_params_find(ps, SCALING ".weight"), BL_SLAB_WEIGHT);
    float *b = bl_params_data(ps, bl_params_find(ps, SCALING ".bias"), BL_SLAB_WEIGHT);
    for (int c = 0; c < 3; c++) w[c] = 1 / scale[c], b[c] = -shift[c] / scale[c];
    bl_params_touch(ps);
}

static int build(bl_lpips *l, const bl_tensors *file, bl_device *device, bl_err *err) {
    int rc = bl_params_create(&l->ps, err);
    if (rc == 0) rc = bl_params_place(l->ps, device, err);
    if (rc == 0) rc = bl_graph_create(&l->g, l->ps, err);
    if (rc < 0) return rc;
    l->image = bl_input(l->g, "image", 3);
    bl_value x =
        bl_conv2d(l->g, l->image, &(bl_conv2d_args){.name = SCALING, .depthwise = 1, .kh = 1, .kw = 1});
    rc = bl_backbone_declare(l->g, l->which, PREFIX, x, l->taps, BL_BACKBONE_MAX_TAPS, err);
    if (rc < 0) return rc;
    l->n = bl_backbone_taps(l->which, l->channels);
    rc = bl_params_seal(l->ps, 0, 0, err);
    if (rc == 0) rc = bl_backbone_load(l->ps, l->which, PREFIX, file, err);
    if (rc == 0) fill_scaling(l->ps);
    return rc;
}

static int load_linear(bl_lpips *l, const bl_tensors *file, bl_err *err) {
    for (int k = 0; k < l->n; k++) {
        char name[32];
        const int64_t dims[4] = {1, l->channels[k], 1, 1};
        snprintf(name, sizeof name, "lin%d.model.1.weight", k);
        const bl_tensor *t = bl_tensors_find(file, name);
        if (!t)
            return bl_fail(err, BL_E_MISMATCH,
                           "%s lacks LPIPS's linear weights for %s ('%s'); give the authors' weights as "
                           "safetensors, equal weights would be another measure",
                           bl_tensors_name(file), bl_backbone_name(l->which), name);
        t = bl_tensors_need_floats(file, name, 4, dims, err);
        if (!t)
            return bl_err_context(err, BL_E_MISMATCH, "LPIPS's linear weights for %s",
                                  bl_backbone_name(l->which));
        l->linear[k] = bl_alloc_array((size_t)l->channels[k], sizeof(float));
        if (!l->linear[k]) return bl_fail(err, BL_E_NOMEM, "not enough memory for LPIPS");
        bl_tensor_floats(t, l->linear[k]);
    }
    return 0;
}

int bl_lpips_open(bl_lpips **out, const char *backbone, const char *linear, bl_device *device, int threads,
                  bl_err *err) {
    bl_tensors *file = NULL, *second = NULL;
    bl_lpips *l = bl_alloc(sizeof *l);
    if (!l) return bl_fail(err, BL_E_NOMEM, "not enough memory for LPIPS");
    l->threads = threads;
    int rc = bl_tensors_read(&file, backbone, err);
    if (rc == 0 && linear) rc = bl_tensors_read(&second, linear, err);
    if (rc == 0) rc = bl_backbone_detect(file, err);
    if (rc >= 0) {
        l->which = (bl_backbone)rc;
        rc = l->which == BL_BACKBONE_VGG19
                 ? bl_fail(err, BL_E_MISMATCH,
                           "%s is VGG19; LPIPS is defined for AlexNet, SqueezeNet 1.1 and VGG16", backbone)
                 : build(l, file, device, err);
    }
    if (rc == 0) rc = load_linear(l, second ? second : file, err);
    bl_tensors_close(&second);
    bl_tensors_close(&file);
    if (rc < 0)
        bl_lpips_close(&l);
    else
        *out = l;
    return rc;
}

void bl_lpips_close(bl_lpips **lp) {
    bl_lpips *l = *lp;
    if (!l) return;
    for (int k = 0; k < SIZES; k++) bl_program_destroy(&l->sizes[k].p);
    for (int k = 0; k < BL_BACKBONE_MAX_TAPS; k++) bl_free(l->linear[k]);
    bl_graph_destroy(&l->g);
    bl_params_destroy(&l->ps);
    bl_free(l);
    *lp = NULL;
}

const char *bl_lpips_backbone(const bl_lpips *l) {
    return bl_backbone_name(l->which);
}

/* The program for both pictures at a size. */
static int program_for(bl_lpips *l, int w, int h, bl_program **out, bl_err *err) {
    for (int k = 0; k < SIZES; k++)
        if (l->sizes[k].p && l->sizes[k].w == w && l->sizes[k].h == h) {
            *out = l->sizes[k].p;
            return 0;
        }
    bl_program *p = NULL;
    int rc = bl_program_compile(&p, l->g,
                                &(bl_program_options){.inputs = &(bl_input_shape){l->image, 2, h, w},
                                                      .n_inputs = 1,
                                                      .outputs = l->taps,
                                                      .n_outputs = l->n,
                                                      .threads = l->threads},
                                err);
    if (rc < 0) return bl_err_context(err, rc, "LPIPS at %dx%d", w, h);
    size *s = &l->sizes[l->next];
    l->next = (l->next + 1) % SIZES;
    bl_program_destroy(&s->p);
    *s = (size){p, w, h};
    *out = p;
    return 0;
}

/* Mean over pixels of w . (a^ - b^)^2 */
static double compare(const float *a, const float *b, const float *w, int64_t pixels, int c) {
    double sum = 0;
    for (int64_t i = 0; i < pixels; i++, a += c, b += c) {
        double aa = 0, bb = 0, d = 0;
        for (int k = 0; k < c; k++) aa += (double)a[k] * a[k], bb += (double)b[k] * b[k];
        aa = 1 / (sqrt(aa) + EPSILON);
        bb = 1 / (sqrt(bb) + EPSILON);
        for (int k = 0; k < c; k++) {
            double e = a[k] * aa - b[k] * bb;
            d += (double)w[k] * e * e;
        }
        sum += d;
    }
    return sum / (double)pixels;
}

int bl_lpips_distance(bl_lpips *l, const float *a, const float *b, int w, int h, double *out, bl_err *err) {
    bl_program *p = NULL;
    if (w < LEAST_SIDE || h < LEAST_SIDE || w > MOST_SIDE || h > MOST_SIDE)
        return bl_fail(err, BL_E_USAGE, "LPIPS needs pictures of %d to %d pixels each way, not %dx%d",
                       LEAST_SIDE, MOST_SIDE, w, h);
    int rc = program_for(l, w, h, &p, err);
    if (rc < 0) return rc;
    const size_t values = (size_t)w * (size_t)h * 3;
    float *in = bl_program_buffer(p, l->image);
    memcpy(in, a, values * sizeof *in);
    memcpy(in + values, b, values * sizeof *in);
    if ((rc = bl_program_forward(p, err)) < 0) return rc;
    *out = 0;
    for (int k = 0; k < l->n; k++) {
        const bl_shape s = bl_program_shape(p, l->taps[k]);
        const float *f = bl_program_buffer(p, l->taps[k]);
        const int64_t pixels = (int64_t)s.h * s.w;
        *out += compare(f, f + pixels * s.c, l->linear[k], pixels, s.c);
    }
    return 0;
}
