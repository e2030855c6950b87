#include "model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "presets.h"

#ifndef BL_VERSION
#define BL_VERSION "0.1.0"
#endif
#define FORMAT "ballerino-model"
#define FORMAT_VERSION "2"
#define MAX_PARAMS 1024

/* ---- numbers in the metadata: one table for writing and reading ---- */
typedef enum kind { INT, LONG, FLOAT, DOUBLE } kind;
typedef struct field {
    const char *key;
    kind kind;
    size_t offset;
    double low, high; /* accepted range */
    int optional;     /* 0 where the file doesn't say: models older than the key */
} field;
#define REFINER(name, i)                                                                                     \
    F(name ".on", INT, refine[i].on, 0, 1), F(name ".arch", INT, refine[i].net.arch, 0, 1),                  \
        F(name ".size", INT, refine[i].net.width, 0, 1024), F(name ".ngf", INT, refine[i].net.ngf, 0, 512),  \
        F(name ".down", INT, refine[i].net.down, 0, 8), F(name ".blocks", INT, refine[i].net.blocks, 0, 64), \
        F(name ".max_channels", INT, refine[i].net.max_channels, 0, 4096)
#define F(k, type, member, low, high)                                                                        \
    { k, type, offsetof(bl__model_info, member), low, high, 0 }
#define LIMB(name, limb)                                                                                     \
    {"stats.limb_space." name, FLOAT, offsetof(bl__model_info, stats.limb_space[limb]), 0, 100, 1}, {        \
        "stats.limb_image." name, FLOAT, offsetof(bl__model_info, stats.limb_image[limb]), 0, 100, 1         \
    }
static const field fields[] = {
    F("net.scene", INT, net.scene, 0, 1),
    F("net.arch", INT, net.arch, 0, 1),
    F("net.width", INT, net.width, 32, 4096),
    F("net.height", INT, net.height, 32, 4096),
    F("net.label_channels", INT, net.label_channels, 3, 3),
    F("net.previous", INT, net.previous, 0, 1),
    F("net.ngf", INT, net.ngf, 1, 512),
    F("net.down", INT, net.down, 1, 8),
    F("net.blocks", INT, net.blocks, 0, 64),
    F("net.max_channels", INT, net.max_channels, 1, 4096),
    F("net.enhancer", INT, net.enhancer, 0, 1),
    F("net.ngf_local", INT, net.ngf_local, 0, 512),
    F("net.blocks_local", INT, net.blocks_local, 0, 64),
    F("net.ndf", INT, net.ndf, 1, 512),
    F("net.num_d", INT, net.num_d, 1, 8),
    F("net.layers_d", INT, net.layers_d, 1, 8),
    REFINER("face", BL__REFINE_FACE),
    REFINER("hands", BL__REFINE_HANDS),
    F("stats.width", INT, stats.width, 1, BL_FRAME_MAX_SIDE),
    F("stats.height", INT, stats.height, 1, BL_FRAME_MAX_SIDE),
    F("stats.frames", LONG, stats.frames, 1, (double)BL_TRACK_MAX_FRAMES),
    F("stats.floor_near", FLOAT, stats.floor_near, -1e6, 1e6),
    F("stats.floor_far", FLOAT, stats.floor_far, -1e6, 1e6),
    F("stats.height_near", FLOAT, stats.height_near, 0, 1e6),
    F("stats.height_far", FLOAT, stats.height_far, 0, 1e6),
    F("stats.body_height", FLOAT, stats.body_height, 0, 1e6),
    F("stats.centre_x", FLOAT, stats.centre_x, -1e6, 1e6),
    F("stats.toe_median", FLOAT, stats.toe_median, -1e6, 1e6),
    F("stats.single_scale", INT, stats.single_scale, 0, 1),
    F("stats.toe_max", FLOAT, stats.toe_max, -1e6, 1e6),
    F("stats.horizon", FLOAT, stats.horizon, -1e6, 1e6),
    F("stats.close", FLOAT, stats.close, 0, 1e6),
    F("stats.far", FLOAT, stats.far, 0, 1e6),
    LIMB("trunk", BL_LIMB_TRUNK),
    LIMB("neck", BL_LIMB_NECK),
    LIMB("head", BL_LIMB_HEAD),
    LIMB("shoulders", BL_LIMB_SHOULDERS),
    LIMB("upper_arm", BL_LIMB_UPPER_ARM),
    LIMB("forearm", BL_LIMB_FOREARM),
    LIMB("hand", BL_LIMB_HAND),
    LIMB("hips", BL_LIMB_HIPS),
    LIMB("thigh", BL_LIMB_THIGH),
    LIMB("shin", BL_LIMB_SHIN),
    F("window.scale", DOUBLE, scale, 1e-3, 1),
    F("track.smooth", INT, smooth, 1, 99),
    F("train.steps", LONG, steps, 0, 1e15),
    F("train.holdout", DOUBLE, holdout, 0, 0.5),
    F("train.n_train", LONG, n_train, 0, (double)BL_TRACK_MAX_FRAMES),
    F("scores.valid", INT, scores.valid, 0, 1),
    F("scores.frames", LONG, scores.frames, 0, (double)BL_TRACK_MAX_FRAMES),
    F("scores.ssim", DOUBLE, scores.ssim, -1, 1),
    F("scores.psnr", DOUBLE, scores.psnr, -100, 1000),
    F("scores.plate_ssim", DOUBLE, scores.plate_ssim, -1, 1),
    F("scores.plate_psnr", DOUBLE, scores.plate_psnr, -100, 1000),
    F("scores.nearest_ssim", DOUBLE, scores.nearest_ssim, -1, 1),
    F("scores.nearest_psnr", DOUBLE, scores.nearest_psnr, -100, 1000),
    F("scores.ssim_first_half", DOUBLE, scores.ssim_first_half, -1, 1),
    F("scores.ssim_second_half", DOUBLE, scores.ssim_second_half, -1, 1),
};
#undef F
#undef LIMB
#undef REFINER
static const char *const refiner_names[BL__REFINERS] = {"face/", "hands/"};

