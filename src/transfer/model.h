/* Inside of a model file (docs/formats/model.md), shared by training, which writes it, and transfer. */
#ifndef BALLERINO_TRANSFER_MODEL_H
#define BALLERINO_TRANSFER_MODEL_H

#include "ballerino/safetensors.h"
#include "ballerino/transfer.h"
#include "window.h"

/* Landmarks, colours, version of the drawing: 2 has hands and face. */
#define BL__SKELETON "blazepose33/body25/2"

/* The refiners a model may have beside its main generator (refine.h). */
enum { BL__REFINE_FACE, BL__REFINE_HANDS, BL__REFINERS };
typedef struct bl__refine_info {
    int on;
    bl_gan_net net; /* width = height: the patch's size */
} bl__refine_info;

/* What a model says beside its arrays. */
typedef struct bl__model_info {
    bl_gan_net net;
    bl_pose_stats stats; /* of the target; its width and height are the plate's */
    bl__refine_info refine[BL__REFINERS];
    double scale; /* window pixels a frame pixel; the window's size is the net's */
    int smooth;   /* window of the smoothing that the target's track had */
    int64_t steps;
    double holdout;  /* share of the clip that was kept from training; 0: nothing, or not recorded */
    int64_t n_train; /* frames before the held-out part; 0: not recorded */
    bl_train_scores scores;
    const char *consent, *preset, *target_sha256;
} bl__model_info;

struct bl_model {
    char *path;
    bl_tensors *file;
    bl__model_info info;             /* its texts belong to `file` */
    bl_params *params;               /* the generator's, in BL_SLAB_WEIGHT */
    bl_params *refine[BL__REFINERS]; /* those of the refiners that are on, likewise */
    bl_frame *plate;
};

/* Where a network's weights are: parameters "G." in a slab. */
typedef struct bl__weights {
    bl_params *ps;
    bl_slab slab;
} bl__weights;
/* Writes the main generator's weights (main), those of the refiners that are on, and everything else,
 * atomically. */
int bl__model_write(const char *path, const bl__model_info *info, bl__weights main,
                    const bl__weights refine[BL__REFINERS], const bl_frame *plate, bl_err *err);
const char *bl__preset_name(bl_preset p);

#endif
