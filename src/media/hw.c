#include "hw.h"

#include <libavutil/hwcontext.h>
#include <string.h>

/* ---- decoding: NVDEC ---- */
static int decodes_there(const AVCodec *c) {
    const AVCodecHWConfig *h;
    for (int i = 0; (h = avcodec_get_hw_config(c, i)); i++)
        if (h->device_type == AV_HWDEVICE_TYPE_CUDA && h->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX)
            return 1;
    return 0;
}

/* libav's own decoder of a codec is not always the one that it prefers on the CPU (AV1). */
static const AVCodec *decoder_there(enum AVCodecID id) {
    const AVCodec *c;
    for (void *at = NULL; (c = av_codec_iterate(&at));)
        if (c->id == id && av_codec_is_decoder(c) && decodes_there(c)) return c;
    return NULL;
}

/* Nothing but the GPU's: what comes instead would be decoded on one thread of the CPU. */
static enum AVPixelFormat only_there(AVCodecContext *c, const enum AVPixelFormat *offered) {
    (void)c;
    for (; *offered != AV_PIX_FMT_NONE; offered++)
        if (*offered == AV_PIX_FMT_CUDA) return *offered;
    return AV_PIX_FMT_NONE;
}

static AVCodecContext *create(const AVCodecParameters *stream, int gpu, bl_err *why) {
    char index[16];
    const AVCodec *codec = decoder_there(stream->codec_id);
    if (!codec) {
        (void)bl_fail(why, BL_E_UNSUPPORTED, "FFmpeg here does not decode %s there",
                      avcodec_get_name(stream->codec_id));
        return NULL;
    }
    AVCodecContext *c = avcodec_alloc_context3(codec);
    int rc = c ? avcodec_parameters_to_context(c, stream) : AVERROR(ENOMEM);
    snprintf(index, sizeof index, "%d", gpu);
    if (rc >= 0) rc = av_hwdevice_ctx_create(&c->hw_device_ctx, AV_HWDEVICE_TYPE_CUDA, index, NULL, 0);
    if (rc >= 0) {
        c->get_format = only_there;
        return c;
    }
    (void)bl__av_fail(why, BL_E_UNSUPPORTED, rc, "no decoder on GPU", index);
    avcodec_free_context(&c);
    return NULL;
}

static void split_8(AVFrame *out, const AVFrame *in, int width, int height) {
    for (int y = 0; y < height; y++) {
        const uint8_t *uv = in->data[1] + (ptrdiff_t)y * in->linesize[1];
        uint8_t *u = out->data[1] + (ptrdiff_t)y * out->linesize[1],
                *v = out->data[2] + (ptrdiff_t)y * out->linesize[2];
        for (int x = 0; x < width; x++) u[x] = uv[2 * x], v[x] = uv[2 * x + 1];
    }
}

/* 10 bits at the upper end of 16, which planar formats have at the lower. */
static void lower_10(uint16_t *to, const uint16_t *from, int n, int step) {
    for (int x = 0; x < n; x++) to[x] = (uint16_t)(from[step * x] >> 6);
}

static const uint16_t *row_10(const AVFrame *f, int plane, int y) {
    return (const uint16_t *)(const void *)(f->data[plane] + (ptrdiff_t)y * f->linesize[plane]);
}

static void split_10(AVFrame *out, const AVFrame *in, int width, int height) {
    for (int y = 0; y < in->height; y++)
        lower_10((uint16_t *)row_10(out, 0, y), row_10(in, 0, y), in->width, 1);
    for (int y = 0; y < height; y++) {
        lower_10((uint16_t *)row_10(out, 1, y), row_10(in, 1, y), width, 2);
        lower_10((uint16_t *)row_10(out, 2, y), row_10(in, 1, y) + 1, width, 2);
    }
}

int bl__hw_planar(AVFrame *out, const AVFrame *in) {
    const int width = (in->width + 1) / 2, height = (in->height + 1) / 2;
    if (in->format != AV_PIX_FMT_NV12 && in->format != AV_PIX_FMT_P010LE) return av_frame_ref(out, in);
    out->format = in->format == AV_PIX_FMT_NV12 ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV420P10LE;
    out->width = in->width;
    out->height = in->height;
    int rc = av_frame_get_buffer(out, 0);
    if (rc >= 0) rc = av_frame_copy_props(out, in);
    if (rc < 0) return rc;
    if (in->format == AV_PIX_FMT_NV12) {
        av_image_copy_plane(out->data[0], out->linesize[0], in->data[0], in->linesize[0], in->width,
                            in->height);
        split_8(out, in, width, height);
    } else
        split_10(out, in, width, height);
    return 0;
}

static int fetch(AVFrame *out, const AVFrame *in) {
    if (in->format != AV_PIX_FMT_CUDA) return AVERROR(ENOSYS);
    AVFrame *host = av_frame_alloc();
    int rc = host ? av_hwframe_transfer_data(host, in, 0) : AVERROR(ENOMEM);
    if (rc >= 0) rc = av_frame_copy_props(host, in);
    if (rc >= 0) rc = bl__hw_planar(out, host);
    if (rc >= 0) rc = av_frame_apply_cropping(out, AV_FRAME_CROP_UNALIGNED); /* what the GPU left of it */
    av_frame_free(&host);
    return rc;
}

const bl__hw_decoding bl__hw_nvdec = {.create = create, .fetch = fetch};
const bl__hw_decoding *bl__hw_decoder = &bl__hw_nvdec;

/* ---- encoding: NVENC ---- */
const AVCodec *bl__hw_encoder(void) {
    return avcodec_find_encoder_by_name("h264_nvenc");
}

/* Its constant quality is on the scale of x264's; that the same number looks about the same is not measured.
 */
int bl__hw_encoder_open(AVCodecContext **c, const AVCodec *codec, int gpu, int crf) {
    void *o = (*c)->priv_data;
    (*c)->bit_rate = 0;
    (*c)->max_b_frames = 3; /* as x264 has it, as the next */
    (*c)->gop_size = 250;
    av_opt_set_int(o, "gpu", gpu, 0);
    av_opt_set(o, "preset", "p5", 0);
    av_opt_set(o, "tune", "hq", 0);
    av_opt_set(o, "profile", "high", 0);
    av_opt_set(o, "rc", "vbr", 0);
    av_opt_set_double(o, "cq", BL_MAX(1, crf), 0); /* 0 would mean: as it likes */
    av_opt_set_int(o, "spatial-aq", 1, 0);
    av_opt_set_int(o, "rc-lookahead", 20, 0);
    int rc = avcodec_open2(*c, codec, NULL);
    if (rc < 0) avcodec_free_context(c);
    return rc;
}

/* ---- what is there ---- */
int bl__hw_offered(void) {
    return decoder_there(AV_CODEC_ID_H264) != NULL;
}

int bl__hw_answers(void) {
    AVBufferRef *device = NULL;
    const int rc = av_hwdevice_ctx_create(&device, AV_HWDEVICE_TYPE_CUDA, NULL, NULL, 0);
    av_buffer_unref(&device);
    return rc >= 0;
}
