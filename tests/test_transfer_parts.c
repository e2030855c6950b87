/* The pieces of the transfer room on a made-up clip: grid, window, plate, dataset, composition. */
#include "ballerino/motion.h"
#include "scene.h"
#include "transfer/compose.h"
#include "transfer/dataset.h"
#include "transfer/match.h"
#include "transfer/plate.h"
#include "transfer/train.h"
#include "transfer/window.h"

enum { FRAMES = 60 };
static const scene room = {.w = 240, .h = 320, .fps = 25};
static char dir[64], path[128];

static int begin(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bl_transfer_%d", (int)getpid());
    snprintf(path, sizeof path, "%s/file", dir);
    return bl_dir_make(dir, NULL);
}

static int end(void **state) {
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static bl_frame *new_frame(int w, int h) {
    bl_frame *f = NULL;
    bl_err err = {0};
    assert_ok(bl_frame_create(&f, w, h, &err));
    return f;
}

/* ---- grid ---- */
static void test_grid_keeps_means_and_ramps(void **state) {
    (void)state;
    bl_err err = {0};
    bl__grid g;
    uint8_t out[40 * 30];
    bl_frame *f = new_frame(97, 71);
    assert_ok(bl__grid_init(&g, 97, 71, 0.37, &err));
    assert_int_equal(g.w, 36);
    assert_int_equal(g.h, 27);
    uint8_t *ramp = bl_alloc(97 * 71);
    for (int y = 0; y < 71; y++)
        for (int x = 0; x < 97; x++) ramp[y * 97 + x] = (uint8_t)(2 * x);
    assert_ok(bl__grid_sample(&g, out, ramp, 97, 1, 0, 0, g.w, g.h, &err));
    for (int i = 0; i < g.w - 1; i++) /* the mean of a ramp over an interval is its value in the middle */
        assert_near(out[5 * g.w + i], 2 * ((i + 0.5) / 0.37 - 0.5), 0.6);
    /* a window is a part of the whole, and the border repeats beyond the frame */
    uint8_t part[12 * 10];
    assert_ok(bl__grid_sample(&g, part, ramp, 97, 1, -4, 20, 12, 10, &err));
    for (int j = 0; j < 10; j++)
        for (int i = 0; i < 12; i++)
            assert_int_equal(part[j * 12 + i], out[BL_MIN(20 + j, g.h - 1) * g.w + BL_MAX(i - 4, 0)]);
    bl_free(ramp);
    bl_frame_unref(&f);
    bl__grid_release(&g);
    bl__grid_release(&g);
    assert_int_equal(bl__grid_init(&g, 10, 10, 0, &err), BL_E_INTERNAL);
    assert_int_equal(bl__grid_init(&g, 10, 10, NAN, &err), BL_E_INTERNAL);
}

/* ---- window ---- */
static void test_window_contains_and_is_smooth(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = scene_track(&room, 200);
    for (int i = 50; i < 70; i++) t->frames[i] = (bl_track_frame){.i = i, .t_ms = i * 40}; /* a gap */
    bl__follow f;
    bl__extent e;
    bl__grid g;
    assert_ok(bl__follow_init(&f, t, &err));
    assert_ok(bl__follow_extent(&f, &e, t, t->n, &err));
    bl__window v = bl__window_fit(&e, 144 * 192, 16, 0, 0);
    assert_true(v.w % 16 == 0 && v.h % 16 == 0 && v.w * v.h <= 144 * 192 * 1.05);
    assert_true(v.scale > 0 && v.scale <= 1);
    assert_ok(bl__grid_init(&g, room.w, room.h, v.scale, &err));
    bl__follow_place(&f, &g, v.w, v.h, e.drop);
    int outside = 0;
    for (int64_t i = 0; i < t->n; i++) {
        bl__body_box b;
        if (i > 0) assert_true(abs(f.x[i] - f.x[i - 1]) <= 8 && abs(f.y[i] - f.y[i - 1]) <= 3);
        if (i > 1 && f.x[i] > 0 && f.x[i - 2] > 0 && f.x[i] < g.w - v.w && f.x[i - 2] < g.w - v.w)
            assert_true(abs(f.x[i] - 2 * f.x[i - 1] + f.x[i - 2]) <=
                        2); /* no jerks, but at the frame's edge */
        if (!bl__body_box_of(&b, &t->frames[i], t->width, t->height)) continue;
        outside += BL_MAX((double)b.x0, 0) * g.scale < f.x[i] - 0.5 ||
                   BL_MIN((double)b.x1, room.w) * g.scale > f.x[i] + v.w + 0.5 ||
                   (double)b.y0 * g.scale < f.y[i] - 0.5 || (double)b.y1 * g.scale > f.y[i] + v.h + 0.5;
    }
    assert_true(outside <= 4); /* of 180: the percentile */
    bl__follow_release(&f);
    bl__grid_release(&g);
    for (int64_t i = 0; i < t->n; i++) t->frames[i].has_person = 0;
    assert_int_equal(bl__follow_init(&f, t, &err), BL_E_FOOTAGE);
    bl_track_destroy(&t);
}

static void test_window_shapes(void **state) {
    (void)state;
    bl__window wide = bl__window_fit(&(bl__extent){600, 300, 0}, 144 * 192, 16, 0, 0);
    bl__window tall = bl__window_fit(&(bl__extent){300, 900, 0}, 144 * 192, 16, 0, 0);
    assert_true(wide.w > wide.h && tall.h > 2 * tall.w);
    assert_true(wide.w >= 600 * wide.scale - 1e-6 && wide.h >= 300 * wide.scale - 1e-6);
    bl__window small = bl__window_fit(&(bl__extent){40, 90, 0}, 144 * 192, 16, 0, 0); /* never enlarged */
    assert_near(small.scale, 1, 0);
    assert_int_equal(small.w, 64);
    assert_int_equal(small.h, 96);
    bl__window fixed = bl__window_fit(&(bl__extent){300, 400, 0}, 1, 16, 96, 64);
    assert_true(fixed.w == 96 && fixed.h == 64);
    assert_near(fixed.scale, 0.16, 1e-6);
    bl__window whole = bl__window_whole(1920, 1080, 512 * 256, 16, 0, 0);
    assert_true(whole.w % 16 == 0 && whole.h % 16 == 0 && 1920 * whole.scale <= whole.w + 1e-6 &&
                1080 * whole.scale <= whole.h + 1e-6);
}

/* ---- plate ---- */
static void write_masks(const scene *s, const bl_track *t, int n, int with_masks) {
    bl_err err = {0};
    bl__masks_writer w;
    bl_frame *f = new_frame(s->w, s->h);
    uint8_t *mask = bl_alloc((size_t)s->w * (size_t)s->h);
    assert_ok(bl__masks_begin(&w, path, s->w, s->h, &err));
    for (int i = 0; i < n; i++) {
        scene_draw(s, i, f, mask);
        assert_ok(bl__masks_put(&w, with_masks ? mask : NULL, &t->frames[i], (float)i, &err));
    }
    assert_ok(bl__masks_commit(&w, &err));
    bl_free(mask);
    bl_frame_unref(&f);
}

static double plate_error(const scene *s, const bl_frame *plate, int from_row) {
    int worst = 0;
    for (int y = from_row; y < s->h; y++)
        for (int x = 0; x < s->w; x++)
            for (int c = 0; c < 3; c++)
                worst = BL_MAX(worst, abs(plate->data[y * plate->stride + x * 3 + c] - scene_wall(x, y, c)));
    return worst;
}

static bl_frame *make_plate(const scene *s, const bl__masks *m, const bl_track *t, int64_t n, double *holes) {
    bl_err err = {0};
    int64_t chosen[BL__PLATE_MAX];
    bl__plate *p = NULL;
    bl_frame *f = new_frame(s->w, s->h), *out = NULL;
    int count = bl__plate_choose(chosen, BL__PLATE_MAX, m, t, n, &err);
    assert_true(count > 0);
    assert_ok(bl__plate_create(&p, dir, s->w, s->h, count, &err));
    for (int k = 0; k < count; k++) {
        if (k) assert_true(chosen[k] > chosen[k - 1]);
        scene_draw(s, chosen[k], f, NULL);
        assert_ok(bl__plate_add(p, f, bl__masks_at(m, chosen[k]), m->w, m->h, bl__plate_radius(m, t), &err));
    }
    assert_int_equal(bl__plate_add(p, f, bl__masks_at(m, 0), m->w, m->h, 2, &err), BL_E_INTERNAL);
    assert_ok(bl__plate_finish(p, &out, holes, &err));
    bl__plate_destroy(&p);
    bl_frame_unref(&f);
    return out;
}

static void test_plate_is_the_wall(void **state) {
    (void)state;
    bl_err err = {0};
    scene s = room;
    s.caption = 1;
    bl_track *t = scene_track(&s, 150);
    bl__masks m;
    double holes = 1;
    write_masks(&s, t, 150, 1);
    assert_ok(bl__masks_open(&m, path, &err));
    assert_int_equal(m.n, 150);
    assert_near(m.shift[149], 149, 0);
    bl_frame *plate = make_plate(&s, &m, t, 150, &holes);
    assert_near(holes, 0, 0);
    assert_near(plate_error(&s, plate, 12), 0, 0); /* below the caption: the wall, to the last bit */
    bl_frame_unref(&plate);
    bl__masks_close(&m);
    bl_track_destroy(&t);
}

/* Someone who never leaves a spot leaves a hole, which is filled with something like the wall around it, and
 * not with the person. */
static void test_plate_fills_holes(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = scene_track(&room, 2);
    bl__masks m;
    double holes = 0;
    write_masks(&room, t, 2, 1);
    assert_ok(bl__masks_open(&m, path, &err));
    bl_frame *plate = make_plate(&room, &m, t, 2, &holes);
    assert_true(holes > 0.05 && holes < 0.4);
    const bl_landmark *hip = &t->frames[0].person.landmarks[BL_LM_L_HIP];
    const uint8_t *px =
        plate->data + (ptrdiff_t)(hip->y * 320 - 20) * plate->stride + (ptrdiff_t)(hip->x * 240) * 3;
    assert_true(px[0] < 190 && px[1] > 60 && px[2] > 60); /* not the red shirt */
    bl_frame_unref(&plate);
    bl__masks_close(&m);
    bl_track_destroy(&t);
}

static void test_damaged_masks(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *t = scene_track(&room, 3);
    bl__masks m;
    write_masks(&room, t, 3, 1);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(bl__masks_open(&m, path, &err), BL_E_FORMAT);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(bl__masks_open(&m, path, &err), BL_E_FORMAT);
    bl_track_destroy(&t);
}

/* ---- camera ---- */
static void test_camera_shift(void **state) {
    (void)state;
    bl_err err = {0};
    bl_camera *c = NULL;
    bl_frame *f = new_frame(320, 240);
    assert_ok(bl_camera_create(&c, 320, 240, &err));
    const double moves[] = {0, 0, 1, 3, 0, 2.5};
    double at = 0;
    for (size_t k = 0; k < BL_COUNT(moves); k++) {
        at += moves[k];
        for (int y = 0; y < 240; y++)
            for (int x = 0; x < 320; x++)
                memset(
                    f->data + y * f->stride + x * 3,
                    (int)(128 + 60 * sin((x + at) * 0.08) * cos(y * 0.06) + 40 * sin(x * 0.021 + at * 0.021)),
                    3);
        assert_near(bl_camera_add(c, f, NULL), moves[k], 0.35);
    }
    bl_frame_unref(&f);
    bl_camera_destroy(&c);
}

/* ---- dataset ---- */
typedef struct made {
    bl_track *track;
    bl__grid grid;
    bl__follow follow;
    bl__dataset data;
    bl_frame *plate;
    bl__window window;
} made;

static void make_dataset(made *d, int held_from, int skip) {
    bl_err err = {0};
    bl__extent e;
    bl__masks m;
    bl__dataset_writer w;
    bl_frame *f = new_frame(room.w, room.h);
    d->track = scene_track(&room, FRAMES);
    d->plate = new_frame(room.w, room.h);
    for (int y = 0; y < room.h; y++)
        for (int x = 0; x < room.w; x++)
            for (int c = 0; c < 3; c++)
                d->plate->data[y * d->plate->stride + x * 3 + c] = scene_wall(x, y, c);
    assert_ok(bl__follow_init(&d->follow, d->track, &err));
    assert_ok(bl__follow_extent(&d->follow, &e, d->track, FRAMES, &err));
    d->window = bl__window_fit(&e, 96 * 128, 16, 0, 0);
    assert_ok(bl__grid_init(&d->grid, room.w, room.h, d->window.scale, &err));
    bl__follow_place(&d->follow, &d->grid, d->window.w, d->window.h, e.drop);
    write_masks(&room, d->track, FRAMES, 1);
    assert_ok(bl__masks_open(&m, path, &err));
    unlink(path);
    assert_ok(bl__dataset_begin(&w, path, &d->grid, d->window.w, d->window.h, &err));
    for (int i = 0; i < FRAMES; i++) {
        if (i == skip) continue;
        scene_draw(&room, i, f, NULL);
        assert_ok(bl__dataset_put(&w, f, bl__masks_at(&m, i), m.w, m.h, i, d->follow.x[i], d->follow.y[i],
                                  i >= held_from, &err));
    }
    assert_ok(bl__dataset_commit(&w, &err));
    bl__masks_close(&m);
    bl_frame_unref(&f);
    assert_ok(bl__dataset_open(&d->data, path, &d->grid, d->track, d->plate, &err));
}

static void drop_dataset(made *d) {
    bl__dataset_close(&d->data);
    bl__follow_release(&d->follow);
    bl__grid_release(&d->grid);
    bl_frame_unref(&d->plate);
    bl_track_destroy(&d->track);
}

static void test_dataset_split_and_runs(void **state) {
    (void)state;
    made d;
    make_dataset(&d, 50, 20);
    bl_gan_source src = bl__dataset_source(&d.data);
    assert_int_equal(d.data.n, FRAMES - 1);
    assert_int_equal(src.count, 49);
    assert_int_equal(src.run_before(src.ctx, 0), 0);
    assert_int_equal(src.run_before(src.ctx, 19), 19);
    assert_int_equal(src.run_before(src.ctx, 20), 0); /* frame 21, after the gap */
    assert_int_equal(src.run_before(src.ctx, 48), 28);
    assert_int_equal(src.run_before(src.ctx, 49), 0); /* the first held out */
    assert_int_equal(bl__dataset_sample(&d.data, 20)->frame, 21);
    float dx = 9, dy = 9;
    src.window_shift(src.ctx, 20, &dx, &dy);
    assert_true(dx == 0 && dy == 0);
    src.window_shift(src.ctx, 10, &dx, &dy);
    assert_near(dx, d.follow.x[10] - d.follow.x[9], 0);
    drop_dataset(&d);
}

typedef struct pictures {
    float *label, *plate, *real, *weight;
    size_t pixels;
} pictures;

static pictures new_pictures(const made *d) {
    size_t n = (size_t)d->window.w * (size_t)d->window.h;
    return (pictures){bl_alloc(n * 12), bl_alloc(n * 12), bl_alloc(n * 12), bl_alloc(n * 4), n};
}

static void free_pictures(pictures *p) {
    bl_free(p->label);
    bl_free(p->plate);
    bl_free(p->real);
    bl_free(p->weight);
}

/* Mean over the drawn limbs of how often the photo under a figure's bright pixel differs from the plate: if
 * figure, photo and plate did not move together, this would be far from 1. */
static double agreement(const pictures *p) {
    double on = 0, hit = 0;
    for (size_t i = 0; i < p->pixels; i++) {
        float bright = p->label[i * 3] + p->label[i * 3 + 1] + p->label[i * 3 + 2], diff = 0;
        if (bright < 0.8f) continue;
        for (int c = 0; c < 3; c++) diff += fabsf(p->real[i * 3 + (size_t)c] - p->plate[i * 3 + (size_t)c]);
        on++;
        hit += diff > 0.15f;
    }
    return on > 20 ? hit / on : 0;
}

/* Where the weight says "wall", photo and plate are the same wall. */
static double wall_difference(const pictures *p) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < p->pixels; i++) {
        if (p->weight[i] > 1.01f) continue;
        for (int c = 0; c < 3; c++)
            sum += (double)fabsf(p->real[i * 3 + (size_t)c] - p->plate[i * 3 + (size_t)c]);
        n += 3;
    }
    return n > 0 ? sum / n : 1;
}

