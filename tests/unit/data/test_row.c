// The row encoding: what is written comes back, and no bytes make a reader leave its input.
#include "cql/base/prng.h"
#include "cql/data/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t draw_timestamp(struct prng *r)
{
    static const int64_t edges[] = {INT64_MIN + 1, -1, 0, 1, INT64_MAX, 1700000000000000};
    return prng_below(r, 2) ? edges[prng_below(r, 6)] : (int64_t)(prng_u64(r) | 1);
}

static void assert_bytes_equal(struct bytes a, struct bytes b)
{
    assert_true(bytes_equal(a, b));
}

static struct cell draw_cell(struct prng *r, uint32_t id, int which)
{
    static const uint8_t flags[] = {0,
                                    CELL_TOMBSTONE,
                                    CELL_EXPIRING,
                                    CELL_HAS_PATH,
                                    CELL_HAS_PATH | CELL_TOMBSTONE,
                                    CELL_HAS_PATH | CELL_EXPIRING,
                                    CELL_COMPLEX_DELETION,
                                    CELL_COUNTER,
                                    CELL_COUNTER | CELL_TOMBSTONE};
    static uint8_t text[300];
    struct cell c = {.column_id = id,
                     .flags = flags[which % 9],
                     .timestamp = draw_timestamp(r),
                     .local_deletion_s = LOCAL_DELETION_NEVER};
    if (c.flags & CELL_EXPIRING)
        c.ttl = prng_below(r, 2) ? INT32_MAX : 1;
    if (c.flags & (CELL_EXPIRING | CELL_TOMBSTONE | CELL_COMPLEX_DELETION))
        c.local_deletion_s = (int64_t)(prng_u64(r) >> prng_below(r, 64) >> 1);
    if (c.flags & CELL_HAS_PATH)
        c.path = bytes_of(text, prng_below(r, 40));
    if (!(c.flags & (CELL_TOMBSTONE | CELL_COMPLEX_DELETION)))
        c.value = bytes_of(text, prng_below(r, sizeof text));
    return c;
}

static void rows_come_back(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 3);
    for (int round = 0; round < 3000; round++) {
        struct liveness marker = LIVENESS_NONE;
        struct deletion deletion = DELETION_NONE;
        if (round & 1)
            marker.timestamp = draw_timestamp(&r);
        if ((round & 3) == 3) {
            marker.ttl = 1 + (int32_t)prng_below(&r, INT32_MAX);
            marker.local_deletion_s = (int64_t)(prng_u64(&r) >> 1);
        }
        if (round & 4)
            deletion = (struct deletion){draw_timestamp(&r), (int64_t)(prng_u64(&r) >> 1)};
        struct cell cells[12];
        size_t count = prng_below(&r, 12);
        struct buf out = {0};
        struct row_builder b;
        row_begin(&b, &out, draw_timestamp(&r), marker, deletion);
        for (size_t i = 0; i < count; i++) {
            cells[i] = draw_cell(&r, i == 11 ? UINT32_MAX : (uint32_t)i, (int)prng_below(&r, 9));
            row_put_cell(&b, &cells[i]);
        }
        struct row row;
        assert_int_equal(row_decode(buf_bytes(&out), &row), OK);
        assert_memory_equal(&row.deletion, &deletion, sizeof deletion);
        assert_int_equal(row.marker.timestamp, marker.timestamp);
        assert_int_equal(row.marker.ttl, marker.ttl);
        assert_int_equal(row.marker.local_deletion_s, marker.local_deletion_s);
        struct cell_iter it = row_cells(&row);
        struct cell c;
        for (size_t i = 0; i < count; i++) {
            assert_true(cell_next(&it, &c));
            assert_int_equal(c.column_id, cells[i].column_id);
            assert_int_equal(c.flags, cells[i].flags);
            assert_int_equal(c.ttl, cells[i].ttl);
            assert_int_equal(c.timestamp, cells[i].timestamp);
            assert_int_equal(c.local_deletion_s, cells[i].local_deletion_s);
            assert_bytes_equal(c.path, cells[i].path);
            assert_bytes_equal(c.value, cells[i].value);
        }
        assert_false(cell_next(&it, &c));
        assert_false(it.cur.bad);
        buf_free(&out);
    }
}

// The same timestamp everywhere, as a client's write has: a column costs its value and four bytes.
static void a_usual_row_is_small(void **state)
{
    (void)state;
    struct buf out = {0};
    struct row_builder b;
    struct liveness marker = {1700000000000000, 0, LOCAL_DELETION_NEVER};
    row_begin(&b, &out, marker.timestamp, marker, DELETION_NONE);
    assert_int_equal(out.n, 1 + 8 + 1);
    struct cell c = {.column_id = 3, .timestamp = marker.timestamp, .value = bytes_str("1234")};
    row_put_cell(&b, &c);
    assert_int_equal(out.n, 10 + 4 + 4);
    buf_free(&out);
}

