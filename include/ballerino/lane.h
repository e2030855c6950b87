/*
 * Lane: a way up to a device beside its queue. While one step computes there, the next one's inputs are
 * written into memory that copies need no detour through, and go up.
 *
 *     bl_lane_create(&lane, device, floats, &err);
 *     float *at = bl_lane_slot(lane, &err);                  // a thread that fetches
 *     fill(at);
 *     bl_lane_send(lane, &err);                              // returns at once
 *
 *     bl_lane_take(lane, program, input, 0);                 // the thread that runs programs, told of it
 *     bl_lane_taken(lane);
 *     bl_program_forward(program, &err);                     // inputs that were not taken go up as ever
 *
 * Both sides are only queued, and wait for each other on the device: taking for what was sent, the next
 * sending for what is taken. The host has two slots, so that one is filled while the other is on its way.
 * Sending needs no lock, so it waits for nobody who holds the device. Who sends and who takes agree on when:
 * a take is of what was sent last.
 */
#ifndef BALLERINO_LANE_H
#define BALLERINO_LANE_H

#include "ballerino/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_lane bl_lane;

/* Three times `floats`: twice on the host, cleared, and once on the device. */
int bl_lane_create(bl_lane **out, bl_device *d, int64_t floats, bl_err *err);
void bl_lane_destroy(bl_lane **lane); /* waits; NULL is fine */
/* The slot that is sent next, once what was in it has gone up; NULL: the device has failed. */
float *bl_lane_slot(bl_lane *lane, bl_err *err);
int bl_lane_send(bl_lane *lane, bl_err *err);
/* What was sent last, on the host; until the send after the next. */
const float *bl_lane_sent(const bl_lane *lane);
/* The input's values are those from float `at` on, in the next forward of this program alone. */
void bl_lane_take(bl_lane *lane, bl_program *p, bl_value input, int64_t at);
void bl_lane_taken(bl_lane *lane); /* behind the last take of what was sent */

#ifdef __cplusplus
}
#endif
#endif
