/* The report page: whatever is put in, it stays well-formed XML that loads nothing; failures are told. */
#include <math.h>
#include <sys/stat.h>

#include "ballerino/report.h"
#include "page_check.h"

static char path[64];

static int begin(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/bl_report_%d.html", (int)getpid());
    return 0;
}
static int end(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static char *page(void) {
    static char *text; /* not on the stack: GCC 12 warns of a pointer into it */
    bl_err err = {0};
    assert_ok(bl_file_read(&text, NULL, path, 64 << 20, &err));
    return text;
}

/* ---- texts ---- */
static const char hostile[] =
    "a\"b'c<script>alert(1)</script>&amp;\x01\x7f \xff\xc0\x80 \xed\xa0\x80 "
    "\xe2\x80\xaegnp.exe \xf4\x90\x80\x80 \xc3\xa9 \xe4\xbd\xa0 \xf0\x9f\x92\x83 %s%n\xe4\xbd";

static void test_hostile_texts(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report *r = NULL;
    const bl_report_column columns[] = {{hostile, -1, 0}, {hostile, 3, 1}};
    const bl_report_cell cells[] = {{.text = hostile}, {.text = hostile}};
    const double y[] = {1, 2};
    const bl_report_series s = {.name = hostile, .y = y, .n = 2};
    assert_ok(bl_report_open(&r, path, hostile, hostile, &err));
    bl_report_heading(r, hostile);
    bl_report_text(r, "%s", hostile);
    bl_report_note(r, BL_REPORT_BAD, "%s", hostile);
    bl_report_list_begin(r);
    bl_report_item(r, "%s", hostile);
    bl_report_end(r);
    bl_report_facts_begin(r);
    bl_report_fact(r, hostile, "%s", hostile);
    bl_report_end(r);
    bl_report_tiles_begin(r);
    bl_report_tile(r, hostile, "%s", hostile);
    bl_report_end(r);
    bl_report_bars_begin(r);
    bl_report_bar(r, hostile, 0.5, "%s", hostile);
    bl_report_end(r);
    bl_report_details_begin(r, hostile);
    bl_report_table(r, hostile, columns, 2, cells, 1);
    bl_report_line_chart(r, &(bl_report_chart){hostile, hostile, hostile, &s, 1, 0});
    bl_report_picture_file(r, hostile, 0, hostile, hostile);
    assert_ok(bl_report_close(&r, &err)); /* the details are still open: closed for us */
    char *text = page();
    assert_well_formed(text);
    assert_null(strstr(text, "\xff"));
    assert_null(strstr(text, "\xed\xa0"));
    assert_null(strstr(text, "\xe2\x80\xae")); /* right to left override */
    assert_non_null(strstr(text, "a&quot;b&#39;c&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"
                                 "\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
    assert_non_null(strstr(text, "\xc3\xa9 \xe4\xbd\xa0 \xf0\x9f\x92\x83 %s%n")); /* what is valid stays */
    bl_free(text);
}

static void test_long_text(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report *r = NULL;
    char *longer = bl_alloc(3 << 20);
    memset(longer, '<', (3 << 20) - 1);
    assert_ok(bl_report_open(&r, path, "long", NULL, &err));
    bl_report_text(r, "%s", longer); /* cut at a megabyte */
    bl_report_heading(r, "after it");
    assert_ok(bl_report_close(&r, &err));
    char *text = page();
    assert_well_formed(text);
    assert_int_equal(count(text, "&lt;"), (1 << 20) - 1);
    bl_free(text);
    bl_free(longer);
}

/* ---- tables and bars ---- */
static void test_table(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report *r = NULL;
    const bl_report_column columns[] = {{"who", -1, 0}, {"SSIM", 3, 1}, {"error", 1, -1}, {"none", 0, 1}};
    const bl_report_cell cells[] = {
        {.text = "a"}, {.value = 0.7}, {.value = 3},         {.value = NAN},      /* row */
        {.text = "b"}, {.value = 0.8}, {.value = NAN},       {.value = INFINITY}, /* row */
        {.text = "c"}, {.value = 0.1}, {.value = 1.25},      {.text = "n/a"},     /* row */
        {.text = "d"}, {.value = 0.8}, {.value = -INFINITY}, {.value = NAN},
    };
    assert_ok(bl_report_open(&r, path, "table", NULL, &err));
    bl_report_table(r, NULL, columns, 4, cells, 4);
    bl_report_table(r, "empty", columns, 4, NULL, 0);
    bl_report_bars_begin(r);
    bl_report_bar(r, "nan", NAN, "-");
    bl_report_bar(r, "much", 1e9, "-");
    bl_report_bar(r, "less", -3, "-");
    bl_report_end(r);
    assert_ok(bl_report_close(&r, &err));
    char *text = page();
    assert_well_formed(text);
    assert_int_equal(count(text, "num best\">"), 3);
    assert_int_equal(count(text, "num best\">0.800<"), 2); /* both of a tie */
    assert_int_equal(count(text, "num best\">1.2<"), 1);
    assert_int_equal(count(text, "<caption>"), 1);
    assert_int_equal(count(text, "width:0.00%"), 2);
    assert_int_equal(count(text, "width:100.00%"), 1);
    assert_null(strstr(text, "nan%"));
    bl_free(text);
}

/* ---- charts ---- */
static char *chart_of(const bl_report_chart *c) {
    bl_err err = {0};
    bl_report *r = NULL;
    assert_ok(bl_report_open(&r, path, "chart", NULL, &err));
    bl_report_line_chart(r, c);
    assert_ok(bl_report_close(&r, &err));
    char *text = page();
    assert_well_formed(text);
    const char *figure = strstr(text, "<figure"); /* no number of a chart may be "nan" or "inf" */
    assert_non_null(figure);
    assert_null(strstr(figure, "nan"));
    assert_null(strstr(figure, "inf"));
    return text;
}

/* Points of all lines, which are "x,y" within points="...". */
static int vertices(const char *text) {
    int n = 0;
    for (const char *s = text; (s = strstr(s, "points=\"")); s++)
        for (const char *p = s + 8; *p != '"'; p++) n += *p == ',';
    return n;
}

static void test_degenerate_charts(void **state) {
    (void)state;
    static const struct {
        double y[6];
        int n, lines, dots, empty;
    } cases[] = {
        {{0}, 0, 0, 0, 1},
        {{5}, 1, 1, 1, 0},
        {{5, 5, 5}, 3, 1, 0, 0},
        {{0, 0, 0}, 3, 1, 0, 0},
        {{NAN, NAN}, 2, 0, 0, 1},
        {{INFINITY, -INFINITY}, 2, 0, 0, 1},
        {{1, 2, NAN, 3, 4}, 5, 2, 0, 0},
        {{1, NAN, 2, INFINITY, 3, 4}, 6, 3, 2, 0},
        {{-1e308, 1e308, 0}, 3, 1, 0, 0},
        {{1e-320, 2e-320}, 2, 1, 0, 0},
        {{1e15, 1e15 + 1}, 2, 1, 0, 0},
        {{-3, -2, -1}, 3, 1, 0, 0},
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        const bl_report_series s = {.name = "y", .y = cases[k].y, .n = cases[k].n};
        char *text = chart_of(&(bl_report_chart){.series = &s, .n_series = 1});
        if (count(text, "<polyline") != cases[k].lines || count(text, "<circle") != cases[k].dots ||
            count(text, "Nothing was measured") != cases[k].empty)
            fail_msg("case %zu: %d lines, %d dots", k, count(text, "<polyline"), count(text, "<circle"));
        const int ticks = count(text, "class=\"ty\"");
        if (!cases[k].empty && (ticks < 2 || ticks > 16)) fail_msg("case %zu: %d ticks", k, ticks);
        bl_free(text);
        text = chart_of(&(bl_report_chart){.series = &s, .n_series = 1, .log_y = 1});
        assert_int_equal(count(text, "<polyline") == 0, count(text, "Nothing was measured") == 1);
        bl_free(text);
    }
    char *text = chart_of(&(bl_report_chart){.title = "no series"});
    assert_int_equal(count(text, "Nothing was measured"), 1);
    bl_free(text);
}

static void test_log_scale(void **state) {
    (void)state;
    const double y[] = {1, 10, 100, 1000, 0, -5, 100};
    const bl_report_series s = {.y = y, .n = 7};
    char *text = chart_of(&(bl_report_chart){.series = &s, .n_series = 1, .log_y = 1});
    const char *points = strstr(text, "points=\"");
    double x[4], v[4];
    assert_non_null(points);
    assert_int_equal(sscanf(points, "points=\"%lf,%lf %lf,%lf %lf,%lf %lf,%lf\"", &x[0], &v[0], &x[1], &v[1],
                            &x[2], &v[2], &x[3], &v[3]),
                     8);
    assert_near(v[0] - v[1], v[1] - v[2], 0.25); /* decades are of one height */
    assert_near(v[1] - v[2], v[2] - v[3], 0.25);
    assert_true(v[0] > v[3]); /* up is more */
    assert_int_equal(count(text, "<circle"), 1);
    assert_non_null(strstr(text, ">100</text>"));
    bl_free(text);
}

static void test_a_million_points(void **state) {
    (void)state;
    enum { N = 1000000 };
    double *y = bl_alloc_array(N, sizeof *y);
    for (int i = 0; i < N; i++) y[i] = i % 7 == 0 ? NAN : sin(i * 1e-4) + 0.2 * sin(i * 1.7);
    y[123456] = 50; /* a peak one sample wide must not be lost */
    y[654321] = -50;
    const bl_report_series s[] = {{.y = y, .n = N, .faint = 1}, {.name = "y", .y = y, .n = N}};
    char *text = chart_of(&(bl_report_chart){.series = s, .n_series = 2});
    const int n = vertices(text);
    if (n < 2000 || n > 2 * BL_REPORT_MAX_VERTICES) fail_msg("%d vertices", n);
    assert_true(strlen(text) < 100000);
    /* the range is -50..50 with 4 % of room: the peaks lie at 37 and 963 of 1000, at their own x */
    assert_int_equal(count(text, "123.5,37."), 2);
    assert_int_equal(count(text, "654.3,963."), 2);
    bl_free(text);
    for (int i = 1000; i < N / 2; i++) y[i] = NAN; /* a long gap is one */
    text = chart_of(&(bl_report_chart){.series = s + 1, .n_series = 1});
    assert_int_equal(count(text, "<polyline"), 2);
    bl_free(text);
    bl_free(y);
}

/* ---- pictures ---- */
static bl_frame *picture(int w, int h) {
    bl_err err = {0};
    bl_frame *f = NULL;
    assert_ok(bl_frame_create(&f, w, h, &err));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < 3 * w; x++) f->data[y * f->stride + x] = (uint8_t)(x * 7 + y * 13);
    return f;
}

static uint8_t digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return (uint8_t)(strchr(digits, c) - digits);
}

/* The first picture of the page, written to a file and read back. */
static bl_frame *first_picture(const char *text) {
    bl_err err = {0};
    bl_frame *f = NULL;
    char png[80];
    const char *s = strstr(text, "base64,") + 7;
    size_t n = strcspn(s, "\""), size = 0;
    uint8_t *data = bl_alloc(n);
    assert_int_equal(n % 4, 0);
    for (size_t i = 0; i < n && s[i] != '='; i += 4) {
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) v = v << 6 | (s[i + k] == '=' ? 0u : digit(s[i + k]));
        for (size_t k = 0; k < 3 && s[i + k + 1] != '='; k++) data[size++] = (uint8_t)(v >> (16 - 8 * k));
    }
    snprintf(png, sizeof png, "%s.png", path);
    assert_ok(bl_file_write(png, data, size, &err));
    assert_ok(bl_png_read(&f, png, &err));
    unlink(png);
    bl_free(data);
    return f;
}

