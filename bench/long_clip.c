/*
 * Makes a long clip out of a short one: its frames once at the wanted height and rate, then the same packets
 * over and over. Minutes of video in seconds; libav is used directly, for packets never pass the reader.
 *
 *     bench_long_clip IN.mp4 OUT.mp4 MINUTES [HEIGHT] [FRAMES_A_SECOND]
 */
#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/media.h"

/* ---- the short clip at its new size ---- */
static int open_writer(bl_writer **w, const bl_frame *f, const char *path, int fps, bl_err *err) {
    bl_writer_options o = bl_writer_options_default();
    o.width = f->width;
    o.height = f->height;
    o.time_base = (bl_rational){1, fps};
    o.frame_rate = (bl_rational){fps, 1};
    o.preset = "veryfast";
    o.crf = 20;
    return bl_writer_open(w, path, &o, err);
}

static int resized(bl_frame **out, bl_frame *in, int height, bl_err *err) {
    const int h = height > 0 ? height : in->height;
    const int w = (int)((double)in->width * h / in->height / 2 + 0.5) * 2;
    return bl_frame_resize(out, in, w, h, err);
}

static int once(const char *from, const char *to, int height, int fps, bl_err *err) {
    bl_reader *r = NULL;
    bl_writer *w = NULL;
    bl_frame *in = NULL, *f = NULL;
    int rc = bl_reader_open(&r, from, NULL, err);
    while (rc >= 0 && (rc = bl_reader_next(r, &in, err)) > 0) {
        rc = resized(&f, in, height, err);
        if (rc == 0 && !w) rc = open_writer(&w, f, to, fps, err);
        if (rc == 0) {
            f->pts = in->index;
            f->time_base = (bl_rational){1, fps};
            rc = bl_writer_put(w, f, err);
        }
        bl_frame_unref(&f);
        bl_frame_unref(&in);
    }
    if (rc >= 0 && w) rc = bl_writer_finish(w, err);
    bl_writer_close(&w);
    bl_reader_close(&r);
    return rc;
}

/* ---- over and over ---- */
typedef struct loop {
    AVFormatContext *in, *out;
    AVPacket *packet;
    int64_t length; /* of one round, in the input's time base */
} loop;

static int begin(loop *l, const char *from, const char *to) {
    l->packet = av_packet_alloc();
    if (!l->packet || avformat_open_input(&l->in, from, NULL, NULL) < 0 ||
        avformat_find_stream_info(l->in, NULL) < 0 || l->in->nb_streams != 1 ||
        avformat_alloc_output_context2(&l->out, NULL, "mp4", to) < 0)
        return -1;
    AVStream *st = avformat_new_stream(l->out, NULL), *from_st = l->in->streams[0];
    if (!st || avcodec_parameters_copy(st->codecpar, from_st->codecpar) < 0) return -1;
    st->time_base = from_st->time_base;
    st->avg_frame_rate = from_st->avg_frame_rate;
    l->length = from_st->duration;
    if (l->length < 1 || avio_open(&l->out->pb, to, AVIO_FLAG_WRITE) < 0) return -1;
    return avformat_write_header(l->out, NULL);
}

static int one_round(loop *l, int64_t offset) {
    AVStream *a = l->in->streams[0], *b = l->out->streams[0];
    if (av_seek_frame(l->in, 0, 0, AVSEEK_FLAG_BACKWARD) < 0) return -1;
    while (av_read_frame(l->in, l->packet) >= 0) {
        l->packet->pts += offset;
        l->packet->dts += offset;
        l->packet->pos = -1;
        av_packet_rescale_ts(l->packet, a->time_base, b->time_base);
        if (av_interleaved_write_frame(l->out, l->packet) < 0) return -1;
    }
    return 0;
}

static int repeat(const char *from, const char *to, double minutes) {
    loop l = {0};
    int rc = begin(&l, from, to);
    for (int64_t offset = 0; rc >= 0; offset += l.length) {
        if ((double)offset * av_q2d(l.in->streams[0]->time_base) >= minutes * 60) break;
        rc = one_round(&l, offset);
    }
    if (rc >= 0) rc = av_write_trailer(l.out);
    if (l.out && l.out->pb) avio_closep(&l.out->pb);
    avformat_free_context(l.out);
    avformat_close_input(&l.in);
    av_packet_free(&l.packet);
    return rc < 0 ? -1 : 0;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    char part[4096];
    const double minutes = argc > 3 ? strtod(argv[3], NULL) : 0;
    const int height = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 0,
              fps = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 30;
    if (argc < 4 || argc > 6 || !(minutes > 0) || height < 0 || height > 4096 || fps < 1 || fps > 240 ||
        snprintf(part, sizeof part, "%s.once.mp4", argv[2]) >= (int)sizeof part) {
        fprintf(stderr, "usage: bench_long_clip IN.mp4 OUT.mp4 MINUTES [HEIGHT] [FRAMES_A_SECOND]\n");
        return 2;
    }
    if (once(argv[1], part, height, fps, &err) < 0) {
        fprintf(stderr, "bench_long_clip: %s\n", err.msg);
        return bl_status_exit_code(err.code);
    }
    const int rc = repeat(part, argv[2], minutes);
    remove(part);
    if (rc < 0) fprintf(stderr, "bench_long_clip: cannot repeat %s into %s\n", argv[1], argv[2]);
    return rc < 0 ? 1 : 0;
}
