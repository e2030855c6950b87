/* Declares a TFLite model's operators as a graph of our engine (shared by tflite_net.c and tflite_build.c).
 */
#ifndef BL_POSE_TFLITE_BUILD_H
#define BL_POSE_TFLITE_BUILD_H

#include "ballerino/nn.h"
#include "tflite.h"

typedef struct bl__tfl_weight {
    char name[32]; /* of the parameter */
    int tensor;    /* constant whose values it gets */
} bl__tfl_weight;

#define BL__TFL_MAX_WEIGHTS (1 << 26) /* floats of all of them; the largest pose model has 14 million */

typedef struct bl__tfl_build {
    bl__tflite *model;
    const char *prefix; /* of the parameters' names, at most 8 characters; NULL = none */
    bl_params *params;
    bl_graph *graph;
    bl_value *value; /* a tensor's value, BL_NONE = not declared (yet) */
    uint8_t *needed; /* a tensor: some wanted output depends on it */
    bl_pad *pad;     /* zero padding that a tensor's only readers, convolutions, take over */
    bl__tfl_weight *weights;
    int n_weights;
    int64_t weight_floats; /* so far */
    int32_t extra[3]; /* of the operator at hand: what PAD adds to h, w, c; channels that a slice keeps */
} bl__tfl_build;

/* `wanted`: a bit for each output. Declares the input and everything that the wanted outputs need. */
int bl__tfl_build_graph(bl__tfl_build *b, unsigned wanted, bl_err *err);
/* Declares what the tensors need, on a given value instead of an input. It may be of another size than the
 * model's as long as nothing on the way depends on that: no reshaping, resizing or fully connected layers. */
int bl__tfl_build_part(bl__tfl_build *b, bl_value picture, const int *tensors, int n, bl_err *err);
void bl__tfl_build_release(bl__tfl_build *b);

/* Height, width and channels of one sample: [1,h,w,c], [1,h,c] (w = 1), [1,c] or [c]. Negative: not such. */
int bl__tfl_shape(const bl__tfl_tensor *t, int hwc[3]);
/* The output's stated shape is what the operator (settings already checked) makes of its inputs'. */
int bl__tfl_check_shape(const bl__tflite *m, const bl__tfl_op *op, const int32_t extra[3], bl_err *err);

#endif
