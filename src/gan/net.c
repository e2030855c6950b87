/* What describes the networks, and the discriminators. */
#include "net.h"

#include <string.h>

int bl__gan_check(const bl_gan_net *n, bl_err *err) {
    int step = 1 << (n->down > 0 && n->down < 10 ? n->down + (n->enhancer != 0) : 0);
    const char *wrong = NULL;
    if (n->down < 1 || n->down > 6)
        wrong = "down-samplings must be 1 to 6";
    else if (n->width < 32 || n->height < 32 || n->width > 4096 || n->height > 4096)
        wrong = "the size must be 32 to 4096";
    else if (n->width % step || n->height % step)
        wrong =
            "the size must be a multiple of 2 to the number of down-samplings (one more with an enhancer)";
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
    else if (n->arch == BL_ARCH_GLOBAL && n->down > 5)
        wrong = "too many down-samplings";
    else if (n->enhancer && (n->ngf_local < 4 || n->ngf_local > 256))
        wrong = "the enhancer's base width must be 4 to 256";
    else if (n->enhancer && (n->blocks_local < 0 || n->blocks_local > 32))
        wrong = "the enhancer's residual blocks must be 0 to 32";
    if (!wrong) return 0;
    return bl_fail(err, BL_E_USAGE, "the network's settings do not work: %s", wrong);
}

/* PatchGAN (method 6.3): conv 4x4 with zero padding 2; the first and the last layer have no norm. */
static void patch_d(bl_graph *g, const bl_gan_net *n, const char *prefix, bl_value x, bl_value *layer) {
    char name[48], norm[48];
    int c = n->ndf, last = n->layers_d + 1;
    for (int i = 0; i <= last; i++) {
        const int stride = i < n->layers_d ? 2 : 1;
        const int normed = i > 0 && i < last && n->norm_d != BL_D_NORM_NONE;
        snprintf(name, sizeof name, "%s.layer%d", prefix, i);
        snprintf(norm, sizeof norm, "%s.norm%d", prefix, i);
        bl_value h = bl_conv2d(g, x,
                               &(bl_conv2d_args){.name = name,
                                                 .out = i == last ? 1 : c,
                                                 .kh = 4,
                                                 .kw = 4,
                                                 .sh = stride,
                                                 .sw = stride,
                                                 .pad = BL_PAD_SAME(2),
                                                 .act = i == last || normed ? BL_ACT_NONE : BL_ACT_LRELU});
        layer[i] = x = !normed                         ? h
                       : n->norm_d == BL_D_NORM_AFFINE ? bl_norm_affine_act(g, h, norm, BL_NONE, BL_ACT_LRELU)
                                                       : bl_norm_act(g, h, BL_NONE, BL_ACT_LRELU);
        c = BL_MIN(c * 2, 8 * n->ndf);
    }
}

bl__verdicts bl__declare_discriminator(bl_graph *g, const bl_gan_net *n, bl_value x) {
    bl__verdicts v = {.scales = n->num_d, .layers = n->layers_d + 2};
    char prefix[16];
    for (int k = 0; k < n->num_d; k++) { /* finest first, named from the coarsest */
        snprintf(prefix, sizeof prefix, "D%d", n->num_d - 1 - k);
        patch_d(g, n, prefix, x, v.layer[k]);
        if (k + 1 < n->num_d) x = bl_avg_pool(g, x, 3, 2, 1);
    }
    return v;
}

bl__verdicts bl__declare_temporal(bl_graph *g, const bl_gan_net *n, int k, bl_value x) {
    bl__verdicts v = {.scales = 1, .layers = n->layers_d + 2};
    char prefix[16];
    snprintf(prefix, sizeof prefix, "DT%d", k);
    patch_d(g, n, prefix, x, v.layer[0]);
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
