#include "ballerino/pose_features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "models.h"
#include "tflite_build.h"

#define TAPS BL_POSE_FEATURES_TAPS
#define SIDE 128 /* of the picture that the spread is measured on */
#define PREFIX_MAX 8

struct bl_pose_features {
    bl_map file; /* the model's */
    bl__tflite *model;
    char prefix[PREFIX_MAX + 1];
    int tensor[TAPS];
    float weight[TAPS];
    bl__tfl_weight *weights; /* of the parameters, after the first declaring */
    int n_weights;
};

/* ---- where to tap ---- */
static int side_of(const bl__tflite *m, int tensor) {
    const bl__tfl_tensor *t = &m->tensors[tensor];
    return t->rank == 4 && !t->constant ? t->dims[1] : 0;
}

/* The operator that makes a tensor, or NULL. */
static const bl__tfl_op *maker(const bl__tflite *m, int tensor) {
    for (int k = 0; k < m->n_ops; k++)
        if (m->ops[k].out[0] == tensor) return &m->ops[k];
    return NULL;
}

/* The first operator that goes from `side` to half of it reads what is wanted (a PAD before it is part of
 * it).
 */
static int tensor_before_halving(const bl__tflite *m, int side) {
    for (int k = 0; k < m->n_ops; k++) {
        int from = m->ops[k].in[0];
        if (from < 0 || side_of(m, m->ops[k].out[0]) != side / 2) continue;
        const bl__tfl_op *pad = maker(m, from);
        if (pad && pad->code == BL__TFL_PAD) from = pad->in[0];
        if (from >= 0 && side_of(m, from) == side) return from;
    }
    return -1;
}

static int choose_taps(bl_pose_features *f, bl_err *err) {
    const bl__tflite *m = f->model;
    int side = m->n_in == 1 ? side_of(m, m->in[0]) : 0;
    for (int k = 0; k < TAPS; k++) {
        f->tensor[k] = side >> (k + 2) > 0 ? tensor_before_halving(m, side >> (k + 1)) : -1;
        if (f->tensor[k] < 0)
            return bl_fail(err, BL_E_FORMAT, "%s has no feature map at 1/%d of its picture's size", m->name,
                           2 << k);
    }
    return 0;
}

/* ---- declaring and loading ---- */
int bl_pose_features_declare(bl_pose_features *f, bl_graph *g, bl_value image, bl_value *taps, float *weights,
                             int max, bl_err *err) {
    bl__tfl_build b = {.model = f->model, .prefix = f->prefix, .params = bl_graph_params(g), .graph = g};
    if (max < TAPS) return bl_fail(err, BL_E_INTERNAL, "there are %d taps, room is for %d", TAPS, max);
    bl_value picture = bl_affine(g, image, 0.5f, 0.5f); /* the models take 0..1 */
    int rc = bl__tfl_build_part(&b, picture, f->tensor, TAPS, err);
    for (int k = 0; k < TAPS && rc == 0; k++) {
        taps[k] = b.value[f->tensor[k]];
        weights[k] = f->weight[k];
    }
    if (rc == 0 && !f->weights) {
        f->weights = b.weights;
        f->n_weights = b.n_weights;
        b.weights = NULL;
    }
    bl__tfl_build_release(&b);
    return rc < 0 ? rc : TAPS;
}

int bl_pose_features_load(bl_pose_features *f, bl_params *ps, bl_err *err) {
    int rc = f->weights ? 0 : bl_fail(err, BL_E_INTERNAL, "%s was not declared", f->model->name);
    for (int k = 0; k < f->n_weights && rc == 0; k++) {
        const bl__tfl_weight *w = &f->weights[k];
        int i = bl_params_find(ps, w->name);
        rc = i < 0 ? bl_fail(err, BL_E_INTERNAL, "%s: the parameter %s was lost", f->model->name, w->name)
                   : bl__tflite_floats(f->model, w->tensor, bl_params_data(ps, i, BL_SLAB_WEIGHT),
                                       bl_params_size(ps, i), err);
    }
    if (rc == 0) bl_params_touch(ps);
    return rc;
}

