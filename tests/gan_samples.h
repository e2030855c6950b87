/* Synthetic training data: a bright square "person" moves over a fixed wall; the label is its outline's
 * place. */
#ifndef BALLERINO_TEST_GAN_SAMPLES_H
#define BALLERINO_TEST_GAN_SAMPLES_H

#include <math.h>
#include <stdlib.h>

#include "ballerino/base.h"
#include "ballerino/gan.h"

typedef struct samples {
    int w, h;
} samples;

/* A small net that learns from them, and sees what it made before. */
#define SAMPLES_NET(w, h)                                                                                    \
    {                                                                                                        \
        .scene = BL_SCENE_COMPOSITE, .arch = BL_ARCH_UNET, .width = (w), .height = (h), .label_channels = 3, \
        .previous = 1, .ngf = 16, .down = 2, .blocks = 1, .max_channels = 32, .ndf = 16, .num_d = 1,         \
        .layers_d = 2                                                                                        \
    }

static inline int samples_get(void *ctx, int64_t index, uint64_t augment, float *label, float *plate,
                              float *real, float *weight, bl_err *err) {
    const samples *s = ctx;
    (void)augment, (void)err;
    int cx = s->w / 2 + (int)((float)s->w * 0.25f * sinf((float)index * 0.3f)),
        cy = s->h / 2 + (int)((float)s->h * 0.2f * cosf((float)index * 0.23f));
    int r = s->w / 6;
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            int i = y * s->w + x, in = abs(x - cx) < r && abs(y - cy) < r;
            for (int c = 0; c < 3; c++) {
                plate[3 * i + c] = 0.3f * sinf((float)(x + 2 * y + 5 * c) * 0.2f);
                label[3 * i + c] = in && (abs(x - cx) < 2 || abs(y - cy) < 2) ? 1.f : 0.f;
                real[3 * i + c] = in ? (c == 0 ? 0.8f : (y - cy) % 4 < 2 ? -0.6f : -0.2f) : plate[3 * i + c];
            }
            weight[i] = in ? 5.f : 1.f;
        }
    return 0;
}

static inline int64_t samples_run(void *ctx, int64_t index) {
    (void)ctx;
    return index;
}

static inline bl_gan_source samples_source(samples *s, int64_t count) {
    return (bl_gan_source){.ctx = s, .count = count, .run_before = samples_run, .get = samples_get};
}

#endif
