/* How a job's clips are read: decoded where its networks run, when it may and can be. */
#ifndef BALLERINO_TRANSFER_READING_H
#define BALLERINO_TRANSFER_READING_H

#include "ballerino/media.h"
#include "ballerino/nn.h"

static inline bl_reader_options bl__reading(const bl_device *device, bl_hw hw) {
    bl_reader_options o = bl_reader_options_default();
    o.hw = hw;
    o.gpu = bl_device_index(device);
    return o;
}

#endif
