/*
 * Limbs: how long a subject's limbs are, against his height. Internal to motion.
 *
 * The models' world coordinates give everybody nearly the same build: of the demo's child (thigh 0.24 of the
 * height) and tall adult (0.30) they make 0.24 and 0.27, and 1.11 instead of 1.28 as their ratio. Directions
 * in them are good, lengths in the picture are too, so each limb's length in the picture is divided by how
 * much of it lies across the view (1.20); and, as a second way that needs no depth, the upper end of its
 * lengths in the picture is taken. Ratios are the geometric mean of both.
 */
#ifndef BL_MOTION_LIMBS_H
#define BL_MOTION_LIMBS_H

#include "floor.h"

/* Fills limb_space and limb_image; what too few frames show stays 0. The heights must be known already. */
int bl__limb_stats(bl_pose_stats *s, const bl_track *t, const bl__path *p, bl_err *err);

/* Target's length through source's for each limb; BL_E_MISMATCH when either knows none. */
int bl__limb_ratios(float ratio[BL_LIMBS], const bl_pose_stats *source, const bl_pose_stats *target,
                    bl_err *err);

#endif