static void test_augmentation_moves_all_together(void **state) {
    (void)state;
    bl_err err = {0};
    made d;
    make_dataset(&d, FRAMES, -1);
    bl_gan_source src = bl__dataset_source(&d.data);
    pictures p = new_pictures(&d), q = new_pictures(&d);
    assert_ok(src.get(src.ctx, 10, 0, p.label, p.plate, p.real, p.weight, &err));
    double plain = agreement(&p), moved = 0;
    assert_true(plain > 0.75);
    assert_true(wall_difference(&p) < 0.002);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        assert_ok(src.get(src.ctx, 10, seed, p.label, p.plate, p.real, p.weight, &err));
        if (agreement(&p) < plain - 0.1) fail_msg("seed %d: %f of %f", (int)seed, agreement(&p), plain);
        assert_true(wall_difference(&p) < 0.01);
        d.data.threads = 3;
        assert_ok(src.get(src.ctx, 10, seed, q.label, q.plate, q.real, q.weight, &err));
        d.data.threads = 1;
        assert_memory_equal(p.label, q.label, p.pixels * 12); /* a seed says all, whoever does it */
        assert_memory_equal(p.real, q.real, p.pixels * 12);
        assert_memory_equal(p.plate, q.plate, p.pixels * 12);
        assert_memory_equal(p.weight, q.weight, p.pixels * 4);
        for (size_t i = 0; i < p.pixels; i++) assert_true(p.weight[i] >= 1 && p.weight[i] <= 5);
        assert_ok(src.get(src.ctx, 10, 0, q.label, q.plate, q.real, q.weight, &err));
        moved += memcmp(p.real, q.real, p.pixels * 12) != 0;
    }
    assert_true(moved >= 35);
    assert_int_equal(src.get(src.ctx, FRAMES, 0, p.label, p.plate, p.real, p.weight, &err), BL_E_INTERNAL);
    free_pictures(&p);
    free_pictures(&q);
    drop_dataset(&d);
}

