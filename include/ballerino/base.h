/*
 * Base: what every room needs and that is not about video or networks. Internal to this project (the library
 * and its programs), but stable: logging, memory, files, random numbers, time, threads, JSON, progress,
 * interruption.
 */
#ifndef BALLERINO_BASE_H
#define BALLERINO_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ballerino/status.h"

/* ---- memory: 64-byte aligned, zeroed, counted; running out is a status, never an abort ---- */
void *bl_alloc(size_t bytes);                    /* NULL when out of memory; bytes 0 gives a valid pointer */
void *bl_alloc_array(size_t count, size_t size); /* checks the product */
void *bl_realloc_array(void *p, size_t old_count, size_t count,
                       size_t size); /* new part is zeroed; p stays valid on failure */
char *bl_strdup(const char *s);
void bl_free(void *p);            /* NULL is fine */
void bl_mem_fail_at(int64_t nth); /* testing: the nth allocation from now fails (1 = next); 0 = never */
/* Bytes that the machine, the container and this process's limits still leave; 0 = unknown. */
int64_t bl_mem_available(void);
/* BL_E_NOMEM when fewer than `bytes` are available. Libraries that fall over without memory need it asked
 * first. */
int bl_mem_need(int64_t bytes, const char *what, bl_err *err);

/* ---- log: stderr; "name: text". fatal..warn tell a user to act, info says what happens, debug is for us
 * ---- */
