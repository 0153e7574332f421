/* What a store promises besides right answers: limits, full disks, damage that is told, tables emptied, state kept, memory bounded. */
#include "tests/unit/storage/fixture.h"

#include "storage/level.h"

static struct read_command whole(const struct table *t, const struct node *n)
{
    return (struct read_command){.table = t,
                                 .now_s = wall_s(n->now.wall),
                                 .is_range = true,
                                 .start = TOKEN_MIN,
                                 .end = TOKEN_MAX,
                                 .slices = &slice_all,
                                 .slices_count = 1};
}

static size_t rows_of(struct node *n, const struct table *t)
{
    struct buf out = {0};
    struct read_command cmd = whole(t, n);
    check_ok(node_read(n, &cmd, UINT32_MAX, &out), NULL, "read");
    size_t count = count_rows(buf_bytes(&out));
    buf_free(&out);
    return count;
}

static struct bytes number(uint32_t i)
{
    static uint8_t b[4][4];
    static int at;
    at = (at + 1) % 4;
    store_be32(b[at], i);
    return bytes_of(b[at], 4);
}

static void put_numbers(struct node *n, const struct table *t, struct bytes pk, uint32_t from,
                        uint32_t to, int64_t ts)
{
    for (uint32_t i = from; i < to; i++)
        put_simple(n, t, pk, number(i), ts, bytes_str("value"));
}

static void test_reopen(void **state)
{
    (void)state;
    struct node n;
    node_init(&n, 8 << 20);
    const struct table *t = node_table(&n, "t", NULL, NULL);
    put_numbers(&n, t, bytes_str("p"), 0, 100, 1);
    node_flush(&n);
    assert_int_equal(store_flushed_seq(n.store), 100);
    put_numbers(&n, t, bytes_str("p"), 100, 150, 1);
    node_sync(&n);
    put_numbers(&n, t, bytes_str("p"), 150, 200, 1); /* never synced */
    assert_int_equal(rows_of(&n, t), 200);
    node_close(&n);
    node_open(&n);
    assert_int_equal(store_flushed_seq(n.store), 100);
    assert_int_equal(store_synced_seq(n.store), 150);
    assert_int_equal(rows_of(&n, t), 150);
    /* A hole in what the log gives back is an error. */
    struct logged *last = &n.log[n.log_count - 1];
    assert_int_equal(store_replay(n.store, last->seq + 2, buf_bytes(&last->mutation)), ERR_CORRUPT);
    node_free(&n);
}

static void test_limits(void **state)
{
    (void)state;
    struct node n;
    node_init(&n, 64 << 10);
    const struct table *t = node_table(&n, "t", NULL, NULL);
    struct buf ops = {0}, value = {0};
    memset(buf_extend(&value, 1000), 'x', 1000);
    err_t err = OK;
    uint32_t i = 0;
    while (err == OK && i < 10000) {
        ops.n = 0;
        op_simple_row(&ops, t, number(i++), 1, buf_bytes(&value));
        err = node_write(&n, t, bytes_str("p"), &ops);
    }
    assert_int_equal(err, ERR_OVERLOADED);
    struct store_stats stats;
    store_stats(n.store, &stats);
    assert_true(stats.memtable_bytes < 3 * (64 << 10));
    assert_true(store_flush_wanted(n.store, n.now));
    node_flush(&n);
    assert_false(store_flush_wanted(n.store, n.now));
    assert_int_equal(node_write(&n, t, bytes_str("p"), &ops), OK);
    assert_int_equal(rows_of(&n, t), i);

    /* Too big for the log. */
    struct buf b = {0};
    uint64_t seq;
    mutation_begin(&b, t, n.now.wall, bytes_str("p"));
    memset(buf_extend(&b, (16 << 20) + 1), 0, 16 << 20);
    assert_int_equal(store_write(n.store, buf_bytes(&b), true, &seq), ERR_INVALID);

    /* The log's disk is full. */
    store_set_log_disk_full(n.store, true);
    assert_int_equal(node_write(&n, t, bytes_str("p"), &ops), ERR_DISK_FULL);
    assert_int_equal(rows_of(&n, t), i);
    store_set_log_disk_full(n.store, false);
    assert_int_equal(node_write(&n, t, bytes_str("p"), &ops), OK);

    /* Unlogged writes are read, take no number, and reach the level by a flush. */
    b.n = 0;
    ops.n = 0;
    op_simple_row(&ops, t, bytes_str("unlogged"), 1, bytes_str("x"));
    mutation_begin(&b, t, n.now.wall, bytes_str("p"));
    buf_put_bytes(&b, buf_bytes(&ops));
    assert_int_equal(store_write(n.store, buf_bytes(&b), false, &seq), OK);
    assert_int_equal(seq, 0);
    assert_int_equal(rows_of(&n, t), i + 1);
    node_flush(&n);
    node_close(&n);
    node_open(&n);
    assert_int_equal(rows_of(&n, t), i + 1);
    buf_free(&b);
    buf_free(&ops);
    buf_free(&value);
    node_free(&n);
}

