/* Joints: who the dancers are, and where their joints truly are, as BlazePose's landmarks. */
#include <string.h>

#include "ballerino/base.h"
#include "clip.h"

static const bl__build slim = {.height = 1.80f,
                               .head = 1,
                               .leg = .855f,
                               .thigh = BL__THIGH,
                               .hips = BL__HIP_HALF,
                               .shoulders = .190f,
                               .arm = .565f,
                               .girth = 1.0f,
                               .place = {.02f, 0, 0}};
static const bl__build sturdy = {.height = 1.63f,
                                 .head = 1,
                                 .leg = .745f,
                                 .thigh = BL__THIGH,
                                 .hips = BL__HIP_HALF,
                                 .shoulders = .190f,
                                 .arm = .505f,
                                 .girth = 1.10f,
                                 .belly = .025f,
                                 .place = {-.02f, 0, .1f}};
/* Long legs and thighs, short arms, narrow, small head. */
static const bl__build tall = {.height = 1.86f,
                               .head = .92f,
                               .leg = .960f,
                               .thigh = .52f,
                               .hips = .100f,
                               .shoulders = .180f,
                               .arm = .510f,
                               .girth = .95f,
                               .place = {-.02f, 0, -.1f}};
/* Short legs, shorter above the knee, big head. */
static const bl__build child = {.height = 1.22f,
                                .head = 1.32f,
                                .leg = .500f,
                                .thigh = .48f,
                                .hips = .130f,
                                .shoulders = .150f,
                                .arm = .400f,
                                .girth = .80f,
                                .place = {.02f, 0, 0}};

const bl__build *bl__clip_build(bl_demo_clip clip, bl_demo_pair pair) {
    static const bl__build *const people[][2] = {
        [BL_DEMO_PAIR_USUAL] = {&slim, &sturdy},
        [BL_DEMO_PAIR_ALIKE] = {&slim, &slim},
        [BL_DEMO_PAIR_CHILD_TO_TALL] = {&child, &tall},
        [BL_DEMO_PAIR_TALL_TO_CHILD] = {&tall, &child},
    };
    return people[pair][clip != BL_DEMO_SOURCE];
}

typedef struct mark {
    bl__joint joint;
    float x, y, z; /* in the joint's frame, metres of a person of 1.76 m */
} mark;

static const mark marks[BL_LANDMARKS] = {
    [BL_LM_NOSE] = {J_HEAD, 0, .075f, .112f},
    [BL_LM_L_EYE_INNER] = {J_HEAD, .018f, .108f, .080f},
    [BL_LM_L_EYE] = {J_HEAD, .032f, .108f, .080f},
    [BL_LM_L_EYE_OUTER] = {J_HEAD, .046f, .108f, .072f},
    [BL_LM_R_EYE_INNER] = {J_HEAD, -.018f, .108f, .080f},
    [BL_LM_R_EYE] = {J_HEAD, -.032f, .108f, .080f},
    [BL_LM_R_EYE_OUTER] = {J_HEAD, -.046f, .108f, .072f},
    [BL_LM_L_EAR] = {J_HEAD, .080f, .093f, -.008f},
    [BL_LM_R_EAR] = {J_HEAD, -.080f, .093f, -.008f},
    [BL_LM_MOUTH_L] = {J_HEAD, .024f, .048f, .080f},
    [BL_LM_MOUTH_R] = {J_HEAD, -.024f, .048f, .080f},
    [BL_LM_L_SHOULDER] = {J_L_SHOULDER, 0, 0, 0},
    [BL_LM_R_SHOULDER] = {J_R_SHOULDER, 0, 0, 0},
    [BL_LM_L_ELBOW] = {J_L_ELBOW, 0, 0, 0},
    [BL_LM_R_ELBOW] = {J_R_ELBOW, 0, 0, 0},
    [BL_LM_L_WRIST] = {J_L_WRIST, 0, 0, 0},
    [BL_LM_R_WRIST] = {J_R_WRIST, 0, 0, 0},
    [BL_LM_L_PINKY] = {J_L_WRIST, 0, -.085f, -.022f},
    [BL_LM_R_PINKY] = {J_R_WRIST, 0, -.085f, -.022f},
    [BL_LM_L_INDEX] = {J_L_WRIST, 0, -.092f, .026f},
    [BL_LM_R_INDEX] = {J_R_WRIST, 0, -.092f, .026f},
    [BL_LM_L_THUMB] = {J_L_WRIST, -.012f, -.065f, .055f},
    [BL_LM_R_THUMB] = {J_R_WRIST, .012f, -.065f, .055f},
    [BL_LM_L_HIP] = {J_L_HIP, 0, 0, 0},
    [BL_LM_R_HIP] = {J_R_HIP, 0, 0, 0},
    [BL_LM_L_KNEE] = {J_L_KNEE, 0, 0, 0},
    [BL_LM_R_KNEE] = {J_R_KNEE, 0, 0, 0},
    [BL_LM_L_ANKLE] = {J_L_ANKLE, 0, 0, 0},
    [BL_LM_R_ANKLE] = {J_R_ANKLE, 0, 0, 0},
    [BL_LM_L_HEEL] = {J_L_ANKLE, 0, -.055f, -.045f},
    [BL_LM_R_HEEL] = {J_R_ANKLE, 0, -.055f, -.045f},
    [BL_LM_L_FOOT] = {J_L_ANKLE, 0, -.055f, .150f},
    [BL_LM_R_FOOT] = {J_R_ANKLE, 0, -.055f, .150f},
};

