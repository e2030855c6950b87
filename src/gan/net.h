/* The networks as graphs: declared here once, used by the trainer, the generator in use and the tests. */
#ifndef BALLERINO_GAN_NET_H
#define BALLERINO_GAN_NET_H

#include "ballerino/base.h"
#include "ballerino/gan.h"

#define BL__MAX_SCALES 4
#define BL__MAX_LAYERS 8
#define BL__INIT 0.02f          /* N(0, 0.02), method 6 */
#define BL__INIT_RESIDUAL 5e-4f /* of a residual's last convolution */

/* Checks that the settings describe a network that can be built. */
int bl__gan_check(const bl_gan_net *net, bl_err *err);

typedef struct bl__painted {
    bl_value image, mask;
} bl__painted; /* mask BL_NONE but for a composite */
static inline int bl__sees_plate(const bl_gan_net *n) {
    return n->scene != BL_SCENE_PAINT;
}
/* What the generator knows before its last convolution: ngf channels at x's size (enhancer aside). */
bl_value bl__declare_features(bl_graph *g, const bl_gan_net *net, bl_value x);
/* The generator: label, plate (unless it paints), previous (or BL_NONE) -> picture. Parameters "G.". */
bl__painted bl__declare_generator(bl_graph *g, const bl_gan_net *net, bl_value label, bl_value plate,
                                  bl_value previous);

/* What a discriminator says, layer by layer; the last is the score map. Scales stand finest first; the
 * parameters are "D<k>." with k = 0 the coarsest. */
typedef struct bl__verdicts {
    int scales, layers;
    bl_value layer[BL__MAX_SCALES][BL__MAX_LAYERS];
} bl__verdicts;
bl__verdicts bl__declare_discriminator(bl_graph *g, const bl_gan_net *net, bl_value x);
/* One more discriminator of the same design, at one scale, named "DT<k>.". */
bl__verdicts bl__declare_temporal(bl_graph *g, const bl_gan_net *net, int k, bl_value x);

/* What a generator on these parameters would take (weights aside) and do a frame; nothing is allocated. */
int bl__generator_plan(const bl_gan_net *net, bl_params *ps, bl_precision precision, int threads,
                       int64_t *bytes, double *macs, bl_err *err);

/* What the generator is shown as its previous output when a clip starts: the plate, or (NULL) zeros. */
void bl__first_previous(float *dst, const float *plate, size_t pixels);
/* dst(x, y) = src(x + dx, y + dy), bilinear, edges repeated; w*h*3 floats. */
void bl__shift_picture(float *dst, const float *src, int w, int h, float dx, float dy);

#endif
