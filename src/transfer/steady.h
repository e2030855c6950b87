/*
 * Steady: what the generator made is blended with what it made a frame before, carried along by the limbs'
 * motion (method 12.7, the cheap form of vid2vid's warp: no flow is estimated and nothing is trained). A
 * generator that sees each pose by itself paints cloth a little differently in every frame; where both agree
 * but for that shimmer they are blended, where they differ more nothing is done:
 *
 *     now += share * max(0, 1 - d^2 / R^2)^2 * (before(q + field(q)) - now)      (Tukey's biweight)
 *
 * d being the distance of the two premultiplied values, alpha times 128, and R = 64 of 255. The result is
 * what the next frame is blended with.
 */
#ifndef BALLERINO_TRANSFER_STEADY_H
#define BALLERINO_TRANSFER_STEADY_H

#include "ballerino/gan.h"
#include "ballerino/motion.h"
#include "compose.h"

#define BL__STEADY_STEP 4 /* pixels between the points whose motion is reckoned */

/* One frame's part in it. */
typedef struct bl__moment {
    const bl_person *person;
    int x, y; /* of the window in the grid */
} bl__moment;

typedef struct bl__steady {
    float share;         /* 0: off, nothing below is used */
    int w, h;            /* of the window */
    bl__moment before;   /* person NULL: there is none */
    float *field, *last; /* on the CPU: the field's points; the layer before */
    bl_picture there;    /* on a device: the layer before */
} bl__steady;

/* What `share` means: a generator that sees its previous output steadies itself. Negative: half, but
 * for those nothing. */
float bl__steady_share(float share, const bl_gan_net *net);

/* `device`: NULL for the CPU. */
int bl__steady_init(bl__steady *s, float share, int w, int h, bl_device *device, bl_err *err);
void bl__steady_release(bl__steady *s); /* zeroed is fine */
/* What comes next has nothing before it. */
void bl__steady_restart(bl__steady *s);
/* Steadies the layer of that moment, and keeps it for the next. */
void bl__steady_layer(bl__steady *s, const bl__grid *g, bl__layer *l, bl__moment now);

/* The same on a device, only queued. `field`: bl__steady_bytes of staged memory that nothing queued still
 * reads. */
int64_t bl__steady_bytes(int w, int h);
void bl__steady_queue(bl__steady *s, const bl__grid *g, bl_picture *layer, bl_staged *field, bl__moment now);

#endif
