/* Each network is a list of layers; declaring and loading walk over it. */
#include "ballerino/backbones.h"

#include <string.h>

#include "ballerino/base.h"

typedef enum kind { END, CONV, POOL, FIRE, TAP } kind;

/* `index`: the layer's number in torchvision's "features". CONV is followed by ReLU; FIRE squeezes to `out`
 * channels and widens to twice `k`; POOL takes the largest of k x k, with incomplete last windows. */
typedef struct layer {
    kind kind;
    int index, out, k, stride, pad;
} layer;

#define VGG(index, out)                                                                                      \
    { CONV, index, out, 3, 1, 1 }
#define HALVE                                                                                                \
    { POOL, 0, 0, 2, 2, 0 }
#define SHRINK                                                                                               \
    { POOL, 0, 0, 3, 2, 0 }
#define TAKE                                                                                                 \
    { TAP, 0, 0, 0, 0, 0 }
#define STOP                                                                                                 \
    { END, 0, 0, 0, 0, 0 }

static const layer vgg19[] = {VGG(0, 64),   TAKE,  VGG(2, 64),   HALVE, VGG(5, 128),  TAKE,
                              VGG(7, 128),  HALVE, VGG(10, 256), TAKE,  VGG(12, 256), VGG(14, 256),
                              VGG(16, 256), HALVE, VGG(19, 512), TAKE,  VGG(21, 512), VGG(23, 512),
                              VGG(25, 512), HALVE, VGG(28, 512), TAKE,  STOP};
static const layer vgg16[] = {VGG(0, 64),   VGG(2, 64), TAKE,  HALVE,        VGG(5, 128),
                              VGG(7, 128),  TAKE,       HALVE, VGG(10, 256), VGG(12, 256),
                              VGG(14, 256), TAKE,       HALVE, VGG(17, 512), VGG(19, 512),
                              VGG(21, 512), TAKE,       HALVE, VGG(24, 512), VGG(26, 512),
                              VGG(28, 512), TAKE,       STOP};
static const layer alexnet[] = {{CONV, 0, 64, 11, 4, 2},
                                TAKE,
                                SHRINK,
                                {CONV, 3, 192, 5, 1, 2},
                                TAKE,
                                SHRINK,
                                {CONV, 6, 384, 3, 1, 1},
                                TAKE,
                                {CONV, 8, 256, 3, 1, 1},
                                TAKE,
                                {CONV, 10, 256, 3, 1, 1},
                                TAKE,
                                STOP};
static const layer squeezenet[] = {{CONV, 0, 64, 3, 2, 0},
                                   TAKE,
                                   SHRINK,
                                   {FIRE, 3, 16, 64, 1, 0},
                                   {FIRE, 4, 16, 64, 1, 0},
                                   TAKE,
                                   SHRINK,
                                   {FIRE, 6, 32, 128, 1, 0},
                                   {FIRE, 7, 32, 128, 1, 0},
                                   TAKE,
                                   SHRINK,
                                   {FIRE, 9, 48, 192, 1, 0},
                                   TAKE,
                                   {FIRE, 10, 48, 192, 1, 0},
                                   TAKE,
                                   {FIRE, 11, 64, 256, 1, 0},
                                   TAKE,
                                   {FIRE, 12, 64, 256, 1, 0},
                                   TAKE,
                                   STOP};

static const struct {
    const char *name;
    const layer *layers;
    int ceil;         /* poolings count an incomplete last window */
    const char *mark; /* an array that only this one has */
} networks[BL_BACKBONE_COUNT] = {{"VGG19", vgg19, 0, "features.16.weight"},
                                 {"VGG16", vgg16, 0, "features.17.weight"},
                                 {"AlexNet", alexnet, 0, "features.8.weight"},
                                 {"SqueezeNet 1.1", squeezenet, 1, "features.3.squeeze.weight"}};

const char *bl_backbone_name(bl_backbone which) {
    return networks[which].name;
}

int bl_backbone_taps(bl_backbone which, int channels[BL_BACKBONE_MAX_TAPS]) {
    int n = 0, now = 3;
    for (const layer *l = networks[which].layers; l->kind != END; l++) {
        if (l->kind == TAP) channels[n++] = now;
        if (l->kind == CONV) now = l->out;
        if (l->kind == FIRE) now = 2 * l->k;
    }
    return n;
}

/* ---- declaring ---- */
static bl_value conv(bl_graph *g, bl_value x, const char *prefix, const char *name, const layer *l) {
    char full[64];
    if (snprintf(full, sizeof full, "%sfeatures.%d%s", prefix, l->index, name) >= (int)sizeof full)
        full[0] = 0; /* far too long a prefix: bl_params_add refuses what has no room */
    return bl_conv2d(g, x,
                     &(bl_conv2d_args){.name = full,
                                       .out = l->out,
                                       .kh = l->k,
                                       .kw = l->k,
                                       .sh = l->stride,
                                       .sw = l->stride,
                                       .pad = BL_PAD_SAME(l->pad),
                                       .act = BL_ACT_RELU,
                                       .init = BL_INIT_ZERO,
                                       .init_scale = 1}); /* filled when loaded */
}

