/*
 * GAN: generators, discriminators, losses and the trainer. Sees tensors only: samples come through a vtable,
 * so it trains on synthetic data in tests and never meets a video.
 *
 * A sample is one frame of the target inside the window, all h x w, channels last, float32:
 *   label  [h][w][label_channels]  the figure, 0..1
 *   plate  [h][w][3]               the clean background (composite) or the coarse picture (residual), -1..1
 *   real   [h][w][3]               the photo, -1..1
 *   weight [h][w][1]               loss weight, 1 on the wall, more on the person
 * The generator sees label, plate and its own previous output, and gives colour and (composite) a soft mask.
 */
#ifndef BALLERINO_GAN_H
#define BALLERINO_GAN_H

#include <stdint.h>

#include "ballerino/dist.h"
#include "ballerino/picture.h"
#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the generator's output means:
 * COMPOSITE  colour and a soft mask over the plate;
 * PAINT      the whole picture; the plate is not looked at;
 * RESIDUAL   what is to be added to the plate, which here is a crop that another generator painted (the face
 * or a hand; method 6.4): image = plate + tanh(out), not clamped. There is no mask. */
typedef enum bl_scene { BL_SCENE_COMPOSITE, BL_SCENE_PAINT, BL_SCENE_RESIDUAL } bl_scene;
typedef enum bl_arch { BL_ARCH_UNET, BL_ARCH_GLOBAL /* pix2pixHD's global generator, method 6.1 */ } bl_arch;
typedef enum bl_gan_loss { BL_GAN_LSGAN, BL_GAN_HINGE } bl_gan_loss;
/* Norms between a discriminator's convolutions: instance norm as the paper's (method 6.3), with a learned
 * scale and shift as its face discriminator's (method 6.5), or none. An instance norm hides from the
 * discriminator how strong a contrast is, and short trainings then overshoot (docs/RESULTS.md). */
typedef enum bl_d_norm { BL_D_NORM_INSTANCE, BL_D_NORM_AFFINE, BL_D_NORM_NONE } bl_d_norm;

/* Everything that shapes the networks and must be the same when a model is loaded again. */
typedef struct bl_gan_net {
    bl_scene scene;
    bl_arch arch;
    int width, height;        /* of the window; multiples of 2^down, of 2^(down + 1) with an enhancer */
    int label_channels;       /* 3 */
    int previous;             /* 1: the generator also sees its previous output */
    int ngf, down, blocks;    /* base width, down-samplings, residual blocks at the bottom */
    int max_channels;         /* channels double down to this */
    int ndf, num_d, layers_d; /* discriminators: base width, scales, layers (method 6.3) */
    bl_d_norm norm_d;
    /* 1: the generator above works on the picture at half the size and, instead of painting, hands its
     * features to a local enhancer at full size (method 6.2). Its parameters keep their names ("G.in",
     * "G.down1"...), so that a generator trained at half the size can be the start; the enhancer's are
     * "G.local.*". */
    int enhancer;
    int ngf_local, blocks_local; /* the enhancer's base width and residual blocks; 2 * ngf_local = ngf saves a
                                    1x1 convolution */
} bl_gan_net;

/* A frozen network whose feature maps of the generated and the real picture are compared: sum over taps of
 * weight * mean |f(fake) - f(real)|. */
#define BL_PERCEPTUAL_MAX_TAPS 8
#define BL_PERCEPTUAL_PREFIX "P." /* of its parameters' names; they are frozen */
typedef struct bl_perceptual {
    void *ctx;
    /* Declares the network on `image` (n,h,w,3, -1..1; called several times, each time with the same
     * parameters), gives its taps and the loss weight of each, and returns how many (1..max), or negative. */
    int (*declare)(void *ctx, bl_graph *g, bl_value image, bl_value *taps, float *weights, int max,
                   bl_err *err);
    /* After sealing: fills the frozen parameters. */
    int (*load)(void *ctx, bl_params *ps, bl_err *err);
} bl_perceptual;

typedef struct bl_gan_train {
    float lr_g, lr_d, beta1, beta2;
    float w_gan, w_fm, w_l1, w_ssim; /* weights of the generator's losses */
    const bl_perceptual *perceptual; /* NULL: none; must outlive the trainer */
    float w_perceptual;              /* 0: not used */
    bl_gan_loss gan_loss;
    float ema;       /* decay of the running average, 0.999 */
    int max_rollout; /* own outputs fed before the trained pair, 0..N drawn at random */
    /* What the generator is shown as its previous output, so that it can cope with all of it: with share
     * prev_real the real frame before, with share prev_start what a clip starts with (the plate, or zeros in
     * PAINT), else its own rolled-out output; of all of these a share prev_shift is moved by up to two pixels
     * each way. */
    float prev_real, prev_start, prev_shift;
    /* 0: D sees one frame. 1: two (method 7), both generated in the step. 2: one, and two more discriminators
     * see three: the trained one and own outputs 1 and 2, or 2 and 4, frames before. */
    int temporal_d;
    float diffaug; /* share of the units whose pictures the discriminators see augmented (Zhao et al. 2020) */
    int64_t steps; /* planned: schedules are relative to it */
    float decay_from; /* share of the steps after which lr falls linearly to 0 */
    int gan_from;     /* steps before the discriminators join */
    uint64_t seed;
    bl_precision precision;
    int reference; /* 1: the plain reference kernels, to compare with */
    int threads;
    bl_device *device; /* NULL: the CPU; must outlive the trainer */
    /* NULL: alone. Else the processes that train together, each its own units, drawn from the seed and its
     * rank: a step learns from the mean of their gradients, and losses are means over them. Creating,
     * stepping, saving and loading are then calls that all of them make. Must outlive the trainer. */
    bl_dist *dist;
} bl_gan_train;

