/* eval VIDEO -o FOLDER [--ablate | --methods ... | --model me.ballerino] */
#include <string.h>

#include "ballerino/trial.h"
#include "jobs.h"

static const char *or_null(const bl__options *o, bl__opt id) {
    const char *t = bl__option_text(o, id);
    return *t ? t : NULL;
}

/* The LPIPS option's two files; `buf` holds them. */
static void lpips_files(bl_trial_job *job, const bl__options *o, char *buf, size_t size) {
    snprintf(buf, size, "%s", bl__option_text(o, BL__OPT_lpips));
    char *comma = strchr(buf, ',');
    if (comma) *comma = 0;
    job->lpips = *buf ? buf : NULL;
    job->lpips_linear = comma ? comma + 1 : NULL;
}

int bl__cmd_eval(const bl__options *o, bl_err *err) {
    char consent[1024], lpips[4096], *text = NULL;
    bl_trial_job job = bl_trial_job_default();
    bl_trial_result result = {0};
    const double holdout = job.train.holdout;
    if (o->n_words != 1)
        return bl_fail(err, BL_E_USAGE, "eval needs one video: ballerino eval VIDEO -o FOLDER");
    job.train = bl__train_job(o);
    if (!(job.train.holdout > 0)) job.train.holdout = holdout;
    job.train.target = o->words[0];
    job.train.track = or_null(o, BL__OPT_track);
    job.model = or_null(o, BL__OPT_model);
    job.methods = or_null(o, BL__OPT_methods);
    job.ablate = bl__option_flag(o, BL__OPT_ablate);
    job.steady = (float)bl__option_real(o, BL__OPT_steady);
    lpips_files(&job, o, lpips, sizeof lpips);
    int rc = bl__option_need(o, BL__OPT_output, &job.output, err);
    if (rc == 0 && !job.model) rc = bl__consent_for_all(o, consent, sizeof consent, err);
    if (!job.model) job.train.consent = consent;
    if (rc == 0) rc = bl_trial_run(&job, &result, err);
    if (rc == 0 && bl_dist_rank(o->dist) == 0)
        rc = bl_eval_tables_text(&text, result.rows, result.n, result.with_lpips, err);
    if (text) fputs(text, stdout);
    bl_free(text);
    bl_trial_result_release(&result);
    return rc;
}
