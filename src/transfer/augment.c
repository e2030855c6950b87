#include "augment.h"

#include <math.h>

#include "ballerino/base.h"

bl__moves bl__moves_draw(const bl__augment *a, uint64_t seed) {
    bl_rng r;
    bl_rng_seed(&r, seed);
    bl__moves m = {.warp = BL__WARP_NONE, .whole = bl_rng_uniform(&r) >= (double)a->warp_share};
    m.warp.tx = (float)(bl_rng_below(&r, 2 * a->shift + 1) - a->shift);
    m.warp.ty = (float)(bl_rng_below(&r, 2 * a->shift + 1) - a->shift);
    double zoom = 1 + (double)a->zoom * (2 * bl_rng_uniform(&r) - 1),
           turn = (double)a->turn * (2 * bl_rng_uniform(&r) - 1);
    if (!m.whole) {
        m.warp.cosine = (float)(zoom * cos(turn));
        m.warp.sine = (float)(zoom * sin(turn));
    }
    for (int k = 0; k < bl_figure_limb_count() && k < 32; k++)
        if (bl_rng_uniform(&r) < (double)a->drop_share) m.drop |= 1u << k;
    for (int k = 0; k < 3; k++)
        if (bl_rng_uniform(&r) < (double)a->drop_share) m.drop_parts |= 1u << k;
    return m;
}

static void move_points(bl_point3 *q, int n, float dx, float dy) {
    for (int k = 0; k < n; k++) {
        q[k].x += dx;
        q[k].y += dy;
    }
}

void bl__jitter(bl_person *p, uint64_t seed, double sd, int frame_w, int frame_h) {
    const bl_person before = *p;
    bl_rng r;
    bl_rng_seed(&r, seed);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        p->landmarks[k].x += (float)(sd * bl_rng_normal(&r) / frame_w);
        p->landmarks[k].y += (float)(sd * bl_rng_normal(&r) / frame_h);
    }
    const struct {
        int joint, n;
        bl_point3 *points;
    } parts[] = {{BL_LM_L_WRIST, BL_HAND_POINTS, p->left_hand.points},
                 {BL_LM_R_WRIST, BL_HAND_POINTS, p->right_hand.points},
                 {BL_LM_NOSE, BL_FACE_POINTS, p->face.points}};
    for (size_t k = 0; k < BL_COUNT(parts); k++)
        move_points(parts[k].points, parts[k].n,
                    p->landmarks[parts[k].joint].x - before.landmarks[parts[k].joint].x,
                    p->landmarks[parts[k].joint].y - before.landmarks[parts[k].joint].y);
}

bl__moves bl__disturb(bl_person *p, const bl__augment *a, uint64_t augment, int64_t index, double height,
                      int frame_w, int frame_h) {
    if (!augment) return (bl__moves){.warp = BL__WARP_NONE, .whole = 1};
    bl__jitter(p, augment ^ (uint64_t)(index + 1) * 0x9e3779b97f4a7c15u, (double)a->jitter * height, frame_w,
               frame_h);
    return bl__moves_draw(a, augment);
}

void bl__moves_back(const bl__moves *m, int w, int h, int i, int j, float *u, float *v) {
    const float zoom2 = m->warp.cosine * m->warp.cosine + m->warp.sine * m->warp.sine;
    const float a = m->warp.cosine / zoom2, b = m->warp.sine / zoom2; /* the inverse of the label's mapping */
    const float cx = 0.5f * (float)w, cy = 0.5f * (float)h;
    const float x = (float)i + 0.5f - cx, y = (float)j + 0.5f - cy;
    *u = a * x + b * y + cx + m->warp.tx - 0.5f;
    *v = -b * x + a * y + cy + m->warp.ty - 0.5f;
}

void bl__sample_cubic(const float *picture, int w, int h, int channels, float u, float v, float *out) {
    const int iu = (int)floorf(u), iv = (int)floorf(v);
    float wu[4], wv[4], sum[16] = {0};
    bl__cubic_weights(u - (float)iu, wu);
    bl__cubic_weights(v - (float)iv, wv);
    for (int j = 0; j < 4; j++) {
        const float *row = picture + (ptrdiff_t)BL_CLAMP(iv - 1 + j, 0, h - 1) * w * channels;
        for (int i = 0; i < 4; i++) {
            const float *px = row + (ptrdiff_t)BL_CLAMP(iu - 1 + i, 0, w - 1) * channels, k = wu[i] * wv[j];
            for (int c = 0; c < channels; c++) sum[c] += k * px[c];
        }
    }
    for (int c = 0; c < channels; c++) out[c] = sum[c];
}
