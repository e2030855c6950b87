/* Reading, writing and pictures: round trips on generated clips, the shared clips, and bad input. */
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "media_clip.h"

static double difference(const bl_frame *a, const bl_frame *b) {
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * 3; x++)
            sum += abs(a->data[y * a->stride + x] - b->data[y * b->stride + x]);
    return sum / (a->width * 3.0 * a->height);
}

static void written_clip_reads_back(void **state) {
    (void)state;
    bl_err err = {0};
    int64_t pts[12] = {0,    512,  1024, 1700, 2048, 3000,
                       3001, 4096, 5000, 6144, 7000, 8192}; /* irregular on purpose */
    bl_metadata meta[] = {{"comment", "made here"}, {"digital_source_type", "test-value"}, {NULL, NULL}};
    write_clip(in_dir("a.mp4"), 96, 64, pts, 12, NULL, meta);
    assert_false(bl_file_exists(in_dir("a.mp4.part")));
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    assert_ok(bl_reader_open(&r, in_dir("a.mp4"), NULL, &err));
    assert_int_equal(bl_reader_info(r)->width, 96);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(bl_reader_next(r, &f, &err), 1);
        assert_int_equal(f->index, i);
        assert_true(fabs(bl_frame_seconds(f) - (double)pts[i] / 12288) < 1e-6);
        bl_frame *want = picture(96, 64, i);
        double d = difference(f, want);
        if (d > 4)
            fail_msg(
                "frame %d differs by %g levels (colour matrix or range wrong? a swapped matrix gives > 8)", i,
                d);
        bl_frame_unref(&want);
        bl_frame_unref(&f);
    }
    assert_int_equal(bl_reader_next(r, &f, &err), 0);
    assert_int_equal(bl_reader_info(r)->frames, 12);
    bl_reader_close(&r);
    char value[64];
    assert_int_equal(bl_media_metadata(in_dir("a.mp4"), "digital_source_type", value, sizeof value, &err), 1);
    assert_string_equal(value, "test-value");
    assert_int_equal(bl_media_metadata(in_dir("a.mp4"), "nothing", value, sizeof value, &err), 0);
}

static void same_frames_give_the_same_file(void **state) {
    (void)state;
    bl_err err = {0};
    int64_t pts[3] = {0, 512, 1024};
    char a[65], b[65];
    write_clip(in_dir("x.mp4"), 97, 63, pts, 3, NULL, NULL); /* odd sizes are padded */
    write_clip(in_dir("y.mp4"), 97, 63, pts, 3, NULL, NULL);
    assert_ok(bl_sha256_file(in_dir("x.mp4"), a, &err));
    assert_ok(bl_sha256_file(in_dir("y.mp4"), b, &err));
    assert_string_equal(a, b);
    bl_reader *r = NULL;
    assert_ok(bl_reader_open(&r, in_dir("x.mp4"), NULL, &err));
    assert_int_equal(bl_reader_info(r)->width, 98);
    assert_int_equal(bl_reader_info(r)->height, 64);
    bl_reader_close(&r); /* early: must not hang */
}

/* A bar over noise, long enough for the encoder's look-ahead to matter. */
static void write_noise(const char *path) {
    bl_err err = {0};
    enum { W = 448, H = 256, N = 50 };
    bl_writer *w = NULL;
    bl_writer_options o = bl_writer_options_default();
    o.width = W;
    o.height = H;
    o.time_base = (bl_rational){1, 25};
    bl_rng r;
    bl_rng_seed(&r, 5);
    assert_ok(bl_writer_open(&w, path, &o, &err));
    for (int i = 0; i < N; i++) {
        bl_frame *f = picture(W, H, i);
        for (int k = 0; k < W * 3 * H; k++)
            f->data[k / (W * 3) * f->stride + k % (W * 3)] += (uint8_t)(bl_rng_u64(&r) & 7);
        f->pts = i;
        f->time_base = o.time_base;
        assert_ok(bl_writer_put(w, f, &err));
        bl_frame_unref(&f);
    }
    assert_ok(bl_writer_finish(w, &err));
    bl_writer_close(&w);
}

/* What fresh memory happens to hold must not get into the file. */
static void files_do_not_depend_on_unwritten_memory(void **state) {
    (void)state;
    bl_err err = {0};
    char first[65], hex[65];
    for (int k = 0; k < 3; k++) {
        const int set = mallopt(M_PERTURB, k * 85);
        write_noise(in_dir("x.mp4"));
        mallopt(M_PERTURB, 0);
        if (!set) skip();
        assert_ok(bl_sha256_file(in_dir("x.mp4"), hex, &err));
        if (k == 0) memcpy(first, hex, sizeof first);
        assert_string_equal(hex, first);
    }
}

