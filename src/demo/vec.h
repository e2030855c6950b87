/* Vectors and rotations of the demo's little renderer: metres, x to the picture's right, y up, z to the
 * camera. */
#ifndef BL_DEMO_VEC_H
#define BL_DEMO_VEC_H

#include <math.h>

#include "ballerino/base.h"

typedef struct vec3 {
    float x, y, z;
} vec3;
typedef struct mat3 {
    vec3 x, y, z; /* columns: where the axes go */
} mat3;

#define BL__PI 3.14159265f
#define BL__DEG (BL__PI / 180)

static inline vec3 v3(float x, float y, float z) {
    return (vec3){x, y, z};
}
static inline vec3 v_add(vec3 a, vec3 b) {
    return v3(a.x + b.x, a.y + b.y, a.z + b.z);
}
static inline vec3 v_sub(vec3 a, vec3 b) {
    return v3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline vec3 v_mul(vec3 a, float s) {
    return v3(a.x * s, a.y * s, a.z * s);
}
static inline vec3 v_times(vec3 a, vec3 b) {
    return v3(a.x * b.x, a.y * b.y, a.z * b.z);
}
static inline vec3 v_mad(vec3 a, vec3 b, float s) {
    return v3(a.x + b.x * s, a.y + b.y * s, a.z + b.z * s);
}
static inline float v_dot(vec3 a, vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static inline vec3 v_cross(vec3 a, vec3 b) {
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline float v_len(vec3 a) {
    return sqrtf(v_dot(a, a));
}
static inline vec3 v_unit(vec3 a) {
    return v_mul(a, 1 / fmaxf(v_len(a), 1e-9f));
}
static inline vec3 v_mix(vec3 a, vec3 b, float t) {
    return v_mad(a, v_sub(b, a), t);
}

static inline vec3 m_apply(mat3 m, vec3 v) {
    return v3(m.x.x * v.x + m.y.x * v.y + m.z.x * v.z, m.x.y * v.x + m.y.y * v.y + m.z.y * v.z,
              m.x.z * v.x + m.y.z * v.y + m.z.z * v.z);
}
static inline vec3 m_back(mat3 m, vec3 v) {
    return v3(v_dot(m.x, v), v_dot(m.y, v), v_dot(m.z, v));
}
static inline mat3 m_mul(mat3 a, mat3 b) {
    return (mat3){m_apply(a, b.x), m_apply(a, b.y), m_apply(a, b.z)};
}
static inline mat3 m_back_mul(mat3 a, mat3 b) {
    return (mat3){m_back(a, b.x), m_back(a, b.y), m_back(a, b.z)};
}
static inline mat3 m_one(void) {
    return (mat3){{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
}
static inline mat3 m_rot_x(float a) {
    return (mat3){{1, 0, 0}, {0, cosf(a), sinf(a)}, {0, -sinf(a), cosf(a)}};
}
static inline mat3 m_rot_y(float a) {
    return (mat3){{cosf(a), 0, -sinf(a)}, {0, 1, 0}, {sinf(a), 0, cosf(a)}};
}
static inline mat3 m_rot_z(float a) {
    return (mat3){{cosf(a), sinf(a), 0}, {-sinf(a), cosf(a), 0}, {0, 0, 1}};
}

/* A limb that hangs along its own -y, turned to point along `dir`, with its x axis as near `hinge` as can be.
 */
static inline mat3 m_limb(vec3 dir, vec3 hinge) {
    vec3 y = v_mul(v_unit(dir), -1), x = v_unit(v_mad(hinge, y, -v_dot(hinge, y)));
    return (mat3){x, y, v_cross(x, y)};
}

static inline float f_mix(float a, float b, float t) {
    return a + (b - a) * t;
}
static inline float f_sat(float x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}
static inline float f_smooth(float lo, float hi, float x) {
    return bl_smoothstep((x - lo) / (hi - lo));
}

#endif
