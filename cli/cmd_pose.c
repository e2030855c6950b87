/* pose VIDEO [-o track.json]: finds the dancer, writes the track, says whether the footage can be used. */
#include <string.h>

#include "ballerino/figure.h"
#include "ballerino/motion.h"
#include "ballerino/pose.h"
#include "jobs.h"

typedef struct overlay {
    bl_writer *writer;
    const char *path, *video;
    int crf;
    bl_hw hw;
    int gpu;
} overlay;

static int open_overlay(overlay *v, const bl_frame *f, bl_err *err) {
    bl_writer_options w = bl_writer_options_default();
    w.width = f->width;
    w.height = f->height;
    w.time_base = f->time_base;
    w.audio_from = v->video;
    w.crf = v->crf;
    w.hw = v->hw;
    w.gpu = v->gpu;
    return bl_writer_open(&v->writer, v->path, &w, err);
}

static int draw_frame(overlay *v, const bl_frame *frame, const bl_track_frame *found, bl_err *err) {
    bl_frame *copy = NULL;
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

/* What is done with each frame: the camera is watched, and the overlay drawn where it is asked for. */
typedef struct watch {
    overlay overlay;
    bl_camera *camera;
    uint8_t *mask; /* frame-sized */
    float *shift;  /* a frame */
    int64_t n, room;
} watch;

/* The person as a box around the landmarks: enough to keep the camera's eye off, and far cheaper than the
 * segmentation. */
static const uint8_t *box(watch *w, const bl_frame *f, const bl_track_frame *found) {
    if (!found->has_person) return NULL;
    float x0 = 1, x1 = 0, y0 = 1, y1 = 0;
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const bl_landmark *l = &found->person.landmarks[k];
        x0 = BL_MIN(x0, l->x), x1 = BL_MAX(x1, l->x), y0 = BL_MIN(y0, l->y), y1 = BL_MAX(y1, l->y);
    }
    float edge = 0.1f * (y1 - y0);
    int left = (int)(BL_CLAMP(x0 - edge, 0, 1) * (float)f->width),
        right = (int)(BL_CLAMP(x1 + edge, 0, 1) * (float)f->width);
    int top = (int)(BL_CLAMP(y0 - edge, 0, 1) * (float)f->height),
        bottom = (int)(BL_CLAMP(y1 + edge, 0, 1) * (float)f->height);
    memset(w->mask, 0, (size_t)f->width * (size_t)f->height);
    for (int y = top; y < bottom && right > left; y++)
        memset(w->mask + (size_t)y * (size_t)f->width + left, 255, (size_t)(right - left));
    return w->mask;
}

static int on_frame(void *ctx, const bl_frame *frame, const bl_track_frame *found, const uint8_t *mask,
                    bl_err *err) {
    watch *w = ctx;
    (void)mask;
    int rc = w->camera ? 0 : bl_camera_create(&w->camera, frame->width, frame->height, err);
    if (rc < 0) return rc;
    if (!w->mask && !(w->mask = bl_alloc_array((size_t)frame->width, (size_t)frame->height)))
        return bl_fail(err, BL_E_NOMEM, "not enough memory to watch the camera");
    if (w->n == w->room) {
        int64_t room = BL_MAX(256, 2 * w->room);
        float *more = bl_realloc_array(w->shift, (size_t)w->room, (size_t)room, sizeof *more);
        if (!more) return bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)room);
        w->shift = more;
        w->room = room;
    }
    w->shift[w->n++] = bl_camera_add(w->camera, frame, box(w, frame, found));
    return *w->overlay.path ? draw_frame(&w->overlay, frame, found, err) : 0;
}

/* How often the hands and the face were seen. */
static void report_parts(const bl_track *t, const bl_pose_options *o) {
    long long people = 0, left = 0, right = 0, face = 0;
    for (int64_t i = 0; i < t->n; i++) {
        const bl_person *p = &t->frames[i].person;
        people += t->frames[i].has_person;
        left += p->left_hand.score > 0;
        right += p->right_hand.score > 0;
        face += p->face.score > 0;
    }
    if (!people || (!o->hands && !o->face)) return;
    printf("Of the %lld frames with a person,", people);
    if (o->hands) printf(" the left hand was seen in %lld, the right in %lld", left, right);
    if (o->face) printf("%s the face%s in %lld", o->hands ? "," : "", o->hands ? "" : " was seen", face);
    printf(".\n");
}

static int report(const bl_track *t, const char *video, const float *shift, bl_err *err) {
    bl_verdict verdict;
    char text[4096];
    int rc = bl_motion_verdict(&verdict, t, BL_PURPOSE_TARGET, shift, err);
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
    watch w = {.overlay = {.path = bl__option_text(o, BL__OPT_overlay),
                           .video = video,
                           .crf = (int)bl__option_int(o, BL__OPT_crf),
                           .hw = bl__hw(o),
                           .gpu = bl_device_index(o->device)}};
    bl_pose_options p = bl_pose_options_default();
    bl_track *track = NULL;
    p.model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    p.hands = !bl__option_flag(o, BL__OPT_no_hands);
    p.face = !bl__option_flag(o, BL__OPT_no_face);
    p.smooth = !bl__option_flag(o, BL__OPT_no_smooth);
    p.models_dir = bl__models_dir(o);
    p.threads = (int)bl__option_int(o, BL__OPT_threads);
    p.device = o->device;
    p.hw = bl__hw(o);
    int rc = bl_pose_video(&track, video, &p, on_frame, &w, err);
    if (rc == 0 && w.overlay.writer) rc = bl_writer_finish(w.overlay.writer, err);
    bl_writer_close(&w.overlay.writer);
    bl_camera_destroy(&w.camera);
    if (rc == 0 && *out) rc = bl_track_write(track, out, err);
    if (rc == 0 && *folder) rc = bl_openpose_write_folder(track, folder, BL_OPENPOSE_BODY25, err);
    if (rc == 0) rc = report(track, video, w.n == track->n ? w.shift : NULL, err);
    if (rc == 0) report_parts(track, &p);
    bl_track_destroy(&track);
    bl_free(w.shift);
    bl_free(w.mask);
    return rc;
}
