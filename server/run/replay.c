/* Replay by several threads: see replay.h. A segment is scanned (and its checksums verified) by the calling thread; its records are
 * then applied by all threads at once, each to its own shards, in the log's order. */
#include "server/run/replay.h"

#include <pthread.h>
#include <stdlib.h>

/* Fewer records than this are not worth a thread. */
enum { RECORDS_PER_THREAD_MIN = 2000 };

struct record {
    uint64_t seq;
    struct bytes mutation; /* in the segment */
    uint32_t shard;
};

struct worker {
    pthread_t thread;
    struct store **stores;
    struct record *records;
    size_t count, cap;
    err_t err;
};

struct replay {
    struct store **stores;
    uint32_t shards, workers_count;
    struct worker *workers;
    uint64_t records;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    for (size_t i = 0; i < w->count && w->err == OK; i++) {
        const struct record *r = &w->records[i];
        err_t err = store_replay(w->stores[r->shard], r->seq, r->mutation);
        w->err = err == ERR_NOT_FOUND ? OK : err; /* a table that was dropped or truncated since */
    }
    return NULL;
}

static err_t collect(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    struct replay *r = ctx;
    if (shard >= r->shards)
        return ERR_CORRUPT;
    struct worker *w = &r->workers[shard % r->workers_count];
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 1024;
        w->records = realloc(w->records, w->cap * sizeof *w->records);
        ensure(w->records != NULL);
    }
    w->records[w->count++] = (struct record){.seq = seq, .mutation = mutation, .shard = shard};
    r->records++;
    return OK;
}

static err_t apply_collected(void *ctx)
{
    struct replay *r = ctx;
    bool *started = calloc(r->workers_count, sizeof *started);
    ensure(started != NULL);
    for (uint32_t i = 1; i < r->workers_count; i++)
        started[i] = r->workers[i].count >= RECORDS_PER_THREAD_MIN &&
                     pthread_create(&r->workers[i].thread, NULL, work, &r->workers[i]) == 0;
    err_t err = OK;
    for (uint32_t i = 0; i < r->workers_count; i++)
        if (!started[i])
            work(&r->workers[i]);
    for (uint32_t i = 0; i < r->workers_count; i++) {
        if (started[i])
            pthread_join(r->workers[i].thread, NULL);
        if (err == OK)
            err = r->workers[i].err;
        r->workers[i].count = 0;
    }
    free(started);
    return err;
}

err_t replay_log(struct commitlog *log, struct store **stores, uint32_t shards, uint32_t threads,
                 uint64_t *records, struct fail *fail)
{
    struct replay r = {.stores = stores, .shards = shards, .workers_count = threads};
    r.workers = calloc(threads, sizeof *r.workers);
    ensure(r.workers != NULL);
    for (uint32_t i = 0; i < threads; i++)
        r.workers[i].stores = stores;
    err_t err = commitlog_replay_segments(log, collect, apply_collected, &r, fail);
    for (uint32_t i = 0; i < threads; i++)
        free(r.workers[i].records);
    free(r.workers);
    *records = r.records;
    return err;
}
