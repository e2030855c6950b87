/* What `draft`, `standard` and `paper` mean: one place to tune. */
#ifndef BALLERINO_TRANSFER_PRESETS_H
#define BALLERINO_TRANSFER_PRESETS_H

#include "ballerino/transfer.h"

typedef struct bl__preset {
    int area;       /* window pixels wanted */
    double minutes; /* training time, 0 = as epochs say */
    int epochs;     /* of the samples */
    bl_gan_net net; /* width and height are filled in later */
    bl_gan_train train;
} bl__preset;
bl__preset bl__preset_of(bl_preset p, bl_scene scene);

#endif
