/* Reads over shards that are only pretended: each answers from its own partitions, in chunks cut anywhere (empty ones too), in any order
 * of arrival. What the sink sees has to be every row once, in the order of the ring, whatever the cuts. */
#include "cql/base/prng.h"
#include "server/coord/coord.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SHARDS = 5, PARTITIONS = 40, ROWS_MAX = 9, SELF = 2 };

struct partition {
    struct token token;
    uint8_t key[4];
    uint32_t rows;
};

struct world {
    struct prng random;
    struct topology topology;
    struct partition partitions[PARTITIONS]; /* in the order of the ring */
    struct message_queue out;
    struct arena arena;
    struct coord_spares spares;
    uint32_t messages;
    bool whole; /* chunks are cut by the budget only */
    /* The sink */
    struct buf seen; /* partition index u8, row u8 */
    uint32_t wanted, calls;
    bool told_last, shut;
    err_t sink_err;
};

static struct bytes key_of(const struct partition *p)
{
    return bytes_of(p->key, sizeof p->key);
}

static int by_token(const void *a, const void *b)
{
    const struct partition *x = a, *y = b;
    return (x->token.value > y->token.value) - (x->token.value < y->token.value);
}

static void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){
        .topology = {.shards = SHARDS, .ignore_msb = 12, .local_dc = bytes_str("dc")},
        .wanted = UINT32_MAX};
    prng_init(&w->random, seed);
    arena_init(&w->arena, 0);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        struct partition *p = &w->partitions[i];
        store_be32(p->key, (uint32_t)(seed << 8) + i);
        p->token = token_of_key(key_of(p));
        p->rows = 1 + (uint32_t)prng_below(&w->random, ROWS_MAX);
    }
    qsort(w->partitions, PARTITIONS, sizeof *w->partitions, by_token);
}

static void world_free(struct world *w)
{
    assert_null(message_pop(&w->out));
    coord_spares_free(&w->spares);
    buf_free(&w->seen);
    arena_free(&w->arena);
}

/* --- The replica ------------------------------------------------------------------------------------------------------------------ */

/* Which partition and row the read goes on with in the ring's order. */
static void find_position(const struct world *w, const struct read_position *position,
                          uint32_t *partition, uint32_t *row)
{
    *partition = *row = 0;
    if (!position->set)
        return;
    while (*partition < PARTITIONS &&
           !bytes_equal(key_of(&w->partitions[*partition]), position->pk))
        ++*partition;
    assert_true(*partition < PARTITIONS);
    if (position->partition_done)
        ++*partition;
    else if (position->rows_begun)
        *row = position->ck.p[0] + 1u;
}

static bool serves(const struct world *w, const struct message_read *m, const struct partition *p)
{
    if (m->command->is_range)
        return topology_shard(&w->topology, p->token) == m->head.to;
    assert_int_equal(m->command->keys_count, 1);
    return bytes_equal(m->command->keys[0], key_of(p));
}

static void answer(struct world *w, struct message_read *m)
{
    uint32_t i, row, budget = m->budget.rows_max;
    assert_in_range(budget, 1, 4096);
    if (!w->whole)
        budget = (uint32_t)prng_below(&w->random, budget < 12 ? budget + 1 : 12);
    find_position(w, &m->position, &i, &row);
    struct buf last = buf_in(&m->arena);
    m->more = false;
    for (; i < PARTITIONS; i++, row = 0) {
        const struct partition *p = &w->partitions[i];
        if (!serves(w, m, p) || row == p->rows)
            continue;
        if (budget == 0) {
            m->more = true;
            break;
        }
        result_begin_partition(&m->result, key_of(p));
        for (; row < p->rows && budget; row++, budget--) {
            uint8_t ck = (uint8_t)row;
            op_put_row(&m->result, bytes_of(&ck, 1), bytes_str("x"));
            m->position = (struct read_position){.set = true, .pk = key_of(p), .rows_begun = true};
            last.n = 0;
            buf_u8(&last, ck);
        }
        op_put_end(&m->result);
        if (row < p->rows) {
            m->more = true;
            break;
        }
    }
    if (last.n)
        m->position.ck = buf_bytes(&last);
}

