#include "presets.h"

/* Section 9 of the paper's method: the global stage at 512x256, 5 + 30 epochs, two frames at a time. */
static void paper(bl__preset *p) {
    p->area = 512 * 256;
    p->minutes = 0;
    p->epochs = 35;
    p->net.arch = BL_ARCH_GLOBAL;
    p->net.previous = 1;
    p->net.ngf = 64;
    p->net.down = 4;
    p->net.blocks = 9;
    p->net.max_channels = 1024;
    p->net.ndf = 64;
    p->net.num_d = 2;
    p->net.layers_d = 3;
    p->train.lr_g = 4e-4f; /* its optimiser held every parameter twice */
    p->train.lr_d = 2e-4f;
    p->train.w_gan = 1;
    p->train.w_fm = 10;
    p->train.w_l1 = 10; /* in place of the perceptual loss, whose network is not shipped */
    p->train.w_ssim = 0;
    p->train.max_rollout = 0;
    p->train.prev_real = p->train.prev_start = p->train.prev_shift = 0;
    p->train.temporal_d = 1;
    p->train.ema = 0.999f;
}

bl__preset bl__preset_of(bl_preset which, bl_scene scene) {
    bl__preset p = {
        .area = 144 * 192, .minutes = 10, .net = bl_gan_net_default(), .train = bl_gan_train_default()};
    if (which == BL_PRESET_STANDARD) {
        p.area = 208 * 272;
        p.minutes = 60;
    }
    if (which == BL_PRESET_PAPER) paper(&p);
    p.net.scene = scene;
    return p;
}
