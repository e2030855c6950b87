/* What the generator is shown as its previous output in training: its own, the real frame, or a clip's start,
 * so that at test, where it sees its own for ever, nothing is new to it. */
#include <string.h>

#include "trainer.h"

#define JITTER 2 /* pixels each way */

bl__previous bl__draw_previous(bl_rng *rng, const bl_gan_train *o, int64_t before) {
    bl__previous p = {.kind = BL__PREVIOUS_START};
    double u = bl_rng_uniform(rng), moved = bl_rng_uniform(rng);
    int dx = (int)bl_rng_below(rng, 2 * JITTER + 1) - JITTER,
        dy = (int)bl_rng_below(rng, 2 * JITTER + 1) - JITTER;
    p.length = (int)bl_rng_below(rng, BL_MIN(before, o->max_rollout) + 1);
    if (before > 0 && u < (double)o->prev_real)
        p.kind = BL__PREVIOUS_REAL;
    else if (u >= (double)o->prev_real + (double)o->prev_start && p.length > 0)
        p.kind = BL__PREVIOUS_OWN;
    if (moved < (double)o->prev_shift) p.dx = dx, p.dy = dy;
    return p;
}

/* How far the window moved from frame `from` to frame `to`. */
static void moved(const bl_trainer *t, int64_t from, int64_t to, float *dx, float *dy) {
    *dx = *dy = 0;
    for (int64_t i = from + 1; t->src.window_shift && i <= to; i++) {
        float x = 0, y = 0;
        t->src.window_shift(t->src.ctx, i, &x, &y);
        *dx += x;
        *dy += y;
    }
}

int bl__fill_previous(bl_trainer *t, bl_program *p, int64_t index, bl__previous how, uint64_t augment,
                      bl_err *err) {
    const int w = t->net.width, h = t->net.height, own = how.kind == BL__PREVIOUS_OWN;
    const int length = own ? how.length : how.kind == BL__PREVIOUS_REAL ? 1 : 0;
    float *previous = bl_program_buffer(p, t->previous), dx, dy;
    if (length == 0) {
        const float *plate = t->plate[0] >= 0 ? bl_program_buffer(p, t->plate[0]) : NULL;
        bl__first_previous(t->prev_buf, plate, (size_t)w * (size_t)h);
    }
    if (own) bl_generator_reset(t->roll);
    for (int64_t i = index - length; i < index; i++) {
        int rc =
            t->src.get(t->src.ctx, i, augment, t->label_buf, t->plate_buf, t->real_buf, t->weight_buf, err);
        moved(t, i - 1, i, &dx, &dy);
        if (rc >= 0 && own)
            rc = bl_generator_run(t->roll, t->label_buf, t->plate_buf, dx, dy, t->prev_buf, NULL, err);
        if (rc < 0) return rc;
    }
    moved(t, length ? index - 1 : index, index, &dx, &dy);
    bl__shift_picture(previous, how.kind == BL__PREVIOUS_REAL ? t->real_buf : t->prev_buf, w, h,
                      dx + (float)how.dx, dy + (float)how.dy);
    return 0;
}
