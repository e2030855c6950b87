/* The perceptual loss (method 8): features of the generated and the real picture in a frozen network. */
#include "trainer.h"

/* sum over taps of weight * mean |f(fake) - f(real)|; nothing is differentiated on the real side. */
static int of_frame(bl_trainer *t, int k, bl_value *out, bl_err *err) {
    const bl_perceptual *p = t->train.perceptual;
    bl_value fake[BL_PERCEPTUAL_MAX_TAPS], real[BL_PERCEPTUAL_MAX_TAPS], terms[BL_PERCEPTUAL_MAX_TAPS];
    float weights[BL_PERCEPTUAL_MAX_TAPS];
    int n = p->declare(p->ctx, t->g, t->image[k], fake, weights, BL_PERCEPTUAL_MAX_TAPS, err);
    if (n < 0) return n;
    int m = p->declare(p->ctx, t->g, t->real[k], real, weights, BL_PERCEPTUAL_MAX_TAPS, err);
    if (m < 0) return m;
    if (n != m || n < 1)
        return bl_fail(err, BL_E_INTERNAL, "the perceptual network has %d taps, then %d", n, m);
    for (int i = 0; i < n; i++)
        terms[i] = bl_loss_l1(t->g, fake[i], bl_stop_gradient(t->g, real[i]), BL_NONE);
    *out = bl_weighted_sum(t->g, terms, weights, n);
    return 0;
}

int bl__declare_perceptual(bl_trainer *t, bl_value *out, bl_err *err) {
    bl_value frame[2] = {BL_NONE, BL_NONE};
    *out = BL_NONE;
    if (!t->train.perceptual || !(t->train.w_perceptual > 0)) return 0;
    for (int k = 0; k < t->frames; k++) {
        int rc = of_frame(t, k, &frame[k], err);
        if (rc < 0) return rc;
    }
    const float share = 1.f / (float)t->frames;
    *out = bl_weighted_sum(t->g, frame, (float[2]){share, share}, t->frames);
    return bl_params_freeze(t->ps, BL_PERCEPTUAL_PREFIX, err);
}

int bl__load_perceptual(bl_trainer *t, bl_err *err) {
    return t->loss[BL__LOSS_PERCEPTUAL] >= 0 ? t->train.perceptual->load(t->train.perceptual->ctx, t->ps, err)
                                             : 0;
}