/* ---- composition ---- */
static void test_composition(void **state) {
    (void)state;
    bl_err err = {0};
    made d;
    make_dataset(&d, FRAMES, -1);
    const int w = d.window.w, h = d.window.h, x = d.follow.x[5], y = d.follow.y[5];
    pictures p = new_pictures(&d);
    bl__layer l;
    bl_frame *out = new_frame(room.w, room.h);
    assert_ok(bl__layer_init(&l, w, h, &err));
    bl__plate_window(p.plate, d.data.plate, &d.grid, x, y, w, h);
    float *mask = p.weight;
    /* a generator that adds nothing: the plate, to the last bit */
    for (int i = 0; i < w * h; i++) mask[i] = 0.02f;
    memcpy(p.real, p.plate, p.pixels * 12);
    memcpy(out->data, d.plate->data, (size_t)out->stride * (size_t)out->height);
    bl__layer_fill(&l, &d.grid, x, y, p.real, mask, p.plate, 1);
    bl__layer_over(&l, &d.grid, x, y, out);
    assert_memory_equal(out->data, d.plate->data, (size_t)out->stride * (size_t)out->height);
    /* a solid green square: green inside, none of the wall's texture on it; the plate outside */
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int in = i >= w / 3 && i < 2 * w / 3 && j >= h / 3 && j < 2 * h / 3, at = j * w + i;
            mask[at] = (float)in;
            for (int c = 0; c < 3 && in; c++) p.real[at * 3 + c] = c == 1 ? 1.f : -1.f;
        }
    bl__layer_fill(&l, &d.grid, x, y, p.real, mask, p.plate, 1);
    bl__layer_over(&l, &d.grid, x, y, out);
    int green = 0, same = 0;
    for (int fy = 0; fy < room.h; fy++)
        for (int fx = 0; fx < room.w; fx++) {
            double u = (fx + 0.5) * d.grid.scale - x, v = (fy + 0.5) * d.grid.scale - y;
            const uint8_t *a = out->data + fy * out->stride + fx * 3,
                          *b = d.plate->data + fy * out->stride + fx * 3;
            if (u > w / 3 + 2 && u < 2 * w / 3 - 2 && v > h / 3 + 2 && v < 2 * h / 3 - 2) {
                assert_true(a[0] == 0 && a[1] == 255 && a[2] == 0);
                green++;
            } else if (u < w / 3 - 2 || u > 2 * w / 3 + 2 || v < h / 3 - 2 || v > 2 * h / 3 + 2) {
                assert_memory_equal(a, b, 3);
                same++;
            }
        }
    assert_true(green > 500 && same > 10000);
    /* a shadow: half of the plate's light everywhere in it, so its texture stays sharp */
    for (int i = 0; i < w * h; i++) {
        mask[i] = 0.5f;
        for (int c = 0; c < 3; c++) p.real[i * 3 + c] = (p.plate[i * 3 + c] + 1) / 2 - 1;
    }
    memcpy(out->data, d.plate->data, (size_t)out->stride * (size_t)out->height);
    bl__layer_fill(&l, &d.grid, x, y, p.real, mask, p.plate, 1);
    bl__layer_over(&l, &d.grid, x, y, out);
    int mid_x = (int)((x + w / 2) / d.grid.scale), mid_y = (int)((y + h / 2) / d.grid.scale);
    for (int i = 0; i < 20; i++)
        for (int c = 0; c < 3; c++)
            assert_near(out->data[mid_y * out->stride + (mid_x + i) * 3 + c],
                        0.5 * scene_wall(mid_x + i, mid_y, c), 1.5);
    bl__layer_release(&l);
    bl_frame_unref(&out);
    free_pictures(&p);
    drop_dataset(&d);
}

