/* The tracking: detector -> region -> landmarks -> next region, what smooths them, then hands and face. */
#include "ballerino/pose.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"
#include "detector.h"
#include "face.h"
#include "filter.h"
#include "hands.h"
#include "landmarks.h"
#include "mask.h"

#define MIN_OBJECT_SCALE 1e-6

struct bl_pose {
    bl_pose_options o;
    int threads;
    bl__detector *detector;
    bl__landmarker *landmarker;
    bl__hands *hands;      /* NULL: not wanted */
    bl__face_finder *face; /* as above */
    int has_forced, has_next, has_before;
    bl_roi forced, next, before; /* before: the last region with a person, to know them again */
    bl__euro landmarks, world, aux;
    bl_hand hands_before[BL__SIDES];
    bl_face face_before;
    uint8_t *mask; /* of the frame before, mask_width * mask_height; NULL = none */
    int mask_width, mask_height;
};

bl_pose_options bl_pose_options_default(void) {
    return (bl_pose_options){.model = BL_POSE_FULL, .smooth = 1, .hands = 1, .face = 1};
}

int bl_pose_open(bl_pose **out, const bl_pose_options *o, bl_err *err) {
    bl_pose *p = bl_alloc(sizeof *p);
    if (!p) return bl_fail(err, BL_E_NOMEM, "not enough memory for the pose models");
    p->o = o ? *o : bl_pose_options_default();
    p->threads = p->o.threads > 0 ? p->o.threads : bl_cpu_count();
    p->landmarks = (bl__euro){.min_cutoff = 0.05, .beta = 80, .derivate_cutoff = 1};
    p->world = (bl__euro){.min_cutoff = 0.1, .beta = 40, .derivate_cutoff = 1};
    p->aux = (bl__euro){.min_cutoff = 0.01, .beta = 10, .derivate_cutoff = 1};
    const char *dir = p->o.models_dir;
    bl_device *device = p->o.device;
    const int threads = p->threads, plain = p->o.reference;
    int rc = bl__detector_open(&p->detector, dir, device, threads, plain, err);
    if (rc == 0)
        rc = bl__landmarker_open(&p->landmarker, p->o.model, p->o.segmentation, dir, device, threads, plain,
                                 err);
    if (rc == 0 && p->o.hands) rc = bl__hands_open(&p->hands, dir, device, threads, plain, err);
    if (rc == 0 && p->o.face) rc = bl__face_open(&p->face, dir, device, threads, plain, err);
    p->o.models_dir = NULL; /* the caller's */
    if (rc < 0) {
        bl_pose_close(&p);
        return rc;
    }
    *out = p;
    return 0;
}

void bl_pose_close(bl_pose **p) {
    if (!p || !*p) return;
    bl__detector_close(&(*p)->detector);
    bl__landmarker_close(&(*p)->landmarker);
    bl__hands_close(&(*p)->hands);
    bl__face_close(&(*p)->face);
    bl_free((*p)->mask);
    bl_free(*p);
    *p = NULL;
}

static void lose_parts(bl_pose *p) {
    for (int s = 0; s < BL__SIDES; s++) p->hands_before[s] = (bl_hand){0};
    p->face_before = (bl_face){0};
}

static void lose(bl_pose *p) {
    p->has_next = 0;
    lose_parts(p);
    bl__euro_reset(&p->landmarks);
    bl__euro_reset(&p->world);
    bl__euro_reset(&p->aux);
    bl_free(p->mask);
    p->mask = NULL;
}

void bl_pose_reset(bl_pose *p) {
    lose(p);
    p->has_forced = p->has_before = 0;
}

void bl_pose_set_roi(bl_pose *p, const bl_roi *roi) {
    p->forced = *roi;
    p->has_forced = 1;
}

int bl_pose_next_roi(const bl_pose *p, bl_roi *roi) {
    if (p->has_next) *roi = p->next;
    return p->has_next;
}

/* 1 and a region where the detector sees the main person, 0 nobody. */
static int detect_region(bl_pose *p, const bl_frame *frame, bl_roi *roi, bl_err *err) {
    bl__detection found[BL__SSD_MAX_FOUND];
    int n = bl__detector_find(p->detector, frame, found, err);
    if (n <= 0) return n;
    const bl_roi *before = p->has_before && !p->o.static_image ? &p->before : NULL;
    *roi = bl__detector_choose(found, n, before, frame->width, frame->height);
    return bl__roi_usable(roi);
}

/* 1 and what was found in *roi (the region looked at), 0 nobody. A region that no longer holds a person is
 * looked for again in the same frame. */