/* The reserved map is used up: to who writes it is a full disk. */
static void test_map_full(void **state)
{
    (void)state;
    struct node n;
    struct fail f;
    node_init(&n, 64 << 20);
    f = (struct fail){.arena = &n.arena};
    node_close(&n);
    n.map_bytes = 256 << 10;
    node_open(&n);
    const struct table *t = node_table(&n, "t", NULL, NULL);
    put_numbers(&n, t, bytes_str("p"), 0, 20000, 1);
    node_sync(&n);
    struct flush_job *j = store_flush_begin(n.store, n.now);
    err_t err = OK;
    for (bool done = false; !done && err == OK;)
        err = flush_job_step(j, 20000, &done, &f);
    assert_int_equal(err, ERR_DISK_FULL);
    assert_int_equal(rows_of(&n, t), 20000);
    store_flush_end(n.store, j, err);
    assert_true(store_flush_wanted(n.store, n.now));
    assert_int_equal(rows_of(&n, t), 20000);
    node_free(&n);
}

static void test_truncate_and_drop(void **state)
{
    (void)state;
    struct node n;
    struct fail f;
    node_init(&n, 8 << 20);
    f = (struct fail){.arena = &n.arena};
    node_table(&n, "a", NULL, NULL);
    node_table(&n, "b", NULL, NULL);
    const struct table *a = node_find(&n, "a"), *b = node_find(&n, "b");
    put_numbers(&n, a, bytes_str("p"), 0, 50, 1);
    put_numbers(&n, b, bytes_str("p"), 0, 60, 1);
    node_flush(&n);
    put_numbers(&n, a, bytes_str("p"), 100, 120, 1);
    struct schema *truncated;
    check_ok(schema_truncate_table(n.schema, &a->id, &truncated, &f), &f, "truncate");
    struct schema *old = schema_ref(n.schema);
    node_use_schema(&n, truncated);
    const struct table *fresh = node_find(&n, "a");
    assert_int_equal(rows_of(&n, fresh), 0);
    /* A write of the old incarnation, as a late hint would be. */
    struct buf ops = {0};
    op_simple_row(&ops, a, number(7), 9, bytes_str("late"));
    assert_int_equal(node_write(&n, a, bytes_str("p"), &ops), ERR_NOT_FOUND);
    buf_free(&ops);
    put_numbers(&n, fresh, bytes_str("p"), 0, 3, 1);
    assert_int_equal(rows_of(&n, fresh), 3);
    assert_true(store_flush_wanted(n.store, n.now));
    node_flush(&n);
    assert_false(store_flush_wanted(n.store, n.now));
    assert_int_equal(rows_of(&n, fresh), 3);
    schema_unref(old);
    node_close(&n);
    node_open(&n);
    assert_int_equal(rows_of(&n, node_find(&n, "a")), 3);
    assert_int_equal(rows_of(&n, node_find(&n, "b")), 60);

    /* Dropped while a flush of it is under way; its slot is used again. */
    b = node_find(&n, "b");
    put_numbers(&n, b, bytes_str("q"), 0, 500, 1);
    node_sync(&n);
    struct flush_job *j = store_flush_begin(n.store, n.now);
    bool done = false;
    check_ok(flush_job_step(j, 0, &done, &f), &f, "flush");
    assert_false(done);
    struct schema_change change = {0};
    check_ok(schema_drop_table(n.schema, b, &change, &f), &f, "drop");
    node_use_schema(&n, change.schema);
    while (!done)
        check_ok(flush_job_step(j, 1000000, &done, &f), &f, "flush");
    store_flush_end(n.store, j, OK);
    assert_true(store_flush_wanted(n.store, n.now));
    node_flush(&n);
    node_table(&n, "c", NULL, NULL);
    put_numbers(&n, node_find(&n, "c"), bytes_str("p"), 0, 5, 1);
    node_flush(&n);
    assert_int_equal(rows_of(&n, node_find(&n, "c")), 5);
    assert_int_equal(rows_of(&n, node_find(&n, "a")), 3);
    node_free(&n);
}

