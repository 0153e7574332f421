/* See world.h. */
#include "tests/unit/node/world.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static err_t persist(void *ctx, struct bytes schema)
{
    return store_state_put(ctx, bytes_str("schema"), schema);
}

static void open_stores(struct world *w, struct store **stores)
{
    for (uint32_t i = 0; i < WORLD_SHARDS; i++) {
        struct store_options o = {
            .shard = i,
            .directory = arena_cstr(&w->arena, arena_printf(&w->arena, "%s/%u", w->directory, i)),
            .map_bytes = 64 << 20,
            .memtable_bytes_max = 1 << 20,
            .hash_seed = 7,
        };
        struct fail fail = {.arena = &w->arena};
        assert_int_equal(store_open(&o, &stores[i], &fail), OK);
    }
}

struct replay {
    struct store **stores;
};

static err_t replay_record(void *ctx, uint32_t shard, uint64_t seq, struct bytes mutation)
{
    struct replay *r = ctx;
    err_t err = store_replay(r->stores[shard], seq, mutation);
    return err == ERR_NOT_FOUND ? OK : err;
}

static void boot(struct world *w)
{
    struct store *stores[WORLD_SHARDS];
    struct fail fail = {.arena = &w->arena};
    open_stores(w, stores);
    struct schema *schema;
    struct bytes b;
    if (store_state_get(stores[0], bytes_str("schema"), &w->arena, &b) == OK)
        assert_int_equal(schema_decode(b, &schema, &fail), OK);
    else
        schema = schema_new_initial();
    struct commitlog_options o = {.directory = "log",
                                  .segment_bytes = 256 << 10,
                                  .total_bytes_max = 4 << 20,
                                  .shards = WORLD_SHARDS};
    assert_int_equal(commitlog_open(disk_sim_disk(w->disk), &o, &w->log, &fail), OK);
    uint64_t flushed[WORLD_SHARDS];
    for (int i = 0; i < WORLD_SHARDS; i++)
        store_set_schema(stores[i], schema);
    struct replay r = {stores};
    assert_int_equal(commitlog_replay(w->log, replay_record, &r, &fail), OK);
    for (uint16_t i = 0; i < WORLD_SHARDS; i++) {
        shard_init(&w->shards[i], &w->node, i, stores[i], schema, 100u + i);
        flushed[i] = store_flushed_seq(stores[i]);
    }
    control_init(&w->control, &w->node, schema, 5, persist, stores[0]);
    log_writer_init(&w->log_writer, &w->node, w->log, flushed);
    jobs_init(&w->jobs);
    schema_unref(schema);
    w->queue = w->log_queue = (struct message_queue){0};
    w->running = true;
}

