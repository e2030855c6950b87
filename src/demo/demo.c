#include "ballerino/demo.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "ballerino/base.h"
#include "beat.h"
#include "dance.h"
#include "paint.h"

static const bl__build builds[2] = {
    [BL__DRESS_SOURCE] = {.height = 1.80f,
                          .leg = .855f,
                          .shoulders = .190f,
                          .arm = .565f,
                          .girth = 1.0f,
                          .belly = 0,
                          .place = {.02f, 0, 0}},
    [BL__DRESS_TARGET] = {.height = 1.63f,
                          .leg = .745f,
                          .shoulders = .190f,
                          .arm = .505f,
                          .girth = 1.10f,
                          .belly = .025f,
                          .place = {-.02f, 0, .1f}},
};

bl_demo_options bl_demo_options_default(void) {
    return (bl_demo_options){
        .width = 432, .height = 768, .fps = 24, .source_seconds = 8, .target_seconds = 24};
}

static bl_demo_options options_or_default(const bl_demo_options *o) {
    return o ? *o : bl_demo_options_default();
}

int64_t bl_demo_frame_count(bl_demo_clip clip, const bl_demo_options *o) {
    bl_demo_options p = options_or_default(o);
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
    double s = clip == BL_DEMO_TARGET ? o->target_seconds : o->source_seconds;
    if (!(s >= 0.5 && s <= 600))
        return bl_fail(err, BL_E_USAGE, "The demo clip's length of %g s is out of range; take 0.5 to 600 s.",
                       s);
    return 0;
}

static int check_index(bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err) {
    int rc = check(clip, o, err);
    if (rc < 0) return rc;
    int64_t n = bl_demo_frame_count(clip, o);
    if (index < 0 || index >= n)
        return bl_fail(err, BL_E_USAGE, "The demo clip has no frame %lld; take 0 to %lld.", (long long)index,
                       (long long)n - 1);
    return 0;
}

static bl__dress dress_of(bl_demo_clip clip) {
    return clip == BL_DEMO_SOURCE ? BL__DRESS_SOURCE : BL__DRESS_TARGET;
}

static void angles_of(bl__angles *a, bl_demo_clip clip, int64_t index, int fps) {
    bl__dance(a, clip == BL_DEMO_TARGET ? BL__DANCE_TARGET : BL__DANCE_SOURCE, (double)index / fps);
}

static int stage_open(bl__stage **s, bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    return bl__stage_create(s, clip == BL_DEMO_SOURCE ? BL__PLACE_STUDIO : BL__PLACE_HOME, o->width,
                            o->height, err);
}

static int paint_frame(bl_frame **out, const bl__stage *s, bl_demo_clip clip, int64_t index, int fps,
                       bl_err *err) {
    bl_frame *f = NULL;
    int rc = bl_frame_create(&f, s->width, s->height, err);
    if (rc < 0) return rc;
    bl__figure3 *figure = bl_alloc(sizeof *figure);
    if (!figure) {
        bl_frame_unref(&f);
        return bl_fail(err, BL_E_NOMEM, "Not enough memory to paint a demo frame.");
    }
    bl__angles a;
    const bl__build *b = &builds[dress_of(clip)];
    angles_of(&a, clip, index, fps);
    bl__flesh(figure, b, &a, dress_of(clip));
    rc = bl__paint(f, s, figure, dress_of(clip), b->height / 1.76f, err);
    bl_free(figure);
    if (rc < 0) {
        bl_frame_unref(&f);
        return rc;
    }
    f->pts = f->index = index;
    f->time_base = (bl_rational){1, fps};
    *out = f;
    return 0;
}

int bl_demo_render(bl_frame **out, bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err) {
    bl_demo_options p = options_or_default(o);
    bl__stage *s = NULL;
    int rc = check_index(clip, index, &p, err);
    if (rc >= 0) rc = stage_open(&s, clip, &p, err);
    if (rc >= 0) rc = paint_frame(out, s, clip, index, p.fps, err);
    bl__stage_destroy(&s);
    return rc;
}

/* ---- joints ---- */
typedef struct mark {
    bl__joint joint;
    float x, y, z; /* in the joint's frame, metres of a person of 1.76 m */
} mark;