static void test_dropped_column_and_purge(void **state)
{
    (void)state;
    struct node n;
    struct fail f;
    node_init(&n, 8 << 20);
    f = (struct fail){.arena = &n.arena};
    const struct table *t = node_table(&n, "t", "gc_grace_seconds", "100");
    struct buf ops = {0}, body = {0}, out = {0};
    for (uint32_t i = 0; i < 300; i++) {
        struct row_builder b;
        body.n = ops.n = 0;
        row_begin(&b, &body, 10, LIVENESS_NONE, DELETION_NONE);
        row_put_cell(&b, &(struct cell){.column_id = column_id(t, "v1"),
                                        .timestamp = 10,
                                        .local_deletion_s = LOCAL_DELETION_NEVER,
                                        .value = bytes_str("one")});
        op_put_row(&ops, number(i), buf_bytes(&body));
        check_ok(node_write(&n, t, bytes_str("p"), &ops), NULL, "write");
    }
    /* One row stays: it has a marker. Another partition is only tombstones. */
    put_simple(&n, t, bytes_str("p"), number(7), 11, bytes_str("marked"));
    ops.n = 0;
    op_put_partition_deletion(&ops, (struct deletion){5, wall_s(n.now.wall)});
    op_put_range_tombstone(&ops, number(1), number(5), (struct deletion){6, wall_s(n.now.wall)});
    check_ok(node_write(&n, t, bytes_str("dead"), &ops), NULL, "write");
    node_flush(&n);
    assert_int_equal(rows_of(&n, t), 300);

    struct bytes name = bytes_str("v1");
    struct schema_change change = {0};
    check_ok(schema_drop_columns(n.schema, t, &name, 1, false, 20, &change, &f), &f, "drop column");
    node_use_schema(&n, change.schema);
    t = node_find(&n, "t");
    assert_int_equal(rows_of(&n, t), 1); /* at once, by the reader's filter */
    struct read_command cmd = whole(t, &n);
    cmd.with_tombstones = true;
    check_ok(node_read(&n, &cmd, 10, &out), NULL, "read");
    size_t before = out.n;
    node_purge(&n);
    assert_int_equal(rows_of(&n, t), 1);
    out.n = 0;
    check_ok(node_read(&n, &cmd, 10, &out), NULL, "read");
    assert_int_equal(out.n, before); /* the tombstones' time has not come */
    n.now.wall.us += 101 * 1000000ll;
    node_purge(&n);
    out.n = 0;
    check_ok(node_read(&n, &cmd, 10, &out), NULL, "read");
    assert_true(out.n < before);
    assert_int_equal(count_rows(buf_bytes(&out)), 1);
    node_close(&n);
    struct kv_options o = {
        .directory = n.directory, .map_bytes = 1 << 30, .slots_max = LEVEL_SLOTS_MAX};
    struct kv_env *env;
    check_ok(kv_open(&o, &env, &f), &f, "open");
    struct kv_txn *txn;
    struct kv_cursor *c;
    struct bytes key, value;
    check_ok(kv_reader_new(env, &txn), NULL, "reader");
    check_ok(kv_reader_renew(txn), NULL, "reader");
    check_ok(kv_cursor_new(txn, 1, &c), NULL, "cursor");
    size_t entries = 0;
    for (err_t err = kv_seek(c, bytes_of("", 1), &key, &value); err == OK;
         err = kv_next(c, &key, &value))
        entries++;
    assert_int_equal(entries, 1); /* nothing else is stored any more */
    kv_cursor_free(c);
    kv_reader_free(txn);
    kv_close(env);
    node_open(&n);
    assert_int_equal(rows_of(&n, t), 1);
    buf_free(&ops);
    buf_free(&body);
    buf_free(&out);
    node_free(&n);
}

