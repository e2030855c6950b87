/* What bench/pair.sh and bench/drift.sh are made of: generated dancers with their truth, made clips judged.
 *
 * bench_pair film FOLDER PAIR
 *
 * source.mp4, target.mp4 and truth.mp4 of a pair (0 the demo's own, 1 one build, 2 child to tall adult, 3
 * tall adult to child), as long as the demo's.
 *
 * bench_pair repeat CLIP TURNS OUTPUT
 *
 * CLIP, a video or (NAME.json) a pose track, so many times in a row; the demo's dance ends where it begins.
 *
 * bench_pair judge LABEL MADE TRUTH
 *
 * A row: MADE against TRUTH, in the boxes of the poses that the detector finds in TRUTH; eval.h says what the
 * scores are.
 *
 * bench_pair picture OUTPUT INDEX CLIP...
 *
 * A PNG of that frame of each clip, side by side, at half the size.
 *
 * bench_pair drift MADE TRUTH
 *
 * A row for each turn of MADE, in which the usual pair's dance repeats; TRUTH is one turn long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/demo.h"
#include "ballerino/eval.h"

/* ---- film ---- */
static int film(char **arg, bl_err *err) {
    static const char *const names[] = {"source.mp4", "target.mp4", "truth.mp4"};
    bl_demo_options o = bl_demo_options_default();
    o.pair = (bl_demo_pair)strtol(arg[1], NULL, 10);
    int rc = bl_dir_make(arg[0], err);
    for (int clip = BL_DEMO_SOURCE; rc == 0 && clip <= BL_DEMO_TRUTH; clip++) {
        char path[4096];
        rc = bl_path_join(path, sizeof path, arg[0], names[clip], err);
        if (rc == 0 && !bl_file_exists(path)) rc = bl_demo_write_clip(path, (bl_demo_clip)clip, &o, err);
    }
    return rc;
}

/* ---- repeat ---- */
static int put_turn(bl_writer *w, const char *path, int64_t from, bl_err *err) {
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int more = 0, rc = bl_reader_open(&r, path, NULL, err);
    while (rc == 0 && (more = bl_reader_next(r, &f, err)) > 0) {
        f->pts = from + f->index;
        f->time_base = (bl_rational){1, bl_demo_options_default().fps};
        rc = bl_writer_put(w, f, err);
        bl_frame_unref(&f);
    }
    bl_reader_close(&r);
    return BL_MIN(rc, more);
}

static int repeat_track(const char *from, long turns, const char *to, bl_err *err) {
    bl_track *one = NULL, *all = NULL;
    int rc = bl_track_read(&one, from, err);
    if (rc == 0) rc = bl_track_create(&all, one->video, one->width, one->height, one->fps, err);
    for (int64_t i = 0; rc == 0 && i < turns * one->n; i++) {
        bl_track_frame f = one->frames[i % one->n];
        f.i = i;
        f.t_ms = (double)i * 1000 / one->fps;
        rc = bl_track_append(all, &f, err);
    }
    if (rc == 0) rc = bl_track_write(all, to, err);
    bl_track_destroy(&one);
    bl_track_destroy(&all);
    return rc;
}

static int repeat(char **arg, bl_err *err) {
    const bl_demo_options o = bl_demo_options_default();
    const long turns = strtol(arg[1], NULL, 10);
    const char *suffix = strrchr(arg[0], '.');
    if (suffix && !strcmp(suffix, ".json")) return repeat_track(arg[0], turns, arg[2], err);
    bl_writer_options wo = bl_writer_options_default();
    bl_writer *w = NULL;
    wo.width = o.width, wo.height = o.height;
    wo.time_base = (bl_rational){1, o.fps};
    wo.frame_rate = (bl_rational){o.fps, 1};
    int rc = bl_writer_open(&w, arg[2], &wo, err);
    for (long k = 0; rc == 0 && k < turns; k++)
        rc = put_turn(w, arg[0], k * bl_demo_frame_count(BL_DEMO_SOURCE, &o), err);
    if (rc == 0) rc = bl_writer_finish(w, err);
    bl_writer_close(&w);
    return rc;
}

/* ---- two clips side by side ---- */
typedef int (*pair_fn)(void *ctx, bl_frame *made, bl_frame *truth, bl_err *err);