/* ---- match ---- */
static void test_match_prefers_runs(void **state) {
    (void)state;
    bl_err err = {0};
    bl_track *target = scene_track(&room, 60), *wanted = scene_track(&room, 60);
    int64_t choice[60];
    assert_ok(bl__match(choice, wanted, target, 60, &err)); /* itself */
    for (int k = 0; k < 60; k++) assert_int_equal(choice[k], k);
    for (int k = 30; k < 33; k++) wanted->frames[k].has_person = 0;
    bl_rng r;
    bl_rng_seed(&r, 5);
    for (int k = 0; k < 60; k++) /* noise of 1.5 pixels: single frames would do better now and then */
        for (int i = 0; i < BL_LANDMARKS; i++) {
            wanted->frames[k].person.landmarks[i].x += (float)(1.5 / room.w * bl_rng_normal(&r));
            wanted->frames[k].person.landmarks[i].y += (float)(1.5 / room.h * bl_rng_normal(&r));
        }
    assert_ok(bl__match(choice, wanted, target, 40, &err)); /* the rest is held out */
    int jumps = 0;
    for (int k = 0; k < 60; k++) {
        assert_true(choice[k] < 40);
        assert_int_equal(choice[k] < 0, k >= 30 && k < 33);
        if (k < 30) assert_true(llabs(choice[k] - k) <= 1);
        jumps +=
            k > 0 && choice[k] >= 0 && choice[k - 1] >= 0 && !bl__match_runs_on(choice[k - 1], choice[k]);
    }
    assert_true(jumps <= 6);
    for (int k = 0; k < 60; k++) target->frames[k].has_person = 0;
    assert_int_equal(bl__match(choice, wanted, target, 60, &err), BL_E_FOOTAGE);
    bl_track_destroy(&target);
    bl_track_destroy(&wanted);
}

