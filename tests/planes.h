/* RGB to planes as they are encoded, from the definition: BT.709 in limited range; chroma, seen from the
 * middle of each pair of pixels, by the cubic with a = -0.6 stretched to two pixels, as swscale has it. */
#ifndef BALLERINO_TEST_PLANES_H
#define BALLERINO_TEST_PLANES_H

#include <math.h>

#include "ballerino/base.h"
#include "ballerino/media.h"

static inline double planes_cubic(double x) {
    const double a = -0.6;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static inline double planes_at(const bl_frame *f, int x, int y, int c) {
    return f->data[BL_CLAMP(y, 0, f->height - 1) * f->stride + BL_CLAMP(x, 0, f->width - 1) * 3 + c];
}

static inline uint8_t planes_byte(double v) {
    return (uint8_t)(BL_CLAMP(v, 0, 255) + 0.5);
}

static inline double planes_luma(const double rgb[3]) {
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
}

/* The mean colour around a pair's middle. */
static inline void planes_pair(double rgb[3], const bl_frame *f, int x, int y) {
    double sum = 0;
    rgb[0] = rgb[1] = rgb[2] = 0;
    for (int b = -4; b < 4; b++)
        for (int a = -4; a < 4; a++) {
            const double t = planes_cubic((a + 0.5) / 2) * planes_cubic((b + 0.5) / 2);
            sum += t;
            for (int c = 0; c < 3; c++) rgb[c] += t * planes_at(f, 2 * x + 1 + a, 2 * y + 1 + b, c);
        }
    for (int c = 0; c < 3; c++) rgb[c] /= sum;
}

/* `to`: Y, U, V, one behind the other, sides rounded up to be even. */
static inline void planes_of(uint8_t *to, const bl_frame *f) {
    const int w = (f->width + 1) / 2, h = (f->height + 1) / 2;
    for (int i = 0; i < 4 * w * h; i++) {
        const int x = i % (2 * w), y = i / (2 * w);
        const double rgb[3] = {planes_at(f, x, y, 0), planes_at(f, x, y, 1), planes_at(f, x, y, 2)};
        *to++ = planes_byte(16 + 219 * planes_luma(rgb) / 255);
    }
    for (int k = 2; k >= 0; k -= 2)
        for (int i = 0; i < w * h; i++) {
            double rgb[3];
            planes_pair(rgb, f, i % w, i / w);
            const double span = k ? 2 * (1 - 0.0722) : 2 * (1 - 0.2126);
            *to++ = planes_byte(128 + 224 * (rgb[k] - planes_luma(rgb)) / span / 255);
        }
}

#endif