static int on_head(int i) {
    return i <= BL_LM_MOUTH_R;
}

/* Where landmark i is in the room, metres. */
static vec3 mark_at(const bl__skeleton *k, const bl__build *b, int i) {
    float size = b->height / 1.76f * (on_head(i) ? b->head : 1);
    vec3 off = v_mul(v3(marks[i].x, marks[i].y, marks[i].z), size);
    return v_add(k->at[marks[i].joint], m_apply(k->turn[marks[i].joint], off));
}

static int pose_of(bl__skeleton *k, bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err) {
    bl__angles a;
    int rc = bl__clip_check(clip, index, o, err);
    if (rc < 0) return rc;
    bl__clip_angles(&a, clip, index, o->fps);
    bl__skeleton_pose(k, bl__clip_build(clip, o->pair), &a);
    return 0;
}

int bl_demo_joints(float xy[BL_LANDMARKS][2], bl_demo_clip clip, int64_t index, const bl_demo_options *o,
                   bl_err *err) {
    bl_demo_options p = bl__clip_options(o);
    bl__skeleton k;
    int rc = pose_of(&k, clip, index, &p, err);
    if (rc < 0) return rc;
    bl__view3 camera = bl__stage_camera(bl__clip_place(clip), p.width, p.height);
    for (int i = 0; i < BL_LANDMARKS; i++) {
        vec3 at = bl__view_project(&camera, mark_at(&k, bl__clip_build(clip, p.pair), i));
        xy[i][0] = at.x, xy[i][1] = at.y;
    }
    return 0;
}

int bl_demo_person(bl_track_frame *out, bl_demo_clip clip, int64_t index, const bl_demo_options *o,
                   bl_err *err) {
    bl_demo_options p = bl__clip_options(o);
    bl__skeleton k;
    int rc = pose_of(&k, clip, index, &p, err);
    if (rc < 0) return rc;
    memset(out, 0, sizeof *out);
    out->i = index, out->t_ms = 1000.0 * (double)index / p.fps, out->has_person = 1;
    bl_person *person = &out->person;
    bl__view3 camera = bl__stage_camera(bl__clip_place(clip), p.width, p.height);
    float w = (float)p.width, h = (float)p.height;
    vec3 root = v_mix(k.at[J_L_HIP], k.at[J_R_HIP], .5f), middle = bl__view_project(&camera, root);
    for (int i = 0; i < BL_LANDMARKS; i++) {
        vec3 at = mark_at(&k, bl__clip_build(clip, p.pair), i), seen = bl__view_project(&camera, at);
        vec3 from = m_back(camera.turn, v_sub(at, root));
        float depth = (seen.z - middle.z) * camera.focal / middle.z;
        person->landmarks[i] = (bl_landmark){seen.x / w, seen.y / h, depth / w, 1};
        person->world[i] = (bl_landmark){from.x, -from.y, -from.z, 1};
    }
    float reach = 2.5f * hypotf(person->landmarks[BL_LM_NOSE].x * w - middle.x,
                                person->landmarks[BL_LM_NOSE].y * h - middle.y);
    person->score = 1;
    person->roi = (bl_roi){middle.x / w, middle.y / h, reach / w, reach / h, 0};
    return 0;
}
