/*
 * The trainer: one step = one training unit (method 7 and 8).
 *
 * Own outputs are rolled out for 0..max_rollout frames with the weights as they are, so that the generator
 * learns to go on from what it will really see; then one frame (or, with temporal_d, two in a row through one
 * graph) is generated, judged and learned from. Generator and discriminators are stepped from the same
 * forward pass.
 */
#include <math.h>
#include <string.h>

#include "trainer.h"

static const char *const loss_names[BL__LOSSES] = {"total", "gan",    "fm",     "l1",
                                                   "ssim",  "d_real", "d_fake", "perceptual"};

bl_gan_train bl_gan_train_default(void) {
    return (bl_gan_train){.lr_g = 4e-4f,
                          .lr_d = 2e-4f,
                          .beta1 = 0.5f,
                          .beta2 = 0.999f,
                          .w_gan = 0.2f,
                          .w_fm = 1,
                          .w_l1 = 10,
                          .w_ssim = 4,
                          .gan_loss = BL_GAN_LSGAN,
                          .ema = 0.999f,
                          .max_rollout = 4,
                          .prev_real = 0.15f,
                          .prev_start = 0.15f,
                          .prev_shift = 0.25f,
                          .temporal_d = 0,
                          .steps = 4000,
                          .decay_from = 0.5f,
                          .gan_from = 0,
                          .seed = 1,
                          .precision = BL_FP32};
}

/* ---- the training graph ---- */
static bl_value gan_loss(bl_graph *g, const bl_gan_train *t, const bl__verdicts *v, int real,
                         int for_generator) {
    bl_value terms[BL__MAX_SCALES];
    float ones[BL__MAX_SCALES];
    for (int k = 0; k < v->scales; k++) {
        bl_value score = v->layer[k][v->layers - 1];
        ones[k] = 1;
        if (t->gan_loss == BL_GAN_LSGAN)
            terms[k] = bl_loss_mse_to(g, score, real ? 1 : 0);
        else if (for_generator)
            terms[k] = bl_affine(g, bl_reshape(g, bl_mean(g, score), 1, 1, 1), -1, 0);
        else
            terms[k] = bl_loss_hinge(g, score, real ? 1 : -1);
    }
    return bl_weighted_sum(g, terms, ones, v->scales);
}

/* Mean over scales of the sum over layers of |fake - real| (method 8). */
static bl_value feature_matching(bl_graph *g, const bl__verdicts *fake, const bl__verdicts *real) {
    bl_value terms[BL__MAX_SCALES * BL__MAX_LAYERS];
    float weights[BL__MAX_SCALES * BL__MAX_LAYERS];
    int n = 0;
    for (int k = 0; k < fake->scales; k++)
        for (int i = 0; i + 1 < fake->layers && n < 16; i++, n++) {
            terms[n] = bl_loss_l1(g, fake->layer[k][i], bl_stop_gradient(g, real->layer[k][i]), BL_NONE);
            weights[n] = 1.f / (float)fake->scales;
        }
    return bl_weighted_sum(g, terms, weights, n);
}

static void declare_inputs(bl_trainer *t) {
    const bl_gan_net *n = &t->net;
    t->previous = n->previous ? bl_input(t->g, "previous", 3) : BL_NONE;
    for (int k = 0; k < t->frames; k++) {
        t->label[k] = bl_input(t->g, k ? "label1" : "label0", n->label_channels);
        t->plate[k] = bl__sees_plate(n) ? bl_input(t->g, k ? "plate1" : "plate0", 3) : BL_NONE;
        t->real[k] = bl_input(t->g, k ? "real1" : "real0", 3);
        t->weight[k] = bl_input(t->g, k ? "weight1" : "weight0", 1);
    }
}

static bl_value average(bl_graph *g, const bl_value *v, int n) {
    float w[2] = {1.f / (float)n, 1.f / (float)n};
    return bl_weighted_sum(g, v, w, n);
}

/* The weighted sum of those losses that weigh something. */
static bl_value total(bl_graph *g, const bl_value *loss, const int *parts, const float *weights, int n) {
    bl_value v[8];
    float w[8];
    int used = 0;
    for (int i = 0; i < n; i++)
        if (weights[i] > 0) v[used] = loss[parts[i]], w[used++] = weights[i];
    return bl_weighted_sum(g, v, w, used);
}

