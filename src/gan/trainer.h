/* Inside of the trainer, shared by training and saving. */
#ifndef BALLERINO_GAN_TRAINER_H
#define BALLERINO_GAN_TRAINER_H

#include "ahead.h"
#include "net.h"

enum {
    BL__LOSS_TOTAL,
    BL__LOSS_GAN,
    BL__LOSS_FM,
    BL__LOSS_L1,
    BL__LOSS_SSIM,
    BL__LOSS_D_REAL,
    BL__LOSS_D_FAKE,
    BL__LOSS_PERCEPTUAL,
    BL__LOSSES
};

#define BL__PAST 4    /* frames before the trained one that the temporal discriminators reach back */
#define BL__STRIDES 2 /* they see frames 0, 1, 2 and 0, 2, 4 before */

struct bl_trainer {
    bl_gan_net net;
    bl_gan_train train;
    bl_gan_source src;
    int frames; /* generated a step: 1, or 2 with a temporal discriminator */
    bl_params *ps;
    bl_graph *g;
    bl_program *full, *plain; /* with and without the discriminators */
    bl_generator *roll;       /* for own outputs; NULL when nobody sees any */
    bl__ahead *ahead;
    bl_value previous, label[2], plate[2], real[2], weight[2], image[2];
    bl_value past_own[3], past_real[3]; /* 1, 2 and BL__PAST frames before; BL_NONE but for temporal_d 2 */
    bl_value aug_colour, aug_move, aug_cut; /* the unit's augmentation; BL_NONE when off */
    bl_value loss[BL__LOSSES], plain_total, d_total;
    float *label_buf, *plate_buf, *real_buf, *weight_buf, *prev_buf;
    const float *first_plate; /* the unit's, on the host, while its inputs are filled */
    bl_rng rng;
    int64_t step; /* done */
};

/* What a unit shows the generator as its previous output. */
typedef struct bl__previous {
    enum { BL__PREVIOUS_START, BL__PREVIOUS_REAL, BL__PREVIOUS_OWN } kind;
    int length; /* OWN: frames rolled out */
    int dx, dy; /* pixels that it is moved by */
} bl__previous;
/* Draws it for a frame with `before` direct predecessors (at least BL__PAST with temporal_d 2); always takes
 * the same number of random numbers. */
bl__previous bl__draw_previous(bl_rng *rng, const bl_gan_train *o, int64_t before);
/* Puts it, and the past that the temporal discriminators see, into those of the program's inputs that it has;
 * t->first_plate must be there already. */
int bl__fill_previous(bl_trainer *t, bl_program *p, int64_t index, bl__previous how, uint64_t augment,
                      bl_err *err);
/* The mean over the generated frames; *out BL_NONE where it is not asked for. Freezes the network. */
int bl__declare_perceptual(bl_trainer *t, bl_value *out, bl_err *err);
int bl__load_perceptual(bl_trainer *t, bl_err *err);

/* What a discriminator sees of a unit: figures and pictures, joined along channels, augmented when asked. */
void bl__declare_augment(bl_trainer *t);
bl_value bl__declare_judged(bl_trainer *t, const bl_value *labels, int n_labels, const bl_value *pictures,
                            int n_pictures);
/* Draws the unit's augmentation and puts it into the program's inputs. */
void bl__draw_augment(bl_trainer *t, bl_program *p);

/* Checks the settings and declares parameters, graph and losses; a trainer that was only declared can be
 * planned, and destroyed like any other. */
int bl__declare_trainer(bl_trainer *t, bl_err *err);
int bl__compile(bl_trainer *t, bl_program **p, int with_gan, int plan_only, bl_err *err);
uint64_t bl__rank_seed(const bl_gan_train *o, uint64_t seed); /* this process's own; the same on rank 0 */
int bl__sees_own(const bl_trainer *t);                        /* own outputs are rolled out */

#endif
