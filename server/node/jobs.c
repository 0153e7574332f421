/* Flushes of several shards take turns, a transaction each, so that none waits for another's whole. See jobs.h. */
#include "server/node/jobs.h"

enum { STEP_BUDGET_US = 250 * 1000, DISK_FULL_RETRY_US = 500 * 1000 };

void jobs_init(struct jobs *j)
{
    *j = (struct jobs){0};
    arena_init(&j->arena, 0);
    j->fail.arena = &j->arena;
}

void jobs_free(struct jobs *j)
{
    arena_free(&j->arena);
}

void jobs_message(struct jobs *j, struct message *m)
{
    ensure(m->verb == VERB_FLUSH || m->verb == VERB_PURGE);
    message_push(&j->queue, m);
}

bool jobs_step(struct jobs *j, struct now now)
{
    if (j->queue.head == NULL || now.mono.us < j->retry.us)
        return false;
    struct message *m = message_pop(&j->queue);
    bool done = false;
    arena_reset(&j->arena);
    j->fail = (struct fail){.arena = &j->arena};
    err_t err = m->verb == VERB_FLUSH
                    ? flush_job_step(container_of(m, struct message_flush, head)->job,
                                     STEP_BUDGET_US, &done, &j->fail)
                    : purge_job_step(container_of(m, struct message_purge, head)->job,
                                     STEP_BUDGET_US, &done, &j->fail);
    j->disk_full = err == ERR_DISK_FULL;
    if (err == ERR_IO)
        j->failed = err;
    if (err == ERR_DISK_FULL && m->verb == VERB_FLUSH) {
        j->retry.us = now.mono.us + DISK_FULL_RETRY_US;
        message_push(&j->queue, m);
    } else if (err != OK || done || m->verb == VERB_PURGE) {
        /* A purge walk keeps flushes of its shard waiting: it gets one step at a time. */
        if (m->verb == VERB_PURGE)
            container_of(m, struct message_purge, head)->done = done;
        message_reply(&j->out, m, err);
    } else {
        message_push(&j->queue, m);
    }
    return true;
}

struct mono_us jobs_deadline(const struct jobs *j)
{
    return j->queue.head ? j->retry : MONO_NEVER;
}
