/* Choreography: joint angles of the two dances at any time. */
#ifndef BL_DEMO_DANCE_H
#define BL_DEMO_DANCE_H

#include "body.h"

#define BL__BPM 120.0f

typedef enum bl__dance_id { BL__DANCE_SOURCE, BL__DANCE_TARGET } bl__dance_id;

/* Angles at `seconds`; a dance that is over starts again. */
void bl__dance(bl__angles *out, bl__dance_id which, double seconds);

#endif