/* Evenly spread, of the wanted share, and long enough that frames stay in a row. */
static void test_kept_runs(void **state) {
    (void)state;
    enum { N = 20000 };
    for (int share = 1; share <= 10; share++) {
        int64_t n[2] = {0}, begins = 0;
        for (int64_t i = 0; i < N; i++) {
            const int in = bl__in_kept_run(i, share / 10.0);
            n[i >= N / 2] += in;
            begins += in && !(i > 0 && bl__in_kept_run(i - 1, share / 10.0));
        }
        assert_near((double)n[0], share * N / 20.0, 48);
        assert_near((double)n[1], share * N / 20.0, 48);
        assert_true(begins * 40 <= n[0] + n[1]);
    }
}

/* ---- presets ---- */
static void assert_stages(bl_preset which, int w, int h, int enhancer, int begins_at_half) {
    bl__preset p = bl__preset_of(which, BL_SCENE_COMPOSITE);
    const bl__stage_plan *m = &p.stage[BL__STAGE_MAIN], *g = &p.stage[BL__STAGE_GLOBAL];
    const double share = m->share + g->share;
    p.stage[BL__STAGE_MAIN].net.width = w;
    p.stage[BL__STAGE_MAIN].net.height = h;
    p.stage[BL__STAGE_MAIN].net.enhancer = enhancer;
    for (int again = 0; again < 2; again++) {
        bl__preset_coarse(&p);
        assert_int_equal(g->on, begins_at_half);
        assert_near(m->share + g->share, share, 1e-12); /* nobody's time is lost */
        assert_true(begins_at_half ? g->share > 0 : g->share <= 0);
        assert_int_equal(g->net.width, w / 2);
        assert_int_equal(g->net.enhancer, 0);
    }
}

