#include "show.h"

#include <string.h>
#include <unistd.h>

typedef enum mode { AUTO, PLAIN, JSON, NONE, LINE } mode;

static void duration(double s, char buf[24]) {
    if (s < 0)
        snprintf(buf, 24, "--:--");
    else if (s >= 3600)
        snprintf(buf, 24, "%d:%02d:%02d", (int)s / 3600, (int)s / 60 % 60, (int)s % 60);
    else
        snprintf(buf, 24, "%d:%02d", (int)s / 60, (int)s % 60);
}

static void show_line(const bl_progress_event *e) {
    char eta[24], bar[21];
    int share = e->total > 0 ? (int)(20 * e->done / e->total) : 0;
    for (int i = 0; i < 20; i++) bar[i] = i < share ? '#' : '.';
    bar[20] = 0;
    duration(e->eta_s, eta);
    fprintf(stderr, "\r%-9s [%s] %lld", e->stage, bar, (long long)e->done);
    if (e->total > 0) fprintf(stderr, "/%lld", (long long)e->total);
    fprintf(stderr, " %s  %.1f/s", e->unit, e->rate);
    if (!e->finished) fprintf(stderr, "  %s left", eta);
    if (e->note) fprintf(stderr, "  %s", e->note);
    fprintf(stderr, "\033[K%s", e->finished ? "\n" : "");
    fflush(stderr);
}

static void json_text(const char *s) {
    fputc('"', stderr);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fputc('\\', stderr);
        fputc((unsigned char)*s < 32 ? ' ' : *s, stderr);
    }
    fputc('"', stderr);
}

static void show_json(const bl_progress_event *e) {
    fprintf(stderr,
            "{\"stage\":\"%s\",\"done\":%lld,\"total\":%lld,\"unit\":\"%s\",\"rate\":%.3f,\"eta_s\":%.1f,"
            "\"finished\":%s",
            e->stage, (long long)e->done, (long long)e->total, e->unit, e->rate, e->eta_s,
            e->finished ? "true" : "false");
    if (e->note) {
        fputs(",\"note\":", stderr);
        json_text(e->note);
    }
    fputs("}\n", stderr);
}

static void show_plain(const bl_progress_event *e) {
    static double last;
    if (!e->finished && bl_now() - last < 10) return;
    last = bl_now();
    fprintf(stderr, "%s: %lld of %lld %s, %.1f/s%s%s\n", e->stage, (long long)e->done, (long long)e->total,
            e->unit, e->rate, e->note ? ", " : "", e->note ? e->note : "");
}

static void show(void *ctx, const bl_progress_event *e) {
    switch (*(mode *)ctx) {
    case LINE: show_line(e); break;
    case JSON: show_json(e); break;
    case PLAIN: show_plain(e); break;
    default: break;
    }
}

void bl__show_install(const bl__options *o) {
    static mode m;
    m = (mode)bl__option_choice(o, BL__OPT_progress);
    if (m == AUTO) m = isatty(STDERR_FILENO) ? LINE : NONE;
    if (bl__option_flag(o, BL__OPT_quiet) && m != JSON) m = NONE;
    bl_log_set_level(bl__option_flag(o, BL__OPT_quiet)     ? BL_LOG_ERROR
                     : bl__option_flag(o, BL__OPT_verbose) ? BL_LOG_DEBUG
                                                           : BL_LOG_INFO);
    bl_progress_sink(m == NONE ? NULL : show, &m);
}
