/* One sync for many writes: see log_writer.h. A failed write or sync is final: nothing is acknowledged after it (fsync does not say what of
 * the data it lost, and a second one would succeed). A full disk before the write is the exception: the log is as it was. */
#include "server/node/log_writer.h"

#include <stdlib.h>

void log_writer_init(struct log_writer *w, const struct node *node, struct commitlog *log,
                     const uint64_t *flushed_seq)
{
    *w = (struct log_writer){.node = node, .log = log, .pressed = -1};
    size_t n = node->topology.shards;
    w->flushed_seq = malloc(n * sizeof *w->flushed_seq);
    ensure(w->flushed_seq != NULL);
    memcpy(w->flushed_seq, flushed_seq, n * sizeof *w->flushed_seq);
    arena_init(&w->arena, 0);
    w->fail.arena = &w->arena;
}

void log_writer_free(struct log_writer *w)
{
    free(w->flushed_seq);
    arena_free(&w->arena);
}

static void append(struct log_writer *w, struct message *m)
{
    struct message_log *l = container_of(m, struct message_log, head);
    if (l->batch.n) {
        err_t err = commitlog_append(w->log, m->from, buf_bytes(&l->batch), l->last_seq, &w->fail);
        if (err == ERR_DISK_FULL) {
            message_reply(&w->out, m, err);
            return;
        }
        if (err != OK) {
            w->failed = err;
            return;
        }
        w->dirty = true;
    }
    message_push(&w->appended, m);
}

static void trim(struct log_writer *w, struct message_trim *t)
{
    if (t->flushed_seq > w->flushed_seq[t->shard])
        w->flushed_seq[t->shard] = t->flushed_seq;
    if (w->pressed == t->shard)
        w->pressed = -1;
    err_t err = commitlog_trim(w->log, w->flushed_seq, &w->fail);
    if (err != OK)
        w->failed = err;
}

void log_writer_message(struct log_writer *w, struct message *m)
{
    if (w->failed != OK)
        return;
    if (m->verb == VERB_LOG_APPEND) {
        append(w, m);
    } else {
        ensure(m->verb == VERB_LOG_TRIM);
        trim(w, container_of(m, struct message_trim, head));
        message_free(m);
    }
}

static bool wants_sync(const struct log_writer *w, struct now now)
{
    if (!w->dirty && w->appended.head == NULL)
        return false;
    if (w->node->sync_mode != SYNC_PERIODIC)
        return true;
    if (w->dirty && now.mono.us - w->synced_at.us >= w->node->sync_period_us)
        return true;
    for (struct message *m = w->appended.head; m; m = m->next)
        if (container_of(m, struct message_log, head)->sync)
            return true;
    return false;
}

/* The shard that keeps the oldest segment alive is asked to flush. */
static void press(struct log_writer *w)
{
    if (w->pressed >= 0)
        return;
    int shard = commitlog_pressure(w->log, w->flushed_seq);
    if (shard < 0)
        return;
    struct message_flush *f = calloc(1, sizeof *f);
    ensure(f != NULL);
    f->head = (struct message){.from = ENDPOINT_LOG, .to = (uint16_t)shard, .verb = VERB_FLUSH};
    w->pressed = shard;
    message_push(&w->out, &f->head);
}

void log_writer_end_turn(struct log_writer *w, struct now now)
{
    if (w->failed != OK)
        return;
    bool sync = wants_sync(w, now);
    if (sync) {
        if (w->dirty) {
            err_t err = commitlog_sync(w->log, &w->fail);
            if (err != OK) {
                w->failed = err;
                return;
            }
        }
        w->dirty = false;
        w->synced_at = now.mono;
    }
    for (struct message *m; (m = message_pop(&w->appended));) {
        container_of(m, struct message_log, head)->synced = sync;
        message_reply(&w->out, m, OK);
    }
    press(w);
}

struct mono_us log_writer_deadline(const struct log_writer *w)
{
    if (!w->dirty)
        return MONO_NEVER;
    return (struct mono_us){w->synced_at.us + w->node->sync_period_us};
}
