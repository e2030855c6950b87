/*
 * Hands, by MediaPipe's holistic path: the body's wrist, little finger and index finger say roughly where a
 * hand is; a small network (recrop) makes a better region of that; the region around the hand of the frame
 * before is taken instead where it lies close to it; the hand model finds 21 points in it.
 */
#ifndef BL_POSE_HANDS_H
#define BL_POSE_HANDS_H

#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "roi.h"

enum { BL__LEFT, BL__RIGHT, BL__SIDES };

typedef struct bl__hands bl__hands;

int bl__hands_open(bl__hands **out, const char *models_dir, bl_device *device, int threads, int reference,
                   bl_err *err);
void bl__hands_close(bl__hands **h);
/* body: the 33 landmarks. before: the hands of the frame before (score 0: not seen). out: score 0 and zeros
 * where there is no hand. Which hands run together does not depend on `before`. */
int bl__hands_find(bl__hands *h, const bl_frame *frame, const bl_landmark *body,
                   const bl_hand before[BL__SIDES], bl_hand out[BL__SIDES], bl_err *err);

/* ---- the regions (shared with tests) ---- */
/* 1 and where the body says that the hand is; 0: its wrist is not visible. */
int bl__hand_guess(bl_roi *out, const bl_landmark *body, int side, int width, int height);
/* What the recrop network says (two points in pixels of its 256 squared picture of `guess`). */
bl_roi bl__hand_recrop(const float points[4], const bl_roi *guess, int width, int height);
/* Around the points of a hand. */
bl_roi bl__hand_region(const bl_hand *hand, int width, int height);
/* The region to look into: the one around `before`, or `recrop`. */
bl_roi bl__hand_choose(const bl_hand *before, const bl_roi *recrop, int width, int height);

#endif
