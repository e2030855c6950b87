#include "feed.h"

#define LEAST_ROOM 1024

int bl__feed_look(bl__feed *f, const char *path, bl_err *err) {
    bl_reader_options o = bl_reader_options_default();
    o.ahead = 1;
    int rc = bl_reader_open(&f->reader, path, &o, err);
    if (rc < 0) return rc;
    f->info = *bl_reader_info(f->reader);
    bl_reader_close(&f->reader);
    return 0;
}

int bl__feed_note(bl__feed *f, const bl_frame *frame, bl_err *err) {
    if (f->n == f->room) {
        const int64_t room = BL_MAX(LEAST_ROOM, 2 * f->room);
        int64_t *more = bl_realloc_array(f->pts, (size_t)f->n, (size_t)room, sizeof *more);
        if (!more) return bl_fail(err, BL_E_NOMEM, "not enough memory for %lld frames", (long long)room);
        f->pts = more;
        f->room = room;
    }
    f->pts[f->n++] = frame->pts;
    return 0;
}

static int nothing(void *ctx, int64_t index) {
    (void)ctx, (void)index;
    return 0;
}

int bl__feed_start(bl__feed *f, const char *path, const bl__wants *wants, const bl_reader_options *reading,
                   bl_err *err) {
    bl_reader_options o = *reading;
    if (!wants && f->n > 0) return 0;
    o.wanted = wants ? wants->fn : nothing;
    o.wanted_ctx = wants ? wants->ctx : NULL;
    return bl_reader_open(&f->reader, path, &o, err);
}

int bl__feed_next(bl__feed *f, bl_frame **out, bl_err *err) {
    if (f->reader) return bl_reader_next(f->reader, out, err);
    if (f->next == f->n) return 0;
    int rc = bl_frame_create_empty(out, f->info.width, f->info.height, err);
    if (rc < 0) return rc;
    (*out)->pts = f->pts[f->next];
    (*out)->time_base = f->info.time_base;
    (*out)->index = f->next++;
    return 1;
}

void bl__feed_close(bl__feed *f) {
    bl_reader_close(&f->reader);
    bl_free(f->pts);
    *f = (bl__feed){0};
}
