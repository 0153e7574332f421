/* A shard's machine: see shard.h. Reads and writes of its part of the data, group commit, flushes. */
#include "server/node/shard.h"

#include "server/node/vtables.h"

#include <stdlib.h>

enum {
    LOG_RETRY_US = 500 * 1000,
    FLUSH_RETRY_US = 1000 * 1000,
    TICK_US = 100 * 1000,
    PURGE_STEP_US = 1000 * 1000
};

void shard_init(struct shard *s, const struct node *node, uint16_t id, struct store *store,
                struct schema *schema, uint64_t seed)
{
    *s = (struct shard){.node = node, .id = id, .store = store};
    session_host_init(&s->host, id, &node->topology, &node->limits, schema, seed, &s->out);
    s->host.host_id = node->host_id;
    s->host.describe = &node->describe;
    s->host.shard_aware_port = node->shard_aware_port;
    store_set_schema(store, schema);
    s->vtables = vtables_new(node);
}

void shard_free(struct shard *s)
{
    ensure(!s->log_out && !s->flush_out);
    session_host_free(&s->host);
    vtables_free(s->vtables);
    buf_free(&s->log.batch);
    store_close(s->store);
}

void shard_begin_turn(struct shard *s, struct now now)
{
    s->host.now = now;
}

static bool waits_for_sync(const struct shard *s)
{
    return s->node->sync_mode != SYNC_PERIODIC;
}

/* Up to where the log is as safe as the sync mode promises: synced, or (periodic) handed to the system, so that a write outlives the
 * process though not the machine, and a full disk is told to its client. */
static uint64_t safe_seq(const struct shard *s)
{
    return waits_for_sync(s) ? store_synced_seq(s->store) : s->written_seq;
}

/* Answers m now, or once the log is safe up to seq. */
static void answer_at(struct shard *s, struct message *m, uint64_t seq)
{
    if ((!waits_for_sync(s) && m->verb != VERB_WRITE) || seq <= safe_seq(s)) {
        message_reply(&s->out, m, OK);
        return;
    }
    m->seq = seq;
    message_push(&s->waiting, m);
}

static void handle_write(struct shard *s, struct message *m)
{
    struct message_write *w = container_of(m, struct message_write, head);
    uint64_t seq = 0;
    err_t err = store_write(s->store, w->mutation, w->log, &seq);
    if (err != OK)
        message_reply(&s->out, m, err);
    else if (!w->log)
        message_reply(&s->out, m, OK);
    else
        answer_at(s, m, seq);
}

static void handle_read(struct shard *s, struct message *m)
{
    struct message_read *r = container_of(m, struct message_read, head);
    if (table_is_made(r->command->table)) {
        vtables_read(s->vtables, s, r);
        return;
    }
    uint64_t seq = 0;
    err_t err = store_read(s->store, r->command, &r->position, &r->budget, &r->arena, &r->result,
                           &r->more, &seq);
    if (err != OK)
        message_reply(&s->out, m, err);
    else
        answer_at(s, m, seq);
}

static void release(struct shard *s, uint64_t synced, err_t err)
{
    struct message_queue all = s->waiting;
    s->waiting = (struct message_queue){0};
    for (struct message *m; (m = message_pop(&all));) {
        if (err != OK && m->verb == VERB_WRITE)
            message_reply(&s->out, m, err);
        else if (m->seq <= synced)
            message_reply(&s->out, m, OK);
        else
            message_push(&s->waiting, m);
    }
}

static void handle_log_reply(struct shard *s, struct message *m)
{
    s->log_out = false;
    if (m->err == ERR_DISK_FULL) {
        /* What waits was not written: its clients hear so now. The batch itself stays first in line: its records are in the memtable, and
         * sequence numbers have no gaps. */
        s->log_failed = true;
        store_set_log_disk_full(s->store, true);
        s->log_retry.us = s->host.now.mono.us + LOG_RETRY_US;
        release(s, safe_seq(s), ERR_DISK_FULL);
        return;
    }
    ensure(m->err == OK); /* any other failure has stopped the node */
    if (s->log_failed)
        store_set_log_disk_full(s->store, false);
    s->log_failed = false;
    s->written_seq = s->log.last_seq;
    if (s->log.synced)
        store_log_synced(s->store, s->log.last_seq);
    release(s, safe_seq(s), OK);
    store_log_give_back(s->store, &s->log.batch);
}

static void send_log(struct shard *s)
{
    s->log.head = (struct message){
        .from = s->id, .to = ENDPOINT_LOG, .verb = VERB_LOG_APPEND, .needs_reply = true};
    s->log.sync = waits_for_sync(s) || s->flush_held;
    s->log.synced = false;
    s->log_out = true;
    message_push(&s->out, &s->log.head);
}

static void end_turn_log(struct shard *s)
{
    if (s->log_out || s->log_failed)
        return;
    if (store_log_is_empty(s->store) &&
        !(s->flush_held && flush_job_freeze_seq(s->flush.job) > store_synced_seq(s->store)))
        return;
    s->log.batch = store_log_take(s->store, &s->log.last_seq);
    send_log(s);
}

/* --- Flushes ------------------------------------------------------------------------------------------------------------------------ */

static void maybe_begin_flush(struct shard *s)
{
    struct now now = s->host.now;
    if (s->flush_out || s->purge_out || now.mono.us < s->flush_retry.us)
        return;
    if (!s->flush_now && !store_flush_wanted(s->store, now))
        return;
    s->flush.job = store_flush_begin(s->store, now);
    s->flush_now = false;
    if (s->flush.job)
        s->flush_out = s->flush_held = true;
}