static bl_value fire(bl_graph *g, bl_value x, const char *prefix, const layer *l) {
    bl_value s = conv(g, x, prefix, ".squeeze", &(layer){CONV, l->index, l->out, 1, 1, 0});
    bl_value wide[2] = {conv(g, s, prefix, ".expand1x1", &(layer){CONV, l->index, l->k, 1, 1, 0}),
                        conv(g, s, prefix, ".expand3x3", &(layer){CONV, l->index, l->k, 3, 1, 1})};
    return bl_concat(g, wide, 2);
}

int bl_backbone_declare(bl_graph *g, bl_backbone which, const char *prefix, bl_value image, bl_value *taps,
                        int max, bl_err *err) {
    int channels[BL_BACKBONE_MAX_TAPS], n = bl_backbone_taps(which, channels), at = 0;
    if (n > max || strlen(prefix) > 24)
        return bl_fail(err, BL_E_INTERNAL, "%s has %d taps, room is for %d", bl_backbone_name(which), n, max);
    bl_value x = image;
    for (const layer *l = networks[which].layers; at < n; l++) {
        if (l->kind == TAP) taps[at++] = x;
        if (l->kind == CONV) x = conv(g, x, prefix, "", l);
        if (l->kind == FIRE) x = fire(g, x, prefix, l);
        if (l->kind == POOL)
            x = networks[which].ceil ? bl_max_pool_ceil(g, x, l->k, l->stride)
                                     : bl_max_pool(g, x, l->k, l->stride, 0);
    }
    return n;
}

/* ---- loading ---- */
/* dst [out][plane][in] = src [out][in][plane] */
static void turn(float *dst, const float *src, const int *dims) {
    const int out = dims[0], plane = dims[1] * dims[2], in = dims[3];
    for (int64_t o = 0; o < out; o++)
        for (int64_t p = 0; p < plane; p++)
            for (int64_t i = 0; i < in; i++) dst[(o * plane + p) * in + i] = src[(o * in + i) * plane + p];
}

static int load_one(bl_params *ps, int index, const bl_tensors *file, const char *name, int check,
                    bl_err *err) {
    const int *d = bl_params_dims(ps, index), rank = bl_params_rank(ps, index);
    int64_t dims[4] = {d[0]};
    if (rank == 4) dims[1] = d[3], dims[2] = d[1], dims[3] = d[2];
    const bl_tensor *t = bl_tensors_need_floats(file, name, rank, dims, err);
    if (!t) return BL_E_MISMATCH;
    if (check) return 0;
    float *w = bl_params_data(ps, index, BL_SLAB_WEIGHT);
    if (rank == 1) {
        bl_tensor_floats(t, w);
        return 0;
    }
    float *plain = bl_alloc_array((size_t)bl_params_size(ps, index), sizeof *plain);
    if (!plain) return bl_fail(err, BL_E_NOMEM, "not enough memory to load %s", name);
    bl_tensor_floats(t, plain);
    turn(w, plain, d);
    bl_free(plain);
    return 0;
}

int bl_backbone_load(bl_params *ps, bl_backbone which, const char *prefix, const bl_tensors *file,
                     bl_err *err) {
    const size_t skip = strlen(prefix);
    int rc = 0, found = 0;
    for (int check = 1; check >= 0; check--)
        for (int i = 0; rc == 0 && i < bl_params_count(ps); i++) {
            const char *name = bl_params_name(ps, i);
            if (strncmp(name, prefix, skip) != 0) continue;
            rc = load_one(ps, i, file, name + skip, check, err);
            found++;
        }
    if (rc < 0) return bl_err_context(err, rc, "torchvision's %s is needed", bl_backbone_name(which));
    if (!found) return bl_fail(err, BL_E_INTERNAL, "no parameter begins with %s", prefix);
    bl_params_touch(ps);
    return 0;
}

int bl_backbone_detect(const bl_tensors *file, bl_err *err) {
    for (int k = BL_BACKBONE_COUNT - 1; k >= 0; k--) {
        const bl_tensor *first = bl_tensors_find(file, "features.0.weight");
        if (!first || !bl_tensors_find(file, networks[k].mark)) continue;
        const layer *l = networks[k].layers;
        if (first->rank == 4 && first->dims[0] == l->out && first->dims[2] == l->k) return k;
    }
    return bl_fail(
        err, BL_E_MISMATCH,
        "%s holds none of torchvision's AlexNet, SqueezeNet 1.1, VGG16 and VGG19 (features.0.weight "
        "and so on)",
        bl_tensors_name(file));
}
