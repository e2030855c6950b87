/* What a training folder tells: the sections on how the target was learned. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ballerino/base.h"
#include "report.h"

#define FILE_MAX (1 << 20) /* bytes of job.json and of report.json */
#define PICTURE_SIDE 1280

/* Both are objects, or NULL where they are not there or damaged. */
typedef struct folder {
    const char *path;
    json_t *job, *notes;
} folder;

static json_t *read_json(const char *dir, const char *name) {
    char path[4096], *text = NULL;
    size_t size = 0;
    if (bl_path_join(path, sizeof path, dir, name, NULL) < 0 || !bl_file_exists(path) ||
        bl_file_read(&text, &size, path, FILE_MAX, NULL) < 0)
        return NULL;
    json_t *root = json_loadb(text, size, 0, NULL);
    bl_free(text);
    if (json_is_object(root)) return root;
    json_decref(root);
    return NULL;
}

static const json_t *in(const json_t *o, const char *key) {
    return json_object_get(o, key);
}
static double number(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}
static int64_t whole(const json_t *v) {
    return (int64_t)BL_CLAMP(json_number_value(v), -9e15, 9e15);
}
static const char *text(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* The plan of a stage that was trained, else NULL. */
static const json_t *stage_plan(const folder *f, bl__stage s) {
    return in(in(f->job, "plan"), bl__stage_name(s));
}

/* ---- how well it was learned ---- */
static void tiles(bl_report *r, const folder *f) {
    const json_t *result = in(f->job, "result");
    long long steps = 0;
    char took[32];
    for (int k = 0; k < BL__STAGES; k++) steps += whole(in(stage_plan(f, (bl__stage)k), "steps"));
    bl__report_duration(took, number(f->job, "seconds"));
    bl_report_tiles_begin(r);
    if (json_is_true(in(result, "valid"))) {
        bl_report_tile(r, "SSIM on held-out frames (1 = the same)", "%.3f", number(result, "ssim"));
        bl_report_tile(r, "PSNR on held-out frames", "%.1f dB", number(result, "psnr"));
    }
    bl_report_tile(r, "training steps", "%lld", steps);
    bl_report_tile(r, "of training", "%s", took);
    bl_report_end(r);
}

static void interpret(bl_report *r, const json_t *s) {
    const double model = number(s, "ssim"), plate = number(s, "plate_ssim"), near = number(s, "nearest_ssim");
    const double first = number(s, "ssim_first_half"), second = number(s, "ssim_second_half");
    if (model > plate && model > near)
        bl_report_note(
            r, BL_REPORT_GOOD,
            "The model explains more of the held-out part than the empty room (SSIM %.3f against %.3f) "
            "and than the training frame with the most similar pose (%.3f): what it "
            "learned carries over to moments that it never saw.",
            model, plate, near);
    else if (model > plate)
        bl_report_note(
            r, BL_REPORT_WARN,
            "The model explains more of the held-out part than the empty room (SSIM %.3f against %.3f), "
            "but less than the training frame with the most similar pose (%.3f): it is still blurry. "
            "Longer training helps.",
            model, plate, near);
    else
        bl_report_note(
            r, BL_REPORT_BAD,
            "The model explains no more of the held-out part than the empty room does (SSIM %.3f against "
            "%.3f): the person is not learned yet. Train longer; if that does not help, film more.",
            model, plate);
    if (first - second > 0.03)
        bl_report_text(
            r,
            "It does better in the first half of the held-out part (%.3f) than in the second (%.3f): "
            "either the later poses are further from what was trained on, or errors build up over time.",
            first, second);
}

static void scores(bl_report *r, const folder *f) {
    const json_t *s = in(f->job, "result");
    if (!json_is_true(in(s, "valid"))) {
        bl_report_text(
            r, "No part of the clip was held out, so there are no scores. With --holdout 0.15 the last "
               "15 %% of the clip are kept from training and measured on.");
        return;
    }
    const bl_report_column columns[] = {
        {"shown for each held-out frame", -1, 0}, {"SSIM", 3, 1}, {"PSNR, dB", 2, 1}};
    const bl_report_cell cells[] = {{.text = "what the model draws"},
                                    {.value = number(s, "ssim")},
                                    {.value = number(s, "psnr")},
                                    {.text = "the empty room alone"},
                                    {.value = number(s, "plate_ssim")},
                                    {.value = number(s, "plate_psnr")},
                                    {.text = "the training frame with the most similar pose"},
                                    {.value = number(s, "nearest_ssim")},
                                    {.value = number(s, "nearest_psnr")}};
    char caption[160];
    snprintf(
        caption, sizeof caption,
        "Mean over %lld frames at the end of the clip that were never trained on, in the person's window.",
        (long long)whole(in(s, "frames")));
    interpret(r, s);
    bl_report_table(r, caption, columns, 3, cells, 3);
}

static void strip(bl_report *r, const folder *f, const char *name, const char *alt, const char *caption) {
    char path[4096];
    if (bl_path_join(path, sizeof path, f->path, name, NULL) == 0)
        bl_report_strip_file(r, path, PICTURE_SIDE, alt, caption);
}

static void curves(bl_report *r, const folder *f, bl__stage s) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "log%s%s.jsonl", s == BL__STAGE_MAIN ? "" : "-",
             s == BL__STAGE_MAIN ? "" : bl__stage_name(s));
    if (bl_path_join(path, sizeof path, f->path, name, NULL) == 0) bl__report_curves(r, path);
}

