/* Writing H.264 in MP4 at the given timestamps, with sound from another file, through PATH.part and a rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hw.h"

struct bl_writer {
    char *path, *part;
    bl_writer_options o;
    AVFormatContext *mux;
    AVCodecContext *enc;
    AVStream *st;
    AVFrame *yuv;
    AVPacket *packet;
    struct SwsContext *sws;
    bl__sound *sound;
    int even_width, even_height, header, broken, on_gpu;
    int64_t first_pts, last_pts, count;
};

bl_writer_options bl_writer_options_default(void) {
    return (bl_writer_options){
        .time_base = {1, 90000}, .frame_rate = {25, 1}, .crf = 17, .preset = "medium", .gpu = -1};
}

static int check_options(const bl_writer_options *o, const char *path, bl_err *err) {
    if (o->width < 2 || o->height < 2 || o->width > BL_FRAME_MAX_SIDE || o->height > BL_FRAME_MAX_SIDE)
        return bl_fail(err, BL_E_USAGE, "cannot write %s: %dx%d is not a video size", path, o->width,
                       o->height);
    if (o->time_base.num < 1 || o->time_base.den < 1 || o->crf < 0 || o->crf > 51)
        return bl_fail(err, BL_E_USAGE,
                       "cannot write %s: the time base or the quality (0 to 51) is out of range", path);
    return 0;
}

/* x264's AVX-512 code for its macroblock tree reads memory that nobody wrote (seen in build 164), so the same
 * frames gave another file each time the memory was another. AVX2, which every such CPU has, does not. */
static void avoid_unwritten_memory(AVCodecContext *c) {
    if (av_get_cpu_flags() & AV_CPU_FLAG_AVX512) av_opt_set(c->priv_data, "x264-params", "asm=avx2", 0);
}

