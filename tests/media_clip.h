/* A folder for a test program's files, and clips made there. */
#ifndef BALLERINO_TEST_MEDIA_CLIP_H
#define BALLERINO_TEST_MEDIA_CLIP_H

#include "ballerino/media.h"
#include "support.h"

static char dir[] = "/tmp/bl_media_XXXXXX";

static inline const char *in_dir(const char *name) {
    static char path[4][128];
    static int turn;
    char *p = path[turn++ & 3];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static inline int set_up(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* A smooth colour gradient with a moving bright bar. */
static inline bl_frame *picture(int w, int h, int i) {
    bl_err err = {0};
    bl_frame *f = NULL;
    assert_ok(bl_frame_create(&f, w, h, &err));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = f->data + y * f->stride + 3 * x;
            p[0] = (uint8_t)(40 + 150 * x / w);
            p[1] = (uint8_t)(40 + 150 * y / h);
            p[2] = abs(x - 5 * i) < 8 ? 220 : 60;
        }
    return f;
}

static inline void write_clip(const char *path, int w, int h, const int64_t *pts, int n, const char *audio,
                              const bl_metadata *meta) {
    bl_err err = {0};
    bl_writer *wr = NULL;
    bl_writer_options o = bl_writer_options_default();
    o.width = w;
    o.height = h;
    o.time_base = (bl_rational){1, 12288};
    o.frame_rate = (bl_rational){24, 1};
    o.audio_from = audio;
    o.metadata = meta;
    assert_ok(bl_writer_open(&wr, path, &o, &err));
    for (int i = 0; i < n; i++) {
        bl_frame *f = picture(w, h, i);
        f->pts = pts[i];
        f->time_base = o.time_base;
        assert_ok(bl_writer_put(wr, f, &err));
        bl_frame_unref(&f);
    }
    assert_ok(bl_writer_finish(wr, &err));
    bl_writer_close(&wr);
}

#endif
