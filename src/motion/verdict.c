#include "verdict.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "ballerino/base.h"
#include "series.h"

#define LEAST_FRAMES 60     /* usable ones, to train on */
#define LEAST_HEIGHT 100.0f /* pixels from nose to ankle */
#define SHORT_SECONDS 15.0  /* below: a warning */
#define CAMERA_STILL 1.5    /* thousandths of the width a frame */
#define VARIETY_LITTLE 0.25
#define NEARLY_ALL 0.9
/* The median presence that the landmark model gives: people 0.995 to 1, an animal taken for one 0.97. */
#define LEAST_CERTAINTY 0.99

static bl__sight look(const bl_track_frame *f, const bl__body *b) {
    if (!f->has_person) return BL__SIGHT_NOBODY;
    const bl_landmark *l = f->person.landmarks;
    int head =
        bl__joint_seen(&l[BL_LM_NOSE]) || bl__joint_seen(&l[BL_LM_L_EAR]) || bl__joint_seen(&l[BL_LM_R_EAR]);
    if (!b->usable) {
        int shoulders = bl__joint_seen(&l[BL_LM_L_SHOULDER]) || bl__joint_seen(&l[BL_LM_R_SHOULDER]);
        return head || shoulders ? BL__SIGHT_BUST : BL__SIGHT_SCRAPS;
    }
    if (!head) return BL__SIGHT_CUT_HEAD;
    for (int side = 0; side < 2; side++) { /* a foot may hide behind the other, but not beyond the edge */
        const bl_landmark *foot = &l[BL_LM_L_ANKLE + side];
        int inside = foot->x >= 0 && foot->x <= 1 && foot->y >= 0 && foot->y <= 1;
        if (!inside || foot->visibility < BL__SEEN_VISIBILITY / 3) return BL__SIGHT_CUT_FEET;
    }
    return bl__joint_seen(&l[BL_LM_L_ANKLE]) || bl__joint_seen(&l[BL_LM_R_ANKLE]) ? BL__SIGHT_WHOLE
                                                                                  : BL__SIGHT_CUT_FEET;
}

typedef struct stretch {
    int64_t from, to;
} stretch;

/* Keeps the longest four stretches, in order of time. */
static void keep(stretch best[4], int *n, stretch s) {
    if (*n == 4) {
        int least = 0;
        for (int k = 1; k < 4; k++)
            if (best[k].to - best[k].from < best[least].to - best[least].from) least = k;
        if (s.to - s.from <= best[least].to - best[least].from) return;
        memmove(&best[least], &best[least + 1], (size_t)(3 - least) * sizeof *best);
        (*n)--;
    }
    best[(*n)++] = s;
}

void bl__sight_ranges(char *buf, size_t size, const bl_track *t, const uint8_t *sights, unsigned wanted) {
    stretch best[4];
    int n = 0, all = 0;
    for (int64_t k = 0; k < t->n;) {
        int64_t from = k;
        while (k < t->n && wanted >> sights[k] & 1) k++;
        if (k > from) {
            keep(best, &n, (stretch){t->frames[from].i, t->frames[k - 1].i});
            all++;
        } else {
            k++;
        }
    }
    size_t at = (size_t)snprintf(buf, size, "%s", n == 1 && best[0].from == best[0].to ? "frame" : "frames");
    for (int k = 0; k < n && at < size; k++) {
        const char *before = k ? ", " : " ";
        long long from = (long long)best[k].from, to = (long long)best[k].to;
        int more = from == to ? snprintf(buf + at, size - at, "%s%lld", before, from)
                              : snprintf(buf + at, size - at, "%s%lld-%lld", before, from, to);
        at += (size_t)BL_MAX(more, 0);
    }
    if (all > n && at < size)
        snprintf(buf + at, size - at, " and %d more stretch%s", all - n, all - n == 1 ? "" : "es");
}