static int create_encoder(bl_writer *w, const AVCodec *codec, bl_err *err) {
    w->enc = avcodec_alloc_context3(codec);
    if (!w->enc) return bl_fail(err, BL_E_NOMEM, "not enough memory for the encoder");
    AVCodecContext *c = w->enc;
    c->width = w->even_width;
    c->height = w->even_height;
    c->time_base = (AVRational){w->o.time_base.num, w->o.time_base.den};
    if (w->o.frame_rate.num > 0 && w->o.frame_rate.den > 0)
        c->framerate = (AVRational){w->o.frame_rate.num, w->o.frame_rate.den};
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->color_range = AVCOL_RANGE_MPEG;
    if (w->mux->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return 0;
}

static int open_x264(bl_writer *w, bl_err *err) {
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return bl_fail(err, BL_E_UNSUPPORTED,
                       "FFmpeg here has no libx264, so no video can be written; install a full libavcodec");
    int rc = create_encoder(w, codec, err);
    if (rc < 0) return rc;
    AVCodecContext *c = w->enc;
    c->thread_count = 2; /* fixed: the same frames give the same file on any machine */
    char crf[8];
    snprintf(crf, sizeof crf, "%d", w->o.crf);
    av_opt_set(c->priv_data, "crf", crf, 0);
    av_opt_set(c->priv_data, "preset", w->o.preset ? w->o.preset : "medium", 0);
    avoid_unwritten_memory(c);
    rc = avcodec_open2(c, codec, NULL);
    return rc < 0 ? bl__av_fail(err, BL_E_UNSUPPORTED, rc, "cannot encode", w->path) : 0;
}

/* 1 when the video is encoded there. */
static int open_on_gpu(bl_writer *w) {
    const AVCodec *codec = bl__hw_encoder();
    bl_err why = {0};
    int rc = codec ? create_encoder(w, codec, &why)
                   : bl_fail(&why, BL_E_UNSUPPORTED, "FFmpeg here does not encode there");
    if (rc == 0 && (rc = bl__hw_encoder_open(&w->enc, codec, w->o.gpu, w->o.crf)) < 0)
        (void)bl_fail(&why, BL_E_UNSUPPORTED, "there is no encoder for it on GPU %d", w->o.gpu);
    w->on_gpu = rc == 0;
    bl_log(BL_LOG_DEBUG, "media", "%s is encoded on the %s%s%s", w->path, w->on_gpu ? "GPU" : "CPU",
           why.code ? ": " : "", why.code ? why.msg : "");
    return w->on_gpu;
}

static int open_encoder(bl_writer *w, bl_err *err) {
    const int wanted = w->o.hw == BL_HW_AUTO && w->o.gpu >= 0;
    return wanted && open_on_gpu(w) ? 0 : open_x264(w, err);
}

static int cannot_encode(const bl_writer *w, int averror, bl_err *err) {
    if (!w->on_gpu) return bl__av_fail(err, BL_E_INTERNAL, averror, "cannot encode", w->path);
    return bl_fail(err, BL_E_DEVICE, "the GPU's encoder failed on %s; --hwaccel none encodes on the CPU",
                   w->path);
}

static int open_stream(bl_writer *w, bl_err *err) {
    w->st = avformat_new_stream(w->mux, NULL);
    if (!w->st) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", w->path);
    w->st->time_base = w->enc->time_base;
    w->st->avg_frame_rate = w->enc->framerate;
    int rc = avcodec_parameters_from_context(w->st->codecpar, w->enc);
    return rc < 0 ? bl__av_fail(err, BL_E_INTERNAL, rc, "cannot write", w->path) : 0;
}

static int open_picture(bl_writer *w, bl_err *err) {
    w->yuv = av_frame_alloc();
    w->packet = av_packet_alloc();
    if (!w->yuv || !w->packet) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", w->path);
    w->yuv->format = AV_PIX_FMT_YUV420P;
    w->yuv->width = w->even_width;
    w->yuv->height = w->even_height;
    w->yuv->colorspace = AVCOL_SPC_BT709;
    w->yuv->color_range = AVCOL_RANGE_MPEG;
    if (av_frame_get_buffer(w->yuv, 0) < 0)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", w->path);
    w->sws = bl__to_planes(w->even_width, w->even_height);
    return w->sws ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to convert pictures for %s", w->path);
}

static int write_header(bl_writer *w, bl_err *err) {
    AVDictionary *o = NULL;
    for (const bl_metadata *m = w->o.metadata; m && m->key; m++)
        av_dict_set(&w->mux->metadata, m->key, m->value, 0);
    av_dict_set(&o, "movflags", "+faststart+use_metadata_tags", 0);
    int rc = avio_open(&w->mux->pb, w->part, AVIO_FLAG_WRITE);
    if (rc < 0) {
        av_dict_free(&o);
        return bl__av_fail(err, BL_E_IO, rc, "cannot write (choose a folder that exists and is writable)",
                           w->path);
    }
    rc = avformat_write_header(w->mux, &o);
    av_dict_free(&o);
    if (rc < 0) return bl__av_fail(err, BL_E_IO, rc, "cannot write", w->path);
    w->header = 1;
    return 0;
}

int bl_writer_open(bl_writer **out, const char *path, const bl_writer_options *o, bl_err *err) {
    int rc = bl__av_init(err);
    if (rc < 0 || (rc = check_options(o, path, err)) < 0) return rc;
    bl_writer *w = bl_alloc(sizeof *w);
    if (!w) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
    w->o = *o;
    w->even_width = (o->width + 1) & ~1;
    w->even_height = (o->height + 1) & ~1;
    w->path = bl_strdup(path);
    w->part = bl_alloc(strlen(path) + 8);
    if (w->part) snprintf(w->part, strlen(path) + 8, "%s.part", path);
    if (!w->path || !w->part || avformat_alloc_output_context2(&w->mux, NULL, "mp4", w->part) < 0) {
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", path);
        goto fail;
    }
    w->mux->flags |= AVFMT_FLAG_BITEXACT; /* no creation time, no library version */
    if ((rc = open_encoder(w, err)) < 0 || (rc = open_stream(w, err)) < 0 || (rc = open_picture(w, err)) < 0)
        goto fail;
    if (o->audio_from && (rc = bl__sound_open(&w->sound, o->audio_from, w->mux, err)) < 0) goto fail;
    if ((rc = write_header(w, err)) < 0) goto fail;
    w->o.metadata = NULL; /* the caller's arrays are not kept */
    *out = w;
    return 0;
fail:
    bl_writer_close(&w);
    return rc;
}

/* Takes what the encoder has ready. */
static int mux_packets(bl_writer *w, bl_err *err) {
    for (;;) {
        int rc = avcodec_receive_packet(w->enc, w->packet);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return 0;
        if (rc >= 0) {
            av_packet_rescale_ts(w->packet, w->enc->time_base, w->st->time_base);
            w->packet->stream_index = w->st->index;
            rc = av_interleaved_write_frame(w->mux, w->packet);
        } else if (w->on_gpu) {
            w->broken = 1;
            return cannot_encode(w, rc, err);
        }
        if (rc < 0 || w->mux->pb->error < 0) {
            w->broken = 1;
            return bl__av_fail(err, BL_E_IO, rc < 0 ? rc : w->mux->pb->error,
                               "cannot write (is the disk full?)", w->path);
        }
    }
}

/* RGB to YUV; an odd size is first padded by repeating the last column and row. */
static int to_yuv(bl_writer *w, const bl_frame *f, bl_err *err) {
    bl_frame *padded = NULL;
    if (f->width != w->even_width || f->height != w->even_height) {
        int rc = bl_frame_create(&padded, w->even_width, w->even_height, err);
        if (rc < 0) return rc;
        for (int y = 0; y < w->even_height; y++) {
            const uint8_t *src = f->data + BL_MIN(y, f->height - 1) * f->stride;
            uint8_t *dst = padded->data + y * padded->stride;
            memcpy(dst, src, (size_t)f->width * 3);
            if (w->even_width > f->width) memcpy(dst + f->width * 3, src + (f->width - 1) * 3, 3);
        }
    }
    const bl_frame *in = padded ? padded : f;
    const uint8_t *src[4] = {in->data};
    int stride[4] = {(int)in->stride};
    int rc = av_frame_make_writable(w->yuv);
    if (rc >= 0) sws_scale(w->sws, src, stride, 0, w->even_height, w->yuv->data, w->yuv->linesize);
    bl_frame_unref(&padded);
    return rc < 0 ? bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", w->path) : 0;
}

static double seconds(const bl_writer *w, int64_t pts) {
    return (double)pts * w->o.time_base.num / w->o.time_base.den;
}

/* Its time in the encoder's unit, if it fits behind the frames before. */
static int place(const bl_writer *w, int width, int height, int64_t pts, bl_rational base, int64_t *out,
                 bl_err *err) {
    if (width != w->o.width || height != w->o.height)
        return bl_fail(err, BL_E_INTERNAL, "a frame of %dx%d was put into a video of %dx%d", width, height,
                       w->o.width, w->o.height);
    *out = av_rescale_q(pts, (AVRational){base.num, base.den}, w->enc->time_base);
    if (w->count && *out <= w->last_pts)
        return bl_fail(err, BL_E_INTERNAL, "frame timestamps must grow (%lld after %lld)", (long long)*out,
                       (long long)w->last_pts);
    return 0;
}

/* Encodes what lies in w->yuv. */
static int encode(bl_writer *w, int64_t pts, bl_err *err) {
    int rc;
    if (!w->count++) w->first_pts = pts;
    w->last_pts = w->yuv->pts = pts;
    w->yuv->pict_type = AV_PICTURE_TYPE_NONE;
    int av = avcodec_send_frame(w->enc, w->yuv);
    if (av < 0) return cannot_encode(w, av, err);
    if ((rc = mux_packets(w, err)) < 0) return rc;
    return w->sound ? bl__sound_write(w->sound, seconds(w, w->first_pts), seconds(w, pts), err) : 0;
}

int bl_writer_put(bl_writer *w, const bl_frame *f, bl_err *err) {
    int64_t pts = 0;
    int rc = place(w, f->width, f->height, f->pts, f->time_base, &pts, err);
    if (rc == 0) rc = to_yuv(w, f, err);
    return rc < 0 ? rc : encode(w, pts, err);
}

int bl_writer_put_planes(bl_writer *w, const bl_planes *p, bl_err *err) {
    int64_t pts = 0;
    const uint8_t *from = p->data;
    int rc = place(w, p->width, p->height, p->pts, p->time_base, &pts, err);
    if (rc < 0) return rc;
    if (av_frame_make_writable(w->yuv) < 0)
        return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", w->path);
    for (int k = 0; k < 3; k++) {
        const int width = k ? w->even_width / 2 : w->even_width,
                  height = k ? w->even_height / 2 : w->even_height;
        av_image_copy_plane(w->yuv->data[k], w->yuv->linesize[k], from, width, width, height);
        from += (ptrdiff_t)width * height;
    }
    return encode(w, pts, err);
}

static int sync_file(const char *path) {
    int fd = open(path, O_RDONLY);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0) close(fd);
    return rc;
}

