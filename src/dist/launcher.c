/* Who started this program, as its environment says. */
#include <stdlib.h>

#include "ballerino/dist.h"

static int number(const char *name) {
    const char *text = getenv(name);
    const long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 && n < 1 << 20 ? (int)n : 0;
}

int bl_dist_launched(void) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}; /* Open MPI; MPICH and kin */
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (number(sizes[k]) > 0) return number(sizes[k]);
    /* srun: the number of tasks alone says nothing, a batch script has it too */
    if (!getenv("PMIX_RANK") && !getenv("PMI_RANK")) return 0;
    const int tasks = number("SLURM_STEP_NUM_TASKS");
    return tasks > 0 ? tasks : 1;
}
