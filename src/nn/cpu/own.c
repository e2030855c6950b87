/* Which convolutions go which way. */
#include "own.h"

#if defined BL__AMX || defined BL__FMA
static int is_plain(bl_act act) {
    return act == BL_ACT_NONE || act == BL_ACT_RELU || act == BL_ACT_LRELU;
}
#endif

#ifdef BL__AMX
#include <sys/syscall.h>
#include <unistd.h>

/* Linux gives the tile registers to a process that asks. */
static int allowed(void) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

static int tiles_available(void) {
    static int known; /* 0: not asked yet; the answer is always the same, so a race does no harm */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!answer) {
        answer = bl_cpu_has_tiles() && allowed() ? 1 : -1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer > 0;
}

static int tiles_fit(const bl__conv_spec *s) {
    return s->half && s->big_half && s->small_half && s->big.c % 32 == 0 && s->small.c % 32 == 0 &&
           is_plain(s->act) && bl__planes_fit(s) && tiles_available();
}
#endif

#ifdef BL__FMA
/* Where oneDNN has wider registers it is the faster one. */
static int float_fits(const bl__conv_spec *s) {
    return !s->big_half && !s->small_half && (is_plain(s->act) || s->act == BL_ACT_RELU6) &&
           bl__planes_fit(s) && bl__cpu_is_avx2();
}

static const bl__own *float_for(const bl__conv_spec *s) {
    if (!float_fits(s)) return NULL;
    if (bl__winograd_fits(s)) return &bl__winograd;
    if (bl__narrow_fits(s)) return &bl__narrow;
    /* Forward alone oneDNN is as fast. */
    return s->backward_data || s->backward_weights ? &bl__fma : NULL;
}
#endif

const bl__own *bl__own_for(const bl__conv_spec *s) {
#ifdef BL__AMX
    if (tiles_fit(s)) return &bl__tiles;
#endif
#ifdef BL__FMA
    return float_for(s);
#else
    (void)s;
    return NULL;
#endif
}
