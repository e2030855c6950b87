/*
 * Status codes and errors: how every call of the library says what went wrong.
 *
 *     bl_err err = {0};
 *     if (bl_reader_open(&reader, "in.mp4", NULL, &err) < 0) {
 *         fprintf(stderr, "ballerino: %s\n", err.msg);
 *         return bl_status_exit_code(err.code);
 *     }
 *
 * A function returns 0 (or a positive count) for success and a negative `bl_status` for failure. A `bl_err`
 * may be NULL; it is untouched on success. Its message is one sentence: what is wrong, where, what to do.
 */
#ifndef BALLERINO_STATUS_H
#define BALLERINO_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, process exit code, text): the one table of failures. */
#define BL_STATUS_TABLE(X)                                                                                   \
    X(OK, 0, 0, "success")                                                                                   \
    X(E_INTERNAL, -1, 1, "internal error, a bug in Ballerino")                                               \
    X(E_USAGE, -2, 2, "the command line or a setting is wrong")                                              \
    X(E_NOT_FOUND, -3, 3, "a file is missing or unreadable")                                                 \
    X(E_FORMAT, -4, 4, "a file is damaged or not what it should be")                                         \
    X(E_UNSUPPORTED, -5, 5, "valid, but not supported by this build or machine")                             \
    X(E_IO, -6, 6, "writing failed: disk full, no permission, or a device error")                            \
    X(E_NOMEM, -7, 7, "not enough memory")                                                                   \
    X(E_FOOTAGE, -8, 8, "the footage cannot be used: no person, too little, or not whole")                   \
    X(E_CONSENT, -9, 9, "the target's consent was not stated")                                               \
    X(E_MODELS, -10, 10, "the pose models are not installed or damaged")                                     \
    X(E_DEVICE, -11, 11, "the compute device failed or is not there")                                        \
    X(E_MISMATCH, -12, 12, "files do not belong together: another version, size or model")                   \
    X(E_INTERRUPTED, -13, 130, "stopped by the user; what was done is saved")

typedef enum bl_status {
#define BL_X(name, value, exit_code, text) BL_##name = value,
    BL_STATUS_TABLE(BL_X)
#undef BL_X
} bl_status;

/* One failure. `msg` is complete and needs no prefix; file and line are where in the source it was noticed.
 */
typedef struct bl_err {
    int code;
    char msg[768];
    const char *file;
    int line;
} bl_err;

const char *bl_status_name(int code); /* "E_FORMAT"; "E_INTERNAL" for an unknown code */
const char *bl_status_text(int code); /* the table's text */
int bl_status_exit_code(int code);    /* the process exit code, 0..255 */

/* Fill *err (if not NULL) and return `code`, so that `return bl_fail(err, BL_E_IO, "...")` reads well. */
#define bl_fail(err, code, ...) bl_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)
int bl_fail_at(bl_err *err, int code, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Put "context: " before the message of an error that is being passed up. Returns err's code (or `code`). */
int bl_err_context(bl_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
