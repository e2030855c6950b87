#include "models.h"

#include <string.h>

#include "ballerino/base.h"

#define POSE_PACKAGE "@mediapipe/pose@0.5.1675469404"
#define HOLISTIC_PACKAGE "@mediapipe/holistic@0.5.1675471629"

static const bl__package packages[] = {
    {.spec = POSE_PACKAGE,
     .tarball = "mediapipe-pose-0.5.1675469404.tgz",
     .sha256 = "8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84"},
    {.spec = HOLISTIC_PACKAGE,
     .tarball = "mediapipe-holistic-0.5.1675471629.tgz",
     .sha256 = "8a3c0632e40e761e637d020738e96dc54d9bbbd4330ce2b206469fe467fd708b"},
};

static const bl_model_file table[] = {
    {.name = "pose_detection.tflite",
     .bytes = 2962288,
     .sha256 = "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
     .package = POSE_PACKAGE},
    {.name = "pose_landmark_lite.tflite",
     .bytes = 2819824,
     .sha256 = "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
     .package = POSE_PACKAGE},
    {.name = "pose_landmark_full.tflite",
     .bytes = 6440512,
     .sha256 = "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
     .package = POSE_PACKAGE},
    {.name = "pose_landmark_heavy.tflite",
     .bytes = 27709200,
     .sha256 = "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
     .package = POSE_PACKAGE},
    {.name = "hand_landmark_full.tflite",
     .bytes = 5478688,
     .sha256 = "8c026882c9ec059ce0f8e75266bee5a9a23c341a40e0000df755374d3d1b9b68",
     .package = HOLISTIC_PACKAGE},
    {.name = "hand_recrop.tflite",
     .bytes = 123792,
     .sha256 = "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
     .package = HOLISTIC_PACKAGE},
    {.name = "face_detection_short_range.tflite",
     .bytes = 229032,
     .sha256 = "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
     .package = HOLISTIC_PACKAGE},
    {.name = "face_landmark.tflite",
     .bytes = 1241896,
     .sha256 = "c603fa6149219a3e9487dc9abd7a0c24474c77263273d24868378cdf40aa26d1",
     .package = HOLISTIC_PACKAGE},
};

const bl__package *bl__models_packages(int *count) {
    *count = (int)BL_COUNT(packages);
    return packages;
}

const bl_model_file *bl_models_table(int *count) {
    *count = (int)BL_COUNT(table);
    return table;
}

const bl_model_file *bl__models_find(const char *name) {
    for (size_t k = 0; k < BL_COUNT(table); k++)
        if (strcmp(table[k].name, name) == 0) return &table[k];
    return NULL;
}

int bl__models_matches(const bl_model_file *m, const void *data, size_t size) {
    char hex[65];
    bl_sha256 s;
    if (size != (size_t)m->bytes) return 0;
    bl_sha256_init(&s);
    bl_sha256_add(&s, data, size);
    bl_sha256_hex(&s, hex);
    return strcmp(hex, m->sha256) == 0;
}

int bl__models_path(char *out, size_t size, const char *dir, const char *name, bl_err *err) {
    char own[1024];
    int rc = dir ? 0 : bl_path_models(own, sizeof own, err);
    return rc < 0 ? rc : bl_path_join(out, size, dir ? dir : own, name, err);
}

int bl__models_open(bl_map *m, const char *dir, const char *name, bl_err *err) {
    char path[1280];
    int rc = bl__models_path(path, sizeof path, dir, name, err);
    if (rc < 0) return rc;
    if (!bl_file_exists(path))
        return bl_fail(err, BL_E_MODELS,
                       "the pose model %s is not installed; run 'ballerino models fetch' once (it needs npm)",
                       path);
    if (bl_map_open(m, path, err) < 0)
        return bl_fail(
            err, BL_E_MODELS,
            "the pose model %s cannot be read; check its permissions or run 'ballerino models fetch'", path);
    const bl_model_file *known = bl__models_find(name);
    if (known && !bl__models_matches(known, m->data, m->size)) {
        bl_map_close(m);
        return bl_fail(err, BL_E_MODELS,
                       "the pose model %s is damaged (it is not what was published); run 'ballerino models "
                       "fetch' to replace it",
                       path);
    }
    return 0;
}

int bl_models_check(const bl_model_file *m, const char *dir, bl_err *err) {
    char path[1280];
    bl_map map = {0};
    int rc = bl__models_path(path, sizeof path, dir, m->name, err);
    if (rc < 0 || !bl_file_exists(path)) return rc;
    rc = bl__models_open(&map, dir, m->name, err);
    bl_map_close(&map);
    return rc < 0 ? rc : 1;
}
