// WHERE: what may be restricted how, and the ranges of encoded keys that come of it.
#include "tests/unit/plan/select_fixture.h"

#include "cql/plan/restrict.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NEEDS_FILTERING                                                                        \
    "INVALID: Cannot execute this query as it might involve data filtering and thus may have " \
    "unpredictable performance. If you "                                                       \
    "want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

static const char *const schema[] = {
    "CREATE TABLE t (k int, c int, d int, e int, v int, s int static, m map<text, int>, l "
    "list<int>, f frozen<map<text, int>>, "
    "PRIMARY KEY (k, c, d, e))",
    "CREATE TABLE p (a int, b int, c int, v int, PRIMARY KEY ((a, b), c))",
    "CREATE TABLE mixed (k int, a int, b int, c int, v int, PRIMARY KEY (k, a, b, c)) WITH "
    "CLUSTERING ORDER BY (a ASC, b DESC, c ASC)",
    "CREATE TABLE du (k int PRIMARY KEY, d duration, l list<duration>)",
    NULL,
};

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

static void expect(struct data *d, const char *where, const char *text)
{
    char cql[512];
    snprintf(cql, sizeof cql, "SELECT v FROM %s", where);
    assert_string_equal(query(d, cql), text);
}

static void test_errors(void **state)
{
    struct data *d = *state;
    expect(d, "t WHERE d = 1 AND k = 1",
           "INVALID: PRIMARY KEY column \"d\" cannot be restricted as preceding column \"c\" is "
           "not restricted");
    expect(d, "t WHERE c > 1 AND d > 2 AND k = 1",
           "INVALID: Clustering column \"d\" cannot be restricted (preceding column \"c\" is "
           "restricted by a non-EQ relation)");
    expect(d, "t WHERE d > 1 AND c > 2 AND k = 1",
           "INVALID: PRIMARY KEY column \"d\" cannot be restricted (preceding column \"c\" is "
           "restricted by a non-EQ relation)");
    expect(d, "t WHERE c = 1 AND c > 2 AND k = 1",
           "INVALID: c cannot be restricted by more than one relation if it includes an Equal");
    expect(d, "t WHERE c IN (1, 2) AND c = 2 AND k = 1",
           "INVALID: c cannot be restricted by more than one relation if it includes a IN");
    expect(d, "t WHERE c > 1 AND c = 2 AND k = 1",
           "INVALID: Column \"c\" cannot be restricted by both an equality and an inequality "
           "relation");
    expect(d, "t WHERE c > 1 AND c > 2 AND k = 1",
           "INVALID: More than one restriction was found for the start bound on c");
    expect(d, "t WHERE (c, d) > (1, 2) AND d > 1 AND k = 1",
           "INVALID: Column \"d\" cannot be restricted by two inequalities not starting with the "
           "same column");
    expect(d, "t WHERE (d, c) > (1, 2) AND k = 1",
           "INVALID: Clustering columns must appear in the PRIMARY KEY order in multi-column "
           "relations: (d, c) > (1, 2)");
    expect(d, "t WHERE (c, c) > (1, 2) AND k = 1",
           "INVALID: Column \"c\" appeared twice in a relation: (c, c) > (1, 2)");
    expect(d, "t WHERE (c, v) > (1, 2) AND k = 1",
           "INVALID: Multi-column relations can only be applied to clustering columns but was "
           "applied to: v");
    expect(d, "t WHERE (c, d) = (1, 2, 3) AND k = 1",
           "INVALID: Expected 2 elements in value tuple, but got 3: (1, 2, 3)");
    expect(d, "t WHERE c = 1", NEEDS_FILTERING);
    expect(d, "t WHERE k > 1", NEEDS_FILTERING);
    expect(d, "p WHERE a = 1", NEEDS_FILTERING);
    expect(d, "t WHERE k = 1 AND s = 1", NEEDS_FILTERING);
    expect(d, "t WHERE v != 3", "INVALID: Unsupported \"!=\" relation: v != 3");
    expect(d, "t WHERE v IS NOT NULL", "INVALID: Unsupported restriction: v IS NOT NULL");
    expect(d, "t WHERE v LIKE 1",
           "INVALID: LIKE restriction is only supported on properly indexed columns. v LIKE 1 is "
           "not valid.");
    expect(d, "t WHERE expr(foo, 'x')",
           "INVALID: Invalid index expression, index foo not found for ks.t");
    expect(
        d, "t WHERE m = {'a': 1}",
        "INVALID: Collection column 'm' (map<text, int>) cannot be restricted by a '=' relation");
    expect(
        d, "t WHERE m IN ({'a': 1})",
        "INVALID: Collection column 'm' (map<text, int>) cannot be restricted by a 'IN' relation");
    expect(d, "t WHERE v CONTAINS 1", "INVALID: Cannot use CONTAINS on non-collection column v");
    expect(d, "t WHERE l CONTAINS KEY 1", "INVALID: Cannot use CONTAINS KEY on non-map column l");
    expect(d, "t WHERE l[0] = 1",
           "INVALID: Indexes on list entries (l[index] = value) are not currently supported.");
    expect(d, "t WHERE v[0] = 1", "INVALID: Column v cannot be used as a map");
    expect(d, "t WHERE f['a'] = 1",
           "INVALID: Map-entry equality predicates on frozen map column f are not supported");
    expect(d, "t WHERE m['a'] > 1", "INVALID: Only EQ relations are supported on map entries");
    expect(d, "t WHERE token(c) > 1",
           "INVALID: The token() function must be applied to all partition key components or none "
           "of them");
    expect(d, "p WHERE token(b, a) > 1",
           "INVALID: The token function arguments must be in the partition key order: a, b");
    expect(d, "t WHERE token(k, c) > 1",
           "INVALID: The token() function must contains only partition key components");
    expect(d, "t WHERE token(k) > 'a'",
           "INVALID: Invalid STRING constant (a) for \"partition key token\" of type bigint");
    expect(d, "t WHERE token(k) = 1 AND token(k) = 2",
           "INVALID: k cannot be restricted by more than one relation if it includes an Equal");
    expect(d, "t WHERE k = null", "INVALID: Invalid null value in condition for column k");
    expect(d, "t WHERE k IN (1, null)", "INVALID: Invalid null value in condition for column k");
    expect(d, "t WHERE k = 1 AND (c, d) IN ((1, null), (1, 2))",
           "INVALID: Invalid null value in condition for columns: [c, d]");
    expect(d, "t WHERE k = 1 AND (c, d) > (1, null)",
           "INVALID: Invalid null value in condition for column d");
    assert_string_equal(query(d, "SELECT k FROM du WHERE d > 1h ALLOW FILTERING"),
                        "INVALID: Slice restrictions are not supported on duration columns");
    assert_string_equal(
        query(d, "SELECT s FROM t WHERE k = 1 AND c = 1"),
        "INVALID: Cannot restrict clustering columns when selecting only static columns");
}

