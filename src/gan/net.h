/* The networks as graphs: declared here once, used by the trainer, the generator in use and the tests. */
#ifndef BALLERINO_GAN_NET_H
#define BALLERINO_GAN_NET_H

#include "ballerino/base.h"
#include "ballerino/gan.h"

#define BL__MAX_SCALES 4
#define BL__MAX_LAYERS 8

/* Checks that the settings describe a network that can be built. */
int bl__gan_check(const bl_gan_net *net, bl_err *err);

typedef struct bl__painted {
    bl_value image, mask;
} bl__painted; /* mask BL_NONE when painting the whole frame */
/* The generator: label, plate (composite), previous (or BL_NONE) -> picture. Parameters "G.". */
bl__painted bl__declare_generator(bl_graph *g, const bl_gan_net *net, bl_value label, bl_value plate,
                                  bl_value previous);

/* What a discriminator says, layer by layer; the last is the score map. Parameters "D<scale>.". */
typedef struct bl__verdicts {
    int scales, layers;
    bl_value layer[BL__MAX_SCALES][BL__MAX_LAYERS];
} bl__verdicts;
bl__verdicts bl__declare_discriminator(bl_graph *g, const bl_gan_net *net, bl_value x);

/* dst(x, y) = src(x + dx, y + dy), bilinear, edges repeated; w*h*3 floats. */
void bl__shift_picture(float *dst, const float *src, int w, int h, float dx, float dy);

#endif
