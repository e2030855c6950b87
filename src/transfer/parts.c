#include "parts.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/figure.h"
#include "window.h"

#define HEAD_M 0.36f    /* side of the face's box: a head with its hair, metres */
#define HAND_M 0.30f    /* of a hand's: the fingers stretched, any way round */
#define CROWN 0.12f     /* the head's middle lies above the face's, in box sides */
#define BODY_M 1.6f     /* nose to ankles, where no world landmarks are */
#define TRUSTED 0.3f    /* visibility above which a joint is measured */
#define LEAST_SIDE 16.f /* smaller boxes are not worth refining, frame pixels */
#define CENTRE_S 0.04   /* standard deviations of the smoothing, seconds */
#define SIDE_S 0.5
#define SEEN_S 0.06

static float scale_of(const bl_track_frame *f, int w, int h) {
    float scale = bl_figure_scale(&f->person, w, h, TRUSTED);
    bl__body_box b;
    if (scale <= 0 && bl__body_box_of(&b, f, w, h)) scale = (b.y1 - b.y0) / BODY_M;
    return scale;
}

static bl__part_box face_box(const bl_person *p, int w, int h, float scale) {
    const bl_landmark *lm = p->landmarks;
    static const uint8_t about[] = {BL_LM_NOSE, BL_LM_L_EYE, BL_LM_R_EYE, BL_LM_L_EAR, BL_LM_R_EAR};
    float x = 0, y = 0, side = HEAD_M * scale;
    for (size_t k = 0; k < BL_COUNT(about); k++) {
        x += lm[about[k]].x * (float)w / (float)BL_COUNT(about);
        y += lm[about[k]].y * (float)h / (float)BL_COUNT(about);
    }
    float ux = x - 0.5f * (lm[BL_LM_L_SHOULDER].x + lm[BL_LM_R_SHOULDER].x) * (float)w,
          uy = y - 0.5f * (lm[BL_LM_L_SHOULDER].y + lm[BL_LM_R_SHOULDER].y) * (float)h;
    const float length = fmaxf(hypotf(ux, uy), 1e-3f);
    return (bl__part_box){x + CROWN * side * ux / length, y + CROWN * side * uy / length, side,
                          p->face.score > 0.5f ? 1 : 0};
}

static bl__part_box hand_box(const bl_person *p, int left, int w, int h, float scale) {
    const bl_hand *hand = left ? &p->left_hand : &p->right_hand;
    float x0 = INFINITY, y0 = INFINITY, x1 = -INFINITY, y1 = -INFINITY;
    bl__part_box b = {.side = HAND_M * scale, .seen = hand->score > 0.5f ? 1 : 0};
    if (b.seen <= 0) { /* where it would be */
        const int wrist = left ? BL_LM_L_WRIST : BL_LM_R_WRIST, index = left ? BL_LM_L_INDEX : BL_LM_R_INDEX;
        b.cx = 0.5f * (p->landmarks[wrist].x + p->landmarks[index].x) * (float)w;
        b.cy = 0.5f * (p->landmarks[wrist].y + p->landmarks[index].y) * (float)h;
        return b;
    }
    for (int k = 0; k < BL_HAND_POINTS; k++) {
        x0 = fminf(x0, hand->points[k].x), x1 = fmaxf(x1, hand->points[k].x);
        y0 = fminf(y0, hand->points[k].y), y1 = fmaxf(y1, hand->points[k].y);
    }
    b.cx = 0.5f * (x0 + x1) * (float)w;
    b.cy = 0.5f * (y0 + y1) * (float)h;
    return b;
}

/* Normalised Gaussian over the frames that count (side > 0); `offset` picks a float of the box. */
static void smooth(bl__part_box *out, const bl__part_box *in, int64_t n, size_t offset, double sigma) {
    const int64_t reach = (int64_t)ceil(3 * sigma);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0, total = 0;
        for (int64_t k = BL_MAX(i - reach, 0); k <= BL_MIN(i + reach, n - 1); k++) {
            if (in[k].side <= 0) continue;
            const double d = (double)(k - i) / sigma, w = exp(-0.5 * d * d);
            float v;
            memcpy(&v, (const char *)&in[k] + offset, sizeof v);
            sum += w * (double)v;
            total += w;
        }
        const float mean = total > 0 ? (float)(sum / total) : 0;
        memcpy((char *)&out[i] + offset, &mean, sizeof mean);
    }
}

/* A part must be seen in the frame itself: neighbours only make it fade. */
static void finish(bl__part_box *box, const bl__part_box *raw, int64_t n, double fps) {
    smooth(box, raw, n, offsetof(bl__part_box, cx), fmax(CENTRE_S * fps, 0.3));
    smooth(box, raw, n, offsetof(bl__part_box, cy), fmax(CENTRE_S * fps, 0.3));
    smooth(box, raw, n, offsetof(bl__part_box, side), fmax(SIDE_S * fps, 0.3));
    smooth(box, raw, n, offsetof(bl__part_box, seen), fmax(SEEN_S * fps, 0.3));
    for (int64_t i = 0; i < n; i++) {
        const float fade =
            fminf(1, fmaxf(0, 2 * box[i].seen - 1)); /* 0 where half of the frames around miss it */
        box[i].seen = raw[i].seen > 0 && box[i].side >= LEAST_SIDE ? fade : 0;
    }
}

int bl__parts_init(bl__parts *p, const bl_track *t, bl_err *err) {
    *p = (bl__parts){.n = t->n};
    const size_t n = (size_t)t->n + 1;
    bl__part_box *raw[BL_REGIONS] = {0};
    int ok = 1;
    for (int k = 0; k < BL_REGIONS; k++) {
        p->box[k] = bl_alloc_array(n, sizeof *p->box[k]);
        raw[k] = bl_alloc_array(n, sizeof *raw[k]);
        ok = ok && p->box[k] && raw[k];
    }
    for (int64_t i = 0; ok && i < t->n; i++) {
        const bl_track_frame *f = &t->frames[i];
        const float scale = f->has_person ? scale_of(f, t->width, t->height) : 0;
        if (scale <= 0) continue;
        raw[BL_REGION_FACE][i] = face_box(&f->person, t->width, t->height, scale);
        raw[BL_REGION_LEFT_HAND][i] = hand_box(&f->person, 1, t->width, t->height, scale);
        raw[BL_REGION_RIGHT_HAND][i] = hand_box(&f->person, 0, t->width, t->height, scale);
    }
    for (int k = 0; k < BL_REGIONS; k++) {
        for (int64_t a = 0, b; ok && a < t->n; a = b) { /* never across a cut */
            b = bl_track_shot_end(t, a);
            finish(p->box[k] + a, raw[k] + a, b - a, t->fps > 0 ? t->fps : 25);
        }
        bl_free(raw[k]);
    }
    if (ok) return 0;
    bl__parts_release(p);
    return bl_fail(err, BL_E_NOMEM, "not enough memory to follow hands and face");
}

void bl__parts_release(bl__parts *p) {
    for (int k = 0; k < BL_REGIONS; k++) bl_free(p->box[k]);
    *p = (bl__parts){0};
}
