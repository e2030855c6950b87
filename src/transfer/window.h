/*
 * Window: the part of the target's frame that the generator sees. Its size in pixels and its scale are fixed
 * for a clip, its place follows the person smoothly. Training and transfer use the same rule.
 */
#ifndef BALLERINO_TRANSFER_WINDOW_H
#define BALLERINO_TRANSFER_WINDOW_H

#include "ballerino/track.h"
#include "grid.h"

typedef struct bl__body_box {
    float x0, y0, x1, y1; /* frame pixels */
} bl__body_box;
/* Around the visible landmarks, with the skull above the face and a little for flesh and clothes. 0: nobody
 * usable. */
int bl__body_box_of(bl__body_box *box, const bl_track_frame *f, int frame_w, int frame_h);

typedef struct bl__extent {
    float width, height; /* frame pixels that hold the person around the followed centre */
    float drop;          /* the window's centre lies this far below the followed centre */
} bl__extent;

typedef struct bl__follow {
    int64_t n;
    float *cx, *cy; /* smoothed centre of the person for each track frame, frame pixels */
    int *x, *y;     /* the window's place for each track frame, grid pixels; see bl__follow_place */
} bl__follow;

/* Smooths the person's centre over about a second; held and bridged where nobody is. BL_E_FOOTAGE when nobody
 * is anywhere. */
int bl__follow_init(bl__follow *f, const bl_track *t, bl_err *err);
void bl__follow_release(bl__follow *f);
/* What must fit, over frames [0, n): percentiles, so that a few bad detections do not matter. */
int bl__follow_extent(const bl__follow *f, bl__extent *e, const bl_track *t, int64_t n, bl_err *err);
/* Fills x and y: windows of w x h follow the centre, and stay inside the grid where they can. */
void bl__follow_place(bl__follow *f, const bl__grid *g, int w, int h, float drop);

/* The best window of about `area` pixels with sides that are multiples of `step`: the largest scale at which
 * the extent fits. fixed_w, fixed_h: 0 or given. */
typedef struct bl__window {
    int w, h;
    double scale; /* window pixels a frame pixel, at most 1 */
} bl__window;
bl__window bl__window_fit(const bl__extent *e, int area, int step, int fixed_w, int fixed_h);
/* The whole frame at about `area` pixels (scene paint). */
bl__window bl__window_whole(int frame_w, int frame_h, int area, int step, int fixed_w, int fixed_h);

#endif
