/* The read of one select: partitions one after another, or a scan that merges the shards' token-ordered streams. See coord.h.
 *
 * A scan keeps one stream a shard. Each holds the chunk that arrived last; the stream whose next partition comes first in (token, key)
 * order is consumed up to where another stream's begins, without copying. A shard whose chunk is used up is asked for the next one. */
#include "server/coord/coord.h"

#include "cql/base/list.h"

enum { CHUNK_ROWS_MAX = 4096, CHUNK_BYTES_MAX = 512 * 1024, CHUNK_SCANNED_MAX = 32768 };
enum { POSITION_ARENA_BYTES = 512, SPARE_RESULT_BYTES_MAX = 8 * 1024 };

struct stream {
    void *tag; /* see coord_tag(): right in front of the message */
    struct message_read message;
    struct read_command command; /* keys: one key of the caller's command */
    struct bytes left;           /* of message.result, not consumed yet */
    struct bytes head_pk;        /* of the first partition in left */
    struct token head_token;
    bool out;  /* the message is with the replica */
    bool done; /* nothing after what is in left */
};

struct coord_read {
    const struct topology *topology;
    uint16_t self;
    const struct read_command *command;
    struct coord_sink sink;
    struct arena *arena;
    struct coord_spares *spares;
    void *tag;
    size_t key; /* keys: index of the one being read */
    bool local_only;
    struct stream *streams;
    uint16_t streams_count, out_count;
    bool stopped; /* the sink wants no more, or failed */
    bool final_told;
    err_t err;
};

static void send_stream(struct coord_read *r, struct stream *s, uint16_t to,
                        struct message_queue *out)
{
    uint32_t wanted = r->sink.rows_wanted(r->sink.ctx), n = r->streams_count;
    /* A scan expects each shard to hold its share; too little is asked for again, too much is read in vain. */
    if (n > 1 && wanted < UINT32_MAX)
        wanted = wanted / n + wanted / (4 * n) + 16;
    s->message.head =
        (struct message){.from = r->self, .to = to, .verb = VERB_READ, .needs_reply = true};
    s->message.command = &s->command;
    s->message.budget =
        (struct read_budget){.rows_max = wanted < CHUNK_ROWS_MAX ? wanted : CHUNK_ROWS_MAX,
                             .bytes_max = CHUNK_BYTES_MAX,
                             .scanned_max = CHUNK_SCANNED_MAX};
    if (s->message.budget.rows_max == 0)
        s->message.budget.rows_max = 1;
    s->message.result.n = 0;
    s->left = BYTES_NULL;
    s->out = true;
    r->out_count++;
    message_push(out, &s->message.head);
}

static void borrow(struct coord_spares *s, struct message_read *m)
{
    if (s->count == 0) {
        arena_init(&m->arena, POSITION_ARENA_BYTES);
        return;
    }
    const struct coord_spare *x = &s->spare[--s->count];
    m->arena = x->arena;
    m->result = x->result;
}

static void give_back(struct coord_spares *s, struct message_read *m)
{
    if (s->count == COORD_SPARES_MAX || m->result.cap > SPARE_RESULT_BYTES_MAX) {
        buf_free(&m->result);
        arena_free(&m->arena);
        return;
    }
    arena_reset(&m->arena);
    s->spare[s->count++] = (struct coord_spare){.result = m->result, .arena = m->arena};
}

void coord_spares_free(struct coord_spares *s)
{
    for (; s->count; s->count--) {
        buf_free(&s->spare[s->count - 1].result);
        arena_free(&s->spare[s->count - 1].arena);
    }
}

static uint16_t owner(const struct coord_read *r, struct bytes pk)
{
    return r->local_only ? r->self : topology_shard(r->topology, token_of_key(pk));
}

/* Sends the read of the current key, or says that there is none left. */
static bool send_key(struct coord_read *r, struct message_queue *out)
{
    if (r->key >= r->command->keys_count)
        return false;
    struct stream *s = &r->streams[0];
    s->command = *r->command;
    s->command.keys = &r->command->keys[r->key];
    s->command.keys_count = 1;
    send_stream(r, s, owner(r, r->command->keys[r->key]), out);
    return true;
}

static void start_keys(struct coord_read *r, const struct read_position *position,
                       struct message_queue *out)
{
    if (position->set) {
        while (r->key < r->command->keys_count &&
               !bytes_equal(r->command->keys[r->key], position->pk))
            r->key++;
        if (r->key == r->command->keys_count) {
            r->key = 0; /* a position of no key here: start over, as nothing of it was returned */
        } else if (position->partition_done) {
            r->key++;
        } else {
            r->streams[0].message.position = *position;
        }
    }
    if (!send_key(r, out)) {
        bool want;
        r->err = r->sink.consume(r->sink.ctx, BYTES_NULL, false, &want);
        r->stopped = true;
    }
}

struct coord_read *coord_read_start(const struct topology *t, uint16_t self,
                                    const struct read_command *command,
                                    const struct read_position *position, bool local_only,
                                    struct coord_sink sink, struct arena *a, void *tag,
                                    struct coord_spares *spares, struct message_queue *out)
{
    struct coord_read *r = arena_new(a, struct coord_read);
    *r = (struct coord_read){.topology = t,
                             .self = self,
                             .command = command,
                             .sink = sink,
                             .arena = a,
                             .spares = spares,
                             .tag = tag,
                             .local_only = local_only};
    r->streams_count = command->is_range && !local_only ? t->shards : 1;
    r->streams = arena_array(a, struct stream, r->streams_count);
    for (uint16_t i = 0; i < r->streams_count; i++) {
        r->streams[i].tag = tag;
        borrow(spares, &r->streams[i].message);
    }
    if (!command->is_range) {
        start_keys(r, position, out);
        return r;
    }
    for (uint16_t i = 0; i < r->streams_count; i++) {
        struct stream *s = &r->streams[i];
        s->command = *command;
        s->message.position = *position;
        send_stream(r, s, local_only ? self : i, out);
    }
    return r;
}

