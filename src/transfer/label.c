#include "label.h"

#include <math.h>

/* From coordinates normalised to the frame to coordinates normalised to the window. */
typedef struct mapping {
    float xx, xy, x, yx, yy, y, z;
} mapping;

static mapping mapping_of(int w, int h, int frame_w, int frame_h, bl_view view, const bl__warp *warp) {
    const float fx = (float)frame_w * view.scale, fy = (float)frame_h * view.scale;
    const float cx = 0.5f * (float)w, cy = 0.5f * (float)h;
    const float ox = -view.x0 * view.scale - cx - warp->tx, oy = -view.y0 * view.scale - cy - warp->ty;
    return (mapping){.xx = warp->cosine * fx / (float)w,
                     .xy = -warp->sine * fy / (float)w,
                     .x = (warp->cosine * ox - warp->sine * oy + cx) / (float)w,
                     .yx = warp->sine * fx / (float)h,
                     .yy = warp->cosine * fy / (float)h,
                     .y = (warp->sine * ox + warp->cosine * oy + cy) / (float)h,
                     .z = hypotf(warp->cosine, warp->sine) * fx / (float)w};
}

static void map(const mapping *m, float *x, float *y, float *z) {
    const float px = *x, py = *y;
    *x = m->xx * px + m->xy * py + m->x;
    *y = m->yx * px + m->yy * py + m->y;
    *z *= m->z;
}

static void map_points(const mapping *m, bl_point3 *q, int n) {
    for (int k = 0; k < n; k++) map(m, &q[k].x, &q[k].y, &q[k].z);
}

/* The person in coordinates normalised to the window. */
static bl_person moved_to(int w, int h, const bl_person *p, int frame_w, int frame_h, bl_view view,
                          const bl__warp *warp) {
    bl_person moved = *p;
    const mapping m = mapping_of(w, h, frame_w, frame_h, view, warp);
    for (int k = 0; k < BL_LANDMARKS; k++)
        map(&m, &moved.landmarks[k].x, &moved.landmarks[k].y, &moved.landmarks[k].z);
    if (p->left_hand.score > 0) map_points(&m, moved.left_hand.points, BL_HAND_POINTS);
    if (p->right_hand.score > 0) map_points(&m, moved.right_hand.points, BL_HAND_POINTS);
    if (p->face.score > 0) map_points(&m, moved.face.points, BL_FACE_POINTS);
    return moved;
}

static bl_view view_of(const bl__grid *g, int x, int y) {
    const float scale = (float)g->scale;
    return (bl_view){(float)x / scale, (float)y / scale, scale};
}

void bl__label_draw_view(float *label, int w, int h, const bl_person *p, int frame_w, int frame_h,
                         bl_view view, const bl__warp *warp, const bl_figure_options *o) {
    const bl_person moved = moved_to(w, h, p, frame_w, frame_h, view, warp);
    bl_figure_draw(label, w, h, &moved, w, h, (bl_view){0, 0, 1}, o);
}

void bl__label_draw(float *label, const bl__grid *g, int x, int y, int w, int h, const bl_person *p,
                    const bl__warp *warp, const bl_figure_options *o) {
    bl__label_draw_view(label, w, h, p, g->frame_w, g->frame_h, view_of(g, x, y), warp, o);
}

void bl__label_queue_view(bl_picture *label, bl_staged *list, const bl_person *p, int frame_w, int frame_h,
                          bl_view view) {
    const bl__warp none = BL__WARP_NONE;
    const int w = label->w, h = label->h;
    const bl_person moved = moved_to(w, h, p, frame_w, frame_h, view, &none);
    const int n = bl_figure_capsules(list->host, &moved, w, h, (bl_view){0, 0, 1}, NULL);
    bl_staged_up(list, n * (int64_t)sizeof(bl_capsule));
    bl_picture_draw(label, list, n);
}

void bl__label_queue(bl_picture *label, bl_staged *list, const bl__grid *g, int x, int y,
                     const bl_person *p) {
    bl__label_queue_view(label, list, p, g->frame_w, g->frame_h, view_of(g, x, y));
}
