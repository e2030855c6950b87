/*
 * Media: frames, reading any video, writing MP4 with the source's sound, PNG in and out. The only room with
 * libav*.
 *
 *     bl_reader *r = NULL; bl_frame *f = NULL; bl_err err = {0}; int got;
 *     if (bl_reader_open(&r, "in.mp4", NULL, &err) < 0) ...
 *     while ((got = bl_reader_next(r, &f, &err)) > 0) { use(f); bl_frame_unref(&f); }
 *     bl_reader_close(&r);
 *
 * Frames are 8-bit RGB24, upright (rotation tags applied), with square pixels (sample aspect ratio applied,
 * by widening or heightening, never shrinking). A reader decodes ahead in its own thread into a bounded
 * queue. One object may be used by one thread at a time.
 */
#ifndef BALLERINO_MEDIA_H
#define BALLERINO_MEDIA_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_rational {
    int num, den;
} bl_rational; /* den > 0 */

/* A picture: RGB24, `stride` bytes a row (a multiple of 64), shared by reference count (atomic). Pixels may
 * be written only by the sole owner (see bl_frame_make_writable). */
typedef struct bl_frame {
    int width, height;
    ptrdiff_t stride;
    uint8_t *data;         /* height rows of width * 3 bytes, R G B; NULL: a frame without its picture */
    int64_t pts;           /* presentation time in units of time_base; first shown frame may be > 0 */
    bl_rational time_base; /* seconds a unit */
    int64_t index;         /* 0, 1, 2... in the order shown */
} bl_frame;

/* Largest side and area that are accepted anywhere (sizes read from files are checked against these). */
#define BL_FRAME_MAX_SIDE 16384
#define BL_FRAME_MAX_PIXELS (134217728LL)

int bl_frame_create(bl_frame **out, int width, int height, bl_err *err); /* zeroed, reference count 1 */
/* Only for its time and index: data is NULL. */
int bl_frame_create_empty(bl_frame **out, int width, int height, bl_err *err);
bl_frame *bl_frame_ref(bl_frame *f);
void bl_frame_unref(bl_frame **f);                     /* NULL is fine; sets NULL */
int bl_frame_make_writable(bl_frame **f, bl_err *err); /* copies when shared */
double bl_frame_seconds(const bl_frame *f);            /* pts * time_base */

/* Whether videos are decoded and encoded on an NVIDIA GPU. AUTO: where FFmpeg has it, the driver is there and
 * the video suits, else on the CPU, with nothing but a line for us. Decoded frames are the same, to the bit.
 */
typedef enum bl_hw { BL_HW_OFF, BL_HW_AUTO } bl_hw;

/* ---- reading ---- */
typedef struct bl_reader bl_reader;
typedef struct bl_reader_options {
    int ahead;   /* frames decoded ahead, 1..64, default 8 */
    int threads; /* decoder threads, 0 = choose, default 0 */
    /* Called in the order shown, in the reader's thread: frames for which it gives 0 come without their
     * picture, which saves its conversion. NULL, the default: all have theirs. */
    int (*wanted)(void *ctx, int64_t index);
    void *wanted_ctx;
    bl_hw hw; /* default BL_HW_OFF. A GPU that fails on the way is left: frames go on from the CPU */
    int gpu;  /* its number; negative, the default: none, whatever hw says */
} bl_reader_options;
typedef struct bl_video_info {
    int width, height;      /* as delivered: upright, square pixels */
    bl_rational frame_rate; /* average; guessed from timestamps where the container says nothing */
    bl_rational time_base;
    int64_t frames;    /* estimate, 0 = unknown (no duration); exact only after the end was reached */
    double duration_s; /* estimate, 0 = unknown */
    int has_audio;
    char codec[32], audio_codec[32];
} bl_video_info;

bl_reader_options bl_reader_options_default(void);
int bl_reader_open(bl_reader **out, const char *path, const bl_reader_options *o, bl_err *err);
const bl_video_info *bl_reader_info(const bl_reader *r);
/* 1 and a new reference in *out; 0 at the end; negative on failure. A damaged tail after at least one good
 * frame counts as the end and is logged once as a warning. */
int bl_reader_next(bl_reader *r, bl_frame **out, bl_err *err);
void bl_reader_close(bl_reader **r);

/* ---- writing: H.264 in MP4, through PATH.part and a rename in finish ---- */
typedef struct bl_writer bl_writer;
typedef struct bl_metadata {
    const char *key, *value;
} bl_metadata;
typedef struct bl_writer_options {
    int width, height;      /* an odd size is padded by one repeated column/row to be even */
    bl_rational time_base;  /* of the frames that will be put */
    bl_rational frame_rate; /* nominal, a hint */
    const char *audio_from; /* file whose first audio stream is copied (AAC re-encoded only when MP4 cannot
                               hold it), trimmed to the video's length; NULL = silent */
    int crf;                /* 0..51, default 17 */
    const char *preset;     /* x264 preset, default "medium" */
    const bl_metadata *metadata; /* array ended by a NULL key; may be NULL */
    /* default BL_HW_OFF. On a GPU `preset` is not looked at, `crf` means about the same, and the same frames
     * need not give the same file; one that fails on the way fails the video. */
    bl_hw hw;
    int gpu; /* its number; negative, the default: none, whatever hw says */
} bl_writer_options;

bl_writer_options bl_writer_options_default(void);
int bl_writer_open(bl_writer **out, const char *path, const bl_writer_options *o, bl_err *err);
int bl_writer_put(bl_writer *w, const bl_frame *f, bl_err *err); /* pts must grow; f is not kept */
/* A picture that is converted already: Y, then U and V at half the size, BT.709 in limited range, one behind
 * the other without gaps, each side rounded up to be even. Not kept. */
typedef struct bl_planes {
    int width, height; /* as the video's, so possibly odd */
    const uint8_t *data;
    int64_t pts; /* as a frame's, as is the next */
    bl_rational time_base;
} bl_planes;
int bl_writer_put_planes(bl_writer *w, const bl_planes *p, bl_err *err);
int bl_writer_finish(bl_writer *w, bl_err *err); /* flush, mux sound, fsync, rename */
void bl_writer_close(bl_writer **w);             /* without finish: PATH.part is removed */

/* ---- metadata of a finished file ---- */
/* Copies the container's metadata value for `key` into buf. 1 found, 0 not there, negative on failure. */
int bl_media_metadata(const char *path, const char *key, char *buf, size_t size, bl_err *err);

/* ---- pictures ---- */
int bl_png_read(bl_frame **out, const char *path, bl_err *err); /* alpha is dropped */
int bl_png_read_rgba(uint8_t **rgba, int *width, int *height, const char *path,
                     bl_err *err);                                  /* bl_free() it */
int bl_png_write(const bl_frame *f, const char *path, bl_err *err); /* atomic: PATH.part, rename */
int bl_png_encode(uint8_t **data, size_t *size, const bl_frame *f, bl_err *err); /* bl_free() it */
/* Area/bicubic resize (libswscale), RGB24 to RGB24. */
int bl_frame_resize(bl_frame **out, const bl_frame *in, int width, int height, bl_err *err);

/* What libav offers here: "h264 (libx264) yes, aac yes, ..."; one line a row for `doctor`. Refuses mismatched
 * libraries. */
int bl_media_describe(char *buf, size_t size, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