/* --- The sink --------------------------------------------------------------------------------------------------------------------- */

static err_t consume(void *ctx, struct bytes result, bool more, bool *want_more)
{
    struct world *w = ctx;
    assert_false(w->told_last);
    assert_false(w->shut);
    w->calls++;
    w->told_last = !more;
    if (w->sink_err != OK)
        return w->sink_err;
    struct result_iter it = result_iter(result);
    struct bytes pk;
    struct cur ops;
    while (w->wanted && result_next(&it, &pk, &ops)) {
        uint8_t i = 0;
        while (!bytes_equal(key_of(&w->partitions[i]), pk))
            i++;
        struct op op;
        for (;;) {
            assert_int_equal(op_next(&ops, &op), OK);
            if (op.kind == OP_END)
                break;
            assert_int_equal(op.kind, OP_ROW);
            if (w->wanted == 0)
                continue;
            if (w->wanted != UINT32_MAX)
                w->wanted--;
            buf_u8(&w->seen, i);
            buf_u8(&w->seen, op.ck.p[0]);
        }
        result_leave(&it, &ops);
    }
    assert_false(it.cur.bad);
    if (w->wanted == 0)
        *want_more = false;
    return OK;
}

static uint32_t rows_wanted(void *ctx)
{
    return ((struct world *)ctx)->wanted;
}

/* --- The run ---------------------------------------------------------------------------------------------------------------------- */

static struct coord_read *start(struct world *w, const struct read_command *c,
                                const struct read_position *position, bool local)
{
    struct coord_sink sink = {w, consume, rows_wanted};
    return coord_read_start(&w->topology, SELF, c, position, local, sink, &w->arena, w, &w->spares,
                            &w->out);
}

/* Any of the messages that are out. */
static struct message *pick(struct world *w)
{
    struct message_queue rest = {0};
    uint64_t n = prng_below(&w->random, SHARDS);
    struct message *m;
    while (n-- && (m = message_pop(&w->out)) != NULL)
        message_push(&rest, m);
    m = message_pop(&w->out);
    struct message *other;
    while ((other = message_pop(&w->out)) != NULL)
        message_push(&rest, other);
    if (m == NULL)
        m = message_pop(&rest);
    w->out = rest;
    return m;
}

/* Answers one message, with err when it is not OK; true when the read has ended. */
static bool step(struct world *w, struct coord_read *r, err_t err)
{
    struct message *m = pick(w);
    assert_non_null(m);
    assert_ptr_equal(coord_tag(m), w);
    assert_int_equal(m->verb, VERB_READ);
    assert_int_equal(m->from, SELF);
    w->messages++;
    if (err == OK)
        answer(w, (struct message_read *)m);
    struct message_queue replies = {0};
    message_reply(&replies, m, err);
    return coord_read_reply(r, message_pop(&replies), &w->out);
}

static void run(struct world *w, struct coord_read *r, err_t expected)
{
    while (!step(w, r, OK)) {
    }
    assert_int_equal(coord_read_err(r), expected);
    coord_read_end(r);
}

/* The rows from (partition, row) on, at most limit of them, and nothing else. */
static void expect_scan(const struct world *w, uint32_t partition, uint32_t row, uint32_t limit)
{
    size_t at = 0;
    for (; partition < PARTITIONS; partition++, row = 0)
        for (; row < w->partitions[partition].rows && limit; row++, limit--, at += 2) {
            assert_true(at < w->seen.n);
            assert_int_equal(w->seen.p[at], partition);
            assert_int_equal(w->seen.p[at + 1], row);
        }
    assert_int_equal(at, w->seen.n);
}

static const struct read_command scan = {
    .is_range = true, .start = {INT64_MIN}, .end = {INT64_MAX}};
static const struct read_position from_start;

