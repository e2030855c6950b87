/*
 * Decoding and encoding on a GPU, as far as that can be tested without one: what is there falls back and says
 * nothing; a decoder of libav's own plays the GPU's, hands out pictures as a GPU does, and fails where told.
 */
#include "media/hw.h"
#include "media_clip.h"

#define FRAMES 14

static const int64_t times[FRAMES] = {0,    512,  1024, 1700, 2048, 3000, 3001,
                                      4096, 5000, 6144, 7000, 8192, 8700, 9216};
static int said;    /* lines that somebody who did not ask for more would see */
static int on_gpus; /* clips that a GPU, or what plays one, decoded to the end, or encoded */

static void listen(void *ctx, bl_log_level level, const char *line) {
    (void)ctx;
    said += level != BL_LOG_DEBUG;
    on_gpus += strstr(line, "coded on the GPU") != NULL;
    on_gpus -= strstr(line, "the GPU's decoder failed") != NULL;
}

static const char *clip(void) {
    const char *path = in_dir("clip.mp4");
    if (!bl_file_exists(path)) write_clip(path, 130, 66, times, FRAMES, NULL, NULL);
    return path;
}

/* ---- what plays the GPU's decoder ---- */
static int fetched, fail_at; /* the picture that cannot be fetched; -1: all can */
static enum AVCodecID played;

static AVCodecContext *play(const AVCodecParameters *stream, int gpu, bl_err *why) {
    assert_int_equal(gpu, 3);
    AVCodecContext *c =
        avcodec_alloc_context3(avcodec_find_decoder(played == AV_CODEC_ID_NONE ? stream->codec_id : played));
    assert_non_null(c);
    if (played == AV_CODEC_ID_NONE) assert_true(avcodec_parameters_to_context(c, stream) >= 0);
    (void)why;
    return c;
}

/* As a GPU has it: the two colours in one plane. */
static int play_fetch(AVFrame *out, const AVFrame *in) {
    if (fetched++ == fail_at) return AVERROR_EXTERNAL;
    AVFrame *nv12 = av_frame_alloc();
    assert_int_equal(in->format, AV_PIX_FMT_YUV420P);
    nv12->format = AV_PIX_FMT_NV12;
    nv12->width = in->width;
    nv12->height = in->height;
    assert_true(av_frame_get_buffer(nv12, 0) >= 0 && av_frame_copy_props(nv12, in) >= 0);
    av_image_copy_plane(nv12->data[0], nv12->linesize[0], in->data[0], in->linesize[0], in->width,
                        in->height);
    for (int y = 0; y < in->height / 2; y++)
        for (int x = 0; x < in->width; x++)
            nv12->data[1][y * nv12->linesize[1] + x] =
                in->data[1 + x % 2][y * in->linesize[1 + x % 2] + x / 2];
    const int rc = bl__hw_planar(out, nv12);
    av_frame_free(&nv12);
    return rc;
}

static AVCodecContext *refuse(const AVCodecParameters *stream, int gpu, bl_err *why) {
    (void)stream, (void)gpu;
    (void)bl_fail(why, BL_E_UNSUPPORTED, "there is none");
    return NULL;
}

static const bl__hw_decoding player = {.create = play, .fetch = play_fetch},
                             refuser = {.create = refuse, .fetch = play_fetch};

/* ---- frames side by side ---- */
static int in_order(void *ctx, int64_t index) {
    assert_int_equal(index, (*(int64_t *)ctx)++); /* also after a change of decoders: each once */
    return 1;
}

