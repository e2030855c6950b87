#include "label.h"

#include <math.h>

void bl__label_draw(float *label, const bl__grid *g, int x, int y, int w, int h, const bl_person *p,
                    const bl__warp *warp, const bl_figure_options *o) {
    bl_person moved = *p;
    const float fx = (float)(g->frame_w * g->scale), fy = (float)(g->frame_h * g->scale);
    const float cx = 0.5f * (float)w, cy = 0.5f * (float)h;
    const float zoom = hypotf(warp->cosine, warp->sine);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        bl_landmark *lm = &moved.landmarks[k];
        float sx = lm->x * fx - (float)x - cx - warp->tx, sy = lm->y * fy - (float)y - cy - warp->ty;
        lm->x = (warp->cosine * sx - warp->sine * sy + cx) / (float)w;
        lm->y = (warp->sine * sx + warp->cosine * sy + cy) / (float)h;
        lm->z *= zoom * fx / (float)w;
    }
    bl_figure_draw(label, w, h, &moved, w, h, (bl_view){0, 0, 1}, o);
}
