/* What the files of this room share: libav's headers, its errors in our words, colour details. */
#ifndef BALLERINO_MEDIA_AV_H
#define BALLERINO_MEDIA_AV_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "ballerino/base.h"
#include "ballerino/media.h"

/* Routes libav's log into ours (once) and refuses mismatched libraries. */
int bl__av_init(bl_err *err);

/* Fails with "what PATH: libav's reason"; E_NOT_FOUND, E_NOMEM, E_IO or `code`. */
int bl__av_fail(bl_err *err, int code, int averror, const char *what, const char *path);

/* Orientation of a stored picture as a signed permutation: x' = a x + c y, y' = b x + d y. */
typedef struct bl__orientation {
    int a, b, c, d;
} bl__orientation;
bl__orientation bl__orientation_of(const AVStream *st);

/* Turns decoded pictures into upright RGB24 of one size. */
typedef struct bl__converter {
    struct SwsContext *sws;
    int format, width, height, space, range; /* what sws was made for */
    int stored_width, stored_height;         /* RGB size before turning */
    bl__orientation turn;
    bl_frame *flat; /* RGB before turning, when it is turned */
} bl__converter;
void bl__converter_size(const bl__converter *c, int *width, int *height); /* after turning */
int bl__convert(bl__converter *c, bl_frame **out, const AVFrame *in, bl_err *err);
void bl__converter_release(bl__converter *c);

/* RGB24 to YUV 4:2:0 of BT.709 in limited range, as videos are written; sides are even. NULL without memory.
 */
struct SwsContext *bl__to_planes(int width, int height);

/* Sound carried from one file into a muxer: copied, or re-encoded to AAC where MP4 cannot hold it. */
typedef struct bl__sound bl__sound;
int bl__sound_open(bl__sound **out, const char *path, AVFormatContext *mux,
                   bl_err *err); /* *out NULL: no sound there */
/* Writes all sound that starts before `until_s` (of the source's clock), none before `from_s`. */
int bl__sound_write(bl__sound *s, double from_s, double until_s, bl_err *err);
int bl__sound_finish(bl__sound *s, bl_err *err);
void bl__sound_close(bl__sound **s);

#endif