static int find_person(bl_pose *p, const bl_frame *frame, bl_roi *roi, bl__found *found, bl_err *err) {
    int tracked = p->has_forced || (p->has_next && !p->o.static_image);
    *roi = p->has_forced ? p->forced : p->next;
    p->has_forced = 0;
    if (tracked) {
        int rc = bl__landmarker_find(p->landmarker, frame, roi, found, err);
        if (rc != 0) return rc;
        lose(p);
    }
    int rc = detect_region(p, frame, roi, err);
    return rc <= 0 ? rc : bl__landmarker_find(p->landmarker, frame, roi, found, err);
}

static bl__point point(bl_landmark l) {
    return (bl__point){(double)l.x, (double)l.y};
}

/* Smooths in place and derives the next region from the (always smoothed) auxiliary points. */
static void follow(bl_pose *p, bl__found *f, int width, int height, double t_ms) {
    int64_t t_us = llround(t_ms * 1000);
    double side = bl__roi_side(point(f->aux[0]), point(f->aux[1]), width, height);
    float w = (float)width, h = (float)height;
    if (!p->o.static_image && side > MIN_OBJECT_SCALE) {
        if (p->o.smooth) {
            bl__euro_apply(&p->landmarks, f->landmarks, BL_LANDMARKS, t_us, 1 / side, w, h, w);
            bl__euro_apply(&p->world, f->world, BL_LANDMARKS, t_us, 1, 1, 1, 1);
        }
        bl__euro_apply(&p->aux, f->aux, 2, t_us, 1 / side, w, h, w);
    }
    p->next = bl__roi_from_points(point(f->aux[0]), point(f->aux[1]), BL__ROI_SCALE, width, height);
    p->has_next = bl__roi_usable(&p->next);
}

static int draw_mask(bl_pose *p, const bl_frame *frame, const bl_roi *roi, uint8_t *mask, bl_err *err) {
    int w = frame->width, h = frame->height;
    int rc = bl__mask_draw(mask, w, h, bl__landmarker_mask(p->landmarker), roi, p->threads, err);
    if (rc < 0 || !p->o.smooth || p->o.static_image) return rc;
    if (p->mask && p->mask_width == w && p->mask_height == h) {
        bl__mask_smooth(mask, p->mask, w, h, p->threads);
        return 0;
    }
    bl_free(p->mask);
    p->mask = bl_alloc((size_t)w * (size_t)h);
    if (!p->mask) return bl_fail(err, BL_E_NOMEM, "not enough memory for a person mask");
    memcpy(p->mask, mask, (size_t)w * (size_t)h);
    p->mask_width = w;
    p->mask_height = h;
    return 0;
}

int bl_pose_parts(bl_pose *p, const bl_frame *frame, bl_person *person, bl_err *err) {
    int rc = 0;
    if (p->o.static_image) lose_parts(p);
    if (p->hands)
        rc = bl__hands_find(p->hands, frame, person->landmarks, p->hands_before, p->hands_before, err);
    if (p->face && rc == 0)
        rc = bl__face_find(p->face, frame, person->landmarks, &p->face_before, &p->face_before, err);
    if (rc < 0) return rc;
    person->left_hand = p->hands_before[BL__LEFT];
    person->right_hand = p->hands_before[BL__RIGHT];
    person->face = p->face_before;
    return 0;
}

int bl_pose_detect(bl_pose *p, const bl_frame *frame, double t_ms, bl_track_frame *out, uint8_t *mask,
                   bl_err *err) {
    bl__found found = {0};
    bl_roi roi = {0};
    if (mask && !p->o.segmentation)
        return bl_fail(err, BL_E_USAGE,
                       "a person mask was asked for, but pose was opened without segmentation");
    *out = (bl_track_frame){.i = frame->index, .t_ms = t_ms};
    int rc = find_person(p, frame, &roi, &found, err);
    if (rc < 0) return rc;
    if (rc == 0) {
        lose(p);
        if (mask) memset(mask, 0, (size_t)frame->width * (size_t)frame->height);
        return 0;
    }
    follow(p, &found, frame->width, frame->height, t_ms);
    p->before = p->has_next ? p->next : roi;
    p->has_before = 1;
    out->has_person = 1;
    out->person.score = found.score;
    out->person.roi = roi;
    memcpy(out->person.landmarks, found.landmarks, sizeof found.landmarks);
    memcpy(out->person.world, found.world, sizeof found.world);
    rc = bl_pose_parts(p, frame, &out->person, err);
    return rc == 0 && mask ? draw_mask(p, frame, &roi, mask, err) : rc;
}
