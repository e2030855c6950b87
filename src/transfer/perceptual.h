/* Which frozen network the generators are judged by, and how much it weighs: the job's choice, else the
 * preset's. */
#ifndef BALLERINO_TRANSFER_PERCEPTUAL_H
#define BALLERINO_TRANSFER_PERCEPTUAL_H

#include "ballerino/backbones.h"
#include "ballerino/pose_features.h"
#include "presets.h"

/* Holds what the stages' bl_gan_train point to: must stay where it is, and outlive the trainers. */
typedef struct bl__perceptual {
    bl_pose_features *body, *face; /* "pose": the landmark models; the face's for the face refiner */
    bl_tensors *vgg19;             /* a file */
    bl_perceptual on_body, on_face, on_vgg19;
} bl__perceptual;

/* `choice`: NULL or "" the preset's (the landmark models where a stage's w_perceptual is above 0), "none",
 * "pose", or the path of VGG19's weights as safetensors. Opens what the stages need and sets perceptual and
 * w_perceptual of their training; a choice whose weight the preset leaves open (0) gets the usual one. */
int bl__perceptual_open(bl__perceptual *p, bl__preset *preset, const char *choice, const char *models_dir,
                        bl_err *err);
void bl__perceptual_close(bl__perceptual *p);

#endif
