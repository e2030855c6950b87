/* Sound from a source file into an MP4: packets are copied where MP4 can hold the codec, else re-encoded to
 * AAC. */
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <string.h>

#include "av.h"

struct bl__sound {
    AVFormatContext *in, *mux;
    AVStream *src, *dst;
    AVPacket *packet;
    int pending, ended; /* packet holds one that is not due yet; the source has no more */
    char *path;
    /* re-encoding */
    AVCodecContext *dec, *enc;
    SwrContext *swr;
    AVAudioFifo *fifo;
    AVFrame *raw, *out;
    AVPacket *coded;
    int64_t next_pts; /* of the encoder, in samples */
    int started;
};

static int open_source(bl__sound *s, bl_err *err) {
    int rc = avformat_open_input(&s->in, s->path, NULL, NULL);
    if (rc >= 0) rc = avformat_find_stream_info(s->in, NULL);
    if (rc < 0) return bl__av_fail(err, BL_E_FORMAT, rc, "cannot read the sound of", s->path);
    int i = av_find_best_stream(s->in, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    if (i < 0) return 0;
    s->src = s->in->streams[i];
    for (unsigned k = 0; k < s->in->nb_streams; k++)
        if ((int)k != i) s->in->streams[k]->discard = AVDISCARD_ALL;
    return 1;
}

static int open_copy(bl__sound *s, bl_err *err) {
    int rc = avcodec_parameters_copy(s->dst->codecpar, s->src->codecpar);
    if (rc < 0) return bl__av_fail(err, BL_E_NOMEM, rc, "cannot copy the sound of", s->path);
    s->dst->codecpar->codec_tag = 0;
    s->dst->time_base = s->src->time_base;
    return 0;
}

static int open_decoder(bl__sound *s) {
    const AVCodec *codec = avcodec_find_decoder(s->src->codecpar->codec_id);
    s->dec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!s->dec) return AVERROR_DECODER_NOT_FOUND;
    int rc = avcodec_parameters_to_context(s->dec, s->src->codecpar);
    s->dec->pkt_timebase = s->src->time_base;
    return rc < 0 ? rc : avcodec_open2(s->dec, codec, NULL);
}

static int open_aac(bl__sound *s) {
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    s->enc = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!s->enc) return AVERROR_ENCODER_NOT_FOUND;
    static const int rates[] = {48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000};
    int rate = 48000, channels = s->dec->ch_layout.nb_channels;
    for (size_t i = 0; i < BL_COUNT(rates); i++)
        if (rates[i] == s->dec->sample_rate) rate = rates[i];
    av_channel_layout_default(&s->enc->ch_layout, channels > 2 ? 2 : BL_MAX(channels, 1));
    s->enc->sample_rate = rate;
    s->enc->sample_fmt = AV_SAMPLE_FMT_FLTP;
    s->enc->bit_rate = 160000;
    s->enc->time_base = (AVRational){1, rate};
    s->enc->flags |= AV_CODEC_FLAG_BITEXACT;
    if (s->mux->oformat->flags & AVFMT_GLOBALHEADER) s->enc->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return avcodec_open2(s->enc, codec, NULL);
}

static int open_recode(bl__sound *s, bl_err *err) {
    int rc = open_decoder(s);
    if (rc >= 0 && s->dec->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&s->dec->ch_layout, s->dec->ch_layout.nb_channels);
    if (rc >= 0) rc = open_aac(s);
    if (rc >= 0)
        rc = swr_alloc_set_opts2(&s->swr, &s->enc->ch_layout, s->enc->sample_fmt, s->enc->sample_rate,
                                 &s->dec->ch_layout, s->dec->sample_fmt, s->dec->sample_rate, 0, NULL);
    if (rc >= 0) rc = swr_init(s->swr);
    if (rc >= 0) {
        s->fifo = av_audio_fifo_alloc(s->enc->sample_fmt, s->enc->ch_layout.nb_channels, 4096);
        s->raw = av_frame_alloc();
        s->out = av_frame_alloc();
        s->coded = av_packet_alloc();
        if (!s->fifo || !s->raw || !s->out || !s->coded) rc = AVERROR(ENOMEM);
    }
    if (rc >= 0) rc = avcodec_parameters_from_context(s->dst->codecpar, s->enc);
    if (rc < 0) return bl__av_fail(err, BL_E_UNSUPPORTED, rc, "cannot turn the sound into AAC of", s->path);
    s->dst->time_base = s->enc->time_base;
    return 0;
}

/* Codecs that players expect in an MP4 and that libavformat writes there as a finished standard; others have
 * a tag (FLAC, TrueHD) but are refused when the header is written, or play nowhere. */
static int mp4_holds(const AVFormatContext *mux, enum AVCodecID codec) {
    static const enum AVCodecID held[] = {AV_CODEC_ID_AAC,  AV_CODEC_ID_MP3,  AV_CODEC_ID_MP2,
                                          AV_CODEC_ID_AC3,  AV_CODEC_ID_EAC3, AV_CODEC_ID_ALAC,
                                          AV_CODEC_ID_OPUS, AV_CODEC_ID_DTS};
    for (size_t i = 0; i < BL_COUNT(held); i++)
        if (codec == held[i]) return avformat_query_codec(mux->oformat, codec, FF_COMPLIANCE_NORMAL) == 1;
    return 0;
}

