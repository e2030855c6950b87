/*
 * Cutting a convolution into bands of rows, each a smaller convolution of one sample: parts for the team.
 *
 * Forward and weight gradients are cut along the small side's rows, with the rows of the big side that they
 * see; backward data along the big side's, with the rows of the small side that see them. What lies outside
 * of a band's rows and inside the picture is no longer padding; at the picture's edge padding stays.
 */
#ifndef BALLERINO_NN_BANDS_H
#define BALLERINO_NN_BANDS_H

#include "onednn.h"

typedef struct bl__band {
    bl__conv_spec spec;       /* of this band alone */
    int64_t big_at, small_at; /* its first elements on either side */
} bl__band;

/* Into how many bands; depends on the convolution and its `threads` alone. 1: it stays whole, with all
 * samples. along_big: of the big side's rows. summed: bands make weight gradients, which must be summed
 * afterwards. */
int bl__bands_count(const bl__conv_spec *s, int along_big, int summed);
/* Band k of so many. */
bl__band bl__band_of(const bl__conv_spec *s, int along_big, int count, int k);

#endif
