#include "hw.h"

#include <libswresample/swresample.h>
#include <pthread.h>

static int mismatch;

static void log_line(void *ctx, int level, const char *fmt, va_list ap) {
    char line[512];
    int prefix = 1;
    if (level > AV_LOG_WARNING) return;
    av_log_format_line2(ctx, level, fmt, ap, line, sizeof line, &prefix);
    line[strcspn(line, "\r\n")] = 0;
    bl_log(BL_LOG_DEBUG, "libav", "%s", line);
}

static void init(void) {
    av_log_set_callback(log_line);
    mismatch = avformat_version() >> 16 != LIBAVFORMAT_VERSION_MAJOR ||
               avcodec_version() >> 16 != LIBAVCODEC_VERSION_MAJOR ||
               avutil_version() >> 16 != LIBAVUTIL_VERSION_MAJOR ||
               swscale_version() >> 16 != LIBSWSCALE_VERSION_MAJOR ||
               swresample_version() >> 16 != LIBSWRESAMPLE_VERSION_MAJOR;
}

int bl__av_init(bl_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
    if (!mismatch) return 0;
    return bl_fail(
        err, BL_E_UNSUPPORTED,
        "the FFmpeg libraries on this machine are not those Ballerino was built with; build it again here");
}

int bl__av_fail(bl_err *err, int code, int averror, const char *what, const char *path) {
    char why[AV_ERROR_MAX_STRING_SIZE] = "unknown reason";
    av_strerror(averror, why, sizeof why);
    if (averror == AVERROR(ENOMEM)) code = BL_E_NOMEM;
    if (averror == AVERROR_EXTERNAL) /* x264 says no more than this, and fails for nothing else here */
        return bl_fail(err, BL_E_NOMEM, "%s %s: the encoder gave up, most likely for want of memory", what,
                       path);
    if (averror == AVERROR(ENOSPC) || averror == AVERROR(EFBIG)) code = BL_E_IO;
    return bl_fail(err, code, "%s %s: %s", what, path, why);
}

int bl_media_describe(char *buf, size_t size, bl_err *err) {
    int rc = bl__av_init(err);
    if (rc < 0) return rc;
    static const struct {
        const char *what, *name;
        int encoder;
    } rows[] = {{"H.264 encoder", "libx264", 1}, {"AAC encoder", "aac", 1},         {"PNG encoder", "png", 1},
                {"H.264 decoder", "h264", 0},    {"HEVC decoder", "hevc", 0},       {"VP9 decoder", "vp9", 0},
                {"AV1 decoder", "libdav1d", 0},  {"NVENC encoder", "h264_nvenc", 1}};
    int n = snprintf(buf, size, "FFmpeg libavcodec %u.%u.%u\n", avcodec_version() >> 16,
                     avcodec_version() >> 8 & 255, avcodec_version() & 255);
    for (size_t i = 0; i < BL_COUNT(rows) && n >= 0 && (size_t)n < size; i++) {
        const AVCodec *c = rows[i].encoder ? avcodec_find_encoder_by_name(rows[i].name)
                                           : avcodec_find_decoder_by_name(rows[i].name);
        n +=
            snprintf(buf + n, size - (size_t)n, "%s (%s) %s\n", rows[i].what, rows[i].name, c ? "yes" : "no");
    }
    if (n >= 0 && (size_t)n < size)
        snprintf(buf + n, size - (size_t)n, "NVDEC decoder (h264) %s%s\n", bl__hw_offered() ? "yes" : "no",
                 !bl__hw_offered() || bl__hw_answers() ? "" : ", but no NVIDIA driver answers");
    if (!avcodec_find_encoder_by_name("libx264"))
        return bl_fail(err, BL_E_UNSUPPORTED,
                       "FFmpeg here has no libx264, so no video can be written; install a full libavcodec");
    return 0;
}

int bl_media_metadata(const char *path, const char *key, char *buf, size_t size, bl_err *err) {
    AVFormatContext *fmt = NULL;
    int rc = bl__av_init(err);
    if (rc < 0) return rc;
    rc = avformat_open_input(&fmt, path, NULL, NULL);
    if (rc < 0)
        return bl__av_fail(err, rc == AVERROR(ENOENT) ? BL_E_NOT_FOUND : BL_E_FORMAT, rc, "cannot open",
                           path);
    const AVDictionaryEntry *e = av_dict_get(fmt->metadata, key, NULL, 0);
    if (e) snprintf(buf, size, "%s", e->value);
    avformat_close_input(&fmt);
    return e != NULL;
}
