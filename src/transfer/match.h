/*
 * Match: for each wanted pose the frame of the target that shows it best (in the spirit of Video Rewriter,
 * Bregler, Covell, Slaney 1997). Poses are compared as the joints' places about the hips in torso lengths and
 * the limbs' directions, weighted by visibility; the cheapest path through the best candidates of each entry
 * prefers runs of consecutive frames, and jumps to where the body looks alike.
 */
#ifndef BALLERINO_TRANSFER_MATCH_H
#define BALLERINO_TRANSFER_MATCH_H

#include "ballerino/track.h"

/* choice[k]: a frame of `target` below n_target for entry k of `wanted`, or -1 where nobody is wanted. Both
 * tracks are of one picture size. BL_E_FOOTAGE when the target has no usable frame. */
int bl__match(int64_t *choice, const bl_track *wanted, const bl_track *target, int64_t n_target, bl_err *err);
/* Is b what comes after a without a jump: the next frame, the same, or the one after the next? */
int bl__match_runs_on(int64_t a, int64_t b);

#endif
