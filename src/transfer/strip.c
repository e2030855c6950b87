#include "strip.h"

#include <string.h>

#include "ballerino/figure.h"

#define WIDTH 1320 /* of the whole picture, about */
#define TALLEST 320
#define GAP 6
#define SHADE 24 /* beside a source of another shape */

void bl__strip_init(bl__strip *s, const bl_track *t) {
    const double shape = (double)t->width / t->height;
    *s = (bl__strip){.wanted = (int)BL_MIN(t->n, shape > 1.2 ? 4 : BL__STRIP_MAX)};
    const double w = BL_MIN(TALLEST * shape, (double)WIDTH / BL_MAX(s->wanted, 1) - GAP);
    s->width = BL_MAX(8, (int)w);
    s->height = BL_MAX(8, (int)(w / shape + 0.5));
    for (int k = 0; k < s->wanted; k++) s->at[k] = t->frames[(2 * k + 1) * t->n / (2 * s->wanted)].i;
}

/* As large as fits into one tile, in its middle. */
static int fit(const bl__strip *s, bl_frame **out, const bl_frame *in, bl_err *err) {
    const double k = BL_MIN((double)s->width / in->width, (double)s->height / in->height);
    const int w = BL_CLAMP((int)(in->width * k + 0.5), 1, s->width),
              h = BL_CLAMP((int)(in->height * k + 0.5), 1, s->height);
    const int x0 = (s->width - w) / 2, y0 = (s->height - h) / 2;
    bl_frame *small = NULL;
    int rc = bl_frame_resize(&small, in, w, h, err);
    if (rc == 0) rc = bl_frame_create(out, s->width, s->height, err);
    if (rc == 0) {
        memset((*out)->data, SHADE, (size_t)(*out)->stride * (size_t)s->height);
        for (int y = 0; y < h; y++)
            memcpy((*out)->data + (y0 + y) * (*out)->stride + (ptrdiff_t)x0 * 3,
                   small->data + y * small->stride, (size_t)w * 3);
    }
    bl_frame_unref(&small);
    return rc;
}

static int keep(const bl__strip *s, bl_frame *tile[BL__STRIP_ROWS], const bl__still *still,
                const bl_frame *result, bl_err *err) {
    bl_frame *figure = NULL;
    int rc = bl_frame_create(&figure, result->width, result->height, err);
    if (rc == 0 && still->opacity > 0) bl_figure_overlay(figure, &still->person, still->opacity, NULL);
    if (rc == 0) rc = fit(s, &tile[BL__STRIP_SOURCE], still->source, err);
    if (rc == 0) rc = fit(s, &tile[BL__STRIP_FIGURE], figure, err);
    if (rc == 0) rc = fit(s, &tile[BL__STRIP_RESULT], result, err);
    bl_frame_unref(&figure);
    return rc;
}

int bl__strip_is_due(const bl__strip *s, const bl__still *still) {
    return s->wanted > 0 && s->at[0] <= still->source->index;
}

void bl__strip_see(bl__strip *s, const bl__still *still, const bl_frame *result) {
    int due = 0; /* several moments may fall on one frame */
    while (due < s->wanted && s->at[due] <= still->source->index) due++;
    if (due == 0) return;
    memmove(s->at, s->at + due, (size_t)(s->wanted - due) * sizeof *s->at);
    s->wanted -= due;
    if (keep(s, s->tile[s->n], still, result, NULL) == 0) {
        s->n++;
        return;
    }
    for (int row = 0; row < BL__STRIP_ROWS; row++) bl_frame_unref(&s->tile[s->n][row]);
}

int bl__strip_picture(const bl__strip *s, bl_frame **out, bl_err *err) {
    bl_frame *f = NULL;
    if (s->n == 0) return 0;
    int rc =
        bl_frame_create(&f, s->n * (s->width + GAP) - GAP, BL__STRIP_ROWS * (s->height + GAP) - GAP, err);
    if (rc < 0) return rc;
    memset(f->data, 255, (size_t)f->stride * (size_t)f->height);
    for (int k = 0; k < s->n; k++)
        for (int row = 0; row < BL__STRIP_ROWS; row++)
            for (int y = 0; y < s->height; y++)
                memcpy(f->data + (row * (s->height + GAP) + y) * f->stride +
                           (ptrdiff_t)k * (s->width + GAP) * 3,
                       s->tile[k][row]->data + y * s->tile[k][row]->stride, (size_t)s->width * 3);
    *out = f;
    return 0;
}

void bl__strip_release(bl__strip *s) {
    for (int k = 0; k < BL__STRIP_MAX; k++)
        for (int row = 0; row < BL__STRIP_ROWS; row++) bl_frame_unref(&s->tile[k][row]);
    *s = (bl__strip){0};
}
