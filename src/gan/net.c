#include "net.h"

#include <string.h>

int bl__gan_check(const bl_gan_net *n, bl_err *err) {
    int step = 1 << (n->down > 0 && n->down < 10 ? n->down : 0);
    const char *wrong = NULL;
    if (n->down < 1 || n->down > 6)
        wrong = "down-samplings must be 1 to 6";
    else if (n->width < 32 || n->height < 32 || n->width > 4096 || n->height > 4096)
        wrong = "the size must be 32 to 4096";
    else if (n->width % step || n->height % step)
        wrong = "the size must be a multiple of 2 to the number of down-samplings";
    else if (n->ngf < 4 || n->ngf > 256 || n->ndf < 4 || n->ndf > 256)
        wrong = "base widths must be 4 to 256";
    else if (n->max_channels < n->ngf || n->max_channels > 2048)
        wrong = "the largest width must be ngf to 2048";
    else if (n->blocks < 0 || n->blocks > 32)
        wrong = "residual blocks must be 0 to 32";
    else if (n->num_d < 1 || n->num_d > BL__MAX_SCALES || n->layers_d < 1 || n->layers_d + 2 > BL__MAX_LAYERS)
        wrong = "discriminators: 1 to 4 scales of 1 to 6 layers";
    else if (n->label_channels < 1 || n->label_channels > 64)
        wrong = "label channels must be 1 to 64";
    else if (n->arch == BL_ARCH_GLOBAL && n->scene == BL_SCENE_COMPOSITE && n->down > 5)
        wrong = "too many down-samplings";
    if (!wrong) return 0;
    return bl_fail(err, BL_E_USAGE, "the network's settings do not work: %s", wrong);
}

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

static bl_value residual_blocks(bl_graph *g, const bl_gan_net *n, bl_value x, int channels) {
    char name[32];
    for (int i = 0; i < n->blocks; i++) {
        bl_value h = conv_norm(g, x, layer_name(name, sizeof name, "G.block%d.a", i), channels, 1, BL_NONE,
                               BL_ACT_RELU);
        x = conv_norm(g, h, layer_name(name, sizeof name, "G.block%d.b", i), channels, 1, x, BL_ACT_NONE);
    }
    return x;
}

/* U-Net: every level's features are handed across to the decoder, so that the plate and edges stay sharp. */
static bl_value unet(bl_graph *g, const bl_gan_net *n, bl_value x) {
    char name[32];
    bl_value skip[8];
    skip[0] = conv(g, x, "G.in", n->ngf, 3, 1, BL_ACT_LRELU, 1);
    for (int i = 1; i <= n->down; i++)
        skip[i] = conv_norm(g, skip[i - 1], layer_name(name, sizeof name, "G.down%d", i), width_at(n, i), 2,
                            BL_NONE, BL_ACT_LRELU);
    bl_value h = residual_blocks(g, n, skip[n->down], width_at(n, n->down));
    for (int i = n->down - 1; i >= 0;
         i--) { /* narrow first, then enlarge and add: a third of the cost of joining channels */
        h = conv(g, h, layer_name(name, sizeof name, "G.narrow%d", i), width_at(n, i), 1, 1, BL_ACT_NONE, 1);
        h = bl_add(g, bl_upsample2(g, h), skip[i], BL_ACT_NONE);
        h = conv_norm(g, h, layer_name(name, sizeof name, "G.up%d", i), width_at(n, i), 1, BL_NONE,
                      BL_ACT_RELU);
    }
    return h;
}

/* pix2pixHD's global generator (method 6.1): reflection padding, transposed convolutions. */
static bl_value reflect_conv(bl_graph *g, bl_value x, const char *name, int out, int k) {
    return bl_conv2d(g, bl_pad_reflect(g, x, BL_PAD_SAME(k / 2)),
                     &(bl_conv2d_args){.name = name, .out = out, .kh = k, .kw = k});
}

static bl_value global_body(bl_graph *g, const bl_gan_net *n, bl_value x) {
    char name[32];
    int c = n->ngf;
    bl_value h = bl_norm_act(g, reflect_conv(g, x, "G.in", c, 7), BL_NONE, BL_ACT_RELU);
    for (int i = 1; i <= n->down; i++)
        h = bl_norm_act(
            g, conv(g, h, layer_name(name, sizeof name, "G.down%d", i), c *= 2, 3, 2, BL_ACT_NONE, 1),
            BL_NONE, BL_ACT_RELU);
    for (int i = 0; i < n->blocks; i++) {
        bl_value a = bl_norm_act(g, reflect_conv(g, h, layer_name(name, sizeof name, "G.block%d.a", i), c, 3),
                                 BL_NONE, BL_ACT_RELU);
        h = bl_norm_act(g, reflect_conv(g, a, layer_name(name, sizeof name, "G.block%d.b", i), c, 3), h,
                        BL_ACT_NONE);
    }
    for (int i = n->down - 1; i >= 0; i--) {
        layer_name(name, sizeof name, "G.up%d", i);
        h = bl_conv_transpose2d(
            g, h,
            &(bl_conv_transpose2d_args){
                .name = name, .out = c /= 2, .k = 3, .stride = 2, .pad = 1, .out_pad = 1});
        h = bl_norm_act(g, h, BL_NONE, BL_ACT_RELU);
    }
    return h;
}

