/* Overlay: a picture of what pose normalisation did: on the left the source with its figure and floor, on the
 * right the target's plate with the normalised figures and the target's floor. */
#ifndef BALLERINO_TRANSFER_OVERLAY_H
#define BALLERINO_TRANSFER_OVERLAY_H

#include "ballerino/media.h"
#include "ballerino/motion.h"

typedef struct bl__overlay {
    const bl_frame *source_frame, *plate;
    const bl_track *source, *normalised;
    int64_t entry; /* whose frame source_frame is */
    const bl_pose_stats *source_stats, *target_stats;
} bl__overlay;
int bl__overlay_write(const bl__overlay *o, const char *path, bl_err *err);
/* The entry to show: one with a person, as near to the middle as there is; -1 = none. */
int64_t bl__overlay_entry(const bl_track *t);

#endif