/* Reads with and without, frame by frame; every byte and every time must agree. */
static void expect_same_frames(int gpu) {
    bl_err err = {0};
    bl_reader *here = NULL, *there = NULL;
    bl_frame *a = NULL, *b = NULL;
    int64_t asked = 0;
    bl_reader_options o = bl_reader_options_default();
    o.hw = BL_HW_AUTO;
    o.gpu = gpu;
    o.wanted = in_order;
    o.wanted_ctx = &asked;
    said = on_gpus = 0;
    bl_log_set_hook(listen, NULL);
    bl_log_set_level(BL_LOG_DEBUG);
    assert_ok(bl_reader_open(&here, clip(), NULL, &err));
    assert_ok(bl_reader_open(&there, clip(), &o, &err));
    for (int i = 0; i < FRAMES; i++) {
        assert_int_equal(bl_reader_next(here, &a, &err), 1);
        assert_int_equal(bl_reader_next(there, &b, &err), 1);
        assert_true(a->width == b->width && a->height == b->height && a->stride == b->stride);
        assert_true(a->pts == b->pts && a->index == b->index && b->index == i);
        for (int y = 0; y < a->height; y++)
            assert_memory_equal(a->data + y * a->stride, b->data + y * b->stride, (size_t)a->width * 3);
        bl_frame_unref(&a);
        bl_frame_unref(&b);
    }
    assert_int_equal(bl_reader_next(here, &a, &err), 0);
    assert_int_equal(bl_reader_next(there, &b, &err), 0);
    assert_int_equal(bl_reader_info(there)->frames, FRAMES);
    bl_reader_close(&here);
    bl_reader_close(&there);
    bl_log_set_hook(NULL, NULL);
    bl_log_set_level(BL_LOG_INFO);
    assert_int_equal(said, 0);
}

/* With a GPU this holds its decoder to the CPU's. */
static void what_is_there_gives_the_same_frames(void **state) {
    (void)state;
    bl__hw_decoder = &bl__hw_nvdec;
    expect_same_frames(0);
    printf("decoded on a GPU: %s\n", on_gpus ? "yes" : "no");
    assert_int_equal(on_gpus && !bl__hw_answers(), 0);
    expect_same_frames(63); /* no machine has so many */
    expect_same_frames(-1);
}

static void pictures_of_a_gpu_become_the_same_frames(void **state) {
    (void)state;
    bl__hw_decoder = &player;
    played = AV_CODEC_ID_NONE;
    fetched = 0;
    fail_at = -1;
    expect_same_frames(3);
    assert_int_equal(on_gpus, 1);
    assert_int_equal(fetched, FRAMES);
}

static void a_decoder_that_fails_loses_nothing(void **state) {
    (void)state;
    static const int places[] = {0, 1, 6, FRAMES - 1};
    bl__hw_decoder = &player;
    played = AV_CODEC_ID_NONE;
    for (size_t i = 0; i < BL_COUNT(places); i++) {
        fetched = 0;
        fail_at = places[i];
        expect_same_frames(3);
        assert_int_equal(fetched, places[i] + 1);
    }
}

static void a_decoder_that_cannot_is_left(void **state) {
    (void)state;
    bl__hw_decoder = &refuser;
    expect_same_frames(3);
    bl__hw_decoder = &player;
    played = AV_CODEC_ID_MJPEG; /* it takes the packets for another codec's */
    fetched = 0;
    expect_same_frames(3);
    assert_int_equal(fetched, 0);
}

static void off_asks_for_no_gpu(void **state) {
    (void)state;
    bl_err err = {0};
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    bl_reader_options o = bl_reader_options_default();
    assert_int_equal(o.hw, BL_HW_OFF);
    o.gpu = 3;
    bl__hw_decoder = &player;
    played = AV_CODEC_ID_NONE;
    fetched = 0;
    assert_ok(bl_reader_open(&r, clip(), &o, &err));
    assert_int_equal(bl_reader_next(r, &f, &err), 1);
    bl_frame_unref(&f);
    bl_reader_close(&r);
    assert_int_equal(fetched, 0);
}