void world_start(struct world *w)
{
    *w = (struct world){.now = {{1000000}, {1700000000000000}}};
    arena_init(&w->arena, 0);
    snprintf(w->directory, sizeof w->directory, "/tmp/helenus-world-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    w->disk = disk_sim_new();
    w->node = (struct node){
        .topology = {.shards = WORLD_SHARDS, .ignore_msb = 8, .local_dc = bytes_str("datacenter1")},
        .limits = {.frame_bytes_max = 1 << 20,
                   .output_bytes_max = 1 << 20,
                   .requests_max = 64,
                   .memory_bytes_max = 1 << 20,
                   .prepared_max = 10,
                   .read_timeout_us = 5000000,
                   .range_timeout_us = 10000000,
                   .write_timeout_us = 2000000,
                   .truncate_timeout_us = 60000000,
                   .request_timeout_us = 10000000},
        .cluster_name = bytes_str("world"),
        .data_center = bytes_str("datacenter1"),
        .rack = bytes_str("rack1"),
        .release_version = bytes_str("5.0.0"),
        .gossip_generation = 1700000000,
        .purge_period_us = 600000000,
        .sync_mode = SYNC_GROUP,
    };
    boot(w);
}

static void halt(struct world *w)
{
    for (int i = 0; i < WORLD_SHARDS; i++)
        shard_free(&w->shards[i]);
    control_free(&w->control);
    log_writer_free(&w->log_writer);
    jobs_free(&w->jobs);
    commitlog_close(w->log);
    w->running = false;
}

void world_power_loss(struct world *w, uint64_t seed)
{
    struct prng r;
    prng_init(&r, seed);
    struct disk_sim *after = disk_sim_power_loss(w->disk, &r);
    w->log_stuck = false;
    while (w->log_queue.head)
        message_push(&w->queue, message_pop(&w->log_queue));
    world_pump(w); /* lets go of what is lent out; none of it reaches the image taken above */
    halt(w);
    disk_sim_free(w->disk);
    w->disk = after;
    boot(w);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

void world_stop(struct world *w)
{
    world_pump(w);
    halt(w);
    disk_sim_free(w->disk);
    nftw(w->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&w->arena);
}

static void collect(struct world *w, struct message_queue *from)
{
    for (struct message *m; (m = message_pop(from));)
        message_push(&w->queue, m);
}

static void deliver(struct world *w, struct message *m)
{
    switch (m->to) {
    case ENDPOINT_CONTROL:
        control_message(&w->control, w->now, m);
        collect(w, &w->control.out);
        return;
    case ENDPOINT_LOG:
        if (w->log_stuck)
            message_push(&w->log_queue, m);
        else
            log_writer_message(&w->log_writer, m);
        return;
    case ENDPOINT_JOBS: jobs_message(&w->jobs, m); return;
    default: {
        struct shard *s = &w->shards[m->to]; /* m may be its own reply afterwards */
        shard_message(s, m);
        collect(w, &s->out);
    }
    }
}

void world_pump(struct world *w)
{
    for (int idle = 0; idle < 2;) {
        bool worked = false;
        for (int i = 0; i < WORLD_SHARDS; i++) {
            shard_begin_turn(&w->shards[i], w->now);
            collect(w, &w->shards[i].out);
        }
        for (struct message *m; (m = message_pop(&w->queue)); worked = true)
            deliver(w, m);
        for (int i = 0; i < WORLD_SHARDS; i++) {
            shard_end_turn(&w->shards[i]);
            collect(w, &w->shards[i].out);
        }
        if (!w->log_stuck)
            log_writer_end_turn(&w->log_writer, w->now);
        assert_int_equal(w->log_writer.failed, OK);
        collect(w, &w->log_writer.out);
        while (jobs_step(&w->jobs, w->now))
            worked = true;
        collect(w, &w->jobs.out);
        idle = worked || w->queue.head ? 0 : idle + 1;
    }
}

void world_advance(struct world *w, int64_t us)
{
    w->now.mono.us += us;
    w->now.wall.us += us;
    for (int i = 0; i < WORLD_SHARDS; i++) {
        shard_begin_turn(&w->shards[i], w->now);
        shard_tick(&w->shards[i]);
    }
    world_pump(w);
}

/* --- Clients -------------------------------------------------------------------------------------------------------------------------- */

void client_send(struct client *c, uint8_t opcode, struct bytes body)
{
    struct buf b = {0};
    size_t at = envelope_begin(&b, c->version, 0, ++c->stream, opcode, false);
    buf_put_bytes(&b, body);
    envelope_end(&b, at);
    /* In two pieces, so that everything is taken apart from any boundary. */
    size_t half = b.n / 2;
    session_receive(c->session, bytes_of(b.p, half));
    session_receive(c->session, bytes_of(b.p + half, b.n - half));
    buf_free(&b);
}

void client_open(struct client *c, struct world *w, uint16_t shard, uint8_t version)
{
    *c = (struct client){.w = w, .version = version};
    shard_begin_turn(&w->shards[shard], w->now);
    c->session = session_open(&w->shards[shard].host, "127.0.0.1", 1234);
    struct buf b = {0};
    buf_be16(&b, 1);
    wire_put_cstring(&b, "CQL_VERSION");
    wire_put_cstring(&b, "3.0.0");
    client_send(c, OPCODE_STARTUP, buf_bytes(&b));
    buf_free(&b);
    assert_int_equal(client_receive(c).e.opcode, OPCODE_READY);
}

void client_close(struct client *c)
{
    session_close(c->session);
    buf_free(&c->in);
}

void client_query_send(struct client *c, const char *text)
{
    struct buf b = {0};
    wire_put_long_string(&b, bytes_str(text));
    buf_be16(&b, 1); /* ONE */
    buf_u8(&b, 0);
    client_send(c, OPCODE_QUERY, buf_bytes(&b));
    buf_free(&b);
}

struct answer client_receive(struct client *c)
{
    world_pump(c->w);
    struct bytes out = session_output(c->session);
    buf_put_bytes(&c->in, out);
    session_sent(c->session, out.n);
    if (session_wants_input(c->session)) {
        session_resume(c->session);
        world_pump(c->w);
    }
    struct answer a = {0};
    if (c->in.n < ENVELOPE_HEADER_BYTES)
        return a;
    a.e = envelope_decode(c->in.p);
    assert_true(c->in.n >= ENVELOPE_HEADER_BYTES + a.e.length);
    a.arrived = true;
    /* Turned out of the buffer: the rest moves up on the next call's append, so the body is copied to the world's arena. */
    a.body = arena_dup(&c->w->arena, bytes_of(c->in.p + ENVELOPE_HEADER_BYTES, a.e.length));
    size_t n = ENVELOPE_HEADER_BYTES + a.e.length;
    memmove(c->in.p, c->in.p + n, c->in.n - n);
    c->in.n -= n;
    return a;
}

struct answer client_query(struct client *c, const char *text)
{
    client_query_send(c, text);
    struct answer a = client_receive(c);
    assert_true(a.arrived);
    if (a.e.opcode == OPCODE_ERROR)
        fail_msg("%s: %.*s", text, (int)a.body.n - 6, (const char *)a.body.p + 6);
    return a;
}

uint32_t client_query_error(struct client *c, const char *query, char *text, size_t text_bytes)
{
    client_query_send(c, query);
    struct answer a = client_receive(c);
    assert_true(a.arrived);
    if (a.e.opcode != OPCODE_ERROR)
        return 0;
    struct cur cur = cur_of(a.body);
    uint32_t code = cur_be32(&cur);
    struct bytes message = wire_string(&cur);
    if (text)
        snprintf(text, text_bytes, "%.*s", BYTES_FMT(message));
    return code;
}

uint32_t answer_rows(const struct answer *a)
{
    struct cur c = cur_of(a->body);
    assert_int_equal(cur_be32(&c), 2); /* Rows */
    uint32_t flags = cur_be32(&c), columns = cur_be32(&c);
    if (flags & 2)
        wire_bytes(&c);
    if (flags & 1) {
        wire_string(&c);
        wire_string(&c);
    }
    for (uint32_t i = 0; i < columns; i++) {
        wire_string(&c);
        cur_be16(&c); /* the tests select natives only */
    }
    return cur_be32(&c);
}
