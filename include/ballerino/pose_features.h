/*
 * Feature maps of the pose and face landmark models, which are installed anyway: they know what a body and a
 * face look like, and so can say how alike two pictures of a person are (perceptual loss).
 *
 * The early part of the model is declared on any picture, of any size that is a multiple of 16, as a fully
 * convolutional network. Taps: what the network has made of the picture at 1/2, 1/4, 1/8 and 1/16 of its
 * size, just before it goes to the next smaller size.
 */
#ifndef BALLERINO_POSE_FEATURES_H
#define BALLERINO_POSE_FEATURES_H

#include "ballerino/nn.h"
#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BL_POSE_FEATURES_TAPS 4

typedef struct bl_pose_features bl_pose_features;
typedef enum bl_pose_features_net {
    BL_FEATURES_POSE, /* pose_landmark_full.tflite */
    BL_FEATURES_FACE  /* face_landmark.tflite */
} bl_pose_features_net;

/* `prefix` (at most 8 characters) of the parameters' names; `models_dir` NULL = bl_path_models(). BL_E_MODELS
 * with what to run when the model is missing. */
int bl_pose_features_open(bl_pose_features **out, bl_pose_features_net which, const char *prefix,
                          const char *models_dir, bl_err *err);
void bl_pose_features_close(bl_pose_features **f);
/* On `image` (n,h,w,3, RGB, -1..1). Gives the taps and weights for mean |difference| that make them count
 * alike: 1 / (taps * typical spread of the map), the spread (mean distance from the channel's mean) being
 * measured once on a fixed made-up picture. Returns how many, or negative. */
int bl_pose_features_declare(bl_pose_features *f, bl_graph *g, bl_value image, bl_value *taps, float *weights,
                             int max, bl_err *err);
/* Fills the sealed parameters. */
int bl_pose_features_load(bl_pose_features *f, bl_params *ps, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
