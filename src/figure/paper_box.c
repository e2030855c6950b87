/* Paper box: the square around the face that the paper's face network works on. */
#include <math.h>

#include "ballerino/base.h"

#include "paper.h"

#define REACH 70 /* pixels of 1920x1080 to each side of the anchor */
#define SIDE 128 /* of the box, pixels of 1024x512 */

/* From anchor +- REACH, cut at the canvas, to `out` pixels, grown to SIDE and pushed back inside. Cuts and
 * truncations come one after another, as here; the second and third may undo what the one before did. */
static void interval(int *low, int *high, double anchor, int canvas, int out) {
    const double scale = (double)out / canvas;
    *low = (int)(BL_MAX(anchor - REACH, 0.0) * scale);
    *high = (int)(BL_MIN(anchor + REACH, (double)canvas) * scale);
    *high += (SIDE - (*high - *low)) / 2;
    *low = *high - SIDE;
    if (*high > out) *high = out, *low = out - SIDE;
    if (*low < 0) *low = 0, *high = SIDE;
}

static double coordinate(float v) {
    return isfinite(v) ? BL_CLAMP(bl__as_written(v), -1e6, 1e6) : 0;
}

int bl_paper_face_box(int box[4], const float (*body)[3], int format) {
    static const struct {
        int format, nose, right_ear, left_ear;
    } heads[] = {{18, 0, 16, 17}, {23, 18, 20, 22}, {25, 0, 17, 18}};
    for (size_t k = 0; k < BL_COUNT(heads); k++) {
        if (heads[k].format != format) continue;
        const float *nose = body[heads[k].nose];
        const float *right = body[heads[k].right_ear], *left = body[heads[k].left_ear];
        const float *a = nose[2] > 0 ? nose : right[2] > 0 ? right : left;
        const float *b = !(nose[2] > 0) && left[2] > 0 ? left : a; /* the mean with itself: no change */
        interval(&box[0], &box[1], (coordinate(a[1]) + coordinate(b[1])) / 2, BL__RASTER_HEIGHT,
                 BL__PAPER_HEIGHT);
        interval(&box[2], &box[3], (coordinate(a[0]) + coordinate(b[0])) / 2, BL__RASTER_WIDTH,
                 BL__PAPER_WIDTH);
        return 0;
    }
    return BL_E_USAGE;
}
