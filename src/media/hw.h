/* Decoding and encoding on an NVIDIA GPU, where libav has it, the driver is there and the video suits. */
#ifndef BALLERINO_MEDIA_HW_H
#define BALLERINO_MEDIA_HW_H

#include "av.h"

/* How a stream is decoded there. What comes out is, to the bit, what the CPU's decoder gives. */
typedef struct bl__hw_decoding {
    /* A decoder on GPU number `gpu`, not opened yet; NULL where there is none, and *why says why. It gives an
     * error, never a picture of the CPU's, where it cannot go on. */
    AVCodecContext *(*create)(const AVCodecParameters *stream, int gpu, bl_err *why);
    /* Brings a decoded picture to the host, planar as the CPU's decoder would have it; `out` is empty. 0, or
     * libav's error. */
    int (*fetch)(AVFrame *out, const AVFrame *in);
} bl__hw_decoding;
extern const bl__hw_decoding bl__hw_nvdec;
/* The one that readers use: NVDEC. Testing: another in its place, before readers are opened. */
extern const bl__hw_decoding *bl__hw_decoder;

/* Pictures whose colours lie in one plane become planar (NV12 and P010: 8 and 10 bit), others are taken as
 * they are. */
int bl__hw_planar(AVFrame *out, const AVFrame *in);

/* Opens an encoder on GPU number `gpu` for a context with size, times and colours set, in x264's place at
 * quality `crf`; libav's error where there is none. *c is freed then. */
const AVCodec *bl__hw_encoder(void); /* NULL: libav has none */
int bl__hw_encoder_open(AVCodecContext **c, const AVCodec *codec, int gpu, int crf);

/* 1 when libav can decode H.264 there, and (with a driver) when a GPU answers. */
int bl__hw_offered(void);
int bl__hw_answers(void);

#endif
