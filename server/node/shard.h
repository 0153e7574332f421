/* One shard: its sessions, its part of the data, the machine that joins them. Everything that reaches it is a call here, everything it
 * wants is a message in `out` or output of a session; the driver (server/run, or a simulator) carries them.
 *
 * A turn of the driver: shard_begin_turn(now); session_receive() and shard_message() as things arrive, delivering what is in `out` for
 * this thread's own shards meanwhile; shard_end_turn(), which hands the log what was written; then the outputs are written to sockets. */
#ifndef SERVER_NODE_SHARD_H
#define SERVER_NODE_SHARD_H

#include "server/node/node.h"

struct vtables;

struct shard {
    const struct node *node;
    uint16_t id;
    struct store *store;
    struct session_host host;
    struct message_queue out;
    struct message_log
        log; /* one batch is with the log at a time: what comes meanwhile is the next group */
    bool log_out, log_failed; /* failed: no space; the batch is kept and tried again */
    struct mono_us log_retry;
    uint64_t written_seq; /* up to here the log has been given to the system */
    struct message_queue
        waiting; /* lent messages answered when their seq is safe: see safe_seq() */
    struct message_flush flush;
    bool flush_out;  /* job begun: with the jobs, or waiting for the log */
    bool flush_held; /* job begun, log not synced up to its freeze yet */
    bool flush_now;  /* asked for by the log or a drain */
    struct mono_us flush_retry;
    struct message_purge purge;
    bool purge_out;
    struct mono_us purge_due;
    struct message *draining; /* answered when nothing is left to flush */
    struct vtables *vtables;
    bool awake; /* the driver's: something reached it in this turn */
};

/* The store is opened (and replayed) by the caller and owned by the shard from now on. schema: a reference is taken. seed: randomness. */
void shard_init(struct shard *s, const struct node *node, uint16_t id, struct store *store,
                struct schema *schema, uint64_t seed);
/* Nothing of it may be lent out any more. Closes the store. */
void shard_free(struct shard *s);

void shard_begin_turn(struct shard *s, struct now now);
/* A message for this shard, or the reply to one of its own. */
void shard_message(struct shard *s, struct message *m);
void shard_end_turn(struct shard *s);
/* Timers: call at shard_deadline() at the latest. */
void shard_tick(struct shard *s);
struct mono_us shard_deadline(const struct shard *s);

#endif
