#include "output.h"
#include "strip.h"

#include <pthread.h>
#include <string.h>

#include "ballerino/figure.h"

#define SOURCE_TYPE "http://cv.iptc.org/newscodes/digitalsourcetype/"

typedef struct worker {
    pthread_t thread;
    int running, status; /* status and err: read after it was joined */
    bl_err err;
} worker;

struct bl__output {
    const bl_transfer_job *job;
    const bl_frame *plate;
    bl__painter painter;
    bl_writer *writer;
    bl__strip *strip; /* borrowed; NULL: none */
    bl_queue *stills, *painted;
    worker painting, writing;
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

/* ---- two threads ---- */

/* What the writer gets: a frame, or one that is converted already and belongs to the painter. */
typedef struct finished {
    bl_frame *frame;
    bl__print *print;
} finished;

static void finished_free(finished **f) {
    if (!*f) return;
    bl_frame_unref(&(*f)->frame);
    bl__print_back(&(*f)->print);
    bl_free(*f);
    *f = NULL;
}

/* Made on a device and not put beside others: then only looked at where the report wants it. */
static int is_printed(const bl__output *o, const bl__still *s) {
    return s->slide && !o->job->side_by_side;
}

static int paint_into(bl__output *o, finished *out, bl__still *s, bl_err *err) {
    const int printed = is_printed(o, s), shown = o->strip && bl__strip_is_due(o->strip, s);
    bl_frame *f = NULL;
    int rc = printed && !shown ? 0 : bl_frame_create(&f, o->plate->width, o->plate->height, err);
    if (rc == 0)
        rc = printed ? bl__painter_print(&o->painter, s, f, err) : bl__painter_paint(&o->painter, s, f, err);
    if (rc == 0 && shown) bl__strip_see(o->strip, s, f);
    if (rc == 0 && o->job->side_by_side) rc = side_by_side(o, &f, s, err);
    if (rc == 0 && printed) {
        out->print = s->print;
        s->print = NULL;
        out->print->planes.pts = s->source->pts;
        out->print->planes.time_base = s->source->time_base;
    } else if (rc == 0) {
        f->pts = s->source->pts;
        f->time_base = s->source->time_base;
        f->index = s->source->index;
        out->frame = f;
        return 0;
    }
    bl_frame_unref(&f);
    return rc;
}

static int paint(bl__output *o, finished **out, bl__still *s, bl_err *err) {
    finished *f = bl_alloc(sizeof *f);
    if (!f) return bl_fail(err, BL_E_NOMEM, "not enough memory for a frame");
    int rc = paint_into(o, f, s, err);
    if (rc < 0)
        finished_free(&f);
    else
        *out = f;
    return rc;
}

/* Whoever fails closes the queue that it is fed from, so the one before it is refused, and so on to the put.
 */
static void *paint_all(void *ctx) {
    bl__output *o = ctx;
    worker *w = &o->painting;
    void *item;
    int refused = 0;
    while (bl_queue_pop(o->stills, &item)) {
        bl__still *s = item;
        finished *f = NULL;
        if (w->status == 0 && !refused) {
            w->status = paint(o, &f, s, &w->err);
            refused = w->status == 0 && bl_queue_push(o->painted, f) < 0;
            if (refused) finished_free(&f);
            if (w->status < 0 || refused) bl_queue_close(o->stills);
        }
        bl__still_free(&s);
    }
    bl_queue_close(o->painted);
    return NULL;
}

static void *write_all(void *ctx) {
    bl__output *o = ctx;
    worker *w = &o->writing;
    void *item;
    while (bl_queue_pop(o->painted, &item)) {
        finished *f = item;
        if (w->status == 0) {
            w->status = f->print ? bl_writer_put_planes(o->writer, &f->print->planes, &w->err)
                                 : bl_writer_put(o->writer, f->frame, &w->err);
            if (w->status < 0) bl_queue_close(o->painted);
        }
        finished_free(&f);
    }
    return NULL;
}

static int start(bl__output *o, worker *w, void *(*work)(void *), bl_err *err) {
    if (pthread_create(&w->thread, NULL, work, o) != 0)
        return bl_fail(err, BL_E_NOMEM, "cannot start a thread that writes %s", o->job->output);
    w->running = 1;
    return 0;
}

static void join(worker *w) {
    if (w->running) pthread_join(w->thread, NULL);
    w->running = 0;
}

static void join_all(bl__output *o) {
    if (o->stills) bl_queue_close(o->stills);
    if (!o->painting.running && o->painted) bl_queue_close(o->painted); /* else it does so at its end */
    join(&o->painting);
    join(&o->writing);
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
    w.hw = o->job->hw;
    w.gpu = bl_device_index(o->job->device);
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
    if (rc == 0) rc = bl_queue_create(&o->stills, BL__OUTPUT_STILLS, err);
    if (rc == 0) rc = bl_queue_create(&o->painted, BL__OUTPUT_PAINTED, err);
    if (rc == 0) rc = start(o, &o->writing, write_all, err);
    if (rc == 0) rc = start(o, &o->painting, paint_all, err);
    if (rc < 0) {
        bl__output_close(&o);
        return rc;
    }
    *out = o;
    return 0;
}

static int failed(bl__output *o, bl_err *err) {
    join_all(o);
    const worker *w = o->writing.status < 0 ? &o->writing : &o->painting;
    if (err && w->status < 0) *err = w->err;
    return w->status;
}

void bl__output_show(bl__output *o, bl__strip *strip) {
    o->strip = strip;
}

int bl__output_put(bl__output *o, bl__still *s, bl_err *err) {
    if (bl_queue_push(o->stills, s) == 0) return 0;
    bl__still_free(&s);
    int rc = failed(o, err);
    return rc < 0 ? rc : bl_fail(err, BL_E_INTERNAL, "the threads that write %s are gone", o->job->output);
}

int bl__output_finish(bl__output *o, bl_err *err) {
    int rc = failed(o, err);
    return rc < 0 ? rc : bl_writer_finish(o->writer, err);
}

void bl__output_close(bl__output **op) {
    bl__output *o = *op;
    if (!o) return;
    join_all(o);
    bl_writer_close(&o->writer);
    bl__painter_release(&o->painter);
    bl_queue_destroy(&o->stills);
    bl_queue_destroy(&o->painted);
    bl_free(o);
    *op = NULL;
}