static void test_modifications(void **state)
{
    struct fixture *f = &((struct data *)*state)->f;
    assert_string_equal(run(f, "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1"),
                        "INVALID Some clustering keys are missing: e");
    assert_string_equal(run(f, "UPDATE t SET v = 1 WHERE c = 1 AND d = 1 AND e = 1"),
                        "INVALID Some partition key parts are missing: k");
    assert_string_equal(run(f, "UPDATE t SET v = 1 WHERE k > 1 AND c = 1 AND d = 1 AND e = 1"),
                        "INVALID Only EQ and IN relation are supported on the partition key "
                        "(unless you use the token() function) for "
                        "UPDATE statements");
    assert_string_equal(
        run(f, "UPDATE t SET v = 1 WHERE token(k) = 1 AND c = 1"),
        "INVALID The token function cannot be used in WHERE clauses for UPDATE statements");
    assert_string_equal(run(f, "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 AND e > 1"),
                        "INVALID Slice restrictions are not supported on the clustering columns in "
                        "UPDATE statements");
    assert_string_equal(
        run(f, "UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 AND e = 1 AND v = 1"),
        "INVALID Non PRIMARY KEY columns found in where clause: v ");
    assert_string_equal(run(f, "DELETE FROM t WHERE k = 1 AND m CONTAINS 1"),
                        "INVALID Cannot use DELETE with CONTAINS");
    assert_string_equal(run(f, "UPDATE t SET s = 1 WHERE k = 1 AND c = 1"),
                        "INVALID Invalid restrictions on clustering columns since the UPDATE "
                        "statement modifies only static columns");
}

