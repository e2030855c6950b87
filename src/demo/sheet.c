/* The contact sheet: rows of evenly spaced moments of up to three clips. */
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/demo.h"

#define ROW_HEIGHT 384
#define GAP 6

static int64_t count_frames(const char *path, bl_err *err) {
    bl_reader *r = NULL;
    bl_frame *f = NULL;
    int rc = bl_reader_open(&r, path, NULL, err);
    if (rc < 0) return rc;
    int64_t n = 0;
    while ((rc = bl_reader_next(r, &f, err)) > 0) bl_frame_unref(&f), n++;
    bl_reader_close(&r);
    if (rc < 0) return rc;
    return n > 0 ? n : bl_fail(err, BL_E_FORMAT, "There is no picture in %s.", path);
}

static int64_t moment(int64_t n, int columns, int column) {
    return (2 * (int64_t)column + 1) * n / (2 * (int64_t)columns);
}

/* One row: the clip's moments, side by side. */
static int make_row(bl_frame **out, const char *path, int columns, bl_err *err) {
    int64_t n = count_frames(path, err);
    if (n < 0) return (int)n;
    bl_reader *r = NULL;
    bl_frame *f = NULL, *small = NULL, *row = NULL;
    int column = 0, rc = bl_reader_open(&r, path, NULL, err);
    if (rc < 0) return rc;
    for (int64_t i = 0; column < columns && (rc = bl_reader_next(r, &f, err)) > 0; i++) {
        int width = (int)((int64_t)f->width * ROW_HEIGHT / f->height);
        if (rc >= 0 && moment(n, columns, column) == i)
            rc = bl_frame_resize(&small, f, BL_MAX(width, 1), ROW_HEIGHT, err);
        if (rc >= 0 && small && !row)
            rc = bl_frame_create(&row, columns * (small->width + GAP) - GAP, ROW_HEIGHT, err);
        if (rc < 0) goto fail;
        for (; column < columns && moment(n, columns, column) == i; column++)
            for (int y = 0; y < ROW_HEIGHT; y++)
                memcpy(row->data + y * row->stride + 3 * (ptrdiff_t)column * (small->width + GAP),
                       small->data + y * small->stride, 3 * (size_t)small->width);
        bl_frame_unref(&small);
        bl_frame_unref(&f);
    }
    if (rc < 0) goto fail;
    bl_reader_close(&r);
    *out = row;
    return row ? 0 : bl_fail(err, BL_E_FORMAT, "There is no picture in %s.", path);
fail:
    bl_frame_unref(&f);
    bl_frame_unref(&small);
    bl_frame_unref(&row);
    bl_reader_close(&r);
    return rc;
}

static int stack(bl_frame **out, bl_frame *const rows[3], bl_err *err) {
    int width = 0, n = 0;
    for (int i = 0; i < 3; i++)
        if (rows[i]) width = BL_MAX(width, rows[i]->width), n++;
    if (!n) return bl_fail(err, BL_E_USAGE, "A contact sheet needs at least one clip.");
    int rc = bl_frame_create(out, width, n * (ROW_HEIGHT + GAP) - GAP, err);
    if (rc < 0) return rc;
    for (int y = 0; y < (*out)->height; y++)
        memset((*out)->data + y * (*out)->stride, 255, 3 * (size_t)width);
    for (int i = 0, at = 0; i < 3; i++) {
        if (!rows[i]) continue;
        for (int y = 0; y < ROW_HEIGHT; y++, at++) {
            uint8_t *to = (*out)->data + at * (*out)->stride;
            memcpy(to, rows[i]->data + y * rows[i]->stride, 3 * (size_t)rows[i]->width);
        }
        at += GAP;
    }
    return 0;
}

int bl_demo_contact_sheet(const char *out_png, const char *source_path, const char *result_path,
                          const char *truth_path, int columns, bl_err *err) {
    const char *const paths[3] = {source_path, result_path, truth_path};
    if (columns < 1 || columns > 64)
        return bl_fail(err, BL_E_USAGE, "A contact sheet of %d columns is out of range; take 1 to 64.",
                       columns);
    bl_frame *rows[3] = {NULL, NULL, NULL}, *sheet = NULL;
    int rc = 0;
    for (int i = 0; i < 3 && rc >= 0; i++)
        if (paths[i]) rc = make_row(&rows[i], paths[i], columns, err);
    if (rc >= 0) rc = stack(&sheet, rows, err);
    if (rc >= 0) rc = bl_png_write(sheet, out_png, err);
    for (int i = 0; i < 3; i++) bl_frame_unref(&rows[i]);
    bl_frame_unref(&sheet);
    return rc;
}
