/*
 * Pictures on a device: what is drawn, cut out, laid over and converted there, so that a frame needs no way
 * through the host while it is made.
 *
 *     bl_picture frame = {0}; bl_staged down = {0}; bl_fence *done = NULL;
 *     bl_picture_create(&frame, device, w, h, 3, 1, &err);
 *     bl_picture_draw(&label, &list, n);                      // queued, as is all that follows
 *     bl_picture_over(&frame, &layer, &how);
 *     bl_picture_planes(down.data, &frame);
 *     bl_staged_down(&down); bl_fence_set(done);
 *     bl_fence_wait(done, &err);                              // now down.host holds it
 *
 * Everything between creating and waiting is only queued, in the device's one order; a failure is kept there
 * and is what waiting returns. Any thread may queue. Pictures and staged memory belong to whoever made them;
 * releasing what is queued about is fine, and releasing what is all zeros does nothing. The CPU has no
 * pictures of this kind: each function here has its twin in the room that says so.
 */
#ifndef BALLERINO_PICTURE_H
#define BALLERINO_PICTURE_H

#include "ballerino/capsule.h"
#include "ballerino/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_picture {
    void *data; /* on the device: h rows of w * channels values, one behind the other; NULL: none */
    int w, h, channels;
    int size; /* bytes a value: 1 (0..255) or 4 (float) */
    bl_device *device;
} bl_picture;

/* Not cleared. */
int bl_picture_create(bl_picture *p, bl_device *d, int w, int h, int channels, int size, bl_err *err);
void bl_picture_release(bl_picture *p);
/* From rows of the host that are `stride` bytes apart; done when it returns. */
int bl_picture_put(bl_picture *p, const void *from, ptrdiff_t stride, bl_err *err);

/* Host memory that copies need no detour through, and its place on the device. The host's side may be written
 * again when the copy up is done, and read when the copy down is: both say a fence. */
typedef struct bl_staged {
    void *host, *data;
    int64_t bytes;
    bl_device *device;
} bl_staged;
int bl_staged_create(bl_staged *s, bl_device *d, int64_t bytes, bl_err *err);
void bl_staged_release(bl_staged *s);
void bl_staged_up(bl_staged *s, int64_t bytes);
void bl_staged_down(bl_staged *s);
void bl_picture_down(const bl_picture *p, bl_staged *s); /* to its host's side, of at least that size */

/* ---- networks between them ---- */
/* An input (to be written before it is queued) or output (valid behind that) of a program where it lies on
 * its device, samples below each other; no data on the CPU. The program keeps it. */
bl_picture bl_program_picture(bl_program *p, bl_value v);
/* bl_program_forward on what lies in the inputs there; nothing goes up or down, and nobody waits. */
int bl_program_queue(bl_program *p, bl_err *err);

/* A place in the device's order that can be waited for while others go on queueing. */
typedef struct bl_fence bl_fence;
int bl_fence_create(bl_fence **out, bl_device *d, bl_err *err);
void bl_fence_destroy(bl_fence **f);
void bl_fence_set(bl_fence *f); /* behind all that is queued now */
/* Until all before it is done; 0, or the device's first failure. */
int bl_fence_wait(bl_fence *f, bl_err *err);

/* Resampling along one axis: output i is the sum over k < count of weight[i * count + k] * input[first[i] +
 * k], where the input repeats its ends. Both arrays on the device, in one staged memory. */
typedef struct bl_taps {
    const int *first;
    const float *weight;
    int n, count;
} bl_taps;
static inline int64_t bl_taps_bytes(int n, int count) {
    return (int64_t)n * (1 + count) * 4;
}
/* Where n * count taps lie in staged memory: the host's sides to be filled in, and what the others read. */
bl_taps bl_taps_in(const bl_staged *s, int n, int count, int **first, float **weight);

/* ---- what is done with them; sizes are the pictures', `to` is written ---- */

/* The twin of bl_figure_draw's painting: capsules on black, in their order. `to` 3 floats a pixel; `list` n
 * bl_capsules that were staged up. */
void bl_picture_draw(bl_picture *to, const bl_staged *list, int n);
/* to = from's bytes as -1..1, whose pixel (x, y) is to's first; beyond from's ends it repeats. */
void bl_picture_window(bl_picture *to, const bl_picture *from, int x, int y);
/* to(x, y) = from(x + dx, y + dy), bilinear, ends repeated; 3 floats a pixel. */
void bl_picture_shift(bl_picture *to, const bl_picture *from, float dx, float dy);
/* Same size and kind; from NULL: zeros. */
void bl_picture_copy(bl_picture *to, const bl_picture *from);

/* What a picture adds to the plate that it was painted over, premultiplied (transfer's compose.h). */
typedef struct bl_lift {
    float opacity;
    int x, y, grid_w, grid_h; /* where the window lies in what whole picture: inner edges fade */
    float fade;               /* pixels that an edge takes to fade */
    float below, above;       /* alpha that counts as nothing, that is taken as it is */
} bl_lift;
/* to: 4 floats a pixel; rgb, plate: 3, -1..1; mask: 1, or no data: 1 everywhere, and the plate is not read.
 */
void bl_picture_lift(bl_picture *to, const bl_picture *rgb, const bl_picture *mask, const bl_picture *plate,
                     const bl_lift *how);

/* How a layer is steadied by the one before (transfer's steady.h). */
typedef struct bl_steadying {
    float share, reach, alpha; /* blended; distance at which nothing is, bytes; what alpha weighs in it */
    int step, nodes_w;         /* pixels between the field's nodes; nodes in a row of it */
    int dx, dy;                /* how far the window has moved since */
} bl_steadying;
/* layer, before: 4 floats a pixel, of one size; field: nodes of 2 floats that were staged up, enough rows to
 * lie between. */
void bl_picture_steady(bl_picture *layer, const bl_picture *before, const bl_staged *field,
                       const bl_steadying *how);

/* A layer enlarged and laid over bytes: columns x0..x1 and rows y0..y1 of the frame, whose taps say which of
 * the grid's pixels they are mixed of; the layer's first is the grid's (x, y). */
typedef struct bl_over {
    bl_taps from_x, from_y;
    int x, y, x0, y0, x1, y1;
    float least; /* alpha up to which nothing is done */
} bl_over;
void bl_picture_over(bl_picture *frame, const bl_picture *layer, const bl_over *how);

/* to = from's bytes resampled, rounded to bytes, as -1..1 in floats; 3 channels. */
void bl_picture_resample(bl_picture *to, const bl_picture *from, bl_taps x, bl_taps y);

/* Adds 127.5 * (painted - made), resampled, to the frame from (x0, y0) on, x.n by y.n pixels of it; times
 * `seen`, and fading out over `fade` of the side towards the edges of the box. */
typedef struct bl_patching {
    bl_taps x, y;
    int x0, y0;
    double left, top, side; /* of the box, frame pixels */
    float seen, fade;
} bl_patching;
void bl_picture_patch(bl_picture *frame, const bl_picture *painted, const bl_picture *made,
                      const bl_patching *how);

/* RGB to planes of BT.709 in limited range, as the writer's conversion gives them (media.h): Y, then U and V
 * at half the size, one behind the other; an odd size is made even by repeating the last column and row. */
static inline int64_t bl_planes_bytes(int w, int h) {
    return (int64_t)((w + 1) / 2) * ((h + 1) / 2) * 6;
}
void bl_picture_planes(void *to, const bl_picture *frame);

#ifdef __cplusplus
}
#endif
#endif