int bl__sound_open(bl__sound **out, const char *path, AVFormatContext *mux, bl_err *err) {
    *out = NULL;
    bl__sound *s = bl_alloc(sizeof *s);
    if (!s || !(s->path = bl_strdup(path)) || !(s->packet = av_packet_alloc())) {
        bl__sound_close(&s);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for the sound of %s", path);
    }
    s->mux = mux;
    int rc = open_source(s, err);
    if (rc <= 0) {
        bl__sound_close(&s);
        return rc;
    }
    s->dst = avformat_new_stream(mux, NULL);
    if (!s->dst)
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory for the sound of %s", path);
    else if (mp4_holds(mux, s->src->codecpar->codec_id))
        rc = open_copy(s, err);
    else
        rc = open_recode(s, err);
    if (rc < 0) bl__sound_close(&s);
    *out = s;
    return rc;
}

static int write_packet(bl__sound *s, AVPacket *p, AVRational base, bl_err *err) {
    av_packet_rescale_ts(p, base, s->dst->time_base);
    p->stream_index = s->dst->index;
    p->pos = -1;
    int rc = av_interleaved_write_frame(s->mux, p);
    return rc < 0 ? bl__av_fail(err, BL_E_IO, rc, "cannot write the sound (is the disk full?) of", s->path)
                  : 0;
}

static int encode(bl__sound *s, const AVFrame *f, bl_err *err) {
    int rc = avcodec_send_frame(s->enc, f);
    while (rc >= 0) {
        rc = avcodec_receive_packet(s->enc, s->coded);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return 0;
        if (rc >= 0 && (rc = write_packet(s, s->coded, s->enc->time_base, err)) < 0) return rc;
    }
    return rc == AVERROR_EOF ? 0 : bl__av_fail(err, BL_E_INTERNAL, rc, "cannot encode the sound of", s->path);
}

/* Encodes whole AAC frames from the fifo; the rest too when flushing. */
static int encode_fifo(bl__sound *s, int flush, bl_err *err) {
    int size = s->enc->frame_size > 0 ? s->enc->frame_size : 1024;
    while (av_audio_fifo_size(s->fifo) >= size || (flush && av_audio_fifo_size(s->fifo) > 0)) {
        av_frame_unref(s->out);
        s->out->nb_samples = BL_MIN(size, av_audio_fifo_size(s->fifo));
        s->out->format = s->enc->sample_fmt;
        s->out->sample_rate = s->enc->sample_rate;
        if (av_channel_layout_copy(&s->out->ch_layout, &s->enc->ch_layout) < 0 ||
            av_frame_get_buffer(s->out, 0) < 0 ||
            av_audio_fifo_read(s->fifo, (void **)s->out->data, s->out->nb_samples) < 0)
            return bl_fail(err, BL_E_NOMEM, "not enough memory for the sound of %s", s->path);
        s->out->pts = s->next_pts;
        s->next_pts += s->out->nb_samples;
        int rc = encode(s, s->out, err);
        if (rc < 0) return rc;
    }
    return 0;
}

static int recode(bl__sound *s, const AVPacket *p, bl_err *err) {
    if (avcodec_send_packet(s->dec, p) < 0) return 0; /* a damaged packet is skipped */
    while (avcodec_receive_frame(s->dec, s->raw) >= 0) {
        if (!s->started && s->raw->best_effort_timestamp != AV_NOPTS_VALUE) {
            s->next_pts = av_rescale_q(s->raw->best_effort_timestamp, s->src->time_base, s->enc->time_base);
            s->started = 1;
        }
        int room = swr_get_out_samples(s->swr, s->raw->nb_samples);
        uint8_t **data = NULL;
        if (room < 0 || av_samples_alloc_array_and_samples(&data, NULL, s->enc->ch_layout.nb_channels,
                                                           BL_MAX(room, 1), s->enc->sample_fmt, 0) < 0)
            return bl_fail(err, BL_E_NOMEM, "not enough memory for the sound of %s", s->path);
        int n = swr_convert(s->swr, data, room, (const uint8_t **)s->raw->extended_data, s->raw->nb_samples);
        if (n > 0) n = av_audio_fifo_write(s->fifo, (void **)data, n);
        av_freep(&data[0]);
        av_freep(&data);
        if (n < 0) return bl_fail(err, BL_E_NOMEM, "not enough memory for the sound of %s", s->path);
    }
    return encode_fifo(s, 0, err);
}

int bl__sound_write(bl__sound *s, double from_s, double until_s, bl_err *err) {
    while (!s->ended) {
        if (!s->pending) {
            int rc = av_read_frame(s->in, s->packet);
            if (rc < 0) {
                s->ended = 1;
                break;
            }
            s->pending = 1;
        }
        double t =
            s->packet->pts == AV_NOPTS_VALUE ? from_s : (double)s->packet->pts * av_q2d(s->src->time_base);
        double length = (double)s->packet->duration * av_q2d(s->src->time_base);
        if (s->packet->stream_index == s->src->index) {
            if (t >= until_s) return 0; /* later */
            int rc = 0;
            if (t + length > from_s)
                rc = s->enc ? recode(s, s->packet, err) : write_packet(s, s->packet, s->src->time_base, err);
            if (rc < 0) return rc;
        }
        av_packet_unref(s->packet);
        s->pending = 0;
    }
    return 0;
}

int bl__sound_finish(bl__sound *s, bl_err *err) {
    if (!s->enc) return 0;
    int rc = recode(s, NULL, err);
    if (rc >= 0) rc = encode_fifo(s, 1, err);
    return rc < 0 ? rc : encode(s, NULL, err);
}

void bl__sound_close(bl__sound **sp) {
    bl__sound *s = *sp;
    if (!s) return;
    av_packet_free(&s->packet);
    av_packet_free(&s->coded);
    av_frame_free(&s->raw);
    av_frame_free(&s->out);
    if (s->fifo) av_audio_fifo_free(s->fifo);
    swr_free(&s->swr);
    avcodec_free_context(&s->dec);
    avcodec_free_context(&s->enc);
    avformat_close_input(&s->in);
    bl_free(s->path);
    bl_free(s);
    *sp = NULL;
}