typedef enum bl_log_level { BL_LOG_ERROR, BL_LOG_WARN, BL_LOG_INFO, BL_LOG_DEBUG } bl_log_level;
void bl_log_set_level(bl_log_level level);
void bl_log(bl_log_level level, const char *component, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
typedef void (*bl_log_hook)(void *ctx, bl_log_level level,
                            const char *line); /* instead of stderr; NULL = stderr */
void bl_log_set_hook(bl_log_hook hook, void *ctx);

/* ---- growing buffer with a declared cap ---- */
typedef struct bl_buf {
    char *data;
    size_t size, capacity, cap;
    int failed;
} bl_buf; /* data stays NUL-ended */
void bl_buf_init(bl_buf *b, size_t cap);
void bl_buf_release(bl_buf *b);
void bl_buf_add(bl_buf *b, const void *data, size_t size); /* sets failed when out of memory or over cap */
void bl_buf_addf(bl_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- files ---- */
/* The whole file, NUL-ended (not counted in *size); refuses more than `cap` bytes. bl_free() the result. */
int bl_file_read(char **data, size_t *size, const char *path, size_t cap, bl_err *err);
typedef struct bl_file_writer {
    FILE *f;
    char *path, *part;
} bl_file_writer;
/* PATH.part, then fsync + rename in commit; abort (or a crash) leaves PATH as it was. */
int bl_file_begin(bl_file_writer *w, const char *path, bl_err *err);
int bl_file_commit(bl_file_writer *w, bl_err *err);
void bl_file_abort(bl_file_writer *w); /* safe after commit and twice */
int bl_file_write(const char *path, const void *data, size_t size, bl_err *err); /* begin + write + commit */
int bl_file_exists(const char *path);
/* A file as memory: read only, loaded as it is looked at, and the system's to drop when memory is short. The
 * file must not shrink meanwhile. */
typedef struct bl_map {
    const uint8_t *data; /* NULL: not open, or an empty file */
    size_t size;
} bl_map;
int bl_map_open(bl_map *m, const char *path, bl_err *err);
void bl_map_close(bl_map *m); /* safe twice, and on a zeroed one */
/* Lets go of the memory of these bytes, and of what lies near them; they are read again when looked at.
 */
void bl_map_forget(const bl_map *m, size_t from, size_t size);
int bl_dir_make(const char *path, bl_err *err); /* like mkdir -p */
int bl_path_join(char *out, size_t size, const char *dir, const char *name, bl_err *err);
/* Where a shared library of ours lies that is loaded when it is needed: where the environment variable says
 * (which is not looked at closer), else beside the program as built or as installed. 1, or 0: nowhere. */
int bl_path_module(char *out, size_t size, const char *file, const char *variable);
/* $BALLERINO_MODELS, else $XDG_DATA_HOME/ballerino/models, else ~/.local/share/ballerino/models */
int bl_path_models(char *out, size_t size, bl_err *err);

/* ---- SHA-256 (FIPS 180-4) ---- */
typedef struct bl_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    uint8_t block[64];
} bl_sha256;
void bl_sha256_init(bl_sha256 *s);
void bl_sha256_add(bl_sha256 *s, const void *data, size_t size);
void bl_sha256_hex(bl_sha256 *s, char hex[65]); /* finishes */
int bl_sha256_file(const char *path, char hex[65], bl_err *err);

/* ---- random numbers: counter-free xoshiro256**, the state is four words that a checkpoint can hold ---- */
typedef struct bl_rng {
    uint64_t s[4];
} bl_rng;
void bl_rng_seed(bl_rng *r, uint64_t seed);
uint64_t bl_rng_u64(bl_rng *r);
double bl_rng_uniform(bl_rng *r);           /* [0, 1) */
double bl_rng_normal(bl_rng *r);            /* N(0, 1), stateless Box-Muller */
int64_t bl_rng_below(bl_rng *r, int64_t n); /* 0..n-1 */

/* ---- time and the machine ---- */
double bl_now(void);                           /* monotonic seconds */
int bl_cpu_count(void);                        /* usable by this process (affinity, cgroup) */
int bl_cpu_granted(int n);                     /* of n CPUs, what the container grants (cgroup); 1 or more */
void bl_cpu_mask(uint8_t *mask, size_t bytes); /* those that this process may use: bit i of byte i / 8... */
/* The folder of the running program, with its slash: from /proc, or without it from the path it was started
 * by. 0, or -1 where neither names a folder (it was found along the PATH), and *out is not to be used. */
int bl_own_folder(char *out, size_t size);

/* ---- the team: threads that share work ----
 *
 *     static void part(const void *arg, int k) { ... }   // k = 0..parts-1, each exactly once
 *     bl_team_run(threads, parts, part, &job);           // all parts are done when it returns
 *
 * Parts are taken by whoever runs, one after the other; the caller takes them too. A thread that has lost its
 * core holds up no more than the part that it is in. What a part does must depend on its number alone: then
 * results do not depend on who does what.
 *
 * There is one team a process. Its threads are started when they are first asked for, look for work a moment
 * longer when there is none, and then sleep. Any number of threads may call at the same time, and parts may
 * call again. Nothing fails: where no helpers can be had, the caller does it all. */
typedef void bl_team_part(const void *arg, int part);
typedef void bl_team_range(const void *arg, int64_t from, int64_t to);
/* At most `threads` threads, the caller among them, are in it at a time. */
void bl_team_run(int threads, int parts, bl_team_part *fn, const void *arg);
/* The same of 0..n-1, cut into ranges: how many depends on n and `threads` alone. */
void bl_team_split(int threads, int64_t n, bl_team_range *fn, const void *arg);
/* Into how many parts work is best cut: more than threads, so that who runs alone gets on. */
int bl_team_parts(int threads);

/* ---- bounded queue between threads (pointers) ---- */
typedef struct bl_queue bl_queue;
int bl_queue_create(bl_queue **out, int capacity, bl_err *err);
int bl_queue_push(bl_queue *q, void *item); /* waits for room; -1 when closed (item not taken) */
int bl_queue_pop(bl_queue *q, void **item); /* waits; 1 item, 0 closed and empty */
void bl_queue_close(bl_queue *q);           /* wakes everybody; items already in can still be popped */
void bl_queue_destroy(bl_queue **q);

/* ---- interruption: Ctrl-C sets a flag that long loops look at ---- */
void bl_interrupt_install(void); /* SIGINT and SIGTERM; a second one kills at once */
int bl_interrupted(void);
int bl_check_interrupt(bl_err *err);   /* 0, or BL_E_INTERRUPTED */
int bl_interrupt_failure(bl_err *err); /* BL_E_INTERRUPTED: another process was */

/* ---- progress: the library reports, whoever runs it shows ---- */
typedef struct bl_progress_event {
    const char *stage;   /* "pose", "train", "transfer"... */
    int64_t done, total; /* total 0 = unknown */
    const char *unit;    /* "frames", "steps" */
    double rate;         /* units a second, 0 = not known yet */
    double eta_s;        /* seconds left, negative = unknown */
    const char *note;    /* short, e.g. "loss 0.123", or NULL */
    int finished;        /* 1: the stage's last event */
} bl_progress_event;
typedef void (*bl_progress_fn)(void *ctx, const bl_progress_event *e);
typedef struct bl_progress {
    bl_progress_fn fn;
    void *ctx;
    const char *stage, *unit;
    double t0, last;
    int64_t first;
} bl_progress;
void bl_progress_sink(bl_progress_fn fn, void *ctx); /* process-wide; NULL = silent */
void bl_progress_begin(bl_progress *p, const char *stage, const char *unit, int64_t already_done);
void bl_progress_update(bl_progress *p, int64_t done, int64_t total,
                        const char *note); /* cheap; at most 10 events a second */
void bl_progress_end(bl_progress *p, int64_t done, const char *note);

#define BL_MIN(a, b) ((a) < (b) ? (a) : (b))
#define BL_MAX(a, b) ((a) > (b) ? (a) : (b))
#define BL_CLAMP(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))
/* 0 up to t = 0, 1 from t = 1, smooth between: 3 t^2 - 2 t^3. */
static inline float bl_smoothstep(float t) {
    t = BL_CLAMP(t, 0, 1);
    return t * t * (3 - 2 * t);
}
#define BL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
