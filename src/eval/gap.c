/* The distance between the pose that was asked for and the one that is found. */
#include <math.h>

#include "ballerino/eval.h"

#define SEEN 0.5f

typedef struct tally {
    double sum;
    int both, missed;
} tally;

static double apart(float ax, float ay, float bx, float by, int w, int h) {
    return hypot((double)(ax - bx) * w, (double)(ay - by) * h);
}

static tally body(const bl_person *wanted, const bl_person *found, int there, int w, int h) {
    tally t = {0};
    for (int k = 0; k < BL_LANDMARKS; k++) {
        const bl_landmark *a = &wanted->landmarks[k], *b = &found->landmarks[k];
        if (!(a->visibility >= SEEN)) continue;
        if (there && b->visibility >= SEEN) {
            t.sum += apart(a->x, a->y, b->x, b->y, w, h);
            t.both++;
        } else {
            t.missed++;
        }
    }
    return t;
}

/* A set of points that is there as a whole or not at all; it counts as `weight` points. */
static void whole(tally *t, const bl_point3 *a, float a_score, const bl_point3 *b, float b_score, int n,
                  int weight, int w, int h) {
    double sum = 0;
    if (!(a_score > 0)) return;
    if (!(b_score > 0)) {
        t->missed += weight;
        return;
    }
    for (int k = 0; k < n; k++) sum += apart(a[k].x, a[k].y, b[k].x, b[k].y, w, h);
    t->sum += sum * weight / n;
    t->both += weight;
}

void bl_eval_pose_gap(bl_pose_gap *out, const bl_track_frame *wanted, const bl_track_frame *found,
                      int frame_w, int frame_h) {
    static const bl_person nobody;
    const bl_person *a = wanted->has_person ? &wanted->person : &nobody,
                    *b = found->has_person ? &found->person : &nobody;
    tally t[BL_PARTS] = {0};
    t[BL_PART_BODY] = body(a, b, found->has_person, frame_w, frame_h);
    whole(&t[BL_PART_FACE], a->face.points, a->face.score, b->face.points, b->face.score, BL_FACE_POINTS,
          BL_EVAL_FACE_WEIGHT, frame_w, frame_h);
    whole(&t[BL_PART_HANDS], a->left_hand.points, a->left_hand.score, b->left_hand.points, b->left_hand.score,
          BL_HAND_POINTS, BL_HAND_POINTS, frame_w, frame_h);
    whole(&t[BL_PART_HANDS], a->right_hand.points, a->right_hand.score, b->right_hand.points,
          b->right_hand.score, BL_HAND_POINTS, BL_HAND_POINTS, frame_w, frame_h);
    for (int k = 0; k < BL_PART_ALL; k++) {
        t[BL_PART_ALL].sum += t[k].sum;
        t[BL_PART_ALL].both += t[k].both;
        t[BL_PART_ALL].missed += t[k].missed;
    }
    for (int k = 0; k < BL_PARTS; k++) {
        out->distance[k] = t[k].both > 0 ? t[k].sum / t[k].both : (double)NAN;
        out->missed[k] = t[k].missed;
    }
}
