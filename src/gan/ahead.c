#include "ahead.h"

#include <pthread.h>
#include <string.h>

#include "ballerino/base.h"
#include "ballerino/lane.h"

/* A frame's pictures, one behind the other. */
enum { LABEL, PLATE, REAL, WEIGHT, PICTURES };

struct bl__ahead {
    bl_gan_source src;
    int frames;
    int64_t start[PICTURES + 1]; /* floats, of each picture in a frame; the last is the frame's end */
    float *memory;               /* all frames; on a device the lane's slot instead */
    bl_lane *lane;
    pthread_t thread;
    int started;
    bl_queue *asked, *fetched; /* this, there and back; the thread owns what follows in between */
    bl__unit unit;
    int rc; /* what the source said */
    bl_err err;
    enum { NOTHING, UNDERWAY, THERE } state; /* the caller's alone */
};

static int64_t lay_out(int64_t start[PICTURES + 1], const bl_gan_net *net) {
    const int channels[PICTURES] = {[LABEL] = net->label_channels, [PLATE] = 3, [REAL] = 3, [WEIGHT] = 1};
    start[0] = 0;
    for (int i = 0; i < PICTURES; i++)
        start[i + 1] = start[i] + (int64_t)net->width * net->height * channels[i];
    return start[PICTURES];
}

int64_t bl__ahead_bytes(const bl_gan_net *net, int frames) {
    int64_t start[PICTURES + 1];
    return lay_out(start, net) * frames * (int64_t)sizeof(float);
}

static void get_all(bl__ahead *a, float *at) {
    a->rc = 0;
    for (int k = 0; k < a->frames && a->rc >= 0; k++, at += a->start[PICTURES])
        a->rc = a->src.get(a->src.ctx, a->unit.index + k, a->unit.augment, at + a->start[LABEL],
                           at + a->start[PLATE], at + a->start[REAL], at + a->start[WEIGHT], &a->err);
}

static void fetch(bl__ahead *a) {
    float *at = a->lane ? bl_lane_slot(a->lane, &a->err) : a->memory;
    if (at)
        get_all(a, at);
    else
        a->rc = a->err.code;
    if (a->lane && a->rc >= 0) a->rc = bl_lane_send(a->lane, &a->err);
}

static void *work(void *ctx) {
    bl__ahead *a = ctx;
    void *item;
    while (bl_queue_pop(a->asked, &item)) {
        fetch(a);
        (void)bl_queue_push(a->fetched, a);
    }
    return NULL;
}

static int allocate(bl__ahead *a, bl_device *device, bl_err *err) {
    const int64_t floats = a->start[PICTURES] * a->frames;
    if (device) return bl_lane_create(&a->lane, device, floats, err);
    a->memory = bl_alloc_array((size_t)floats, sizeof *a->memory);
    return a->memory ? 0 : bl_fail(err, BL_E_NOMEM, "not enough memory to fetch frames ahead");
}

int bl__ahead_start(bl__ahead **out, const bl_gan_source *src, const bl_gan_net *net, int frames,
                    bl_device *device, bl_err *err) {
    bl__ahead *a = bl_alloc(sizeof *a);
    if (!a) return bl_fail(err, BL_E_NOMEM, "not enough memory to fetch frames ahead");
    a->src = *src;
    a->frames = frames;
    (void)lay_out(a->start, net);
    int rc = allocate(a, device, err);
    if (rc == 0) rc = bl_queue_create(&a->asked, 1, err);
    if (rc == 0) rc = bl_queue_create(&a->fetched, 1, err);
    if (rc == 0) a->started = pthread_create(&a->thread, NULL, work, a) == 0;
    if (rc == 0 && !a->started) rc = bl_fail(err, BL_E_NOMEM, "cannot start a thread to fetch frames");
    if (rc < 0)
        bl__ahead_stop(&a);
    else
        *out = a;
    return rc;
}

void bl__ahead_stop(bl__ahead **ap) {
    bl__ahead *a = *ap;
    if (!a) return;
    if (a->started) {
        bl_queue_close(a->asked);
        (void)pthread_join(a->thread, NULL);
    }
    bl_queue_destroy(&a->asked);
    bl_queue_destroy(&a->fetched);
    bl_lane_destroy(&a->lane);
    bl_free(a->memory);
    bl_free(a);
    *ap = NULL;
}

void bl__ahead_ask(bl__ahead *a, const bl__unit *unit) {
    a->unit = *unit;
    a->state = UNDERWAY;
    (void)bl_queue_push(a->asked, a);
}

void bl__ahead_settle(bl__ahead *a) {
    void *item;
    if (a->state == UNDERWAY && bl_queue_pop(a->fetched, &item)) a->state = THERE;
}

int bl__ahead_has(const bl__ahead *a, const bl__unit *unit) {
    return a->state == THERE && a->unit.index == unit->index && a->unit.augment == unit->augment;
}

int bl__ahead_take(bl__ahead *a, int k, bl_program *p, const bl__shot_inputs *inputs, const float **plate,
                   bl_err *err) {
    const bl_value in[PICTURES] = {inputs->label, inputs->plate, inputs->real, inputs->weight};
    const int64_t first = k * a->start[PICTURES];
    const float *at = (a->lane ? bl_lane_sent(a->lane) : a->memory) + first;
    if (a->rc < 0) {
        if (err) *err = a->err;
        return a->rc;
    }
    for (int i = 0; i < PICTURES; i++) {
        if (in[i] < 0) continue;
        if (a->lane)
            bl_lane_take(a->lane, p, in[i], first + a->start[i]);
        else
            memcpy(bl_program_buffer(p, in[i]), at + a->start[i],
                   sizeof(float) * (size_t)(a->start[i + 1] - a->start[i]));
    }
    if (a->lane && k == a->frames - 1) bl_lane_taken(a->lane);
    *plate = at + a->start[PLATE];
    return a->rc;
}
