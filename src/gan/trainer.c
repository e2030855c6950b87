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

/* The discriminators' one loss: of the picture's, and (each weighing half) of the temporal ones. */
static bl_value all_gan_losses(bl_graph *g, const bl_gan_train *t, const bl__verdicts *v, int n, int real,
                               int for_generator) {
    bl_value terms[1 + BL__STRIDES];
    for (int i = 0; i < n; i++) terms[i] = gan_loss(g, t, &v[i], real, for_generator);
    return n == 1 ? terms[0] : bl_weighted_sum(g, terms, (float[1 + BL__STRIDES]){1, 0.5f, 0.5f}, n);
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
    for (int k = 0; k < 2; k++) t->label[k] = t->plate[k] = t->real[k] = t->weight[k] = BL_NONE;
    for (int k = 0; k < t->frames; k++) {
        t->label[k] = bl_input(t->g, k ? "label1" : "label0", n->label_channels);
        t->plate[k] = bl__sees_plate(n) ? bl_input(t->g, k ? "plate1" : "plate0", 3) : BL_NONE;
        t->real[k] = bl_input(t->g, k ? "real1" : "real0", 3);
        t->weight[k] = bl_input(t->g, k ? "weight1" : "weight0", 1);
    }
    for (int k = 0; k < 3; k++) {
        t->past_own[k] = t->train.temporal_d == 2 ? bl_input(t->g, "past_own", 3) : BL_NONE;
        t->past_real[k] = t->train.temporal_d == 2 ? bl_input(t->g, "past_real", 3) : BL_NONE;
    }
    bl__declare_augment(t);
}

static bl_value average(bl_graph *g, const bl_value *v, int n) {
    float w[2] = {1.f / (float)n, 1.f / (float)n};
    return bl_weighted_sum(g, v, w, n);
}

/* Verdicts on three pictures at each stride, at half the size: what flickers is larger than a pixel. */
static void judge_motion(bl_trainer *t, bl_value image, const bl_value *past, bl__verdicts *v) {
    for (int k = 0; k < BL__STRIDES; k++) {
        bl_value seen = bl__declare_judged(t, t->label, 1, (bl_value[]){image, past[k], past[k + 1]}, 3);
        v[k] = bl__declare_temporal(t->g, &t->net, k, bl_avg_pool(t->g, seen, 3, 2, 1));
    }
}

/* The weighted sum of those losses that are there and weigh something. */
static bl_value total(bl_graph *g, const bl_value *loss, const int *parts, const float *weights, int n) {
    bl_value v[8];
    float w[8];
    int used = 0;
    for (int i = 0; i < n; i++)
        if (weights[i] > 0 && loss[parts[i]] >= 0) v[used] = loss[parts[i]], w[used++] = weights[i];
    return bl_weighted_sum(g, v, w, used);
}

static int declare_training(bl_trainer *t, bl_err *err) {
    bl_graph *g = t->g;
    const bl_gan_train *o = &t->train;
    bl_value l1[2], ssim[2], previous;
    declare_inputs(t);
    previous = t->previous;
    for (int k = 0; k < t->frames; k++) {
        t->image[k] = bl__declare_generator(g, &t->net, t->label[k], t->plate[k], previous).image;
        previous =
            t->previous >= 0 ? t->image[k] : BL_NONE; /* not detached: two-step back-propagation, method 7 */
        l1[k] = bl_loss_l1(g, t->image[k], t->real[k], t->weight[k]);
        if (o->w_ssim > 0) ssim[k] = bl_loss_ssim(g, t->image[k], t->real[k], t->weight[k], 2);
    }
    bl__verdicts fake[1 + BL__STRIDES], real[1 + BL__STRIDES];
    const int n = t->frames, judges = o->temporal_d == 2 ? 1 + BL__STRIDES : 1;
    fake[0] = bl__declare_discriminator(g, &t->net, bl__declare_judged(t, t->label, n, t->image, n));
    real[0] = bl__declare_discriminator(g, &t->net, bl__declare_judged(t, t->label, n, t->real, n));
    if (judges > 1) {
        judge_motion(t, t->image[0], t->past_own, fake + 1);
        judge_motion(t, t->real[0], t->past_real, real + 1);
    }
    bl_value *out = t->loss;
    out[BL__LOSS_GAN] = all_gan_losses(g, o, fake, judges, 1, 1);
    out[BL__LOSS_FM] = o->w_fm > 0 ? feature_matching(g, &fake[0], &real[0]) : BL_NONE;
    out[BL__LOSS_L1] = average(g, l1, t->frames);
    out[BL__LOSS_SSIM] = o->w_ssim > 0 ? average(g, ssim, t->frames) : BL_NONE;
    out[BL__LOSS_D_REAL] = all_gan_losses(g, o, real, judges, 1, 0);
    out[BL__LOSS_D_FAKE] = all_gan_losses(g, o, fake, judges, 0, 0);
    int rc = bl__declare_perceptual(t, &out[BL__LOSS_PERCEPTUAL], err);
    if (rc < 0) return rc;
    const int parts[] = {BL__LOSS_L1, BL__LOSS_SSIM, BL__LOSS_PERCEPTUAL, BL__LOSS_GAN, BL__LOSS_FM};
    const float weights[] = {o->w_l1, o->w_ssim, o->w_perceptual, o->w_gan, o->w_fm};
    t->plain_total = o->gan_from > 0 ? total(g, out, parts, weights, 3) : BL_NONE;
    out[BL__LOSS_TOTAL] = total(g, out, parts, weights, 5);
    t->d_total = bl_weighted_sum(g, (bl_value[]){out[BL__LOSS_D_REAL], out[BL__LOSS_D_FAKE]},
                                 (float[]){0.5f, 0.5f}, 2);
    return 0;
}

