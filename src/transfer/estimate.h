/* What a training will take, reckoned from plans: nothing of that size is allocated. */
#ifndef BALLERINO_TRANSFER_ESTIMATE_H
#define BALLERINO_TRANSFER_ESTIMATE_H

#include "presets.h"

/* `preset`: with every net's size, and what the stages' training points to (perceptual.h). frame_width and
 * frame_height: of the video. `macs`: multiply-adds a step, of the stages that are on. */
int bl__estimate(int64_t *bytes, double macs[BL__STAGES], const bl__preset *preset, int frame_width,
                 int frame_height, int threads, bl_precision precision, bl_device *device, bl_err *err);
/* One warning where less memory is left, there, than the stages will take. */
void bl__estimate_warn(const bl__preset *preset, int frame_width, int frame_height, int threads,
                       bl_precision precision, bl_device *device);

#endif
