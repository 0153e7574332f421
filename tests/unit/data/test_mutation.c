// Mutations and partition keys: round trips, and what the check of foreign bytes refuses.
#include "cql/data/mutation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct table table = {.id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
                                   .incarnation = 300};

static struct buf header(void)
{
    struct buf b = {0};
    mutation_begin(&b, &table, (struct wall_us){1700000000000001}, bytes_str("key"));
    return b;
}

static void put_cell(struct row_builder *b, uint32_t id, uint8_t flags, int64_t timestamp,
                     const char *path)
{
    struct cell c = {.column_id = id,
                     .flags = flags,
                     .timestamp = timestamp,
                     .ttl = 10,
                     .local_deletion_s = 100,
                     .path = path ? bytes_str(path) : BYTES_NULL,
                     .value = bytes_str("value")};
    row_put_cell(b, &c);
}

static void mutations_come_back(void **state)
{
    (void)state;
    struct buf b = header();
    size_t ops_at = b.n;
    op_put_partition_deletion(&b, (struct deletion){1, 2});
    struct mutation m;
    assert_int_equal(mutation_decode(buf_bytes(&b), &m), OK);
    assert_memory_equal(m.table_id.b, table.id.b, 16);
    assert_int_equal(m.incarnation, 300);
    assert_int_equal(m.created.us, 1700000000000001);
    assert_int_equal(m.token.value, token_of_key(bytes_str("key")).value);
    assert_true(bytes_equal_str(m.pk, "key"));
    assert_ptr_equal(m.ops.p, b.p + ops_at);
    assert_int_equal(m.ops.n, b.n - ops_at);
    assert_int_equal(mutation_validate(buf_bytes(&b)), OK);
    buf_free(&b);
}

// Whatever is cut off: the decoder refuses within the header, the check within an op.
static void cut_mutations_are_refused(void **state)
{
    (void)state;
    struct buf b = header(), body = {0};
    size_t ops_at = b.n;
    struct row_builder r;
    row_begin(&r, &body, 5, (struct liveness){5, 0, LOCAL_DELETION_NEVER}, DELETION_NONE);
    put_cell(&r, 1, CELL_EXPIRING, 5, NULL);
    op_put_row(&b, bytes_str("ck"), buf_bytes(&body));
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, b.p, n);
        struct mutation m;
        assert_int_equal(mutation_decode(bytes_of(cut, n), &m), n < ops_at ? ERR_CORRUPT : OK);
        assert_int_equal(mutation_validate(bytes_of(cut, n)), n == ops_at ? OK : ERR_CORRUPT);
        free(cut);
    }
    buf_free(&b);
    buf_free(&body);
}

static void assert_refused(struct buf *b)
{
    assert_int_equal(mutation_validate(buf_bytes(b)), ERR_CORRUPT);
    buf_free(b);
}

static void bad_headers_are_refused(void **state)
{
    (void)state;
    struct buf b = header();
    b.p[0] = 2; // version
    assert_refused(&b);
    b = header();
    b.p[b.n - 6] ^= 1; // token
    assert_refused(&b);
    b = header();
    b.p[b.n - 1] ^= 1; // key
    assert_refused(&b);

    for (int optional = 0; optional < 2; optional++) { // an extension that is not known here
        struct buf with = {0};
        b = header();
        buf_u8(&with, MUTATION_VERSION);
        buf_lstr(&with, bytes_str(optional ? "" : "new"));
        buf_lstr(&with, bytes_str(optional ? "new" : ""));
        buf_put_bytes(&with, bytes_skip(buf_bytes(&b), 3));
        assert_int_equal(mutation_validate(buf_bytes(&with)), optional ? OK : ERR_CORRUPT);
        buf_free(&with);
        buf_free(&b);
    }

    struct bytes pk = bytes_of(calloc(1, MUTATION_PK_MAX + 1), MUTATION_PK_MAX + 1);
    for (size_t n = MUTATION_PK_MAX; n <= MUTATION_PK_MAX + 1; n++) {
        struct buf large = {0};
        mutation_begin(&large, &table, (struct wall_us){0}, bytes_of(pk.p, n));
        assert_int_equal(mutation_validate(buf_bytes(&large)),
                         n <= MUTATION_PK_MAX ? OK : ERR_CORRUPT);
        buf_free(&large);
    }
    free((void *)(uintptr_t)pk.p);
    mutation_begin(&b, &table, (struct wall_us){0}, BYTES_NULL);
    assert_refused(&b);
}

// A row op of one or two cells of the given column, flags, timestamp, path; row tombstone at 3.
struct draft {
    uint32_t id;
    uint8_t flags;
    int64_t timestamp;
    const char *path;
};

static err_t check_row(int64_t marker, struct draft a, struct draft b)
{
    struct buf m = header(), body = {0};
    struct row_builder r;
    struct liveness live = {marker, 0, LOCAL_DELETION_NEVER};
    row_begin(&r, &body, 5, live, (struct deletion){3, 3});
    put_cell(&r, a.id, a.flags, a.timestamp, a.path);
    if (b.id)
        put_cell(&r, b.id, b.flags, b.timestamp, b.path);
    op_put_row(&m, bytes_str("ck"), buf_bytes(&body));
    err_t err = mutation_validate(buf_bytes(&m));
    buf_free(&m);
    buf_free(&body);
    return err;
}

