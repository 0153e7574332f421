// SELECT from text to rows, over a table in memory.
#include "tests/unit/plan/select_fixture.h"

#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const schema[] = {
    "CREATE TABLE t (k int, c int, d int, v int, s int static, m map<text, int>, l list<int>, "
    "PRIMARY KEY (k, c, d))",
    "INSERT INTO t (k, c, d, v) VALUES (1, 1, 1, 11)",
    "INSERT INTO t (k, c, d, v) VALUES (1, 1, 2, 12)",
    "INSERT INTO t (k, c, d, v) VALUES (1, 2, 1, 21)",
    "INSERT INTO t (k, c, d, v) VALUES (1, 3, 1, 31)",
    "UPDATE t SET m = {'a': 1, 'b': 2}, l = [3, 4] WHERE k = 1 AND c = 2 AND d = 1",
    "UPDATE t SET s = 100 WHERE k = 1",
    "INSERT INTO t (k, c, d, v) VALUES (2, 1, 1, 5)",
    "INSERT INTO t (k, s) VALUES (9, 900)",
    NULL,
};

#define EQ(cql, text)          assert_string_equal(query(d, cql), text)
#define PAGES(cql, size, text) assert_string_equal(query_pages(d, cql, size), text)

static int open_data(void **state)
{
    struct data *d = malloc(sizeof *d);
    data_open(d, schema);
    *state = d;
    return 0;
}

static int close_data(void **state)
{
    data_close(*state);
    free(*state);
    return 0;
}

static void test_keys_and_slices(void **state)
{
    struct data *d = *state;
    EQ("SELECT v FROM t WHERE k = 1 AND c = 1 AND d = 2", "12");
    EQ("SELECT c, d, v FROM t WHERE k = 1", "1|1|11; 1|2|12; 2|1|21; 3|1|31");
    EQ("SELECT * FROM t WHERE k = 1 AND c = 2", "1|2|1|100|[3, 4]|{'a': 1, 'b': 2}|21");
    EQ("SELECT v FROM t WHERE k = 1 AND c > 1", "21; 31");
    EQ("SELECT v FROM t WHERE k = 1 AND c >= 1 AND c < 3", "11; 12; 21");
    EQ("SELECT v FROM t WHERE k = 1 AND (c, d) > (1, 1) AND c < 3", "12; 21");
    EQ("SELECT v FROM t WHERE k = 1 AND (c, d) >= (1, 2)", "12; 21; 31");
    EQ("SELECT v FROM t WHERE k = 1 AND c IN (3, 1, 3)", "11; 12; 31");
    EQ("SELECT v FROM t WHERE k = 1 AND (c, d) IN ((3, 1), (1, 2))", "12; 31");
    EQ("SELECT k, v FROM t WHERE k IN (2, 1) AND c = 1", "1|11; 1|12; 2|5");
    EQ("SELECT v FROM t WHERE k IN ()", "");
    EQ("SELECT v FROM t WHERE k = 1 AND c > 2 AND c < 2", "");
    EQ("SELECT v FROM t WHERE k = 7", "");
    EQ("SELECT v FROM t WHERE k = 1 ORDER BY c DESC", "31; 21; 12; 11");
    EQ("SELECT v FROM t WHERE k = 1 AND c = 1 ORDER BY d DESC", "12; 11");
    EQ("SELECT v FROM t WHERE k = 1 AND c <= 2 ORDER BY c DESC, d DESC LIMIT 2", "21; 12");
    EQ("SELECT v FROM t WHERE k IN (1, 2) ORDER BY c DESC", "31; 21; 12; 11; 5");
    EQ("SELECT v FROM t WHERE k IN (1, 2) ORDER BY c ASC LIMIT 3", "11; 12; 5");
    EQ("SELECT v FROM t LIMIT 2", "11; 12");
    EQ("SELECT v FROM t PER PARTITION LIMIT 1", "11; 5; null");
    EQ("SELECT k, v FROM t WHERE token(k) > token(1) AND token(k) <= 9223372036854775807",
       "2|5; 9|null");
    EQ("SELECT v FROM t WHERE token(k) > 5 AND token(k) < 4", "");
    EQ("SELECT v FROM t WHERE token(k) = token(2)", "5");
    EQ("SELECT v FROM t WHERE token(k) > token(1) AND k IN (1, 2)", "5");
}

