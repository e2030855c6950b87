/*
 * Masks: the person masks and the camera's shift of a whole clip, small, in one file of the training folder,
 * so that the clip can be gone through again without finding the person again.
 *
 * File: "BLMASK01", then int32 width, height, int64 frames, then frames * width * height bytes (0..255), then
 * one float a frame (camera shift in frame pixels). Native byte order: a cache, not an exchange format.
 */
#ifndef BALLERINO_TRANSFER_MASKS_H
#define BALLERINO_TRANSFER_MASKS_H

#include "ballerino/base.h"
#include "ballerino/media.h"
#include "ballerino/track.h"

#define BL__MASK_SIDE 256 /* longest side */

typedef struct bl__masks {
    int w, h;
    int64_t n;
    const uint8_t *data; /* n * h * w */
    const float *shift;  /* n */
    bl_map map;
} bl__masks;
int bl__masks_open(bl__masks *m, const char *path, bl_err *err);
void bl__masks_close(bl__masks *m);
const uint8_t *bl__masks_at(const bl__masks *m, int64_t i);
/* Lets go of its memory; it is read again when looked at. */
void bl__masks_forget(const bl__masks *m, int64_t i);

typedef struct bl__masks_writer {
    bl_file_writer file;
    int w, h, frame_w, frame_h;
    int64_t n, capacity;
    float *shift;
    uint8_t *small;
} bl__masks_writer;
int bl__masks_begin(bl__masks_writer *w, const char *path, int frame_w, int frame_h, bl_err *err);
/* `mask`: frame-sized person mask, or NULL. Capsules around the found limbs are added, since a segmentation
 * may lose a fast arm. */
int bl__masks_put(bl__masks_writer *w, const uint8_t *mask, const bl_track_frame *found, float shift,
                  bl_err *err);
int bl__masks_commit(bl__masks_writer *w, bl_err *err);
void bl__masks_abort(bl__masks_writer *w); /* safe after commit */

/* out[i] = 1 where any mask pixel within `radius` exceeds `level`. */
int bl__mask_dilate(uint8_t *out, const uint8_t *mask, int w, int h, int radius, int level, bl_err *err);

#endif
