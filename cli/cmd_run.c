/*
 * run: the whole job in stages that are kept in OUTPUT.work/. Files there are named after a hash of what they
 * depend on, so the same command goes on where it stopped, and a changed video or setting makes new ones.
 */
#include <string.h>

#include "jobs.h"

typedef struct work {
    char folder[4096], model[4160], track[4160], overlay[4160], report[4160];
} work;

/* First 16 hex digits of the hash of a file and of the settings that matter. */
static int key_of(const char *path, const char *settings, char key[17], bl_err *err) {
    char hex[65];
    bl_sha256 s;
    int rc = bl_sha256_file(path, hex, err);
    if (rc < 0) return rc;
    bl_sha256_init(&s);
    bl_sha256_add(&s, hex, 64);
    bl_sha256_add(&s, settings, strlen(settings));
    bl_sha256_add(&s, BL_VERSION, strlen(BL_VERSION));
    bl_sha256_hex(&s, hex);
    memcpy(key, hex, 16);
    key[16] = 0;
    return 0;
}

static void join(const bl__options *o, const bl__opt *ids, size_t count, char *buf, size_t size) {
    size_t n = 0;
    buf[0] = 0;
    for (size_t i = 0; i < count && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s;", bl__option_text(o, ids[i]));
}

static const bl__opt pose_ids[] = {BL__OPT_pose_model, BL__OPT_no_hands, BL__OPT_no_face},
                     training_ids[] = {BL__OPT_preset,   BL__OPT_scene,     BL__OPT_minutes,
                                       BL__OPT_steps,    BL__OPT_holdout,   BL__OPT_size,
                                       BL__OPT_seed,     BL__OPT_precision, BL__OPT_pose_model,
                                       BL__OPT_no_hands, BL__OPT_no_face,   BL__OPT_previous,
                                       BL__OPT_diffaug,  BL__OPT_refine,    BL__OPT_perceptual};

static int plan(const bl__options *o, const char *target, const char *source, const char *output, work *w,
                bl_err *err) {
    char settings[512], key[17];
    join(o, training_ids, BL_COUNT(training_ids), settings, sizeof settings);
    if (snprintf(w->folder, sizeof w->folder, "%s.work", output) >= (int)sizeof w->folder)
        return bl_fail(err, BL_E_USAGE, "the path %s is too long", output);
    int rc = key_of(target, settings, key, err);
    if (rc < 0) return rc;
    snprintf(w->model, sizeof w->model, "%s/target-%s.ballerino", w->folder, key);
    join(o, pose_ids, BL_COUNT(pose_ids), settings, sizeof settings);
    if ((rc = key_of(source, settings, key, err)) < 0) return rc;
    snprintf(w->track, sizeof w->track, "%s/source-%s.track.json", w->folder, key);
    snprintf(w->overlay, sizeof w->overlay, "%s/normalisation.png", w->folder);
    snprintf(w->report, sizeof w->report, "%s.report.html", output);
    return bl_dir_make(w->folder, err);
}

static int train(const bl__options *o, const char *target, const char *consent, const work *w, bl_err *err) {
    bl_train_job job = bl__train_job(o);
    bl_train_result result = {0};
    job.target = target;
    job.output = w->model;
    job.consent = consent;
    int rc = bl_train_run(&job, &result, err);
    if (rc == 0 && bl_dist_rank(o->dist) == 0) bl__print_training(&result, w->model);
    return rc;
}

/* The source's poses first: a dance that cannot be used is refused before an hour of training. */
static int find_source(const bl__options *o, const char *source, const work *w, bl_err *err) {
    if (bl_dist_rank(o->dist) > 0 || bl_file_exists(w->track)) return 0;
    bl_pose_options p = bl_pose_options_default();
    bl_track *track = NULL;
    bl_verdict verdict;
    p.model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    p.hands = !bl__option_flag(o, BL__OPT_no_hands);
    p.face = !bl__option_flag(o, BL__OPT_no_face);
    p.models_dir = bl__models_dir(o);
    p.threads = (int)bl__option_int(o, BL__OPT_threads);
    p.device = o->device;
    p.hw = bl__hw(o);
    int rc = bl_pose_video(&track, source, &p, NULL, NULL, err);
    if (rc == 0) rc = bl_motion_verdict(&verdict, track, BL_PURPOSE_SOURCE, NULL, err);
    if (rc == 0 && !verdict.usable)
        rc = bl_fail(err, BL_E_FOOTAGE, "%s cannot be used as the source: %s", source,
                     verdict.n_reasons ? verdict.reasons[0] : "no dancer was found");
    if (rc == 0) rc = bl_track_write(track, w->track, err);
    bl_track_destroy(&track);
    return rc;
}

int bl__cmd_run(const bl__options *o, bl_err *err) {
    const char *target, *source, *output;
    bl_transfer_result result = {0};
    char consent[1024] = "";
    work w;
    int rc = bl__no_words(o, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_target, &target, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_source, &source, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_output, &output, err);
    if (rc == 0) rc = plan(o, target, source, output, &w, err);
    if (rc < 0) return rc;
    int trained = bl_file_exists(w.model);
    rc = bl_dist_broadcast(o->dist, &trained, sizeof trained, err);
    if (rc == 0 && !trained) rc = bl__consent_for_all(o, consent, sizeof consent, err); /* before any work */
    if (rc == 0) rc = find_source(o, source, &w, err);
    if (rc == 0 && trained) bl_log(BL_LOG_INFO, "run", "the target is trained already: %s", w.model);
    if (rc == 0 && !trained) rc = train(o, target, consent, &w, err);
    if (rc < 0 || bl_dist_rank(o->dist) > 0) return rc; /* the dance is one process's work */
    bl_transfer_job job = bl__transfer_job(o);
    job.model = w.model;
    job.report = w.report;
    if (!job.overlay) job.overlay = w.overlay;
    if (!job.track) job.track = w.track;
    rc = bl_transfer_run(&job, &result, err);
    if (rc == 0) bl__print_transfer(&result, &job);
    return rc;
}
