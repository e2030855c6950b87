/* The head of the samples' file, shared by its reader and its writer. */
#ifndef BALLERINO_TRANSFER_DATASET_FILE_H
#define BALLERINO_TRANSFER_DATASET_FILE_H

#include <stdint.h>

#define BL__DATASET_MAGIC "BLSAMP01"
#define BL__DATASET_HEADER 64

typedef struct bl__dataset_header {
    char magic[8];
    int32_t w, h, border, zero;
    int64_t n, n_train;
} bl__dataset_header;

#endif
