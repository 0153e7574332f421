// The rules of reconcile that the model test does not reach: the order of ties spelled out, counters,
// rows that are not canonical, dropped columns, malformed input, and what the output buffer holds after.
#include "cql/data/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cell live(int64_t timestamp, const char *value)
{
    return (struct cell){.column_id = 1,
                         .timestamp = timestamp,
                         .local_deletion_s = LOCAL_DELETION_NEVER,
                         .value = bytes_str(value)};
}

static struct cell tombstone(int64_t timestamp, int64_t ldt)
{
    return (struct cell){
        .column_id = 1, .flags = CELL_TOMBSTONE, .timestamp = timestamp, .local_deletion_s = ldt};
}

static struct cell expiring(int64_t timestamp, int32_t ttl, int64_t ldt, const char *value)
{
    struct cell c = live(timestamp, value);
    c.flags = CELL_EXPIRING;
    c.ttl = ttl;
    c.local_deletion_s = ldt;
    return c;
}

static void assert_wins(struct cell winner, struct cell loser)
{
    assert_true(cell_reconcile(&winner, &loser) > 0);
    assert_true(cell_reconcile(&loser, &winner) < 0);
    assert_int_equal(cell_reconcile(&winner, &winner), 0);
}

static void cells_tie_as_in_cassandra(void **state)
{
    (void)state;
    assert_wins(live(2, "a"), tombstone(1, 100));
    assert_wins(tombstone(1, 5), live(1, "z"));
    assert_wins(tombstone(1, 5), expiring(1, 10, 100, "z"));
    assert_wins(expiring(1, 10, 5, "a"), live(1, "z"));
    assert_wins(tombstone(1, 6), tombstone(1, 5));
    assert_wins(expiring(1, 10, 101, "a"), expiring(1, 10, 100, "z"));
    assert_wins(expiring(1, 9, 100, "a"), expiring(1, 10, 100, "z")); // it was written later
    assert_wins(expiring(1, 10, 100, "z"), expiring(1, 10, 100, "a"));
    assert_wins(live(1, "b"), live(1, "a"));
    assert_wins(live(1, "ab"), live(1, "a"));
    assert_wins(live(1, "\x80"), live(1, "\x7f")); // unsigned
}

static void markers_tie_as_in_cassandra(void **state)
{
    (void)state;
    struct liveness plain = {1, 0, LOCAL_DELETION_NEVER}, ten = {1, 10, 100}, nine = {1, 9, 100};
    struct liveness later = {1, 10, 101}, newer = {2, 0, LOCAL_DELETION_NEVER};
    struct liveness order[] = {LIVENESS_NONE, plain, ten, nine, later, newer};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            struct liveness won = liveness_reconcile(order[i], order[j]);
            struct liveness best = order[i > j ? i : j];
            assert_int_equal(won.timestamp, best.timestamp);
            assert_int_equal(won.ttl, best.ttl);
            assert_int_equal(won.local_deletion_s, best.local_deletion_s);
        }
}

static struct buf row_of(struct deletion deletion, const struct cell *cells, size_t count)
{
    struct buf out = {0};
    struct row_builder b;
    row_begin(&b, &out, 3, LIVENESS_NONE, deletion);
    for (size_t i = 0; i < count; i++)
        row_put_cell(&b, &cells[i]);
    return out;
}

static struct buf merged(const struct buf *a, const struct buf *b, struct deletion covering,
                         bool *empty)
{
    struct buf out = {0};
    buf_put_str(&out, "before");
    struct bytes other = b ? buf_bytes(b) : BYTES_NULL;
    assert_int_equal(row_merge(buf_bytes(a), other, covering, &out, empty), OK);
    assert_memory_equal(out.p, "before", 6);
    if (*empty)
        assert_int_equal(out.n, 6);
    memmove(out.p, out.p + 6, out.n - 6);
    out.n -= 6;
    return out;
}