static double get_number(const bl__model_info *info, const field *f) {
    const char *p = (const char *)info + f->offset;
    switch (f->kind) {
    case INT: return *(const int *)(const void *)p;
    case LONG: return (double)*(const int64_t *)(const void *)p;
    case FLOAT: return (double)*(const float *)(const void *)p;
    default: return *(const double *)(const void *)p;
    }
}

static void set_number(bl__model_info *info, const field *f, double v) {
    char *p = (char *)info + f->offset;
    switch (f->kind) {
    case INT: *(int *)(void *)p = (int)v; break;
    case LONG: *(int64_t *)(void *)p = (int64_t)v; break;
    case FLOAT: *(float *)(void *)p = (float)v; break;
    default: *(double *)(void *)p = v;
    }
}

const char *bl__preset_name(bl_preset p) {
    static const char *const names[] = {"draft", "standard", "high", "paper"};
    return names[p];
}

/* ---- writing ---- */
typedef struct arrays {
    bl_tensor t[MAX_PARAMS + 1];
    char name[MAX_PARAMS + 1][96];
    int n;
} arrays;

static int collect(arrays *a, const char *prefix, bl__weights w, bl_err *err) {
    int rc = bl_params_to_host(w.ps, err);
    if (rc < 0) return rc;
    for (int i = 0; i < bl_params_count(w.ps); i++) {
        if (strncmp(bl_params_name(w.ps, i), "G.", 2) != 0) continue;
        if (a->n == MAX_PARAMS)
            return bl_fail(err, BL_E_INTERNAL, "a model of more than %d arrays", MAX_PARAMS);
        snprintf(a->name[a->n], sizeof a->name[0], "%s%s", prefix, bl_params_name(w.ps, i));
        bl_tensor *t = &a->t[a->n];
        *t = (bl_tensor){.name = a->name[a->n],
                         .dtype = BL_DT_F32,
                         .rank = bl_params_rank(w.ps, i),
                         .data = bl_params_data(w.ps, i, w.slab),
                         .bytes = (size_t)bl_params_size(w.ps, i) * sizeof(float)};
        for (int k = 0; k < t->rank; k++) t->dims[k] = bl_params_dims(w.ps, i)[k];
        a->n++;
    }
    return 0;
}

static int collect_all(arrays *a, const bl__model_info *info, bl__weights main, const bl__weights *refine,
                       bl_err *err) {
    int rc = collect(a, "", main, err);
    for (int k = 0; k < BL__REFINERS && rc == 0; k++)
        if (info->refine[k].on) rc = collect(a, refiner_names[k], refine[k], err);
    return rc;
}

