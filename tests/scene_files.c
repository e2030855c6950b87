/* Writes the made-up clip and its track, and for each model named what finding its poses would leave, so that
 * scripts can train without the pose models. usage: scene_files FOLDER MODEL... */
#include "scene_files.h"

enum { FRAMES = 80 };

int main(int argc, char **argv) {
    static const scene room = {.w = 192, .h = 256, .fps = 25, .parts = 1};
    char path[512];
    bl_err err = {0};
    if (argc < 2) return 2;
    snprintf(path, sizeof path, "%s/clip.mp4", argv[1]);
    scene_clip(&room, path, FRAMES);
    bl_track *t = scene_track(&room, FRAMES);
    snprintf(path, sizeof path, "%s/clip.track.json", argv[1]);
    if (bl_track_write(t, path, &err) < 0) return 1;
    bl_track_destroy(&t);
    for (int i = 2; i < argc; i++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], argv[i]);
        scene_poses(&room, path, FRAMES);
    }
    return 0;
}