static void test_pictures(void **state) {
    (void)state;
    bl_err err = {0};
    char png[80];
    snprintf(png, sizeof png, "%s.in.png", path);
    bl_frame *f = picture(61, 37);
    assert_ok(bl_png_write(f, png, &err));
    for (int turn = 0; turn < 3; turn++) { /* a frame, a file as it is, a file that is reduced */
        bl_report *r = NULL;
        assert_ok(bl_report_open(&r, path, "pictures", NULL, &err));
        if (turn == 0)
            bl_report_picture(r, f, "a frame", NULL);
        else
            bl_report_picture_file(r, png, turn == 1 ? 61 : 20, "a file", "a caption");
        bl_report_picture_file(r, "/no/such/file.png", 0, "none", NULL);
        assert_ok(bl_report_close(&r, &err));
        char *text = page();
        assert_well_formed(text);
        assert_int_equal(count(text, "<img"), 1);
        assert_int_equal(count(text, "A picture is missing here"), 1);
        bl_frame *back = first_picture(text);
        assert_int_equal(back->width, turn == 2 ? 20 : 61);
        assert_int_equal(back->height, turn == 2 ? 12 : 37);
        for (int y = 0; turn < 2 && y < 37; y++)
            assert_memory_equal(back->data + y * back->stride, f->data + y * f->stride, 61 * 3);
        bl_frame_unref(&back);
        bl_free(text);
    }
    unlink(png);
    bl_frame_unref(&f);
}