int bl__model_write(const char *path, const bl__model_info *info, bl__weights main,
                    const bl__weights refine[BL__REFINERS], const bl_frame *plate, bl_err *err) {
    enum { TEXTS = 7 };
    char number[BL_COUNT(fields)][32];
    bl_tensor_meta meta[BL_COUNT(fields) + TEXTS] = {{"format", FORMAT},
                                                     {"version", FORMAT_VERSION},
                                                     {"ballerino", BL_VERSION},
                                                     {"skeleton", BL__SKELETON},
                                                     {"consent", info->consent},
                                                     {"preset", info->preset},
                                                     {"target_sha256", info->target_sha256}};
    for (size_t i = 0; i < BL_COUNT(fields); i++) {
        snprintf(number[i], sizeof number[i], fields[i].kind == FLOAT ? "%.9g" : "%.17g",
                 get_number(info, &fields[i]));
        meta[TEXTS + i] = (bl_tensor_meta){fields[i].key, number[i]};
    }
    arrays *a = bl_alloc(sizeof *a);
    uint8_t *rgb = bl_alloc_array((size_t)plate->width * (size_t)plate->height, 3);
    int rc = a && rgb ? collect_all(a, info, main, refine, err)
                      : bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    if (rc == 0) {
        for (int y = 0; y < plate->height; y++)
            memcpy(rgb + (size_t)y * (size_t)plate->width * 3, plate->data + y * plate->stride,
                   (size_t)plate->width * 3);
        a->t[a->n++] = (bl_tensor){.name = "plate",
                                   .dtype = BL_DT_U8,
                                   .rank = 3,
                                   .dims = {plate->height, plate->width, 3},
                                   .data = rgb,
                                   .bytes = (size_t)plate->width * (size_t)plate->height * 3};
        rc = bl_tensors_write(path, a->t, a->n, meta, (int)BL_COUNT(meta), err);
    }
    bl_free(rgb);
    bl_free(a);
    return rc;
}

/* ---- reading ---- */
static int check_kind(const bl_model *m, bl_err *err) {
    const char *format = bl_tensors_meta(m->file, "format"), *version = bl_tensors_meta(m->file, "version"),
               *skeleton = bl_tensors_meta(m->file, "skeleton");
    if (!format || strcmp(format, FORMAT) != 0)
        return bl_fail(err, BL_E_FORMAT, "%s is not a Ballerino model; give a file that `train` wrote",
                       m->path);
    if (!bl_tensors_meta(m->file, "sha256"))
        return bl_fail(err, BL_E_FORMAT, "%s is damaged: its sha256 is missing; copy or train it again",
                       m->path);
    if (!version || strcmp(version, FORMAT_VERSION) != 0)
        return bl_fail(err, BL_E_MISMATCH, "%s is a model of version %.20s, this program reads version %s",
                       m->path, version ? version : "?", FORMAT_VERSION);
    if (skeleton && strcmp(skeleton, "blazepose33/body25/1") == 0)
        return bl_fail(
            err, BL_E_MISMATCH,
            "%s was trained by an older version, on figures without hands and face; train it again", m->path);
    if (!skeleton || strcmp(skeleton, BL__SKELETON) != 0)
        return bl_fail(
            err, BL_E_MISMATCH,
            "%s was trained on figures of another kind (%.40s, this program draws %s); train it again",
            m->path, skeleton ? skeleton : "?", BL__SKELETON);
    return 0;
}

/* Models of before 0.1.0's `eval` do not say what was held out. */
static int may_miss(const char *key) {
    return !strcmp(key, "train.holdout") || !strcmp(key, "train.n_train");
}

static int read_numbers(bl_model *m, bl_err *err) {
    for (size_t i = 0; i < BL_COUNT(fields); i++) {
        const char *text = bl_tensors_meta(m->file, fields[i].key);
        if (!text && may_miss(fields[i].key)) continue;
        char *end = NULL;
        if (!text && fields[i].optional) continue;
        double v = text ? strtod(text, &end) : NAN;
        if (!text || end == text || *end || !(v >= fields[i].low && v <= fields[i].high))
            return bl_fail(err, BL_E_FORMAT, "%s is damaged: '%s' is missing or out of range; train it again",
                           m->path, fields[i].key);
        set_number(&m->info, &fields[i], v);
    }
    m->info.consent = bl_tensors_meta(m->file, "consent");
    m->info.preset = bl_tensors_meta(m->file, "preset");
    m->info.target_sha256 = bl_tensors_meta(m->file, "target_sha256");
    if (!m->info.consent || !*m->info.consent)
        return bl_fail(err, BL_E_CONSENT, "%s holds no consent statement of the person in it", m->path);
    return 0;
}

