#include "beat.h"

#include <math.h>
#include <string.h>

#include "ballerino/base.h"

#define RATE 44100
#define TAU 6.283185307179586

static double at(double t, double beat, bl_rng *r) {
    double b = t / beat, since = (b - floor(b)) * beat, off = (b * 2 - floor(b * 2)) * beat / 2;
    int n = (int)floor(b) & 7;
    static const double notes[8] = {55, 55, 65.41, 65.41, 73.42, 73.42, 65.41, 82.41};
    double kick = sin(TAU * (48 * since + 6 * (1 - exp(-since * 28)))) * exp(-since * 9);
    double clap = (n & 1) ? bl_rng_normal(r) * exp(-since * 26) * 0.16 : 0;
    double shake = bl_rng_normal(r) * exp(-off * 60) * 0.05;
    double bass = (sin(TAU * notes[n] * t) + 0.3 * sin(2 * TAU * notes[n] * t)) * exp(-off * 5) * 0.22;
    double lead = sin(TAU * notes[(n * 3) & 7] * 8 * t) * exp(-off * 9) * 0.07;
    return 0.55 * kick + clap + shake + bass + lead;
}

static void put(uint8_t *p, uint32_t v, int bytes) {
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> (8 * i));
}

int bl__beat_write(char *path, size_t size, const char *beside, double seconds, double bpm, bl_err *err) {
    int n = snprintf(path, size, "%s.beat.wav", beside);
    if (n < 0 || (size_t)n >= size) {
        path[0] = 0;
        return bl_fail(err, BL_E_USAGE, "The demo clip's path is too long; take one under %zu characters.",
                       size - 16);
    }
    size_t samples = (size_t)(seconds * RATE), bytes = 44 + 2 * samples;
    uint8_t *wav = bl_alloc(bytes);
    if (!wav) return bl_fail(err, BL_E_NOMEM, "Not enough memory for the demo's sound.");
    memcpy(wav, "RIFF....WAVEfmt ", 16);
    put(wav + 4, (uint32_t)(bytes - 8), 4), put(wav + 16, 16, 4), put(wav + 20, 1, 2), put(wav + 22, 1, 2);
    put(wav + 24, RATE, 4), put(wav + 28, 2 * RATE, 4), put(wav + 32, 2, 2), put(wav + 34, 16, 2);
    memcpy(wav + 36, "data", 4);
    put(wav + 40, (uint32_t)(2 * samples), 4);
    bl_rng r;
    bl_rng_seed(&r, 7);
    for (size_t i = 0; i < samples; i++) {
        double v = tanh(at((double)i / RATE, 60 / bpm, &r));
        put(wav + 44 + 2 * i, (uint32_t)(int32_t)lround(30000 * v) & 0xffff, 2);
    }
    int rc = bl_file_write(path, wav, bytes, err);
    bl_free(wav);
    return rc;
}
