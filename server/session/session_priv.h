/* Shared by the files of this folder and its unit tests. */
#ifndef SERVER_SESSION_SESSION_PRIV_H
#define SERVER_SESSION_SESSION_PRIV_H

#include "cql/wire/frame.h"
#include "cql/wire/request.h"
#include "cql/wire/response.h"
#include "server/session/session.h"

enum { EVENT_TOPOLOGY = 1, EVENT_STATUS = 2, EVENT_SCHEMA = 4 };

struct session {
    struct list link, link_output;
    struct session_host *host;
    void *driver;
    uint64_t id;
    char address[64];
    uint16_t port;
    uint8_t version; /* of the STARTUP; 0 before */
    bool framing;    /* v5 frames from now on */
    bool ready, closing, closed;
    enum compression compression;
    struct buf in;        /* raw bytes not taken apart yet */
    struct buf envelopes; /* v5: payload of frames that were not self-contained */
    struct buf scratch;
    struct buf pending; /* v5: envelopes to be framed */
    struct buf out;     /* bytes for the socket, from out_sent on */
    size_t out_sent;
    struct arena arena;    /* driver name and so on: bounded by STARTUP */
    struct bytes keyspace; /* malloc'ed, or null */
    struct bytes driver_name, driver_version;
    uint8_t events;
    size_t bytes_counted; /* its part of the host's sessions_bytes */
    uint32_t in_flight;
    uint32_t window;     /* requests that may be in flight: see session_answered() */
    size_t answer_bytes; /* what its answers lately took, large ones weighing more */
    uint64_t requests;
    struct mono_us last_input;
};

/* An answer of so many bytes was made for s: its window follows. */
void session_answered(struct session *s, size_t bytes);

struct prepared {
    struct list lru;
    uint8_t id[16], metadata_id[16];
    struct statement *statement; /* recompiled when the schema moved on */
    struct bytes text, keyspace; /* malloc'ed */
};

enum request_kind { REQUEST_SELECT, REQUEST_WRITE, REQUEST_PREPARE, REQUEST_CHANGE };

/* One request in flight. Pooled: its arena keeps a chunk, so that the next one allocates nothing. */
struct request {
    struct list link; /* of the session's host: in flight, or free */
    struct session_host *host;
    struct session *session; /* NULL when the connection is gone */
    struct arena arena;
    uint32_t refs; /* messages out */
    bool answered;
    uint8_t version, opcode;
    int16_t stream;
    enum request_kind kind;
    struct mono_us started, deadline;
    struct fail fail;
    struct statement *statement; /* reference */
    struct kept_statement *kept; /* of a batch: references */
    struct exec_env env;
    struct buf warnings;
    uint16_t consistency;
    bool skip_metadata, metadata_changed;
    const uint8_t *metadata_id; /* 16 bytes, v5 */
    /* SELECT */
    struct select_run *run;
    struct buf rows;
    struct coord_read *read;
    /* writes */
    struct modify_run *modify;
    struct coord_write write;
    size_t modify_read; /* index of the read being answered */
    struct buf modify_result;
    const char *write_type;
    /* PREPARE, schema changes */
    struct bytes prepared_id;
    struct message_change *change;
    size_t bytes_charged; /* its part of the host's requests_bytes */
};

/* session.c */
/* Is there room for n more bytes on this shard. */
bool session_host_has_room(const struct session_host *h, size_t n);
struct buf *session_envelopes(
    struct session *s); /* where to append an envelope; call session_touch_output() after */
void session_set_keyspace(struct session *s, struct bytes keyspace);
void session_put_schema_change(struct buf *out, const struct schema_event *e);

/* request.c */
void request_handle(struct session *s, const struct envelope *e, struct bytes body);
struct request *request_new(struct session *s, const struct envelope *e);
/* Takes over a reference until the request is done. */
void request_keep_statement(struct request *r, struct statement *s);
/* Answers (unless given up) and lets go of what is not lent out. */
void request_fail(struct request *r, err_t err);
void request_done(struct request *r);
/* One that is not in flight. */
void request_free(struct request *r);
/* Starts the response envelope for r, with warnings; NULL when nobody listens. Close with request_end_response(). */
struct buf *request_begin_response(struct request *r, uint8_t opcode, size_t *at);
void request_end_response(struct request *r, struct buf *out, size_t at);
/* The connection of s is gone: its requests end unheard. */
void request_orphan(struct session *s);
void session_error(struct session *s, uint8_t version, int16_t stream, const struct fail *f);

/* prepared.c */
struct prepared *prepared_find(struct session_host *h, struct bytes id);
struct prepared *prepared_put(struct session_host *h, const uint8_t *id,
                              struct statement *statement, struct bytes text,
                              struct bytes keyspace);
void prepared_free(struct session_host *h, struct prepared *p);
/* The statement for the current schema, recompiled if that moved on. */
err_t prepared_statement(struct session_host *h, struct prepared *p, struct statement **out,
                         struct fail *fail);
void prepared_id(struct bytes keyspace, struct bytes text, uint8_t *out);

/* execute.c */
void execute_query(struct request *r, const struct request_query *q);
void execute_prepared(struct request *r, const struct request_execute *x);
void execute_batch(struct request *r, const struct request_batch *b);
void execute_prepare(struct request *r, struct bytes text, struct bytes keyspace);
void prepare_respond(struct request *r);
err_t unprepared(struct request *r, struct bytes id) MUST_USE;
/* Continues r with a reply. */
void execute_message(struct request *r, struct message *m);

/* describe.c */
void describe_execute(struct request *r, const struct query_params *p, struct bytes keyspace);

/* result.c */
void result_put_metadata(struct buf *out, const struct statement *s, uint8_t version,
                         uint32_t flags, struct bytes paging_state, const uint8_t *new_metadata_id);
void result_put_prepared(struct buf *out, const struct prepared *p, uint8_t version);
void result_metadata_id(const struct statement *s, uint8_t *out);
void result_put_specs(struct buf *out, const struct column_spec *specs, uint16_t count,
                      uint8_t version);

#endif