static void test_static(void **state)
{
    struct data *d = *state;
    EQ("SELECT k, c, s FROM t", "1|1|100; 1|1|100; 1|2|100; 1|3|100; 2|1|null; 9|null|900");
    EQ("SELECT DISTINCT k, s FROM t", "1|100; 2|null; 9|900");
    EQ("SELECT DISTINCT k FROM t", "1; 2; 9");
    EQ("SELECT DISTINCT k, s FROM t LIMIT 2", "1|100; 2|null");
    EQ("SELECT k, s FROM t WHERE k = 9", "9|900");
    EQ("SELECT k, s, v FROM t WHERE k = 9 AND c = 1", "");
    EQ("SELECT k, s FROM t WHERE k = 9 AND c = 1",
       "INVALID: Cannot restrict clustering columns when selecting only static columns");
    EQ("SELECT k, c, s FROM t WHERE s = 900 ALLOW FILTERING", "9|null|900");
    EQ("SELECT s, v FROM t WHERE k = 1 AND c = 3", "100|31");
    EQ("SELECT s FROM t WHERE k = 1", "100; 100; 100; 100");
}

static void test_filtering(void **state)
{
    struct data *d = *state;
    EQ("SELECT v FROM t WHERE v > 11 ALLOW FILTERING", "12; 21; 31");
    EQ("SELECT v FROM t WHERE v IN (5, 31) ALLOW FILTERING", "31; 5");
    EQ("SELECT v FROM t WHERE v IN (5, null) ALLOW FILTERING", "5");
    EQ("SELECT v FROM t WHERE d = 2 ALLOW FILTERING", "12");
    EQ("SELECT v FROM t WHERE k = 1 AND d = 1 ALLOW FILTERING", "11; 21; 31");
    EQ("SELECT v FROM t WHERE k > 1 ALLOW FILTERING", "5; null");
    EQ("SELECT v FROM t WHERE k = 1 AND c >= 1 AND d = 1 AND v < 31 ALLOW FILTERING", "11; 21");
    EQ("SELECT v FROM t WHERE m CONTAINS 2 ALLOW FILTERING", "21");
    EQ("SELECT v FROM t WHERE m CONTAINS KEY 'b' AND l CONTAINS 4 ALLOW FILTERING", "21");
    EQ("SELECT v FROM t WHERE m CONTAINS 3 ALLOW FILTERING", "");
    EQ("SELECT v FROM t WHERE m['a'] = 1 ALLOW FILTERING", "21");
    EQ("SELECT v FROM t WHERE m['a'] = 2 ALLOW FILTERING", "");
    EQ("SELECT v FROM t WHERE v = null ALLOW FILTERING",
       "INVALID: Unsupported null value for column v");
    PAGES("SELECT v FROM t WHERE v > 11 ALLOW FILTERING", 2, "12; 21 / 31");
}

static void test_selectors(void **state)
{
    struct data *d = *state;
    EQ("SELECT m['a'], m['x'], m['b'..], l FROM t WHERE k = 1 AND c = 2", "1|null|{'b': 2}|[3, 4]");
    EQ("SELECT writetime(v), ttl(v), writetime(m['a']) FROM t WHERE k = 1 AND c = 2",
       "1000|null|1000");
    EQ("SELECT writetime(m), maxwritetime(m), ttl(m) FROM t WHERE k = 1 AND c = 2",
       "[1000, 1000]|1000|[null, null]");
    EQ("SELECT writetime(m) FROM t WHERE k = 2", "null");
    EQ("SELECT v + 1, -v, v * 2 FROM t WHERE k = 2", "6|-5|10");
    EQ("SELECT (v + 1) * 2 FROM t WHERE k = 2", "12");
    EQ("SELECT [v, c], {v, c}, (v, c) FROM t WHERE k = 2", "[5, 1]|{1, 5}|(5, 1)");
    EQ("SELECT CAST(v AS text), (bigint) 7, CAST(v AS int) FROM t WHERE k = 2", "'5'|7|5");
    EQ("SELECT abs(-3), v AS w FROM t WHERE k = 2", "3|5");
    EQ("SELECT token(k) FROM t WHERE k = 1 LIMIT 1", "-4069959284402364209");
    assert_string_equal(query_columns(d, "SELECT count(*), COUNT(1), count(v), max(v) AS m, v, "
                                         "m['a'], m['a'..'b'], writetime(v) FROM t"),
                        "count bigint, count bigint, system.count(v) bigint, m int, v int, m['a'] "
                        "int, m['a'..'b'] map<text, int>, "
                        "writetime(v) bigint");
    assert_string_equal(
        query_columns(
            d, "SELECT now(), token(k), CAST(v AS text), v + 1, -v, (int)1, [v, v], ttl(v) FROM t"),
        "system.now() timeuuid, system.token(k) bigint, cast(v as text) text, v + 1 int, -v int, "
        "(int)1 int, "
        "[v, v] list<int>, ttl(v) int");
}

