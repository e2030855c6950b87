/* The page of a transfer: what was made, and how. */
#ifndef BALLERINO_TRANSFER_REPORT_TRANSFER_H
#define BALLERINO_TRANSFER_REPORT_TRANSFER_H

#include "report.h"
#include "strip.h"

typedef struct bl__transfer_facts {
    const bl_transfer_job *job;
    const bl_model *model;
    const bl_transfer_result *result;
    const bl_verdict *source;          /* on the source clip */
    const bl__strip *strip;            /* moments that were kept */
    int window_width, window_height;   /* of the generator here */
    int picture_width, picture_height; /* of the result without side-by-side */
    double pose_seconds, prepare_seconds, frames_seconds;
} bl__transfer_facts;
/* Writes job->report; says so where that fails. */
void bl__report_transfer(const bl__transfer_facts *f);

#endif