/* Frames that nobody wants to see come without a picture, in order and on time. */
static int is_third(void *ctx, int64_t index) {
    assert_int_equal(index, (*(int64_t *)ctx)++);
    return index == 2;
}

static void unwanted_pictures_are_left_out(void **state) {
    (void)state;
    bl_err err = {0};
    const int64_t pts[4] = {0, 512, 1500, 2048};
    write_clip(in_dir("w.mp4"), 64, 48, pts, 4, NULL, NULL);
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int64_t asked = 0;
    bl_reader_options o = bl_reader_options_default();
    o.wanted = is_third;
    o.wanted_ctx = &asked;
    assert_ok(bl_reader_open(&r, in_dir("w.mp4"), &o, &err));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bl_reader_next(r, &f, &err), 1);
        assert_true(f->index == i && f->width == 64 && f->height == 48);
        assert_true(fabs(bl_frame_seconds(f) - (double)pts[i] / 12288) < 1e-6);
        assert_int_equal(f->data != NULL, i == 2);
        bl_frame_unref(&f);
    }
    assert_int_equal(bl_reader_next(r, &f, &err), 0);
    bl_reader_close(&r);
}

static void unfinished_video_leaves_nothing(void **state) {
    (void)state;
    bl_err err = {0};
    bl_writer *w = NULL;
    bl_writer_options o = bl_writer_options_default();
    o.width = o.height = 64;
    assert_ok(bl_writer_open(&w, in_dir("u.mp4"), &o, &err));
    bl_frame *f = picture(64, 64, 0);
    assert_ok(bl_writer_put(w, f, &err));
    assert_true(bl_writer_put(w, f, &err) < 0); /* the same timestamp again */
    bl_frame_unref(&f);
    bl_writer_close(&w);
    assert_false(bl_file_exists(in_dir("u.mp4")));
    assert_false(bl_file_exists(in_dir("u.mp4.part")));
    assert_int_equal(bl_writer_open(&w, "/proc/nowhere/u.mp4", &o, &err), BL_E_IO);
    o.crf = 99;
    assert_int_equal(bl_writer_open(&w, in_dir("u.mp4"), &o, &err), BL_E_USAGE);
}

static void full_disk_is_one_sentence(void **state) {
    (void)state;
    bl_err err = {0};
    bl_writer *w = NULL;
    bl_writer_options o = bl_writer_options_default();
    struct rlimit old, small = {8192, 8192};
    o.width = o.height = 256;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    assert_ok(bl_writer_open(&w, in_dir("full.mp4"), &o, &err));
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = 0;
    bl_rng rng;
    bl_rng_seed(&rng, 3);
    for (int i = 0; i < 40 && rc >= 0; i++) {
        bl_frame *f = picture(256, 256, i);
        for (ptrdiff_t k = 0; k < f->stride * f->height; k++) f->data[k] = (uint8_t)bl_rng_u64(&rng);
        f->pts = i;
        f->time_base = (bl_rational){1, 24};
        rc = bl_writer_put(w, f, &err);
        bl_frame_unref(&f);
    }
    if (rc >= 0) rc = bl_writer_finish(w, &err);
    bl_writer_close(&w);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(rc, BL_E_IO);
    assert_false(bl_file_exists(in_dir("full.mp4")));
    assert_false(bl_file_exists(in_dir("full.mp4.part")));
}

static int open_fails(const char *path) {
    bl_err err = {0};
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int rc = bl_reader_open(&r, path, NULL, &err);
    if (rc == 0) {
        while ((rc = bl_reader_next(r, &f, &err)) > 0) bl_frame_unref(&f);
        bl_reader_close(&r);
    }
    if (rc < 0) assert_true(strlen(err.msg) > 10);
    return rc;
}