static void test_aggregates(void **state)
{
    struct data *d = *state;
    EQ("SELECT count(*) FROM t", "6");
    EQ("SELECT count(*) FROM t WHERE k = 1", "4");
    EQ("SELECT count(v), sum(v), min(v), max(v), avg(v) FROM t", "5|80|5|31|16");
    EQ("SELECT count(*) FROM t WHERE k = 77", "0");
    EQ("SELECT max(v), v, c FROM t WHERE k = 1", "31|11|1");
    EQ("SELECT max(v), v FROM t WHERE k = 77", "null|null");
    EQ("SELECT count(*) FROM t WHERE k IN ()", "0");
    EQ("SELECT sum(v) + 1 FROM t WHERE k = 1", "76");
    EQ("SELECT count(*) FROM t WHERE v > 11 ALLOW FILTERING", "3");
    PAGES("SELECT count(*) FROM t", 1, "6");
    EQ("SELECT k, count(*), max(v) FROM t GROUP BY k", "1|4|31; 2|1|5; 9|1|null");
    EQ("SELECT k, c, count(*) FROM t GROUP BY k, c", "1|1|2; 1|2|1; 1|3|1; 2|1|1; 9|null|1");
    EQ("SELECT k, c, count(*) FROM t GROUP BY k, c PER PARTITION LIMIT 2",
       "1|1|2; 1|2|1; 2|1|1; 9|null|1");
    EQ("SELECT k, c, count(*) FROM t GROUP BY k, c LIMIT 2", "1|1|2; 1|2|1");
    EQ("SELECT c, d, v FROM t WHERE k = 1 GROUP BY c", "1|1|11; 2|1|21; 3|1|31");
    PAGES("SELECT k, c, count(*) FROM t GROUP BY k, c", 2,
          "1|1|2; 1|2|1 / 1|3|1; 2|1|1 / 9|null|1");
    PAGES("SELECT k, c, s, count(*) FROM t GROUP BY k, c", 1,
          "1|1|100|2 / 1|2|100|1 / 1|3|100|1 / 2|1|null|1 / 9|null|900|1 / ");
    assert_string_equal(query(d, "SELECT count(*) FROM t"), "6");
    assert_int_equal(d->f.warnings.n, 4 + strlen("Aggregation query used without partition key"));
}

// Every query gives the same rows whatever the pages and chunks are.
static void test_paging(void **state)
{
    struct data *d = *state;
    PAGES("SELECT v FROM t", 2, "11; 12 / 21; 31 / 5; null");
    PAGES("SELECT k, s, v FROM t", 3,
          "1|100|11; 1|100|12; 1|100|21 / 1|100|31; 2|null|5; 9|900|null");
    PAGES("SELECT v FROM t LIMIT 3", 2, "11; 12 / 21");
    PAGES("SELECT v FROM t PER PARTITION LIMIT 3", 2, "11; 12 / 21; 5 / null");
    PAGES("SELECT v FROM t WHERE k IN (2, 1, 9)", 2, "11; 12 / 21; 31 / 5; null");
    PAGES("SELECT v FROM t WHERE k = 1 ORDER BY c DESC", 3, "31; 21; 12 / 11");
    PAGES("SELECT DISTINCT k, s FROM t", 1, "1|100 / 2|null / 9|900");
    PAGES("SELECT v FROM t WHERE k IN (1, 2) ORDER BY c", 2,
          "INVALID: Cannot page queries with both ORDER BY and a IN restriction on the partition "
          "key; you must either remove the ORDER "
          "BY or the IN and sort client side, or disable paging for this query");
    static const char *const queries[] = {
        "SELECT k, c, d, s, m, v FROM t",
        "SELECT k, c, v FROM t WHERE k IN (1, 2, 9)",
        "SELECT k, v FROM t WHERE k = 1 ORDER BY c DESC",
        "SELECT DISTINCT k, s FROM t",
        "SELECT k, v FROM t PER PARTITION LIMIT 2",
        "SELECT k, v, s FROM t WHERE d = 1 ALLOW FILTERING",
        "SELECT k, c, s, count(*), sum(v) FROM t GROUP BY k, c",
        "SELECT k, c, d, v FROM t WHERE k = 1 AND (c, d) > (1, 1) LIMIT 2",
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        d->chunk_rows = 0;
        char *whole = strdup(query(d, queries[i]));
        for (uint32_t chunk = 1; chunk < 6; chunk++)
            for (int32_t page = 1; page < 8; page++) {
                d->chunk_rows = chunk;
                char *pages = strdup(query_pages(d, queries[i], page)), *at;
                while ((at = strstr(pages, " / "))) { // join the pages again
                    memmove(at, at + 1, strlen(at));
                    at[0] = ';';
                    at[1] = ' ';
                    if (at[2] == 0 || strncmp(at + 2, "/ ", 2) == 0)
                        at[0] = 0; // an empty last page
                }
                assert_string_equal(pages, whole);
                free(pages);
            }
        free(whole);
    }
    d->chunk_rows = 0;
}

