/* The generators' architectures: a lean U-Net, pix2pixHD's global generator, and the local enhancer around
 * either. */
#include "net.h"

#include <string.h>

static const char *layer_name(char *buf, size_t size, const char *fmt, int i) {
    snprintf(buf, size, fmt, i);
    return buf;
}

static int width_at(const bl_gan_net *n, int level) {
    return BL_MIN(n->ngf << level, n->max_channels);
}

static bl_value conv(bl_graph *g, bl_value x, const char *name, int out, int k, int stride, bl_act act,
                     int bias) {
    return bl_conv2d(g, x,
                     &(bl_conv2d_args){.name = name,
                                       .out = out,
                                       .kh = k,
                                       .kw = k,
                                       .sh = stride,
                                       .sw = stride,
                                       .pad = BL_PAD_SAME((k - 1) / 2),
                                       .no_bias = !bias,
                                       .act = act});
}

/* conv 3x3, instance norm, activation */
static bl_value conv_norm(bl_graph *g, bl_value x, const char *name, int out, int stride, bl_value residual,
                          bl_act act) {
    return bl_norm_act(g, conv(g, x, name, out, 3, stride, BL_ACT_NONE, 0), residual, act);
}

/* ---- U-Net: every level's features are handed across to the decoder, so that the plate and edges stay
 * sharp.
 */
static bl_value unet_blocks(bl_graph *g, const char *prefix, int blocks, bl_value x, int channels) {
    char name[48];
    for (int i = 0; i < blocks; i++) {
        snprintf(name, sizeof name, "%s.block%d.a", prefix, i);
        bl_value h = conv_norm(g, x, name, channels, 1, BL_NONE, BL_ACT_RELU);
        snprintf(name, sizeof name, "%s.block%d.b", prefix, i);
        x = conv_norm(g, h, name, channels, 1, x, BL_ACT_NONE);
    }
    return x;
}

/* Narrow first, then enlarge and add the skip: a third of the cost of joining channels. */
static bl_value widen(bl_graph *g, bl_value h, const char *narrow, const char *up, int channels,
                      bl_value skip) {
    h = conv(g, h, narrow, channels, 1, 1, BL_ACT_NONE, 1);
    h = bl_add(g, bl_upsample2(g, h), skip, BL_ACT_NONE);
    return conv_norm(g, h, up, channels, 1, BL_NONE, BL_ACT_RELU);
}

static bl_value unet(bl_graph *g, const bl_gan_net *n, bl_value x) {
    char name[32], up[32];
    bl_value skip[8];
    skip[0] = conv(g, x, "G.in", n->ngf, 3, 1, BL_ACT_LRELU, 1);
    for (int i = 1; i <= n->down; i++)
        skip[i] = conv_norm(g, skip[i - 1], layer_name(name, sizeof name, "G.down%d", i), width_at(n, i), 2,
                            BL_NONE, BL_ACT_LRELU);
    bl_value h = unet_blocks(g, "G", n->blocks, skip[n->down], width_at(n, n->down));
    for (int i = n->down - 1; i >= 0; i--)
        h = widen(g, h, layer_name(name, sizeof name, "G.narrow%d", i),
                  layer_name(up, sizeof up, "G.up%d", i), width_at(n, i), skip[i]);
    return h;
}

/* ---- pix2pixHD's global generator (method 6.1): reflection padding, transposed convolutions ---- */
static bl_value reflect_conv(bl_graph *g, bl_value x, const char *name, int out, int k, float init_scale) {
    return bl_conv2d(
        g, bl_pad_reflect(g, x, BL_PAD_SAME(k / 2)),
        &(bl_conv2d_args){
            .name = name, .out = out, .kh = k, .kw = k, .init = BL_INIT_NORMAL, .init_scale = init_scale});
}

static bl_value reflect_norm(bl_graph *g, bl_value x, const char *name, int out, int k, bl_value residual,
                             bl_act act) {
    return bl_norm_act(g, reflect_conv(g, x, name, out, k, BL__INIT), residual, act);
}

static bl_value global_down(bl_graph *g, bl_value x, const char *name, int out) {
    return bl_norm_act(g, conv(g, x, name, out, 3, 2, BL_ACT_NONE, 1), BL_NONE, BL_ACT_RELU);
}

static bl_value global_blocks(bl_graph *g, const char *prefix, int blocks, bl_value h, int channels) {
    char name[48];
    for (int i = 0; i < blocks; i++) {
        snprintf(name, sizeof name, "%s.block%d.a", prefix, i);
        bl_value a = reflect_norm(g, h, name, channels, 3, BL_NONE, BL_ACT_RELU);
        snprintf(name, sizeof name, "%s.block%d.b", prefix, i);
        h = reflect_norm(g, a, name, channels, 3, h, BL_ACT_NONE);
    }
    return h;
}

