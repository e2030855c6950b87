/* PNG through libav's codec: one packet is one file. */
#include "av.h"

#include <string.h>

#define PNG_MAX_BYTES (512u << 20)

static int decode(AVFrame *frame, const char *data, size_t size, const char *path, bl_err *err) {
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_PNG);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    AVPacket *p = av_packet_alloc();
    int rc = BL_E_NOMEM;
    if (!c || !p || av_new_packet(p, (int)size) < 0) {
        (void)bl_fail(err, rc, "not enough memory to read %s", path);
        goto done;
    }
    c->max_pixels = BL_FRAME_MAX_PIXELS;
    memcpy(p->data, data, size);
    int av = avcodec_open2(c, codec, NULL);
    if (av >= 0) av = avcodec_send_packet(c, p);
    if (av >= 0) av = avcodec_receive_frame(c, frame);
    rc = av < 0 ? bl__av_fail(err, BL_E_FORMAT, av, "this is not a PNG that can be read:", path) : 0;
    if (rc == 0 && (frame->width > BL_FRAME_MAX_SIDE || frame->height > BL_FRAME_MAX_SIDE))
        rc = bl_fail(err, BL_E_UNSUPPORTED, "%s is %dx%d, too large", path, frame->width, frame->height);
done:
    av_packet_free(&p);
    avcodec_free_context(&c);
    return rc;
}

static int load(AVFrame **out, const char *path, bl_err *err) {
    char *data = NULL;
    size_t size = 0;
    int rc = bl__av_init(err);
    if (rc < 0 || (rc = bl_file_read(&data, &size, path, PNG_MAX_BYTES, err)) < 0) return rc;
    AVFrame *frame = av_frame_alloc();
    rc = !frame      ? bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", path)
         : size == 0 ? bl_fail(err, BL_E_FORMAT, "%s is empty", path)
                     : decode(frame, data, size, path, err);
    bl_free(data);
    if (rc < 0) av_frame_free(&frame);
    *out = frame;
    return rc;
}

static int to_format(const AVFrame *in, enum AVPixelFormat format, uint8_t *dst, int stride, bl_err *err) {
    struct SwsContext *sws = sws_getContext(in->width, in->height, (enum AVPixelFormat)in->format, in->width,
                                            in->height, format, SWS_BICUBIC, NULL, NULL, NULL);
    if (!sws) return bl_fail(err, BL_E_UNSUPPORTED, "this kind of PNG cannot be converted");
    uint8_t *planes[4] = {dst};
    int strides[4] = {stride};
    sws_scale(sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, planes, strides);
    sws_freeContext(sws);
    return 0;
}

int bl_png_read(bl_frame **out, const char *path, bl_err *err) {
    AVFrame *in = NULL;
    bl_frame *f = NULL;
    int rc = load(&in, path, err);
    if (rc < 0) return rc;
    rc = bl_frame_create(&f, in->width, in->height, err);
    if (rc == 0) rc = to_format(in, AV_PIX_FMT_RGB24, f->data, (int)f->stride, err);
    av_frame_free(&in);
    if (rc < 0) bl_frame_unref(&f);
    *out = f;
    return rc;
}

int bl_png_read_rgba(uint8_t **rgba, int *width, int *height, const char *path, bl_err *err) {
    AVFrame *in = NULL;
    int rc = load(&in, path, err);
    if (rc < 0) return rc;
    uint8_t *p = bl_alloc_array((size_t)in->width * (size_t)in->height, 4);
    rc = p ? to_format(in, AV_PIX_FMT_RGBA, p, in->width * 4, err)
           : bl_fail(err, BL_E_NOMEM, "not enough memory to read %s", path);
    *width = in->width;
    *height = in->height;
    av_frame_free(&in);
    if (rc < 0)
        bl_free(p);
    else
        *rgba = p;
    return rc;
}

static int encode(AVPacket *p, const bl_frame *f, const char *path, bl_err *err) {
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    AVFrame *in = av_frame_alloc();
    int rc = 0, av = AVERROR(ENOMEM);
    if (c && in) {
        c->width = in->width = f->width;
        c->height = in->height = f->height;
        c->pix_fmt = AV_PIX_FMT_RGB24;
        in->format = AV_PIX_FMT_RGB24;
        c->time_base = (AVRational){1, 25};
        in->data[0] = f->data; /* only read, and only during this call */
        in->linesize[0] = (int)f->stride;
        av = avcodec_open2(c, codec, NULL);
        if (av >= 0) av = avcodec_send_frame(c, in);
        if (av >= 0) av = avcodec_send_frame(c, NULL);
        if (av >= 0) av = avcodec_receive_packet(c, p);
    }
    if (av < 0) rc = bl__av_fail(err, BL_E_INTERNAL, av, "cannot encode", path);
    av_frame_free(&in);
    avcodec_free_context(&c);
    return rc;
}

int bl_png_encode(uint8_t **data, size_t *size, const bl_frame *f, bl_err *err) {
    AVPacket *p = NULL;
    uint8_t *copy = NULL;
    int rc = bl__av_init(err);
    if (rc < 0) return rc;
    if (!(p = av_packet_alloc())) return bl_fail(err, BL_E_NOMEM, "not enough memory for a PNG");
    rc = encode(p, f, "a PNG", err);
    if (rc == 0 && !(copy = bl_alloc((size_t)p->size)))
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory for a PNG");
    if (rc == 0) {
        memcpy(copy, p->data, (size_t)p->size);
        *size = (size_t)p->size;
        *data = copy;
    }
    av_packet_free(&p);
    return rc;
}

int bl_png_write(const bl_frame *f, const char *path, bl_err *err) {
    AVPacket *p = NULL;
    int rc = bl__av_init(err);
    if (rc < 0) return rc;
    if (!(p = av_packet_alloc())) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    rc = encode(p, f, path, err);
    if (rc == 0) rc = bl_file_write(path, p->data, (size_t)p->size, err);
    av_packet_free(&p);
    return rc;
}
