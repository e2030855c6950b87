/*
 * The skeleton: a tree of 19 joints with lengths of its own, and angles that any skeleton can take.
 *
 * Angles hold no length: the same angles on another skeleton are the same pose of another person. That is how
 * the demo knows the true answer.
 */
#ifndef BL_DEMO_BODY_H
#define BL_DEMO_BODY_H

#include "vec.h"

typedef enum bl__joint {
    J_PELVIS,
    J_WAIST,
    J_CHEST,
    J_NECK,
    J_HEAD,
    J_L_COLLAR,
    J_L_SHOULDER,
    J_L_ELBOW,
    J_L_WRIST,
    J_R_COLLAR,
    J_R_SHOULDER,
    J_R_ELBOW,
    J_R_WRIST,
    J_L_HIP,
    J_L_KNEE,
    J_L_ANKLE,
    J_R_HIP,
    J_R_KNEE,
    J_R_ANKLE,
    BL__JOINTS
} bl__joint;

typedef struct bl__angles {
    vec3 root;              /* middle of the hips from the dancer's place, in leg lengths */
    mat3 local[BL__JOINTS]; /* rotation against the parent; identity all over = standing, arms down, facing
                               the camera */
} bl__angles;

/* The build of a person, metres. The choreography is made for hips and thighs of the usual proportions to the
 * leg: there, feet that stand still for one build stand still for all, however long the legs. Another build
 * takes the same angles and is then moved as a whole, so that the foot that stands (the lower one) stands
 * where the usual proportions would put it. */
typedef struct bl__build {
    float height;
    float head;      /* size of the head in parts of the usual one for the height */
    float leg;       /* hip joint to ankle */
    float thigh;     /* part of the leg that is thigh, usually BL__THIGH */
    float hips;      /* half the distance between the hip joints, in leg lengths, usually BL__HIP_HALF */
    float shoulders; /* half the distance between the shoulder joints */
    float arm;       /* shoulder to wrist */
    float girth;     /* 1 = slim; thickness of trunk and limbs */
    float belly;     /* added depth at the waist */
    vec3 place;      /* on the floor */
} bl__build;

typedef struct bl__skeleton {
    vec3 at[BL__JOINTS];
    mat3 turn[BL__JOINTS];
} bl__skeleton;

#define BL__HIP_HALF 0.115f
#define BL__THIGH 0.5f
#define BL__ANKLE_UP 0.095f /* ankle above the sole, in leg lengths */

vec3 bl__joint_offset(const bl__build *b, bl__joint j); /* from the parent, in the parent's frame */
bl__joint bl__joint_parent(bl__joint j);
void bl__skeleton_pose(bl__skeleton *s, const bl__build *b, const bl__angles *a);

#endif
