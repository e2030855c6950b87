/*
 * Transport: what a module that is loaded at run time has to offer, and the inside of a group.
 *
 * A module is one shared library with one symbol, bl__dist_module, that returns its table. A meeting can be
 * looked at without waiting, so that who waits long can sleep; everything else is asked for by all processes
 * at the same time, right after they have met, and may wait without sleeping: it takes as long as its bytes.
 */
#ifndef BALLERINO_DIST_TRANSPORT_H
#define BALLERINO_DIST_TRANSPORT_H

#include "ballerino/base.h"
#include "ballerino/dist.h"

#define BL__DIST_ABI 1
#define BL__DIST_SYMBOL "bl__dist_module"
#define BL__CPU_MASK 128 /* bytes, a bit a CPU */

typedef struct bl__comm bl__comm; /* the module's own */

typedef struct bl__place {
    int rank, size, local_rank, local_size;
    uint8_t cpus[BL__CPU_MASK]; /* in: this process's; out: those of all on this machine */
} bl__place;

/* What everybody brings to a meeting; everybody leaves with the greatest of each. */
enum {
    BL__NOTE_FAILED, /* size - rank of a process that has failed, else 0 */
    BL__NOTE_KIND,   /* of the call, and how many bytes; and both negative, which gives the least */
    BL__NOTE_LEAST_KIND,
    BL__NOTE_BYTES,
    BL__NOTE_LEAST_BYTES,
    BL__NOTE_BITS,
    BL__NOTES = BL__NOTE_BITS + BL_DIST_BITS
};

typedef struct bl__transport {
    int abi;
    size_t place_size; /* of the struct that both sides see: another build is refused */
    void (*describe)(char *text, size_t size);
    int (*open)(bl__comm **out, bl__place *place, bl_err *err);
    void (*close)(bl__comm *c); /* waits for the others */
    void (*abort)(bl__comm *c, int exit_code);
    /* One meeting at a time; `notes` stay where they are until it is over. */
    int (*meet)(bl__comm *c, int64_t notes[BL__NOTES], bl_err *err);
    int (*met)(bl__comm *c, int *all, bl_err *err); /* *all 1: over */
    int (*broadcast)(bl__comm *c, void *data, size_t bytes, int root, bl_err *err);
    int (*sum)(bl__comm *c, void *x, int64_t n, int doubles, bl_err *err);
    int (*gather)(bl__comm *c, void *all, const void *mine, size_t bytes, bl_err *err);
} bl__transport;

struct bl_dist {
    const bl__transport *t;
    bl__comm *c;
    bl__place place;
    bl_err end;               /* the failure that ended the group; code 0: it goes on */
    int ended_by;             /* whose it was */
    int lost;                 /* the others could not be told, or the transport failed: exit code for them */
    int on_gpus;              /* gradients are averaged there */
    int64_t notes[BL__NOTES]; /* of the meeting that goes on, or was given up */
};

#endif
