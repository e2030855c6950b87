/*
 * Press: where a painter works on a device. Lays a slide over the plate there, and brings the frame down
 * once, as it is encoded or as it is looked at.
 *
 *     bl__press_init(&press, device, plate, &grid, &err);
 *     bl__press_lay(&press, slide, x, y);                   // queued; press.frame may be worked on further
 *     bl__press_print(&press, &print, &err);                // waits
 *     bl_writer_put_planes(writer, &print->planes, &err);
 *     bl__print_back(&print);                               // in any thread
 *     bl__press_release(&press);                            // after the last print is back
 */
#ifndef BALLERINO_TRANSFER_PRESS_H
#define BALLERINO_TRANSFER_PRESS_H

#include "screen.h"

typedef struct bl__press {
    bl_device *device; /* NULL: there is none, and nothing below is used */
    const bl__grid *grid;
    bl_picture plate, frame; /* the frame's size */
    bl_staged axis[2];
    bl_taps from_x, from_y;
    bl_staged looked_at; /* the frame's way down; made when it is first wanted */
    bl_fence *done;
    bl__shelf prints;
} bl__press;

/* A finished frame on the host, as the writer encodes it. */
typedef struct bl__print {
    bl__shelved shelved;
    bl__press *press;
    bl_staged bytes;
    bl_planes planes; /* in those; time is the taker's to set */
} bl__print;

int bl__press_init(bl__press *p, bl_device *device, const bl_frame *plate, const bl__grid *grid, bl_err *err);
void bl__press_release(bl__press *p); /* zeroed is fine */
/* slide NULL: the plate alone. */
void bl__press_lay(bl__press *p, const bl__slide *slide, int x, int y);
/* Both wait. */
int bl__press_print(bl__press *p, bl__print **out, bl_err *err);
int bl__press_frame(bl__press *p, bl_frame *f, bl_err *err);
void bl__print_back(bl__print **print); /* NULL is fine */

#endif
