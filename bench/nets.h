/* The networks that benches time, by name; peer.py has the same. */
#ifndef BALLERINO_BENCH_NETS_H
#define BALLERINO_BENCH_NETS_H

#include <string.h>

#include "ballerino/gan.h"
#include "presets.h"

typedef struct bench_net {
    bl_gan_net net;
    bl_gan_train train;
} bench_net;

/* The paper's losses without its perceptual one, two frames a step (method 7, 8). */
static bl_gan_train bench_paper_losses(void) {
    bl_gan_train t = bl_gan_train_default();
    t.w_gan = 1;
    t.w_fm = 10;
    t.w_l1 = t.w_ssim = 0;
    t.temporal_d = 1;
    t.max_rollout = 0;
    t.prev_real = t.prev_start = t.prev_shift = 0;
    return t;
}

static bl_gan_net bench_global(int width, int height, int ngf, int down, int blocks) {
    return (bl_gan_net){.scene = BL_SCENE_PAINT,
                        .arch = BL_ARCH_GLOBAL,
                        .width = width,
                        .height = height,
                        .label_channels = 3,
                        .previous = 1,
                        .ngf = ngf,
                        .down = down,
                        .blocks = blocks,
                        .max_channels = ngf << down,
                        .ndf = ngf,
                        .num_d = 2,
                        .layers_d = 3};
}

static int bench_stage(bench_net *out, bl_preset preset, int stage, int width, int height) {
    const bl__preset p = bl__preset_of(preset, BL_SCENE_COMPOSITE);
    *out = (bench_net){.net = p.stage[stage].net, .train = p.stage[stage].train};
    if (width) out->net.width = width, out->net.height = height;
    return 1;
}

/* reference: 256x144, width 32; paper: its global stage, 512x256, width 64; paper-full: with its local
 * enhancer, 1024x512; draft, standard: the presets' main stages; half, face, hands: the other stages of
 * draft, which peer.py does not have. Returns 0 when there is no such net. */
static int bench_net_of(const char *name, bench_net *out) {
    *out = (bench_net){.train = bench_paper_losses()};
    if (!strcmp(name, "reference"))
        out->net = bench_global(256, 144, 32, 3, 6);
    else if (!strcmp(name, "paper"))
        out->net = bench_global(512, 256, 64, 4, 9);
    else if (!strcmp(name, "paper-full")) {
        out->net = bench_global(1024, 512, 64, 4, 9);
        out->net.enhancer = 1;
        out->net.ngf_local = 32;
        out->net.blocks_local = 3;
        out->net.num_d = 3;
    } else if (!strcmp(name, "draft"))
        return bench_stage(out, BL_PRESET_DRAFT, BL__STAGE_MAIN, 192, 288);
    else if (!strcmp(name, "standard"))
        return bench_stage(out, BL_PRESET_STANDARD, BL__STAGE_MAIN, 288, 384);
    else if (!strcmp(name, "half"))
        return bench_stage(out, BL_PRESET_DRAFT, BL__STAGE_MAIN, 96, 144);
    else if (!strcmp(name, "face"))
        return bench_stage(out, BL_PRESET_DRAFT, BL__STAGE_FACE, 0, 0);
    else if (!strcmp(name, "hands"))
        return bench_stage(out, BL_PRESET_DRAFT, BL__STAGE_HANDS, 0, 0);
    else
        return 0;
    return 1;
}

#endif
