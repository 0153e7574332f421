/* What all parts of a node share: fixed at start, read by every thread. And the messages between shards and the node's services. */
#ifndef SERVER_NODE_NODE_H
#define SERVER_NODE_NODE_H

#include "server/session/session.h"
#include "storage/commitlog.h"
#include "storage/store.h"

enum sync_mode { SYNC_GROUP, SYNC_PERIODIC, SYNC_BATCH };

/* One row of system_views.settings. */
struct setting {
    struct bytes name, value;
};

struct node {
    struct topology topology;
    struct session_limits limits;
    struct uuid host_id;
    struct bytes cluster_name, data_center, rack, release_version, product_version, snitch;
    struct bytes listen_address, broadcast_address,
        rpc_address; /* 4 or 16 bytes, as inet values are serialised */
    uint16_t native_port, shard_aware_port, storage_port;
    struct bytes tokens; /* serialised set<text> */
    int32_t gossip_generation;
    struct describe_env describe;
    enum sync_mode sync_mode;
    int64_t sync_period_us;  /* SYNC_PERIODIC */
    int64_t purge_period_us; /* between two purge walks of a shard */
    const struct setting *settings;
    size_t settings_count;
};

/* VERB_LOG_APPEND, shard → log. The reply says that the batch is written, and in group and batch mode (or when sync is set) synced. */
struct message_log {
    struct message head;
    struct buf batch; /* malloc'ed; freed by the shard when the reply is back */
    uint64_t last_seq;
    bool sync;
    bool synced; /* reply */
};

/* VERB_LOG_TRIM, shard → log, one way. */
struct message_trim {
    struct message head;
    uint16_t shard;
    uint64_t flushed_seq;
};

/* VERB_FLUSH, shard → jobs with a job; or log → shard without one, one way: the log is too long, flush now. */
struct message_flush {
    struct message head;
    struct flush_job *job;
};

/* VERB_PURGE, shard → jobs. */
struct message_purge {
    struct message head;
    struct purge_job *job;
    bool done; /* reply: the walk is at its end; else it goes on with the next begin */
};

/* VERB_SCHEMA, control → shard. */
struct message_schema {
    struct message head;
    struct schema *schema;            /* the shard takes its own references */
    const struct schema_event *event; /* NULL: tell nobody */
};

/* VERB_DRAIN, run → shard: flush everything, then reply. */

#endif
