/*
 * Reads the files of a .tgz one after the other, trusting nothing in it.
 *
 *     bl__tgz *t = NULL; char name[256]; int64_t size; char *data;
 *     bl__tgz_open(&t, "a.tgz", &err);
 *     while ((rc = bl__tgz_next(t, name, sizeof name, &size, &err)) > 0)
 *         if (wanted(name)) bl__tgz_read(t, &data, &err);        // else it is skipped
 *     bl__tgz_close(&t);
 *
 * Names are what the archive says: only for comparing, never to be used as paths.
 */
#ifndef BL_POSE_TGZ_H
#define BL_POSE_TGZ_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

#define BL__TGZ_MAX_FILE (256 << 20)

typedef struct bl__tgz bl__tgz;

int bl__tgz_open(bl__tgz **out, const char *path, bl_err *err);
/* 1 and the next regular file, 0 at the end. */
int bl__tgz_next(bl__tgz *t, char *name, size_t name_size, int64_t *size, bl_err *err);
/* The whole of the file that bl__tgz_next stopped at; bl_free() it. */
int bl__tgz_read(bl__tgz *t, char **data, bl_err *err);
void bl__tgz_close(bl__tgz **t);

#endif