static void test_scan(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct world w;
        world_init(&w, seed);
        w.whole = seed % 10 == 0;
        run(&w, start(&w, &scan, &from_start, false), OK);
        expect_scan(&w, 0, 0, UINT32_MAX);
        assert_true(w.told_last);
        if (w.whole)
            assert_int_equal(w.messages, SHARDS);
        world_free(&w);
    }
}

static void test_scan_with_limit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct world w;
        world_init(&w, seed);
        uint32_t limit = w.wanted = 1 + (uint32_t)prng_below(&w.random, PARTITIONS * 4);
        struct coord_read *r = start(&w, &scan, &from_start, false);
        for (struct message *m = w.out.head; m;
             m = m->next) /* nobody reads much more than its share */
            assert_true(((struct message_read *)m)->budget.rows_max <=
                        limit / SHARDS + limit / (4 * SHARDS) + 16);
        run(&w, r, OK);
        expect_scan(&w, 0, 0, limit);
        world_free(&w);
    }
}

static void test_scan_from_position(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct world w;
        world_init(&w, seed);
        uint32_t partition = (uint32_t)prng_below(&w.random, PARTITIONS);
        const struct partition *p = &w.partitions[partition];
        uint8_t ck = (uint8_t)prng_below(&w.random, p->rows);
        bool done = seed % 3 == 0;
        struct read_position position = {.set = true,
                                         .pk = key_of(p),
                                         .partition_done = done,
                                         .rows_begun = !done,
                                         .ck = bytes_of(&ck, 1)};
        run(&w, start(&w, &scan, &position, false), OK);
        expect_scan(&w, partition + done, done ? 0 : ck + 1u, UINT32_MAX);
        world_free(&w);
    }
}

/* Keys in the order given, each asked of its own shard; keys without a partition are no harm. */
static void test_keys(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct world w;
        world_init(&w, seed);
        struct bytes keys[6];
        uint32_t partitions[6],
            limit = seed % 2 ? UINT32_MAX : 1 + (uint32_t)prng_below(&w.random, 20);
        for (uint32_t i = 0; i < 6; i++) {
            partitions[i] = (i * 7 + (uint32_t)seed) % PARTITIONS;
            keys[i] = i == 3 ? bytes_str("none") : key_of(&w.partitions[partitions[i]]);
        }
        w.wanted = limit;
        struct read_command c = {.keys = keys, .keys_count = 6};
        struct coord_read *r = start(&w, &c, &from_start, false);
        assert_int_equal(w.out.head->to,
                         topology_shard(&w.topology, w.partitions[partitions[0]].token));
        assert_true(((struct message_read *)w.out.head)->budget.rows_max <=
                    (limit < 4096 ? limit : 4096));
        run(&w, r, OK);
        size_t at = 0;
        for (uint32_t i = 0; i < 6; i++)
            for (uint32_t row = 0; i != 3 && row < w.partitions[partitions[i]].rows && limit;
                 row++, limit--, at += 2) {
                assert_true(at < w.seen.n);
                assert_int_equal(w.seen.p[at], partitions[i]);
                assert_int_equal(w.seen.p[at + 1], row);
            }
        assert_int_equal(at, w.seen.n);
        world_free(&w);
    }
}

static void test_no_keys(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct coord_read *r = start(&w, &(struct read_command){0}, &from_start, false);
    assert_null(w.out.head); /* answered without asking anybody */
    assert_true(w.told_last);
    assert_int_equal(coord_read_err(r), OK);
    coord_read_end(r);
    world_free(&w);
}

/* A failed replica ends the read with its error, once the others are back; the sink is left alone from then on. */
static void test_failure(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct world w;
        world_init(&w, seed);
        struct coord_read *r = start(&w, &scan, &from_start, false);
        bool ended = false;
        for (uint64_t n = prng_below(&w.random, 12); n && !ended; n--)
            ended = step(&w, r, OK);
        assert_false(ended); /* too few messages for all the rows */
        ended = step(&w, r, ERR_IO);
        w.shut = true;
        while (!ended)
            ended = step(&w, r, OK);
        assert_int_equal(coord_read_err(r), ERR_IO);
        coord_read_end(r);
        world_free(&w);
    }
}

