/*
 * Ahead: fetches the frames that the next step will learn from, in a thread of its own, while this one
 * computes. What is fetched depends on index and seed alone, so a training comes out the same, to the bit,
 * whether its frames were fetched ahead or not.
 *
 *     bl__ahead_ask(a, &next);                     // returns at once
 *     ... a step's computing, in which nobody else calls the source ...
 *     bl__ahead_settle(a);                         // nobody is in the source any more
 *     if (bl__ahead_has(a, &unit)) rc = bl__ahead_take(a, frame, program, &inputs, &plate, &err);
 *
 * With a device they also go up while this step computes (ballerino/lane.h).
 */
#ifndef BALLERINO_GAN_AHEAD_H
#define BALLERINO_GAN_AHEAD_H

#include "ballerino/gan.h"

/* What a step learns from: the frames from `index` on, all with one seed of augmentation. */
typedef struct bl__unit {
    int64_t index;
    uint64_t augment;
} bl__unit;

/* A frame's inputs of a program: one for each picture that bl_gan_source.get fills, BL_NONE where nobody
 * looks at it. */
typedef struct bl__shot_inputs {
    bl_value label, plate, real, weight;
} bl__shot_inputs;

typedef struct bl__ahead bl__ahead;

/* `frames`: of a unit, 1 or 2. Borrows the source. `device`: NULL, or where the frames are wanted. */
int bl__ahead_start(bl__ahead **out, const bl_gan_source *src, const bl_gan_net *net, int frames,
                    bl_device *device, bl_err *err);
void bl__ahead_stop(bl__ahead **a); /* NULL is fine */
/* Bytes that it keeps, with a device there. */
int64_t bl__ahead_bytes(const bl_gan_net *net, int frames);

void bl__ahead_ask(bl__ahead *a, const bl__unit *unit); /* after settling */
void bl__ahead_settle(bl__ahead *a);
int bl__ahead_has(const bl__ahead *a, const bl__unit *unit); /* after settling */
/* Frame k of the unit that it has becomes a program's inputs; or the source's failure. *plate: that picture
 * on the host, until the next is asked for. All frames, in their order. */
int bl__ahead_take(bl__ahead *a, int k, bl_program *p, const bl__shot_inputs *inputs, const float **plate,
                   bl_err *err);

#endif
