/* Inside of a compiled program; running it on a device is device_run.c's. */
#ifndef BALLERINO_NN_PROGRAM_H
#define BALLERINO_NN_PROGRAM_H

#include "device.h"

/* A part of a step that always queues the same work: eagerly the first time, kept and replayed afterwards. */
typedef struct bl__segment {
    int runs, eager_only;
    void *graph;
} bl__segment;

typedef struct bl__value {
    int used;      /* feeds an output or an objective */
    int pinned;    /* input or output: own place for the whole life */
    int half;      /* a root: stored in bfloat16, its gradients too */
    bl_value root; /* whose memory it is: itself, or what it is a view of */
    bl_shape shape;
    int first, last; /* steps, in the forward timeline */
    int64_t offset;  /* floats in the arena */
    float *host;     /* a pinned root on a device: what the caller reads and writes */
    int arrived;     /* an input that is there already, for the next forward */
    int left_out;    /* one that `rest` leaves out */
} bl__value;

typedef struct bl__target {
    bl_value loss;
    char group[32];
    unsigned char *active; /* a value: depends on a trained parameter and leads to the loss */
    int64_t *grad_offset;  /* a root: floats in the gradient area, or -1 */
    bl__back *backs;
    int n;
    bl__segment segment;
} bl__target;

struct bl_program {
    bl_params *ps;
    bl__node *nodes; /* own copy */
    int n_values;
    bl__value *v;
    bl__step *steps;
    int n_steps;
    int *step_of; /* value -> step, or -1 */
    bl__target *o;
    int n_objectives;
    float *arena, *grads, *saved, *scratch;
    int64_t arena_floats, grad_floats, saved_floats, scratch_floats, packed_bytes;
    int plan_only; /* nothing is allocated, nothing can be run */
    int threads;
    bl_precision precision;
    bl_slab slab;
    bl__shared *shared;
    bl_device *device;                    /* NULL: the CPU, and nothing but spent below is used */
    bl__segment refresh, forward, queued; /* the last: forward without the ways up and down */
    bl__segment rest;                     /* forward without the way up of inputs that had arrived */
    int arrived;                          /* how many have */
    uint64_t refreshed;                   /* version of the weights that refresh has seen */
    int pending;                          /* work is queued that buffers have to wait for */
    int poison;
    double *spent; /* seconds in a step's forward and in its backward, in turn; NULL: nobody asked */
};

int bl__program_enter_device(bl_program *p, bl_err *err); /* allocates */
void bl__program_leave_device(bl_program *p);             /* after the kernels' release */
int bl__device_forward(bl_program *p, bl_err *err);
int bl__device_backward(bl_program *p, bl__target *o, bl_err *err);
void bl__device_wait(bl_program *p); /* until buffers hold what was queued */

#endif
