/* Jobs of the library from the options; shared by train, transfer and run. */
#ifndef BALLERINO_CLI_JOBS_H
#define BALLERINO_CLI_JOBS_H

#include "ballerino/transfer.h"
#include "commands.h"

/* --hwaccel */
static inline bl_hw bl__hw(const bl__options *o) {
    return bl__option_choice(o, BL__OPT_hwaccel) == 0 ? BL_HW_AUTO : BL_HW_OFF;
}
bl_train_job bl__train_job(const bl__options *o);
bl_transfer_job bl__transfer_job(const bl__options *o);
/* As bl__consent, asked for by the first process. */
int bl__consent_for_all(const bl__options *o, char *buf, size_t size, bl_err *err);
void bl__print_training(const bl_train_result *r, const char *model);
void bl__print_transfer(const bl_transfer_result *r, const bl_transfer_job *job);

#endif
