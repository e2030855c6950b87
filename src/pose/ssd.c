#include "ssd.h"

#include <math.h>
#include <stdlib.h>

#include "ballerino/base.h"

#define MIN_SCORE 0.5f
#define SAME_IOU 0.3f /* boxes that overlap more are one detection */

int bl__ssd_anchors(const bl__ssd *s) {
    int n = 0;
    for (int l = 0; l < s->n_layers; l++) n += s->layer[l].cells * s->layer[l].cells * s->layer[l].per_cell;
    return n;
}

static bl__detection decode_row(const bl__ssd *s, const float *v, float score, double ax, double ay) {
    double size = s->size;
    double x = v[0] / size + ax, y = v[1] / size + ay;
    double w = v[2] / size, h = v[3] / size;
    bl__detection d = {.score = score,
                       .xmin = (float)(x - w / 2),
                       .ymin = (float)(y - h / 2),
                       .xmax = (float)(x + w / 2),
                       .ymax = (float)(y + h / 2)};
    for (int k = 0; k < s->points; k++)
        d.point[k] = (bl__point){v[4 + 2 * k] / size + ax, v[5 + 2 * k] / size + ay};
    return d;
}

static int candidates(const bl__ssd *s, const float *boxes, const float *logits, bl__detection *out) {
    int n = 0, anchor = 0, row = 4 + 2 * s->points;
    for (int l = 0; l < s->n_layers; l++)
        for (int cell = 0; cell < s->layer[l].cells * s->layer[l].cells; cell++)
            for (int k = 0; k < s->layer[l].per_cell; k++, anchor++) {
                const float *v = boxes + (size_t)anchor * (size_t)row;
                float score = 1 / (1 + expf(-BL_CLAMP(logits[anchor], -100.f, 100.f)));
                if (!(score >= MIN_SCORE) || !(v[2] >= 0) || !(v[3] >= 0)) continue;
                out[n++] = decode_row(s, v, score, (cell % s->layer[l].cells + .5) / s->layer[l].cells,
                                      (cell / s->layer[l].cells + .5) / s->layer[l].cells);
            }
    return n;
}

static float overlap(const bl__detection *a, const bl__detection *b) {
    float w = fminf(a->xmax, b->xmax) - fmaxf(a->xmin, b->xmin);
    float h = fminf(a->ymax, b->ymax) - fmaxf(a->ymin, b->ymin);
    if (w <= 0 || h <= 0) return 0;
    float all = (a->xmax - a->xmin) * (a->ymax - a->ymin) + (b->xmax - b->xmin) * (b->ymax - b->ymin) - w * h;
    return all > 0 ? w * h / all : 0;
}

static int by_score(const void *a, const void *b) {
    float x = ((const bl__detection *)a)->score, y = ((const bl__detection *)b)->score;
    return (x < y) - (x > y);
}

/* Takes the best of the n candidates and all that overlap it: their mean, weighted by score. The others move
 * up; gives how many they are. */
static int merge_best(const bl__ssd *ssd, bl__detection *c, int n, bl__detection *out) {
    double total = 0, box[4] = {0}, x[BL__SSD_MAX_POINTS] = {0}, y[BL__SSD_MAX_POINTS] = {0};
    bl__detection best = c[0];
    int left = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && !(overlap(&best, &c[i]) > SAME_IOU)) {
            c[left++] = c[i];
            continue;
        }
        double s = c[i].score;
        total += s;
        box[0] += s * c[i].xmin, box[1] += s * c[i].ymin, box[2] += s * c[i].xmax, box[3] += s * c[i].ymax;
        for (int k = 0; k < ssd->points; k++) x[k] += s * c[i].point[k].x, y[k] += s * c[i].point[k].y;
    }
    *out = (bl__detection){.score = best.score,
                           .xmin = (float)(box[0] / total),
                           .ymin = (float)(box[1] / total),
                           .xmax = (float)(box[2] / total),
                           .ymax = (float)(box[3] / total)};
    for (int k = 0; k < ssd->points; k++) out->point[k] = (bl__point){x[k] / total, y[k] / total};
    return left;
}

int bl__ssd_decode(const bl__ssd *s, const float *boxes, const float *logits,
                   bl__detection out[BL__SSD_MAX_FOUND]) {
    bl__detection c[BL__SSD_MAX_ANCHORS];
    int n = candidates(s, boxes, logits, c), found = 0;
    qsort(c, (size_t)n, sizeof *c, by_score);
    while (n > 0 && found < BL__SSD_MAX_FOUND) n = merge_best(s, c, n, &out[found++]);
    return found;
}
