/* A node's machines together, without threads or sockets: what is answered when, and what survives a power loss. */
#include "tests/unit/node/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const create_ks =
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";

static void insert(char *text, size_t n, int i)
{
    snprintf(text, n, "INSERT INTO k.t (a, b) VALUES (%d, 'v%d')", i, i);
}

static void make_table(struct client *c)
{
    client_query(c, create_ks);
    client_query(c, "CREATE TABLE k.t (a int PRIMARY KEY, b text)");
}

static void test_writes_and_reads_over_all_shards(void **state)
{
    (void)state;
    struct world w;
    struct client c, other;
    char text[128];
    world_start(&w);
    client_open(&c, &w, 0, 4);
    client_open(&other, &w, 3, 3);
    make_table(&c);
    for (int i = 0; i < 200; i++) {
        insert(text, sizeof text, i);
        client_query(&c, text);
    }
    struct answer a = client_query(&other, "SELECT a, b FROM k.t");
    assert_int_equal(answer_rows(&a), 200);
    a = client_query(&other, "SELECT a FROM k.t WHERE a IN (5, 6, 7, 1000)");
    assert_int_equal(answer_rows(&a), 3);
    a = client_query(&c, "SELECT a FROM k.t LIMIT 17");
    assert_int_equal(answer_rows(&a), 17);
    client_query(&other, "TRUNCATE k.t");
    a = client_query(&c, "SELECT a FROM k.t");
    assert_int_equal(answer_rows(&a), 0);
    client_close(&c);
    client_close(&other);
    world_stop(&w);
}

static void test_nothing_is_acknowledged_before_the_sync(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    char text[128];
    world_start(&w);
    client_open(&c, &w, 1, 4);
    make_table(&c);
    for (int i = 0; i < 20; i++) {
        w.log_stuck = true;
        insert(text, sizeof text, i);
        client_query_send(&c, text);
        assert_false(client_receive(&c).arrived);
        w.log_stuck = false;
        while (w.log_queue.head)
            message_push(&w.queue, message_pop(&w.log_queue));
        assert_int_equal(client_receive(&c).e.opcode, OPCODE_RESULT);
    }
    client_close(&c);
    world_stop(&w);
}

/* An answer that shows a write not yet synced waits too: what was once read cannot be gone after a power loss. */
static void test_a_read_of_unsynced_data_waits(void **state)
{
    (void)state;
    struct world w;
    struct client writer, reader;
    world_start(&w);
    client_open(&writer, &w, 1, 4);
    client_open(&reader, &w, 2, 4);
    make_table(&writer);
    w.log_stuck = true;
    client_query_send(&writer, "INSERT INTO k.t (a, b) VALUES (1, 'x')");
    assert_false(client_receive(&writer).arrived);
    client_query_send(&reader, "SELECT a FROM k.t WHERE a = 1");
    assert_false(client_receive(&reader).arrived);
    w.log_stuck = false;
    while (w.log_queue.head)
        message_push(&w.queue, message_pop(&w.log_queue));
    struct answer a = client_receive(&reader);
    assert_int_equal(answer_rows(&a), 1);
    assert_true(client_receive(&writer).arrived);
    client_close(&writer);
    client_close(&reader);
    world_stop(&w);
}

static void test_acknowledged_writes_survive_power_loss(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;
        struct client c;
        char text[128];
        world_start(&w);
        client_open(&c, &w, (uint16_t)(seed % WORLD_SHARDS), 4);
        make_table(&c);
        int acknowledged = 0;
        for (int i = 0; i < 60; i++) {
            insert(text, sizeof text, i);
            client_query(&c, text);
            acknowledged++;
        }
        /* One more, never acknowledged: it may be there or not. */
        w.log_stuck = true;
        insert(text, sizeof text, 60);
        client_query_send(&c, text);
        assert_false(client_receive(&c).arrived);
        client_close(&c);
        world_power_loss(&w, seed);
        client_open(&c, &w, 0, 4);
        struct answer a = client_query(&c, "SELECT a, b FROM k.t");
        uint32_t rows = answer_rows(&a);
        assert_true(rows == (uint32_t)acknowledged || rows == (uint32_t)acknowledged + 1);
        client_close(&c);
        world_stop(&w);
    }
}

