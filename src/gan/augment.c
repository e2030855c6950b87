/* What the discriminators see: figures and pictures side by side, now and then augmented, real and generated
 * alike (DiffAugment: Zhao et al. 2020, with its ranges for colour, translation and cutout). */
#include "trainer.h"

void bl__declare_augment(bl_trainer *t) {
    t->aug_colour = t->aug_move = t->aug_cut = BL_NONE;
    if (!(t->train.diffaug > 0)) return;
    t->aug_colour = bl_input(t->g, "augment_colour", 3);
    t->aug_move = bl_input(t->g, "augment_move", 2);
    t->aug_cut = bl_input(t->g, "augment_cut", 1);
}

bl_value bl__declare_judged(bl_trainer *t, const bl_value *labels, int n_labels, const bl_value *pictures,
                            int n_pictures) {
    bl_value parts[8];
    int n = 0;
    for (int i = 0; i < n_labels; i++) parts[n++] = labels[i];
    for (int i = 0; i < n_pictures; i++, n++) {
        parts[n] = pictures[i];
        if (t->aug_colour < 0) continue;
        parts[n] = bl_mul(t->g, bl_colour(t->g, parts[n], t->aug_colour), t->aug_cut);
    }
    bl_value all = bl_concat(t->g, parts, n);
    return t->aug_move >= 0 ? bl_translate(t->g, all, t->aug_move) : all;
}

/* A square hole of half the size, its middle anywhere: 0 inside, 1 outside. */
static void cut(float *mask, int w, int h, double u, double v) {
    const int cx = (int)(u * w), cy = (int)(v * h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int inside = x >= cx - w / 4 && x < cx + w / 4 && y >= cy - h / 4 && y < cy + h / 4;
            mask[y * w + x] = inside ? 0 : 1;
        }
}

void bl__draw_augment(bl_trainer *t, bl_program *p) {
    if (t->aug_colour < 0) return;
    const int w = t->net.width, h = t->net.height;
    double u[8];
    for (size_t i = 0; i < BL_COUNT(u); i++) u[i] = bl_rng_uniform(&t->rng);
    float *colour = bl_program_buffer(p, t->aug_colour), *move = bl_program_buffer(p, t->aug_move);
    float *mask = bl_program_buffer(p, t->aug_cut);
    if (!colour || !move || !mask) return; /* the discriminators have not joined yet */
    const int on = u[0] < (double)t->train.diffaug;
    colour[0] = on ? (float)(u[1] - 0.5) : 0;
    colour[1] = on ? (float)(2 * u[2]) : 1;
    colour[2] = on ? (float)(u[3] + 0.5) : 1;
    move[0] = on ? (float)((2 * u[4] - 1) * w / 8) : 0;
    move[1] = on ? (float)((2 * u[5] - 1) * h / 8) : 0;
    for (int i = 0; !on && i < w * h; i++) mask[i] = 1;
    if (on) cut(mask, w, h, u[6], u[7]);
}
