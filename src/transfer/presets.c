#include "presets.h"

#include <string.h>

#include "ballerino/base.h"

#define LEAST_TO_HALVE 128 /* pixels of a window's shorter side, for a generator without an enhancer */

/* Section 9 of the paper's method: global at 512x256, local at 1024x512, face; 5 + 30 + 5 epochs, two frames
 * at a time. */
static void paper(bl__preset *p) {
    bl__stage_plan *m = &p->stage[BL__STAGE_MAIN], *face = &p->stage[BL__STAGE_FACE];
    p->area = 1024 * 512;
    p->enhanced_from = 768 * 384;
    p->minutes = 0;
    p->stage[BL__STAGE_GLOBAL].on = 0;
    p->stage[BL__STAGE_GLOBAL].epochs = 5;
    m->epochs = 30;
    m->net.arch = BL_ARCH_GLOBAL;
    m->net.previous = 1;
    m->net.ngf = 64;
    m->net.down = 4;
    m->net.blocks = 9;
    m->net.max_channels = 1024;
    m->net.enhancer = 1;
    m->net.ngf_local = 32;
    m->net.blocks_local = 3;
    m->net.ndf = 64;
    m->net.num_d = 3;
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
    face->net = bl__refiner_net(128);
    face->net.arch = BL_ARCH_GLOBAL; /* method 6.4, 6.5 */
    face->net.ngf = face->net.ndf = 64;
    face->net.down = 3;
    face->net.blocks = 5;
    face->net.max_channels = 512;
    face->net.norm_d = BL_D_NORM_AFFINE;
    face->train = m->train;
    face->train.lr_g = 2e-4f;
    face->train.w_fm = 0;
    face->train.temporal_d = 0;
    face->epochs = 5;
    p->stage[BL__STAGE_HANDS].on = 0;
    p->vgg19[BL__STAGE_MAIN] = 20; /* method 8: 10 a frame, summed over two; ours is their mean */
    p->vgg19[BL__STAGE_FACE] = 5;
}

int bl__preset_step(const bl__preset *p) {
    const bl__stage_plan *g = &p->stage[BL__STAGE_GLOBAL];
    const bl_gan_net *net = &p->stage[BL__STAGE_MAIN].net;
    return 1 << (net->down + (net->enhancer || g->on));
}

/* An enhancer's generator always begins alone; another one where it is worth it, and where a size that the
 * user chose can be halved. */
static int begins_at_half(const bl__preset *p) {
    const bl_gan_net *net = &p->stage[BL__STAGE_MAIN].net;
    const int step = bl__preset_step(p), fits = net->width % step == 0 && net->height % step == 0;
    return net->enhancer ||
           (p->stage[BL__STAGE_GLOBAL].on && fits && BL_MIN(net->width, net->height) >= LEAST_TO_HALVE);
}

void bl__preset_coarse(bl__preset *p) {
    bl__stage_plan *m = &p->stage[BL__STAGE_MAIN], *g = &p->stage[BL__STAGE_GLOBAL];
    const bl__stage_plan said = *g;
    const int on = begins_at_half(p);
    if (!on) m->share += said.share;
    *g = *m;
    g->on = on;
    g->share = on ? said.share : 0;
    g->epochs = said.epochs;
    g->net.enhancer = 0;
    g->net.width /= 2;
    g->net.height /= 2;
    g->net.num_d = m->net.num_d > 1 ? m->net.num_d - 1 : 1;
    if (p->vgg19[BL__STAGE_MAIN] > 0 && g->train.perceptual && g->train.w_l1 <= 0)
        g->train.w_perceptual /= 2; /* method 8: half without the enhancer */
}

const char *bl__stage_name(bl__stage s) {
    static const char *const names[BL__STAGES] = {"global", "main", "face", "hands"};
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

/* The person is seen about as tall as the window: 288 pixels in a draft, 384 and 768 above. */
static void fine(bl__preset *p, int scale, double minutes) {
    bl__stage_plan *m = &p->stage[BL__STAGE_MAIN];
    p->area = 144 * 192 * scale * scale;
    p->enhanced_from = p->area / 2;
    p->minutes = minutes;
    p->stage[BL__STAGE_GLOBAL].share = 0.35;
    m->share = 0.4;
    m->net.enhancer = 1;
    m->net.ngf_local = 16;
    m->net.blocks_local = 1;
    m->net.num_d = 3;
}

/* Discriminators that see how strong a contrast is can be trusted with more weight. */
static void judge_contrast(bl__stage_plan *s) {
    s->net.norm_d = BL_D_NORM_NONE;
    s->train.w_gan = 0.5f;
    s->train.w_fm = 10; /* features without norms are small */
}

bl__preset bl__preset_of(bl_preset which, bl_scene scene) {
    bl__preset p = {.area = 192 * 288, .minutes = 10};
    p.stage[BL__STAGE_MAIN] = (bl__stage_plan){
        .on = 1, .share = 0.43, .net = bl_gan_net_default(), .train = bl_gan_train_default()};
    p.stage[BL__STAGE_GLOBAL] = (bl__stage_plan){.on = 1, .share = 0.22};
    p.stage[BL__STAGE_FACE] = refiner(0.22, 96);
    p.stage[BL__STAGE_HANDS] = refiner(0.13, 64);
    if (which == BL_PRESET_STANDARD) {
        fine(&p, 2, 60);
        p.stage[BL__STAGE_FACE].net = bl__refiner_net(128);
        p.stage[BL__STAGE_HANDS].net = bl__refiner_net(96);
    }
    if (which == BL_PRESET_HIGH) {
        fine(&p, 4, 480);
        p.stage[BL__STAGE_MAIN].net.down = 5;
        p.stage[BL__STAGE_FACE].net = bl__refiner_net(160);
        p.stage[BL__STAGE_HANDS].net = bl__refiner_net(128);
    }
    bl__stage_plan *m = &p.stage[BL__STAGE_MAIN];
    if (which == BL_PRESET_PAPER) {
        paper(&p);
    } else {                       /* all measured: docs/RESULTS.md */
        m->train.w_perceptual = 1; /* of the landmark model's features */
        m->train.temporal_d = 1;   /* two frames judged, though the generator sees no previous output */
        for (int k = BL__STAGE_MAIN; k < BL__STAGES; k++) judge_contrast(&p.stage[k]);
    }
    m->net.scene = scene;
    return p;
}

bl__preset bl__preset_for(const bl_train_job *j) {
    bl__preset p = bl__preset_of(j->preset, j->scene);
    bl__stage_plan *m = &p.stage[BL__STAGE_MAIN];
    if (j->channels) m->net.ngf = m->net.ndf = j->channels;
    if (j->diffaug >= 0) m->train.diffaug = (float)j->diffaug;
    if (j->previous >= 0) m->net.previous = m->train.temporal_d = j->previous;
    m->net.max_channels = BL_MAX(m->net.max_channels, m->net.ngf);
    if (j->width && (int64_t)j->width * j->height < p.enhanced_from) m->net.enhancer = 0;
    if (!j->refine || !*j->refine) return p;
    p.stage[BL__STAGE_FACE].on = strstr(j->refine, "face") != NULL;
    p.stage[BL__STAGE_HANDS].on = strstr(j->refine, "hands") != NULL;
    return p;
}

bl_precision bl__precision_for(const bl_train_job *j) {
    return j->precision == 2 ? BL_BF16 : j->precision == 1 ? BL_FP32 : bl_device_faster_precision(j->device);
}
