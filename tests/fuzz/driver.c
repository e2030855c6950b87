/* Runs a fuzz target over the files of a corpus folder, and over every cut and many bit flips of each, so
 * that the corpus is a test without libFuzzer. usage: fuzz_NAME FOLDER */
#include <dirent.h>
#include <string.h>

#include "ballerino/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void variants(const char *data, size_t size) {
    uint8_t *copy = bl_alloc(size + 1);
    bl_rng rng;
    bl_rng_seed(&rng, size);
    if (!copy) return;
    for (size_t cut = 0; cut < size;
         cut += 1 + size / 64) { /* an own block of that size: reads past it are seen */
        uint8_t *exact = bl_alloc(cut);
        if (exact) memcpy(exact, data, cut), (void)LLVMFuzzerTestOneInput(exact, cut);
        bl_free(exact);
    }
    for (int i = 0; i < 200 && size; i++) {
        memcpy(copy, data, size);
        for (int k = 0; k <= i % 3; k++)
            copy[bl_rng_below(&rng, (int64_t)size)] ^= (uint8_t)(1u << bl_rng_below(&rng, 8));
        (void)LLVMFuzzerTestOneInput(copy, size);
    }
    bl_free(copy);
}

int main(int argc, char **argv) {
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    bl_err err = {0};
    int files = 0;
    if (!d) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096], *data = NULL;
        size_t size = 0;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (bl_file_read(&data, &size, path, 1 << 24, &err) < 0) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        (void)LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        variants(data, size);
        bl_free(data);
        files++;
    }
    closedir(d);
    printf("%d corpus files\n", files);
    return files > 0 ? 0 : 1;
}