static int declare_training(bl_trainer *t, bl_err *err) {
    bl_graph *g = t->g;
    const bl_gan_train *o = &t->train;
    bl_value l1[2], ssim[2], judged_fake[4], judged_real[4], previous;
    declare_inputs(t);
    previous = t->previous;
    for (int k = 0; k < t->frames; k++) {
        t->image[k] = bl__declare_generator(g, &t->net, t->label[k], t->plate[k], previous).image;
        previous =
            t->previous >= 0 ? t->image[k] : BL_NONE; /* not detached: two-step back-propagation, method 7 */
        l1[k] = bl_loss_l1(g, t->image[k], t->real[k], t->weight[k]);
        ssim[k] = bl_loss_ssim(g, t->image[k], t->real[k], t->weight[k], 2);
        judged_fake[k] = judged_real[k] = t->label[k];
        judged_fake[t->frames + k] = t->image[k];
        judged_real[t->frames + k] = t->real[k];
    }
    bl__verdicts fake = bl__declare_discriminator(g, &t->net, bl_concat(g, judged_fake, 2 * t->frames));
    bl__verdicts real = bl__declare_discriminator(g, &t->net, bl_concat(g, judged_real, 2 * t->frames));
    bl_value *out = t->loss;
    out[BL__LOSS_GAN] = gan_loss(g, o, &fake, 1, 1);
    out[BL__LOSS_FM] = o->w_fm > 0 ? feature_matching(g, &fake, &real) : BL_NONE;
    out[BL__LOSS_L1] = average(g, l1, t->frames);
    out[BL__LOSS_SSIM] = average(g, ssim, t->frames);
    out[BL__LOSS_D_REAL] = gan_loss(g, o, &real, 1, 0);
    out[BL__LOSS_D_FAKE] = gan_loss(g, o, &fake, 0, 0);
    int rc = bl__declare_perceptual(t, &out[BL__LOSS_PERCEPTUAL], err);
    if (rc < 0) return rc;
    const int parts[] = {BL__LOSS_L1, BL__LOSS_SSIM, BL__LOSS_PERCEPTUAL, BL__LOSS_GAN, BL__LOSS_FM};
    const float w_perceptual = out[BL__LOSS_PERCEPTUAL] >= 0 ? o->w_perceptual : 0;
    const float weights[] = {o->w_l1, o->w_ssim, w_perceptual, o->w_gan, o->w_fm};
    t->plain_total = total(g, out, parts, weights, 3);
    out[BL__LOSS_TOTAL] = total(g, out, parts, weights, 5);
    t->d_total = bl_weighted_sum(g, (bl_value[]){out[BL__LOSS_D_REAL], out[BL__LOSS_D_FAKE]},
                                 (float[]){0.5f, 0.5f}, 2);
    return 0;
}

static int compile(bl_trainer *t, bl_program **p, int with_gan, bl_err *err) {
    bl_input_shape in[9];
    int n = 0;
    bl_value candidates[9] = {t->previous, t->label[0], t->plate[0], t->real[0],  t->weight[0],
                              t->label[1], t->plate[1], t->real[1],  t->weight[1]};
    for (int i = 0; i < (t->frames == 2 ? 9 : 5); i++)
        if (candidates[i] >= 0) in[n++] = (bl_input_shape){candidates[i], 1, t->net.height, t->net.width};
    bl_objective objectives[2] = {{with_gan ? t->loss[BL__LOSS_TOTAL] : t->plain_total, "G."},
                                  {t->d_total, "D"}};
    bl_value outputs[BL__LOSSES];
    int n_out = 0;
    for (int i = 0; i < BL__LOSSES; i++)
        if (t->loss[i] >= 0 &&
            (with_gan || i == BL__LOSS_L1 || i == BL__LOSS_SSIM || i == BL__LOSS_PERCEPTUAL))
            outputs[n_out++] = t->loss[i];
    return bl_program_compile(p, t->g,
                              &(bl_program_options){.inputs = in,
                                                    .n_inputs = n,
                                                    .outputs = outputs,
                                                    .n_outputs = n_out,
                                                    .objectives = objectives,
                                                    .n_objectives = with_gan ? 2 : 1,
                                                    .precision = t->train.precision,
                                                    .threads = t->train.threads},
                              err);
}

static int is_share(float x) {
    return x >= 0 && x <= 1;
}