int bl__compile(bl_trainer *t, bl_program **p, int with_gan, int plan_only, bl_err *err) {
    bl_input_shape in[32];
    int n = 0;
    const bl_value pictures[] = {t->previous,     t->label[0],     t->plate[0],     t->real[0],
                                 t->weight[0],    t->label[1],     t->plate[1],     t->real[1],
                                 t->weight[1],    t->past_own[0],  t->past_own[1],  t->past_own[2],
                                 t->past_real[0], t->past_real[1], t->past_real[2], t->aug_cut},
                   amounts[] = {t->aug_colour, t->aug_move};
    for (size_t i = 0; i < BL_COUNT(pictures); i++)
        if (pictures[i] >= 0) in[n++] = (bl_input_shape){pictures[i], 1, t->net.height, t->net.width};
    for (size_t i = 0; i < BL_COUNT(amounts); i++)
        if (amounts[i] >= 0) in[n++] = (bl_input_shape){amounts[i], 1, 1, 1};
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
                                                    .reference = t->train.reference,
                                                    .threads = t->train.threads,
                                                    .plan_only = plan_only},
                              err);
}

static int is_share(float x) {
    return x >= 0 && x <= 1;
}

static int check(const bl_gan_train *o, bl_err *err) {
    const char *wrong = NULL;
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
    else if (o->gan_from > 0 && o->w_l1 + o->w_ssim <= 0 && !(o->perceptual && o->w_perceptual > 0))
        wrong = "without any other loss the discriminators must join from the start";
    else if (o->temporal_d < 0 || o->temporal_d > 2)
        wrong = "the temporal discriminator must be 0, 1 or 2";
    else if (!is_share(o->diffaug))
        wrong = "the share of augmented units must be 0 to 1";
    return wrong ? bl_fail(err, BL_E_USAGE, "training settings: %s", wrong) : 0;
}

/* Can this frame be trained on? With two frames it needs a direct successor; with three, a past. */
static int suits(const bl_trainer *t, int64_t i) {
    const bl_gan_source *s = &t->src;
    if (t->train.temporal_d == 1) return i + 1 < s->count && s->run_before(s->ctx, i + 1) >= 1;
    return t->train.temporal_d == 0 || s->run_before(s->ctx, i) >= BL__PAST;
}

static int any_suits(const bl_trainer *t) {
    for (int64_t i = 0; i < t->src.count; i++)
        if (suits(t, i)) return 1;
    return 0;
}

int bl__declare_trainer(bl_trainer *t, bl_err *err) {
    int rc = bl__gan_check(&t->net, err);
    if (rc < 0 || (rc = check(&t->train, err)) < 0) return rc;
    t->frames = t->train.temporal_d == 1 ? 2 : 1;
    for (int i = 0; i < BL__LOSSES; i++) t->loss[i] = BL_NONE;
    rc = bl_params_create(&t->ps, err);
    if (rc == 0) rc = bl_params_place(t->ps, t->train.device, err);
    if (rc == 0) rc = bl_graph_create(&t->g, t->ps, err);
    return rc < 0 ? rc : declare_training(t, err);
}

