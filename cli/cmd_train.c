/* train VIDEO -o me.ballerino */
#include "jobs.h"

int bl__cmd_train(const bl__options *o, bl_err *err) {
    char consent[1024];
    bl_train_job job = bl__train_job(o);
    bl_train_result result = {0};
    if (o->n_words != 1)
        return bl_fail(err, BL_E_USAGE, "train needs one video: ballerino train VIDEO -o me.ballerino");
    job.target = o->words[0];
    job.track = *bl__option_text(o, BL__OPT_track) ? bl__option_text(o, BL__OPT_track) : NULL;
    int rc = bl__option_need(o, BL__OPT_output, &job.output, err);
    if (rc == 0) rc = bl__consent_for_all(o, consent, sizeof consent, err);
    if (rc < 0) return rc;
    job.consent = consent;
    rc = bl_train_run(&job, &result, err);
    if (rc == 0 && bl_dist_rank(o->dist) == 0) bl__print_training(&result, job.output);
    return rc;
}
