/*
 * A pose track: what was found in each frame of one video, and its file format (docs/formats/track.md).
 *
 * x and y are normalised by the frame's width and height (0..1 inside the frame), z by the width; world
 * coordinates are metres with the origin between the hips, y down. Landmarks are BlazePose's 33.
 */
#ifndef BALLERINO_TRACK_H
#define BALLERINO_TRACK_H

#include <stddef.h>
#include <stdint.h>

#include "ballerino/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BL_LANDMARKS 33

typedef enum bl_landmark_id {
    BL_LM_NOSE,
    BL_LM_L_EYE_INNER,
    BL_LM_L_EYE,
    BL_LM_L_EYE_OUTER,
    BL_LM_R_EYE_INNER,
    BL_LM_R_EYE,
    BL_LM_R_EYE_OUTER,
    BL_LM_L_EAR,
    BL_LM_R_EAR,
    BL_LM_MOUTH_L,
    BL_LM_MOUTH_R,
    BL_LM_L_SHOULDER,
    BL_LM_R_SHOULDER,
    BL_LM_L_ELBOW,
    BL_LM_R_ELBOW,
    BL_LM_L_WRIST,
    BL_LM_R_WRIST,
    BL_LM_L_PINKY,
    BL_LM_R_PINKY,
    BL_LM_L_INDEX,
    BL_LM_R_INDEX,
    BL_LM_L_THUMB,
    BL_LM_R_THUMB,
    BL_LM_L_HIP,
    BL_LM_R_HIP,
    BL_LM_L_KNEE,
    BL_LM_R_KNEE,
    BL_LM_L_ANKLE,
    BL_LM_R_ANKLE,
    BL_LM_L_HEEL,
    BL_LM_R_HEEL,
    BL_LM_L_FOOT,
    BL_LM_R_FOOT
} bl_landmark_id;

typedef struct bl_landmark {
    float x, y, z, visibility;
} bl_landmark;

/* Rotated rectangle: centre and size normalised by width and height, rotation in radians, clockwise in the
 * image. */
typedef struct bl_roi {
    float cx, cy, w, h, rotation;
} bl_roi;

#define BL_HAND_POINTS 21  /* wrist, then thumb to little finger, base to tip */
#define BL_FACE_POINTS 468 /* MediaPipe's face mesh */

/* Normalised as landmarks are: x by the width, y by the height, z by the width. */
typedef struct bl_point3 {
    float x, y, z;
} bl_point3;

typedef struct bl_hand {
    float score; /* 0..1, the model's presence; 0: not seen, all points are zeros */
    bl_point3 points[BL_HAND_POINTS];
} bl_hand;

typedef struct bl_face {
    float score; /* as above */
    bl_point3 points[BL_FACE_POINTS];
} bl_face;

/* What is found beside the body's joints. */
typedef enum bl_region { BL_REGION_LEFT_HAND, BL_REGION_RIGHT_HAND, BL_REGION_FACE, BL_REGIONS } bl_region;

typedef struct bl_person {
    float score; /* 0..1, the landmark model's person flag */
    bl_landmark landmarks[BL_LANDMARKS];
    bl_landmark world[BL_LANDMARKS];
    bl_roi roi;                    /* where the landmark model looked in this frame */
    bl_hand left_hand, right_hand; /* the person's own left and right */
    bl_face face;
} bl_person;

typedef struct bl_track_frame {
    int64_t i;      /* frame index in the video */
    double t_ms;    /* presentation time */
    int cut;        /* 1: the first frame of another shot: nothing goes on from the frame before */
    int has_person; /* 0: `person` is all zeros */
    bl_person person;
} bl_track_frame;

#define BL_TRACK_MAX_FRAMES 4000000LL

typedef struct bl_track {
    char *video; /* path as given; owned */
    int width, height;
    double fps;
    int64_t n, capacity;
    bl_track_frame *frames; /* n of them, ascending in i and t_ms; owned */
} bl_track;

int bl_track_create(bl_track **out, const char *video, int width, int height, double fps, bl_err *err);
int bl_track_append(bl_track *t, const bl_track_frame *f, bl_err *err);
/* The index after the last frame of the shot that frame `from` belongs to. */
int64_t bl_track_shot_end(const bl_track *t, int64_t from);
int bl_track_copy(bl_track **out, const bl_track *t, bl_err *err);
void bl_track_destroy(bl_track **t);

/* JSON track file ("ballerino-track", version 1). Writing is atomic. Unknown keys are ignored when reading.
 */
int bl_track_read(bl_track **out, const char *path, bl_err *err);
int bl_track_parse(bl_track **out, const char *json, size_t size, const char *name, bl_err *err);
int bl_track_write(const bl_track *t, const char *path, bl_err *err);

#ifdef __cplusplus
}
#endif
#endif
