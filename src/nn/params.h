/* Inside of the parameters, and their second life on a device. */
#ifndef BALLERINO_NN_PARAMS_H
#define BALLERINO_NN_PARAMS_H

#include "device.h"
#include "graph.h"

enum { BL__SLAB_FROZEN = 5, BL__SLABS };

/* The device's copy of each slab. At any time the host's or the device's holds the truth, or both do. */
typedef struct bl__copies {
    float *slab[BL__SLABS];
    uint16_t *half[2]; /* weights and frozen ones rounded to bfloat16, for programs that read them so */
    int half_wanted;   /* by some program */
    int half_fresh[2];
    int on_host[BL__SLABS], on_device[BL__SLABS]; /* is up to date there */
    int lent[BL__SLABS];                          /* the host's copy may have been written */
} bl__copies;

typedef struct bl__param {
    char name[96];
    int rank, dims[4];
    int64_t size, offset; /* floats; offsets are multiples of 16; given when sealed */
    int frozen;           /* lies in the frozen slab */
    bl_init init;
    float scale;
} bl__param;

#define BL__MAX_FROZEN 4 /* prefixes */

struct bl_params {
    bl__param *p;
    int n, capacity, sealed, train; /* the last: gradients, moments and average as well */
    int64_t total, frozen_total;    /* floats in a slab, when sealed */
    float *slab[5], *frozen;
    char frozen_prefix[BL__MAX_FROZEN][32];
    int n_frozen;
    uint64_t version;
    bl_device *device; /* NULL: the CPU, and nothing below is used */
    bl__copies copies;
};

/* The contiguous run of parameters starting with prefix at or behind *at; 0 when there is none. */
int bl__params_next_run(const bl_params *ps, const char *prefix, int *at, int64_t *offset, int64_t *size);

int bl__params_enter_device(bl_params *ps, bl_err *err);
void bl__params_leave_device(bl_params *ps);
void bl__params_lend(bl_params *ps, int slab);
void bl__params_host_changed(bl_params *ps);
void bl__params_device_adam(bl_params *ps, const char *prefix, const bl_adam *a, int64_t t);

#endif
