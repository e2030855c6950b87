#include "ballerino/track.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/media.h"

static int check_header(int width, int height, double fps, bl_err *err) {
    if (width < 1 || height < 1 || width > BL_FRAME_MAX_SIDE || height > BL_FRAME_MAX_SIDE)
        return bl_fail(err, BL_E_FORMAT, "a track of %dx%d pixels cannot be; each side must be 1 to %d",
                       width, height, BL_FRAME_MAX_SIDE);
    if (!(fps > 0 && fps <= 100000))
        return bl_fail(err, BL_E_FORMAT, "a track of %g frames a second cannot be; it must be above 0", fps);
    return 0;
}

int bl_track_create(bl_track **out, const char *video, int width, int height, double fps, bl_err *err) {
    int rc = check_header(width, height, fps, err);
    if (rc < 0) return rc;
    bl_track *t = bl_alloc(sizeof *t);
    if (t) t->video = bl_strdup(video ? video : "");
    if (!t || !t->video) {
        bl_track_destroy(&t);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a track");
    }
    t->width = width;
    t->height = height;
    t->fps = fps;
    *out = t;
    return 0;
}

static int grow(bl_track *t, int64_t capacity, bl_err *err) {
    bl_track_frame *p = bl_realloc_array(t->frames, (size_t)t->n, (size_t)capacity, sizeof *p);
    if (!p)
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a track of %lld frames", (long long)capacity);
    t->frames = p;
    t->capacity = capacity;
    return 0;
}

int bl_track_append(bl_track *t, const bl_track_frame *f, bl_err *err) {
    const bl_track_frame *last = t->n ? &t->frames[t->n - 1] : NULL;
    if (t->n >= BL_TRACK_MAX_FRAMES)
        return bl_fail(err, BL_E_UNSUPPORTED, "a track holds at most %lld frames; cut the video",
                       BL_TRACK_MAX_FRAMES);
    if (f->i < 0 || !isfinite(f->t_ms) || (last && (f->i <= last->i || f->t_ms < last->t_ms)))
        return bl_fail(err, BL_E_FORMAT, "frame %lld at %g ms does not come after frame %lld at %g ms",
                       (long long)f->i, f->t_ms, (long long)(last ? last->i : -1), last ? last->t_ms : 0.0);
    if (t->n == t->capacity) {
        int rc = grow(t, BL_MIN(BL_TRACK_MAX_FRAMES, t->capacity * 2 + 64), err);
        if (rc < 0) return rc;
    }
    t->frames[t->n] = *f;
    if (!f->has_person) memset(&t->frames[t->n].person, 0, sizeof f->person);
    t->n++;
    return 0;
}

int64_t bl_track_shot_end(const bl_track *t, int64_t from) {
    int64_t end = from + 1;
    while (end < t->n && !t->frames[end].cut) end++;
    return BL_MIN(end, t->n);
}

int bl_track_copy(bl_track **out, const bl_track *t, bl_err *err) {
    bl_track *copy = NULL;
    int rc = bl_track_create(&copy, t->video, t->width, t->height, t->fps, err);
    if (rc == 0) rc = grow(copy, BL_MAX(t->n, 1), err);
    if (rc < 0) {
        bl_track_destroy(&copy);
        return rc;
    }
    if (t->n) memcpy(copy->frames, t->frames, (size_t)t->n * sizeof *t->frames);
    copy->n = t->n;
    *out = copy;
    return 0;
}

void bl_track_destroy(bl_track **t) {
    if (!t || !*t) return;
    bl_free((*t)->video);
    bl_free((*t)->frames);
    bl_free(*t);
    *t = NULL;
}
