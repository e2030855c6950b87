/*
 * Screen: where a render works on a device. Figure and plate are put into the generator's own inputs, and
 * what it makes becomes a layer, all queued: nobody waits, and nothing comes down.
 *
 *     bl__screen_init(&screen, generator, plate, &grid, &err);
 *     bl__slide *slide = NULL;
 *     bl__screen_slide(&screen, &slide, &err);              // a layer to fill
 *     bl__screen_show(&screen, slide, &scene, &err);
 *     bl__slide_back(&slide);              // in any thread, when what reads it was waited for
 *     bl__screen_release(&screen);         // after the last slide is back
 */
#ifndef BALLERINO_TRANSFER_SCREEN_H
#define BALLERINO_TRANSFER_SCREEN_H

#include "ballerino/gan.h"
#include "compose.h"
#include "label.h"
#include "shelf.h"

typedef struct bl__screen {
    bl_device *device; /* NULL: there is none, and nothing below is used */
    const bl__grid *grid;
    bl_generator *generator;
    bl_generator_there net;
    bl_picture plate; /* the grid's size */
    bl__shelf slides;
} bl__screen;

/* A layer there, premultiplied as bl__layer's. */
typedef struct bl__slide {
    bl__shelved shelved;
    bl__screen *screen;
    bl_picture rgba;
    bl_staged figure; /* its capsules */
    bl_staged moved;  /* how the limbs have (steady.h) */
} bl__slide;

/* What is to be generated. */
typedef struct bl__scene {
    const bl_person *person;
    int x, y;      /* of the window */
    float dx, dy;  /* how far it has moved */
    float opacity; /* of the person */
} bl__scene;

/* `plate`: of the grid's size. Borrows grid and generator. */
int bl__screen_init(bl__screen *s, bl_generator *g, const uint8_t *plate, const bl__grid *grid, bl_err *err);
void bl__screen_release(bl__screen *s); /* zeroed is fine */
int bl__screen_slide(bl__screen *s, bl__slide **out, bl_err *err);
void bl__slide_back(bl__slide **slide); /* NULL is fine */
int bl__screen_show(bl__screen *s, bl__slide *slide, const bl__scene *scene, bl_err *err);

#endif