static void test_hostile_paging_state(void **state)
{
    struct data *d = *state;
    const char *cql = "SELECT v FROM t";
    struct buf good = first_state(d, cql, 2);
    assert_true(good.n > 0);
    assert_string_equal(query_state(d, cql, buf_bytes(&good)), "21");
    struct bytes bad[] = {bytes_str(""), bytes_str("x"),
                          bytes_str("\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                          bytes_str("garbage!")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(query_state(d, cql, bad[i]),
                            "PROTOCOL: Invalid value for the paging state");
    for (size_t i = 0; i < good.n;
         i++) { // every truncation and every flipped byte: an error or some rows, never more
        uint8_t *copy = malloc(good.n);
        memcpy(copy, good.p, good.n);
        assert_string_equal(query_state(d, cql, bytes_of(copy, i)),
                            "PROTOCOL: Invalid value for the paging state");
        for (int bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            query_state(d, cql, bytes_of(copy, good.n));
            copy[i] ^= (uint8_t)(1 << bit);
        }
        free(copy);
    }
    assert_string_equal(query_state(d, "SELECT v FROM t WHERE k = 5", buf_bytes(&good)),
                        "PROTOCOL: Invalid value for the paging state");
    buf_free(&good);
}

static void test_binds(void **state)
{
    struct data *d = *state;
    struct arena a;
    arena_init(&a, 0);
    struct bytes two[] = {value_of_i32(&a, 1), value_of_i32(&a, 2)};
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = ? AND c = ?", two, 2), "21");
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = ? LIMIT ?", two, 2), "11; 12");
    struct bytes null[] = {BYTES_NULL};
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = ?", null, 1),
                        "INVALID: Invalid null value in condition for column k");
    struct bytes unset[] = {bytes_unset()};
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = ?", unset, 1),
                        "INVALID: Invalid unset value for column k");
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = 2 LIMIT ?", unset, 1), "5");
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = 2 LIMIT ?", null, 1),
                        "INVALID: Invalid null value of limit");
    struct bytes shorter[] = {bytes_str("abc")};
    assert_string_equal(query_values(d, "SELECT v FROM t WHERE k = ?", shorter, 1),
                        "INVALID: Expected 4 or 0 byte int (3)");
    struct buf list = buf_in(&a);
    collection_begin(&list, 3);
    value_put(&list, two[1]);
    value_put(&list, two[0]);
    value_put(&list, two[1]);
    struct bytes in[] = {buf_bytes(&list)};
    assert_string_equal(
        query_values(d, "SELECT k, v FROM t WHERE k IN ? PER PARTITION LIMIT 1", in, 1),
        "1|11; 2|5");
    struct bytes empty[] = {bytes_str("\0\0\0\0")};
    empty[0].n = 4;
    empty[0].p = (const uint8_t *)"\0\0\0\0";
    assert_string_equal(query_values(d, "SELECT k FROM t WHERE k IN ?", empty, 1), "");
    assert_string_equal(query_values(d, "SELECT k FROM t WHERE k IN ?", null, 1),
                        "INVALID: Invalid null value for column k");
    arena_free(&a);
}

