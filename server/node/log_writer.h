/* The commit log's endpoint (ENDPOINT_LOG): appends what the shards send, syncs once for all of it, answers. On a thread of its own. */
#ifndef SERVER_NODE_LOG_WRITER_H
#define SERVER_NODE_LOG_WRITER_H

#include "server/node/node.h"

struct log_writer {
    const struct node *node;
    struct commitlog *log;
    struct message_queue out;
    struct message_queue appended; /* answered after the sync that covers them */
    uint64_t *flushed_seq;         /* of each shard */
    bool dirty;                    /* appended since the last sync */
    struct mono_us synced_at;
    int pressed;  /* shard asked to flush, -1 */
    err_t failed; /* the log cannot be trusted any more: the node must stop */
    struct arena arena;
    struct fail fail;
};

/* log: open and replayed. flushed_seq: of each shard at start. */
void log_writer_init(struct log_writer *w, const struct node *node, struct commitlog *log,
                     const uint64_t *flushed_seq);
void log_writer_free(struct log_writer *w);
void log_writer_message(struct log_writer *w, struct message *m);
/* After all messages at hand: syncs and answers. When w->failed is set afterwards, the driver stops the process at once, before any of
 * the messages in out is delivered. */
void log_writer_end_turn(struct log_writer *w, struct now now);
struct mono_us log_writer_deadline(const struct log_writer *w);

#endif
