/*
 * Patches: the samples that a refiner (face or hands) learns from. For each frame in which the part is seen:
 * the box, what the main generator and the composition made of it, and the photo, both with a border, in one
 * mapped file of the training folder, in the order of the clip.
 *
 * File: "BLPATC01", int32 size, border, int64 patches, 0; then records of equal size (a multiple of 64):
 * bl__patch, made RGB bytes, photo RGB bytes. Native byte order: a cache.
 */
#ifndef BALLERINO_TRANSFER_PATCHES_H
#define BALLERINO_TRANSFER_PATCHES_H

#include "ballerino/base.h"
#include "ballerino/gan.h"
#include "label.h"
#include "patch.h"

#define BL__PATCH_BORDER 8 /* patch pixels kept around for augmentation */

typedef struct bl__patch {
    int64_t frame; /* index in the track */
    bl__part_box box;
    int32_t part, unused; /* bl_region */
} bl__patch;

typedef struct bl__patches {
    int size;
    int64_t n;
    const bl_track *track; /* borrowed */
    bl_map map;
    size_t record;
    float *scratch; /* for augmentation */
} bl__patches;

int bl__patches_open(bl__patches *p, const char *path, const bl_track *t, bl_err *err);
void bl__patches_close(bl__patches *p);
const bl__patch *bl__patches_at(const bl__patches *p, int64_t index);
/* As the trainer wants them: label the figure in the patch, plate what was made, real the photo, weight that
 * of pasting. */
bl_gan_source bl__patches_source(bl__patches *p);
bl_view bl__patch_view(const bl__part_box *b, int size); /* from frame pixels to the patch's */
/* The label of a patch: the figure, as the refiner sees it in training and in use. */
void bl__patch_label(float *label, int size, const bl__part_box *b, const bl_person *p, int frame_w,
                     int frame_h, const bl__warp *warp, const bl_figure_options *o);

typedef struct bl__patches_writer {
    bl_file_writer file;
    int size;
    int64_t n;
    uint8_t *record;
    size_t record_size;
} bl__patches_writer;
int bl__patches_begin(bl__patches_writer *w, const char *path, int size, bl_err *err);
int bl__patches_put(bl__patches_writer *w, const bl__patch *patch, const bl_frame *made,
                    const bl_frame *photo, bl_err *err);
int bl__patches_commit(bl__patches_writer *w, bl_err *err);
void bl__patches_abort(bl__patches_writer *w); /* safe after commit */

#endif
