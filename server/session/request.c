/* Requests: the connection's own messages (OPTIONS, STARTUP, REGISTER), decoding of the others, and a request's life. */
#include "server/session/session_priv.h"

#include <stdlib.h>

enum {
    FREE_REQUESTS_MAX = 512,
    REQUEST_ARENA_BYTES = 8192,
    REQUEST_BYTES_OVERHEAD = 1024,
    ROWS_BYTES_KEEP = 4096
};

static struct buf *begin(struct session *s, const struct envelope *e, uint8_t opcode, size_t *at)
{
    struct buf *out = session_envelopes(s);
    *at = envelope_begin(out, e->version, 0, e->stream, opcode, true);
    return out;
}

static void end(struct session *s, struct buf *out, size_t at)
{
    envelope_end(out, at);
    session_touch_output(s);
}

static void put_option(struct buf *out, uint16_t *count, const char *key, struct bytes value)
{
    wire_put_cstring(out, key);
    buf_be16(out, 1);
    wire_put_string(out, value);
    (*count)++;
}

static void handle_options(struct session *s, const struct envelope *e)
{
    size_t at;
    struct buf *out = begin(s, e, OPCODE_SUPPORTED, &at);
    const struct session_host *h = s->host;
    size_t count_at = out->n;
    uint16_t count = 2;
    buf_be16(out, 0);
    wire_put_cstring(out, "PROTOCOL_VERSIONS");
    buf_be16(out, 3);
    wire_put_cstring(out, "3/v3");
    wire_put_cstring(out, "4/v4");
    wire_put_cstring(out, "5/v5");
    wire_put_cstring(out, "COMPRESSION");
    buf_be16(out, 2);
    wire_put_cstring(out, "snappy");
    wire_put_cstring(out, "lz4");
    put_option(out, &count, "CQL_VERSION", bytes_str("3.4.7"));
    /* Shard-aware drivers (scylla-driver and its kin) route by these; the values are what they parse. */
    struct arena a;
    arena_init(&a, 256);
    put_option(out, &count, "SCYLLA_SHARD", arena_printf(&a, "%u", h->shard));
    put_option(out, &count, "SCYLLA_NR_SHARDS", arena_printf(&a, "%u", h->topology->shards));
    put_option(out, &count, "SCYLLA_SHARDING_ALGORITHM", bytes_str("biased-token-round-robin"));
    put_option(out, &count, "SCYLLA_SHARDING_IGNORE_MSB",
               arena_printf(&a, "%u", h->topology->ignore_msb));
    put_option(out, &count, "SCYLLA_PARTITIONER",
               bytes_str("org.apache.cassandra.dht.Murmur3Partitioner"));
    if (h->shard_aware_port)
        put_option(out, &count, "SCYLLA_SHARD_AWARE_PORT",
                   arena_printf(&a, "%u", h->shard_aware_port));
    arena_free(&a);
    store_be16(out->p + count_at, count);
    end(s, out, at);
}

static err_t startup(struct session *s, const struct envelope *e, struct bytes body,
                     struct arena *a, struct fail *fail)
{
    struct string_map options;
    TRY(request_decode_string_map(body, a, &options, fail));
    struct bytes version = string_map_get(&options, "CQL_VERSION");
    if (bytes_is_null(version))
        return fail_set(fail, ERR_PROTOCOL, "Missing value CQL_VERSION in STARTUP message");
    if (version.n == 0 || version.p[0] < '3' || version.p[0] > '9')
        return fail_set(fail, ERR_PROTOCOL,
                        "CQL version %.*s is not supported by the binary protocol (supported "
                        "version are >= 3.0.0)",
                        BYTES_FMT(version));
    struct bytes compression = string_map_get(&options, "COMPRESSION");
    enum compression c = COMPRESSION_NONE;
    if (compression.n && !compression_parse(compression, &c))
        return fail_set(fail, ERR_PROTOCOL, "Unknown compression algorithm: %.*s",
                        BYTES_FMT(compression));
    if (c == COMPRESSION_SNAPPY && e->version >= 5)
        return fail_set(fail, ERR_PROTOCOL, "Snappy compression is not supported in protocol V5");
    s->compression = c;
    s->version = e->version;
    s->ready = true;
    s->driver_name = arena_dup(&s->arena, string_map_get(&options, "DRIVER_NAME"));
    s->driver_version = arena_dup(&s->arena, string_map_get(&options, "DRIVER_VERSION"));
    return OK;
}

static void handle_startup(struct session *s, const struct envelope *e, struct bytes body)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    if (s->ready)
        fail_set(&fail, ERR_PROTOCOL,
                 "Unexpected message STARTUP, the connection is already initialized");
    if (s->ready || startup(s, e, body, &a, &fail) != OK) {
        session_error(s, e->version, e->stream, &fail);
    } else {
        size_t at;
        struct buf *out = begin(s, e, OPCODE_READY, &at);
        end(s, out, at);
        s->framing = e->version >= 5; /* from the next byte on, both ways */
    }
    arena_free(&a);
}

