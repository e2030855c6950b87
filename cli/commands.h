/* One short file a command; each prints its result on stdout and returns 0 or a failure. */
#ifndef BALLERINO_CLI_COMMANDS_H
#define BALLERINO_CLI_COMMANDS_H

#include "options.h"

#define BL_X(name, words, help) int bl__cmd_##name(const bl__options *o, bl_err *err);
BL__CMD_TABLE(BL_X)
#undef BL_X

/* What the command line asks for: `argv` is that of the program, with at least one word. Settings files
 * first, then the options; to be released when 0 is returned. */
int bl__options_of(bl__options *o, int argc, char **argv, bl_err *err);
/* The end of the program: says what went wrong (or that stdout could not be written), gives the exit code. */
int bl__exit_code(int rc, bl_err *err);

/* Jobs from options, shared by train, transfer and run. */
struct bl_train_job;
struct bl_transfer_job;
const char *bl__models_dir(const bl__options *o); /* NULL: the default */
/* The consent statement: the option, or typed at a terminal; E_CONSENT when neither. */
int bl__consent(const bl__options *o, char *buf, size_t size, bl_err *err);
int bl__no_words(const bl__options *o, bl_err *err);

#endif