static bl_value global_up(bl_graph *g, bl_value x, const char *name, int out) {
    bl_value h = bl_conv_transpose2d(
        g, x,
        &(bl_conv_transpose2d_args){.name = name, .out = out, .k = 3, .stride = 2, .pad = 1, .out_pad = 1});
    return bl_norm_act(g, h, BL_NONE, BL_ACT_RELU);
}

static bl_value global(bl_graph *g, const bl_gan_net *n, bl_value x) {
    char name[32];
    int c = n->ngf;
    bl_value h = reflect_norm(g, x, "G.in", c, 7, BL_NONE, BL_ACT_RELU);
    for (int i = 1; i <= n->down; i++)
        h = global_down(g, h, layer_name(name, sizeof name, "G.down%d", i), c *= 2);
    h = global_blocks(g, "G", n->blocks, h, c);
    for (int i = n->down - 1; i >= 0; i--)
        h = global_up(g, h, layer_name(name, sizeof name, "G.up%d", i), c /= 2);
    return h;
}

bl_value bl__declare_features(bl_graph *g, const bl_gan_net *n, bl_value x) {
    return n->arch == BL_ARCH_GLOBAL ? global(g, n, x) : unet(g, n, x);
}

/* ---- the local enhancer (method 6.2): features of the half-size generator join a shallow branch at full
 * size */
static bl_value enhancer(bl_graph *g, const bl_gan_net *n, bl_value x) {
    int c = n->ngf_local, whole = n->arch == BL_ARCH_GLOBAL;
    bl_value coarse = bl__declare_features(g, n, bl_avg_pool(g, x, 3, 2, 1));
    if (n->ngf != 2 * c) coarse = conv(g, coarse, "G.local.join", 2 * c, 1, 1, BL_ACT_NONE, 1);
    bl_value fine = whole ? reflect_norm(g, x, "G.local.in", c, 7, BL_NONE, BL_ACT_RELU)
                          : conv(g, x, "G.local.in", c, 3, 1, BL_ACT_LRELU, 1);
    bl_value h = whole ? global_down(g, fine, "G.local.down", 2 * c)
                       : conv_norm(g, fine, "G.local.down", 2 * c, 2, BL_NONE, BL_ACT_LRELU);
    h = bl_add(g, h, coarse, BL_ACT_NONE);
    if (whole) return global_up(g, global_blocks(g, "G.local", n->blocks_local, h, 2 * c), "G.local.up", c);
    return widen(g, unet_blocks(g, "G.local", n->blocks_local, h, 2 * c), "G.local.narrow", "G.local.up", c,
                 fine);
}

/* A residual starts near zero, so that training starts from the coarse picture. */
static bl_value last_conv(bl_graph *g, const bl_gan_net *n, bl_value h) {
    const char *name = n->enhancer ? "G.local.out" : "G.out";
    float scale = n->scene == BL_SCENE_RESIDUAL ? BL__INIT_RESIDUAL : BL__INIT;
    int out = n->scene == BL_SCENE_COMPOSITE ? 4 : 3;
    if (n->arch == BL_ARCH_GLOBAL) return reflect_conv(g, h, name, out, 7, scale);
    return bl_conv2d(g, h,
                     &(bl_conv2d_args){.name = name,
                                       .out = out,
                                       .kh = 3,
                                       .kw = 3,
                                       .pad = BL_PAD_SAME(1),
                                       .init = BL_INIT_NORMAL,
                                       .init_scale = scale});
}

bl__painted bl__declare_generator(bl_graph *g, const bl_gan_net *n, bl_value label, bl_value plate,
                                  bl_value previous) {
    bl_value in[3] = {label, BL_NONE, BL_NONE};
    int count = 1;
    if (bl__sees_plate(n)) in[count++] = plate;
    if (previous >= 0) in[count++] = previous;
    bl_value x = count > 1 ? bl_concat(g, in, count) : label;
    bl_value h = n->enhancer ? enhancer(g, n, x) : bl__declare_features(g, n, x), out = last_conv(g, n, h);
    if (n->scene == BL_SCENE_PAINT) return (bl__painted){bl_activation(g, out, BL_ACT_TANH), BL_NONE};
    if (n->scene == BL_SCENE_RESIDUAL)
        return (bl__painted){bl_add(g, plate, bl_activation(g, out, BL_ACT_TANH), BL_ACT_NONE), BL_NONE};
    bl_value colour = bl_activation(g, bl_slice(g, out, 0, 3), BL_ACT_TANH),
             mask = bl_activation(g, bl_slice(g, out, 3, 1), BL_ACT_SIGMOID);
    return (bl__painted){bl_blend(g, colour, mask, plate), mask};
}
