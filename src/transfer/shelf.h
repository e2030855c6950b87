/* Shelf: things that several threads take and put back; what is on it was made once and is used again. Each
 * begins with a bl__shelved. */
#ifndef BALLERINO_TRANSFER_SHELF_H
#define BALLERINO_TRANSFER_SHELF_H

#include <pthread.h>
#include <stddef.h>

typedef struct bl__shelved {
    struct bl__shelved *next;
} bl__shelved;

typedef struct bl__shelf {
    pthread_mutex_t lock;
    bl__shelved *first;
} bl__shelf;

static inline void bl__shelf_init(bl__shelf *s) {
    (void)pthread_mutex_init(&s->lock, NULL);
    s->first = NULL;
}

/* NULL: it is empty. */
static inline void *bl__shelf_take(bl__shelf *s) {
    (void)pthread_mutex_lock(&s->lock);
    bl__shelved *x = s->first;
    if (x) s->first = x->next;
    (void)pthread_mutex_unlock(&s->lock);
    return x;
}

static inline void bl__shelf_put(bl__shelf *s, void *thing) {
    bl__shelved *x = thing;
    (void)pthread_mutex_lock(&s->lock);
    x->next = s->first;
    s->first = x;
    (void)pthread_mutex_unlock(&s->lock);
}

#endif