/* ---- how much each tap counts ---- */
/* Edges and shading at several scales, a little noise: what photos have. */
static void made_up_picture(float *rgb) {
    bl_rng rng;
    bl_rng_seed(&rng, 1);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                float u = (float)x / SIDE, v = (float)y / SIDE, phase = 1.3f * (float)c;
                float s = 0.5f * sinf(9 * u + 5 * v + phase) + 0.3f * sinf(31 * u * v - phase);
                s += hypotf(u - 0.5f, v - 0.4f) < 0.22f ? 0.4f : -0.2f;       /* a disc */
                s += sinf(60 * (u + 0.3f * v)) > 0.6f && v > 0.6f ? 0.4f : 0; /* stripes */
                s += 0.05f * (float)bl_rng_normal(&rng);
                rgb[(y * SIDE + x) * 3 + c] = BL_CLAMP(s, -1.f, 1.f);
            }
}

static double spread(const float *f, bl_shape s) {
    double sum = 0;
    int64_t pixels = (int64_t)s.h * s.w;
    for (int c = 0; c < s.c; c++) {
        double mean = 0;
        for (int64_t i = 0; i < pixels; i++) mean += (double)f[i * s.c + c];
        mean /= (double)pixels;
        for (int64_t i = 0; i < pixels; i++) sum += fabs((double)f[i * s.c + c] - mean);
    }
    return sum / (double)(pixels * s.c);
}

static int measure(bl_pose_features *f, bl_program *p, bl_value image, const bl_value *taps, bl_err *err) {
    made_up_picture(bl_program_buffer(p, image));
    int rc = bl_program_forward(p, err);
    for (int k = 0; k < TAPS && rc == 0; k++) {
        double s = spread(bl_program_buffer(p, taps[k]), bl_program_shape(p, taps[k]));
        char text[32];
        if (!(s > 1e-6 && s < 1e6))
            return bl_fail(err, BL_E_FORMAT, "%s gives feature maps that say nothing", f->model->name);
        snprintf(text, sizeof text, "%.2e", 1 / (TAPS * s)); /* the same on every CPU */
        f->weight[k] = strtof(text, NULL);
    }
    return rc;
}

static int find_weights(bl_pose_features *f, bl_err *err) {
    bl_params *ps = NULL;
    bl_graph *g = NULL;
    bl_program *p = NULL;
    bl_value image = BL_NONE, taps[TAPS];
    int rc = bl_params_create(&ps, err);
    if (rc == 0) rc = bl_graph_create(&g, ps, err);
    if (rc == 0) {
        image = bl_input(g, "picture", 3);
        rc = bl_pose_features_declare(f, g, image, taps, f->weight, TAPS, err);
    }
    if (rc >= 0) rc = bl_params_seal(ps, 0, 0, err);
    if (rc == 0) rc = bl_pose_features_load(f, ps, err);
    if (rc == 0)
        rc = bl_program_compile(&p, g,
                                &(bl_program_options){.inputs = &(bl_input_shape){image, 1, SIDE, SIDE},
                                                      .n_inputs = 1,
                                                      .outputs = taps,
                                                      .n_outputs = TAPS,
                                                      .threads = 1},
                                err);
    if (rc == 0) rc = measure(f, p, image, taps, err);
    bl_program_destroy(&p);
    bl_graph_destroy(&g);
    bl_params_destroy(&ps);
    return rc;
}

int bl_pose_features_open(bl_pose_features **out, bl_pose_features_net which, const char *prefix,
                          const char *models_dir, bl_err *err) {
    const char *name = which == BL_FEATURES_FACE ? "face_landmark.tflite" : "pose_landmark_full.tflite";
    if (strlen(prefix) > PREFIX_MAX)
        return bl_fail(err, BL_E_INTERNAL, "the prefix %s is longer than %d", prefix, PREFIX_MAX);
    bl_pose_features *f = bl_alloc(sizeof *f);
    if (!f) return bl_fail(err, BL_E_NOMEM, "not enough memory for %s", name);
    snprintf(f->prefix, sizeof f->prefix, "%s", prefix);
    int rc = bl__models_open(&f->file, models_dir, name, err);
    if (rc == 0) rc = bl__tflite_open(&f->model, f->file.data, f->file.size, name, err);
    if (rc == 0) rc = choose_taps(f, err);
    if (rc == 0) rc = find_weights(f, err);
    if (rc < 0)
        bl_pose_features_close(&f);
    else
        *out = f;
    return rc;
}

void bl_pose_features_close(bl_pose_features **fp) {
    bl_pose_features *f = *fp;
    if (!f) return;
    bl__tflite_close(&f->model);
    bl_map_close(&f->file);
    bl_free(f->weights);
    bl_free(f);
    *fp = NULL;
}