static void reason(bl_verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void reason(bl_verdict *v, const char *fmt, ...) {
    if (v->n_reasons >= (int)BL_COUNT(v->reasons)) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(v->reasons[v->n_reasons++], sizeof v->reasons[0], fmt, args);
    va_end(args);
}

/* Everything that judging needs. */
typedef struct evidence {
    const bl_track *t;
    uint8_t *sights;
    int64_t count[BL__SIGHT_COUNT];
    float height;     /* median, pixels */
    double certainty; /* median of the found persons' scores */
} evidence;

static void few_frames(bl_verdict *v, const evidence *e) {
    char where[128];
    const char *advice = "film at least a minute with the whole body in the picture";
    bl__sight_ranges(where, sizeof where, e->t, e->sights,
                     1u << BL__SIGHT_BUST | 1u << BL__SIGHT_SCRAPS | 1u << BL__SIGHT_NOBODY);
    if (v->found == e->t->n)
        reason(v, "The video has only %lld frames (at least %d are needed); %s.", (long long)v->found,
               LEAST_FRAMES, advice);
    else
        reason(v, "Only %lld of %lld frames show a usable person (at least %d must); not in %s; %s.",
               (long long)v->found, (long long)e->t->n, LEAST_FRAMES, where, advice);
}

/* Reasons that refuse a target (or, with nobody usable, any video). Returns 1 when refused. */
static int refuse(bl_verdict *v, const evidence *e, bl_purpose purpose) {
    char where[128];
    const int64_t *count = e->count;
    int64_t seen = e->t->n - count[BL__SIGHT_NOBODY];
    if (e->t->n == 0) {
        reason(v, "The video has no frames.");
    } else if (seen == 0) {
        reason(v, "Nobody was found in any of the %lld frames; film one person, whole, in good light.",
               (long long)e->t->n);
    } else if (v->found == 0 || (purpose == BL_PURPOSE_TARGET && v->found < LEAST_FRAMES &&
                                 (double)v->found < (1 - NEARLY_ALL) * (double)seen)) {
        unsigned bust = 1u << BL__SIGHT_BUST, scraps = 1u << BL__SIGHT_SCRAPS;
        int face = count[BL__SIGHT_BUST] >= count[BL__SIGHT_SCRAPS];
        bl__sight_ranges(where, sizeof where, e->t, e->sights, face ? bust : scraps);
        reason(v, "%s in %s; film the whole body, from head to feet, from further away.",
               face ? "Only a face or shoulders are in the picture, no hips and legs,"
                    : "What was found is too little of a person to use",
               where);
    } else if (purpose == BL_PURPOSE_TARGET && e->certainty < LEAST_CERTAINTY) {
        reason(v,
               "What was found in %lld of %lld frames is probably not a person (certainty %.3f; people reach "
               "%.2f); film one person, whole, in good light.",
               (long long)seen, (long long)e->t->n, e->certainty, LEAST_CERTAINTY);
    } else if (purpose == BL_PURPOSE_TARGET && v->found < LEAST_FRAMES) {
        few_frames(v, e);
    } else if (purpose == BL_PURPOSE_TARGET && e->height < LEAST_HEIGHT) {
        reason(v,
               "The person is only %.0f pixels tall (at least %.0f are needed); film from nearer or in a "
               "higher resolution.",
               e->height, LEAST_HEIGHT);
    } else {
        return 0;
    }
    return 1;
}

static void warn(bl_verdict *v, const evidence *e, bl_purpose purpose) {
    char where[128];
    const int64_t *count = e->count;
    int64_t missing = count[BL__SIGHT_NOBODY] + count[BL__SIGHT_BUST] + count[BL__SIGHT_SCRAPS];
    int target = purpose == BL_PURPOSE_TARGET;
    if (count[BL__SIGHT_CUT_FEET] * 10 > v->found) {
        bl__sight_ranges(where, sizeof where, e->t, e->sights, 1u << BL__SIGHT_CUT_FEET);
        reason(v, "The feet are out of the picture or hidden in %s; %s.", where,
               target ? "they will be wrong in the result; film the whole body with room below the feet"
                      : "their place is guessed");
    }
    if (count[BL__SIGHT_CUT_HEAD] * 10 > v->found) {
        bl__sight_ranges(where, sizeof where, e->t, e->sights, 1u << BL__SIGHT_CUT_HEAD);
        reason(v, "The head is out of the picture in %s; film with room above the head.", where);
    }
    if (missing * 20 > v->frames) {
        bl__sight_ranges(where, sizeof where, e->t, e->sights,
                         1u << BL__SIGHT_NOBODY | 1u << BL__SIGHT_BUST | 1u << BL__SIGHT_SCRAPS);
        reason(v, "No usable person in %s; %s.", where,
               target ? "these frames are not learned from" : "the result has only the background there");
    }
    if (target && v->camera_motion > CAMERA_STILL)
        reason(v,
               "The camera moves (%.1f thousandths of the width a frame); put it on a tripod, the "
               "background is taken as still.",
               v->camera_motion);
    if (target && v->seconds < SHORT_SECONDS)
        reason(v,
               "The clip is only %.1f seconds long; a minute or more of varied movement teaches far better.",
               v->seconds);
    if (target && v->variety < VARIETY_LITTLE)
        reason(
            v,
            "The poses hardly vary (%.2f of 1); move the arms, turn around, step aside, or poses that were "
            "never filmed will look wrong.",
            v->variety);
}

static float median_height(const bl__body *b, int64_t n, float *scratch) {
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++)
        if (b[k].usable) scratch[m++] = b[k].height;
    return bl__quantile(scratch, m, 0.5);
}