static const mark marks[BL_LANDMARKS] = {
    [BL_LM_NOSE] = {J_HEAD, 0, .075f, .112f},
    [BL_LM_L_EYE_INNER] = {J_HEAD, .018f, .108f, .080f},
    [BL_LM_L_EYE] = {J_HEAD, .032f, .108f, .080f},
    [BL_LM_L_EYE_OUTER] = {J_HEAD, .046f, .108f, .072f},
    [BL_LM_R_EYE_INNER] = {J_HEAD, -.018f, .108f, .080f},
    [BL_LM_R_EYE] = {J_HEAD, -.032f, .108f, .080f},
    [BL_LM_R_EYE_OUTER] = {J_HEAD, -.046f, .108f, .072f},
    [BL_LM_L_EAR] = {J_HEAD, .080f, .093f, -.008f},
    [BL_LM_R_EAR] = {J_HEAD, -.080f, .093f, -.008f},
    [BL_LM_MOUTH_L] = {J_HEAD, .024f, .048f, .080f},
    [BL_LM_MOUTH_R] = {J_HEAD, -.024f, .048f, .080f},
    [BL_LM_L_SHOULDER] = {J_L_SHOULDER, 0, 0, 0},
    [BL_LM_R_SHOULDER] = {J_R_SHOULDER, 0, 0, 0},
    [BL_LM_L_ELBOW] = {J_L_ELBOW, 0, 0, 0},
    [BL_LM_R_ELBOW] = {J_R_ELBOW, 0, 0, 0},
    [BL_LM_L_WRIST] = {J_L_WRIST, 0, 0, 0},
    [BL_LM_R_WRIST] = {J_R_WRIST, 0, 0, 0},
    [BL_LM_L_PINKY] = {J_L_WRIST, 0, -.085f, -.022f},
    [BL_LM_R_PINKY] = {J_R_WRIST, 0, -.085f, -.022f},
    [BL_LM_L_INDEX] = {J_L_WRIST, 0, -.092f, .026f},
    [BL_LM_R_INDEX] = {J_R_WRIST, 0, -.092f, .026f},
    [BL_LM_L_THUMB] = {J_L_WRIST, -.012f, -.065f, .055f},
    [BL_LM_R_THUMB] = {J_R_WRIST, .012f, -.065f, .055f},
    [BL_LM_L_HIP] = {J_L_HIP, 0, 0, 0},
    [BL_LM_R_HIP] = {J_R_HIP, 0, 0, 0},
    [BL_LM_L_KNEE] = {J_L_KNEE, 0, 0, 0},
    [BL_LM_R_KNEE] = {J_R_KNEE, 0, 0, 0},
    [BL_LM_L_ANKLE] = {J_L_ANKLE, 0, 0, 0},
    [BL_LM_R_ANKLE] = {J_R_ANKLE, 0, 0, 0},
    [BL_LM_L_HEEL] = {J_L_ANKLE, 0, -.055f, -.045f},
    [BL_LM_R_HEEL] = {J_R_ANKLE, 0, -.055f, -.045f},
    [BL_LM_L_FOOT] = {J_L_ANKLE, 0, -.055f, .150f},
    [BL_LM_R_FOOT] = {J_R_ANKLE, 0, -.055f, .150f},
};

int bl_demo_joints(float xy[BL_LANDMARKS][2], bl_demo_clip clip, int64_t index, const bl_demo_options *o,
                   bl_err *err) {
    bl_demo_options p = options_or_default(o);
    int rc = check_index(clip, index, &p, err);
    if (rc < 0) return rc;
    const bl__build *b = &builds[dress_of(clip)];
    bl__angles a;
    bl__skeleton k;
    angles_of(&a, clip, index, p.fps);
    bl__skeleton_pose(&k, b, &a);
    bl__view3 camera =
        bl__stage_camera(clip == BL_DEMO_SOURCE ? BL__PLACE_STUDIO : BL__PLACE_HOME, p.width, p.height);
    for (int i = 0; i < BL_LANDMARKS; i++) {
        vec3 off = v_mul(v3(marks[i].x, marks[i].y, marks[i].z), b->height / 1.76f);
        vec3 at =
            bl__view_project(&camera, v_add(k.at[marks[i].joint], m_apply(k.turn[marks[i].joint], off)));
        xy[i][0] = at.x, xy[i][1] = at.y;
    }
    return 0;
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
        if (rc >= 0) rc = paint_frame(&f, s, clip, i, o->fps, err);
        if (rc >= 0) rc = bl_writer_put(w, f, err);
        bl_frame_unref(&f);
        if (rc < 0) return rc;
        bl_progress_update(&progress, i + 1, n, notes[clip]);
    }
    bl_progress_end(&progress, n, notes[clip]);
    return bl_writer_finish(w, err);
}

int bl_demo_write_clip(const char *path, bl_demo_clip clip, const bl_demo_options *o, bl_err *err) {
    bl_demo_options p = options_or_default(o);
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