int bl__sees_own(const bl_trainer *t) {
    return t->net.previous || t->train.temporal_d == 2;
}

static int build(bl_trainer *t, bl_err *err) {
    size_t pixels = (size_t)t->net.width * (size_t)t->net.height;
    int rc = bl__declare_trainer(t, err);
    if (rc < 0) return rc;
    t->label_buf = bl_alloc_array(pixels * (size_t)t->net.label_channels, sizeof(float));
    t->plate_buf = bl_alloc_array(pixels * 3, sizeof(float));
    t->real_buf = bl_alloc_array(pixels * 3, sizeof(float));
    t->weight_buf = bl_alloc_array(pixels, sizeof(float));
    t->prev_buf = bl_alloc_array(pixels * 3, sizeof(float));
    if (!t->label_buf || !t->plate_buf || !t->real_buf || !t->weight_buf || !t->prev_buf)
        return bl_fail(err, BL_E_NOMEM, "not enough memory for the trainer's pictures");
    if ((rc = bl_params_seal(t->ps, t->train.seed, 1, err)) < 0) return rc;
    if ((rc = bl__load_perceptual(t, err)) < 0) return rc;
    if ((rc = bl__ahead_start(&t->ahead, &t->src, &t->net, t->frames,
                              t->train.reference ? NULL : t->train.device, err)) < 0)
        return rc;
    if ((rc = bl__compile(t, &t->full, 1, 0, err)) < 0) return rc;
    if (t->train.gan_from > 0 && (rc = bl__compile(t, &t->plain, 0, 0, err)) < 0) return rc;
    if (bl__sees_own(t))
        rc = bl_generator_create(&t->roll, &t->net, t->ps, BL_SLAB_WEIGHT, t->train.precision,
                                 t->train.threads, err);
    return rc;
}

uint64_t bl__rank_seed(const bl_gan_train *o, uint64_t seed) {
    return seed ^ (uint64_t)bl_dist_rank(o->dist) * 0xd1342543de82ef95u;
}

int bl_trainer_create(bl_trainer **out, const bl_gan_net *net, const bl_gan_train *train,
                      const bl_gan_source *src, bl_err *err) {
    if (src->count < 1) return bl_fail(err, BL_E_FOOTAGE, "there are no frames to train on");
    bl_trainer *t = bl_alloc(sizeof *t);
    if (!t) return bl_fail(err, BL_E_NOMEM, "not enough memory for the trainer");
    t->net = *net;
    t->train = *train;
    t->src = *src;
    if (!any_suits(t)) {
        bl_log(BL_LOG_WARN, "train", "too few frames in a row: going without a temporal discriminator");
        t->train.temporal_d = 0;
    }
    bl_rng_seed(&t->rng, bl__rank_seed(train, train->seed));
    int rc = build(t, err);
    if (rc == 0) rc = bl_dist_share_params(train->dist, t->ps, err); /* machines may draw differently */
    if (rc < 0)
        bl_trainer_destroy(&t);
    else
        *out = t;
    return rc;
}

