/*
 * Feed: the frames of the source once more, after its poses are known, and only what is needed of them. Their
 * times come from the first pass where there was one, without decoding again; pictures are converted where
 * something is made of them: side-by-side, the overlay, the report's moments.
 *
 *     bl__feed_look(&feed, path, &err);                     // can it be read? what is it?
 *     bl__feed_note(&feed, frame, &err);                    // each frame of the first pass, if there is one
 *     bl__feed_start(&feed, path, &wants, &reading, &err);  // wants NULL: only times
 *     while ((rc = bl__feed_next(&feed, &frame, &err)) > 0) { use(frame); bl_frame_unref(&frame); }
 *     bl__feed_close(&feed);
 */
#ifndef BALLERINO_TRANSFER_FEED_H
#define BALLERINO_TRANSFER_FEED_H

#include "ballerino/base.h"
#include "ballerino/media.h"

/* Which pictures are wanted; asked for growing indices, in the reader's thread. */
typedef struct bl__wants {
    int (*fn)(void *ctx, int64_t index);
    void *ctx;
} bl__wants;

typedef struct bl__feed {
    bl_video_info info; /* of the source */
    bl_reader *reader;  /* NULL: the noted times are enough */
    int64_t *pts;       /* noted, n of room; in info.time_base */
    int64_t n, room, next;
} bl__feed;

int bl__feed_look(bl__feed *f, const char *path, bl_err *err);
int bl__feed_note(bl__feed *f, const bl_frame *frame, bl_err *err);
int bl__feed_start(bl__feed *f, const char *path, const bl__wants *wants, const bl_reader_options *reading,
                   bl_err *err);
/* 1 and a frame (without its picture where that is not wanted), 0 at the end. */
int bl__feed_next(bl__feed *f, bl_frame **out, bl_err *err);
void bl__feed_close(bl__feed *f);

#endif