static void test_a_stuck_log_times_out(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    world_start(&w);
    client_open(&c, &w, 1, 4);
    make_table(&c);
    w.log_stuck = true;
    client_query_send(&c, "INSERT INTO k.t (a, b) VALUES (1, 'x')");
    assert_false(client_receive(&c).arrived);
    world_advance(&w, 1900000);
    assert_false(client_receive(&c).arrived);
    world_advance(&w, 200000);
    struct answer a = client_receive(&c);
    assert_int_equal(a.e.opcode, OPCODE_ERROR);
    assert_int_equal(load_be32(a.body.p), 0x1100);
    /* The log comes back: the late reply is not sent to anyone. */
    w.log_stuck = false;
    while (w.log_queue.head)
        message_push(&w.queue, message_pop(&w.log_queue));
    assert_false(client_receive(&c).arrived);
    client_query(&c, "SELECT a FROM k.t WHERE a = 1");
    client_close(&c);
    world_stop(&w);
}

static void test_levels_on_one_node(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    char text[256];
    world_start(&w);
    client_open(&c, &w, 0, 4);
    client_query(&c, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
                     "'replication_factor': 3}");
    client_query(&c, "CREATE TABLE k.t (a int PRIMARY KEY, b text)");
    client_query_send(&c, "SELECT a FROM k.t WHERE a = 1 USING CONSISTENCY QUORUM");
    struct answer a = client_receive(&c);
    assert_int_equal(a.e.opcode, OPCODE_ERROR);
    struct cur cur = cur_of(a.body);
    assert_int_equal(cur_be32(&cur), 0x1000);
    assert_true(bytes_equal_str(wire_string(&cur), "Cannot achieve consistency level QUORUM"));
    assert_int_equal(cur_be16(&cur), 4);
    assert_int_equal(cur_be32(&cur), 2); /* required */
    assert_int_equal(cur_be32(&cur), 1); /* alive */
    assert_int_equal(client_query_error(&c, "INSERT INTO k.t (a) VALUES (1) USING CONSISTENCY ALL",
                                        text, sizeof text),
                     0x1000);
    assert_int_equal(client_query_error(&c, "INSERT INTO k.t (a) VALUES (1) USING CONSISTENCY ANY",
                                        text, sizeof text),
                     0);
    assert_int_equal(
        client_query_error(&c, "SELECT a FROM k.t USING CONSISTENCY ANY", text, sizeof text),
        0x2200);
    assert_int_equal(client_query_error(&c,
                                        "INSERT INTO k.t (a) VALUES (1) USING CONSISTENCY SERIAL",
                                        text, sizeof text),
                     0x2200);
    client_close(&c);
    world_stop(&w);
}

static void test_prepared_on_one_shard_executes_on_all(void **state)
{
    (void)state;
    struct world w;
    struct client c[WORLD_SHARDS];
    world_start(&w);
    for (uint16_t i = 0; i < WORLD_SHARDS; i++)
        client_open(&c[i], &w, i, 4);
    make_table(&c[0]);
    struct buf b = {0};
    wire_put_long_string(&b, bytes_str("INSERT INTO k.t (a, b) VALUES (?, ?)"));
    client_send(&c[0], OPCODE_PREPARE, buf_bytes(&b));
    struct answer a = client_receive(&c[0]);
    assert_int_equal(a.e.opcode, OPCODE_RESULT);
    uint8_t id[16];
    memcpy(id, a.body.p + 6, 16);
    for (uint16_t i = 0; i < WORLD_SHARDS; i++) {
        b.n = 0;
        wire_put_short_bytes(&b, bytes_of(id, 16));
        buf_be16(&b, 1);
        buf_u8(&b, 1);
        buf_be16(&b, 2);
        uint8_t key[4] = {0, 0, 0, (uint8_t)i};
        wire_put_bytes(&b, bytes_of(key, 4));
        wire_put_bytes(&b, bytes_str("x"));
        client_send(&c[i], OPCODE_EXECUTE, buf_bytes(&b));
        assert_int_equal(client_receive(&c[i]).e.opcode, OPCODE_RESULT);
    }
    a = client_query(&c[1], "SELECT a FROM k.t");
    assert_int_equal(answer_rows(&a), WORLD_SHARDS);
    /* An id nobody prepared. */
    b.n = 0;
    wire_put_short_bytes(&b, bytes_str("0123456789abcdef"));
    buf_be16(&b, 1);
    buf_u8(&b, 0);
    client_send(&c[1], OPCODE_EXECUTE, buf_bytes(&b));
    a = client_receive(&c[1]);
    assert_int_equal(load_be32(a.body.p), 0x2500);
    buf_free(&b);
    for (uint16_t i = 0; i < WORLD_SHARDS; i++)
        client_close(&c[i]);
    world_stop(&w);
}