/* Flips a bit in every stored value in turn, behind the store's back: each is told, none is a wrong or a missing row. */
static void test_damage(void **state)
{
    (void)state;
    struct node n;
    struct fail f;
    node_init(&n, 8 << 20);
    f = (struct fail){.arena = &n.arena};
    const struct table *t = node_table(&n, "t", NULL, NULL);
    struct buf ops = {0}, out = {0};
    uint8_t long_ck[900];
    memset(long_ck, 'z', sizeof long_ck);
    uint8_t long_pk[400];
    memset(long_pk, 'p', sizeof long_pk);
    put_numbers(&n, t, bytes_str("p"), 0, 20, 1);
    put_simple(&n, t, bytes_str("p"), bytes_of(long_ck, sizeof long_ck), 1, bytes_str("long"));
    put_simple(&n, t, bytes_of(long_pk, sizeof long_pk), number(1), 1, bytes_str("long"));
    op_put_partition_deletion(&ops, (struct deletion){-1, wall_s(n.now.wall)});
    op_put_range_tombstone(&ops, number(5), number(6), (struct deletion){0, wall_s(n.now.wall)});
    struct buf body = {0};
    struct row_builder b;
    row_begin(&b, &body, 1, LIVENESS_NONE, DELETION_NONE);
    row_put_cell(&b, &(struct cell){.column_id = column_id(t, "s"),
                                    .timestamp = 1,
                                    .local_deletion_s = LOCAL_DELETION_NEVER,
                                    .value = bytes_str("static")});
    op_put_static_row(&ops, buf_bytes(&body));
    check_ok(node_write(&n, t, bytes_str("p"), &ops), NULL, "write");
    node_flush(&n);
    struct read_command cmd = whole(t, &n);
    cmd.with_tombstones = cmd.want_static = true;
    check_ok(node_read(&n, &cmd, UINT32_MAX, &out), NULL, "read");
    assert_int_equal(count_rows(buf_bytes(&out)), 22);

    size_t told = 0;
    for (size_t at = 0;; at++) {
        struct kv_options o = {
            .directory = n.directory, .map_bytes = 1 << 30, .slots_max = LEVEL_SLOTS_MAX};
        struct kv_env *env;
        struct kv_txn *txn;
        struct kv_cursor *c;
        struct bytes key, value;
        struct buf good_key = {0}, good = {0}, bad = {0};
        node_close(&n);
        check_ok(kv_open(&o, &env, &f), &f, "open");
        check_ok(kv_write_begin(env, &txn), NULL, "begin");
        check_ok(kv_cursor_new(txn, 1, &c), NULL, "cursor");
        err_t err = kv_seek(c, bytes_of("", 1), &key, &value);
        for (size_t i = 0; i < at && err == OK; i++)
            err = kv_next(c, &key, &value);
        if (err == OK) {
            buf_put_bytes(&good_key, key);
            buf_put_bytes(&good, value);
            buf_put_bytes(&bad, value);
            bad.p[at % bad.n] ^= (uint8_t)(1u << at % 8);
        }
        kv_cursor_free(c);
        if (err == OK)
            check_ok(kv_put(txn, 1, buf_bytes(&good_key), buf_bytes(&bad)), NULL, "put");
        check_ok(kv_write_commit(txn), NULL, "commit");
        kv_close(env);
        node_open(&n);
        bool last = err != OK;
        if (!last) {
            buf_free(&out);
            assert_int_equal(node_read(&n, &cmd, 3, &out), ERR_CORRUPT);
            told++;
            struct store_stats stats;
            store_stats(n.store, &stats);
            assert_true(stats.corrupt_values > 0);
            /* A write into it and a flush do not heal it by themselves, and do not fail. */
            if (at % 3 == 0) {
                put_numbers(&n, t, bytes_str("p"), 0, 20, 2);
                put_simple(&n, t, bytes_str("p"), bytes_of(long_ck, sizeof long_ck), 2,
                           bytes_str("new"));
                put_simple(&n, t, bytes_of(long_pk, sizeof long_pk), number(1), 2,
                           bytes_str("new"));
                ops.n = 0;
                op_put_static_row(&ops, buf_bytes(&body));
                op_put_range_tombstone(&ops, number(5), number(6),
                                       (struct deletion){0, wall_s(n.now.wall)});
                check_ok(node_write(&n, t, bytes_str("p"), &ops), NULL, "write");
                node_flush(&n);
                out.n = 0;
                assert_int_equal(node_read(&n, &cmd, UINT32_MAX, &out), ERR_CORRUPT);
            }
            node_close(&n);
            check_ok(kv_open(&o, &env, &f), &f, "open");
            check_ok(kv_write_begin(env, &txn), NULL, "begin");
            check_ok(kv_put(txn, 1, buf_bytes(&good_key), buf_bytes(&good)), NULL, "put");
            check_ok(kv_write_commit(txn), NULL, "commit");
            kv_close(env);
            node_open(&n);
            out.n = 0;
            check_ok(node_read(&n, &cmd, UINT32_MAX, &out), NULL, "read healed");
        }
        buf_free(&good_key);
        buf_free(&good);
        buf_free(&bad);
        if (last)
            break;
    }
    assert_true(told >= 26); /* 20 + 1 rows, a chunk, two headers, a range, a static row */
    buf_free(&ops);
    buf_free(&body);
    buf_free(&out);
    node_free(&n);
}