static void test_errors(void **state)
{
    struct data *d = *state;
    EQ("SELECT nope FROM t", "INVALID: Undefined column name nope in table ks.t");
    EQ("SELECT v FROM nope", "INVALID: table nope does not exist");
    EQ("SELECT v FROM nope.t", "INVALID: keyspace nope does not exist");
    EQ("SELECT foo(v) FROM t", "INVALID: Unknown function 'foo'");
    EQ("SELECT 1 FROM t", "INVALID: Cannot infer type for term 1 in selection clause (try using a "
                          "cast to force a type)");
    EQ("SELECT v + 'a' FROM t", "INVALID: the '+' operation is not supported between v and 'a'");
    EQ("SELECT max(count(v)) FROM t",
       "INVALID: aggregate functions cannot be used as arguments of aggregate functions");
    EQ("SELECT l[0] FROM t",
       "INVALID: Element selection is only allowed on sets and maps, but l is a list");
    EQ("SELECT v[0] FROM t",
       "INVALID: Invalid element selection: v is of type int is not a collection");
    EQ("SELECT v.x FROM t", "INVALID: Invalid field selection: v of type int is not a user type");
    EQ("SELECT writetime(k) FROM t",
       "INVALID: Cannot use selection function writetime on PRIMARY KEY part k");
    EQ("SELECT JSON v FROM t", "INVALID: SELECT JSON is not implemented yet");
    EQ("SELECT DISTINCT v FROM t", "INVALID: SELECT DISTINCT queries must only request partition "
                                   "key columns and/or static columns (not v)");
    EQ("SELECT DISTINCT s FROM t",
       "INVALID: SELECT DISTINCT queries must request all the partition key columns (missing k)");
    EQ("SELECT DISTINCT k, s FROM t PER PARTITION LIMIT 1",
       "INVALID: PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
    EQ("SELECT count(*) FROM t PER PARTITION LIMIT 1",
       "INVALID: PER PARTITION LIMIT is not allowed with aggregate queries.");
    EQ("SELECT v FROM t GROUP BY v",
       "INVALID: Group by is currently only supported on the columns of the PRIMARY KEY, got v");
    EQ("SELECT v FROM t GROUP BY c", "INVALID: Group by currently only support groups of columns "
                                     "following their declared order in the PRIMARY KEY");
    EQ("SELECT v FROM t WHERE k = 1 ORDER BY d",
       "INVALID: Order by currently only supports the ordering of columns following their declared "
       "order in the PRIMARY KEY");
    EQ("SELECT v FROM t WHERE k = 1 ORDER BY c, d DESC", "INVALID: Unsupported order by relation");
    EQ("SELECT v FROM t ORDER BY c", "INVALID: ORDER BY is only supported when the partition key "
                                     "is restricted by an EQ or an IN.");
    EQ("SELECT v FROM t WHERE k = 1 LIMIT 0", "INVALID: LIMIT must be strictly positive");
    EQ("SELECT v FROM t USING CONSISTENCY blue",
       "INVALID: Unknown consistency level blue; allowed are ANY, ONE, TWO, THREE, QUORUM, ALL, "
       "LOCAL_QUORUM, EACH_QUORUM, SERIAL, "
       "LOCAL_SERIAL, LOCAL_ONE, NODE_LOCAL");
}

static void test_statement_metadata(void **state)
{
    struct data *d = *state;
    struct statement *s;
    struct fail fail = {.arena = &d->f.arena};
    assert_int_equal(statement_compile(bytes_str("SELECT v FROM t WHERE c = ? AND k = :key LIMIT ? "
                                                 "USING CONSISTENCY local_quorum AND TIMEOUT 2s"),
                                       d->f.schema, bytes_str("ks"), &s, &fail),
                     OK);
    assert_int_equal(s->binds_count, 3);
    assert_true(bytes_equal_str(s->binds[0].name, "c") &&
                bytes_equal_str(s->binds[1].name, "key") &&
                bytes_equal_str(s->binds[2].name, "[limit]"));
    assert_int_equal(s->pk_bind_count, 1);
    assert_int_equal(s->pk_bind_indexes[0], 1);
    assert_int_equal(statement_consistency(s, CL_ONE), CL_LOCAL_QUORUM);
    struct exec_env env = {.arena = &d->f.arena, .fail = &fail};
    int64_t us;
    assert_int_equal(statement_timeout_us(s, &env, &us), OK);
    assert_int_equal(us, 2000000);
    statement_ref(s);
    statement_unref(s);
    statement_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_and_slices),
        cmocka_unit_test(test_static),
        cmocka_unit_test(test_filtering),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_aggregates),
        cmocka_unit_test(test_paging),
        cmocka_unit_test(test_hostile_paging_state),
        cmocka_unit_test(test_binds),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_statement_metadata),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