static void test_events_reach_those_who_registered(void **state)
{
    (void)state;
    struct world w;
    struct client c, listener, deaf;
    world_start(&w);
    client_open(&c, &w, 0, 4);
    client_open(&listener, &w, 2, 4);
    client_open(&deaf, &w, 2, 4);
    struct buf b = {0};
    buf_be16(&b, 1);
    wire_put_cstring(&b, "SCHEMA_CHANGE");
    client_send(&listener, OPCODE_REGISTER, buf_bytes(&b));
    assert_int_equal(client_receive(&listener).e.opcode, OPCODE_READY);
    client_query(&c, create_ks);
    struct answer a = client_receive(&listener);
    assert_true(a.arrived);
    assert_int_equal(a.e.opcode, OPCODE_EVENT);
    assert_int_equal(a.e.stream, -1);
    assert_false(client_receive(&deaf).arrived);
    client_query(&c, "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': "
                     "'SimpleStrategy', 'replication_factor': 1}");
    assert_false(client_receive(&listener).arrived);
    buf_free(&b);
    client_close(&c);
    client_close(&listener);
    client_close(&deaf);
    world_stop(&w);
}

static void test_too_much_in_flight_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    world_start(&w);
    client_open(&c, &w, 0, 4);
    make_table(&c);
    static char text[200 * 1024];
    int n = snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (1, '");
    memset(text + n, 'x', sizeof text - (size_t)n - 3);
    memcpy(text + sizeof text - 3, "')", 3);
    for (int i = 0; i < 10; i++)
        client_query_send(&c, text); /* no pump in between: ten times 200 KiB against 1 MiB */
    int refused = 0, served = 0;
    for (struct answer a; (a = client_receive(&c)).arrived;) {
        if (a.e.opcode == OPCODE_ERROR) {
            assert_int_equal(load_be32(a.body.p), 0x1001);
            refused++;
        } else {
            served++;
        }
    }
    assert_true(refused > 0 && served > 0);
    assert_int_equal(refused + served, 10);
    client_query(&c, "INSERT INTO k.t (a, b) VALUES (2, 'y')"); /* and it recovers at once */
    client_close(&c);
    world_stop(&w);
}

static void test_a_connection_that_goes_away_leaves_nothing_behind(void **state)
{
    (void)state;
    struct world w;
    struct client c, other;
    world_start(&w);
    client_open(&c, &w, 0, 4);
    client_open(&other, &w, 1, 4);
    make_table(&other);
    for (int i = 0; i < 5; i++) /* answers open the window for what follows */
        client_query(&c, "SELECT a FROM k.t");
    for (int i = 0; i < 20; i++) {
        char text[128];
        insert(text, sizeof text, i);
        client_query_send(&c, text);
    }
    client_query_send(&c, "SELECT * FROM k.t");
    client_close(&c);
    world_pump(&w);
    for (int i = 0; i < WORLD_SHARDS; i++) {
        assert_int_equal(w.shards[i].host.requests_count, 0);
        assert_int_equal(w.shards[i].host.requests_bytes, 0);
    }
    struct answer a = client_query(&other, "SELECT a FROM k.t");
    assert_int_equal(answer_rows(&a), 20); /* sent is sent */
    client_close(&other);
    world_stop(&w);
}

