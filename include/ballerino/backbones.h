/*
 * Backbones: the published image classifiers whose inner feature maps serve as perceptual losses and in
 * LPIPS, up to the layer that is needed last. Only the architectures are here; weights come from a
 * safetensors file with torchvision's parameter names ("features.0.weight"...).
 *
 *     bl_backbone_declare(g, BL_BACKBONE_VGG19, "P.", image, taps, 5);   // parameters
 * "P.features.0.weight"... bl_params_freeze(ps, "P.", &err); bl_params_seal(ps, 1, 1, &err);
 *     bl_backbone_load(ps, BL_BACKBONE_VGG19, "P.", file, &err);
 *
 * Declared twice with one prefix it is one network on two pictures. Any size that the poolings leave
 * something of. What the picture's values should be (torchvision: mean 0, variance 1 a channel) is the
 * caller's affair.
 */
#ifndef BALLERINO_BACKBONES_H
#define BALLERINO_BACKBONES_H

#include "ballerino/nn.h"
#include "ballerino/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BL_BACKBONE_MAX_TAPS 7

typedef enum bl_backbone {
    BL_BACKBONE_VGG19,      /* taps relu1_1, 2_1, 3_1, 4_1, 5_1 (the paper's loss; method.md 8). Simonyan,
                               Zisserman 2015, configuration E */
    BL_BACKBONE_VGG16,      /* taps relu1_2, 2_2, 3_3, 4_3, 5_3 (LPIPS). The same, configuration D */
    BL_BACKBONE_ALEXNET,    /* taps relu1 to 5 (LPIPS). Krizhevsky 2014, "one weird trick" */
    BL_BACKBONE_SQUEEZENET, /* 1.1; taps conv1 and fires 3, 5, 6, 7, 8, 9 (LPIPS). Iandola et al. 2016 */
    BL_BACKBONE_COUNT
} bl_backbone;

const char *bl_backbone_name(bl_backbone which);
/* Channels of each tap; returns how many taps. */
int bl_backbone_taps(bl_backbone which, int channels[BL_BACKBONE_MAX_TAPS]);
/* Declares it on `image` (3 channels) and gives its taps; returns how many, or negative when they are more
 * than `max`. Errors of the graph are sticky as ever. */
int bl_backbone_declare(bl_graph *g, bl_backbone which, const char *prefix, bl_value image, bl_value *taps,
                        int max, bl_err *err);
/* Fills the sealed parameters PREFIX + torchvision's name from float32, float16 or bfloat16 arrays of
 * torchvision's layout [out][in][kh][kw]. Everything is checked before anything is written; BL_E_MISMATCH
 * names the array that is missing or of another shape. */
int bl_backbone_load(bl_params *ps, bl_backbone which, const char *prefix, const bl_tensors *file,
                     bl_err *err);
/* Which of them the file's arrays belong to (by names and shapes), or BL_E_MISMATCH. */
int bl_backbone_detect(const bl_tensors *file, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
