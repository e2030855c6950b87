#include <pthread.h>

#include "ballerino/base.h"

struct bl_queue {
    pthread_mutex_t lock;
    pthread_cond_t room, items;
    void **slot;
    int capacity, head, count, closed;
};

int bl_queue_create(bl_queue **out, int capacity, bl_err *err) {
    bl_queue *q = bl_alloc(sizeof *q);
    if (q) q->slot = bl_alloc_array((size_t)capacity, sizeof *q->slot);
    if (!q || !q->slot) {
        bl_free(q);
        return bl_fail(err, BL_E_NOMEM, "not enough memory for a queue of %d", capacity);
    }
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->room, NULL);
    pthread_cond_init(&q->items, NULL);
    *out = q;
    return 0;
}

int bl_queue_push(bl_queue *q, void *item) {
    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity && !q->closed) pthread_cond_wait(&q->room, &q->lock);
    int rc = q->closed ? -1 : 0;
    if (rc == 0) {
        q->slot[(q->head + q->count++) % q->capacity] = item;
        pthread_cond_signal(&q->items);
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

int bl_queue_pop(bl_queue *q, void **item) {
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->closed) pthread_cond_wait(&q->items, &q->lock);
    int got = q->count > 0;
    if (got) {
        *item = q->slot[q->head];
        q->head = (q->head + 1) % q->capacity;
        q->count--;
        pthread_cond_signal(&q->room);
    }
    pthread_mutex_unlock(&q->lock);
    return got;
}

void bl_queue_close(bl_queue *q) {
    pthread_mutex_lock(&q->lock);
    q->closed = 1;
    pthread_cond_broadcast(&q->room);
    pthread_cond_broadcast(&q->items);
    pthread_mutex_unlock(&q->lock);
}

void bl_queue_destroy(bl_queue **q) {
    if (!*q) return;
    pthread_cond_destroy(&(*q)->items);
    pthread_cond_destroy(&(*q)->room);
    pthread_mutex_destroy(&(*q)->lock);
    bl_free((*q)->slot);
    bl_free(*q);
    *q = NULL;
}
