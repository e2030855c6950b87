#include "ahead.h"

#include <pthread.h>
#include <string.h>

#include "ballerino/base.h"

#define MOST_FRAMES 2

struct bl__ahead {
    bl_gan_source src;
    int frames, label_channels;
    size_t pixels;
    float *memory;
    bl__shot shot[MOST_FRAMES];
    pthread_t thread;
    int started;
    bl_queue *asked, *fetched; /* this, there and back; the thread owns what follows in between */
    bl__unit unit;
    int rc; /* what the source said */
    bl_err err;
    enum { NOTHING, UNDERWAY, THERE } state; /* the caller's alone */
};

static size_t values(const bl_gan_net *net) {
    return (size_t)net->width * (size_t)net->height * (size_t)(net->label_channels + 7);
}

int64_t bl__ahead_bytes(const bl_gan_net *net, int frames) {
    return (int64_t)(values(net) * sizeof(float)) * frames;
}

static void fetch(bl__ahead *a) {
    a->rc = 0;
    for (int k = 0; k < a->frames && a->rc >= 0; k++) {
        const bl__shot *s = &a->shot[k];
        a->rc = a->src.get(a->src.ctx, a->unit.index + k, a->unit.augment, s->label, s->plate, s->real,
                           s->weight, &a->err);
    }
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

static int allocate(bl__ahead *a, const bl_gan_net *net, bl_err *err) {
    float *at = a->memory = bl_alloc_array(values(net) * (size_t)a->frames, sizeof *a->memory);
    if (!at) return bl_fail(err, BL_E_NOMEM, "not enough memory to fetch frames ahead");
    for (int k = 0; k < a->frames; k++) {
        a->shot[k].label = at, at += a->pixels * (size_t)a->label_channels;
        a->shot[k].plate = at, at += 3 * a->pixels;
        a->shot[k].real = at, at += 3 * a->pixels;
        a->shot[k].weight = at, at += a->pixels;
    }
    return 0;
}

int bl__ahead_start(bl__ahead **out, const bl_gan_source *src, const bl_gan_net *net, int frames,
                    bl_err *err) {
    bl__ahead *a = bl_alloc(sizeof *a);
    if (!a) return bl_fail(err, BL_E_NOMEM, "not enough memory to fetch frames ahead");
    a->src = *src;
    a->frames = frames;
    a->label_channels = net->label_channels;
    a->pixels = (size_t)net->width * (size_t)net->height;
    int rc = allocate(a, net, err);
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

int bl__ahead_take(const bl__ahead *a, int k, const bl__shot *to, bl_err *err) {
    const bl__shot *s = &a->shot[k];
    if (a->rc < 0) {
        if (err) *err = a->err;
        return a->rc;
    }
    memcpy(to->label, s->label, sizeof(float) * a->pixels * (size_t)a->label_channels);
    memcpy(to->plate, s->plate, sizeof(float) * a->pixels * 3);
    memcpy(to->real, s->real, sizeof(float) * a->pixels * 3);
    memcpy(to->weight, s->weight, sizeof(float) * a->pixels);
    return a->rc;
}