static int check(const bl_gan_train *o, const bl_gan_source *src, bl_err *err) {
    const char *wrong = NULL;
    if (src->count < (o->temporal_d ? 2 : 1))
        return bl_fail(err, BL_E_FOOTAGE, "there are no frames to train on");
    if (!(o->lr_g > 0 && o->lr_g < 1 && o->lr_d >= 0 && o->lr_d < 1))
        wrong = "learning rates must lie between 0 and 1";
    else if (o->steps < 1)
        wrong = "the number of steps must be positive";
    else if (o->max_rollout < 0 || o->max_rollout > 64)
        wrong = "rollouts must be 0 to 64";
    else if (!(o->w_perceptual >= 0 && o->w_perceptual < 1e6f))
        wrong = "the perceptual loss's weight must be 0 or more";
    else if (!(o->ema >= 0 && o->ema < 1))
        wrong = "the running average's decay must be 0 to 1";
    else if (!is_share(o->prev_real) || !is_share(o->prev_start) || !is_share(o->prev_shift) ||
             !is_share(o->prev_real + o->prev_start))
        wrong = "the shares of previous frames must be 0 to 1, real and start together too";
    else if (!(o->w_gan >= 0 && o->w_fm >= 0 && o->w_l1 >= 0 && o->w_ssim >= 0) ||
             o->w_gan + o->w_fm + o->w_l1 + o->w_ssim <= 0)
        wrong = "the losses' weights must not be negative, nor all zero";
    else if (o->gan_from > 0 && o->w_l1 + o->w_ssim <= 0)
        wrong = "without L1 and SSIM the discriminators must join from the start";
    else if (o->temporal_d < 0 || o->temporal_d > 2)
        wrong = "the temporal discriminator must be 0, 1 or 2";
    else if (!is_share(o->diffaug))
        wrong = "the share of augmented units must be 0 to 1";
    else if (o->diffaug > 0 || o->temporal_d == 2)
        wrong = "not built yet";
    return wrong ? bl_fail(err, BL_E_USAGE, "training settings: %s", wrong) : 0;
}

static int build(bl_trainer *t, bl_err *err) {
    size_t pixels = (size_t)t->net.width * (size_t)t->net.height;
    int rc = bl_params_create(&t->ps, err);
    if (rc < 0 || (rc = bl_graph_create(&t->g, t->ps, err)) < 0) return rc;
    t->label_buf = bl_alloc_array(pixels * (size_t)t->net.label_channels, sizeof(float));
    t->plate_buf = bl_alloc_array(pixels * 3, sizeof(float));
    t->real_buf = bl_alloc_array(pixels * 3, sizeof(float));
    t->weight_buf = bl_alloc_array(pixels, sizeof(float));
    t->prev_buf = bl_alloc_array(pixels * 3, sizeof(float));
    if (!t->label_buf || !t->plate_buf || !t->real_buf || !t->weight_buf || !t->prev_buf)
        return bl_fail(err, BL_E_NOMEM, "not enough memory for the trainer's pictures");
    for (int i = 0; i < BL__LOSSES; i++) t->loss[i] = BL_NONE;
    if ((rc = declare_training(t, err)) < 0) return rc;
    if ((rc = bl_params_seal(t->ps, t->train.seed, 1, err)) < 0) return rc;
    if ((rc = bl__load_perceptual(t, err)) < 0) return rc;
    if ((rc = compile(t, &t->full, 1, err)) < 0) return rc;
    if (t->train.gan_from > 0 && (rc = compile(t, &t->plain, 0, err)) < 0) return rc;
    if (t->net.previous)
        rc = bl_generator_create(&t->roll, &t->net, t->ps, BL_SLAB_WEIGHT, t->train.precision,
                                 t->train.threads, err);
    return rc;
}

int bl_trainer_create(bl_trainer **out, const bl_gan_net *net, const bl_gan_train *train,
                      const bl_gan_source *src, bl_err *err) {
    int rc = bl__gan_check(net, err);
    if (rc < 0 || (rc = check(train, src, err)) < 0) return rc;
    bl_trainer *t = bl_alloc(sizeof *t);
    if (!t) return bl_fail(err, BL_E_NOMEM, "not enough memory for the trainer");
    t->net = *net;
    t->train = *train;
    t->src = *src;
    t->frames = train->temporal_d ? 2 : 1;
    bl_rng_seed(&t->rng, train->seed);
    rc = build(t, err);
    if (rc < 0)
        bl_trainer_destroy(&t);
    else
        *out = t;
    return rc;
}

