#include "jobs.h"

#include <string.h>

static const char *or_null(const bl__options *o, bl__opt id) {
    const char *t = bl__option_text(o, id);
    return *t ? t : NULL;
}

bl_train_job bl__train_job(const bl__options *o) {
    bl_train_job j = bl_train_job_default();
    j.preset = (bl_preset)bl__option_choice(o, BL__OPT_preset);
    j.scene = (bl_scene)bl__option_choice(o, BL__OPT_scene);
    j.minutes = bl__option_real(o, BL__OPT_minutes);
    j.steps = bl__option_int(o, BL__OPT_steps);
    j.holdout = bl__option_real(o, BL__OPT_holdout);
    bl__option_size(o, BL__OPT_size, &j.width, &j.height);
    j.diffaug = bl__option_real(o, BL__OPT_diffaug);
    j.previous = (int[]){-1, 0, 1}[bl__option_choice(o, BL__OPT_previous)];
    j.seed = (uint64_t)bl__option_int(o, BL__OPT_seed);
    j.refine =
        (const char *[]){"", "none", "face", "hands", "face,hands"}[bl__option_choice(o, BL__OPT_refine)];
    j.perceptual = bl__option_text(o, BL__OPT_perceptual);
    j.precision = bl__option_choice(o, BL__OPT_precision);
    j.threads = (int)bl__option_int(o, BL__OPT_threads);
    j.device = o->device;
    j.dist = o->dist;
    j.hw = bl__hw(o);
    j.save_every_s = bl__option_real(o, BL__OPT_save_every);
    j.preview_every_s = bl__option_real(o, BL__OPT_preview_every);
    j.models_dir = bl__models_dir(o);
    j.pose_model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    j.hands = !bl__option_flag(o, BL__OPT_no_hands);
    j.face = !bl__option_flag(o, BL__OPT_no_face);
    return j;
}

bl_transfer_job bl__transfer_job(const bl__options *o) {
    bl_transfer_job j = bl_transfer_job_default();
    j.source = or_null(o, BL__OPT_source);
    j.output = or_null(o, BL__OPT_output);
    j.track = or_null(o, BL__OPT_source_track);
    j.normalise = (bl_normalise)bl__option_choice(o, BL__OPT_normalise);
    j.retarget = (bl_retarget)bl__option_choice(o, BL__OPT_retarget);
    j.side_by_side = bl__option_flag(o, BL__OPT_side_by_side);
    j.overlay = or_null(o, BL__OPT_overlay);
    j.report = or_null(o, BL__OPT_report);
    j.smooth = (int)bl__option_int(o, BL__OPT_smooth);
    j.steady = (float)bl__option_real(o, BL__OPT_steady);
    j.crf = (int)bl__option_int(o, BL__OPT_crf);
    j.threads = (int)bl__option_int(o, BL__OPT_threads);
    j.device = o->device;
    j.hw = bl__hw(o);
    j.models_dir = bl__models_dir(o);
    j.pose_model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    j.hands = !bl__option_flag(o, BL__OPT_no_hands);
    j.face = !bl__option_flag(o, BL__OPT_no_face);
    return j;
}

int bl__consent_for_all(const bl__options *o, char *buf, size_t size, bl_err *err) {
    memset(buf, 0, size);
    int rc = bl_dist_rank(o->dist) == 0 ? bl__consent(o, buf, size, err) : 0;
    return rc < 0 ? rc : bl_dist_broadcast(o->dist, buf, size, err);
}

static void print_report(const char *model) {
    char path[4096];
    if (snprintf(path, sizeof path, "%s.train/report.html", model) < (int)sizeof path && bl_file_exists(path))
        printf("report: %s\n", path);
}

void bl__print_training(const bl_train_result *r, const char *model) {
    const bl_train_scores *s = &r->scores;
    printf("trained %lld steps in %.0f s (%.0f ms a step): %s\n", (long long)r->steps, r->seconds, r->step_ms,
           model);
    print_report(model);
    if (!s->valid) return;
    printf("on the %lld held-out frames, in the person's window:\n", (long long)s->frames);
    printf("                  SSIM    PSNR\n");
    printf("  model           %.4f  %5.2f dB\n", s->ssim, s->psnr);
    printf("  plate alone     %.4f  %5.2f dB\n", s->plate_ssim, s->plate_psnr);
    printf("  nearest frame   %.4f  %5.2f dB\n", s->nearest_ssim, s->nearest_psnr);
}

void bl__print_transfer(const bl_transfer_result *r, const bl_transfer_job *job) {
    printf("wrote %lld frames in %.0f s: %s\n", (long long)r->frames, r->seconds, job->output);
    if (r->without_person)
        printf("(in %lld of them the source shows nobody)\n", (long long)r->without_person);
    if (job->report && bl_file_exists(job->report)) printf("report: %s\n", job->report);
}
