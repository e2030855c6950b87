/* Scores of one video against another, frame by frame in order. */
#include "ballerino/base.h"
#include "ballerino/eval.h"
#include "ballerino/media.h"

static void to_floats(float *out, const bl_frame *f) {
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width * 3; x++)
            out[(size_t)y * (size_t)f->width * 3 + (size_t)x] = f->data[y * f->stride + x];
}

static int score_pair(bl_clip_scores *s, float *buf, const bl_frame *a, const bl_frame *b, bl_err *err) {
    size_t n = (size_t)a->width * (size_t)a->height * 3;
    double ssim = 0;
    to_floats(buf, a);
    to_floats(buf + n, b);
    int rc = bl_eval_ssim(&ssim, buf, buf + n, a->width, a->height, 3, 255, err);
    s->ssim += ssim;
    s->psnr += bl_eval_psnr(buf, buf + n, a->width, a->height, 3, 255);
    s->frames++;
    return rc;
}

int bl_eval_clips(bl_clip_scores *out, const char *path_a, const char *path_b, bl_err *err) {
    bl_reader *a = NULL, *b = NULL;
    bl_frame *fa = NULL, *fb = NULL;
    float *buf = NULL;
    bl_clip_scores s = {0};
    int rc = bl_reader_open(&a, path_a, NULL, err), more_a = 0, more_b = 0;
    if (rc < 0 || (rc = bl_reader_open(&b, path_b, NULL, err)) < 0) goto done;
    const bl_video_info *ia = bl_reader_info(a), *ib = bl_reader_info(b);
    if (ia->width != ib->width || ia->height != ib->height) {
        rc =
            bl_fail(err, BL_E_MISMATCH, "%s is %dx%d but %s is %dx%d; only clips of one size can be compared",
                    path_a, ia->width, ia->height, path_b, ib->width, ib->height);
        goto done;
    }
    buf = bl_alloc_array((size_t)ia->width * (size_t)ia->height * 6, sizeof *buf);
    if (!buf) rc = bl_fail(err, BL_E_NOMEM, "not enough memory to compare %s", path_a);
    while (rc >= 0) {
        if ((rc = more_a = bl_reader_next(a, &fa, err)) < 0 ||
            (rc = more_b = bl_reader_next(b, &fb, err)) < 0)
            break;
        if (!more_a || !more_b) break;
        rc = score_pair(&s, buf, fa, fb, err);
        bl_frame_unref(&fa);
        bl_frame_unref(&fb);
    }
    if (rc >= 0 && (more_a != more_b || s.frames == 0))
        rc = bl_fail(err, BL_E_MISMATCH, "%s and %s have different numbers of frames", path_a, path_b);
    if (rc >= 0) {
        rc = 0;
        *out = (bl_clip_scores){s.frames, s.ssim / (double)s.frames, s.psnr / (double)s.frames};
    }
done:
    bl_frame_unref(&fa);
    bl_frame_unref(&fb);
    bl_free(buf);
    bl_reader_close(&a);
    bl_reader_close(&b);
    return rc;
}