static void covering_alone_is_applied(void **state)
{
    (void)state;
    struct cell c = live(5, "v");
    struct buf row = row_of(DELETION_NONE, &c, 1), out;
    bool empty;
    out = merged(&row, NULL, (struct deletion){4, 1}, &empty);
    assert_false(empty);
    assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&row)));
    buf_free(&out);
    out = merged(&row, NULL, (struct deletion){5, 1}, &empty);
    assert_true(empty);
    buf_free(&out);
    buf_free(&row);

    row = row_of(DELETION_NONE, NULL, 0); // nothing in it
    out = merged(&row, NULL, DELETION_NONE, &empty);
    assert_true(empty);
    buf_free(&out);
    buf_free(&row);
}

static void put_shard(struct buf *b, char id, int64_t clock, int64_t count)
{
    uint8_t bytes[16] = {(uint8_t)id};
    buf_put(b, bytes, 16);
    buf_be64(b, (uint64_t)clock);
    buf_be64(b, (uint64_t)count);
}

static struct cell counter(int64_t timestamp, const struct buf *value)
{
    return (struct cell){.column_id = 1,
                         .flags = CELL_COUNTER,
                         .timestamp = timestamp,
                         .local_deletion_s = LOCAL_DELETION_NEVER,
                         .value = buf_bytes(value)};
}

static void assert_counter(const struct cell *a, const struct cell *b, struct deletion covering,
                           int64_t timestamp, struct bytes value)
{
    struct buf ra = row_of(DELETION_NONE, a, 1), rb = row_of(DELETION_NONE, b, 1);
    for (int turn = 0; turn < 2; turn++) {
        bool empty;
        struct buf out = merged(turn ? &rb : &ra, turn ? &ra : &rb, covering, &empty);
        struct row row;
        struct cell c;
        assert_false(empty);
        assert_int_equal(row_decode(buf_bytes(&out), &row), OK);
        struct cell_iter it = row_cells(&row);
        assert_true(cell_next(&it, &c));
        assert_int_equal(c.timestamp, timestamp);
        assert_true(bytes_equal(c.value, value));
        assert_false(cell_next(&it, &c));
        assert_false(it.cur.bad);
        buf_free(&out);
    }
    buf_free(&ra);
    buf_free(&rb);
}

static void counters_merge_shard_by_shard(void **state)
{
    (void)state;
    struct buf x = {0}, y = {0}, both = {0};
    put_shard(&x, 1, 5, -100);
    put_shard(&x, 2, 1, 7);
    put_shard(&x, 4, 3, 3);
    put_shard(&y, 2, 2, 6);
    put_shard(&y, 3, 1, 1);
    put_shard(&y, 4, 3, 4);
    put_shard(&both, 1, 5, -100);
    put_shard(&both, 2, 2, 6);
    put_shard(&both, 3, 1, 1);
    put_shard(&both, 4, 3, 4);
    struct cell a = counter(10, &x), b = counter(20, &y);
    assert_counter(&a, &b, DELETION_NONE, 20, buf_bytes(&both));
    assert_counter(&a, &b, (struct deletion){10, 1}, 20, buf_bytes(&y)); // only a is covered
    struct cell dead = tombstone(1, 9);
    dead.flags |= CELL_COUNTER;
    assert_counter(&a, &dead, DELETION_NONE, 1, BYTES_NULL); // however old the tombstone is
    assert_counter(&a, &dead, (struct deletion){2, 1}, 10, buf_bytes(&x)); // but for a covered one

    struct cell cut = counter(10, &x);
    cut.value.n--;
    struct buf ra = row_of(DELETION_NONE, &cut, 1), rb = row_of(DELETION_NONE, &b, 1), out = {0};
    bool empty;
    assert_int_equal(row_merge(buf_bytes(&ra), buf_bytes(&rb), DELETION_NONE, &out, &empty),
                     ERR_CORRUPT);
    assert_int_equal(out.n, 0);
    buf_free(&ra);
    buf_free(&rb);
    buf_free(&out);
    buf_free(&x);
    buf_free(&y);
    buf_free(&both);
}

