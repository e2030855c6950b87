/* Pictures, as PNG in data: addresses. */
#include <string.h>

#include "report_page.h"

#define FILE_MAX (64u << 20) /* bytes of a picture's file */

typedef struct words {
    const char *alt, *caption;
    int strip;
} words;

static void figure(bl_report *r, const void *png, size_t size, int w, int h, const words *t) {
    bl__html *html = &r->html;
    bl__html_raw(html, "<figure><div class=\"%s\"><img width=\"%d\" height=\"%d\" alt=\"",
                 t->strip ? "strip" : "still", w, h);
    bl__html_text(html, t->alt);
    bl__html_raw(html, "\" src=\"data:image/png;base64,");
    bl__html_base64(html, png, size);
    bl__html_raw(html, "\"/></div>");
    if (t->caption) {
        bl__html_raw(html, "<figcaption>");
        bl__html_text(html, t->caption);
        bl__html_raw(html, "</figcaption>");
    }
    bl__html_raw(html, "</figure>\n");
}

static void show_frame(bl_report *r, const bl_frame *f, const words *t) {
    uint8_t *png = NULL;
    size_t size = 0;
    bl_err err = {0};
    if (!r || r->html.rc < 0) return;
    if (bl_png_encode(&png, &size, f, &err) < 0)
        bl__html_fail(&r->html, &err);
    else
        figure(r, png, size, f->width, f->height, t);
    bl_free(png);
}

/* *png is left NULL where *f was reduced: then *f is to be shown, else the file as it is. */
static int load(const char *path, int max_side, bl_frame **f, char **png, size_t *size, bl_err *err) {
    bl_frame *small = NULL;
    int rc = bl_png_read(f, path, err); /* also tells whether it is whole */
    if (rc < 0) return rc;
    const int side = BL_MAX((*f)->width, (*f)->height);
    if (max_side <= 0 || side <= max_side) return bl_file_read(png, size, path, FILE_MAX, err);
    const double k = (double)max_side / side;
    rc = bl_frame_resize(&small, *f, BL_MAX(1, (int)((*f)->width * k + 0.5)),
                         BL_MAX(1, (int)((*f)->height * k + 0.5)), err);
    if (rc < 0) return rc;
    bl_frame_unref(f);
    *f = small;
    return 0;
}

static void show_file(bl_report *r, const char *path, int max_side, const words *t) {
    bl_frame *f = NULL;
    char *png = NULL;
    size_t size = 0;
    bl_err err = {0};
    if (!r || r->html.rc < 0) return;
    int rc = load(path, max_side, &f, &png, &size, &err);
    if (rc == BL_E_NOMEM)
        bl__html_fail(&r->html, &err);
    else if (rc < 0)
        bl_report_note(r, BL_REPORT_PLAIN, "A picture is missing here: %s.", err.msg);
    else if (png)
        figure(r, png, size, f->width, f->height, t);
    else
        show_frame(r, f, t);
    bl_free(png);
    bl_frame_unref(&f);
}

void bl_report_picture(bl_report *r, const bl_frame *f, const char *alt, const char *caption) {
    show_frame(r, f, &(words){alt, caption, 0});
}
void bl_report_strip(bl_report *r, const bl_frame *f, const char *alt, const char *caption) {
    show_frame(r, f, &(words){alt, caption, 1});
}
void bl_report_picture_file(bl_report *r, const char *path, int max_side, const char *alt,
                            const char *caption) {
    show_file(r, path, max_side, &(words){alt, caption, 0});
}
void bl_report_strip_file(bl_report *r, const char *path, int max_side, const char *alt,
                          const char *caption) {
    show_file(r, path, max_side, &(words){alt, caption, 1});
}
