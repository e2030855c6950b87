/*
 * LPIPS: the learned perceptual distance of Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable
 * Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1, version 0.1 with linear weights:
 * the sum over feature maps of the mean over pixels of w . (f^(a) - f^(b))^2, where f^ is scaled to length 1
 * over the channels.
 *
 *     bl_lpips *l = NULL;
 *     bl_lpips_open(&l, "squeezenet.safetensors", "lpips_squeeze.safetensors", NULL, 0, &err);
 *     bl_lpips_distance(l, a, b, 256, 256, &d, &err);
 *     bl_lpips_close(&l);
 *
 * No weights come with this program. The backbone's file has torchvision's names (AlexNet, SqueezeNet 1.1 or
 * VGG16, told apart by them), the linear weights those of the authors' package ("lin0.model.1.weight"...).
 */
#ifndef BALLERINO_LPIPS_H
#define BALLERINO_LPIPS_H

#include "ballerino/nn.h"
#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_lpips bl_lpips;
/* `linear` NULL: in the backbone's file too. BL_E_MISMATCH names what is missing; without linear weights it
 * is refused, because another weighting is another measure. One thread at a time; `threads` 0 = all. */
int bl_lpips_open(bl_lpips **out, const char *backbone, const char *linear, bl_device *device, int threads,
                  bl_err *err);
void bl_lpips_close(bl_lpips **l);
const char *bl_lpips_backbone(const bl_lpips *l); /* "AlexNet"... */
/* Pictures h x w x 3, RGB, -1..1, at least 64 x 64. 0 for equal pictures. The first call with a size is
 * slower: a few sizes are kept ready. */
int bl_lpips_distance(bl_lpips *l, const float *a, const float *b, int w, int h, double *out, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
