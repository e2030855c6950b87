/* A track that somebody else found: our own file, or OpenPose's folder for a video. */
#include <sys/stat.h>

#include "ballerino/media.h"
#include "ballerino/pose.h"

static int read_openpose(bl_track **out, const char *folder, const char *video, bl_err *err) {
    bl_reader *reader = NULL;
    int rc = bl_reader_open(&reader, video, NULL, err);
    if (rc < 0) return rc;
    const bl_video_info info = *bl_reader_info(reader);
    bl_reader_close(&reader);
    return bl_openpose_read_folder(out, folder, info.width, info.height,
                                   (double)info.frame_rate.num / info.frame_rate.den, err);
}

int bl_track_load(bl_track **out, const char *path, const char *video, bl_err *err) {
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return read_openpose(out, path, video, err);
    return bl_track_read(out, path, err);
}
