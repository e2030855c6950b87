/* How progress is shown: one line a stage on a terminal, JSON lines for machines (docs/formats/progress.md),
 * plain lines, or nothing. */
#ifndef BALLERINO_CLI_SHOW_H
#define BALLERINO_CLI_SHOW_H

#include "options.h"

void bl__show_install(const bl__options *o);

#endif