static void stop(struct coord_read *r, err_t err)
{
    if (r->err == OK)
        r->err = err;
    r->stopped = true;
}

static void feed(struct coord_read *r, struct bytes chunk, bool more)
{
    bool want = true;
    err_t err = r->sink.consume(r->sink.ctx, chunk, more, &want);
    if (!more)
        r->final_told = true;
    if (err != OK || !want || !more)
        stop(r, err);
}

/* Positions s->left at the next partition; empty when the chunk is used up. */
static err_t peek(struct stream *s)
{
    if (s->left.n == 0)
        return OK;
    struct result_iter it = result_iter(s->left);
    struct cur ops;
    if (!result_next(&it, &s->head_pk, &ops))
        return it.cur.bad ? ERR_CORRUPT : OK;
    s->head_token = token_of_key(s->head_pk);
    return OK;
}

/* Partition order: token, then storage key, which begins with the key's length (see cql/data/row.h). */
static int compare_heads(const struct stream *a, const struct stream *b)
{
    if (a->head_token.value != b->head_token.value)
        return a->head_token.value < b->head_token.value ? -1 : 1;
    if (a->head_pk.n != b->head_pk.n)
        return a->head_pk.n < b->head_pk.n ? -1 : 1;
    return bytes_compare(a->head_pk, b->head_pk);
}

/* Moves s past its partitions that come before limit (NULL: all of them); returns the bytes passed. */
static err_t take_run(struct stream *s, const struct stream *limit, struct bytes *run)
{
    const uint8_t *start = s->left.p;
    do {
        struct result_iter it = result_iter(s->left);
        struct bytes pk;
        struct cur ops;
        if (!result_next(&it, &pk, &ops))
            return ERR_CORRUPT;
        struct op op;
        do
            TRY(op_next(&ops, &op));
        while (op.kind != OP_END);
        result_leave(&it, &ops);
        s->left = bytes_of(it.cur.p, (size_t)(it.cur.end - it.cur.p));
        TRY(peek(s));
    } while (s->left.n && (limit == NULL || compare_heads(s, limit) < 0));
    *run = bytes_of(start, (size_t)(s->left.p - start));
    return OK;
}

/* Consumes as long as every stream that is not done has something to compare. */
static void merge(struct coord_read *r, struct message_queue *out)
{
    while (!r->stopped) {
        struct stream *first = NULL, *second = NULL;
        bool waiting = false, others = false;
        for (uint16_t i = 0; i < r->streams_count; i++) {
            struct stream *s = &r->streams[i];
            if (s->left.n == 0) {
                waiting |= !s->done;
                continue;
            }
            if (first == NULL || compare_heads(s, first) < 0) {
                second = first;
                first = s;
            } else if (second == NULL || compare_heads(s, second) < 0) {
                second = s;
            }
        }
        if (waiting)
            return;
        if (first == NULL) {
            if (!r->final_told)
                feed(r, BYTES_NULL, false);
            return;
        }
        struct bytes run;
        /* The only stream left goes on to the end of its chunk at once. */
        err_t err = take_run(first, second, &run);
        if (err != OK) {
            stop(r, err);
            return;
        }
        others = second != NULL || first->left.n > 0 || !first->done;
        feed(r, run, others);
        if (!r->stopped && first->left.n == 0 && !first->done)
            send_stream(r, first, r->local_only ? r->self : (uint16_t)(first - r->streams), out);
    }
}

static void key_replied(struct coord_read *r, struct stream *s, struct message_queue *out)
{
    bool last = !s->message.more && r->key + 1 >= r->command->keys_count;
    feed(r, buf_bytes(&s->message.result), !last);
    if (r->stopped)
        return;
    if (!s->message.more) {
        r->key++;
        s->message.position = (struct read_position){0};
    }
    send_key(r, out);
}

bool coord_read_reply(struct coord_read *r, struct message *m, struct message_queue *out)
{
    struct stream *s = container_of((struct message_read *)m, struct stream, message);
    s->out = false;
    r->out_count--;
    if (m->err != OK)
        stop(r, m->err);
    if (!r->stopped) {
        if (!r->command->is_range) {
            key_replied(r, s, out);
        } else {
            s->left = buf_bytes(&s->message.result);
            s->done = !s->message.more;
            err_t err = peek(s);
            if (err != OK)
                stop(r, err);
            else if (s->left.n == 0 && !s->done) /* nothing alive among what was scanned: go on */
                send_stream(r, s, r->local_only ? r->self : (uint16_t)(s - r->streams), out);
            else
                merge(r, out);
        }
    }
    return coord_read_has_ended(r);
}

bool coord_read_has_ended(const struct coord_read *r)
{
    return r->stopped && r->out_count == 0;
}

err_t coord_read_err(const struct coord_read *r)
{
    return r->err;
}

void coord_read_cancel(struct coord_read *r)
{
    r->stopped = true;
}

void coord_read_end(struct coord_read *r)
{
    ensure(r->out_count == 0);
    for (uint16_t i = 0; i < r->streams_count; i++)
        give_back(r->spares, &r->streams[i].message);
}