static void test_refused_directories(void **state)
{
    (void)state;
    struct node n;
    struct store *second;
    struct fail f;
    node_init(&n, 8 << 20);
    assert_int_equal(store_state_put(n.store, bytes_str("k"), bytes_str("v")), OK);
    f = (struct fail){.arena = &n.arena};
    struct store_options o = {
        .shard = 0, .directory = n.directory, .map_bytes = 1 << 30, .memtable_bytes_max = 1 << 20};
    assert_int_equal(store_open(&o, &second, &f), ERR_IO); /* opened twice */
    assert_non_null(f.message.p);
    node_close(&n);
    o.shard = 1;
    assert_int_equal(store_open(&o, &second, &f), ERR_CORRUPT); /* another shard's */
    o.shard = 0;

    char path[600];
    snprintf(path, sizeof path, "%s/data.mdb", n.directory);
    FILE *file = fopen(path, "r+b");
    uint8_t page[8192], nonsense[8192];
    assert_int_equal(fread(page, 1, sizeof page, file), sizeof page);
    memset(nonsense, 0x5A, sizeof nonsense);
    rewind(file);
    fwrite(nonsense, 1, sizeof nonsense, file);
    fflush(file);
    assert_int_equal(store_open(&o, &second, &f), ERR_CORRUPT);
    rewind(file);
    fwrite(page, 1, sizeof page, file);
    fclose(file);
    assert_int_equal(store_open(&o, &second, &f), OK);
    store_close(second);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(store_open(&o, &second, &f), ERR_CORRUPT);
    file = fopen(path, "wb");
    fwrite("not a database", 1, 14, file);
    fclose(file);
    assert_int_equal(store_open(&o, &second, &f), ERR_CORRUPT);
    unlink(path);
    node_open(&n);
    node_free(&n);
}