static void test_cancel(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct world w;
        world_init(&w, seed);
        struct coord_read *r = start(&w, &scan, &from_start, false);
        for (uint64_t n = prng_below(&w.random, 12); n; n--)
            assert_false(step(&w, r, OK));
        coord_read_cancel(r);
        w.shut = true;
        uint32_t before = w.messages;
        while (!step(&w, r, OK)) {
        }
        assert_true(w.messages - before <= SHARDS); /* nothing new was asked */
        coord_read_end(r);
        world_free(&w);
    }
}

static void test_sink_fails(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 3);
    w.whole = true;
    w.sink_err = ERR_INVALID;
    run(&w, start(&w, &scan, &from_start, false), ERR_INVALID);
    assert_int_equal(w.calls, 1);
    world_free(&w);
}

static void test_malformed_chunk(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 4);
    w.whole = true;
    struct coord_read *r = start(&w, &scan, &from_start, false);
    bool ended = false;
    while (!ended) {
        struct message *m = message_pop(&w.out);
        answer(&w, (struct message_read *)m);
        ((struct message_read *)m)->result.n -= 2; /* the end, and a byte of the last row */
        struct message_queue replies = {0};
        message_reply(&replies, m, OK);
        ended = coord_read_reply(r, message_pop(&replies), &w.out);
    }
    assert_int_equal(coord_read_err(r), ERR_CORRUPT);
    coord_read_end(r);
    world_free(&w);
}

/* A table that this endpoint makes itself is asked of nobody else. */
static void test_local(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 5);
    struct read_command c = {.keys = (struct bytes[]){key_of(&w.partitions[7])}, .keys_count = 1};
    struct coord_read *r = start(&w, &c, &from_start, true);
    assert_int_equal(w.out.head->to, SELF);
    run(&w, r, OK);
    assert_int_equal(w.seen.n, 2 * w.partitions[7].rows);
    r = start(&w, &scan, &from_start, true);
    assert_int_equal(w.out.head->to, SELF);
    assert_null(w.out.head->next);
    w.told_last = false;
    run(&w, r, OK);
    world_free(&w);
}

/* --- Writes ------------------------------------------------------------------------------------------------------------------------ */

static void test_write(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 6);
    struct coord_mutation mutations[PARTITIONS];
    for (uint32_t i = 0; i < PARTITIONS; i++)
        mutations[i] = (struct coord_mutation){
            .token = w.partitions[i].token, .bytes = key_of(&w.partitions[i]), .log = i % 2};
    struct coord_write write;
    coord_write_start(&write, &w.topology, SELF, mutations, PARTITIONS, &w.arena, &w, &w.out);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        struct message *m = message_pop(&w.out);
        assert_non_null(m);
        assert_ptr_equal(coord_tag(m), &w);
        assert_int_equal(m->verb, VERB_WRITE);
        assert_int_equal(m->to, topology_shard(&w.topology, w.partitions[i].token));
        assert_true(bytes_equal(((struct message_write *)m)->mutation, mutations[i].bytes));
        assert_int_equal(((struct message_write *)m)->log, mutations[i].log);
        struct message_queue replies = {0};
        message_reply(&replies, m, i == 4 ? ERR_DISK_FULL : i == 9 ? ERR_IO : OK);
        assert_int_equal(coord_write_reply(&write, message_pop(&replies)), i == PARTITIONS - 1);
    }
    assert_int_equal(write.err, ERR_DISK_FULL);
    assert_int_equal(write.failed, 2);
    assert_int_equal(write.count, PARTITIONS);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_scan_with_limit),
        cmocka_unit_test(test_scan_from_position),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_no_keys),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_sink_fails),
        cmocka_unit_test(test_malformed_chunk),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
