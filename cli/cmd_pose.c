/* pose VIDEO [-o track.json]: finds the dancer, writes the track, says whether the footage can be used. */
#include "ballerino/figure.h"
#include "ballerino/motion.h"
#include "ballerino/pose.h"
#include "commands.h"

typedef struct overlay {
    bl_writer *writer;
    const char *path, *video;
    int crf;
} overlay;

static int open_overlay(overlay *v, const bl_frame *f, bl_err *err) {
    bl_writer_options w = bl_writer_options_default();
    w.width = f->width;
    w.height = f->height;
    w.time_base = f->time_base;
    w.audio_from = v->video;
    w.crf = v->crf;
    return bl_writer_open(&v->writer, v->path, &w, err);
}

static int draw_frame(void *ctx, const bl_frame *frame, const bl_track_frame *found, const uint8_t *mask,
                      bl_err *err) {
    overlay *v = ctx;
    bl_frame *copy = NULL;
    (void)mask;
    int rc = v->writer ? 0 : open_overlay(v, frame, err);
    if (rc == 0) rc = bl_frame_resize(&copy, frame, frame->width, frame->height, err);
    if (rc < 0) return rc;
    if (found->has_person) {
        bl_figure_options o = bl_figure_options_default();
        bl_figure_overlay(copy, &found->person, 0.8f, &o);
    }
    rc = bl_writer_put(v->writer, copy, err);
    bl_frame_unref(&copy);
    return rc;
}

static int report(const bl_track *t, const char *video, bl_err *err) {
    bl_verdict verdict;
    char text[4096];
    int rc = bl_motion_verdict(&verdict, t, BL_PURPOSE_TARGET, NULL, err);
    if (rc < 0) return rc;
    (void)bl_verdict_text(&verdict, video, text, sizeof text);
    fputs(text, stdout);
    return 0;
}

int bl__cmd_pose(const bl__options *o, bl_err *err) {
    if (o->n_words != 1)
        return bl_fail(err, BL_E_USAGE, "pose needs one video: ballerino pose VIDEO -o track.json");
    const char *video = o->words[0], *out = bl__option_text(o, BL__OPT_output),
               *folder = bl__option_text(o, BL__OPT_openpose);
    overlay v = {.path = bl__option_text(o, BL__OPT_overlay),
                 .video = video,
                 .crf = (int)bl__option_int(o, BL__OPT_crf)};
    bl_pose_options p = bl_pose_options_default();
    bl_track *track = NULL;
    p.model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    p.smooth = !bl__option_flag(o, BL__OPT_no_smooth);
    p.models_dir = bl__models_dir(o);
    p.threads = (int)bl__option_int(o, BL__OPT_threads);
    int rc = bl_pose_video(&track, video, &p, *v.path ? draw_frame : NULL, &v, err);
    if (rc == 0 && v.writer) rc = bl_writer_finish(v.writer, err);
    bl_writer_close(&v.writer);
    if (rc == 0 && *out) rc = bl_track_write(track, out, err);
    if (rc == 0 && *folder) rc = bl_openpose_write_folder(track, folder, BL_OPENPOSE_BODY25, err);
    if (rc == 0) rc = report(track, video, err);
    bl_track_destroy(&track);
    return rc;
}
