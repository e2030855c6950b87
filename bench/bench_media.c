/*
 * What is around the networks, each alone: decoding a clip, drawing the figures of its track, writing it
 * again. Frames a second.
 *
 *     bench_media CLIP TRACK OUT.mp4
 */
#include <stdio.h>

#include "ballerino/base.h"
#include "ballerino/figure.h"
#include "ballerino/media.h"
#include "ballerino/track.h"

#define FIGURE_W 144
#define FIGURE_H 192

/* Decodes everything; with a writer, each frame goes to it. */
static int pass(const char *clip, bl_writer *w, int64_t *frames, bl_video_info *info, bl_err *err) {
    bl_reader_options o = bl_reader_options_default();
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int rc = bl_reader_open(&r, clip, &o, err);
    if (rc < 0) return rc;
    *info = *bl_reader_info(r);
    for (*frames = 0; (rc = bl_reader_next(r, &f, err)) > 0; ++*frames) {
        rc = w ? bl_writer_put(w, f, err) : 0;
        bl_frame_unref(&f);
        if (rc < 0) break;
    }
    bl_reader_close(&r);
    return rc;
}

static int time_media(const char *clip, const char *out, bl_err *err) {
    bl_video_info info;
    int64_t frames = 0;
    double start = bl_now();
    int rc = pass(clip, NULL, &frames, &info, err);
    if (rc < 0) return rc;
    printf("decode %dx%d %s: %.1f frames a second\n", info.width, info.height, info.codec,
           (double)frames / (bl_now() - start));
    bl_writer_options o = bl_writer_options_default();
    bl_writer *w = NULL;
    o.width = info.width;
    o.height = info.height;
    o.time_base = info.time_base;
    o.frame_rate = info.frame_rate;
    rc = bl_writer_open(&w, out, &o, err);
    start = bl_now();
    if (rc == 0) rc = pass(clip, w, &frames, &info, err);
    if (rc == 0) rc = bl_writer_finish(w, err);
    bl_writer_close(&w);
    if (rc == 0)
        printf("decode and encode, x264 %s, crf %d: %.1f frames a second\n", o.preset, o.crf,
               (double)frames / (bl_now() - start));
    return rc;
}

static int time_figures(const char *path, bl_err *err) {
    static float canvas[FIGURE_W * FIGURE_H * 3];
    bl_figure_options o = bl_figure_options_default();
    bl_track *t = NULL;
    int rc = bl_track_read(&t, path, err);
    if (rc < 0) return rc;
    const bl_view view = {0, 0, (float)FIGURE_H / (float)t->height};
    const double start = bl_now();
    for (int64_t i = 0; i < t->n; i++)
        bl_figure_draw(canvas, FIGURE_W, FIGURE_H, &t->frames[i].person, t->width, t->height, view, &o);
    printf("figure, drawn at %dx%d on one thread: %.0f frames a second\n", FIGURE_W, FIGURE_H,
           (double)t->n / (bl_now() - start));
    bl_track_destroy(&t);
    return 0;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    if (argc != 4) {
        fprintf(stderr, "usage: bench_media CLIP TRACK OUT.mp4\n");
        return 2;
    }
    int rc = time_media(argv[1], argv[3], &err);
    if (rc == 0) rc = time_figures(argv[2], &err);
    if (rc < 0) fprintf(stderr, "bench_media: %s\n", err.msg);
    return rc < 0 ? bl_status_exit_code(err.code) : 0;
}
