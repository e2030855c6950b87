/* A whole video to a track: the reader decodes ahead in its own thread while the models run in this one. */
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/pose.h"
#include "cut.h"

typedef struct pass {
    bl_reader *reader;
    bl_pose *pose;
    bl_track *track;
    uint8_t *mask;
    bl__cut cut;
    bl_pose_frame_fn fn;
    void *ctx;
    bl_progress progress;
} pass;

static int one_frame(pass *p, const bl_frame *f, bl_err *err) {
    bl_track_frame found;
    const int cut = bl__cut_add(&p->cut, f);
    if (cut) bl_pose_reset(p->pose);
    int rc = bl_pose_detect(p->pose, f, bl_frame_seconds(f) * 1000, &found, p->mask, err);
    found.cut = cut;
    if (rc < 0 || (rc = bl_track_append(p->track, &found, err)) < 0) return rc;
    return p->fn ? p->fn(p->ctx, f, &found, p->mask, err) : 0;
}

static int open_pass(pass *p, const char *path, const bl_pose_options *o, bl_err *err) {
    bl_reader_options reading = bl_reader_options_default();
    reading.hw = o->hw;
    reading.gpu = bl_device_index(o->device);
    int rc = bl_reader_open(&p->reader, path, &reading, err);
    if (rc < 0 || (rc = bl_pose_open(&p->pose, o, err)) < 0) return rc;
    const bl_video_info *v = bl_reader_info(p->reader);
    double fps = (double)v->frame_rate.num / v->frame_rate.den;
    if ((rc = bl_track_create(&p->track, path, v->width, v->height, fps, err)) < 0) return rc;
    if (o->segmentation && !(p->mask = bl_alloc((size_t)v->width * (size_t)v->height)))
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a mask of %dx%d", v->width, v->height);
    return 0;
}

int bl_pose_video(bl_track **out, const char *path, const bl_pose_options *o, bl_pose_frame_fn fn, void *ctx,
                  bl_err *err) {
    bl_pose_options options = o ? *o : bl_pose_options_default();
    pass p = {.fn = fn, .ctx = ctx};
    bl_frame *f = NULL;
    int64_t n = 0;
    int rc = open_pass(&p, path, &options, err);
    if (rc < 0) goto done;
    bl_progress_begin(&p.progress, "pose", "frames", 0);
    while ((rc = bl_reader_next(p.reader, &f, err)) > 0) {
        if ((rc = bl_check_interrupt(err)) == 0) rc = one_frame(&p, f, err);
        bl_frame_unref(&f);
        if (rc < 0) goto done;
        bl_progress_update(&p.progress, ++n, bl_reader_info(p.reader)->frames, NULL);
    }
    bl_progress_end(&p.progress, n, NULL);
done:
    bl_free(p.mask);
    bl_pose_close(&p.pose);
    bl_reader_close(&p.reader);
    if (rc < 0)
        bl_track_destroy(&p.track);
    else
        *out = p.track;
    return rc < 0 ? rc : 0;
}
