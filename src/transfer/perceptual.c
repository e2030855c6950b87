#include "perceptual.h"

#include <string.h>

#include "ballerino/base.h"

/* The losses' usual weights where a preset has none. The landmark models' maps are scaled so that the loss is
 * near 1 for unlike pictures; VGG19's are as they come. */
#define POSE_WEIGHT 1.f
#define VGG19_WEIGHT 2.f

static int declare_features(void *ctx, bl_graph *g, bl_value image, bl_value *taps, float *weights, int max,
                            bl_err *err) {
    return bl_pose_features_declare(ctx, g, image, taps, weights, max, err);
}

static int load_features(void *ctx, bl_params *ps, bl_err *err) {
    return bl_pose_features_load(ctx, ps, err);
}

static int declare_vgg19(void *ctx, bl_graph *g, bl_value image, bl_value *taps, float *weights, int max,
                         bl_err *err) {
    static const float of_tap[5] = {1 / 32.f, 1 / 16.f, 1 / 8.f, 1 / 4.f, 1}; /* method.md 8 */
    (void)ctx;
    int n = bl_backbone_declare(g, BL_BACKBONE_VGG19, BL_PERCEPTUAL_PREFIX, image, taps, max, err);
    for (int i = 0; i < n; i++) weights[i] = of_tap[i];
    return n;
}

static int load_vgg19(void *ctx, bl_params *ps, bl_err *err) {
    return bl_backbone_load(ps, BL_BACKBONE_VGG19, BL_PERCEPTUAL_PREFIX, ctx, err);
}

static int open_features(bl_pose_features **f, bl_perceptual *p, bl_pose_features_net which,
                         const char *models_dir, bl_err *err) {
    int rc = *f ? 0 : bl_pose_features_open(f, which, BL_PERCEPTUAL_PREFIX, models_dir, err);
    *p = (bl_perceptual){*f, declare_features, load_features};
    return rc;
}

static int open_vgg19(bl__perceptual *p, const char *path, bl_err *err) {
    int rc = bl_tensors_read(&p->vgg19, path, err);
    if (rc == 0) rc = bl_backbone_detect(p->vgg19, err);
    if (rc >= 0 && rc != BL_BACKBONE_VGG19)
        return bl_fail(err, BL_E_MISMATCH, "%s is %s; the perceptual loss is defined for VGG19", path,
                       bl_backbone_name((bl_backbone)rc));
    p->on_vgg19 = (bl_perceptual){p->vgg19, declare_vgg19, load_vgg19};
    return rc < 0 ? rc : 0;
}

int bl__perceptual_open(bl__perceptual *p, bl__preset *preset, const char *choice, const char *models_dir,
                        bl_err *err) {
    const int none = choice && !strcmp(choice, "none"), pose = choice && !strcmp(choice, "pose");
    const int file = choice && *choice && !none && !pose;
    int rc = file ? open_vgg19(p, choice, err) : 0;
    for (int s = 0; s < BL__STAGES && rc == 0; s++) {
        bl_gan_train *t = &preset->stage[s].train;
        t->perceptual = NULL;
        if (none) t->w_perceptual = 0;
        if (pose && t->w_perceptual <= 0) t->w_perceptual = POSE_WEIGHT;
        if (file) t->w_perceptual = preset->vgg19[s] > 0 ? preset->vgg19[s] : VGG19_WEIGHT;
        if (file && preset->vgg19[s] > 0) t->w_l1 = 0; /* it stood in for this loss */
        if (!preset->stage[s].on || t->w_perceptual <= 0) continue;
        if (!file && s == BL__STAGE_FACE)
            rc = open_features(&p->face, &p->on_face, BL_FEATURES_FACE, models_dir, err);
        else if (!file)
            rc = open_features(&p->body, &p->on_body, BL_FEATURES_POSE, models_dir, err);
        if (rc == BL_E_MODELS && !pose) { /* nobody asked for it */
            bl_log(BL_LOG_WARN, "train", "without the perceptual loss: %s", err->msg);
            t->w_perceptual = 0;
            rc = 0;
            continue;
        }
        t->perceptual = file ? &p->on_vgg19 : s == BL__STAGE_FACE ? &p->on_face : &p->on_body;
    }
    return rc;
}

void bl__perceptual_close(bl__perceptual *p) {
    bl_pose_features_close(&p->body);
    bl_pose_features_close(&p->face);
    bl_tensors_close(&p->vgg19);
}