static double median_score(const bl_track *t, float *scratch) {
    int64_t m = 0;
    for (int64_t k = 0; k < t->n; k++)
        if (t->frames[k].has_person) scratch[m++] = t->frames[k].person.score;
    return m ? bl__quantile(scratch, m, 0.5) : 0;
}

static double median_shift(const float *shift, int64_t n, int width, float *scratch) {
    int64_t m = 0;
    for (int64_t k = 0; k < n; k++)
        if (isfinite(shift[k])) scratch[m++] = fabsf(shift[k]);
    return m ? 1000.0 * bl__quantile(scratch, m, 0.5) / width : -1;
}

static double length_of(const bl_track *t) {
    double rate = t->fps > 0 ? t->fps : 30;
    double span = t->n ? (t->frames[t->n - 1].t_ms - t->frames[0].t_ms) / 1000 + 1 / rate : 0;
    return span > 0 ? span : (double)t->n / rate;
}

int bl_motion_verdict(bl_verdict *out, const bl_track *t, bl_purpose purpose, const float *camera_shift,
                      bl_err *err) {
    bl_verdict v = {.frames = t->n, .seconds = length_of(t), .camera_motion = -1};
    evidence e = {.t = t};
    bl__body *bodies = NULL;
    float *scratch = NULL;
    int rc = bl__bodies(&bodies, &v.found, t, err);
    if (rc == 0) rc = bl__variety(&v.variety, t, bodies, v.found, err);
    if (rc < 0) goto done;
    e.sights = bl_alloc((size_t)BL_MAX(t->n, 1));
    scratch = bl_alloc_array((size_t)BL_MAX(t->n, 1), sizeof *scratch);
    if (!e.sights || !scratch) {
        rc = bl_fail(err, BL_E_NOMEM, "not enough memory to judge %lld frames", (long long)t->n);
        goto done;
    }
    for (int64_t k = 0; k < t->n; k++) e.count[e.sights[k] = (uint8_t)look(&t->frames[k], &bodies[k])]++;
    v.whole = e.count[BL__SIGHT_WHOLE];
    e.height = median_height(bodies, t->n, scratch);
    e.certainty = median_score(t, scratch);
    if (camera_shift) v.camera_motion = median_shift(camera_shift, t->n, t->width, scratch);
    v.usable = !refuse(&v, &e, purpose);
    if (v.usable) warn(&v, &e, purpose);
    *out = v;
done:
    bl_free(bodies);
    bl_free(e.sights);
    bl_free(scratch);
    return rc;
}

static double percent(int64_t part, int64_t all) {
    return all ? 100.0 * (double)part / (double)all : 0;
}

int bl_verdict_text(const bl_verdict *v, const char *video, char *buf, size_t size) {
    bl_buf b;
    bl_buf_init(&b, 8192);
    bl_buf_addf(&b, "%s: %s\n", video ? video : "video", v->usable ? "usable" : "cannot be used");
    bl_buf_addf(&b, "  length          %lld frames, %.1f s\n", (long long)v->frames, v->seconds);
    bl_buf_addf(&b, "  usable person   %lld frames (%.0f %%)\n", (long long)v->found,
                percent(v->found, v->frames));
    bl_buf_addf(&b, "  whole body      %lld frames (%.0f %%)\n", (long long)v->whole,
                percent(v->whole, v->frames));
    if (v->camera_motion >= 0)
        bl_buf_addf(&b, "  camera motion   %.1f thousandths of the width a frame%s\n", v->camera_motion,
                    v->camera_motion > CAMERA_STILL ? "" : " (still)");
    bl_buf_addf(&b, "  variety         %.2f of 1\n", v->variety);
    for (int k = 0; k < v->n_reasons && k < (int)BL_COUNT(v->reasons); k++)
        bl_buf_addf(&b, "  - %s\n", v->reasons[k]);
    int n = snprintf(buf, size, "%s", b.failed || !b.data ? "" : b.data);
    bl_buf_release(&b);
    return n;
}
