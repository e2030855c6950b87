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

/* The plate with one frame's figure, over faint ones: of `behind` at the same time, or of other times. */
static int target_panel(bl_frame **out, const bl__overlay *o, const bl_track *t, const bl_track *behind,
                        bl_err *err) {
    int rc = copy(out, o->plate, err);
    if (rc < 0) return rc;
    floor_lines(*out, o->target_stats);
    for (int k = 0; !behind && k < OTHERS; k++) {
        const bl_track_frame *f = &t->frames[(2 * k + 1) * t->n / (2 * OTHERS)];
        if (f->has_person) bl_figure_overlay(*out, &f->person, FAINT, NULL);
    }
    if (behind) bl_figure_overlay(*out, &behind->frames[o->entry].person, FAINT, NULL);
    bl_figure_overlay(*out, &t->frames[o->entry].person, 1, NULL);
    return 0;
}

static int source_panel(bl_frame **out, const bl__overlay *o, bl_err *err) {
    bl_frame *full = NULL;
    int rc = copy(&full, o->source_frame, err);
    if (rc < 0) return rc;
    floor_lines(full, o->source_stats);
    bl_figure_overlay(full, &o->source->frames[o->entry].person, 1, NULL);
    int w = BL_MAX(1, (int)((double)full->width * o->plate->height / full->height + 0.5));
    rc = bl_frame_resize(out, full, w, o->plate->height, err);
    bl_frame_unref(&full);
    return rc;
}

int bl__overlay_write(const bl__overlay *o, const char *path, bl_err *err) {
    bl_frame *panels[3] = {0}, *all = NULL;
    int rc = source_panel(&panels[0], o, err), width = 0, x = 0;
    if (rc == 0) rc = target_panel(&panels[1], o, o->normalised, NULL, err);
    if (rc == 0 && o->retargeted) rc = target_panel(&panels[2], o, o->retargeted, o->normalised, err);
    for (int k = 0; k < 3 && panels[k]; k++) width += panels[k]->width;
    if (rc == 0) rc = bl_frame_create(&all, width, o->plate->height, err);
    for (int k = 0; rc == 0 && k < 3 && panels[k]; x += panels[k]->width, k++)
        for (int y = 0; y < all->height; y++)
            memcpy(all->data + y * all->stride + (ptrdiff_t)x * 3, panels[k]->data + y * panels[k]->stride,
                   (size_t)panels[k]->width * 3);
    if (rc == 0) rc = bl_png_write(all, path, err);
    for (int k = 0; k < 3; k++) bl_frame_unref(&panels[k]);
    bl_frame_unref(&all);
    return rc;
}