/* Up to the end of `made`; `truth` begins again where it is `repeated` and ends. */
static int each_pair(const char *made, const char *truth, int repeated, pair_fn fn, void *ctx, bl_err *err) {
    bl_reader *a = NULL, *b = NULL;
    bl_frame *fa = NULL, *fb = NULL;
    int rc = bl_reader_open(&a, made, NULL, err);
    if (rc == 0) rc = bl_reader_open(&b, truth, NULL, err);
    while (rc == 0 && (rc = bl_reader_next(a, &fa, err)) > 0) {
        rc = bl_reader_next(b, &fb, err);
        if (rc == 0 && repeated) {
            bl_reader_close(&b);
            rc = bl_reader_open(&b, truth, NULL, err);
            if (rc == 0) rc = bl_reader_next(b, &fb, err);
        }
        if (rc == 0) rc = bl_fail(err, BL_E_MISMATCH, "%s has more frames than %s", made, truth);
        if (rc > 0) rc = fn(ctx, fa, fb, err);
        bl_frame_unref(&fa);
        bl_frame_unref(&fb);
    }
    if (rc == 0 && !repeated && bl_reader_next(b, &fb, NULL) > 0)
        rc = bl_fail(err, BL_E_MISMATCH, "%s has more frames than %s", truth, made);
    bl_frame_unref(&fb);
    bl_reader_close(&a);
    bl_reader_close(&b);
    return rc;
}

/* ---- judge ---- */
typedef struct judging {
    bl_judge *judge;
    const bl_track *wanted;
    int64_t n;
} judging;

static int judge_frame(void *ctx, bl_frame *made, bl_frame *truth, bl_err *err) {
    judging *j = ctx;
    if (j->n >= j->wanted->n) return bl_fail(err, BL_E_MISMATCH, "the truth has changed meanwhile");
    return bl_judge_frame(j->judge, made, truth, &j->wanted->frames[j->n++], err);
}

static int judge(char **arg, bl_err *err) {
    bl_pose_options o = bl_pose_options_default();
    bl_track *wanted = NULL;
    bl_eval_row row = {0};
    judging j = {0};
    o.smooth = 0; /* the judge does not smooth either */
    int rc = bl_pose_video(&wanted, arg[2], &o, NULL, NULL, err);
    if (rc == 0) {
        bl_judge_options jo = {.width = wanted->width, .height = wanted->height, .fps = wanted->fps};
        rc = bl_judge_open(&j.judge, &jo, err);
    }
    j.wanted = wanted;
    if (rc == 0) rc = each_pair(arg[1], arg[2], 0, judge_frame, &j, err);
    if (rc == 0) rc = bl_judge_take(j.judge, &row, err);
    if (rc == 0) {
        const double *m = row.mean;
        printf("| %s | %.4f | %.2f | %.4f | %.2f | %.2f | %.2f |\n", arg[0], m[BL_METRIC_BODY_SSIM],
               m[BL_METRIC_BODY_PSNR], m[BL_METRIC_FACE_SSIM], m[BL_METRIC_DISTANCE_BODY],
               m[BL_METRIC_DISTANCE_ALL], m[BL_METRIC_MISSED_ALL]);
    }
    bl_eval_row_release(&row);
    bl_judge_close(&j.judge);
    bl_track_destroy(&wanted);
    return rc;
}

/* ---- picture ---- */
static int frame_of(bl_frame **f, const char *path, int64_t index, bl_err *err) {
    bl_reader *r = NULL;
    bl_frame *whole = NULL;
    int rc = bl_reader_open(&r, path, NULL, err), more = 1;
    while (rc == 0 && (more = bl_reader_next(r, &whole, err)) > 0 && whole->index < index)
        bl_frame_unref(&whole);
    bl_reader_close(&r);
    if (rc == 0) rc = BL_MIN(more, 0);
    if (rc == 0 && !whole) rc = bl_fail(err, BL_E_USAGE, "%s has no frame %lld", path, (long long)index);
    if (rc == 0) rc = bl_frame_resize(f, whole, whole->width / 2, whole->height / 2, err);
    bl_frame_unref(&whole);
    return rc;
}

static int picture(char **arg, int n, bl_err *err) {
    bl_frame *all = NULL;
    int rc = 0;
    for (int k = 0; rc == 0 && k < n; k++) {
        bl_frame *f = NULL;
        rc = frame_of(&f, arg[2 + k], strtol(arg[1], NULL, 10), err);
        if (rc == 0 && !all) rc = bl_frame_create(&all, n * f->width, f->height, err);
        if (rc == 0 && (f->width * n != all->width || f->height != all->height))
            rc = bl_fail(err, BL_E_MISMATCH, "%s is of another size", arg[2 + k]);
        for (int y = 0; rc == 0 && y < f->height; y++)
            memcpy(all->data + y * all->stride + (ptrdiff_t)k * f->width * 3, f->data + y * f->stride,
                   (size_t)f->width * 3);
        bl_frame_unref(&f);
    }
    if (rc == 0) rc = bl_png_write(all, arg[0], err);
    bl_frame_unref(&all);
    return rc;
}

/* ---- drift ---- */
enum { TURNS = 64 };
typedef struct turn {
    double same, neighbour, light, edges, ssim; /* sums */
    int64_t frames, pairs;
} turn;
typedef struct drift {
    bl_frame **first, *before; /* frames of the second turn: the first begins from nothing */
    bl_demo_options demo;
    int64_t period, n;
    turn turn[TURNS];
} drift;

