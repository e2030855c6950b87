/* What comes before a trained frame: what the generator is shown as its previous output, and the pictures
 * that the temporal discriminators compare with. The generator is shown its own outputs, the real frame, or a
 * clip's start, so that at test, where it sees its own for ever, nothing is new to it. */
#include <string.h>

#include "trainer.h"

#define JITTER 2 /* pixels each way */

bl__previous bl__draw_previous(bl_rng *rng, const bl_gan_train *o, int64_t before) {
    bl__previous p = {.kind = BL__PREVIOUS_START};
    const int64_t least = BL_MIN(before, o->temporal_d == 2 ? BL__PAST : 0);
    const int64_t most = BL_MIN(before, BL_MAX(o->max_rollout, least));
    double u = bl_rng_uniform(rng), shifted = bl_rng_uniform(rng);
    int dx = (int)bl_rng_below(rng, 2 * JITTER + 1) - JITTER,
        dy = (int)bl_rng_below(rng, 2 * JITTER + 1) - JITTER;
    p.length = (int)(least + bl_rng_below(rng, most - least + 1));
    if (before > 0 && u < (double)o->prev_real)
        p.kind = BL__PREVIOUS_REAL;
    else if (u >= (double)o->prev_real + (double)o->prev_start && p.length > 0)
        p.kind = BL__PREVIOUS_OWN;
    if (shifted < (double)o->prev_shift) p.dx = dx, p.dy = dy;
    return p;
}

/* src, a picture in the window of frame `from`, as the window of frame `to` would show it, moved by (x, y).
 */
static void carry(const bl_trainer *t, float *dst, const float *src, int64_t from, int64_t to, float x,
                  float y) {
    for (int64_t i = from + 1; t->src.window_shift && i <= to; i++) {
        float dx = 0, dy = 0;
        t->src.window_shift(t->src.ctx, i, &dx, &dy);
        x += dx;
        y += dy;
    }
    bl__shift_picture(dst, src, t->net.width, t->net.height, x, y);
}

/* Frame index - k as it was generated and as it really was, for the temporal discriminators. */
static void keep_past(bl_trainer *t, bl_program *p, int64_t index, int k) {
    const int slot = k == 1 ? 0 : k == 2 ? 1 : k == BL__PAST ? 2 : -1;
    if (slot < 0) return;
    carry(t, bl_program_buffer(p, t->past_own[slot]), t->prev_buf, index - k, index, 0, 0);
    carry(t, bl_program_buffer(p, t->past_real[slot]), t->real_buf, index - k, index, 0, 0);
}

/* Gets frame i and, where asked, generates it after the one before. */
static int go_on(bl_trainer *t, int64_t i, uint64_t augment, int generate, bl_err *err) {
    float dx = 0, dy = 0;
    int rc = t->src.get(t->src.ctx, i, augment, t->label_buf, t->plate_buf, t->real_buf, t->weight_buf, err);
    if (rc < 0 || !generate) return rc;
    if (t->src.window_shift) t->src.window_shift(t->src.ctx, i, &dx, &dy);
    return bl_generator_run(t->roll, t->label_buf, t->plate_buf, dx, dy, t->prev_buf, NULL, err);
}

int bl__fill_previous(bl_trainer *t, bl_program *p, int64_t index, bl__previous how, uint64_t augment,
                      bl_err *err) {
    float *previous = bl_program_buffer(p, t->previous);
    const int past = bl_program_buffer(p, t->past_own[0]) != NULL;
    const int own = previous && how.kind == BL__PREVIOUS_OWN, real = how.kind == BL__PREVIOUS_REAL;
    const int length = own ? how.length : past ? BL__PAST : real ? 1 : 0;
    if (own || past) bl_generator_reset(t->roll);
    for (int k = length; k >= 1; k--) {
        const int generate = own || (past && (previous || k != 3)); /* nobody looks at frame 3 before */
        int rc = go_on(t, index - k, augment, generate, err);
        if (rc < 0) return rc;
        if (past) keep_past(t, p, index, k);
    }
    if (!previous) return 0;
    if (!own && !real) {
        const float *plate = t->plate[0] >= 0 ? t->first_plate : NULL;
        bl__first_previous(t->prev_buf, plate, (size_t)t->net.width * (size_t)t->net.height);
    }
    carry(t, previous, real ? t->real_buf : t->prev_buf, own || real ? index - 1 : index, index,
          (float)how.dx, (float)how.dy);
    return 0;
}