/* ---- failures ---- */
static void fill(bl_report *r, const bl_frame *f) {
    char longer[2000];
    const double y[] = {1, 2, 3};
    const bl_report_series s = {.y = y, .n = 3};
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    bl_report_heading(r, "heading");
    bl_report_text(r, "%s", longer);
    bl_report_picture(r, f, "a frame", NULL);
    bl_report_line_chart(r, &(bl_report_chart){.series = &s, .n_series = 1});
}

static void test_no_memory(void **state) {
    (void)state;
    bl_err err = {0};
    bl_frame *f = picture(8, 8);
    int failures = 0;
    unlink(path);
    for (int nth = 1; nth < 50; nth++) {
        bl_report *r = NULL;
        bl_mem_fail_at(nth);
        int rc = bl_report_open(&r, path, "title", NULL, &err);
        fill(r, f); /* a NULL report is fine */
        if (rc == 0) rc = bl_report_close(&r, &err);
        bl_mem_fail_at(0);
        assert_null(r);
        if (rc == 0) break;
        assert_int_equal(rc, BL_E_NOMEM);
        assert_int_equal(access(path, F_OK), -1);
        failures++;
    }
    assert_true(failures >= 4 && failures < 49);
    assert_int_equal(access(path, F_OK), 0);
    bl_frame_unref(&f);
}

