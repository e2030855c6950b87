/* For paper_peer.py: reads a pose as text (format, body, face, right and left hand), writes the canvas and
 * the picture as raw RGB. */
#include <stdio.h>
#include <stdlib.h>

#include "ballerino/base.h"
#include "figure/paper.h"

static int read_points(FILE *f, float (*p)[3], int n) {
    for (int k = 0; k < n * 3; k++) {
        char text[64];
        if (fscanf(f, "%63s", text) != 1) return -1;
        p[k / 3][k % 3] = strtof(text, NULL);
    }
    return 0;
}

static int write_rows(const char *path, const uint8_t *rgb, ptrdiff_t stride, int w, int h) {
    FILE *f = fopen(path, "wb");
    int ok = f != NULL;
    for (int y = 0; ok && y < h; y++) ok = fwrite(rgb + y * stride, 3, (size_t)w, f) == (size_t)w;
    if (f && fclose(f) != 0) ok = 0;
    return ok ? 0 : -1;
}

int main(int argc, char **argv) {
    static float body[25][3], face[70][3], right[21][3], left[21][3];
    static uint8_t canvas[BL__RASTER_WIDTH * BL__RASTER_HEIGHT * 3];
    bl_paper_pose p = {.body = (const float(*)[3])body, .face = (const float(*)[3])face};
    bl_err err = {0};
    bl_frame *picture = NULL;
    FILE *f = argc == 4 ? fopen(argv[1], "r") : NULL;
    if (!f) return 2;
    int ok = fscanf(f, "%d", &p.format) == 1 && p.format >= 0 && p.format <= 25;
    ok = ok && read_points(f, body, p.format) == 0 && read_points(f, face, 70) == 0;
    ok = ok && read_points(f, right, 21) == 0 && read_points(f, left, 21) == 0;
    (void)fclose(f);
    p.right_hand = (const float(*)[3])right, p.left_hand = (const float(*)[3])left;
    ok = ok && bl__paper_draw(canvas, &p, &err) == 0 && bl_figure_draw_paper(&picture, &p, &err) == 0;
    ok = ok && write_rows(argv[2], canvas, BL__RASTER_WIDTH * 3, BL__RASTER_WIDTH, BL__RASTER_HEIGHT) == 0 &&
         write_rows(argv[3], picture->data, picture->stride, picture->width, picture->height) == 0;
    bl_frame_unref(&picture);
    if (!ok) fprintf(stderr, "paper_dump failed: %s\n", err.msg);
    return ok ? 0 : 1;
}