static void test_state(void **state)
{
    (void)state;
    struct node n;
    struct arena a;
    struct bytes v;
    node_init(&n, 8 << 20);
    arena_init(&a, 0);
    assert_int_equal(store_state_get(n.store, bytes_str("host_id"), &a, &v), ERR_NOT_FOUND);
    assert_int_equal(store_state_put(n.store, bytes_str("host_id"), bytes_str("one")), OK);
    assert_int_equal(store_state_put(n.store, bytes_str("host_id"), bytes_str("two")), OK);
    assert_int_equal(store_state_put(n.store, bytes_str(""), bytes_str("")), OK);
    node_close(&n);
    node_open(&n);
    assert_int_equal(store_state_get(n.store, bytes_str("host_id"), &a, &v), OK);
    assert_true(bytes_equal_str(v, "two"));
    assert_int_equal(store_state_get(n.store, bytes_str(""), &a, &v), OK);
    assert_int_equal(v.n, 0);
    arena_free(&a);
    node_free(&n);
}

static void test_flush_period(void **state)
{
    (void)state;
    struct node n;
    node_init(&n, 8 << 20);
    const struct table *quiet = node_table(&n, "quiet", NULL, NULL);
    node_table(&n, "t", "memtable_flush_period_in_ms", "60000");
    quiet = node_find(&n, "quiet");
    put_numbers(&n, quiet, bytes_str("p"), 0, 1, 1);
    assert_false(store_flush_wanted(n.store, n.now));
    n.now.mono.us += 70ll * 1000000;
    assert_false(store_flush_wanted(n.store, n.now));
    put_numbers(&n, node_find(&n, "t"), bytes_str("p"), 0, 1, 1);
    assert_false(store_flush_wanted(n.store, n.now));
    n.now.mono.us += 59ll * 1000000;
    assert_false(store_flush_wanted(n.store, n.now));
    n.now.mono.us += 1000000;
    assert_true(store_flush_wanted(n.store, n.now));
    node_flush(&n);
    n.now.mono.us += 60ll * 1000000;
    assert_false(store_flush_wanted(n.store, n.now));
    node_free(&n);
}

