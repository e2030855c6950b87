/* Gaps: fills short holes in a track: whole persons, single joints, a hand or a face alone. Shot by shot:
 * what is on the other side of a cut says nothing about a hole. */
#include <math.h>

#include "ballerino/base.h"
#include "points.h"

static float mix(float a, float b, float part) {
    return a + part * (b - a);
}

static void mix_landmark(bl_landmark *out, const bl_landmark *a, const bl_landmark *b, float part) {
    out->x = mix(a->x, b->x, part);
    out->y = mix(a->y, b->y, part);
    out->z = mix(a->z, b->z, part);
    out->visibility = mix(a->visibility, b->visibility, part);
}

static void mix_person(bl_person *out, const bl_person *a, const bl_person *b, float part) {
    out->score = BL_MIN(a->score, b->score);
    for (int k = 0; k < BL_LANDMARKS; k++) {
        mix_landmark(&out->landmarks[k], &a->landmarks[k], &b->landmarks[k], part);
        mix_landmark(&out->world[k], &a->world[k], &b->world[k], part);
    }
    float turn = remainderf(b->roi.rotation - a->roi.rotation, 6.2831853f); /* the short way round */
    out->roi =
        (bl_roi){mix(a->roi.cx, b->roi.cx, part), mix(a->roi.cy, b->roi.cy, part),
                 mix(a->roi.w, b->roi.w, part), mix(a->roi.h, b->roi.h, part), a->roi.rotation + part * turn};
}

float bl__part_of_gap(const bl_track *t, int64_t a, int64_t b, int64_t k) {
    double span = t->frames[b].t_ms - t->frames[a].t_ms;
    double part =
        span > 0 ? (t->frames[k].t_ms - t->frames[a].t_ms) / span : (double)(k - a) / (double)(b - a);
    return (float)BL_CLAMP(part, 0, 1);
}

/* A joint that is wholly missing (visibility 0, as OpenPose leaves it) between two frames that have it. */
static void fill_joint(bl_track *t, int joint, int max_gap) {
    int64_t last = -1;
    for (int64_t k = 0; k < t->n; k++) {
        bl_track_frame *f = &t->frames[k];
        if (!f->has_person) {
            last = -1;
            continue;
        }
        if (!(f->person.landmarks[joint].visibility > 0)) continue;
        if (last >= 0 && k - last - 1 <= max_gap) {
            for (int64_t j = last + 1; j < k; j++) {
                bl_person *a = &t->frames[last].person, *b = &f->person, *out = &t->frames[j].person;
                float part = bl__part_of_gap(t, last, k, j);
                mix_landmark(&out->landmarks[joint], &a->landmarks[joint], &b->landmarks[joint], part);
                mix_landmark(&out->world[joint], &a->world[joint], &b->world[joint], part);
            }
        }
        last = k;
    }
}

static int fill_shot(bl_track *t, int max_gap) {
    int filled = 0;
    int64_t last = -1;
    for (int64_t k = 0; k < t->n; k++) {
        if (!t->frames[k].has_person) continue;
        if (last >= 0 && k - last - 1 <= max_gap) {
            for (int64_t j = last + 1; j < k; j++, filled++) {
                mix_person(&t->frames[j].person, &t->frames[last].person, &t->frames[k].person,
                           bl__part_of_gap(t, last, k, j));
                t->frames[j].has_person = 1;
            }
        }
        last = k;
    }
    for (int joint = 0; max_gap > 0 && joint < BL_LANDMARKS; joint++) fill_joint(t, joint, max_gap);
    for (int part = 0; max_gap > 0 && part < BL_REGIONS; part++) bl__points_fill(t, (bl_region)part, max_gap);
    return filled;
}

int bl_motion_fill_gaps(bl_track *t, int max_gap, bl_err *err) {
    if (max_gap > 1000)
        return bl_fail(err, BL_E_USAGE, "gaps of %d frames cannot be filled; at most 1000", max_gap);
    if (max_gap < 0) max_gap = 5;
    int filled = 0;
    bl_motion_drop_strays(t);
    for (int64_t a = 0, b; a < t->n; a = b) {
        bl_track shot = *t;
        b = bl_track_shot_end(t, a);
        shot.frames += a;
        shot.n = b - a;
        filled += fill_shot(&shot, max_gap);
    }
    return filled;
}
