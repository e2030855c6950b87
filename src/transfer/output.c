#include "output.h"
#include "strip.h"

#include <pthread.h>
#include <string.h>

#include "ballerino/figure.h"

#define AHEAD 4 /* stills waiting */
#define SOURCE_TYPE "http://cv.iptc.org/newscodes/digitalsourcetype/"

struct bl__output {
    const bl_transfer_job *job;
    const bl_frame *plate;
    bl__painter painter;
    bl_writer *writer;
    bl__strip *strip; /* borrowed; NULL: none */
    bl_queue *queue;
    pthread_t thread;
    int running;
    int status; /* of the thread; read after it was joined, or after a put was refused */
    bl_err err;
    int width;      /* of the written picture */
    int left_width; /* of the source in side-by-side */
};

static void blit(bl_frame *to, int x, const bl_frame *from) {
    for (int y = 0; y < BL_MIN(to->height, from->height); y++)
        memcpy(to->data + y * to->stride + (ptrdiff_t)x * 3, from->data + y * from->stride,
               (size_t)BL_MIN(from->width, to->width - x) * 3);
}

/* source | figure | result */
static int side_by_side(bl__output *o, bl_frame **result, const bl__still *s, bl_err *err) {
    bl_frame *wide = NULL, *left = NULL, *figure = NULL;
    int rc = bl_frame_create(&wide, o->width, o->plate->height, err);
    if (rc == 0) rc = bl_frame_resize(&left, s->source, o->left_width, o->plate->height, err);
    if (rc == 0) rc = bl_frame_create(&figure, o->plate->width, o->plate->height, err);
    if (rc == 0) {
        if (s->opacity > 0) bl_figure_overlay(figure, &s->person, s->opacity, NULL);
        blit(wide, 0, left);
        blit(wide, o->left_width, figure);
        blit(wide, o->left_width + o->plate->width, *result);
        bl_frame_unref(result);
        *result = wide;
        wide = NULL;
    }
    bl_frame_unref(&wide);
    bl_frame_unref(&left);
    bl_frame_unref(&figure);
    return rc;
}

static int write_still(bl__output *o, const bl__still *s, bl_err *err) {
    bl_frame *f = NULL;
    int rc = bl_frame_create(&f, o->plate->width, o->plate->height, err);
    if (rc < 0) return rc;
    rc = bl__painter_paint(&o->painter, s, f, err);
    if (rc == 0 && o->strip) bl__strip_see(o->strip, s, f);
    if (rc == 0 && o->job->side_by_side) rc = side_by_side(o, &f, s, err);
    f->pts = s->source->pts;
    f->time_base = s->source->time_base;
    f->index = s->source->index;
    if (rc == 0) rc = bl_writer_put(o->writer, f, err);
    bl_frame_unref(&f);
    return rc;
}

static void *work(void *ctx) {
    bl__output *o = ctx;
    void *item;
    while (bl_queue_pop(o->queue, &item)) {
        bl__still *s = item;
        if (o->status == 0) {
            o->status = write_still(o, s, &o->err);
            if (o->status < 0) bl_queue_close(o->queue); /* the next put is refused */
        }
        bl__still_free(&s);
    }
    return NULL;
}

static int open_writer(bl__output *o, const bl_video_info *like, bl_err *err) {
    const int made = o->job->method == BL_METHOD_GENERATE;
    const bl_metadata marks[] = {
        {"comment", made ? "Synthetic media: made by Ballerino " BL_VERSION " with a neural network"
                         : "Synthetic media: put together by Ballerino " BL_VERSION
                           " from frames of another video"},
        {"description", "Synthetic media: the dance is not one that the person in it danced"},
        {"Iptc4xmpExt:DigitalSourceType",
         made ? SOURCE_TYPE "trainedAlgorithmicMedia" : SOURCE_TYPE "compositeCapture"},
        {"encoder_application", "Ballerino " BL_VERSION},
        {made ? NULL : "consent", o->job->consent},
        {NULL, NULL}};
    bl_writer_options w = bl_writer_options_default();
    w.width = o->width;
    w.height = o->plate->height;
    w.time_base = like->time_base;
    w.frame_rate = like->frame_rate;
    w.audio_from = like->has_audio ? o->job->source : NULL;
    w.crf = o->job->crf;
    w.metadata = marks;
    return bl_writer_open(&o->writer, o->job->output, &w, err);
}

int bl__output_open(bl__output **out, const bl_transfer_job *job, const bl_model *m, const bl__grid *g,
                    const bl_video_info *like, bl_err *err) {
    bl__output *o = bl_alloc(sizeof *o);
    if (!o) return bl_fail(err, BL_E_NOMEM, "not enough memory to write %s", job->output);
    o->job = job;
    o->plate = m->plate;
    o->width = m->plate->width;
    if (job->side_by_side) {
        o->left_width = BL_MAX(2, (int)((double)like->width * m->plate->height / like->height + 0.5));
        o->width = o->left_width + 2 * m->plate->width;
    }
    int rc = bl__painter_init(&o->painter, m, g, job->threads, err);
    if (rc == 0) rc = open_writer(o, like, err);
    if (rc == 0) rc = bl_queue_create(&o->queue, AHEAD, err);
    if (rc == 0 && pthread_create(&o->thread, NULL, work, o) != 0)
        rc = bl_fail(err, BL_E_NOMEM, "cannot start the thread that writes %s", job->output);
    if (rc < 0) {
        bl__output_close(&o);
        return rc;
    }
    o->running = 1;
    *out = o;
    return 0;
}

static void join(bl__output *o) {
    if (!o->running) return;
    bl_queue_close(o->queue);
    pthread_join(o->thread, NULL);
    o->running = 0;
}

static int failed(bl__output *o, bl_err *err) {
    join(o);
    if (err && o->status < 0) *err = o->err;
    return o->status;
}

void bl__output_show(bl__output *o, bl__strip *strip) {
    o->strip = strip;
}

int bl__output_put(bl__output *o, bl__still *s, bl_err *err) {
    if (bl_queue_push(o->queue, s) == 0) return 0;
    bl__still_free(&s);
    int rc = failed(o, err);
    return rc < 0 ? rc : bl_fail(err, BL_E_INTERNAL, "the thread that writes %s is gone", o->job->output);
}

int bl__output_finish(bl__output *o, bl_err *err) {
    int rc = failed(o, err);
    return rc < 0 ? rc : bl_writer_finish(o->writer, err);
}

void bl__output_close(bl__output **op) {
    bl__output *o = *op;
    if (!o) return;
    join(o);
    bl_writer_close(&o->writer);
    bl__painter_release(&o->painter);
    bl_queue_destroy(&o->queue);
    bl_free(o);
    *op = NULL;
}
