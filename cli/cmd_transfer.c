/* transfer --model me.ballerino --source dance.mp4 -o out.mp4 */
#include "jobs.h"

int bl__cmd_transfer(const bl__options *o, bl_err *err) {
    bl_transfer_job job = bl__transfer_job(o);
    bl_transfer_result result = {0};
    int rc = bl__no_words(o, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_model, &job.model, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_source, &job.source, err);
    if (rc == 0) rc = bl__option_need(o, BL__OPT_output, &job.output, err);
    if (rc == 0) rc = bl_transfer_run(&job, &result, err);
    if (rc == 0) bl__print_transfer(&result, &job);
    return rc;
}