/* Chunks: many rows with long clustering keys, put in every order, so that chunks split everywhere and gaps run out. */
static void test_long_keys(void **state)
{
    (void)state;
    enum { COUNT = 3000, BYTES = 1000 };
    for (int pattern = 0; pattern < 4; pattern++) {
        struct node n;
        node_init(&n, 64 << 20);
        const struct table *t = node_table(&n, "t", NULL, NULL);
        uint8_t ck[BYTES];
        memset(ck, 'k', sizeof ck);
        struct prng r;
        prng_init(&r, (uint64_t)pattern);
        for (uint32_t i = 0; i < COUNT; i++) {
            /* Ascending, descending, from both ends inwards, scattered. */
            uint32_t at = pattern == 0   ? i
                          : pattern == 1 ? COUNT - 1 - i
                          : pattern == 2 ? (i % 2 ? COUNT - 1 - i / 2 : i / 2)
                                         : (uint32_t)(i * 1009ull % COUNT);
            store_be32(ck + BYTES - 4, at);
            put_simple(&n, t, bytes_str("p"), bytes_of(ck, BYTES), 1, number(at));
            if (i % 40 == 39)
                node_flush(&n);
        }
        node_flush(&n);
        for (int reversed = 0; reversed < 2; reversed++) {
            struct buf out = {0};
            struct read_command cmd = whole(t, &n);
            cmd.reversed = reversed;
            check_ok(node_read(&n, &cmd, 777, &out), NULL, "read");
            struct result_iter it = result_iter(buf_bytes(&out));
            struct bytes pk;
            struct cur ops;
            uint32_t next = 0;
            while (result_next(&it, &pk, &ops)) {
                struct op op;
                for (;;) {
                    check_ok(op_next(&ops, &op), NULL, "op");
                    if (op.kind == OP_END)
                        break;
                    assert_int_equal(load_be32(op.ck.p + BYTES - 4),
                                     reversed ? COUNT - 1 - next : next);
                    next++;
                }
                result_leave(&it, &ops);
            }
            assert_int_equal(next, COUNT);
            buf_free(&out);
        }
        /* One at a time, and what is between two of them. */
        for (uint32_t i = 0; i < 50; i++) {
            uint8_t upper[BYTES + 1], key[BYTES];
            uint32_t at = (uint32_t)prng_below(&r, COUNT);
            memcpy(key, ck, BYTES);
            store_be32(key + BYTES - 4, at);
            memcpy(upper, key, BYTES);
            upper[BYTES] = 0xFF;
            struct slice slice = {bytes_of(key, BYTES), bytes_of(upper, sizeof upper)};
            struct bytes p = bytes_str("p");
            struct read_command cmd = {
                .table = t, .keys = &p, .keys_count = 1, .slices = &slice, .slices_count = 1};
            struct buf out = {0};
            check_ok(node_read(&n, &cmd, 10, &out), NULL, "read");
            assert_int_equal(count_rows(buf_bytes(&out)), 1);
            out.n = 0;
            slice.lower = slice.upper;
            store_be32(upper + BYTES - 4, at);
            uint8_t after[BYTES + 2];
            memcpy(after, upper, BYTES + 1);
            after[BYTES + 1] = 1;
            slice.upper = bytes_of(after, sizeof after);
            check_ok(node_read(&n, &cmd, 10, &out), NULL, "read");
            assert_int_equal(count_rows(buf_bytes(&out)), 0);
            buf_free(&out);
        }
        /* Deleting half by a range tombstone. */
        struct buf ops = {0};
        uint8_t lower[BYTES];
        memcpy(lower, ck, BYTES);
        store_be32(lower + BYTES - 4, COUNT / 2);
        op_put_range_tombstone(&ops, bytes_of(lower, BYTES), bytes_of(fixture_top, 1),
                               (struct deletion){5, wall_s(n.now.wall)});
        check_ok(node_write(&n, t, bytes_str("p"), &ops), NULL, "write");
        assert_int_equal(rows_of(&n, t), COUNT / 2);
        node_flush(&n);
        assert_int_equal(rows_of(&n, t), COUNT / 2);
        buf_free(&ops);
        node_free(&n);
    }
}

/* The longest keys there are. */
static void test_longest_keys(void **state)
{
    (void)state;
    struct node n;
    node_init(&n, 64 << 20);
    const struct table *t = node_table(&n, "t", NULL, NULL);
    uint8_t *pk = malloc(65535), *ck = malloc(MUTATION_CK_MAX);
    memset(pk, 0, 65535);
    memset(ck, 1, MUTATION_CK_MAX);
    for (int flushed = 0; flushed < 2; flushed++) {
        for (uint8_t i = 0; i < 5; i++) {
            pk[65534] = i;
            for (uint8_t k = 0; k < 5; k++) {
                ck[MUTATION_CK_MAX - 1] = k;
                put_simple(&n, t, bytes_of(pk, 65535), bytes_of(ck, MUTATION_CK_MAX), 1 + flushed,
                           number(k));
                put_simple(&n, t, bytes_of(pk, 65535), bytes_of(ck, 65535), 1 + flushed, number(k));
            }
        }
        assert_int_equal(rows_of(&n, t), 30);
        node_flush(&n);
        assert_int_equal(rows_of(&n, t), 30);
    }
    struct bytes key = bytes_of(pk, 65535);
    struct read_command cmd = {
        .table = t, .keys = &key, .keys_count = 1, .slices = &slice_all, .slices_count = 1};
    struct buf out = {0};
    check_ok(node_read(&n, &cmd, 1, &out), NULL, "read");
    assert_int_equal(count_rows(buf_bytes(&out)), 6);
    pk[0] = 1; /* not there */
    out.n = 0;
    check_ok(node_read(&n, &cmd, 1, &out), NULL, "read");
    assert_int_equal(out.n, 0);
    buf_free(&out);
    free(pk);
    free(ck);
    node_free(&n);
}

