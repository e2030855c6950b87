/* eval VIDEO -o FOLDER --model me.ballerino */
#include "ballerino/trial.h"
#include "jobs.h"

int bl__cmd_eval(const bl__options *o, bl_err *err) {
    bl_trial_job job = bl_trial_job_default();
    bl_trial_result result = {0};
    char *text = NULL;
    if (o->n_words != 1)
        return bl_fail(err, BL_E_USAGE, "eval needs one video: ballerino eval VIDEO -o FOLDER --model FILE");
    job.train.target = o->words[0];
    job.train.threads = (int)bl__option_int(o, BL__OPT_threads);
    job.train.models_dir = bl__models_dir(o);
    job.train.pose_model = (bl_pose_model)bl__option_choice(o, BL__OPT_pose_model);
    if (*bl__option_text(o, BL__OPT_track)) job.train.track = bl__option_text(o, BL__OPT_track);
    int rc = bl__option_need(o, BL__OPT_output, &job.output, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_model, &job.model, err);
    if (rc == 0) rc = bl_trial_run(&job, &result, err);
    if (rc == 0) rc = bl_eval_tables_text(&text, result.rows, result.n, result.with_lpips, err);
    if (rc == 0) fputs(text, stdout);
    bl_free(text);
    bl_trial_result_release(&result);
    return rc;
}
