#include "ballerino/demo.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "ballerino/base.h"
#include "beat.h"
#include "clip.h"
#include "paint.h"

bl_demo_options bl_demo_options_default(void) {
    return (bl_demo_options){.width = 432,
                             .height = 768,
                             .fps = 24,
                             .source_seconds = 8,
                             .target_seconds = 24,
                             .pair = BL_DEMO_PAIR_USUAL};
}

bl_demo_options bl__clip_options(const bl_demo_options *o) {
    return o ? *o : bl_demo_options_default();
}

int64_t bl_demo_frame_count(bl_demo_clip clip, const bl_demo_options *o) {
    bl_demo_options p = bl__clip_options(o);
    if (clip != BL_DEMO_SOURCE && clip != BL_DEMO_TARGET && clip != BL_DEMO_TRUTH) return 0;
    return llround((clip == BL_DEMO_TARGET ? p.target_seconds : p.source_seconds) * p.fps);
}

static int check(bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    if (clip != BL_DEMO_SOURCE && clip != BL_DEMO_TARGET && clip != BL_DEMO_TRUTH)
        return bl_fail(err, BL_E_USAGE, "There is no demo clip %d; take 0 (source), 1 (target) or 2 (truth).",
                       (int)clip);
    if (o->width < 96 || o->width > 2048 || o->height < 96 || o->height > 2048 || o->width % 2 ||
        o->height % 2)
        return bl_fail(err, BL_E_USAGE,
                       "The demo's picture size %dx%d is out of range; take even sides from 96 to 2048.",
                       o->width, o->height);
    if (o->fps < 5 || o->fps > 120)
        return bl_fail(err, BL_E_USAGE,
                       "The demo's rate of %d frames a second is out of range; take 5 to 120.", o->fps);
    if (o->pair < BL_DEMO_PAIR_USUAL || o->pair > BL_DEMO_PAIR_TALL_TO_CHILD)
        return bl_fail(err, BL_E_USAGE, "There is no pair %d of demo dancers; take 0 to %d.", (int)o->pair,
                       (int)BL_DEMO_PAIR_TALL_TO_CHILD);
    double s = clip == BL_DEMO_TARGET ? o->target_seconds : o->source_seconds;
    if (!(s >= 0.5 && s <= 600))
        return bl_fail(err, BL_E_USAGE, "The demo clip's length of %g s is out of range; take 0.5 to 600 s.",
                       s);
    return 0;
}

int bl__clip_check(bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err) {
    int rc = check(clip, o, err);
    if (rc < 0) return rc;
    int64_t n = bl_demo_frame_count(clip, o);
    if (index < 0 || index >= n)
        return bl_fail(err, BL_E_USAGE, "The demo clip has no frame %lld; take 0 to %lld.", (long long)index,
                       (long long)n - 1);
    return 0;
}

bl__dress bl__clip_dress(bl_demo_clip clip) {
    return clip == BL_DEMO_SOURCE ? BL__DRESS_SOURCE : BL__DRESS_TARGET;
}

void bl__clip_angles(bl__angles *a, bl_demo_clip clip, int64_t index, int fps) {
    bl__dance(a, clip == BL_DEMO_TARGET ? BL__DANCE_TARGET : BL__DANCE_SOURCE, (double)index / fps);
}

bl__place bl__clip_place(bl_demo_clip clip) {
    return clip == BL_DEMO_SOURCE ? BL__PLACE_STUDIO : BL__PLACE_HOME;
}

static int stage_open(bl__stage **s, bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    return bl__stage_create(s, bl__clip_place(clip), o->width, o->height, err);
}

static int paint_frame(bl_frame **out, const bl__stage *s, bl_demo_clip clip, int64_t index,
                       const bl_demo_options *o, bl_err *err) {
    bl_frame *f = NULL;
    int rc = bl_frame_create(&f, s->width, s->height, err);
    if (rc < 0) return rc;
    bl__figure3 *figure = bl_alloc(sizeof *figure);
    if (!figure) {
        bl_frame_unref(&f);
        return bl_fail(err, BL_E_NOMEM, "Not enough memory to paint a demo frame.");
    }
    bl__angles a;
    const bl__build *b = bl__clip_build(clip, o->pair);
    bl__clip_angles(&a, clip, index, o->fps);
    bl__flesh(figure, b, &a, bl__clip_dress(clip));
    rc = bl__paint(f, s, figure, bl__clip_dress(clip), b->height / 1.76f, err);
    bl_free(figure);
    if (rc < 0) {
        bl_frame_unref(&f);
        return rc;
    }
    f->pts = f->index = index;
    f->time_base = (bl_rational){1, o->fps};
    *out = f;
    return 0;
}

int bl_demo_render(bl_frame **out, bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err) {
    bl_demo_options p = bl__clip_options(o);
    bl__stage *s = NULL;
    int rc = bl__clip_check(clip, index, &p, err);
    if (rc >= 0) rc = stage_open(&s, clip, &p, err);
    if (rc >= 0) rc = paint_frame(out, s, clip, index, &p, err);
    bl__stage_destroy(&s);
    return rc;
}

/* ---- the whole clip ---- */
static int write_frames(bl_writer *w, const bl__stage *s, bl_demo_clip clip, const bl_demo_options *o,
                        bl_err *err) {
    int64_t n = bl_demo_frame_count(clip, o);
    static const char *const notes[] = {"source", "target", "truth"};
    bl_progress progress;
    bl_progress_begin(&progress, "demo", "frames", 0);
    for (int64_t i = 0; i < n; i++) {
        bl_frame *f = NULL;
        int rc = bl_check_interrupt(err);
        if (rc >= 0) rc = paint_frame(&f, s, clip, i, o, err);
        if (rc >= 0) rc = bl_writer_put(w, f, err);
        bl_frame_unref(&f);
        if (rc < 0) return rc;
        bl_progress_update(&progress, i + 1, n, notes[clip]);
    }
    bl_progress_end(&progress, n, notes[clip]);
    return bl_writer_finish(w, err);
}

int bl_demo_write_clip(const char *path, bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    bl_demo_options p = bl__clip_options(o);
    int rc = check(clip, &p, err);
    if (rc < 0) return rc;
    bl__stage *s = NULL;
    bl_writer *w = NULL;
    char sound[1024] = "";
    bl_writer_options wo = bl_writer_options_default();
    wo.width = p.width, wo.height = p.height;
    wo.time_base = (bl_rational){1, p.fps};
    wo.frame_rate = (bl_rational){p.fps, 1};
    wo.preset = "fast";
    if (clip != BL_DEMO_TARGET) {
        rc = bl__beat_write(sound, sizeof sound, path, (double)bl_demo_frame_count(clip, &p) / p.fps, BL__BPM,
                            err);
        wo.audio_from = sound;
    }
    if (rc >= 0) rc = stage_open(&s, clip, &p, err);
    if (rc >= 0) rc = bl_writer_open(&w, path, &wo, err);
    if (rc >= 0) rc = write_frames(w, s, clip, &p, err);
    bl_writer_close(&w);
    bl__stage_destroy(&s);
    if (sound[0]) unlink(sound);
    return rc;
}
