/* What a training will take, from a plan of its programs: nothing of that size is allocated. */
#include "trainer.h"

#define SLABS 5 /* weights, gradients, two moments, average */

static int64_t params_bytes(const bl_params *ps) {
    const int64_t half = bl_params_device(ps) ? (int64_t)sizeof(uint16_t) : 0; /* kept rounded too */
    int64_t bytes = 0;
    for (int i = 0; i < bl_params_count(ps); i++)
        bytes +=
            bl_params_size(ps, i) * ((bl_params_frozen(ps, i) ? 1 : SLABS) * (int64_t)sizeof(float) + half);
    return bytes;
}

static int add_program(bl_trainer *t, int with_gan, int64_t *bytes, double *macs, bl_err *err) {
    bl_program *p = NULL;
    int rc = bl__compile(t, &p, with_gan, 1, err);
    if (rc < 0) return rc;
    *bytes += bl_program_memory(p);
    *macs = bl_program_training_macs(p);
    bl_program_destroy(&p);
    return 0;
}

/* Frames generated without learning before a step, on average. */
static double rolled(const bl_trainer *t) {
    const bl_gan_train *o = &t->train;
    const double past = BL__PAST - (t->net.previous ? 0 : 1);
    if (o->temporal_d == 2 && o->max_rollout <= BL__PAST) return past;
    const double own = t->net.previous ? 1 - (double)o->prev_real - (double)o->prev_start : 0;
    if (o->temporal_d == 2) return own * 0.5 * (BL__PAST + o->max_rollout) + (1 - own) * past;
    return own * 0.5 * o->max_rollout;
}

static int plan(bl_trainer *t, int64_t *bytes, double *macs, bl_err *err) {
    const int64_t pixels = (int64_t)t->net.width * t->net.height;
    double once = 0, unused = 0;
    int64_t more = 0;
    int rc = bl__declare_trainer(t, err);
    if (rc < 0) return rc;
    *bytes = params_bytes(t->ps) + bl__ahead_bytes(&t->net, t->frames);
    if (!t->train.device) *bytes += pixels * (t->net.label_channels + 10) * (int64_t)sizeof(float);
    rc = add_program(t, 1, bytes, macs, err);
    if (rc == 0 && t->train.gan_from > 0) rc = add_program(t, 0, bytes, &unused, err);
    if (rc < 0 || !bl__sees_own(t)) return rc;
    rc = bl__generator_plan(&t->net, t->ps, t->train.precision, t->train.threads, &more, &once, err);
    *bytes += more;
    *macs += once * rolled(t);
    return rc;
}

int bl_gan_estimate(const bl_gan_net *net, const bl_gan_train *train, int64_t *bytes, double *macs_step,
                    bl_err *err) {
    bl_trainer *t = bl_alloc(sizeof *t);
    if (!t) return bl_fail(err, BL_E_NOMEM, "not enough memory to plan a training");
    t->net = *net;
    t->train = *train;
    int rc = plan(t, bytes, macs_step, err);
    bl_trainer_destroy(&t);
    return rc;
}
