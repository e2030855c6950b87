#include "cut.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"

#define LARGE 16.f    /* mean change of a thumbnail's brightness, of 255 */
#define JUMP 4.f      /* times the largest of the changes just before ... */
#define STILL 2.f     /* ... which count as at least this */
#define LEAST_KNOWN 3 /* changes before; with fewer a cut must be twice as large */
#define PROBES 6      /* each way, of a cell */

static float brightness(const bl_frame *f, int cell_x, int cell_y) {
    float sum = 0;
    for (int j = 0; j < PROBES; j++) {
        const int y = (int)(((int64_t)(cell_y * PROBES + j) * 2 + 1) * f->height / (2 * BL__CUT_H * PROBES));
        const uint8_t *row = f->data + y * f->stride;
        for (int i = 0; i < PROBES; i++) {
            const int x =
                (int)(((int64_t)(cell_x * PROBES + i) * 2 + 1) * f->width / (2 * BL__CUT_W * PROBES));
            const uint8_t *px = row + (ptrdiff_t)x * 3;
            sum += 0.299f * (float)px[0] + 0.587f * (float)px[1] + 0.114f * (float)px[2];
        }
    }
    return sum / (PROBES * PROBES);
}

int bl__cut_add(bl__cut *c, const bl_frame *f) {
    float change = 0, usual = STILL;
    for (int y = 0; y < BL__CUT_H; y++)
        for (int x = 0; x < BL__CUT_W; x++) {
            float now = brightness(f, x, y), *was = &c->thumb[y * BL__CUT_W + x];
            change += fabsf(now - *was) / (BL__CUT_W * BL__CUT_H);
            *was = now;
        }
    const int64_t known = BL_MIN(c->seen - 1, BL__CUT_MEMORY);
    for (int64_t k = 0; k < known; k++) usual = fmaxf(usual, c->before[k]);
    const float large = known < LEAST_KNOWN ? 2 * LARGE : LARGE;
    const int cut = c->seen > 0 && change > large && change > JUMP * usual;
    if (cut) { /* the old shot's changes say nothing of the new one's */
        memset(c->before, 0, sizeof c->before);
        c->seen = 1;
        return 1;
    }
    if (c->seen > 0) c->before[(c->seen - 1) % BL__CUT_MEMORY] = change;
    c->seen++;
    return 0;
}
