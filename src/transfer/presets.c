#include "presets.h"

/* Section 9 of the paper's method: the global stage at 512x256, 5 + 30 epochs, two frames at a time. */
static void paper(bl__preset *p) {
    bl__stage_plan *m = &p->stage[BL__STAGE_MAIN];
    p->area = 512 * 256;
    p->minutes = 0;
    m->epochs = 35;
    m->net.arch = BL_ARCH_GLOBAL;
    m->net.previous = 1;
    m->net.ngf = 64;
    m->net.down = 4;
    m->net.blocks = 9;
    m->net.max_channels = 1024;
    m->net.ndf = 64;
    m->net.num_d = 2;
    m->net.layers_d = 3;
    m->train.lr_g = 4e-4f; /* its optimiser held every parameter twice */
    m->train.lr_d = 2e-4f;
    m->train.w_gan = 1;
    m->train.w_fm = 10;
    m->train.w_l1 = 10; /* in place of the perceptual loss, whose network is not shipped */
    m->train.w_ssim = 0;
    m->train.max_rollout = 0;
    m->train.prev_real = m->train.prev_start = m->train.prev_shift = 0; /* only what was made just before */
    m->train.temporal_d = 1;
    m->train.ema = 0.999f;
}

const char *bl__stage_name(bl__stage s) {
    static const char *const names[BL__STAGES] = {"main", "face", "hands"};
    return names[s];
}

bl_gan_net bl__refiner_net(int size) {
    bl_gan_net n = bl_gan_net_default();
    n.scene = BL_SCENE_RESIDUAL;
    n.width = n.height = size;
    n.ngf = 32;
    n.down = 3;
    n.blocks = 2;
    n.max_channels = 128;
    n.previous = 0;
    n.ndf = 16;
    n.num_d = 1;
    return n;
}

static bl__stage_plan refiner(double share, int size) {
    bl__stage_plan s = {
        .on = 1, .share = share, .epochs = 5, .net = bl__refiner_net(size), .train = bl_gan_train_default()};
    s.train.max_rollout = 0;
    return s;
}

bl__preset bl__preset_of(bl_preset which, bl_scene scene) {
    bl__preset p = {.area = 144 * 192, .minutes = 10};
    p.stage[BL__STAGE_MAIN] =
        (bl__stage_plan){.on = 1, .share = 0.7, .net = bl_gan_net_default(), .train = bl_gan_train_default()};
    p.stage[BL__STAGE_FACE] = refiner(0.2, 64);
    p.stage[BL__STAGE_HANDS] = refiner(0.1, 48);
    if (which == BL_PRESET_STANDARD) {
        p.area = 208 * 272;
        p.minutes = 60;
    }
    if (which == BL_PRESET_PAPER) paper(&p);
    p.stage[BL__STAGE_MAIN].net.scene = scene;
    return p;
}