/* Mean absolute difference of two pictures' bytes in a box. */
static double difference(const bl_frame *a, const bl_frame *b, const bl_box *box) {
    double sum = 0;
    for (int y = box->y; y < box->y + box->h; y++)
        for (int x = box->x * 3; x < (box->x + box->w) * 3; x++)
            sum += abs(a->data[y * a->stride + x] - b->data[y * b->stride + x]);
    return sum / box->h / box->w / 3;
}

/* Mean of the bytes in a box, and mean step from one to the next on its right: what fades, and what blurs. */
static void look(const bl_frame *f, const bl_box *box, double *light, double *edges) {
    double l = 0, e = 0;
    for (int y = box->y; y < box->y + box->h; y++)
        for (int x = box->x * 3; x < (box->x + box->w - 1) * 3; x++) {
            const uint8_t *p = f->data + y * f->stride + x;
            l += p[0];
            e += abs(p[3] - p[0]);
        }
    const double n = (double)box->h * (box->w - 1) * 3;
    *light += l / n;
    *edges += e / n;
}

/* The box of the dancer where the dancer truly is: the same in every turn. */
static int drift_frame(void *ctx, bl_frame *made, bl_frame *truth, bl_err *err) {
    drift *d = ctx;
    const int64_t k = d->n / d->period, at = d->n % d->period;
    bl_track_frame pose;
    bl_box box;
    double ssim = 0, psnr = 0;
    if (k >= TURNS) return bl_fail(err, BL_E_UNSUPPORTED, "the clip has more than %d turns", TURNS);
    turn *t = &d->turn[k];
    int rc = bl_demo_person(&pose, BL_DEMO_TRUTH, at, &d->demo, err);
    if (rc == 0 && !bl_eval_body_box(&box, &pose.person, made->width, made->height))
        rc = bl_fail(err, BL_E_MISMATCH, "the clip is not one of the demo's size");
    if (rc == 0) rc = bl_eval_box(&ssim, &psnr, made, truth, &box, err);
    if (rc < 0) return rc;
    if (k == 1) d->first[at] = bl_frame_ref(made);
    if (k >= 1 && d->first[at]) t->same += difference(made, d->first[at], &box);
    if (d->before) t->neighbour += difference(made, d->before, &box), t->pairs++;
    look(made, &box, &t->light, &t->edges);
    t->ssim += ssim;
    t->frames++;
    d->n++;
    bl_frame_unref(&d->before);
    d->before = bl_frame_ref(made);
    return 0;
}

static int drifting(char **arg, bl_err *err) {
    drift d = {.demo = bl_demo_options_default()};
    d.period = bl_demo_frame_count(BL_DEMO_SOURCE, &d.demo);
    if (!(d.first = bl_alloc_array((size_t)d.period, sizeof *d.first)))
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a turn");
    int rc = each_pair(arg[0], arg[1], 1, drift_frame, &d, err);
    if (rc == 0)
        printf("| turn | frames | from the same pose of turn 2 | from the frame before | brightness | edges "
               "| SSIM |\n"
               "|---|---|---|---|---|---|---|\n");
    for (int k = 0; rc == 0 && k < TURNS && d.turn[k].frames > 0; k++) {
        const turn *t = &d.turn[k];
        const double n = (double)t->frames;
        printf("| %d | %.0f | ", k + 1, n);
        printf(k ? "%.3f" : "-", t->same / n);
        printf(" | %.3f | %.2f | %.3f | %.4f |\n", t->neighbour / (double)BL_MAX(1, t->pairs), t->light / n,
               t->edges / n, t->ssim / n);
    }
    for (int64_t i = 0; i < d.period; i++) bl_frame_unref(&d.first[i]);
    bl_frame_unref(&d.before);
    bl_free(d.first);
    return rc;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    int rc = 0;
    if (argc == 4 && !strcmp(argv[1], "film"))
        rc = film(argv + 2, &err);
    else if (argc == 5 && !strcmp(argv[1], "repeat"))
        rc = repeat(argv + 2, &err);
    else if (argc == 5 && !strcmp(argv[1], "judge"))
        rc = judge(argv + 2, &err);
    else if (argc >= 5 && !strcmp(argv[1], "picture"))
        rc = picture(argv + 2, argc - 4, &err);
    else if (argc == 4 && !strcmp(argv[1], "drift"))
        rc = drifting(argv + 2, &err);
    else
        rc = bl_fail(&err, BL_E_USAGE,
                     "film, repeat, judge, picture or drift, and what its first comment says");
    if (rc < 0) fprintf(stderr, "bench_pair: %s\n", err.msg);
    return rc < 0;
}
