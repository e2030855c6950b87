/* One frame: the room with the dancer's shadow, then the dancer. */
#ifndef BL_DEMO_PAINT_H
#define BL_DEMO_PAINT_H

#include "ballerino/media.h"
#include "flesh.h"
#include "stage.h"

/* Paints into a frame of the stage's size. `h`: the dancer's height / 1.76 m. */
int bl__paint(bl_frame *out, const bl__stage *s, const bl__figure3 *f, bl__dress dress, float h, bl_err *err);

#endif