static void bad_input_is_refused(void **state) {
    (void)state;
    bl_err err = {0};
    assert_ok(bl_file_write(in_dir("empty.mp4"), "", 0, &err));
    assert_ok(bl_file_write(in_dir("text.mp4"), "this is no video at all, only text\n", 35, &err));
    assert_int_equal(open_fails(in_dir("none.mp4")), BL_E_NOT_FOUND);
    assert_int_equal(open_fails(dir), BL_E_NOT_FOUND);
    assert_int_equal(open_fails(in_dir("empty.mp4")), BL_E_FORMAT);
    assert_int_equal(open_fails(in_dir("text.mp4")), BL_E_FORMAT);
    int64_t pts[30];
    for (int i = 0; i < 30; i++) pts[i] = 512 * i;
    write_clip(in_dir("whole.mp4"), 128, 128, pts, 30, NULL, NULL);
    char *data;
    size_t size;
    assert_ok(bl_file_read(&data, &size, in_dir("whole.mp4"), 1 << 24, &err));
    for (int part = 1; part < 16; part++) { /* cut anywhere: frames or a sentence, never a crash */
        assert_ok(bl_file_write(in_dir("cut.mp4"), data, size * (size_t)part / 16, &err));
        int rc = open_fails(in_dir("cut.mp4"));
        assert_true(rc == 0 || rc == BL_E_FORMAT || rc == BL_E_UNSUPPORTED);
    }
    bl_free(data);
}

static void pngs_round_trip_and_bad_ones_are_refused(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *f = picture(37, 23, 2), *g = NULL, *small = NULL;
    assert_ok(bl_png_write(f, in_dir("p.png"), &err));
    assert_ok(bl_png_read(&g, in_dir("p.png"), &err));
    assert_true(difference(f, g) == 0);
    assert_ok(bl_frame_resize(&small, f, 18, 11, &err));
    assert_int_equal(small->width, 18);
    char *data;
    size_t size;
    assert_ok(bl_file_read(&data, &size, in_dir("p.png"), 1 << 20, &err));
    assert_ok(bl_file_write(in_dir("cut.png"), data, size / 3, &err));
    bl_free(data);
    bl_frame *none = NULL;
    assert_int_equal(bl_png_read(&none, in_dir("cut.png"), &err), BL_E_FORMAT);
    assert_int_equal(bl_png_read(&none, in_dir("missing.png"), &err), BL_E_NOT_FOUND);
    bl_frame_unref(&small);
    bl_frame_unref(&g);
    bl_frame_unref(&f);
}

static int64_t count_frames(const char *path, int *width, int *height) {
    bl_err err = {0};
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int64_t n = 0;
    double last = -1;
    int rc;
    assert_ok(bl_reader_open(&r, path, NULL, &err));
    *width = bl_reader_info(r)->width;
    *height = bl_reader_info(r)->height;
    while ((rc = bl_reader_next(r, &f, &err)) > 0) {
        assert_true(bl_frame_seconds(f) > last);
        last = bl_frame_seconds(f);
        n++;
        bl_frame_unref(&f);
    }
    assert_int_equal(rc, 0);
    bl_reader_close(&r);
    return n;
}

static void shared_hard_clips_are_read(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t frames;
        int w, h;
    } clips[] = {{"data/hard/edit_list.mp4", 247, 720, 1280},
                 {"data/hard/derived_true_vfr_from_hybrik_taiji.mp4", 111, 640, 360},
                 {"data/hard/vid2avatar_vp8_webm_no_duration_face.webm", 100, 1080, 1920},
                 {"data/hard/tfjs_squats_hevc_5fps.mp4", 65, 720, 1280}};
    for (size_t i = 0; i < BL_COUNT(clips); i++) {
        const char *path = shared_path(clips[i].name);
        int w, h;
        if (!path) skip();
        assert_int_equal(count_frames(path, &w, &h), clips[i].frames);
        assert_int_equal(w, clips[i].w);
        assert_int_equal(h, clips[i].h);
    }
}

static void sound_is_carried_and_trimmed(void **state) {
    (void)state;
    bl_err err = {0};
    const char *source = shared_path("data/source/dance_studio.mp4");
    if (!source) skip();
    int64_t pts[24];
    for (int i = 0; i < 24; i++) pts[i] = 512 * i; /* one second */
    write_clip(in_dir("sound.mp4"), 64, 64, pts, 24, source, NULL);
    bl_reader *r = NULL;
    assert_ok(bl_reader_open(&r, in_dir("sound.mp4"), NULL, &err));
    assert_int_equal(bl_reader_info(r)->has_audio, 1);
    assert_string_equal(bl_reader_info(r)->audio_codec, "aac");
    assert_true(fabs(bl_reader_info(r)->duration_s - 1) < 0.1);
    bl_reader_close(&r);
    struct stat st;
    assert_int_equal(stat(in_dir("sound.mp4"), &st), 0);
    assert_true(st.st_size < 120000); /* a second of sound, not twelve */
}

