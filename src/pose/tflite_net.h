/*
 * A TFLite model as a compiled program of our engine.
 *
 *     bl__net *net = NULL;
 *     bl__net_open(&net, bytes, size, "pose.tflite", &(bl__net_options){.outputs = 1u << 0 | 1u << 3}, &err);
 *     fill(bl__net_input(net));                     // h * w * c floats, NHWC
 *     bl__net_run(net, &err);
 *     use(bl__net_output(net, 3));
 *     bl__net_close(&net);
 *
 * `outputs` has a bit for each output of the model that is wanted; what feeds only the others is left out,
 * weights included. With `batch` 2, bl__net_use(net, 2) makes the next input, run and outputs those of two
 * pictures, one behind the other; the weights are there once.
 */
#ifndef BL_POSE_TFLITE_NET_H
#define BL_POSE_TFLITE_NET_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/nn.h"
#include "ballerino/status.h"

typedef struct bl__net bl__net;
typedef struct bl__net_options {
    unsigned outputs;
    int threads;       /* 0 = all */
    bl_device *device; /* NULL: the CPU */
    int reference;     /* plain kernels */
    int batch;         /* most pictures at once, 1 (also 0) or 2 */
} bl__net_options;
enum { BL__NET_MAX_BATCH = 2 };

int bl__net_open(bl__net **out, const void *bytes, size_t size, const char *name, const bl__net_options *o,
                 bl_err *err);
/* The same from a model file that models.h knows. */
int bl__net_load(bl__net **out, const char *name, const char *models_dir, const bl__net_options *o,
                 bl_err *err);
void bl__net_close(bl__net **net);
void bl__net_use(bl__net *net, int batch); /* 1 (as after opening) to options.batch pictures */
float *bl__net_input(bl__net *net);
int64_t bl__net_input_count(const bl__net *net); /* floats of one picture */
int bl__net_run(bl__net *net, bl_err *err);
const float *bl__net_output(bl__net *net, int output); /* NULL: not wanted, or not there */
/* Floats for one picture; 0: not wanted, or not there. */
int64_t bl__net_output_count(const bl__net *net, int output);
double bl__net_macs(const bl__net *net);

#endif
