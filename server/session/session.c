/* Connections: bytes to envelopes and back, connection state, output. See session.h.
 *
 *   (new) ──OPTIONS──▶ (new) ──STARTUP──▶ (ready; v5: frames from here on) ──QUERY, …──▶ (ready)
 *     any ──protocol error──▶ (closing: output is sent, input is dropped) */
#include "server/session/session_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { IN_BUFFER_KEEP = 64 * 1024, WINDOW_FIRST = 2 };

void session_host_init(struct session_host *h, uint16_t shard, const struct topology *t,
                       const struct session_limits *limits, struct schema *schema, uint64_t seed,
                       struct message_queue *out)
{
    *h = (struct session_host){
        .shard = shard, .topology = t, .limits = limits, .schema = schema_ref(schema), .out = out};
    prng_init(&h->random, seed);
    h->prepared.seed = prng_u64(&h->random);
    h->timeuuid.clock_seq_node = (prng_u64(&h->random) & 0x3fffffffffffffff) | 0x8000010000000000;
    list_init(&h->sessions);
    list_init(&h->output_pending);
    list_init(&h->requests);
    list_init(&h->free_requests);
    list_init(&h->prepared_lru);
}

void session_host_free(struct session_host *h)
{
    ensure(list_empty(&h->sessions) && h->requests_count == 0);
    list_for_each_safe(it, tmp, &h->free_requests)
    {
        request_free(container_of(it, struct request, link));
    }
    list_for_each_safe(it, tmp, &h->prepared_lru)
        prepared_free(h, container_of(it, struct prepared, lru));
    map_free(&h->prepared);
    coord_spares_free(&h->spares);
    schema_unref(h->schema);
}

struct session *session_open(struct session_host *h, const char *address, uint16_t port)
{
    struct session *s = calloc(1, sizeof *s);
    ensure(s != NULL);
    s->host = h;
    s->id = ++h->next_session_id;
    snprintf(s->address, sizeof s->address, "%s", address);
    s->port = port;
    s->last_input = h->now.mono;
    s->window = WINDOW_FIRST;
    arena_init(&s->arena, 256);
    list_init(&s->link_output);
    list_push_back(&h->sessions, &s->link);
    h->sessions_count++;
    return s;
}

static void session_free(struct session *s)
{
    buf_free(&s->in);
    buf_free(&s->envelopes);
    buf_free(&s->scratch);
    buf_free(&s->pending);
    buf_free(&s->out);
    arena_free(&s->arena);
    free((void *)s->keyspace.p);
    free(s);
}

void session_close(struct session *s)
{
    struct session_host *h = s->host;
    list_remove(&s->link);
    list_remove(&s->link_output);
    h->sessions_count--;
    h->sessions_bytes -= s->bytes_counted;
    request_orphan(s);
    session_free(s);
}

void session_set_driver(struct session *s, void *driver)
{
    s->driver = driver;
}

void *session_driver(const struct session *s)
{
    return s->driver;
}

bool session_is_closing(const struct session *s)
{
    return s->closing;
}

/* What a slow reader makes us keep. */
static size_t output_bytes(const struct session *s)
{
    return s->out.n - s->out_sent + s->pending.n;
}

bool session_wants_input(const struct session *s)
{
    return !s->closing && output_bytes(s) < s->host->limits->output_bytes_max &&
           s->in_flight < s->window && s->in_flight < s->host->limits->requests_max;
}

/* Requests cost nothing before they are answered, and then it is too late to hold them back: a client that sends hundreds of large
 * reads at once and reads none of the answers would have them all made. So a connection begins with a small window, which doubles with
 * each answer as long as that many answers of the size that it gets fit the bound of its output. */
void session_answered(struct session *s, size_t bytes)
{
    const struct session_limits *l = s->host->limits;
    s->answer_bytes =
        bytes > s->answer_bytes ? bytes : s->answer_bytes - s->answer_bytes / 8 + bytes / 8;
    uint64_t fit = l->output_bytes_max / (s->answer_bytes + 1), window = (uint64_t)s->window * 2;
    if (window > fit)
        window = fit;
    if (window > l->requests_max)
        window = l->requests_max;
    s->window = window ? (uint32_t)window : 1;
}