/* ---- what was found ---- */
static void verdict_of(bl_verdict *v, const json_t *o) {
    const json_t *reasons = in(o, "reasons");
    *v = (bl_verdict){.usable = json_is_true(in(o, "usable")),
                      .frames = whole(in(o, "frames")),
                      .found = whole(in(o, "found")),
                      .whole = whole(in(o, "whole")),
                      .seconds = number(o, "seconds"),
                      .camera_motion = number(o, "camera_motion"),
                      .variety = number(o, "variety")};
    for (size_t k = 0; k < json_array_size(reasons) && k < BL_COUNT(v->reasons); k++) {
        const char *s = json_string_value(json_array_get(reasons, k));
        if (s) snprintf(v->reasons[v->n_reasons++], sizeof v->reasons[0], "%s", s);
    }
}

static void found(bl_report *r, const folder *f) {
    const json_t *n = f->notes, *seen = in(n, "seen"), *window = in(n, "window"), *samples = in(n, "samples");
    bl_verdict v;
    char path[4096];
    if (!n) {
        bl_report_text(r, "The notes on the footage are not there any more.");
        return;
    }
    verdict_of(&v, in(n, "verdict"));
    bl__report_verdict(r, &v, BL_PURPOSE_TARGET);
    bl_report_facts_begin(r);
    if (number(seen, "left_hand") + number(seen, "right_hand") + number(seen, "face") > 0) {
        bl_report_fact(r, "Left hand seen", "in %.0f %% of the person's frames",
                       100 * number(seen, "left_hand"));
        bl_report_fact(r, "Right hand seen", "in %.0f %%", 100 * number(seen, "right_hand"));
        bl_report_fact(r, "Face seen", "in %.0f %%", 100 * number(seen, "face"));
    }
    bl_report_fact(r, "Frames trained on", "%lld, and %lld held out",
                   (long long)whole(json_array_get(samples, 0)),
                   (long long)whole(json_array_get(samples, 1)));
    bl_report_fact(r, "Window", "%lld x %lld pixels, each %.2f pixels of the video wide",
                   (long long)whole(json_array_get(window, 0)), (long long)whole(json_array_get(window, 1)),
                   1 / number(n, "scale"));
    bl_report_end(r);
    if (bl_path_join(path, sizeof path, f->path, "plate.png", NULL) == 0)
        bl_report_picture_file(r, path, PICTURE_SIDE, "the room without the person",
                               "The room without the person, put together from many frames. The dancer is "
                               "drawn into this picture; "
                               "remains of the person here will be seen in the result.");
}

