/* RGB to what is encoded: swscale beside the definition, and pictures that come converted to the writer. */
#include "media/av.h"
#include "media_clip.h"
#include "planes.h"

static bl_frame *noisy(int w, int h, int seed) {
    bl_err err = {0};
    bl_frame *f = NULL;
    bl_rng r;
    bl_rng_seed(&r, (uint64_t)seed);
    assert_ok(bl_frame_create(&f, w, h, &err));
    for (int y = 0; y < h; y++)
        for (int i = 0; i < w * 3; i++) {
            const double v = 128 + 110 * sin(0.1 * seed + 0.07 * i / 3 + i % 3) * cos(0.11 * y) +
                             (double)bl_rng_below(&r, 1 + 20 * (seed % 12));
            f->data[y * f->stride + i] = (uint8_t)BL_CLAMP(v, 0, 255);
        }
    return f;
}

/* As the writer does it; even sizes. */
static void convert(uint8_t *to, const bl_frame *f) {
    struct SwsContext *sws = bl__to_planes(f->width, f->height);
    assert_non_null(sws);
    const int w = f->width / 2, h = f->height / 2, strides[4] = {f->width, w, w},
              stride[4] = {(int)f->stride};
    uint8_t *planes[4] = {to, to + 4 * w * h, to + 5 * w * h};
    const uint8_t *rgb[4] = {f->data};
    sws_scale(sws, rgb, stride, 0, f->height, planes, strides);
    sws_freeContext(sws);
}

/* Below ten pixels swscale has no room for its taps, and does something else. */
static void swscale_is_the_definition(void **state) {
    (void)state;
    int worst = 0;
    for (int k = 0; k < 40; k++) {
        bl_frame *f = noisy(10 + 2 * (k * 7 % 60), 10 + 2 * (k * 11 % 50), k);
        const int n = f->width * f->height * 3 / 2;
        uint8_t *a = bl_alloc((size_t)n), *b = bl_alloc((size_t)n);
        convert(a, f);
        planes_of(b, f);
        for (int i = 0; i < n; i++) worst = BL_MAX(worst, abs(a[i] - b[i]));
        bl_free(a);
        bl_free(b);
        bl_frame_unref(&f);
    }
    printf("swscale is off by %d at most\n", worst);
    assert_true(worst <= 1);
}

static void converted_pictures_make_the_same_video(void **state) {
    (void)state;
    bl_err err = {0};
    char *bytes[2] = {NULL};
    size_t size[2];
    for (int way = 0; way < 2; way++) {
        bl_writer *w = NULL;
        bl_writer_options o = bl_writer_options_default();
        o.width = 98, o.height = 66, o.time_base = (bl_rational){1, 25};
        assert_ok(bl_writer_open(&w, in_dir("planes.mp4"), &o, &err));
        for (int i = 0; i < 5; i++) {
            bl_frame *f = noisy(o.width, o.height, i);
            f->pts = 3 * i;
            f->time_base = o.time_base;
            uint8_t *planes = bl_alloc((size_t)(o.width * o.height * 3 / 2));
            convert(planes, f);
            bl_planes p = {
                .width = o.width, .height = o.height, .data = planes, .pts = 3 * i, .time_base = {1, 25}};
            assert_ok(way ? bl_writer_put_planes(w, &p, &err) : bl_writer_put(w, f, &err));
            if (i == 4) assert_int_equal(bl_writer_put_planes(w, &p, &err), BL_E_INTERNAL); /* no later */
            p.width--;
            p.pts++;
            assert_int_equal(bl_writer_put_planes(w, &p, &err), BL_E_INTERNAL);
            bl_free(planes);
            bl_frame_unref(&f);
        }
        assert_ok(bl_writer_finish(w, &err));
        bl_writer_close(&w);
        assert_ok(bl_file_read(&bytes[way], &size[way], in_dir("planes.mp4"), 1 << 24, &err));
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    bl_free(bytes[0]);
    bl_free(bytes[1]);
}

/* An odd size: the last column and row once more. */
static void odd_sizes_are_made_even(void **state) {
    (void)state;
    bl_err err = {0};
    bl_writer *w = NULL;
    bl_reader *r = NULL;
    bl_frame *f = noisy(35, 21, 3), *back = NULL;
    bl_writer_options o = bl_writer_options_default();
    uint8_t *planes = bl_alloc(36 * 22 * 3 / 2);
    planes_of(planes, f);
    o.width = 35, o.height = 21, o.time_base = (bl_rational){1, 25}, o.crf = 0;
    const bl_planes p = {.width = 35, .height = 21, .data = planes, .time_base = {1, 25}};
    assert_ok(bl_writer_open(&w, in_dir("odd.mp4"), &o, &err));
    assert_ok(bl_writer_put_planes(w, &p, &err));
    assert_ok(bl_writer_finish(w, &err));
    bl_writer_close(&w);
    assert_ok(bl_reader_open(&r, in_dir("odd.mp4"), NULL, &err));
    assert_int_equal(bl_reader_next(r, &back, &err), 1);
    assert_int_equal(back->width, 36);
    assert_int_equal(back->height, 22);
    bl_reader_close(&r);
    bl_frame_unref(&back);
    bl_frame_unref(&f);
    bl_free(planes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swscale_is_the_definition),
        cmocka_unit_test(converted_pictures_make_the_same_video),
        cmocka_unit_test(odd_sizes_are_made_even),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