// A row that no merge made may hold what its own tombstones cover: no reader may see it.
static void own_tombstones_count_when_cleaning(void **state)
{
    (void)state;
    struct cell path = live(5, "old"), complex = {.column_id = 1,
                                                  .flags = CELL_COMPLEX_DELETION,
                                                  .timestamp = 6,
                                                  .local_deletion_s = 1};
    path.flags = CELL_HAS_PATH;
    path.path = bytes_str("p");
    struct cell cells[] = {complex, path, live(6, "other")};
    cells[2].column_id = 2;
    struct row_filter f = {.now_s = 10, .purge_before_s = INT64_MIN, .live_only = true};
    for (int deleted = 0; deleted < 2; deleted++) {
        struct deletion d = deleted ? (struct deletion){6, 1} : DELETION_NONE;
        struct buf row = row_of(d, cells, 3), out = {0};
        bool empty, is_live;
        assert_int_equal(row_clean(buf_bytes(&row), &f, &out, &empty), OK);
        assert_int_equal(row_is_live(buf_bytes(&row), 10, &is_live), OK);
        assert_int_equal(empty, deleted);
        assert_int_equal(is_live, !deleted);
        if (!deleted) {
            struct row r;
            struct cell c;
            assert_int_equal(row_decode(buf_bytes(&out), &r), OK);
            struct cell_iter it = row_cells(&r);
            assert_true(cell_next(&it, &c));
            assert_int_equal(c.column_id, 2);
            assert_false(cell_next(&it, &c));
        }
        buf_free(&row);
        row = row_of(d, cells, 2);
        assert_int_equal(row_is_live(buf_bytes(&row), 10, &is_live), OK);
        assert_false(is_live);
        buf_free(&row);
        buf_free(&out);
    }
}

static bool keep_newer(const void *ctx, uint32_t column_id, int64_t timestamp)
{
    const int64_t *dropped_us = ctx;
    return column_id != 1 || timestamp > *dropped_us;
}

static void dropped_columns_go(void **state)
{
    (void)state;
    int64_t dropped_us = 5;
    struct cell cells[] = {live(5, "gone"), live(5, "stays")};
    cells[1].column_id = 2;
    struct row_filter f = {
        .now_s = 1, .purge_before_s = INT64_MIN, .keep = keep_newer, .ctx = &dropped_us};
    struct buf row = row_of(DELETION_NONE, cells, 2), out = {0};
    struct row r;
    struct cell c;
    bool empty;
    assert_int_equal(row_clean(buf_bytes(&row), &f, &out, &empty), OK);
    assert_int_equal(row_decode(buf_bytes(&out), &r), OK);
    struct cell_iter it = row_cells(&r);
    assert_true(cell_next(&it, &c));
    assert_int_equal(c.column_id, 2);
    assert_false(cell_next(&it, &c));
    dropped_us = 4;
    out.n = 0;
    assert_int_equal(row_clean(buf_bytes(&row), &f, &out, &empty), OK);
    assert_true(bytes_equal(buf_bytes(&row), buf_bytes(&out)));
    buf_free(&row);
    buf_free(&out);
}

// An error leaves the output as it was, wherever the input is cut.
static void malformed_rows_leave_nothing(void **state)
{
    (void)state;
    struct cell cells[] = {live(5, "value"), live(6, "other")};
    cells[1].column_id = 9;
    struct buf a = row_of((struct deletion){1, 1}, cells, 2), b = row_of(DELETION_NONE, cells, 1);
    struct row_filter f = {.now_s = 1, .purge_before_s = INT64_MIN};
    int refused = 0;
    for (size_t n = 1; n < a.n; n++) {
        uint8_t *cut = malloc(n);
        memcpy(cut, a.p, n);
        struct buf out = {0};
        bool empty;
        if (row_merge(bytes_of(cut, n), buf_bytes(&b), DELETION_NONE, &out, &empty) != OK) {
            assert_int_equal(out.n, 0);
            assert_int_equal(row_clean(bytes_of(cut, n), &f, &out, &empty), ERR_CORRUPT);
            assert_int_equal(out.n, 0);
            refused++;
        }
        free(cut);
        buf_free(&out);
    }
    assert_true(refused >= (int)a.n - 4); // but for the cuts between cells
    buf_free(&a);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_tie_as_in_cassandra),
        cmocka_unit_test(markers_tie_as_in_cassandra),
        cmocka_unit_test(covering_alone_is_applied),
        cmocka_unit_test(counters_merge_shard_by_shard),
        cmocka_unit_test(own_tombstones_count_when_cleaning),
        cmocka_unit_test(dropped_columns_go),
        cmocka_unit_test(malformed_rows_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
