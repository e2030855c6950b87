/*
 * demo: no footage needed. Renders two dancers, learns the second from its clip, makes it dance the first
 * one's dance, and scores the result against the truth, which is known because it was rendered too.
 */
#include <string.h>

#include "ballerino/demo.h"
#include "ballerino/eval.h"
#include "jobs.h"

typedef struct files {
    char folder[4096], source[4160], target[4160], truth[4160], model[4160], result[4160], sheet[4160],
        stamp[4160], overlay[4160], report[4160];
} files;

static int place(const bl__options *o, files *f, bl_err *err) {
    const char *folder = bl__option_text(o, BL__OPT_output);
    if (snprintf(f->folder, sizeof f->folder, "%s", *folder ? folder : "demo-out") >= (int)sizeof f->folder)
        return bl_fail(err, BL_E_USAGE, "the folder's name is too long");
    const struct {
        char *path;
        const char *name;
    } rows[] = {
        {f->source, "source.mp4"},      {f->target, "target.mp4"},         {f->truth, "truth.mp4"},
        {f->model, "target.ballerino"}, {f->result, "result.mp4"},         {f->sheet, "contact-sheet.png"},
        {f->stamp, "made-with.txt"},    {f->overlay, "normalisation.png"}, {f->report, "report.html"}};
    for (size_t i = 0; i < BL_COUNT(rows); i++)
        snprintf(rows[i].path, 4160, "%s/%s", f->folder, rows[i].name);
    return bl_dir_make(f->folder, err);
}

/* What lies in the folder is used again, but only when this version made it with these settings. */
static int check_stamp(const bl__options *o, const files *f, bl_err *err) {
    char now[256], *then = NULL;
    size_t size = 0;
    snprintf(now, sizeof now, "ballerino %s, minutes %g, steps %lld%s%s\n", BL_VERSION,
             bl__option_real(o, BL__OPT_minutes), (long long)bl__option_int(o, BL__OPT_steps),
             bl__option_flag(o, BL__OPT_no_hands) ? ", no hands" : "",
             bl__option_flag(o, BL__OPT_no_face) ? ", no face" : "");
    if (!bl_file_exists(f->stamp)) {
        if (!bl_file_exists(f->model) && !bl_file_exists(f->source))
            return bl_file_write(f->stamp, now, strlen(now), err);
    } else {
        int rc = bl_file_read(&then, &size, f->stamp, 4096, err);
        if (rc < 0) return rc;
    }
    int same = then && size == strlen(now) && memcmp(then, now, size) == 0;
    bl_free(then);
    return same ? 0
                : bl_fail(err, BL_E_MISMATCH,
                          "%s holds a demo of another version or other settings; remove it, or name another "
                          "folder with -o",
                          f->folder);
}

static int render(const files *f, bl_err *err) {
    bl_demo_options d = bl_demo_options_default();
    int rc = 0;
    if (!bl_file_exists(f->source)) rc = bl_demo_write_clip(f->source, BL_DEMO_SOURCE, &d, err);
    if (rc == 0 && !bl_file_exists(f->target)) rc = bl_demo_write_clip(f->target, BL_DEMO_TARGET, &d, err);
    if (rc == 0 && !bl_file_exists(f->truth)) rc = bl_demo_write_clip(f->truth, BL_DEMO_TRUTH, &d, err);
    return rc;
}

static int train(const bl__options *o, const files *f, bl_err *err) {
    bl_train_job job = bl_train_job_default();
    bl_train_result result = {0};
    if (bl_file_exists(f->model)) return 0;
    job.target = f->target;
    job.output = f->model;
    job.consent = "a generated dancer: nobody is shown";
    job.minutes = bl__option_real(o, BL__OPT_minutes);
    job.steps = bl__option_int(o, BL__OPT_steps);
    if (job.minutes <= 0 && job.steps == 0) job.minutes = 6;
    job.threads = (int)bl__option_int(o, BL__OPT_threads);
    job.device = o->device;
    job.hw = bl__hw(o);
    job.hands = !bl__option_flag(o, BL__OPT_no_hands);
    job.face = !bl__option_flag(o, BL__OPT_no_face);
    job.models_dir = bl__models_dir(o);
    int rc = bl_train_run(&job, &result, err);
    if (rc == 0) bl__print_training(&result, f->model);
    return rc;
}

static int transfer(const bl__options *o, const files *f, bl_err *err) {
    bl_transfer_job job = bl_transfer_job_default();
    bl_transfer_result result = {0};
    job.model = f->model;
    job.source = f->source;
    job.output = f->result;
    job.overlay = f->overlay;
    job.report = f->report;
    job.threads = (int)bl__option_int(o, BL__OPT_threads);
    job.device = o->device;
    job.hw = bl__hw(o);
    job.hands = !bl__option_flag(o, BL__OPT_no_hands);
    job.face = !bl__option_flag(o, BL__OPT_no_face);
    job.models_dir = bl__models_dir(o);
    int rc = bl_transfer_run(&job, &result, err);
    if (rc == 0) bl__print_transfer(&result, &job);
    return rc;
}

int bl__cmd_demo(const bl__options *o, bl_err *err) {
    files f = {0};
    bl_clip_scores scores;
    int rc = bl__no_words(o, err);
    if (rc == 0) rc = place(o, &f, err);
    if (rc == 0) rc = check_stamp(o, &f, err);
    if (rc == 0) rc = render(&f, err);
    if (rc == 0) rc = train(o, &f, err);
    if (rc == 0) rc = transfer(o, &f, err);
    if (rc == 0) rc = bl_eval_clips(&scores, f.result, f.truth, err);
    if (rc == 0) rc = bl_demo_contact_sheet(f.sheet, f.source, f.result, f.truth, 6, err);
    if (rc < 0) return rc;
    printf("against the rendered truth (whole frame, %lld frames): SSIM %.4f, PSNR %.2f dB\n",
           (long long)scores.frames, scores.ssim, scores.psnr);
    printf("video:         %s\ncontact sheet: %s\n", f.result, f.sheet);
    return 0;
}