// Tuple slices over columns of different orders: each must choose exactly the rows that comparing values chooses.
static void test_mixed_order_slices(void **state)
{
    struct data *d = *state;
    static const char *const ops[] = {"<", "<=", ">", ">="};
    char cql[256], expected[4096];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            for (int c = 0; c < 3; c++) {
                snprintf(cql, sizeof cql,
                         "INSERT INTO mixed (k, a, b, c, v) VALUES (1, %d, %d, %d, %d)", a, b, c,
                         100 * a + 10 * b + c);
                data_write(d, cql);
            }
    for (int start = 0; start < 27; start += 5)
        for (int end = 0; end < 27; end += 4)
            for (int op = 0; op < 16; op++) {
                const char *low = ops[2 + op % 2], *high = ops[op / 2 % 2];
                int parts = 1 + op / 4 % 3; // columns of the end bound
                static const char *const names[] = {"(a)", "(a, b)", "(a, b, c)"};
                char tuple[32];
                int s[] = {start / 9, start / 3 % 3, start % 3},
                    n[] = {end / 9, end / 3 % 3, end % 3};
                if (parts == 1)
                    snprintf(tuple, sizeof tuple, "(%d)", n[0]);
                else if (parts == 2)
                    snprintf(tuple, sizeof tuple, "(%d, %d)", n[0], n[1]);
                else
                    snprintf(tuple, sizeof tuple, "(%d, %d, %d)", n[0], n[1], n[2]);
                snprintf(
                    cql, sizeof cql,
                    "SELECT v FROM mixed WHERE k = 1 AND (a, b, c) %s (%d, %d, %d) AND %s %s %s",
                    low, s[0], s[1], s[2], names[parts - 1], high, tuple);
                size_t at = 0;
                expected[0] = 0;
                for (int i = 0; i < 27; i++) { // in the table's order: b descends
                    int v[] = {i / 9, 2 - i / 3 % 3, i % 3};
                    int x = v[0] * 9 + v[1] * 3 + v[2];
                    int y = parts == 3   ? x
                            : parts == 2 ? x / 3
                                         : x / 9,
                        z = parts == 3   ? end
                            : parts == 2 ? end / 3
                                         : end / 9;
                    bool in = (op % 2 ? x >= start : x > start) && (op / 2 % 2 ? y <= z : y < z);
                    if (in)
                        at += (size_t)snprintf(expected + at, sizeof expected - at, "%s%d",
                                               at ? "; " : "", v[0] * 100 + v[1] * 10 + v[2]);
                }
                assert_string_equal(query(d, cql), expected);
            }
}

// The cross product of IN lists: ordered, without duplicates, bounded.
static void test_products(void **state)
{
    struct data *d = *state;
    data_write(d, "INSERT INTO p (a, b, c, v) VALUES (1, 1, 1, 1)");
    data_write(d, "INSERT INTO p (a, b, c, v) VALUES (1, 2, 1, 2)");
    data_write(d, "INSERT INTO p (a, b, c, v) VALUES (2, 1, 1, 3)");
    data_write(d, "INSERT INTO p (a, b, c, v) VALUES (2, 1, 7, 4)");
    expect(d, "p WHERE a IN (2, 1) AND b IN (1, 2, 1)", "1; 2; 3; 4");
    expect(d, "p WHERE a IN (2, 1) AND b = 1 AND c IN (7, 1, 7)", "1; 3; 4");
    expect(d, "p WHERE a = 2 AND b = 1 AND c IN ()", "");
    struct buf in = {0};
    buf_put_str(&in, "SELECT v FROM p WHERE a IN (1");
    for (int i = 0; i < 1100; i++)
        buf_printf(&in, ", %d", i);
    buf_put_str(&in, ") AND b IN (1");
    for (int i = 0; i < 1100; i++)
        buf_printf(&in, ", %d", i);
    buf_put_str(&in, ")");
    buf_u8(&in, 0);
    assert_non_null(
        strstr(query(d, (const char *)in.p),
               "INVALID: The cartesian product of the IN restrictions on partition key"));
    buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_modifications),
        cmocka_unit_test(test_mixed_order_slices),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