static void rows_must_be_canonical(void **state)
{
    (void)state;
    const struct draft none = {0}, one = {1, 0, 5, NULL}, two = {2, 0, 5, NULL};
    const struct draft p = {1, CELL_HAS_PATH, 5, "p"}, q = {1, CELL_HAS_PATH, 5, "q"};
    const struct draft all = {1, CELL_COMPLEX_DELETION, 4, NULL};
    assert_int_equal(check_row(4, one, none), OK);
    assert_int_equal(check_row(4, one, two), OK);
    assert_int_equal(check_row(4, p, q), OK);
    assert_int_equal(check_row(4, all, p), OK);
    assert_int_equal(check_row(3, one, none), ERR_CORRUPT); // marker under the row's tombstone
    assert_int_equal(check_row(4, two, one), ERR_CORRUPT);  // order
    assert_int_equal(check_row(4, one, one), ERR_CORRUPT);  // twice
    assert_int_equal(check_row(4, q, p), ERR_CORRUPT);
    assert_int_equal(check_row(4, p, all), ERR_CORRUPT);
    assert_int_equal(check_row(4, (struct draft){1, 0, 3, NULL}, none), ERR_CORRUPT); // covered
    assert_int_equal(check_row(4, all, (struct draft){1, CELL_HAS_PATH, 4, "p"}), ERR_CORRUPT);
    assert_int_equal(check_row(4, (struct draft){1, CELL_COMPLEX_DELETION, 3, NULL}, none), OK);
    assert_int_equal(check_row(4, (struct draft){1, CELL_COMPLEX_DELETION, 2, NULL}, none),
                     ERR_CORRUPT);
    assert_int_equal(check_row(4, (struct draft){1, CELL_COUNTER, 5, NULL}, none), ERR_CORRUPT);
}

static void bad_ops_are_refused(void **state)
{
    (void)state;
    struct buf b = header();
    op_put_range_tombstone(&b, bytes_str("b"), bytes_str("b"), (struct deletion){1, 1});
    assert_refused(&b);
    b = header();
    op_put_partition_deletion(&b, DELETION_NONE);
    assert_refused(&b);
    b = header();
    op_put_end(&b);
    assert_refused(&b);
    b = header();
    op_put_static_row(&b, bytes_str(""));
    assert_refused(&b);
    for (size_t n = MUTATION_CK_MAX; n <= MUTATION_CK_MAX + 1; n++) {
        uint8_t *ck = calloc(1, n);
        b = header();
        op_put_row(&b, bytes_of(ck, n), bytes_of("\0\0", 2));
        assert_int_equal(mutation_validate(buf_bytes(&b)), n <= MUTATION_CK_MAX ? OK : ERR_CORRUPT);
        buf_free(&b);
        free(ck);
    }
}

static void partition_keys_come_back(void **state)
{
    (void)state;
    struct bytes parts[3] = {bytes_str("one"), bytes_str(""), bytes_str("three")}, got[3];
    struct buf b = {0};
    pk_encode(&b, parts, 1);
    assert_true(bytes_equal_str(buf_bytes(&b), "one"));
    assert_true(pk_decode(buf_bytes(&b), 1, got));
    assert_true(bytes_equal(got[0], parts[0]));
    b.n = 0;
    pk_encode(&b, parts, 3);
    assert_true(bytes_equal(buf_bytes(&b), bytes_of("\0\3one\0\0\0\0\0\5three\0", 17)));
    assert_true(pk_decode(buf_bytes(&b), 3, got));
    for (int i = 0; i < 3; i++)
        assert_true(bytes_equal(got[i], parts[i]));
    assert_false(pk_decode(buf_bytes(&b), 2, got)); // more follows
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, b.p, n);
        assert_false(pk_decode(bytes_of(cut, n), 3, got));
        free(cut);
    }
    b.p[5] = 1; // the byte behind a component
    assert_false(pk_decode(buf_bytes(&b), 3, got));
    buf_free(&b);
}

static void partitions_order_by_token_then_length(void **state)
{
    (void)state;
    struct token t = {5}, u = {6};
    struct bytes b = bytes_str("b"), aa = bytes_str("aa"), ab = bytes_str("ab");
    assert_true(partition_compare(t, ab, u, b) < 0);
    assert_true(partition_compare((struct token){-1}, b, t, b) < 0);
    assert_true(partition_compare(t, b, t, aa) < 0);
    assert_true(partition_compare(t, ab, t, aa) > 0);
    assert_int_equal(partition_compare(t, ab, t, ab), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_come_back),
        cmocka_unit_test(cut_mutations_are_refused),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(rows_must_be_canonical),
        cmocka_unit_test(bad_ops_are_refused),
        cmocka_unit_test(partition_keys_come_back),
        cmocka_unit_test(partitions_order_by_token_then_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