/* A client that sends and never reads: what it makes us keep is bounded, and nothing is lost once it reads again. */
static void test_a_slow_reader_is_bounded(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    static char text[50 * 1024];
    world_start(&w);
    client_open(&c, &w, 0, 4);
    make_table(&c);
    int n = snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (1, '");
    memset(text + n, 'x', sizeof text - (size_t)n - 3);
    memcpy(text + sizeof text - 3, "')", 3);
    client_query(&c, text);
    w.node.limits.output_bytes_max = 200 * 1024;
    w.node.limits.requests_max = 3; /* results under way come on top of the bound */
    enum { QUERIES = 500 };
    const struct session_host *h = &w.shards[0].host;
    for (int i = 0; i < QUERIES; i++) {
        client_query_send(&c, "SELECT b FROM k.t WHERE a = 1");
        world_pump(&w);
        assert_true(h->sessions_bytes < 450 * 1024);
    }
    assert_false(session_wants_input(c.session));
    int answers = 0;
    for (struct answer a; (a = client_receive(&c)).arrived; answers++)
        assert_int_equal(a.e.opcode, OPCODE_RESULT);
    assert_int_equal(answers, QUERIES);
    assert_int_equal(h->sessions_bytes, 0);
    client_close(&c);
    world_stop(&w);
}

/* Half a message from many clients. */
static void test_unfinished_input_is_bounded(void **state)
{
    (void)state;
    struct world w;
    struct client c[6];
    static uint8_t half[300 * 1024];
    world_start(&w);
    for (int i = 0; i < 6; i++)
        client_open(&c[i], &w, 0, 4);
    struct envelope e = {.version = 4, .opcode = OPCODE_QUERY, .length = 1 << 20};
    envelope_encode(half, &e);
    for (int i = 0; i < 6; i++) {
        session_receive(c[i].session, bytes_of(half, sizeof half));
        assert_true(w.shards[0].host.sessions_bytes <= w.node.limits.memory_bytes_max);
    }
    assert_false(session_is_closing(c[0].session));
    assert_true(session_is_closing(c[5].session));
    for (int i = 0; i < 6; i++)
        client_close(&c[i]);
    assert_int_equal(w.shards[0].host.sessions_bytes, 0);
    world_stop(&w);
}

/* More than the memtables hold: flushes begin by themselves, the log is trimmed, everything stays readable. */
static void test_flushes_under_load(void **state)
{
    (void)state;
    struct world w;
    struct client c;
    static char text[4200];
    world_start(&w);
    client_open(&c, &w, 0, 4);
    make_table(&c);
    enum { ROWS = 1500 };
    for (int i = 0; i < ROWS; i++) {
        int n = snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (%d, '", i);
        memset(text + n, 'a' + i % 26, 4000);
        memcpy(text + n + 4000, "')", 3);
        client_query(&c, text);
    }
    struct store_stats stats;
    uint64_t flushes = 0;
    for (int i = 0; i < WORLD_SHARDS; i++) {
        store_stats(w.shards[i].store, &stats);
        flushes += stats.flushes;
    }
    assert_true(flushes > 0);
    assert_true(commitlog_bytes(w.log) < 8 << 20);
    struct answer a = client_query(&c, "SELECT a FROM k.t");
    assert_int_equal(answer_rows(&a), ROWS);
    client_close(&c);
    world_power_loss(&w, 3);
    client_open(&c, &w, 2, 4);
    a = client_query(&c, "SELECT a FROM k.t");
    assert_int_equal(answer_rows(&a), ROWS);
    client_close(&c);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_and_reads_over_all_shards),
        cmocka_unit_test(test_nothing_is_acknowledged_before_the_sync),
        cmocka_unit_test(test_a_read_of_unsynced_data_waits),
        cmocka_unit_test(test_acknowledged_writes_survive_power_loss),
        cmocka_unit_test(test_a_stuck_log_times_out),
        cmocka_unit_test(test_levels_on_one_node),
        cmocka_unit_test(test_prepared_on_one_shard_executes_on_all),
        cmocka_unit_test(test_events_reach_those_who_registered),
        cmocka_unit_test(test_too_much_in_flight_is_refused),
        cmocka_unit_test(test_a_connection_that_goes_away_leaves_nothing_behind),
        cmocka_unit_test(test_a_slow_reader_is_bounded),
        cmocka_unit_test(test_unfinished_input_is_bounded),
        cmocka_unit_test(test_flushes_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