static void test_what_begins_at_half_the_size(void **state) {
    (void)state;
    assert_stages(BL_PRESET_DRAFT, 192, 288, 0, 1);
    assert_stages(BL_PRESET_DRAFT, 128, 208, 0, 0); /* 104 is no multiple of 16 */
    assert_stages(BL_PRESET_DRAFT, 96, 192, 0, 0);  /* too small to be worth it */
    assert_stages(BL_PRESET_STANDARD, 288, 384, 1, 1);
    assert_stages(BL_PRESET_STANDARD, 128, 192, 0, 1);
    assert_stages(BL_PRESET_PAPER, 1024, 512, 1, 1);
    assert_stages(BL_PRESET_PAPER, 512, 256, 0, 0); /* the paper's first stage alone */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid_keeps_means_and_ramps),
        cmocka_unit_test(test_window_contains_and_is_smooth),
        cmocka_unit_test(test_window_shapes),
        cmocka_unit_test(test_plate_is_the_wall),
        cmocka_unit_test(test_plate_fills_holes),
        cmocka_unit_test(test_damaged_masks),
        cmocka_unit_test(test_camera_shift),
        cmocka_unit_test(test_dataset_split_and_runs),
        cmocka_unit_test(test_kept_runs),
        cmocka_unit_test(test_augmentation_moves_all_together),
        cmocka_unit_test(test_composition),
        cmocka_unit_test(test_what_begins_at_half_the_size),
        cmocka_unit_test(test_match_prefers_runs),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
