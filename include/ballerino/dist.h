/*
 * Dist: several processes that train one model together. Each draws its own training units; what they learn
 * is averaged. NULL is a process alone, everywhere: then all that follows is done at once and cannot fail.
 *
 *     bl_dist *d = NULL;
 *     bl_dist_open(&d, "auto", &err);              // NULL unless an MPI launcher started several of us
 *     if (bl_dist_rank(d) == 0) rc = prepare(&err);
 *     if (rc == 0) rc = bl_dist_barrier(d, &err);  // the others wait, and take no core while they do
 *     ...
 *     if (bl_dist_tell(d, rc, &err)) puts(err.msg);
 *     bl_dist_close(&d);
 *
 * All processes make the same calls in the same order. Each call first waits until everybody is there; with
 * that, a process that has failed anywhere tells the others (bl_dist_tell): from then on their calls return
 * its failure. So between calls nobody needs to agree on how things went, and nobody waits for one that is
 * gone. Which call, and how many bytes, are compared as well: BL_E_INTERNAL where processes differ.
 *
 * MPI comes with a module that is loaded at run time (libballerino-mpi.so, beside the program or where
 * BALLERINO_MPI_MODULE says). NVIDIA GPUs average among themselves, through NCCL, where that is there.
 * Calls come from the thread that opened the group.
 */
#ifndef BALLERINO_DIST_H
#define BALLERINO_DIST_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/nn.h"
#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_dist bl_dist; /* NULL: alone */

/* ---- the group ---- */
/* As how many processes a launcher (mpirun, Hydra, srun) started this program; 0: by none that we know. */
int bl_dist_launched(void);
/* Of those on this machine (all where the launcher does not say; 1 without one), and which of all this is. */
int bl_dist_launched_here(void);
int bl_dist_launched_rank(void);
/* `spec`: "none"; "mpi"; "auto" or NULL: MPI where a launcher started several processes. BL_E_UNSUPPORTED and
 * why where the module is not there or does not see the launcher's processes. *out stays NULL for one. */
int bl_dist_open(bl_dist **out, const char *spec, bl_err *err);
/* Waits for the others, unless the group has ended with a failure. Where those could not be told of it, ends
 * them by force, and this process as well. */
void bl_dist_close(bl_dist **d);
/* Ends all processes of the group, this one too, with this exit code: only when nothing else helps. */
void bl_dist_abort(bl_dist *d, int exit_code);
int bl_dist_rank(const bl_dist *d); /* 0..size-1; 0 leads */
int bl_dist_size(const bl_dist *d);
int bl_dist_local_rank(const bl_dist *d); /* among those on the same machine */
int bl_dist_local_size(const bl_dist *d);
/* Cores for this process: those that it may use, shared with the others that may use them. */
int bl_dist_threads(const bl_dist *d);
/* "Open MPI v4.1.4", whoever started the program; negative where the module is not, and *err says why. */
int bl_dist_describe(char *text, size_t size, bl_err *err);

/* ---- together ---- */
int bl_dist_barrier(bl_dist *d, bl_err *err);
int bl_dist_broadcast(bl_dist *d, void *data, size_t bytes, bl_err *err); /* from rank 0 */
int bl_dist_sum_floats(bl_dist *d, float *x, int64_t n, bl_err *err);     /* over the ranks, in place */
int bl_dist_sum_doubles(bl_dist *d, double *x, int64_t n, bl_err *err);
/* `bytes` of each rank, in their order, into `all` of rank 0 (others: not looked at). */
int bl_dist_gather(bl_dist *d, void *all, const void *mine, size_t bytes, bl_err *err);
/* Every bit that is set anywhere is set everywhere. */
#define BL_DIST_BITS 8
int bl_dist_any(bl_dist *d, unsigned *bits, bl_err *err);

/* Every process comes here in the end with how it went. A failure (rc < 0) is told to the others, which get
 * it from the call that they are in. Returns 1 where *err is this process's own to show; 0 where another one,
 * that with the lowest rank, shows it: *err is then that one's. */
int bl_dist_tell(bl_dist *d, int rc, bl_err *err);

/* ---- training ---- */
/* Says where this process computes (NULL: the CPU): where all do on a GPU, gradients stay there. */
int bl_dist_use_device(bl_dist *d, bl_device *device, bl_err *err);
/* Gradients of all trained parameters whose names begin with `prefix` become their means over the ranks: the
 * same bits on all. On a device they are only queued where it averages itself. */
int bl_dist_average_gradients(bl_dist *d, bl_params *ps, const char *prefix, bl_err *err);
/* Weights, moments and running averages of rank 0 to everybody; frozen parameters are everybody's own. */
int bl_dist_share_params(bl_dist *d, bl_params *ps, bl_err *err);
/* BL_E_INTERNAL where somebody's weights are not rank 0's, bit for bit. */
int bl_dist_check_params(bl_dist *d, bl_params *ps, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