void bl_trainer_destroy(bl_trainer **tp) {
    bl_trainer *t = *tp;
    if (!t) return;
    bl_generator_destroy(&t->roll);
    bl_program_destroy(&t->plain);
    bl_program_destroy(&t->full);
    bl_graph_destroy(&t->g);
    bl_params_destroy(&t->ps);
    bl_free(t->label_buf);
    bl_free(t->plate_buf);
    bl_free(t->real_buf);
    bl_free(t->weight_buf);
    bl_free(t->prev_buf);
    bl_free(t);
    *tp = NULL;
}

/* ---- one step ---- */
static int fetch(bl_trainer *t, bl_program *p, int k, int64_t index, uint64_t augment, bl_err *err) {
    float *plate = t->plate[k] >= 0 ? bl_program_buffer(p, t->plate[k]) : t->plate_buf;
    return t->src.get(t->src.ctx, index, augment, bl_program_buffer(p, t->label[k]), plate,
                      bl_program_buffer(p, t->real[k]), bl_program_buffer(p, t->weight[k]), err);
}

/* A random frame; with two frames, one that has a successor (the sample at index + 1 directly follows). */
static int64_t pick(bl_trainer *t) {
    int64_t i = bl_rng_below(&t->rng, t->src.count);
    for (int tries = 0; t->frames == 2 && tries < 64; tries++) {
        if (i + 1 < t->src.count && t->src.run_before(t->src.ctx, i + 1) >= 1) break;
        i = bl_rng_below(&t->rng, t->src.count);
    }
    return t->frames == 2 ? BL_MIN(i, t->src.count - 2) : i;
}

static float schedule(const bl_gan_train *o, int64_t step) {
    float done = (float)step / (float)o->steps, from = o->decay_from;
    float warm = fminf(1, (float)(step + 1) / 50.f);
    return warm * (done <= from || from >= 1 ? 1 : fmaxf(0.f, (1 - done) / (1 - from)));
}

static void learn(bl_trainer *t, int with_gan) {
    const bl_gan_train *o = &t->train;
    float rate = schedule(o, t->step), keep = o->ema;
    int64_t n = t->step + 1;
    if (keep > 0) keep = fminf(keep, (float)(1 + n) / (float)(10 + n)); /* a young average follows faster */
    bl_params_adam(t->ps, "G.", &(bl_adam){o->lr_g * rate, o->beta1, o->beta2, 1e-8f, keep}, n);
    if (with_gan)
        bl_params_adam(t->ps, "D", &(bl_adam){o->lr_d * rate, o->beta1, o->beta2, 1e-8f, 0}, n - o->gan_from);
}

int bl_trainer_step(bl_trainer *t, bl_gan_losses *losses, bl_err *err) {
    int with_gan = t->step >= t->train.gan_from, rc = 0;
    bl_program *p = with_gan ? t->full : t->plain;
    int64_t index = pick(t);
    uint64_t augment = bl_rng_u64(&t->rng) | 1;
    bl__previous previous = {0};
    if (t->net.previous)
        previous = bl__draw_previous(&t->rng, &t->train, t->src.run_before(t->src.ctx, index));
    for (int k = 0; k < t->frames && rc >= 0; k++) rc = fetch(t, p, k, index + k, augment, err);
    if (rc >= 0 && t->net.previous) rc = bl__fill_previous(t, p, index, previous, augment, err);
    if (rc < 0) return rc;
    bl_params_zero_grad(t->ps, "");
    if ((rc = bl_program_forward(p, err)) < 0 || (rc = bl_program_backward(p, 0, err)) < 0) return rc;
    if (with_gan && (rc = bl_program_backward(p, 1, err)) < 0) return rc;
    learn(t, with_gan);
    t->step++;
    float value[BL__LOSSES] = {0};
    for (int i = 0; i < BL__LOSSES; i++) {
        const float *v = bl_program_buffer(p, t->loss[i]);
        value[i] = v ? v[0] : 0;
        if (!isfinite(value[i]))
            return bl_fail(
                err, BL_E_INTERNAL,
                "training diverged at step %lld (loss %s is not a number); use a lower learning rate",
                (long long)t->step, loss_names[i]);
    }
    if (losses)
        *losses =
            (bl_gan_losses){value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7]};
    return 0;
}

int64_t bl_trainer_steps_done(const bl_trainer *t) {
    return t->step;
}
bl_params *bl_trainer_params(bl_trainer *t) {
    return t->ps;
}
