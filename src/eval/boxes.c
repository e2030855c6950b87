/* Where to look: boxes around the body and the face, and likeness within a box. */
#include <math.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"

#define SEEN 0.2f
#define SKULL 0.75f
#define FLESH 0.04f
#define FACE_ALONE 1.7f /* side of the face's square, in extents of the landmarks 0..10 */
#define MESH_SIDE 0.25f
#define MESH_TOP (1.f / 3)

typedef struct span {
    float x0, y0, x1, y1;
} span;

static const span nothing = {1e9f, 1e9f, -1e9f, -1e9f};

static void take(span *s, float x, float y) {
    if (!(fabsf(x) < 1e6f && fabsf(y) < 1e6f)) return;
    s->x0 = fminf(s->x0, x);
    s->x1 = fmaxf(s->x1, x);
    s->y0 = fminf(s->y0, y);
    s->y1 = fmaxf(s->y1, y);
}

static int clip(bl_box *out, const span *s, int w, int h) {
    if (s->x0 > s->x1) return 0;
    const int x0 = (int)floorf(BL_CLAMP(s->x0, 0, (float)w)), x1 = (int)ceilf(BL_CLAMP(s->x1, 0, (float)w)),
              y0 = (int)floorf(BL_CLAMP(s->y0, 0, (float)h)), y1 = (int)ceilf(BL_CLAMP(s->y1, 0, (float)h));
    *out = (bl_box){x0, y0, x1 - x0, y1 - y0};
    return out->w >= BL_EVAL_BOX_LEAST && out->h >= BL_EVAL_BOX_LEAST;
}

int bl_eval_body_box(bl_box *out, const bl_person *p, int frame_w, int frame_h) {
    const bl_landmark *lm = p->landmarks;
    const float w = (float)frame_w, h = (float)frame_h;
    span s = nothing;
    for (int k = 0; k < BL_LANDMARKS; k++)
        if (lm[k].visibility >= SEEN) take(&s, lm[k].x * w, lm[k].y * h);
    if (s.x0 > s.x1) return 0;
    if (lm[BL_LM_NOSE].visibility >= SEEN) {
        const float nx = 0.5f * (lm[BL_LM_L_SHOULDER].x + lm[BL_LM_R_SHOULDER].x),
                    ny = 0.5f * (lm[BL_LM_L_SHOULDER].y + lm[BL_LM_R_SHOULDER].y);
        take(&s, (lm[BL_LM_NOSE].x + SKULL * (lm[BL_LM_NOSE].x - nx)) * w,
             (lm[BL_LM_NOSE].y + SKULL * (lm[BL_LM_NOSE].y - ny)) * h);
    }
    const float flesh = FLESH * fmaxf(s.y1 - s.y0, s.x1 - s.x0);
    s = (span){s.x0 - flesh, s.y0 - flesh, s.x1 + flesh, s.y1 + flesh};
    return clip(out, &s, frame_w, frame_h);
}

static int face_of_mesh(bl_box *out, const bl_person *p, int frame_w, int frame_h) {
    span s = nothing;
    for (int k = 0; k < BL_FACE_POINTS; k++)
        take(&s, p->face.points[k].x * (float)frame_w, p->face.points[k].y * (float)frame_h);
    const float dx = MESH_SIDE * (s.x1 - s.x0), dy = MESH_SIDE * (s.y1 - s.y0);
    s = (span){s.x0 - dx, s.y0 - MESH_TOP * (s.y1 - s.y0), s.x1 + dx, s.y1 + dy};
    return clip(out, &s, frame_w, frame_h);
}

int bl_eval_face_box(bl_box *out, const bl_person *p, int frame_w, int frame_h) {
    if (p->face.score > 0) return face_of_mesh(out, p, frame_w, frame_h);
    span s = nothing;
    for (int k = 0; k <= BL_LM_MOUTH_R; k++)
        if (p->landmarks[k].visibility >= SEEN)
            take(&s, p->landmarks[k].x * (float)frame_w, p->landmarks[k].y * (float)frame_h);
    if (s.x0 > s.x1) return 0;
    const float half = 0.5f * FACE_ALONE * fmaxf(s.x1 - s.x0, s.y1 - s.y0), cx = 0.5f * (s.x0 + s.x1),
                cy = 0.5f * (s.y0 + s.y1);
    s = (span){cx - half, cy - half, cx + half, cy + half};
    return clip(out, &s, frame_w, frame_h);
}

static void cut(float *out, const bl_frame *f, const bl_box *b) {
    for (int y = 0; y < b->h; y++) {
        const uint8_t *row = f->data + (b->y + y) * f->stride + (ptrdiff_t)b->x * 3;
        for (int x = 0; x < b->w * 3; x++) *out++ = row[x];
    }
}

int bl_eval_box(double *ssim, double *psnr, const bl_frame *made, const bl_frame *real, const bl_box *box,
                bl_err *err) {
    const size_t n = (size_t)box->w * (size_t)box->h * 3;
    float *buf = bl_alloc_array(n * 2, sizeof *buf);
    if (!buf) return bl_fail(err, BL_E_NOMEM, "not enough memory to compare pictures");
    cut(buf, made, box);
    cut(buf + n, real, box);
    *psnr = bl_eval_psnr(buf, buf + n, box->w, box->h, 3, 255);
    int rc = bl_eval_ssim(ssim, buf, buf + n, box->w, box->h, 3, 255, err);
    bl_free(buf);
    return rc;
}
