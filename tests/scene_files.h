/* The made-up clip as a file, and the files that finding poses in it would leave. */
#ifndef BALLERINO_TEST_SCENE_FILES_H
#define BALLERINO_TEST_SCENE_FILES_H

#include "scene.h"
#include "transfer/masks.h"

static inline void scene_clip(const scene *s, const char *path, int frames) {
    bl_err err = {0};
    bl_writer *w = NULL;
    bl_frame *f = NULL;
    bl_writer_options o = bl_writer_options_default();
    o.width = s->w, o.height = s->h, o.time_base = (bl_rational){1, 25}, o.frame_rate = (bl_rational){25, 1};
    o.preset = "ultrafast";
    assert_ok(bl_frame_create(&f, s->w, s->h, &err));
    f->time_base = o.time_base;
    assert_ok(bl_writer_open(&w, path, &o, &err));
    for (int i = 0; i < frames; i++) {
        scene_draw(s, i, f, NULL);
        f->pts = i;
        assert_ok(bl_writer_put(w, f, &err));
    }
    assert_ok(bl_writer_finish(w, &err));
    bl_writer_close(&w);
    bl_frame_unref(&f);
}

/* What bl__stage_pose would have left in MODEL.train/. */
static inline void scene_poses(const scene *s, const char *model, int frames) {
    bl_err err = {0};
    char path[600];
    bl__masks_writer w;
    bl_frame *f = NULL;
    bl_track *t = scene_track(s, frames);
    uint8_t *mask = bl_alloc((size_t)s->w * (size_t)s->h);
    snprintf(path, sizeof path, "%s.train", model);
    assert_ok(bl_dir_make(path, &err));
    snprintf(path, sizeof path, "%s.train/track.json", model);
    assert_ok(bl_track_write(t, path, &err));
    snprintf(path, sizeof path, "%s.train/masks.bin", model);
    assert_ok(bl_frame_create(&f, s->w, s->h, &err));
    assert_ok(bl__masks_begin(&w, path, s->w, s->h, &err));
    for (int i = 0; i < frames; i++) {
        scene_draw(s, i, f, mask);
        assert_ok(bl__masks_put(&w, mask, &t->frames[i], 0, &err));
    }
    assert_ok(bl__masks_commit(&w, &err));
    bl_free(mask);
    bl_frame_unref(&f);
    bl_track_destroy(&t);
}

#endif
