/* Overlay: a picture of what pose normalisation did, panels side by side: first the source with its figure
 * and floor; then the target's plate with the normalised figures and the target's floor; then, when limbs
 * were retargeted, the plate with the figures that the target will dance, the normalised one faint behind.
 * The floor is a red line where the dancer is nearest, a blue one where farthest. */
#ifndef BALLERINO_TRANSFER_OVERLAY_H
#define BALLERINO_TRANSFER_OVERLAY_H

#include "ballerino/media.h"
#include "ballerino/motion.h"

typedef struct bl__overlay {
    const bl_frame *source_frame, *plate;
    const bl_track *source, *normalised;
    const bl_track *retargeted; /* NULL: no third panel */
    int64_t entry;              /* whose frame source_frame is */
    const bl_pose_stats *source_stats, *target_stats;
} bl__overlay;
int bl__overlay_write(const bl__overlay *o, const char *path, bl_err *err);
/* The entry to show: one with a person, as near to the middle as there is; -1 = none. */
int64_t bl__overlay_entry(const bl_track *t);

#endif
