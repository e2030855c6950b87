/* What `draft`, `standard`, `high` and `paper` mean: one place to tune. */
#ifndef BALLERINO_TRANSFER_PRESETS_H
#define BALLERINO_TRANSFER_PRESETS_H

#include "ballerino/transfer.h"

/* The stages of a training, in their order (method 9). */
typedef enum bl__stage {
    BL__STAGE_GLOBAL, /* coarse to fine: the generator at half the size, without its enhancer if it has one */
    BL__STAGE_MAIN,   /* the generator of the window */
    BL__STAGE_FACE,   /* the refiners, on patches of what the main generator made */
    BL__STAGE_HANDS,
    BL__STAGES
} bl__stage;

typedef struct bl__stage_plan {
    int on;
    double share;   /* of the training time */
    int epochs;     /* where no time is set */
    bl_gan_net net; /* the main window's width and height are filled in later */
    bl_gan_train train;
} bl__stage_plan;

typedef struct bl__preset {
    int area;              /* window pixels wanted */
    int64_t enhanced_from; /* window pixels from which an enhancer is used, where --size says otherwise */
    double minutes;        /* training time, 0 = as epochs say */
    bl__stage_plan stage[BL__STAGES];
    /* Weight of VGG19's perceptual loss where its weights are given and it takes L1's place; 0: L1 stays. The
     * global stage's is set from the main one's. */
    float vgg19[BL__STAGES];
} bl__preset;
bl__preset bl__preset_of(bl_preset p, bl_scene scene);
/* With what the job says otherwise. */
bl__preset bl__preset_for(const bl_train_job *job);
/* The job's, auto resolved for this machine. */
bl_precision bl__precision_for(const bl_train_job *job);
/* Sides that the window must be multiples of, so that every stage can halve them. */
int bl__preset_step(const bl__preset *p);
/* Sets the global stage from the main one, once the window is known: on where the net has an enhancer, or
 * where the preset has it on and half of the window is still large enough. Else its time is the main one's.
 */
void bl__preset_coarse(bl__preset *p);

const char *bl__stage_name(bl__stage s); /* "main", "face"... */
/* A refiner for patches of size x size, as the presets have it. */
bl_gan_net bl__refiner_net(int size);

#endif
