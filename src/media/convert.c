/* From any decoded picture to upright RGB24: colour by the stream's tags (swscale's BT.601 where there are
 * none), full or limited range, then the container's rotation. And from RGB24 to what is encoded. */
#include "av.h"

#include <string.h>

static int sign_of(int32_t v) {
    return v > (1 << 15) ? 1 : v < -(1 << 15) ? -1 : 0;
}

bl__orientation bl__orientation_of(const AVStream *st) {
    bl__orientation none = {1, 0, 0, 1};
    const int32_t *m = NULL;
#if LIBAVCODEC_VERSION_MAJOR >= 61
    const AVPacketSideData *sd = av_packet_side_data_get(
        st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    if (sd && sd->size >= 36) m = (const int32_t *)(const void *)sd->data;
#else
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (data && size >= 36) m = (const int32_t *)(const void *)data;
#endif
    if (!m) return none;
    bl__orientation o = {sign_of(m[0]), sign_of(m[1]), sign_of(m[3]), sign_of(m[4])};
    int straight = o.a && o.d && !o.b && !o.c, turned = o.b && o.c && !o.a && !o.d;
    return straight || turned ? o : none; /* an odd angle is left as it is stored */
}

void bl__converter_size(const bl__converter *c, int *width, int *height) {
    *width = c->turn.a ? c->stored_width : c->stored_height;
    *height = c->turn.a ? c->stored_height : c->stored_width;
}

void bl__converter_release(bl__converter *c) {
    sws_freeContext(c->sws);
    c->sws = NULL;
    bl_frame_unref(&c->flat);
}

static int prepare(bl__converter *c, const AVFrame *in, bl_err *err) {
    if (c->sws && c->format == in->format && c->width == in->width && c->height == in->height &&
        c->space == (int)in->colorspace && c->range == (int)in->color_range)
        return 0;
    sws_freeContext(c->sws);
    c->sws = sws_getContext(in->width, in->height, (enum AVPixelFormat)in->format, c->stored_width,
                            c->stored_height, AV_PIX_FMT_RGB24, SWS_BICUBIC, NULL, NULL, NULL);
    if (!c->sws)
        return bl_fail(err, BL_E_UNSUPPORTED, "pictures of format %d and %dx%d cannot be converted",
                       in->format, in->width, in->height);
    c->format = in->format;
    c->width = in->width;
    c->height = in->height;
    c->space = (int)in->colorspace;
    c->range = (int)in->color_range;
    int *inverse, *table, src_range, dst_range, brightness, contrast, saturation;
    if (sws_getColorspaceDetails(c->sws, &inverse, &src_range, &table, &dst_range, &brightness, &contrast,
                                 &saturation) >= 0) {
        if (in->color_range != AVCOL_RANGE_UNSPECIFIED) src_range = in->color_range == AVCOL_RANGE_JPEG;
        int space = in->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709
                    : in->colorspace == AVCOL_SPC_BT2020_NCL || in->colorspace == AVCOL_SPC_BT2020_CL
                        ? SWS_CS_BT2020
                        : SWS_CS_DEFAULT;
        sws_setColorspaceDetails(c->sws, sws_getCoefficients(space), src_range, table, dst_range, brightness,
                                 contrast, saturation);
    }
    return 0;
}

static void turn(const bl__orientation *t, const bl_frame *in, bl_frame *out) {
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            int ox = t->a * x + t->c * y, oy = t->b * x + t->d * y;
            if (ox < 0 || t->a + t->c < 0) ox += out->width - 1;
            if (oy < 0 || t->b + t->d < 0) oy += out->height - 1;
            memcpy(out->data + oy * out->stride + ox * 3, in->data + y * in->stride + x * 3, 3);
        }
}

int bl__convert(bl__converter *c, bl_frame **out, const AVFrame *in, bl_err *err) {
    int width, height, upright = c->turn.a == 1 && c->turn.d == 1, rc = prepare(c, in, err);
    bl_frame *f = NULL;
    if (rc < 0) return rc;
    bl__converter_size(c, &width, &height);
    if ((rc = bl_frame_create(&f, width, height, err)) < 0) return rc;
    if (!upright && !c->flat &&
        (rc = bl_frame_create(&c->flat, c->stored_width, c->stored_height, err)) < 0) {
        bl_frame_unref(&f);
        return rc;
    }
    bl_frame *flat = upright ? f : c->flat;
    uint8_t *planes[4] = {flat->data};
    int strides[4] = {(int)flat->stride};
    sws_scale(c->sws, (const uint8_t *const *)in->data, in->linesize, 0, in->height, planes, strides);
    if (!upright) turn(&c->turn, flat, f);
    *out = f;
    return 0;
}

struct SwsContext *bl__to_planes(int width, int height) {
    struct SwsContext *sws =
        sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    const int *bt709 = sws_getCoefficients(SWS_CS_ITU709);
    if (sws) sws_setColorspaceDetails(sws, bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16);
    return sws;
}

int bl_frame_resize(bl_frame **out, const bl_frame *in, int width, int height, bl_err *err) {
    bl_frame *f = NULL;
    int rc = bl_frame_create(&f, width, height, err);
    if (rc < 0) return rc;
    int flags = width < in->width || height < in->height ? SWS_AREA : SWS_BICUBIC;
    struct SwsContext *sws = sws_getContext(in->width, in->height, AV_PIX_FMT_RGB24, width, height,
                                            AV_PIX_FMT_RGB24, flags | SWS_ACCURATE_RND, NULL, NULL, NULL);
    if (!sws) {
        bl_frame_unref(&f);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to resize a picture to %dx%d", width, height);
    }
    const uint8_t *src[4] = {in->data};
    uint8_t *dst[4] = {f->data};
    int src_stride[4] = {(int)in->stride}, dst_stride[4] = {(int)f->stride};
    sws_scale(sws, src, src_stride, 0, in->height, dst, dst_stride);
    sws_freeContext(sws);
    f->pts = in->pts;
    f->time_base = in->time_base;
    f->index = in->index;
    *out = f;
    return 0;
}
