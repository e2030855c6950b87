#include "overlay.h"

#include <string.h>

#include "ballerino/base.h"
#include "ballerino/figure.h"

#define OTHERS 4 /* figures from other times, faint */
#define FAINT 0.35f

int64_t bl__overlay_entry(const bl_track *t) {
    for (int64_t d = 0; d <= t->n / 2 + 1; d++)
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t k = t->n / 2 + sign * d;
            if (k >= 0 && k < t->n && t->frames[k].has_person) return k;
        }
    return -1;
}

static void floor_line(bl_frame *f, float y, const uint8_t rgb[3]) {
    const int thick = BL_MAX(2, f->height / 300);
    for (int j = (int)y; j < (int)y + thick; j++)
        for (int i = 0; i < f->width && j >= 0 && j < f->height; i++)
            memcpy(f->data + j * f->stride + (ptrdiff_t)i * 3, rgb, 3);
}

static void floor_lines(bl_frame *f, const bl_pose_stats *s) {
    static const uint8_t near[3] = {255, 64, 64}, far[3] = {64, 160, 255};
    floor_line(f, s->floor_far, far);
    floor_line(f, s->floor_near, near);
}

static int copy(bl_frame **out, const bl_frame *in, bl_err *err) {
    int rc = bl_frame_create(out, in->width, in->height, err);
    for (int y = 0; rc == 0 && y < in->height; y++)
        memcpy((*out)->data + y * (*out)->stride, in->data + y * in->stride, (size_t)in->width * 3);
    return rc;
}

int bl__overlay_write(const bl__overlay *o, const char *path, bl_err *err) {
    bl_frame *left = NULL, *small = NULL, *right = NULL, *both = NULL;
    int rc = copy(&left, o->source_frame, err);
    if (rc == 0) rc = copy(&right, o->plate, err);
    if (rc == 0) {
        floor_lines(left, o->source_stats);
        bl_figure_overlay(left, &o->source->frames[o->entry].person, 1, NULL);
        floor_lines(right, o->target_stats);
        for (int k = 0; k < OTHERS; k++) {
            const bl_track_frame *f = &o->normalised->frames[(2 * k + 1) * o->normalised->n / (2 * OTHERS)];
            if (f->has_person) bl_figure_overlay(right, &f->person, FAINT, NULL);
        }
        bl_figure_overlay(right, &o->normalised->frames[o->entry].person, 1, NULL);
        int w = BL_MAX(1, (int)((double)left->width * right->height / left->height + 0.5));
        rc = bl_frame_resize(&small, left, w, right->height, err);
        if (rc == 0) rc = bl_frame_create(&both, w + right->width, right->height, err);
    }
    for (int y = 0; rc == 0 && y < both->height; y++) {
        memcpy(both->data + y * both->stride, small->data + y * small->stride, (size_t)small->width * 3);
        memcpy(both->data + y * both->stride + (ptrdiff_t)small->width * 3, right->data + y * right->stride,
               (size_t)right->width * 3);
    }
    if (rc == 0) rc = bl_png_write(both, path, err);
    bl_frame_unref(&left);
    bl_frame_unref(&small);
    bl_frame_unref(&right);
    bl_frame_unref(&both);
    return rc;
}
