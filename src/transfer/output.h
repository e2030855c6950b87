/*
 * Output: composes in one thread and encodes in another, fed through short queues while the next frame is
 * being generated. Frames are written in the order of the puts, so the result does not depend on timing.
 */
#ifndef BALLERINO_TRANSFER_OUTPUT_H
#define BALLERINO_TRANSFER_OUTPUT_H

#include "ballerino/base.h"
#include "still.h"

/* How many of each wait at the most; one more is being made, and one is in the hands of who waited for it. */
enum { BL__OUTPUT_STILLS = 4, BL__OUTPUT_PAINTED = 2 /* whole frames, six megabytes each in 1920x1080 */ };

typedef struct bl__output bl__output;
/* `like`: the source's properties. The writer's file appears only with bl__output_finish. */
int bl__output_open(bl__output **out, const bl_transfer_job *job, const bl_model *m, const bl__grid *g,
                    const bl_video_info *like, bl_err *err);
/* Shows every frame to a strip that outlives the output; before the first put. */
struct bl__strip;
void bl__output_show(bl__output *o, struct bl__strip *strip);
/* Takes the still, whatever happens. */
int bl__output_put(bl__output *o, bl__still *s, bl_err *err);
int bl__output_finish(bl__output *o, bl_err *err);
void bl__output_close(bl__output **o);

#endif
