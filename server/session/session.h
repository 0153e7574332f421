/* Client connections: from bytes to requests to bytes, without a socket in sight.
 *
 * One request, step by step: session_receive() cuts the bytes into envelopes (protocol v5: checksummed frames first); request.c decodes
 * the body and finds or compiles the statement; execute.c evaluates it and hands reads and writes to server/coord; answers of shards come
 * in through session_message(); the response is appended to the session's output, and the driver takes that once a loop turn with
 * session_output(). Requests of one connection run at the same time and may be answered in any order.
 *
 * A session lives on one shard; everything here runs on that shard's thread. */
#ifndef SERVER_SESSION_SESSION_H
#define SERVER_SESSION_SESSION_H

#include "cql/base/list.h"
#include "cql/plan/describe.h"
#include "cql/plan/modify.h"
#include "cql/plan/select.h"
#include "cql/plan/statement.h"
#include "cql/schema/change.h"
#include "cql/wire/request.h"
#include "server/coord/coord.h"

/* Bounds and time limits; from the configuration, fixed at start. */
struct session_limits {
    uint32_t frame_bytes_max;  /* native_transport_max_frame_size: body of one envelope */
    uint32_t output_bytes_max; /* unsent output above which a session is not read from */
    uint32_t requests_max; /* in flight on one connection; above it the session is not read from */
    size_t
        memory_bytes_max; /* of requests in flight, their results, unsent output and unfinished input on this shard; above it:
                                     * OVERLOADED */
    uint32_t prepared_max; /* statements kept on a shard */
    int64_t read_timeout_us, range_timeout_us, write_timeout_us, truncate_timeout_us,
        request_timeout_us;
    int64_t idle_timeout_us; /* native_transport_idle_timeout; 0: never */
};

/* What every session of a shard shares, and what the shard gives it. */
struct session_host {
    uint16_t shard;
    uint16_t shard_aware_port; /* 0: not announced */
    const struct topology *topology;
    const struct session_limits *limits;
    const struct describe_env *describe; /* what DESCRIBE CLUSTER tells */
    struct schema *schema;               /* the current one; changed by session_schema_changed() */
    struct uuid host_id;
    struct now now;            /* set by the shard before each step */
    int64_t last_timestamp_us; /* server-side timestamps never go back */
    struct prng random;
    struct timeuuid_gen timeuuid;
    struct message_queue *out;
    struct list sessions, output_pending, requests, free_requests;
    struct map prepared;        /* id → struct prepared */
    struct list prepared_lru;   /* least recently used first */
    struct coord_spares spares; /* of reads */
    uint32_t sessions_count, requests_count, free_requests_count;
    size_t
        requests_bytes; /* estimate of memory held by requests in flight, their results included */
    size_t sessions_bytes; /* held by sessions: unfinished input, unsent output */
    uint64_t next_session_id;
    struct {
        uint64_t requests, errors, overloaded, timeouts;
    } counters;
};

void session_host_init(struct session_host *h, uint16_t shard, const struct topology *t,
                       const struct session_limits *limits, struct schema *schema, uint64_t seed,
                       struct message_queue *out);
/* All sessions must be closed and no request in flight. */
void session_host_free(struct session_host *h);

struct session;

/* address: as text, copied. */
struct session *session_open(struct session_host *h, const char *address, uint16_t port);
/* Bytes from the client; all are taken: what is incomplete is kept, and so is what comes when the session wants no input. */
void session_receive(struct session *s, struct bytes in);
/* Goes on with what was kept, once the session wants input again. */
void session_resume(struct session *s);
/* What to send now; session_sent() removes what was. Valid until the next call on this session. */
struct bytes session_output(struct session *s);
void session_sent(struct session *s, size_t n);
/* False while its output or its requests in flight are above their bounds: the driver then stops reading the socket. */
bool session_wants_input(const struct session *s);
/* The connection is to be closed once the output is sent. */
bool session_is_closing(const struct session *s);
/* The connection is gone. Requests in flight end unheard; s must not be used any more. */
void session_close(struct session *s);
/* For the driver: what it hangs on a session. */
void session_set_driver(struct session *s, void *driver);
void *session_driver(const struct session *s);
/* Puts s on that list: its driver should look at it at the end of the turn. */
void session_touch_output(struct session *s);
/* The next session with new output, taken off the list; NULL when there is none. */
struct session *session_next_output(struct session_host *h);

/* A reply to a message that a session of this host sent. */
void session_message(struct session_host *h, struct message *m);
/* Takes over another shard's prepared statement (VERB_PREPARED). */
void session_take_prepared(struct session_host *h, struct message *m);
/* Switches to a schema (a reference is taken) and sends the event, when not NULL, to the sessions that registered for it. */
void session_schema_changed(struct session_host *h, struct schema *schema,
                            const struct schema_event *event);
/* Gives up on requests that are past their time. */
void session_tick(struct session_host *h);
/* When the next tick is due. */
struct mono_us session_deadline(const struct session_host *h);

/* Rows of system_views.clients: calls row for each session. */
struct session_info {
    const char *address;
    uint16_t port;
    struct bytes driver_name, driver_version, keyspace;
    uint8_t protocol_version;
    uint64_t requests;
    bool ready;
};
void session_list(struct session_host *h, void (*row)(void *ctx, const struct session_info *i),
                  void *ctx);

/* VERB_PREPARED: payload of the broadcast to the other shards. */
struct message_prepared {
    struct message head;
    uint8_t id[16];
    struct statement *statement; /* a reference for the receiver, taken by it */
    struct bytes text, keyspace; /* copied by the receiver */
};

/* VERB_CHANGE: to control. The statement (DDL or TRUNCATE) is compiled again by control against the newest schema. */
struct message_change {
    struct message head;
    struct bytes text, keyspace; /* in the request's arena */
    struct arena *arena;         /* of the request: the reply's strings are made there */
    /* reply */
    struct fail fail;
    bool truncate;             /* it was a TRUNCATE: no event */
    bool changed;              /* false: IF [NOT] EXISTS found nothing to do */
    struct schema_event event; /* strings in arena */
    struct buf warnings;       /* in arena; value_put() each */
};

#endif