/* ---- time and settings ---- */
static void times(bl_report *r, const folder *f) {
    static const char *const names[][2] = {{"pose", "finding the person"},
                                           {"samples", "collecting samples"},
                                           {"train", "training"},
                                           {"evaluate", "scoring"},
                                           {"patches", "cutting out faces and hands"}};
    const json_t *laps = in(f->notes, "laps");
    double seconds[BL_COUNT(names)], sum = 0;
    for (size_t k = 0; k < BL_COUNT(names); k++) {
        seconds[k] = k == BL__LAP_TRAIN ? number(f->job, "seconds") : number(laps, names[k][0]);
        if (!(seconds[k] > 0.05)) seconds[k] = 0; /* not done at all */
        sum += seconds[k];
    }
    bl_report_bars_begin(r);
    for (size_t k = 0; k < BL_COUNT(names); k++) {
        char took[32];
        if (seconds[k] <= 0) continue;
        bl__report_duration(took, seconds[k]);
        bl_report_bar(r, names[k][1], sum > 0 ? seconds[k] / sum : 0, "%s", took);
    }
    bl_report_end(r);
}

static void settings(bl_report *r, const folder *f) {
    const json_t *plan = in(f->job, "plan");
    const char *key;
    json_t *v;
    bl_report_details_begin(r, "All settings");
    bl_report_facts_begin(r);
    json_object_foreach((json_t *)(uintptr_t)in(f->job, "settings"), key, v) {
        if (json_is_string(v)) {
            if (*json_string_value(v)) bl_report_fact(r, key, "%s", json_string_value(v));
        } else {
            char *value = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
            bl_report_fact(r, key, "%s", value ? value : "");
            free(value);
        }
    }
    bl_report_fact(r, "arithmetic used", "%s", number(plan, "precision") > 0 ? "bf16" : "fp32");
    bl_report_fact(r, "threads used", "%lld", (long long)whole(in(plan, "threads")));
    const char *device = json_string_value(in(plan, "device"));
    bl_report_fact(r, "begun on", "%s", device && *device ? device : "cpu");
    bl_report_end(r);
    bl_report_text(r, "Where width, height, steps, minutes, threads or channels are 0, the preset decides.");
    bl_report_end(r);
}

/* A stage beside the main one: its own picture and curves. */
static void other_stage(bl_report *r, const folder *f, bl__stage s) {
    static const char *const titles[BL__STAGES] = {"First, at half the size", "", "Refining the face",
                                                   "Refining the hands"};
    char name[64];
    if (!stage_plan(f, s)) return;
    snprintf(name, sizeof name, "preview-%s.png", bl__stage_name(s));
    bl_report_heading(r, titles[s]);
    strip(
        r, f, name, "rows: figure, photo, what was made",
        s == BL__STAGE_GLOBAL
            ? "From top to bottom: the figure, the photo, and what the network made before it went on "
              "at the full size."
            : "From top to bottom: the figure, the photo, what the main network made, and the same refined.");
    curves(r, f, s);
}

void bl__report_sections(bl_report *r, const char *path) {
    folder f = {.path = path, .job = read_json(path, "job.json"), .notes = read_json(path, "report.json")};
    if (f.job) {
        tiles(r, &f);
        bl_report_heading(r, "What it learned");
        strip(
            r, &f, "preview.png", "rows: figure, photo, generated",
            "From top to bottom: the stick figure that the network is given, the photo, and what the network "
            "makes of the figure. Right of the white gap: frames that it was never trained on.");
        scores(r, &f);
        bl_report_heading(r, "The footage");
        found(r, &f);
        other_stage(r, &f, BL__STAGE_GLOBAL);
        bl_report_heading(r, "The training");
        curves(r, &f, BL__STAGE_MAIN);
        for (int k = BL__STAGE_FACE; k < BL__STAGES; k++) other_stage(r, &f, (bl__stage)k);
        bl_report_heading(r, "Time and settings");
        times(r, &f);
        bl_report_facts_begin(r);
        bl_report_fact(r, "Consent", "%s", text(in(f.job, "settings"), "consent"));
        bl_report_end(r);
        settings(r, &f);
    }
    json_decref(f.job);
    json_decref(f.notes);
}
