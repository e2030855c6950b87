#include "ballerino/base.h"

static bl_progress_fn sink_fn;
static void *sink_ctx;

void bl_progress_sink(bl_progress_fn fn, void *ctx) {
    sink_fn = fn;
    sink_ctx = ctx;
}

void bl_progress_begin(bl_progress *p, const char *stage, const char *unit, int64_t already_done) {
    *p = (bl_progress){
        .fn = sink_fn, .ctx = sink_ctx, .stage = stage, .unit = unit, .t0 = bl_now(), .first = already_done};
}

static void emit(bl_progress *p, double now, int64_t done, int64_t total, const char *note, int finished) {
    double spent = now - p->t0, rate = spent > 0.05 ? (double)(done - p->first) / spent : 0;
    double eta = total > 0 && rate > 0 ? (double)BL_MAX(total - done, 0) / rate : -1;
    p->last = now;
    p->fn(p->ctx, &(bl_progress_event){.stage = p->stage,
                                       .done = done,
                                       .total = total,
                                       .unit = p->unit,
                                       .rate = rate,
                                       .eta_s = eta,
                                       .note = note,
                                       .finished = finished});
}

void bl_progress_update(bl_progress *p, int64_t done, int64_t total, const char *note) {
    if (!p->fn) return;
    double now = bl_now();
    if (now - p->last >= 0.1) emit(p, now, done, total, note, 0);
}

void bl_progress_end(bl_progress *p, int64_t done, const char *note) {
    if (p->fn) emit(p, bl_now(), done, done, note, 1);
}
