/* xoshiro256** 1.0 (Blackman & Vigna 2018), seeded by splitmix64. */
#include <math.h>

#include "ballerino/base.h"

static uint64_t rol(uint64_t x, int n) {
    return (x << n) | (x >> (64 - n));
}

void bl_rng_seed(bl_rng *r, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        r->s[i] = z ^ (z >> 31);
    }
}

uint64_t bl_rng_u64(bl_rng *r) {
    uint64_t *s = r->s, result = rol(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rol(s[3], 45);
    return result;
}

double bl_rng_uniform(bl_rng *r) {
    return (double)(bl_rng_u64(r) >> 11) * 0x1p-53;
}

double bl_rng_normal(bl_rng *r) {
    double u = 1.0 - bl_rng_uniform(r), v = bl_rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

int64_t bl_rng_below(bl_rng *r, int64_t n) {
    return n <= 1 ? 0 : (int64_t)(bl_rng_u64(r) % (uint64_t)n);
}