static size_t resident_bytes(void)
{
    size_t total, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%zu %zu", &total, &resident), 2);
    /* Pages of the mapped data file are the kernel's to take back: only anonymous memory counts. */
    size_t shared = 0;
    rewind(f);
    assert_int_equal(fscanf(f, "%zu %zu %zu", &total, &resident, &shared), 3);
    fclose(f);
    return (resident - shared) * 4096;
}

/* A partition of a million rows is read in chunks in the memory of a chunk. */
static void test_big_partition(void **state)
{
    (void)state;
#ifdef HELENUS_SANITIZED
    enum { ROWS = 100000 };
#else
    enum { ROWS = 1000000 };
#endif
    struct node n;
    node_init(&n, 16 << 20);
    const struct table *t = node_table(&n, "t", NULL, NULL);
    for (uint32_t i = 0; i < ROWS; i++) {
        put_simple(&n, t, bytes_str("p"), number(i), 1,
                   bytes_str("a value of some bytes, as rows have"));
        if (store_flush_wanted(n.store, n.now)) {
            node_flush(&n);
            for (size_t k = 0; k < n.log_count; k++)
                buf_free(&n.log[k].mutation);
            n.log_count = 0;
        }
        if (i % 1000 == 0) {
            uint64_t last;
            struct buf batch = store_log_take(n.store, &last);
            buf_free(&batch);
            store_log_synced(n.store, last);
        }
    }
    for (int reversed = 0; reversed < 2; reversed++) {
        struct read_command cmd = whole(t, &n);
        cmd.reversed = reversed;
        struct read_position pos = {0};
        struct read_budget budget = {5000, 1 << 20, UINT32_MAX};
        struct buf out = {0}, position = {0};
        struct arena a;
        arena_init(&a, 0);
        size_t count = 0, before = resident_bytes(), most = 0;
        for (bool more = true; more;) {
            uint64_t seq;
            out.n = 0;
            check_ok(store_read(n.store, &cmd, &pos, &budget, &a, &out, &more, &seq), NULL, "read");
            count += count_rows(buf_bytes(&out));
            position.n = 0;
            buf_put_bytes(&position, pos.pk);
            buf_put_bytes(&position, pos.ck);
            size_t pk_bytes = pos.pk.n, ck_bytes = pos.ck.n;
            arena_reset(&a);
            pos.pk = bytes_of(position.p, pk_bytes);
            pos.ck = bytes_of(position.p + pk_bytes, ck_bytes);
            size_t now = resident_bytes();
            most = now > most ? now : most;
        }
        assert_int_equal(count, ROWS);
        assert_true(most < before + (8 << 20));
        buf_free(&out);
        buf_free(&position);
        arena_free(&a);
    }
    /* All of it goes by one tombstone. */
    struct buf ops = {0};
    op_put_partition_deletion(&ops, (struct deletion){5, wall_s(n.now.wall)});
    check_ok(node_write(&n, t, bytes_str("p"), &ops), NULL, "write");
    assert_int_equal(rows_of(&n, t), 0);
    node_flush(&n);
    assert_int_equal(rows_of(&n, t), 0);
    buf_free(&ops);
    node_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_map_full),
        cmocka_unit_test(test_truncate_and_drop),
        cmocka_unit_test(test_dropped_column_and_purge),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_refused_directories),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_flush_period),
        cmocka_unit_test(test_long_keys),
        cmocka_unit_test(test_longest_keys),
        cmocka_unit_test(test_big_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
