/* The soft person mask: from the landmark model's 256x256 region back to the frame. */
#ifndef BL_POSE_MASK_H
#define BL_POSE_MASK_H

#include <stdint.h>

#include "ballerino/track.h"

/* logits: BL__MASK_SIZE squared, of the region `roi`. mask: width * height bytes, overwritten; 0 outside. */
int bl__mask_draw(uint8_t *mask, int width, int height, const float *logits, const bl_roi *roi, int threads,
                  bl_err *err);
/* Where the mask is unsure it leans on the frame before; `before` becomes the result. */
void bl__mask_smooth(uint8_t *mask, uint8_t *before, int width, int height, int threads);

#endif
