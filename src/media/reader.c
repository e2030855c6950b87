/* Reading a video: one thread demuxes, decodes and converts ahead into a bounded queue; the caller takes
 * frames. A GPU's decoder that fails is left for the CPU's, which starts again at the file's begin and lets
 * go of what was delivered already: nothing is lost and nothing comes twice. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "hw.h"

struct bl_reader {
    char *path;
    AVFormatContext *fmt;
    AVCodecContext *dec;
    AVStream *st;
    bl__converter conv;
    bl_video_info info;
    int (*wanted)(void *ctx, int64_t index);
    void *wanted_ctx;
    int threads, gpu; /* gpu: the one to decode on, negative: none */
    int on_gpu;       /* dec is there */
    int64_t skip;     /* pictures that were delivered before the decoder was changed */
    bl_queue *queue;
    pthread_t thread;
    int started;
    volatile int stop; /* only ever set to 1, by close; the queue's lock orders it */
    int64_t count, last_pts;
    int status; /* how the thread ended: 0 or a failure; read after the queue is drained */
    bl_err failure;
};

bl_reader_options bl_reader_options_default(void) {
    return (bl_reader_options){.ahead = 8, .threads = 0, .gpu = -1};
}

static int check_file(const char *path, bl_err *err) {
    struct stat st;
    if (stat(path, &st) < 0)
        return bl_fail(err, BL_E_NOT_FOUND, "cannot open %s: %s; check the path", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return bl_fail(err, BL_E_NOT_FOUND, "%s is a folder; give a video file", path);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return bl_fail(err, BL_E_FORMAT, "%s is empty; give a video file", path);
    return 0;
}

static int open_on_cpu(bl_reader *r, const AVCodec *codec, bl_err *err) {
    r->dec = avcodec_alloc_context3(codec);
    if (!r->dec) return bl_fail(err, BL_E_NOMEM, "not enough memory to decode %s", r->path);
    int rc = avcodec_parameters_to_context(r->dec, r->st->codecpar);
    if (rc < 0) return bl__av_fail(err, BL_E_FORMAT, rc, "the video is damaged:", r->path);
    r->dec->pkt_timebase = r->st->time_base;
    r->dec->thread_count = r->threads > 0 ? r->threads : BL_MIN(bl_cpu_count(), 4);
    if ((rc = avcodec_open2(r->dec, codec, NULL)) < 0)
        return bl__av_fail(err, BL_E_UNSUPPORTED, rc, "cannot decode", r->path);
    return 0;
}

/* 1 when the stream is decoded there. */
static int open_on_gpu(bl_reader *r) {
    bl_err why = {0};
    int rc = 0;
    r->dec = bl__hw_decoder->create(r->st->codecpar, r->gpu, &why);
    if (r->dec) {
        r->dec->pkt_timebase = r->st->time_base;
        r->dec->thread_count = 1;
        rc = avcodec_open2(r->dec, r->dec->codec, NULL);
        if (rc < 0) (void)bl__av_fail(&why, BL_E_UNSUPPORTED, rc, "cannot decode", r->path);
    }
    if (rc < 0) avcodec_free_context(&r->dec);
    r->on_gpu = r->dec != NULL;
    bl_log(BL_LOG_DEBUG, "media", "%s is decoded on the %s%s%s", r->path, r->on_gpu ? "GPU" : "CPU",
           why.code ? ": " : "", why.code ? why.msg : "");
    return r->on_gpu;
}

static int open_stream(bl_reader *r, bl_err *err) {
    const AVCodec *codec = NULL;
    int rc = avformat_open_input(&r->fmt, r->path, NULL, NULL);
    if (rc < 0)
        return bl__av_fail(err, rc == AVERROR(EACCES) ? BL_E_NOT_FOUND : BL_E_FORMAT, rc,
                           "this is not a video that can be read, or it is damaged:", r->path);
    if ((rc = avformat_find_stream_info(r->fmt, NULL)) < 0)
        return bl__av_fail(err, BL_E_FORMAT, rc, "the video is damaged:", r->path);
    rc = av_find_best_stream(r->fmt, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (rc == AVERROR_DECODER_NOT_FOUND)
        return bl_fail(err, BL_E_UNSUPPORTED,
                       "%s uses a video codec that FFmpeg here cannot decode; convert it to H.264", r->path);
    if (rc < 0) return bl_fail(err, BL_E_FORMAT, "%s has no picture track; give a video file", r->path);
    r->st = r->fmt->streams[rc];
    for (unsigned i = 0; i < r->fmt->nb_streams; i++)
        if ((int)i != rc) r->fmt->streams[i]->discard = AVDISCARD_ALL;
    return r->gpu >= 0 && open_on_gpu(r) ? 0 : open_on_cpu(r, codec, err);
}

static int sane_rate(AVRational q) {
    return q.num > 0 && q.den > 0 && av_q2d(q) <= 1000;
}

static void describe_time(bl_reader *r) {
    bl_video_info *v = &r->info;
    AVRational rate = sane_rate(r->st->avg_frame_rate) ? r->st->avg_frame_rate
                      : sane_rate(r->st->r_frame_rate) ? r->st->r_frame_rate
                                                       : (AVRational){25, 1};
    v->frame_rate = (bl_rational){rate.num, rate.den};
    v->time_base = (bl_rational){r->st->time_base.num, r->st->time_base.den};
    if (r->st->duration > 0)
        v->duration_s = (double)r->st->duration * av_q2d(r->st->time_base);
    else if (r->fmt->duration > 0)
        v->duration_s = (double)r->fmt->duration / AV_TIME_BASE;
    v->frames = v->duration_s > 0 ? llround(v->duration_s * av_q2d(rate)) : 0;
}

static int describe(bl_reader *r, bl_err *err) {
    const AVCodecParameters *p = r->st->codecpar;
    AVRational sar = av_guess_sample_aspect_ratio(r->fmt, r->st, NULL);
    double ratio = sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
    if (p->width < 1 || p->height < 1)
        return bl_fail(err, BL_E_FORMAT, "%s has no picture size; it is damaged", r->path);
    if (ratio < 0.05 || ratio > 20) ratio = 1;
    r->conv.stored_width = ratio > 1.005 ? (int)lround(p->width * ratio)
                                         : p->width; /* less than half a percent is not worth a resampling */
    r->conv.stored_height = ratio < 0.995 ? (int)lround(p->height / ratio) : p->height;
    r->conv.turn = bl__orientation_of(r->st);
    if (r->conv.stored_width > BL_FRAME_MAX_SIDE || r->conv.stored_height > BL_FRAME_MAX_SIDE ||
        (int64_t)r->conv.stored_width * r->conv.stored_height > BL_FRAME_MAX_PIXELS)
        return bl_fail(err, BL_E_UNSUPPORTED, "%s is %dx%d; the largest side that is supported is %d",
                       r->path, r->conv.stored_width, r->conv.stored_height, BL_FRAME_MAX_SIDE);
    bl__converter_size(&r->conv, &r->info.width, &r->info.height);
    describe_time(r);
    snprintf(r->info.codec, sizeof r->info.codec, "%s", avcodec_get_name(p->codec_id));
    int audio = av_find_best_stream(r->fmt, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    r->info.has_audio = audio >= 0;
    if (audio >= 0)
        snprintf(r->info.audio_codec, sizeof r->info.audio_codec, "%s",
                 avcodec_get_name(r->fmt->streams[audio]->codecpar->codec_id));
    return 0;
}

/* Timestamps always grow: a missing or repeated one is put one nominal frame after the last. */
static int64_t timestamp(bl_reader *r, const AVFrame *in) {
    int64_t t = in->best_effort_timestamp;
    int64_t frame = av_rescale_q(1, av_inv_q((AVRational){r->info.frame_rate.num, r->info.frame_rate.den}),
                                 r->st->time_base);
    if (t == AV_NOPTS_VALUE || (r->count > 0 && t <= r->last_pts))
        t = r->count ? r->last_pts + BL_MAX(frame, 1) : 0;
    return r->last_pts = t;
}

#define GPU_FAILED 2
/* 0 go on, 1 told to stop, GPU_FAILED, negative failed */
static int deliver(bl_reader *r, AVFrame *in) {
    bl_frame *f = NULL;
    const int wanted = !r->wanted || r->wanted(r->wanted_ctx, r->count);
    int rc = wanted ? bl__convert(&r->conv, &f, in, &r->failure)
                    : bl_frame_create_empty(&f, r->info.width, r->info.height, &r->failure);
    if (rc < 0) return rc;
    f->pts = timestamp(r, in);
    f->time_base = r->info.time_base;
    f->index = r->count++;
    if (bl_queue_push(r->queue, f) == 0) return 0;
    bl_frame_unref(&f);
    return 1;
}

/* As deliver, of a picture that lies where it was decoded. */
static int deliver_from(bl_reader *r, AVFrame *in) {
    if (r->skip > 0) return r->skip--, 0;
    if (!r->on_gpu) return deliver(r, in);
    AVFrame *host = av_frame_alloc();
    int rc = host && bl__hw_decoder->fetch(host, in) >= 0 ? deliver(r, host) : GPU_FAILED;
    av_frame_free(&host);
    return rc;
}

static int drain(bl_reader *r, AVFrame *frame) {
    for (;;) {
        int rc = avcodec_receive_frame(r->dec, frame);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return 0;
        if (rc < 0) return r->on_gpu ? GPU_FAILED : 0; /* a damaged picture: the next packet may be good */
        rc = deliver_from(r, frame);
        av_frame_unref(frame);
        if (rc != 0) return rc;
    }
}

static int decode_packet(bl_reader *r, const AVPacket *packet, AVFrame *frame) {
    const int rc = avcodec_send_packet(r->dec, packet);
    if (rc < 0 && r->on_gpu) return GPU_FAILED;
    if (rc == AVERROR(ENOMEM))
        return bl_fail(&r->failure, BL_E_NOMEM, "not enough memory to decode %s", r->path);
    return drain(r, frame);
}

/* 0 at the end, or as deliver. */
static int decode_all(bl_reader *r, AVPacket *packet, AVFrame *frame) {
    int rc = 0;
    while (rc == 0 && !r->stop) {
        int got = av_read_frame(r->fmt, packet);
        if (got < 0) {
            if (got != AVERROR_EOF && r->count > 0)
                bl_log(BL_LOG_WARN, "media", "%s is damaged after frame %lld; using what comes before",
                       r->path, (long long)r->count);
            break;
        }
        if (packet->stream_index == r->st->index) rc = decode_packet(r, packet, frame);
        av_packet_unref(packet);
    }
    if (rc == 0 && !r->stop) rc = decode_packet(r, NULL, frame);
    if (rc == 0 && r->count == 0 && !r->stop)
        rc = r->on_gpu
                 ? GPU_FAILED
                 : bl_fail(&r->failure, BL_E_FORMAT,
                           "no picture of %s could be decoded; the file is damaged or cut off", r->path);
    return rc;
}

static int leave_gpu(bl_reader *r) {
    bl_log(BL_LOG_DEBUG, "media", "the GPU's decoder failed at frame %lld of %s: the CPU goes on",
           (long long)r->count, r->path);
    avcodec_free_context(&r->dec);
    avformat_close_input(&r->fmt);
    r->gpu = -1;
    r->on_gpu = 0;
    r->skip = r->count;
    return open_stream(r, &r->failure);
}

static int decode_file(bl_reader *r, AVPacket *packet, AVFrame *frame) {
    int rc = decode_all(r, packet, frame);
    if (rc == GPU_FAILED && (rc = leave_gpu(r)) == 0) rc = decode_all(r, packet, frame);
    return BL_MIN(rc, 0);
}

static void *run(void *arg) {
    bl_reader *r = arg;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (packet && frame)
        r->status = decode_file(r, packet, frame);
    else
        r->status = bl_fail(&r->failure, BL_E_NOMEM, "not enough memory to decode %s", r->path);
    av_packet_free(&packet);
    av_frame_free(&frame);
    bl_queue_close(r->queue);
    return NULL;
}

int bl_reader_open(bl_reader **out, const char *path, const bl_reader_options *o, bl_err *err) {
    bl_reader_options options = o ? *o : bl_reader_options_default();
    int rc = bl__av_init(err);
    if (rc < 0 || (rc = check_file(path, err)) < 0) return rc;
    bl_reader *r = bl_alloc(sizeof *r);
    if (!r || !(r->path = bl_strdup(path))) {
        bl_free(r);
        return bl_fail(err, BL_E_NOMEM, "not enough memory to open %s", path);
    }
    r->wanted = options.wanted;
    r->wanted_ctx = options.wanted_ctx;
    r->threads = options.threads;
    r->gpu = options.hw == BL_HW_AUTO ? options.gpu : -1;
    if ((rc = open_stream(r, err)) < 0 || (rc = describe(r, err)) < 0) goto fail;
    if ((rc = bl_queue_create(&r->queue, BL_CLAMP(options.ahead, 1, 64), err)) < 0) goto fail;
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        rc = bl_fail(err, BL_E_NOMEM, "cannot start a thread to decode %s", path);
        goto fail;
    }
    r->started = 1;
    *out = r;
    return 0;
fail:
    bl_reader_close(&r);
    return rc;
}

const bl_video_info *bl_reader_info(const bl_reader *r) {
    return &r->info;
}

int bl_reader_next(bl_reader *r, bl_frame **out, bl_err *err) {
    void *f = NULL;
    if (bl_queue_pop(r->queue, &f)) {
        *out = f;
        return 1;
    }
    *out = NULL;
    if (r->status < 0) return bl_fail(err, r->failure.code, "%s", r->failure.msg);
    r->info.frames = r->count; /* the thread has ended: exact now */
    return 0;
}

void bl_reader_close(bl_reader **rp) {
    bl_reader *r = *rp;
    void *f;
    if (!r) return;
    if (r->started) {
        r->stop = 1;
        bl_queue_close(r->queue);
        pthread_join(r->thread, NULL);
        while (bl_queue_pop(r->queue, &f)) bl_frame_unref((bl_frame **)&f);
    }
    bl_queue_destroy(&r->queue);
    bl__converter_release(&r->conv);
    avcodec_free_context(&r->dec);
    avformat_close_input(&r->fmt);
    bl_free(r->path);
    bl_free(r);
    *rp = NULL;
}
