#include "body.h"

static const bl__joint parents[BL__JOINTS] = {J_PELVIS,   J_PELVIS,     J_WAIST,      J_CHEST,   J_NECK,
                                              J_CHEST,    J_L_COLLAR,   J_L_SHOULDER, J_L_ELBOW, J_CHEST,
                                              J_R_COLLAR, J_R_SHOULDER, J_R_ELBOW,    J_PELVIS,  J_L_HIP,
                                              J_L_KNEE,   J_PELVIS,     J_R_HIP,      J_R_KNEE};

bl__joint bl__joint_parent(bl__joint j) {
    return parents[j];
}

vec3 bl__joint_offset(const bl__build *b, bl__joint j) {
    float hips_up = b->leg * (1 + BL__ANKLE_UP), trunk = b->height * (1 - 0.17f * b->head) - hips_up;
    float collar = 0.02f * b->height, hip = b->hips * b->leg;
    switch (j) {
    case J_PELVIS: return v3(0, 0, 0);
    case J_WAIST: return v3(0, 0.22f * trunk, 0);
    case J_CHEST: return v3(0, 0.34f * trunk, 0);
    case J_NECK: return v3(0, 0.44f * trunk, -0.012f * b->height);
    case J_HEAD: return v3(0, 0.052f * b->head * b->height, 0.008f * b->height);
    case J_L_COLLAR: return v3(collar, 0.36f * trunk, 0);
    case J_R_COLLAR: return v3(-collar, 0.36f * trunk, 0);
    case J_L_SHOULDER: return v3(b->shoulders - collar, 0.01f * trunk, -0.005f * b->height);
    case J_R_SHOULDER: return v3(collar - b->shoulders, 0.01f * trunk, -0.005f * b->height);
    case J_L_ELBOW:
    case J_R_ELBOW: return v3(0, -0.53f * b->arm, 0);
    case J_L_WRIST:
    case J_R_WRIST: return v3(0, -0.47f * b->arm, 0);
    case J_L_HIP: return v3(hip, 0, 0);
    case J_R_HIP: return v3(-hip, 0, 0);
    case J_L_KNEE:
    case J_R_KNEE: return v3(0, -b->thigh * b->leg, 0);
    case J_L_ANKLE:
    case J_R_ANKLE: return v3(0, -(1 - b->thigh) * b->leg, 0);
    default: return v3(0, 0, 0);
    }
}

static void pose(bl__skeleton *s, const bl__build *b, const bl__angles *a) {
    s->at[J_PELVIS] = v_mad(b->place, a->root, b->leg);
    s->turn[J_PELVIS] = a->local[J_PELVIS];
    for (int j = 1; j < BL__JOINTS; j++) {
        bl__joint p = parents[j];
        s->at[j] = v_add(s->at[p], m_apply(s->turn[p], bl__joint_offset(b, (bl__joint)j)));
        s->turn[j] = m_mul(s->turn[p], a->local[j]);
    }
}

/* How far the standing foot is from where the usual proportions put it; the weight goes over smoothly while
 * the feet differ by some hundredths of a leg in height. */
static vec3 misstep(const bl__skeleton *s, const bl__build *b, const bl__angles *a) {
    bl__build usual = *b;
    bl__skeleton u;
    usual.thigh = BL__THIGH, usual.hips = BL__HIP_HALF;
    pose(&u, &usual, a);
    float rise = (u.at[J_L_ANKLE].y - u.at[J_R_ANKLE].y) / b->leg, left = 1 / (1 + expf(rise / 0.01f));
    return v_mix(v_sub(u.at[J_R_ANKLE], s->at[J_R_ANKLE]), v_sub(u.at[J_L_ANKLE], s->at[J_L_ANKLE]), left);
}

void bl__skeleton_pose(bl__skeleton *s, const bl__build *b, const bl__angles *a) {
    pose(s, b, a);
    if (b->thigh == BL__THIGH && b->hips == BL__HIP_HALF) return;
    vec3 way = misstep(s, b, a);
    for (int j = 0; j < BL__JOINTS; j++) s->at[j] = v_add(s->at[j], way);
}