static bool cells_malformed(const char *bytes, size_t n)
{
    struct buf out = {0};
    struct row_builder b;
    struct row row;
    struct cell c;
    row_begin(&b, &out, 0, LIVENESS_NONE, DELETION_NONE);
    buf_put(&out, bytes, n);
    assert_int_equal(row_decode(buf_bytes(&out), &row), OK);
    struct cell_iter it = row_cells(&row);
    while (cell_next(&it, &c)) {
    }
    buf_free(&out);
    return it.cur.bad;
}

#define MALFORMED(text) cells_malformed(text, sizeof text - 1)

static void bad_cells_are_refused(void **state)
{
    (void)state;
    assert_false(MALFORMED("\1\0\0\1v"));                      // as a control: a good one
    assert_true(MALFORMED("\1\0\0\2v"));                       // value longer than the row
    assert_true(MALFORMED("\1\x20\0\1v"));                     // a flag that does not exist
    assert_true(MALFORMED("\1\3\0\5\5"));                      // expiring tombstone
    assert_true(MALFORMED("\1\x0c\0\5\1p"));                   // complex deletion with a path
    assert_true(MALFORMED("\1\x12\0\1\5\1v"));                 // expiring counter
    assert_true(MALFORMED("\1\2\0\0\5\1v"));                   // TTL 0
    assert_true(MALFORMED("\1\2\0\x80\x80\x80\x80\x08\5\1v")); // TTL 2^31
    assert_true(MALFORMED("\1\1\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));  // deletion time < 0
    assert_true(MALFORMED("\x80\x80\x80\x80\x10\0\0\1v"));                   // column id 2^32
    assert_true(MALFORMED("\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1v")); // length 2^64 - 1
}

static void bad_rows_are_refused(void **state)
{
    (void)state;
    struct row row;
    static const char *const bodies[] = {"\x08\1", "\2\1", "\1\1", "\4\1\1", "\3\1\1\0\1"};
    assert_int_equal(row_decode(BYTES_NULL, &row), ERR_CORRUPT);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(row_decode(bytes_of(bodies[i], i == 4 ? 5 : strlen(bodies[i])), &row),
                         ERR_CORRUPT);
}

static void ops_come_back(void **state)
{
    (void)state;
    struct buf out = {0};
    struct deletion d = {-5, 7}, e = {INT64_MAX, LOCAL_DELETION_NEVER};
    op_put_partition_deletion(&out, d);
    op_put_static_row(&out, bytes_str("body"));
    op_put_range_tombstone(&out, bytes_str(""), bytes_str("\xff"), e);
    op_put_row(&out, bytes_str("ck"), bytes_str("row"));
    op_put_end(&out);
    struct cur c = cur_of(buf_bytes(&out));
    struct op op;
    assert_int_equal(op_next(&c, &op), OK);
    assert_int_equal(op.kind, OP_PARTITION_DELETION);
    assert_memory_equal(&op.deletion, &d, sizeof d);
    assert_int_equal(op_next(&c, &op), OK);
    assert_int_equal(op.kind, OP_STATIC_ROW);
    assert_bytes_equal(op.body, bytes_str("body"));
    assert_int_equal(op_next(&c, &op), OK);
    assert_int_equal(op.kind, OP_RANGE_TOMBSTONE);
    assert_bytes_equal(op.lower, bytes_str(""));
    assert_bytes_equal(op.upper, bytes_str("\xff"));
    assert_memory_equal(&op.deletion, &e, sizeof e);
    assert_int_equal(op_next(&c, &op), OK);
    assert_int_equal(op.kind, OP_ROW);
    assert_bytes_equal(op.ck, bytes_str("ck"));
    assert_bytes_equal(op.body, bytes_str("row"));
    assert_int_equal(op_next(&c, &op), OK);
    assert_int_equal(op.kind, OP_END);
    assert_true(cur_at_end(&c));
    assert_int_equal(op_next(&c, &op), OK); // the end of the input is an end as well
    assert_int_equal(op.kind, OP_END);

    for (size_t n = 1; n < out.n; n++) { // every cut is either between ops or refused
        uint8_t *cut = malloc(n);
        memcpy(cut, out.p, n);
        struct cur at = cur_of(bytes_of(cut, n));
        size_t good = 0;
        err_t err = OK;
        do {
            good = n - cur_left(&at);
            err = op_next(&at, &op);
        } while (err == OK && op.kind != OP_END);
        assert_true(err == ERR_CORRUPT || good == n);
        free(cut);
    }
    struct cur bad = cur_of(bytes_str("\5"));
    assert_int_equal(op_next(&bad, &op), ERR_CORRUPT);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),        cmocka_unit_test(a_usual_row_is_small),
        cmocka_unit_test(bad_cells_are_refused), cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(ops_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