int bl_writer_finish(bl_writer *w, bl_err *err) {
    if (w->count == 0) return bl_fail(err, BL_E_INTERNAL, "no frame was written to %s", w->path);
    if (w->broken) return bl_fail(err, BL_E_IO, "cannot finish %s: writing failed before", w->path);
    double last_s = w->o.frame_rate.num > 0 ? (double)w->o.frame_rate.den / w->o.frame_rate.num : 0.04;
    int rc = 0, av = avcodec_send_frame(w->enc, NULL);
    if (av < 0 && av != AVERROR_EOF) return cannot_encode(w, av, err);
    if ((rc = mux_packets(w, err)) < 0) return rc;
    if (w->sound &&
        (rc = bl__sound_write(w->sound, seconds(w, w->first_pts), seconds(w, w->last_pts) + last_s, err)) < 0)
        return rc;
    if (w->sound && (rc = bl__sound_finish(w->sound, err)) < 0) return rc;
    av = av_write_trailer(w->mux);
    w->header = 0;
    if (av >= 0 && w->mux->pb->error < 0) av = w->mux->pb->error;
    int closed = avio_closep(&w->mux->pb);
    if (av >= 0) av = closed;
    if (av < 0) return bl__av_fail(err, BL_E_IO, av, "cannot finish (is the disk full?)", w->path);
    if (sync_file(w->part) < 0 || rename(w->part, w->path) < 0)
        return bl_fail(err, BL_E_IO, "cannot finish %s: %s", w->path, strerror(errno));
    bl_free(w->part);
    w->part = NULL; /* nothing left to remove */
    return 0;
}

void bl_writer_close(bl_writer **wp) {
    bl_writer *w = *wp;
    if (!w) return;
    bl__sound_close(&w->sound);
    if (w->mux && w->header) (void)av_write_trailer(w->mux); /* frees what the muxer holds */
    if (w->mux && w->mux->pb) avio_closep(&w->mux->pb);
    if (w->part) unlink(w->part);
    avformat_free_context(w->mux);
    avcodec_free_context(&w->enc);
    av_frame_free(&w->yuv);
    av_packet_free(&w->packet);
    sws_freeContext(w->sws);
    bl_free(w->part);
    bl_free(w->path);
    bl_free(w);
    *wp = NULL;
}