/* Where samples come from. Called from one thread at a time, not always the same, and never between calls of
 * the trainer. All pointers are buffers to fill. */
typedef struct bl_gan_source {
    void *ctx;
    int64_t count; /* samples 0..count-1 */
    int64_t (*run_before)(void *ctx,
                          int64_t index); /* how many consecutive frames directly precede `index` */
    /* How far the window itself moved from frame index-1 to index, in window pixels: a still thing at (x, y)
     * was at (x + dx, y + dy) in the window before. NULL: never moves. */
    void (*window_shift)(void *ctx, int64_t index, float *dx, float *dy);
    /* `augment`: 0 none, else a seed; all frames of one training unit get the same augmentation seed. */
    int (*get)(void *ctx, int64_t index, uint64_t augment, float *label, float *plate, float *real,
               float *weight, bl_err *err);
} bl_gan_source;

typedef struct bl_gan_losses {
    float total, gan, fm, l1, ssim, d_real, d_fake, perceptual;
} bl_gan_losses;

/* ---- generator in use: one frame after another ---- */
typedef struct bl_generator bl_generator;
/* Builds the generator's program on parameters that are loaded or trained (names "G."), where they lie. */
int bl_generator_create(bl_generator **out, const bl_gan_net *net, bl_params *ps, bl_slab slab,
                        bl_precision precision, int threads, bl_err *err);
void bl_generator_destroy(bl_generator **g);
void bl_generator_reset(
    bl_generator *g); /* previous output = plate (composite) or zeros (paint): a new clip, a cut */
/* One frame. rgb [h][w][3] in -1..1 (the composite over the plate), mask [h][w] in 0..1 or NULL. The output
 * becomes the next call's previous output. (dx, dy): how far the window moved since then, as in
 * bl_gan_source. */
int bl_generator_run(bl_generator *g, const float *label, const float *plate, float dx, float dy, float *rgb,
                     float *mask, bl_err *err);

/* The same on the device that the weights lie on, for who draws there (picture.h). What it reads and makes,
 * to be written and read between runs: label, plate (no data: it sees none), image, mask (no data: 1
 * everywhere). All without data: the weights are on the CPU. A generator that is run there is not run the
 * other way. */
typedef struct bl_generator_there {
    bl_picture label, plate, image, mask;
} bl_generator_there;
bl_generator_there bl_generator_pictures(bl_generator *g);
int bl_generator_queue(bl_generator *g, float dx, float dy, bl_err *err);

/* Bytes that a generator and its weights will take, and its multiply-adds a frame, from a plan: nothing of
 * that size is allocated. `device`: NULL, or where it will run and whose memory is meant. */
int bl_generator_estimate(const bl_gan_net *net, bl_precision precision, int threads, bl_device *device,
                          int64_t *bytes, double *macs, bl_err *err);

/* Declares parameters of the generator (and discriminators) without training, so that a model file can be
 * loaded. Names: generator "G.", discriminators "D<k>.", k = 0 the coarsest, so that when the size doubles
 * and a scale is added the old ones keep their resolution (method 6.3). */
int bl_gan_declare(const bl_gan_net *net, bl_params *ps, int with_d, bl_err *err);

/* ---- trainer ---- */
typedef struct bl_trainer bl_trainer;
int bl_trainer_create(bl_trainer **out, const bl_gan_net *net, const bl_gan_train *train,
                      const bl_gan_source *src, bl_err *err);
void bl_trainer_destroy(bl_trainer **t);
int bl_trainer_step(bl_trainer *t, bl_gan_losses *losses, bl_err *err);
/* Bytes that bl_trainer_create will take with these settings (parameters with their gradients, moments and
 * average; programs with packed weights; pictures), and a step's mean multiply-adds, rollouts included. With
 * a device, bytes of its memory. From a plan: nothing of that size is allocated. */
int bl_gan_estimate(const bl_gan_net *net, const bl_gan_train *train, int64_t *bytes, double *macs_step,
                    bl_err *err);
/* The program of a step with every loss, for profiles. */
bl_program *bl_trainer_program(bl_trainer *t);
int64_t bl_trainer_steps_done(const bl_trainer *t);
bl_params *bl_trainer_params(bl_trainer *t);
/* The whole state (weights, moments, average, generator of random numbers, step) as one safetensors file,
 * atomically; loading it goes on bit-exactly on the same device. The file does not depend on the device.
 * Fails where the device did: what it left is not saved. Of several processes rank 0 writes, with everybody's
 * generator of random numbers, and all read; with another number of processes than saved it the training goes
 * on, but not bit-exactly, and says so. */
int bl_trainer_save(const bl_trainer *t, const char *path, bl_err *err);
int bl_trainer_load(bl_trainer *t, const char *path, bl_err *err);
/* Takes from another trainer's saved state every weight (and its average) that has the same name and shape;
 * the others keep their initial values. Moments are cleared and the step is 0: a new stage of the schedule
 * (method 9). Returns how many parameters were taken (0: none fits), or a negative status, and then nothing
 * changed. */
int bl_trainer_warm_start(bl_trainer *t, const char *checkpoint, bl_err *err);

bl_gan_net bl_gan_net_default(void);
bl_gan_train bl_gan_train_default(void);

#ifdef __cplusplus
}
#endif
#endif
