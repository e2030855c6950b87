/* Retouch: one part of a frame, refined where the frame lies on a device: cut out, painted, added. */
#ifndef BALLERINO_TRANSFER_RETOUCH_H
#define BALLERINO_TRANSFER_RETOUCH_H

#include "ballerino/gan.h"
#include "ballerino/picture.h"
#include "ballerino/pose.h"
#include "parts.h"

/* What goes up for a part, kept from frame to frame; grows with the largest box. Zeroed is empty. */
typedef struct bl__retouch {
    bl_staged figure, taps[4];
} bl__retouch;

void bl__retouch_release(bl__retouch *r);
/* Only queued. The queue must be done with what was queued before with the same bl__retouch. */
int bl__retouch_queue(bl__retouch *r, bl_generator *g, bl_picture *frame, const bl_person *p,
                      const bl__part_box *box, bl_err *err);

#endif