static int read_plate(bl_model *m, bl_err *err) {
    const bl_pose_stats *s = &m->info.stats;
    const bl_tensor *t =
        bl_tensors_need(m->file, "plate", BL_DT_U8, 3, (int64_t[]){s->height, s->width, 3}, err);
    if (!t) return BL_E_MISMATCH;
    int rc = bl_frame_create(&m->plate, s->width, s->height, err);
    if (rc < 0) return rc;
    for (int y = 0; y < s->height; y++)
        memcpy(m->plate->data + y * m->plate->stride,
               (const uint8_t *)t->data + (size_t)y * (size_t)s->width * 3, (size_t)s->width * 3);
    return 0;
}

static int read_weights(bl_model *m, bl_params **out, const bl_gan_net *net, const char *prefix,
                        bl_device *device, bl_err *err) {
    bl_params *ps = NULL;
    int rc = bl_params_create(&ps, err);
    *out = ps;
    if (rc == 0) rc = bl_params_place(ps, device, err);
    if (rc == 0) rc = bl_gan_declare(net, ps, 0, err);
    if (rc == 0) rc = bl_params_seal(ps, 1, 0, err);
    for (int i = 0; rc == 0 && i < bl_params_count(ps); i++) {
        char name[112];
        int64_t dims[8];
        const int rank = bl_params_rank(ps, i);
        for (int k = 0; k < rank; k++) dims[k] = bl_params_dims(ps, i)[k];
        snprintf(name, sizeof name, "%s%s", prefix, bl_params_name(ps, i));
        const bl_tensor *t = bl_tensors_need(m->file, name, BL_DT_F32, rank, dims, err);
        if (!t) return BL_E_MISMATCH;
        memcpy(bl_params_data(ps, i, BL_SLAB_WEIGHT), t->data, t->bytes);
    }
    if (rc == 0) bl_params_touch(ps);
    return rc;
}

static int read_refiners(bl_model *m, bl_device *device, bl_err *err) {
    int rc = 0;
    for (int k = 0; k < BL__REFINERS && rc == 0; k++) {
        bl__refine_info *r = &m->info.refine[k];
        if (!r->on) continue;
        const bl_gan_net said = r->net;
        r->net = bl__refiner_net(said.width);
        r->net.arch = said.arch;
        r->net.ngf = said.ngf;
        r->net.down = said.down;
        r->net.blocks = said.blocks;
        r->net.max_channels = said.max_channels;
        rc = read_weights(m, &m->refine[k], &r->net, refiner_names[k], device, err);
    }
    return rc;
}

int bl_model_open(bl_model **out, const char *path, bl_device *device, bl_err *err) {
    bl_model *m = bl_alloc(sizeof *m);
    if (m) m->path = bl_strdup(path);
    int rc = m && m->path ? bl_tensors_read(&m->file, path, err)
                          : bl_fail(err, BL_E_NOMEM, "not enough memory to open %s", path);
    if (rc == 0) rc = check_kind(m, err);
    if (rc == 0) rc = read_numbers(m, err);
    if (rc == 0) rc = read_plate(m, err);
    if (rc == 0) rc = read_weights(m, &m->params, &m->info.net, "", device, err);
    if (rc == 0) rc = read_refiners(m, device, err);
    if (rc < 0)
        bl_model_close(&m);
    else
        *out = m;
    return rc;
}

void bl_model_close(bl_model **mp) {
    bl_model *m = *mp;
    if (!m) return;
    bl_frame_unref(&m->plate);
    bl_params_destroy(&m->params);
    for (int k = 0; k < BL__REFINERS; k++) bl_params_destroy(&m->refine[k]);
    bl_tensors_close(&m->file);
    bl_free(m->path);
    bl_free(m);
    *mp = NULL;
}

const char *bl_model_meta(const bl_model *m, const char *key) {
    return bl_tensors_meta(m->file, key);
}