bool session_host_has_room(const struct session_host *h, size_t n)
{
    return h->requests_bytes + h->sessions_bytes + n <= h->limits->memory_bytes_max;
}

static void count_bytes(struct session *s)
{
    size_t now = output_bytes(s) + s->in.n + s->envelopes.n;
    s->host->sessions_bytes += now - s->bytes_counted;
    s->bytes_counted = now;
}

void session_touch_output(struct session *s)
{
    count_bytes(s);
    if (list_empty(&s->link_output))
        list_push_back(&s->host->output_pending, &s->link_output);
}

struct session *session_next_output(struct session_host *h)
{
    if (list_empty(&h->output_pending))
        return NULL;
    struct session *s = container_of(h->output_pending.next, struct session, link_output);
    list_remove(&s->link_output);
    return s;
}

struct buf *session_envelopes(struct session *s)
{
    return s->framing ? &s->pending : &s->out;
}

struct bytes session_output(struct session *s)
{
    if (s->pending.n) {
        frame_encode_envelopes(buf_bytes(&s->pending), s->compression == COMPRESSION_LZ4, &s->out);
        if (s->pending.cap > IN_BUFFER_KEEP)
            buf_free(&s->pending);
        s->pending.n = 0;
    }
    return bytes_of(s->out.p + s->out_sent, s->out.n - s->out_sent);
}

void session_sent(struct session *s, size_t n)
{
    s->out_sent += n;
    ensure(s->out_sent <= s->out.n);
    if (s->out_sent == s->out.n) {
        if (s->out.cap > IN_BUFFER_KEEP)
            buf_free(&s->out);
        s->out.n = s->out_sent = 0;
    }
    count_bytes(s);
}

/* A response of the server outside any request. v5 framing may not have begun yet: see session_envelopes(). */
void session_error(struct session *s, uint8_t version, int16_t stream, const struct fail *f)
{
    struct buf *out = session_envelopes(s);
    size_t at = envelope_begin(out, version, 0, stream, OPCODE_ERROR, true);
    response_put_error(out, f, version);
    envelope_end(out, at);
    s->host->counters.errors++;
    session_touch_output(s);
}

/* Protocol v1 and v2 had a header of 8 bytes with a stream of one: such a client must be able to read the refusal. */
static void error_old_header(struct session *s, uint8_t version, const struct fail *f)
{
    struct buf *out = &s->out;
    buf_u8(out, version | ENVELOPE_RESPONSE);
    buf_u8(out, 0);
    buf_u8(out, 0);
    buf_u8(out, OPCODE_ERROR);
    size_t at = out->n;
    buf_be32(out, 0);
    response_put_error(out, f, version);
    store_be32(out->p + at, (uint32_t)(out->n - at - 4));
    session_touch_output(s);
}

