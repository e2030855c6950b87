/* What a test sees of the emulated device and sets there: the module's second symbol, bl__emulated. */
#ifndef BALLERINO_EMULATED_H
#define BALLERINO_EMULATED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bl__emulated {
    int64_t used, most; /* bytes of the device that are given out, and were at the most since a test set it */
    int64_t pinned;     /* bytes of the host that copies need no detour through */
    int64_t things;     /* streams, events, graphs and cuDNN's objects that were made and not given back */
    int64_t allocations; /* asked for, of either memory */
    int64_t waits;       /* of the host, for what was not done yet */
    int64_t fail_at;     /* the one of that number fails, as if there were no more; 0: none */
};
extern struct bl__emulated bl__emulated;

#ifdef __cplusplus
}
#endif
#endif
