/* Hand: five fingers of four capsules, from the wrist to each tip. */
#include "ballerino/base.h"

#include "parts.h"

/* The paper's colours of a hand's points, thumb to little finger, base to tip; the wrist's is not needed, as
 * a segment has the colour of its second point. */
static const uint8_t rgb[BL_HAND_POINTS - 1][3] = {
    {64, 115, 231}, {31, 136, 233}, {13, 160, 213}, {19, 200, 217},   /* thumb */
    {35, 210, 170}, {48, 228, 139}, {45, 214, 83},  {46, 192, 77},    /* index */
    {133, 213, 83}, {190, 223, 82}, {197, 184, 80}, {189, 140, 78},   /* middle */
    {208, 112, 86}, {217, 73, 83},  {183, 46, 123}, {255, 102, 189},  /* ring */
    {232, 83, 218}, {189, 65, 229}, {141, 61, 236}, {145, 102, 255}}; /* little */

/* The right hand has the table's colours. They go once round the circle of hues, so a turn of hues alone
 * would make some left finger look like some right one; the left hand's are turned by a third (channels moved
 * by one), which sets equal fingers apart, and brought halfway to white, which sets all of them apart: no
 * colour of one hand comes nearer than 56 (of 255) to any of the other, equal points are at least 147 apart.
 * Thin lines are dimmed by their coverage, but stay pale or stay deep. */
static void paint(bl_capsule *s, int point, int left) {
    const uint8_t *c = rgb[point - 1];
    for (int k = 0; k < 3; k++) s->rgb[k] = (left ? 0.5f * (255 + (float)c[(k + 1) % 3]) : (float)c[k]) / 255;
}

/* Half-widths as parts of the palm's length; a real finger's is 0.08, here neighbours must stay apart. */
#define AT_BASE 0.05f
#define AT_TIP 0.035f

/* Wrist to knuckles, the longest as it is foreshortened least. */
static float palm(const bl_point3 q[BL_HAND_POINTS]) {
    float most = bl__apart(&q[0], &q[9]);
    most = BL_MAX(most, bl__apart(&q[0], &q[5]));
    return BL_MAX(most, bl__apart(&q[0], &q[17]));
}

float bl__part_opacity(float score) {
    return score > 0.25f ? BL_MIN((score - 0.25f) / 0.25f, 1) : 0;
}

int bl__hand_shapes(bl_capsule out[BL__HAND_SHAPES], const bl_hand *h, int left, const bl__placing *at) {
    bl_point3 q[BL_HAND_POINTS];
    float depth[BL__HAND_SHAPES], alpha = bl__part_opacity(h->score);
    int n = 0;
    for (int k = 0; k < BL_HAND_POINTS; k++) q[k] = bl__place(at, &h->points[k]);
    float size = palm(q);
    if (!(alpha > 0) || !isfinite(size)) return 0;
    for (int b = 1; b < BL_HAND_POINTS; b++) {
        int along = (b - 1) % 4, a = along ? b - 1 : 0; /* each base hangs on the wrist */
        if (!bl__is_finite(&q[a]) || !bl__is_finite(&q[b])) continue;
        float ra = AT_BASE + (AT_TIP - AT_BASE) * 0.25f * (float)along;
        float rb = AT_BASE + (AT_TIP - AT_BASE) * 0.25f * (float)(along + 1);
        bl_capsule s = {.ax = q[a].x, .ay = q[a].y, .bx = q[b].x, .by = q[b].y, .alpha = alpha};
        s.ra = BL_MAX(ra * size, BL__PART_HALF_WIDTH);
        s.rb = BL_MAX(rb * size, BL__PART_HALF_WIDTH);
        paint(&s, b, left);
        float z = (q[a].z + q[b].z) / 2;
        int k = n++; /* far to near, ties in the points' order */
        for (; k > 0 && depth[k - 1] < z; k--) out[k] = out[k - 1], depth[k] = depth[k - 1];
        out[k] = s;
        depth[k] = z;
    }
    return n;
}