/* A second of 16-bit PCM, which MP4 players do not expect: it comes out as AAC. */
static void sound_that_mp4_cannot_hold_becomes_aac(void **state) {
    (void)state;
    bl_err err = {0};
    enum { RATE = 8000 };
    static uint8_t wav[44 + 2 * RATE] =
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data";
    const uint32_t riff = sizeof wav - 8, data = 2 * RATE;
    for (int i = 0; i < 4; i++) {
        wav[4 + i] = (uint8_t)(riff >> (8 * i));
        wav[40 + i] = (uint8_t)(data >> (8 * i));
    }
    for (int i = 0; i < RATE; i++) wav[45 + 2 * i] = (uint8_t)(i % 20 < 10 ? 16 : 240); /* 400 Hz */
    assert_ok(bl_file_write(in_dir("tone.wav"), wav, sizeof wav, &err));
    char *source = bl_strdup(in_dir("tone.wav"));
    int64_t pts[24];
    for (int i = 0; i < 24; i++) pts[i] = 512 * i;
    write_clip(in_dir("tone.mp4"), 64, 64, pts, 24, source, NULL);
    bl_free(source);
    bl_reader *r = NULL;
    assert_ok(bl_reader_open(&r, in_dir("tone.mp4"), NULL, &err));
    assert_int_equal(bl_reader_info(r)->has_audio, 1);
    assert_string_equal(bl_reader_info(r)->audio_codec, "aac");
    assert_true(fabs(bl_reader_info(r)->duration_s - 1) < 0.15);
    bl_reader_close(&r);
}

/* Rotation and pixel shape are put into the file by patching the track header's matrix with FFmpeg-free
 * bytes. */
static void rotation_tag_turns_the_picture(void **state) {
    (void)state;
    bl_err err = {0};
    int64_t pts[2] = {0, 512};
    char *data;
    size_t size;
    write_clip(in_dir("flat.mp4"), 96, 64, pts, 2, NULL, NULL);
    assert_ok(bl_file_read(&data, &size, in_dir("flat.mp4"), 1 << 22, &err));
    char *tkhd = NULL;
    for (size_t i = 4; i + 92 < size; i++)
        if (!memcmp(data + i, "tkhd", 4)) tkhd = data + i;
    assert_non_null(tkhd);
    static const unsigned char quarter[36] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 255, 255, 0,    0, 0, 0,
                                              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   0,   0x40, 0, 0, 0};
    memcpy(tkhd + 4 + 40, quarter, sizeof quarter); /* version 0: the matrix lies 40 bytes after the type */
    assert_ok(bl_file_write(in_dir("turned.mp4"), data, size, &err));
    bl_free(data);
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    assert_ok(bl_reader_open(&r, in_dir("turned.mp4"), NULL, &err));
    assert_int_equal(bl_reader_info(r)->width, 64);
    assert_int_equal(bl_reader_info(r)->height, 96);
    assert_int_equal(bl_reader_next(r, &f, &err), 1);
    /* clockwise: the stored left edge (dark red) is now at the top, the stored top (dark green) at the right
     */
    const uint8_t *top_right = f->data + 2 * f->stride + 61 * 3,
                  *bottom_left = f->data + 93 * f->stride + 2 * 3;
    assert_true(top_right[0] < 70 && top_right[1] < 70);
    assert_true(bottom_left[0] > 150 && bottom_left[1] > 150);
    bl_frame_unref(&f);
    bl_reader_close(&r);
}

static void frames_are_shared_and_copied_on_write(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *a = picture(8, 8, 0), *b = bl_frame_ref(a);
    assert_ok(bl_frame_make_writable(&b, &err));
    assert_ptr_not_equal(a, b);
    b->data[0] = (uint8_t)(a->data[0] + 1);
    assert_int_not_equal(a->data[0], b->data[0]);
    bl_frame_unref(&a);
    bl_frame_unref(&b);
    assert_true(bl_frame_create(&a, 0, 5, &err) < 0);
    assert_true(bl_frame_create(&a, 20000, 5, &err) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_shared_and_copied_on_write),
        cmocka_unit_test(written_clip_reads_back),
        cmocka_unit_test(same_frames_give_the_same_file),
        cmocka_unit_test(files_do_not_depend_on_unwritten_memory),
        cmocka_unit_test(unwanted_pictures_are_left_out),
        cmocka_unit_test(unfinished_video_leaves_nothing),
        cmocka_unit_test(full_disk_is_one_sentence),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(pngs_round_trip_and_bad_ones_are_refused),
        cmocka_unit_test(rotation_tag_turns_the_picture),
        cmocka_unit_test(shared_hard_clips_are_read),
        cmocka_unit_test(sound_is_carried_and_trimmed),
        cmocka_unit_test(sound_that_mp4_cannot_hold_becomes_aac),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