void bl_trainer_destroy(bl_trainer **tp) {
    bl_trainer *t = *tp;
    if (!t) return;
    bl__ahead_stop(&t->ahead);
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
static int fetch(bl_trainer *t, bl_program *p, int k, const bl__unit *u, bl_err *err) {
    const bl__shot_inputs in = {t->label[k], t->plate[k], t->real[k], t->weight[k]};
    const float *later, **seen = k ? &later : &t->first_plate;
    if (bl__ahead_has(t->ahead, u)) return bl__ahead_take(t->ahead, k, p, &in, seen, err);
    float *plate = in.plate >= 0 ? bl_program_buffer(p, in.plate) : t->plate_buf;
    *seen = plate;
    return t->src.get(t->src.ctx, u->index + k, u->augment, bl_program_buffer(p, in.label), plate,
                      bl_program_buffer(p, in.real), bl_program_buffer(p, in.weight), err);
}

static int64_t pick(const bl_trainer *t, bl_rng *rng) {
    int64_t i = bl_rng_below(rng, t->src.count);
    for (int tries = 0; tries < 64 && !suits(t, i); tries++) i = bl_rng_below(rng, t->src.count);
    while (!suits(t, i)) i = (i + 1) % t->src.count; /* create made sure that there is one */
    return i;
}

/* A step's first random numbers, so that the next step's are known before it begins. */
static bl__unit draw_unit(const bl_trainer *t, bl_rng *rng) {
    const int64_t index = pick(t, rng);
    return (bl__unit){index, bl_rng_u64(rng) | 1};
}

static void fetch_next(bl_trainer *t) {
    bl_rng rng = t->rng;
    if (t->step + 1 >= t->train.steps) return;
    const bl__unit next = draw_unit(t, &rng);
    bl__ahead_ask(t->ahead, &next);
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
    bl_adam a = {.lr = o->lr_g * rate,
                 .beta1 = o->beta1,
                 .beta2 = o->beta2,
                 .eps = 1e-8f,
                 .ema = keep,
                 .threads = o->threads};
    bl_params_adam(t->ps, "G.", &a, n);
    a.lr = o->lr_d * rate, a.ema = 0;
    if (with_gan) bl_params_adam(t->ps, "D", &a, n - o->gan_from);
}

static int mean_over_ranks(bl_trainer *t, float value[BL__LOSSES], bl_err *err) {
    double sums[BL__LOSSES];
    if (!t->train.dist) return 0;
    for (int i = 0; i < BL__LOSSES; i++) sums[i] = (double)value[i];
    int rc = bl_dist_sum_doubles(t->train.dist, sums, BL__LOSSES, err);
    for (int i = 0; i < BL__LOSSES; i++) value[i] = (float)(sums[i] / bl_dist_size(t->train.dist));
    return rc;
}

/* What the step said, once it is known that it was done. */
static int report(bl_trainer *t, bl_program *p, bl_gan_losses *losses, bl_err *err) {
    float value[BL__LOSSES] = {0};
    for (int i = 0; i < BL__LOSSES; i++) {
        const float *v = bl_program_buffer(p, t->loss[i]);
        value[i] = v ? v[0] : 0;
    }
    int rc = mean_over_ranks(t, value, err);
    if (rc < 0) return rc;
    for (int i = 0; i < BL__LOSSES; i++)
        if (!isfinite(value[i]))
            return bl_fail(
                err, BL_E_INTERNAL,
                "training diverged at step %lld (loss %s is not a number); use a lower learning rate",
                (long long)t->step, loss_names[i]);
    if (losses)
        *losses =
            (bl_gan_losses){value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7]};
    return 0;
}

/* All that a step needs of the source, and all its random numbers. */
static int fill(bl_trainer *t, bl_program *p, bl_err *err) {
    const bl__unit u = draw_unit(t, &t->rng);
    bl__previous previous = {0};
    int rc = 0;
    bl__draw_augment(t, p);
    if (t->net.previous)
        previous = bl__draw_previous(&t->rng, &t->train, t->src.run_before(t->src.ctx, u.index));
    for (int k = 0; k < t->frames && rc >= 0; k++) rc = fetch(t, p, k, &u, err);
    return rc < 0 ? rc : bl__fill_previous(t, p, u.index, previous, u.augment, err);
}

static int learn_from(bl_trainer *t, bl_program *p, int with_gan, bl_gan_losses *losses, bl_err *err) {
    int rc = bl_program_forward(p, err);
    if (rc >= 0) rc = bl_program_backward(p, 0, err);
    if (rc >= 0 && with_gan) rc = bl_program_backward(p, 1, err);
    if (rc >= 0) rc = bl_dist_average_gradients(t->train.dist, t->ps, with_gan ? "" : "G.", err);
    if (rc < 0) return rc;
    learn(t, with_gan);
    t->step++;
    if ((rc = bl_device_check(t->train.device, err)) < 0) return rc; /* its losses would mean nothing */
    return report(t, p, losses, err);
}

int bl_trainer_step(bl_trainer *t, bl_gan_losses *losses, bl_err *err) {
    const int with_gan = t->step >= t->train.gan_from;
    bl_program *p = with_gan ? t->full : t->plain;
    int rc = fill(t, p, err);
    if (rc < 0) return rc;
    fetch_next(t);
    rc = learn_from(t, p, with_gan, losses, err);
    bl__ahead_settle(t->ahead); /* between steps the source is its owner's */
    return rc;
}

bl_program *bl_trainer_program(bl_trainer *t) {
    return t->full;
}
int64_t bl_trainer_steps_done(const bl_trainer *t) {
    return t->step;
}
bl_params *bl_trainer_params(bl_trainer *t) {
    return t->ps;
}
