/* What a training will take, reckoned from plans: nothing of that size is allocated. */
#ifndef BALLERINO_TRANSFER_ESTIMATE_H
#define BALLERINO_TRANSFER_ESTIMATE_H

#include "ballerino/pose.h"
#include "model.h"
#include "presets.h"

/* `preset`: with every net's size, and what the stages' training points to (perceptual.h). frame_width and
 * frame_height: of the video. `macs`: multiply-adds a step, of the stages that are on. */
int bl__estimate(int64_t *bytes, double macs[BL__STAGES], const bl__preset *preset, int frame_width,
                 int frame_height, int threads, bl_precision precision, bl_device *device, bl_err *err);
/* Bytes of a device that a transfer will take at the most, with a model of this kind and windows of w x h.
 * `poses`: how those are found; NULL: they are there already. */
int bl__estimate_transfer(int64_t *bytes, const bl__model_info *info, int w, int h,
                          const bl_pose_options *poses, int threads, bl_device *device, bl_err *err);
/* One warning where less memory is left, there, than the stages will take. `processes`: of this machine, that
 * share its memory. */
void bl__estimate_warn(const bl__preset *preset, int frame_width, int frame_height, int threads,
                       bl_precision precision, bl_device *device, int processes);

#endif