static void test_full_disk(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report *r = NULL;
    char part[80];
    bl_frame *f = picture(64, 64);
    snprintf(part, sizeof part, "%s.part", path);
    assert_ok(bl_file_write(path, "before", 6, &err));
    if (symlink("/dev/full", part) != 0) skip();
    assert_ok(bl_report_open(&r, path, "title", NULL, &err));
    for (int k = 0; k < 100; k++) fill(r, f);
    assert_int_equal(bl_report_close(&r, &err), BL_E_IO);
    assert_non_null(strstr(err.msg, path));
    assert_null(r);
    char *text = page(); /* what was there is there still */
    assert_string_equal(text, "before");
    bl_free(text);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(bl_report_open(&r, "/no/such/folder/report.html", "title", NULL, &err), BL_E_IO);
    bl_frame_unref(&f);
}

static void test_too_deep_and_abort(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report *r = NULL;
    unlink(path);
    assert_ok(bl_report_open(&r, path, "deep", NULL, &err));
    for (int k = 0; k < 8; k++) bl_report_details_begin(r, "more");
    for (int k = 0; k < 20; k++) bl_report_end(r); /* more ends than beginnings */
    assert_ok(bl_report_close(&r, &err));
    char *text = page();
    assert_well_formed(text);
    bl_free(text);
    assert_ok(bl_report_open(&r, path, "deeper", NULL, &err));
    for (int k = 0; k < 9; k++) bl_report_details_begin(r, "more");
    assert_int_equal(bl_report_close(&r, &err), BL_E_INTERNAL);
    unlink(path);
    assert_ok(bl_report_open(&r, path, "gone", NULL, &err));
    bl_report_abort(&r);
    bl_report_abort(&r);
    assert_ok(bl_report_close(&r, &err));
    assert_int_equal(access(path, F_OK), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_texts), cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_table),         cmocka_unit_test(test_degenerate_charts),
        cmocka_unit_test(test_log_scale),     cmocka_unit_test(test_a_million_points),
        cmocka_unit_test(test_pictures),      cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_too_deep_and_abort),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
