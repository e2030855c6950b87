/* Who started this program, as its environment says. */
#include <stdlib.h>

#include "ballerino/dist.h"

static int number(const char *name) {
    const char *text = getenv(name);
    const long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 && n < 1 << 20 ? (int)n : 0;
}

static int first_of(const char *const *names, size_t n) {
    int found = 0;
    for (size_t k = 0; k < n && !found; k++) found = number(names[k]);
    return found;
}

int bl_dist_launched(void) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}; /* Open MPI; MPICH and kin */
    const int size = first_of(sizes, sizeof sizes / sizeof *sizes);
    if (size > 0) return size;
    /* srun: the number of tasks alone says nothing, a batch script has it too */
    if (!getenv("PMIX_RANK") && !getenv("PMI_RANK")) return 0;
    const int tasks = number("SLURM_STEP_NUM_TASKS");
    return tasks > 0 ? tasks : 1;
}

int bl_dist_launched_here(void) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"};
    const int all = bl_dist_launched(), here = all > 0 ? first_of(sizes, sizeof sizes / sizeof *sizes) : 1;
    return here > 0 ? here : all;
}

int bl_dist_launched_rank(void) {
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    return bl_dist_launched() > 0 ? first_of(ranks, sizeof ranks / sizeof *ranks) : 0;
}