static void close_with(struct session *s, uint8_t version, int16_t stream, err_t err,
                       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void close_with(struct session *s, uint8_t version, int16_t stream, err_t err,
                       const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct fail f = {.err = err,
                     .message = bytes_of(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1)};
    if (version == 1 || version == 2)
        error_old_header(s, version, &f);
    else
        session_error(s, version, stream, &f);
    s->closing = true;
}

/* Checks what must hold before a body is waited for. False: the session is closing. */
static bool check_header(struct session *s, const struct envelope *e)
{
    uint8_t known =
        e->version >= PROTOCOL_VERSION_MIN && e->version <= PROTOCOL_VERSION_MAX ? e->version : 0;
    uint8_t answer = known                                ? known
                     : e->version == 1 || e->version == 2 ? e->version
                                                          : PROTOCOL_VERSION_MAX;
    if (!known) {
        /* The words decide: the Python driver steps down only on "unsupported protocol version". */
        close_with(s, answer, 0, ERR_PROTOCOL,
                   "Invalid or unsupported protocol version (%u); supported versions are (3/v3, "
                   "4/v4, 5/v5)",
                   e->version);
        return false;
    }
    if (e->response) {
        const char *name = opcode_name(e->opcode);
        close_with(s, answer, 0, ERR_PROTOCOL,
                   "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode %u (%s)",
                   e->opcode, name ? name : "unknown");
        return false;
    }
    if (s->version && e->version != s->version) {
        close_with(s, s->version, e->stream, ERR_PROTOCOL,
                   "Invalid message version. Got %u/v%u but previous messages on this connection "
                   "had version %u/v%u",
                   e->version, e->version, s->version, s->version);
        return false;
    }
    if (e->length > s->host->limits->frame_bytes_max) {
        close_with(s, answer, e->stream, ERR_PROTOCOL,
                   "Request is too big: length %u exceeds maximum allowed length %u", e->length,
                   s->host->limits->frame_bytes_max);
        return false;
    }
    if (!opcode_name(e->opcode)) {
        close_with(s, answer, 0, ERR_PROTOCOL, "Unknown opcode %u", e->opcode);
        return false;
    }
    if (!opcode_is_request(e->opcode)) {
        close_with(s, answer, 0, ERR_PROTOCOL,
                   "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode %u (%s)",
                   e->opcode, opcode_name(e->opcode));
        return false;
    }
    return true;
}

static void handle(struct session *s, const struct envelope *e, struct bytes body)
{
    s->requests++;
    s->host->counters.requests++;
    if (!(e->flags & ENVELOPE_COMPRESSED) || s->framing) {
        request_handle(s, e, body);
        return;
    }
    struct buf plain = {0};
    err_t err =
        s->compression == COMPRESSION_NONE
            ? ERR_PROTOCOL
            : compression_inflate(s->compression, body, s->host->limits->frame_bytes_max, &plain);
    if (err != OK)
        close_with(s, e->version, e->stream, ERR_PROTOCOL,
                   s->compression == COMPRESSION_NONE
                       ? "Received a compressed message but no compression was negotiated"
                       : "Cannot decompress the message");
    else
        request_handle(s, e, buf_bytes(&plain));
    buf_free(&plain);
}

/* Handles whole envelopes at the front of in; returns how many bytes. Stops where framing begins (after STARTUP of v5). */
static size_t take_envelopes(struct session *s, struct bytes in)
{
    size_t at = 0;
    bool framing = s->framing;
    while (session_wants_input(s) && s->framing == framing && in.n - at >= 1) {
        struct envelope e;
        if (in.n - at < ENVELOPE_HEADER_BYTES) {
            /* A version that is not ours may have a shorter header: answer on what there is. */
            uint8_t version = in.p[at] & 0x7f;
            if (version >= PROTOCOL_VERSION_MIN && version <= PROTOCOL_VERSION_MAX)
                break;
            e = (struct envelope){.version = version};
            check_header(s, &e);
            break;
        }
        e = envelope_decode(in.p + at);
        if (!check_header(s, &e))
            break;
        if (in.n - at - ENVELOPE_HEADER_BYTES < e.length)
            break;
        handle(s, &e, bytes_of(in.p + at + ENVELOPE_HEADER_BYTES, e.length));
        at += ENVELOPE_HEADER_BYTES + e.length;
    }
    return s->closing ? in.n : at;
}

static void take_joined(struct session *s)
{
    size_t n = take_envelopes(s, buf_bytes(&s->envelopes));
    if (n)
        memmove(s->envelopes.p, s->envelopes.p + n, s->envelopes.n - n);
    s->envelopes.n -= n;
    if (s->envelopes.n == 0 && s->envelopes.cap > IN_BUFFER_KEEP)
        buf_free(&s->envelopes);
}

static size_t take_frames(struct session *s, struct bytes in)
{
    size_t at = 0;
    /* What an earlier frame left behind, when the session did not want input. */
    if (s->envelopes.n)
        take_joined(s);
    while (session_wants_input(s)) {
        size_t used;
        struct bytes payload;
        bool self_contained;
        struct arena a;
        arena_init(&a, 0);
        struct fail f = {.arena = &a};
        err_t err = frame_decode(bytes_skip(in, at), s->compression == COMPRESSION_LZ4, &s->scratch,
                                 &used, &payload, &self_contained, &f);
        if (err != OK)
            close_with(s, s->version, 0, err, "%.*s", BYTES_FMT(f.message));
        arena_free(&a);
        if (err != OK || used == 0)
            break;
        at += used;
        size_t n = 0;
        if (self_contained && s->envelopes.n == 0) {
            n = take_envelopes(s, payload);
            if (n != payload.n && session_wants_input(s))
                close_with(s, s->version, 0, ERR_PROTOCOL,
                           "A self-contained frame must hold whole messages");
            if (n == payload.n)
                continue;
        }
        /* A large envelope in several frames: its length is checked as soon as the header is there, so this buffer is bounded. */
        buf_put_bytes(&s->envelopes, bytes_skip(payload, n));
        take_joined(s);
    }
    return s->closing ? in.n : at;
}

static size_t take(struct session *s, struct bytes in)
{
    size_t at = 0, n;
    do {
        struct bytes rest = bytes_skip(in, at);
        n = s->framing ? take_frames(s, rest) : take_envelopes(s, rest);
        at += n;
    } while (n > 0 && at < in.n && session_wants_input(s));
    return at;
}

/* Input that is kept counts against the shard's memory: half a message from each of ten thousand clients must not fill it. */
static void check_kept(struct session *s)
{
    count_bytes(s);
    if (s->closing || s->in.n + s->envelopes.n <= IN_BUFFER_KEEP ||
        session_host_has_room(s->host, 0))
        return;
    s->host->counters.overloaded++;
    close_with(s, s->version ? s->version : PROTOCOL_VERSION_MAX, 0, ERR_OVERLOADED,
               "Too many bytes of unfinished requests on this shard");
    buf_free(&s->in);
    buf_free(&s->envelopes);
    count_bytes(s);
}

void session_receive(struct session *s, struct bytes in)
{
    if (s->closing)
        return;
    s->last_input = s->host->now.mono;
    if (s->in.n == 0) {
        size_t n = take(s, in);
        if (n < in.n && !s->closing)
            buf_put_bytes(&s->in, bytes_skip(in, n));
        check_kept(s);
        return;
    }
    buf_put_bytes(&s->in, in);
    session_resume(s);
}

void session_resume(struct session *s)
{
    if (s->closing || (s->in.n == 0 && s->envelopes.n == 0))
        return;
    size_t n = take(s, buf_bytes(&s->in));
    if (n)
        memmove(s->in.p, s->in.p + n, s->in.n - n);
    s->in.n -= n;
    if (s->in.n == 0)
        buf_free(&s->in);
    check_kept(s);
}

void session_set_keyspace(struct session *s, struct bytes keyspace)
{
    if (bytes_equal(s->keyspace, keyspace) && !bytes_is_null(s->keyspace))
        return;
    free((void *)s->keyspace.p);
    uint8_t *p = malloc(keyspace.n + 1);
    ensure(p != NULL);
    memcpy(p, keyspace.p, keyspace.n);
    s->keyspace = bytes_of(p, keyspace.n);
}

void session_list(struct session_host *h, void (*row)(void *ctx, const struct session_info *i),
                  void *ctx)
{
    list_for_each(it, &h->sessions)
    {
        struct session *s = container_of(it, struct session, link);
        row(ctx, &(struct session_info){.address = s->address,
                                        .port = s->port,
                                        .driver_name = s->driver_name,
                                        .driver_version = s->driver_version,
                                        .keyspace = s->keyspace,
                                        .protocol_version = s->version,
                                        .requests = s->requests,
                                        .ready = s->ready});
    }
}

static const char *change_name(enum schema_event_kind kind)
{
    static const char *const names[] = {"CREATED", "UPDATED", "DROPPED"};
    return names[kind];
}

static const char *target_name(enum schema_target target)
{
    static const char *const names[] = {"KEYSPACE", "TABLE", "TYPE", "FUNCTION", "AGGREGATE"};
    return names[target];
}

void session_put_schema_change(struct buf *out, const struct schema_event *e)
{
    response_put_schema_change(out, change_name(e->kind), target_name(e->target), e->keyspace,
                               e->name);
}

void session_schema_changed(struct session_host *h, struct schema *schema,
                            const struct schema_event *event)
{
    struct schema *old = h->schema;
    h->schema = schema_ref(schema);
    schema_unref(old);
    if (event == NULL)
        return;
    list_for_each(it, &h->sessions)
    {
        struct session *s = container_of(it, struct session, link);
        if (!(s->events & EVENT_SCHEMA) || s->closing)
            continue;
        struct buf *out = session_envelopes(s);
        size_t at = envelope_begin(out, s->version, 0, -1, OPCODE_EVENT, true);
        wire_put_cstring(out, "SCHEMA_CHANGE");
        session_put_schema_change(out, event);
        envelope_end(out, at);
        session_touch_output(s);
    }
}
