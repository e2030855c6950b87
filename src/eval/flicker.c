/* What changes from frame to frame beyond the pose's own motion. */
#include <math.h>

#include "ballerino/base.h"
#include "ballerino/eval.h"

/* now - before(q + field) at pixel (i, j) of the box, bytes. */
static void change_at(float d[3], const bl_frame *now, const bl_frame *before, const float *field,
                      const bl_box *box, int i, int j) {
    const float sx = BL_CLAMP((float)(box->x + i) + field[0], 0, (float)(before->width - 1)),
                sy = BL_CLAMP((float)(box->y + j) + field[1], 0, (float)(before->height - 1));
    const int x0 = (int)sx, y0 = (int)sy, x1 = BL_MIN(x0 + 1, before->width - 1),
              y1 = BL_MIN(y0 + 1, before->height - 1);
    const float fx = sx - (float)x0, fy = sy - (float)y0;
    const uint8_t *top = before->data + y0 * before->stride, *low = before->data + y1 * before->stride;
    const uint8_t *px = now->data + (box->y + j) * now->stride + (ptrdiff_t)(box->x + i) * 3;
    for (int c = 0; c < 3; c++)
        d[c] = (float)px[c] - (1 - fy) * ((1 - fx) * top[x0 * 3 + c] + fx * top[x1 * 3 + c]) -
               fy * ((1 - fx) * low[x0 * 3 + c] + fx * low[x1 * 3 + c]);
}

double bl_eval_warped_error(const bl_frame *now, const bl_frame *before, const float *field,
                            const bl_box *box) {
    double total = 0;
    for (int j = 0; j < box->h; j++) {
        float row = 0, d[3];
        for (int i = 0; i < box->w; i++, field += 2) {
            change_at(d, now, before, field, box, i, j);
            row += fabsf(d[0]) + fabsf(d[1]) + fabsf(d[2]);
        }
        total += (double)row;
    }
    return total / ((double)box->w * box->h * 3);
}

double bl_eval_change_error(const bl_frame *const made[2], const bl_frame *const real[2], const float *field,
                            const bl_box *box) {
    double total = 0;
    for (int j = 0; j < box->h; j++) {
        float row = 0, d[3], e[3];
        for (int i = 0; i < box->w; i++, field += 2) {
            change_at(d, made[0], made[1], field, box, i, j);
            change_at(e, real[0], real[1], field, box, i, j);
            for (int c = 0; c < 3; c++) row += fabsf(d[c] - e[c]);
        }
        total += (double)row;
    }
    return total / ((double)box->w * box->h * 3);
}
