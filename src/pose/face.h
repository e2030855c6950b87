/*
 * The face, by MediaPipe's holistic path: the body's eleven points of the head say roughly where it is; a
 * face detector looks there, and without a detection there is no face; the region around the mesh of the
 * frame before is taken instead of the detector's where it lies close to it; the mesh model finds 468 points.
 */
#ifndef BL_POSE_FACE_H
#define BL_POSE_FACE_H

#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "ssd.h"

typedef struct bl__face_finder bl__face_finder;

int bl__face_open(bl__face_finder **out, const char *models_dir, bl_device *device, int threads,
                  int reference, bl_err *err);
void bl__face_close(bl__face_finder **f);
/* body: the 33 landmarks. before: the face of the frame before (score 0: not seen). out: score 0 and zeros
 * where there is no face; may be `before`. */
int bl__face_find(bl__face_finder *f, const bl_frame *frame, const bl_landmark *body, const bl_face *before,
                  bl_face *out, bl_err *err);

/* ---- the regions (shared with tests) ---- */
/* Where the body says that the head is. */
bl_roi bl__face_guess(const bl_landmark *body, int width, int height);
/* From a detection (in the picture of `guess`). */
bl_roi bl__face_detected(const bl__detection *d, const bl_roi *guess, int width, int height);
/* Around the points of a face. */
bl_roi bl__face_region(const bl_face *face, int width, int height);
/* The region to look into: the one around `before`, or `detected`. */
bl_roi bl__face_choose(const bl_face *before, const bl_roi *detected, int width, int height);

#endif