static err_t register_events(struct session *s, struct bytes body, struct arena *a,
                             struct fail *fail)
{
    struct bytes *names;
    uint16_t count;
    TRY(request_decode_string_list(body, a, &names, &count, fail));
    uint8_t events = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (bytes_equal_nocase(names[i], bytes_str("TOPOLOGY_CHANGE")))
            events |= EVENT_TOPOLOGY;
        else if (bytes_equal_nocase(names[i], bytes_str("STATUS_CHANGE")))
            events |= EVENT_STATUS;
        else if (bytes_equal_nocase(names[i], bytes_str("SCHEMA_CHANGE")))
            events |= EVENT_SCHEMA;
        else
            return fail_set(fail, ERR_PROTOCOL, "Invalid value '%.*s' for Type",
                            BYTES_FMT(names[i]));
    }
    s->events |= events;
    return OK;
}

static void handle_register(struct session *s, const struct envelope *e, struct bytes body)
{
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    if (register_events(s, body, &a, &fail) != OK) {
        session_error(s, e->version, e->stream, &fail);
    } else {
        size_t at;
        struct buf *out = begin(s, e, OPCODE_READY, &at);
        end(s, out, at);
    }
    arena_free(&a);
}

struct request *request_new(struct session *s, const struct envelope *e)
{
    struct session_host *h = s->host;
    struct request *r;
    if (list_empty(&h->free_requests)) {
        r = calloc(1, sizeof *r);
        ensure(r != NULL);
        arena_init(&r->arena, REQUEST_ARENA_BYTES);
    } else {
        r = container_of(h->free_requests.next, struct request, link);
        list_remove(&r->link);
        h->free_requests_count--;
        struct arena keep = r->arena;
        struct buf rows = r->rows;
        *r = (struct request){.arena = keep, .rows = rows};
    }
    r->host = h;
    r->session = s;
    r->version = e->version;
    r->opcode = e->opcode;
    r->stream = e->stream;
    r->started = h->now.mono;
    r->deadline = (struct mono_us){h->now.mono.us + h->limits->request_timeout_us};
    r->fail.arena = &r->arena;
    r->warnings = buf_in(&r->arena);
    r->bytes_charged = e->length + REQUEST_BYTES_OVERHEAD;
    h->requests_bytes += r->bytes_charged;
    h->requests_count++;
    s->in_flight++;
    list_push_back(&h->requests, &r->link);
    return r;
}

struct kept_statement {
    struct kept_statement *next;
    struct statement *statement;
};

void request_keep_statement(struct request *r, struct statement *s)
{
    struct kept_statement *k = arena_new(&r->arena, struct kept_statement);
    k->statement = s;
    k->next = r->kept;
    r->kept = k;
}

void request_free(struct request *r)
{
    buf_free(&r->rows);
    arena_free(&r->arena);
    free(r);
}

void request_done(struct request *r)
{
    struct session_host *h = r->host;
    if (r->read)
        coord_read_end(r->read);
    if (r->statement)
        statement_unref(r->statement);
    for (struct kept_statement *k = r->kept; k; k = k->next)
        statement_unref(k->statement);
    if (r->rows.cap > ROWS_BYTES_KEEP)
        buf_free(&r->rows);
    r->rows.n = 0;
    buf_free(&r->modify_result);
    list_remove(&r->link);
    h->requests_count--;
    h->requests_bytes -= r->bytes_charged;
    if (r->session) {
        r->session->in_flight--;
        session_touch_output(r->session); /* it may be read from again */
    }
    if (h->free_requests_count >= FREE_REQUESTS_MAX) {
        request_free(r);
        return;
    }
    arena_reset(&r->arena);
    h->free_requests_count++;
    list_push_front(&h->free_requests, &r->link);
}

void request_orphan(struct session *s)
{
    list_for_each(it, &s->host->requests)
    {
        struct request *r = container_of(it, struct request, link);
        if (r->session == s)
            r->session = NULL;
    }
}

struct buf *request_begin_response(struct request *r, uint8_t opcode, size_t *at)
{
    if (r->answered || r->session == NULL || r->session->closing)
        return NULL;
    r->answered = true;
    struct session *s = r->session;
    struct buf *out = session_envelopes(s);
    bool warn = r->warnings.n > 0 && r->version >= 4;
    *at = envelope_begin(out, r->version, warn ? ENVELOPE_WARNING : 0, r->stream, opcode, true);
    if (warn) {
        uint16_t count = 0;
        size_t count_at = out->n;
        buf_be16(out, 0);
        struct cur c = cur_of(buf_bytes(&r->warnings));
        while (!cur_at_end(&c) && count < UINT16_MAX) {
            wire_put_string(out, wire_bytes(&c));
            count++;
        }
        store_be16(out->p + count_at, count);
    }
    return out;
}