static void ten_bits_go_to_their_place(void **state) {
    (void)state;
    enum { W = 6, H = 3 };
    AVFrame *p010 = av_frame_alloc(), *planar = av_frame_alloc();
    p010->format = AV_PIX_FMT_P010LE;
    p010->width = W;
    p010->height = H;
    p010->pts = 77;
    assert_true(av_frame_get_buffer(p010, 0) >= 0);
    for (int plane = 0; plane < 2; plane++)
        for (int y = 0; y < (plane ? (H + 1) / 2 : H); y++) {
            uint16_t *row = (uint16_t *)(void *)(p010->data[plane] + y * p010->linesize[plane]);
            for (int x = 0; x < W; x++) row[x] = (uint16_t)((500 * plane + 60 * y + x + 3) << 6);
        }
    assert_int_equal(bl__hw_planar(planar, p010), 0);
    assert_int_equal(planar->format, AV_PIX_FMT_YUV420P10LE);
    assert_int_equal(planar->pts, 77);
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < (plane ? (H + 1) / 2 : H); y++) {
            const uint16_t *row =
                (const uint16_t *)(void *)(planar->data[plane] + y * planar->linesize[plane]);
            for (int x = 0; x < (plane ? W / 2 : W); x++)
                assert_int_equal(row[x], plane ? 500 + 60 * y + 2 * x + plane - 1 + 3 : 60 * y + x + 3);
        }
    av_frame_free(&p010);
    av_frame_free(&planar);
}

/* Where no GPU answers, x264's very file; where one does, a video that can be read. */
static void a_video_is_written_either_way(void **state) {
    (void)state;
    bl_err err = {0};
    bl_writer *w = NULL;
    char one[65], two[65], mark[32];
    const bl_metadata meta[] = {{"comment", "made here"}, {NULL, NULL}};
    bl_writer_options o = bl_writer_options_default();
    assert_int_equal(o.hw, BL_HW_OFF);
    o.width = 160;
    o.height = 96;
    o.metadata = meta;
    said = on_gpus = 0;
    for (int k = 0; k < 2; k++) {
        o.hw = k ? BL_HW_AUTO : BL_HW_OFF;
        o.gpu = 0;
        bl_log_set_hook(listen, NULL);
        bl_log_set_level(BL_LOG_DEBUG);
        assert_ok(bl_writer_open(&w, in_dir(k ? "two.mp4" : "one.mp4"), &o, &err));
        for (int i = 0; i < FRAMES; i++) {
            bl_frame *f = picture(o.width, o.height, i);
            f->pts = 3600 * i;
            f->time_base = o.time_base;
            assert_ok(bl_writer_put(w, f, &err));
            bl_frame_unref(&f);
        }
        assert_ok(bl_writer_finish(w, &err));
        bl_writer_close(&w);
        bl_log_set_hook(NULL, NULL);
        bl_log_set_level(BL_LOG_INFO);
    }
    assert_int_equal(said, 0);
    printf("encoded on a GPU: %s\n", on_gpus ? "yes" : "no");
    assert_int_equal(bl_media_metadata(in_dir("two.mp4"), "comment", mark, sizeof mark, &err), 1);
    assert_string_equal(mark, "made here");
    if (bl__hw_answers()) return;
    assert_ok(bl_sha256_file(in_dir("one.mp4"), one, &err));
    assert_ok(bl_sha256_file(in_dir("two.mp4"), two, &err));
    assert_string_equal(one, two);
}

static void doctor_learns_what_ffmpeg_has(void **state) {
    (void)state;
    bl_err err = {0};
    char text[1024];
    assert_ok(bl_media_describe(text, sizeof text, &err));
    assert_non_null(strstr(text, bl__hw_encoder() ? "NVENC encoder (h264_nvenc) yes" : "(h264_nvenc) no"));
    assert_non_null(strstr(text, bl__hw_offered() ? "NVDEC decoder (h264) yes" : "NVDEC decoder (h264) no"));
    assert_int_equal(strstr(text, "no NVIDIA driver answers") != NULL, bl__hw_offered() && !bl__hw_answers());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_gives_the_same_frames),
        cmocka_unit_test(pictures_of_a_gpu_become_the_same_frames),
        cmocka_unit_test(a_decoder_that_fails_loses_nothing),
        cmocka_unit_test(a_decoder_that_cannot_is_left),
        cmocka_unit_test(off_asks_for_no_gpu),
        cmocka_unit_test(ten_bits_go_to_their_place),
        cmocka_unit_test(a_video_is_written_either_way),
        cmocka_unit_test(doctor_learns_what_ffmpeg_has),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