static void maybe_send_flush(struct shard *s)
{
    if (!s->flush_held || store_synced_seq(s->store) < flush_job_freeze_seq(s->flush.job))
        return;
    s->flush_held = false;
    s->flush.head = (struct message){
        .from = s->id, .to = ENDPOINT_JOBS, .verb = VERB_FLUSH, .needs_reply = true};
    message_push(&s->out, &s->flush.head);
}

static void handle_flush_reply(struct shard *s, struct message *m)
{
    store_flush_end(s->store, s->flush.job, m->err);
    s->flush.job = NULL;
    s->flush_out = false;
    if (m->err != OK) {
        s->flush_retry.us = s->host.now.mono.us + FLUSH_RETRY_US;
        return;
    }
    struct message_trim *t = calloc(1, sizeof *t);
    ensure(t != NULL);
    t->head = (struct message){.from = s->id, .to = ENDPOINT_LOG, .verb = VERB_LOG_TRIM};
    t->shard = s->id;
    t->flushed_seq = store_flushed_seq(s->store);
    message_push(&s->out, &t->head);
}

/* Walks take turns with flushes: both write to the level. */
static void maybe_begin_purge(struct shard *s)
{
    struct now now = s->host.now;
    if (s->purge_due.us == 0)
        s->purge_due.us = now.mono.us + s->node->purge_period_us;
    if (s->purge_out || s->flush_out || s->draining || now.mono.us < s->purge_due.us)
        return;
    s->purge_due.us = now.mono.us + s->node->purge_period_us;
    s->purge.job = store_purge_begin(s->store, now);
    if (s->purge.job == NULL)
        return;
    s->purge_out = true;
    s->purge.head = (struct message){
        .from = s->id, .to = ENDPOINT_JOBS, .verb = VERB_PURGE, .needs_reply = true};
    message_push(&s->out, &s->purge.head);
}

static void handle_purge_reply(struct shard *s, err_t job_err)
{
    s->purge_out = false;
    if (job_err == OK && !s->purge.done)
        s->purge_due.us = s->host.now.mono.us + PURGE_STEP_US;
    /* What failed is tried again by the next walk; jobs has logged why. */
    err_t err = store_purge_end(s->store, s->purge.job);
    (void)err;
    s->purge.job = NULL;
}

static void maybe_end_drain(struct shard *s)
{
    if (s->draining == NULL || s->flush_out || s->log_out || s->purge_out)
        return;
    struct store_stats stats;
    store_stats(s->store, &stats);
    if (stats.memtable_bytes + stats.frozen_bytes > 0 && !s->log_failed &&
        s->flush_retry.us <= s->host.now.mono.us) {
        /* One more flush: what was written after the last freeze. An empty one ends it. */
        s->flush_now = true;
        maybe_begin_flush(s);
        if (s->flush_out)
            return;
    }
    struct message *m = s->draining;
    s->draining = NULL;
    message_reply(&s->out, m, OK);
}

/* --- Everything that arrives --------------------------------------------------------------------------------------------------------- */

static void handle_reply(struct shard *s, struct message *m)
{
    switch (m->verb) {
    case VERB_LOG_APPEND: handle_log_reply(s, m); return;
    case VERB_FLUSH: handle_flush_reply(s, m); return;
    case VERB_PURGE: handle_purge_reply(s, m->err); return;
    case VERB_CLIENTS: vtables_clients_reply(s->vtables, s, m); return;
    default: session_message(&s->host, m);
    }
}

void shard_message(struct shard *s, struct message *m)
{
    if (m->is_reply) {
        handle_reply(s, m);
        return;
    }
    switch (m->verb) {
    case VERB_WRITE: handle_write(s, m); return;
    case VERB_READ: handle_read(s, m); return;
    case VERB_PREPARED: session_take_prepared(&s->host, m); return;
    case VERB_SCHEMA: {
        struct message_schema *x = container_of(m, struct message_schema, head);
        store_set_schema(s->store, x->schema);
        vtables_forget(s->vtables);
        session_schema_changed(&s->host, x->schema, x->event);
        message_reply(&s->out, m, OK);
        return;
    }
    case VERB_CLIENTS: vtables_clients_answer(s, m); return;
    case VERB_FLUSH:
        s->flush_now = true;
        message_free(m);
        return;
    case VERB_DRAIN:
        s->draining = m;
        s->flush_now = true;
        return;
    default: ensure(!"a verb that shards do not serve");
    }
}

void shard_end_turn(struct shard *s)
{
    maybe_begin_flush(s);
    end_turn_log(s);
    maybe_send_flush(s);
    maybe_begin_purge(s);
    maybe_end_drain(s);
}

void shard_tick(struct shard *s)
{
    if (s->log_failed && !s->log_out && s->log_retry.us <= s->host.now.mono.us)
        send_log(s);
    session_tick(&s->host);
}

struct mono_us shard_deadline(const struct shard *s)
{
    struct mono_us d = MONO_NEVER;
    if (s->log_failed && !s->log_out)
        d = s->log_retry;
    if (s->host.requests_count || s->host.sessions_count || s->draining) {
        int64_t tick = s->host.now.mono.us + TICK_US;
        if (tick < d.us)
            d.us = tick;
    }
    /* memtable_flush_period_in_ms and flushes to be tried again: looked at a few times a second. */
    if (d.us > s->host.now.mono.us + 4 * TICK_US)
        d.us = s->host.now.mono.us + 4 * TICK_US;
    return d;
}