/* v3 and v4 compress each envelope's body on its own; v5 compresses frames. Tiny bodies are not worth it. */
void request_end_response(struct request *r, struct buf *out, size_t at)
{
    struct session *s = r->session;
    size_t body_at = at + ENVELOPE_HEADER_BYTES;
    if (s->compression != COMPRESSION_NONE && !s->framing && out->n - body_at > 64) {
        s->scratch.n = 0;
        compression_deflate(s->compression, bytes_of(out->p + body_at, out->n - body_at),
                            &s->scratch);
        if (s->scratch.n < out->n - body_at) {
            out->n = body_at;
            buf_put_bytes(out, buf_bytes(&s->scratch));
            out->p[at + 1] |= ENVELOPE_COMPRESSED;
        }
        if (s->scratch.cap > 256 * 1024)
            buf_free(&s->scratch);
    }
    session_answered(s, r->rows.n > out->n - at ? r->rows.n : out->n - at);
    envelope_end(out, at);
    session_touch_output(s);
}

void request_fail(struct request *r, err_t err)
{
    ensure(err != OK);
    if (r->fail.err != err || bytes_is_null(r->fail.message))
        fail_set(&r->fail, err, "%s", err_name(err));
    r->warnings.n = 0;
    size_t at;
    struct buf *out = request_begin_response(r, OPCODE_ERROR, &at);
    if (out == NULL)
        return;
    r->host->counters.errors++;
    response_put_error(out, &r->fail, r->version);
    request_end_response(r, out, at);
}

static void dispatch(struct request *r, struct bytes body)
{
    struct fail *fail = &r->fail;
    err_t err;
    switch (r->opcode) {
    case OPCODE_QUERY: {
        struct request_query q;
        err = request_decode_query(body, r->version, &r->arena, &q, fail);
        if (err == OK) {
            execute_query(r, &q);
            return;
        }
        break;
    }
    case OPCODE_PREPARE: {
        struct request_prepare p;
        err = request_decode_prepare(body, r->version, &p, fail);
        if (err == OK) {
            execute_prepare(r, p.text, p.keyspace);
            return;
        }
        break;
    }
    case OPCODE_EXECUTE: {
        struct request_execute x;
        err = request_decode_execute(body, r->version, &r->arena, &x, fail);
        if (err == OK) {
            execute_prepared(r, &x);
            return;
        }
        break;
    }
    default: {
        struct request_batch b;
        err = request_decode_batch(body, r->version, &r->arena, &b, fail);
        if (err == OK) {
            execute_batch(r, &b);
            return;
        }
        break;
    }
    }
    request_fail(r, err);
    request_done(r);
}

static void refuse(struct session *s, const struct envelope *e, err_t err, struct bytes message)
{
    struct fail f = {.err = err, .message = message};
    session_error(s, e->version, e->stream, &f);
}

void request_handle(struct session *s, const struct envelope *e, struct bytes body)
{
    struct session_host *h = s->host;
    if (e->flags & ENVELOPE_PAYLOAD && e->version >= 4) {
        struct cur c = cur_of(body);
        if (request_skip_payload(&c, NULL) != OK) {
            refuse(s, e, ERR_PROTOCOL, bytes_str("Malformed custom payload"));
            return;
        }
        body = bytes_of(c.p, cur_left(&c));
    }
    switch (e->opcode) {
    case OPCODE_OPTIONS: handle_options(s, e); return;
    case OPCODE_STARTUP: handle_startup(s, e, body); return;
    case OPCODE_REGISTER:
        if (!s->ready)
            break;
        handle_register(s, e, body);
        return;
    case OPCODE_AUTH_RESPONSE:
        if (!s->ready)
            break;
        refuse(s, e, ERR_PROTOCOL,
               bytes_str("Unexpected message AUTH_RESPONSE: no authentication was asked for"));
        return;
    default:
        if (!s->ready)
            break;
        if (!session_host_has_room(h, e->length)) {
            h->counters.overloaded++;
            refuse(s, e, ERR_OVERLOADED,
                   bytes_str("Too many requests in flight on this shard; retry later"));
            return;
        }
        struct request *r = request_new(s, e);
        /* The request outlives the input buffer: everything it decodes points into its own copy. */
        dispatch(r, arena_dup(&r->arena, body.p ? body : bytes_str("")));
        return;
    }
    struct arena a;
    arena_init(&a, 256);
    refuse(s, e, ERR_PROTOCOL,
           arena_printf(&a, "Unexpected message %s, expecting STARTUP or OPTIONS",
                        opcode_name(e->opcode)));
    arena_free(&a);
}
