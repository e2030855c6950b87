/* Inside of a report, shared by its parts. */
#ifndef BALLERINO_EVAL_REPORT_PAGE_H
#define BALLERINO_EVAL_REPORT_PAGE_H

#include "ballerino/report.h"
#include "html.h"

#define BL__REPORT_DEPTH 8

struct bl_report {
    bl__html html;
    const char *open[BL__REPORT_DEPTH]; /* the closing markup of what is open */
    int depth;
};

#endif
