/* transfer --model me.ballerino --source dance.mp4 -o out.mp4, or --method retrieve --target me.mp4 ... */
#include "jobs.h"

int bl__cmd_transfer(const bl__options *o, bl_err *err) {
    bl_transfer_job job = bl__transfer_job(o);
    char consent[1024];
    bl_transfer_result result = {0};
    int rc = bl__no_words(o, err);
    job.method = (bl_method)bl__option_choice(o, BL__OPT_method);
    if (rc == 0 && job.method == BL_METHOD_GENERATE) rc = bl__option_need(o, BL__OPT_model, &job.model, err);
    if (rc == 0 && job.method == BL_METHOD_RETRIEVE) {
        rc = bl__option_need(o, BL__OPT_target, &job.target, err);
        if (rc == 0) rc = bl__consent(o, consent, sizeof consent, err);
        job.consent = consent;
    }
    if (rc == 0) rc = bl__option_need(o, BL__OPT_source, &job.source, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_output, &job.output, err);
    if (rc == 0) rc = bl_transfer_run(&job, &result, err);
    if (rc == 0) bl__print_transfer(&result, &job);
    return rc;
}
