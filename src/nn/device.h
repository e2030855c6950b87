/*
 * Devices: what a backend that is loaded at run time has to offer, and how programs use it.
 *
 * A module is one shared library with one symbol, bl__device_module, that returns its table. All work goes in
 * order into the device's one queue. Functions that return nothing only queue; a failure is kept, the first
 * one is what `failed` and `sync` return, and everything after it does nothing. Callers hold the device's
 * lock (bl__device_lock) around whatever they queue.
 */
#ifndef BALLERINO_NN_DEVICE_H
#define BALLERINO_NN_DEVICE_H

#include <pthread.h>

#include "ballerino/picture.h"
#include "kernels.h"

#define BL__DEVICE_ABI 5
#define BL__DEVICE_SYMBOL "bl__device_module"

typedef void (*bl__log_fn)(bl_log_level level, const char *component, const char *fmt, ...);

/* One call of the optimiser: the vector table's adam on device addresses, and rounding. */
typedef struct bl__adam_run {
    float *w, *g, *m, *v, *ema; /* ema NULL: no average */
    uint16_t *half;             /* NULL: nobody reads rounded weights */
    int64_t n, t;
    bl_adam a;
} bl__adam_run;

/* Pictures: what each does says ballerino/picture.h. Data may lie at any address that its values may. */
typedef struct bl__picture_ops {
    void (*draw)(bl__device *d, const bl_picture *to, const bl_capsule *list, int n);
    void (*window)(bl__device *d, const bl_picture *to, const bl_picture *from, int x, int y);
    void (*shift)(bl__device *d, const bl_picture *to, const bl_picture *from, float dx, float dy);
    void (*lift)(bl__device *d, const bl_picture *to, const bl_picture *rgb, const bl_picture *mask,
                 const bl_picture *plate, const bl_lift *how);
    void (*steady)(bl__device *d, const bl_picture *layer, const bl_picture *before, const float *field,
                   const bl_steadying *how);
    void (*over)(bl__device *d, const bl_picture *frame, const bl_picture *layer, const bl_over *how);
    void (*resample)(bl__device *d, const bl_picture *to, const bl_picture *from, bl_taps x, bl_taps y);
    void (*patch)(bl__device *d, const bl_picture *frame, const bl_picture *painted, const bl_picture *made,
                  const bl_patching *how);
    void (*planes)(bl__device *d, uint8_t *to, const bl_picture *frame);
} bl__picture_ops;

typedef struct bl__device_ops {
    int abi;
    size_t step_size, back_size, node_size; /* of the structs that both sides see: another build is refused */
    int (*count)(bl_err *err);
    int (*describe)(bl_device_info *info, int index, bl_err *err);
    int (*open)(bl__device **out, int index, bl__log_fn log, bl_err *err);
    void (*close)(bl__device *d);
    /* Device memory, 256-byte aligned, not cleared; host memory that copies need no detour through. */
    int (*alloc)(bl__device *d, void **out, int64_t bytes, bl_err *err);
    void (*free)(bl__device *d, void *p);
    int (*alloc_host)(bl__device *d, void **out, int64_t bytes, bl_err *err);
    void (*free_host)(bl__device *d, void *p);
    void (*upload)(bl__device *d, void *to, const void *from, int64_t bytes);
    void (*download)(bl__device *d, void *to, const void *from, int64_t bytes);
    void (*copy)(bl__device *d, void *to, const void *from, int64_t bytes); /* within the device */
    void (*fill)(bl__device *d, void *p, int byte, int64_t bytes);
    void (*set)(bl__device *d, float *p, float value);
    void (*round)(bl__device *d, uint16_t *to, const float *from, int64_t n); /* to bfloat16 */
    void (*adam)(bl__device *d, const bl__adam_run *a);
    const bl__kernel *(*kernel)(bl__op op, const bl__node *node); /* never NULL */
    int (*failed)(bl__device *d, bl_err *err);
    int (*sync)(bl__device *d, bl_err *err); /* waits until all is done */
    /* Marks in the queue. Waiting needs no lock, and keeps no failure: its caller asks `sync` then. */
    int (*mark_create)(bl__device *d, void **mark, bl_err *err);
    void (*mark_free)(bl__device *d, void *mark);
    void (*mark_set)(bl__device *d, void *mark);
    int (*mark_wait)(bl__device *d, void *mark, bl_err *err);
    /* Lanes (ballerino/lane.h): sending and waiting need no lock and keep no failure; joining (behind what
     * was sent from a slot) and taken (what is sent later waits for this place) are queued. */
    int (*lane_create)(bl__device *d, void **lane, int slots, bl_err *err);
    void (*lane_free)(bl__device *d, void *lane);
    int (*lane_send)(bl__device *d, void *lane, int slot, void *to, const void *from, int64_t bytes,
                     bl_err *err);
    int (*lane_wait)(bl__device *d, void *lane, int slot, bl_err *err);
    void (*lane_join)(bl__device *d, void *lane, int slot);
    void (*lane_taken)(bl__device *d, void *lane);
    const bl__picture_ops *pictures;
    /* What is queued between begin and end is not done but kept as *graph; replay does it. When end fails,
     * nothing is kept, nothing was done and the device goes on as if nothing had been asked. */
    int (*capture_begin)(bl__device *d, bl_err *err);
    int (*capture_end)(bl__device *d, void **graph, bl_err *err);
    void (*replay)(bl__device *d, void *graph);
    void (*graph_free)(bl__device *d, void *graph);
    /* Devices of several processes; NULL where the module was built without. group_mean is queued, outside of
     * graphs. */
    int (*group_describe)(char *text, size_t size, bl_err *err);
    int (*group_id)(void *id, bl_err *err); /* BL_DEVICE_GROUP_ID bytes */
    int (*group_join)(bl__device *d, const void *id, int rank, int size, bl_err *err);
    void (*group_mean)(bl__device *d, float *x, int64_t n);
} bl__device_ops;

struct bl_device {
    const bl__device_ops *ops;
    bl__device *d; /* the module's own */
    void *module;
    pthread_mutex_t lock; /* recursive */
    int index;
    char name[192];
    bl_device *like;     /* of a plan: what it is a plan of, whose lock is taken; else NULL */
    int64_t taken, most; /* bytes, now and at the most; a plan's only */
};

/* Memory there, and on the host for copies: the table's entries, or a plan's count. */
int bl__device_alloc(bl_device *d, void **out, int64_t bytes, bl_err *err);
void bl__device_free(bl_device *d, void *p);
int bl__device_alloc_host(bl_device *d, void **out, int64_t bytes, bl_err *err);
void bl__device_free_host(bl_device *d, void *p);

int bl__device_loaded(const bl__device_ops **ops, bl_err *err); /* the module, which stays loaded */
void bl__device_lock(bl_device *d);
void bl__device_unlock(bl_device *d);

/* ---- parameters on a device (params_device.c); the device's lock is held ---- */
float *bl__params_on_device(const bl_params *ps, int index, bl_slab slab); /* NULL when not allocated */
/* The weights rounded to bfloat16, kept so from now on; NULL unless slab is BL_SLAB_WEIGHT or frozen. */
const uint16_t *bl__params_half(bl_params *ps, int index, bl_slab slab);
/* Bring up to date what a program reads, on the device or (a reference program's) on the host; and note
 * that gradients were written there. */
void bl__params_ready(bl_params *ps, bl_slab weights, int gradients, int on_device);
void bl__params_wrote_gradients(bl_params *ps, int on_device);

#endif
