/* ballerino.ini: the parser and the option table behind it. */
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int c = 0; c < BL__CMD_COUNT; c++) {
        bl__options o;
        bl_err err = {0};
        bl__options_init(&o, c);
        (void)bl__options_ini(&o, (const char *)data, size, "fuzz.ini", &err);
        bl__options_release(&o);
    }
    return 0;
}