bl__painted bl__declare_generator(bl_graph *g, const bl_gan_net *n, bl_value label, bl_value plate,
                                  bl_value previous) {
    bl_value in[3] = {label, BL_NONE, BL_NONE};
    int count = 1, composite = n->scene == BL_SCENE_COMPOSITE;
    if (composite) in[count++] = plate;
    if (previous >= 0) in[count++] = previous;
    bl_value x = count > 1 ? bl_concat(g, in, count) : label;
    bl_value h = n->arch == BL_ARCH_GLOBAL ? global_body(g, n, x) : unet(g, n, x);
    bl_value out = n->arch == BL_ARCH_GLOBAL ? reflect_conv(g, h, "G.out", composite ? 4 : 3, 7)
                                             : conv(g, h, "G.out", composite ? 4 : 3, 3, 1, BL_ACT_NONE, 1);
    if (!composite) return (bl__painted){bl_activation(g, out, BL_ACT_TANH), BL_NONE};
    bl_value colour = bl_activation(g, bl_slice(g, out, 0, 3), BL_ACT_TANH),
             mask = bl_activation(g, bl_slice(g, out, 3, 1), BL_ACT_SIGMOID);
    return (bl__painted){bl_blend(g, colour, mask, plate), mask};
}

/* PatchGAN (method 6.3): conv 4x4 with zero padding 2; the first layer has no norm. */
static void patch_d(bl_graph *g, const bl_gan_net *n, int scale, bl_value x, bl_value *layer) {
    char name[32];
    int c = n->ndf, last = n->layers_d + 1;
    for (int i = 0; i <= last; i++) {
        int stride = i < n->layers_d ? 2 : 1;
        snprintf(name, sizeof name, "D%d.layer%d", scale, i);
        bl_value h = bl_conv2d(g, x,
                               &(bl_conv2d_args){.name = name,
                                                 .out = i == last ? 1 : c,
                                                 .kh = 4,
                                                 .kw = 4,
                                                 .sh = stride,
                                                 .sw = stride,
                                                 .pad = BL_PAD_SAME(2),
                                                 .act = i == 0 ? BL_ACT_LRELU : BL_ACT_NONE});
        layer[i] = x = i == 0 || i == last ? h : bl_norm_act(g, h, BL_NONE, BL_ACT_LRELU);
        c = BL_MIN(c * 2, 8 * n->ndf);
    }
}

bl__verdicts bl__declare_discriminator(bl_graph *g, const bl_gan_net *n, bl_value x) {
    bl__verdicts v = {.scales = n->num_d, .layers = n->layers_d + 2};
    for (int k = 0; k < n->num_d; k++) {
        patch_d(g, n, k, x, v.layer[k]);
        if (k + 1 < n->num_d) x = bl_avg_pool(g, x, 3, 2, 1);
    }
    return v;
}

bl_gan_net bl_gan_net_default(void) {
    return (bl_gan_net){.scene = BL_SCENE_COMPOSITE,
                        .arch = BL_ARCH_UNET,
                        .width = 144,
                        .height = 192,
                        .label_channels = 3,
                        .previous = 0,
                        .ngf = 32,
                        .down = 4,
                        .blocks = 2,
                        .max_channels = 256,
                        .ndf = 16,
                        .num_d = 2,
                        .layers_d = 3};
}

int bl_gan_declare(const bl_gan_net *n, bl_params *ps, int with_d, bl_err *err) {
    bl_graph *g = NULL;
    int rc = bl__gan_check(n, err);
    if (rc < 0 || (rc = bl_graph_create(&g, ps, err)) < 0) return rc;
    bl_value label = bl_input(g, "label", n->label_channels), plate = bl_input(g, "plate", 3),
             previous = n->previous ? bl_input(g, "previous", 3) : BL_NONE;
    bl__painted out = bl__declare_generator(g, n, label, plate, previous);
    if (with_d) (void)bl__declare_discriminator(g, n, bl_concat(g, (bl_value[2]){label, out.image}, 2));
    bl_graph_destroy(&g);
    return 0;
}
