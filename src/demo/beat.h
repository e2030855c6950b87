/* The demo's music: a drum, a bass and a shaker, synthesised. */
#ifndef BL_DEMO_BEAT_H
#define BL_DEMO_BEAT_H

#include <stddef.h>

#include "ballerino/status.h"

/* Writes BESIDE.beat.wav (16 bit, mono, 44.1 kHz) and puts its name in `path`; the caller removes it. */
int bl__beat_write(char *path, size_t size, const char *beside, double seconds, double bpm, bl_err *err);

#endif
