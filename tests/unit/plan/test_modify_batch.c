// Batches: which statements may stand together, what they become, and the warnings.
#include "tests/unit/plan/modify_fixture.h"

#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct fixture f;

static int open_schema(void **state)
{
    (void)state;
    static const char *const ddl[] = {
        "CREATE TABLE o (k int PRIMARY KEY, v text)",
        "CREATE TABLE p (k int PRIMARY KEY, v text) WITH gc_grace_seconds = 0",
        "CREATE TABLE t (p int, c int, v int, s int static, l list<int>, m map<text, int>, PRIMARY "
        "KEY (p, c))",
        "CREATE TABLE tt (p int, c int, v text, s text static, m map<text, text>, PRIMARY KEY (p, "
        "c))",
        "CREATE TABLE n (k int PRIMARY KEY, v counter)",
        NULL,
    };
    fixture_open(&f, ddl);
    return 0;
}

static int close_schema(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

#define RUN(cql, expected)  assert_string_equal(run(&f, "BEGIN " cql " APPLY BATCH"), expected)
#define FAILS(cql, message) RUN(cql, "INVALID " message)
#define MESSAGE(kind, expected, ...)                               \
    do {                                                           \
        static const char *const parts[] = {__VA_ARGS__, NULL};    \
        assert_string_equal(run_batch(&f, kind, parts), expected); \
    } while (0)

static void changes_of_a_partition_are_joined(void **state)
{
    (void)state;
    RUN("BATCH INSERT INTO t (p, c, v) VALUES (1, 2, 1); UPDATE t SET v = 2, s = 7 WHERE p = 1 AND "
        "c = 1; "
        "INSERT INTO o (k, v) VALUES (5, 'a'); DELETE FROM t WHERE p = 1 AND c > 8; UPDATE t SET s "
        "= 8 WHERE p = 1;",
        "OK t(1): static{ s=8 } range[8~ .. ~)-@1000 row(1){ v=2 } row(2){ marker v=1 } o(5): "
        "row(){ marker v='a' }");
    RUN("BATCH UPDATE t SET v = 1 WHERE p = 4 AND c = 2; UPDATE t SET v = 3 WHERE p = 4 AND c = 2; "
        "UPDATE t SET v = 2 WHERE p = 4 AND c = 2;",
        "OK t(4): row(2){ v=3 }");
    RUN("BATCH INSERT INTO t (p, c, v) VALUES (4, 1, 1); DELETE FROM t WHERE p = 4 AND c = 1;",
        "OK t(4): row(1){ deleted@1000 }");
    RUN("BATCH DELETE FROM t USING TIMESTAMP 5 WHERE p = 4; DELETE FROM t WHERE p = 4; "
        "INSERT INTO t (p, c) VALUES (4, 1);",
        "OK t(4): partition-@1000 row(1){ marker }");
    RUN("BATCH UPDATE t SET m['a'] = 1 WHERE p = 1 AND c = 1; UPDATE t SET m = {'b': 2} WHERE p = "
        "1 AND c = 1;",
        "OK t(1): row(1){ m[]-@999 m['a']=1 m['b']=2 }");
    RUN("BATCH", "OK");
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    f.timeuuid.last_ticks = 0;
    RUN("BATCH UPDATE t SET l = l + [1] WHERE p = 5 AND c = 1; UPDATE t SET l = l + [2] WHERE p = "
        "5 AND c = 1; "
        "UPDATE t SET l = [0] + l WHERE p = 5 AND c = 1;",
        "OK t(5): row(1){ l[-875392000001]=0 l[+0]=1 l[+0]=2 }");
}

static void timestamps(void **state)
{
    (void)state;
    RUN("BATCH USING TIMESTAMP 12 INSERT INTO o (k) VALUES (1); DELETE FROM t WHERE p = 1;",
        "OK o(1): row(){ marker@12 } t(1): partition-@12");
    RUN("BATCH INSERT INTO o (k) VALUES (1) USING TIMESTAMP 3; INSERT INTO o (k, v) VALUES (1, "
        "'a') USING TIMESTAMP 2;",
        "OK o(1): row(){ marker@3 v='a'@2 }");
    FAILS("BATCH USING TIMESTAMP 1 INSERT INTO o (k) VALUES (1) USING TIMESTAMP 10;",
          "Timestamp must be set either on BATCH or individual statements");
    FAILS("BATCH USING TTL 10 INSERT INTO o (k) VALUES (1);",
          "Global TTL on the BATCH statement is not supported.");
    assert_string_equal(
        prepare(&f,
                "BEGIN BATCH USING TIMESTAMP ? INSERT INTO o (k, v) VALUES (?, ?); APPLY BATCH"),
        "OK [timestamp]:bigint k:int v:text");
    assert_string_equal(prepare(&f, "BEGIN BATCH INSERT INTO o (k, v) VALUES (?, ?); INSERT INTO o "
                                    "(k, v) VALUES (?, ?); APPLY BATCH"),
                        "OK k:int v:text k:int v:text pk=2");
    assert_string_equal(prepare(&f, "BEGIN BATCH INSERT INTO o (k) VALUES (?); INSERT INTO t (p, "
                                    "c) VALUES (?, 1); APPLY BATCH"),
                        "OK k:int p:int");
    struct bytes values[] = {bigint_value(&f, 5), int_value(&f, 1), bytes_str("x")};
    assert_string_equal(
        run_values(&f,
                   "BEGIN BATCH USING TIMESTAMP ? INSERT INTO o (k, v) VALUES (?, ?); APPLY BATCH",
                   values, 3, BYTES_NULL),
        "OK o(1): row(){ marker@5 v='x'@5 }");
}

static void rules(void **state)
{
    (void)state;
    FAILS("BATCH DELETE FROM n WHERE k = 1;",
          "Cannot include a counter statement in a logged batch");
    FAILS("COUNTER BATCH INSERT INTO o (k) VALUES (7);",
          "Cannot include non-counter statement in a counter batch");
    FAILS("UNLOGGED BATCH DELETE FROM n WHERE k = 1; INSERT INTO o (k) VALUES (7);",
          "Counter and non-counter mutations cannot exist in the same batch");
    FAILS("COUNTER BATCH USING TIMESTAMP 1 DELETE FROM n WHERE k = 1;",
          "Cannot provide custom timestamp for counter BATCH");
    FAILS("BATCH UPDATE n SET v = v + 1 WHERE k = 1;",
          "Cannot include a counter statement in a logged batch");
    FAILS("COUNTER BATCH UPDATE n SET v = v + 1 WHERE k = 1;", "counters are not implemented yet");
    RUN("COUNTER BATCH DELETE FROM n WHERE k = 1;", "OK n(1): partition-@1000");
    FAILS("BATCH INSERT INTO nosuch (k) VALUES (1);", "table nosuch does not exist");
    FAILS("BATCH INSERT INTO o (k) VALUES (7); INSERT INTO o (k) VALUES ('x');",
          "Invalid STRING constant (x) for \"k\" of type int");
}

static void batch_messages(void **state)
{
    (void)state;
    MESSAGE(MODIFY_BATCH_LOGGED, "OK o(1): row(){ marker v='a' } t(1): row(1){ v=2 }",
            "INSERT INTO o (k) VALUES (1)", "UPDATE t SET v = 2 WHERE p = 1 AND c = 1",
            "UPDATE o SET v = 'a' WHERE k = 1");
    MESSAGE(MODIFY_BATCH_LOGGED, "INVALID Cannot include a counter statement in a logged batch",
            "DELETE FROM n WHERE k = 1");
    MESSAGE(MODIFY_BATCH_COUNTER, "INVALID Cannot include non-counter statement in a counter batch",
            "INSERT INTO o (k) VALUES (1)");
    MESSAGE(MODIFY_BATCH_UNLOGGED,
            "INVALID Invalid statement in batch: only UPDATE, INSERT and DELETE statements are "
            "allowed.",
            "BEGIN BATCH APPLY BATCH");
    MESSAGE(MODIFY_BATCH_LOGGED, "INVALID There were 1 markers(?) in CQL but 0 bound variables",
            "INSERT INTO o (k) VALUES (?)");
}

static char *batch_of(const char *kind, int statements, int partitions, int bytes)
{
    static char text[1 << 18];
    int n = snprintf(text, sizeof text, "BEGIN %s BATCH ", kind);
    for (int i = 0; i < statements; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "INSERT INTO o (k, v) VALUES (%d, '%0*d'); ", i % partitions, bytes, 0);
    snprintf(text + n, sizeof text - (size_t)n, "APPLY BATCH");
    return text;
}

static void sizes(void **state)
{
    (void)state;
    assert_null(strstr(run(&f, batch_of("", 2, 2, 2000)), "warning"));
    const char *warning = "is of size 6140, exceeding specified threshold of 5120 by 1020.";
    assert_non_null(strstr(run(&f, batch_of("", 2, 2, 3000)), " warning: Batch for [ks.o] "));
    assert_non_null(strstr(run(&f, batch_of("UNLOGGED", 2, 2, 3000)), warning));
    assert_null(
        strstr(run(&f, batch_of("", 2, 1, 30000)), "warning")); // one partition may be of any size
    assert_string_equal(run(&f, batch_of("", 2, 2, 30000)), "INVALID Batch too large");
    assert_null(strstr(run(&f, batch_of("UNLOGGED", 10, 10, 1)), "warning"));
    assert_null(strstr(run(&f, batch_of("", 11, 11, 1)), "warning"));
    assert_non_null(strstr(run(&f, batch_of("UNLOGGED", 11, 11, 1)),
                           " warning: Unlogged batch covering 11 partitions detected against table "
                           "[ks.o]. You should use a "
                           "logged batch for atomicity, or asynchronous writes for performance."));
    RUN("BATCH INSERT INTO p (k) VALUES (1);",
        "OK p(1): row(){ marker } warning: Executing a LOGGED BATCH on table [ks.p], configured "
        "with a gc_grace_seconds of 0. "
        "The gc_grace_seconds is used to TTL batchlog entries, so setting gc_grace_seconds too low "
        "on tables involved in an "
        "atomic batch might cause batchlog entries to expire before being replayed.");
}

// Sizes of batches as Cassandra told them.
static void data_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *more;
        int size;
    } cases[] = {
        {"UPDATE o SET v = '%03000d' WHERE k = 1", "UPDATE o SET v = '%03000d' WHERE k = 2", "",
         6140},
        {"UPDATE o SET v = '%03000d' WHERE k = 1", "UPDATE o SET v = '%03000d' WHERE k = 2",
         "DELETE FROM o WHERE k = 3", 6169},
        {"INSERT INTO tt (p, c, v) VALUES (1, 1, '%03000d')",
         "INSERT INTO tt (p, c, v) VALUES (2, 1, '%03000d')", "", 6148},
        {"INSERT INTO tt (p, c, v) VALUES (1, 1, '%03000d')",
         "INSERT INTO tt (p, c, v) VALUES (2, 1, '%03000d')",
         "DELETE FROM tt WHERE p = 1 AND c = 2", 6173},
        {"INSERT INTO tt (p, c, v) VALUES (1, 1, '%03000d')",
         "INSERT INTO tt (p, c, v) VALUES (2, 1, '%03000d')",
         "DELETE v FROM tt WHERE p = 1 AND c = 2", 6193},
        {"UPDATE tt SET m = {'x': '%03000d'} WHERE p = 1 AND c = 1",
         "UPDATE tt SET m['x'] = '%03000d' WHERE p = 2 AND c = 1", "", 6174},
        {"UPDATE tt SET s = '%03000d' WHERE p = 1", "UPDATE tt SET s = '%03000d' WHERE p = 2", "",
         6098},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[8000], format[300], warning[64];
        snprintf(format, sizeof format, "BEGIN BATCH %s; %s; %s APPLY BATCH", cases[i].first,
                 cases[i].second, cases[i].more);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, format, 0, 0);
#pragma GCC diagnostic pop
        snprintf(warning, sizeof warning, "is of size %d,", cases[i].size);
        if (strstr(run(&f, text), warning) == NULL)
            fail_msg("case %zu is not %s but %s", i, warning, strstr(run(&f, text), "warning"));
    }
}

static void many_rows(void **state)
{
    (void)state;
    const char *text = run(&f, batch_of("", 3000, 1, 3));
    assert_string_equal(text, "OK o(0): row(){ marker v='000' }");
    text = run(&f, batch_of("", 300, 300, 3));
    assert_memory_equal(text, "OK o(0): row(){ marker v='000' } o(1): row(){ marker v='000' } o(2)",
                        67);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_a_partition_are_joined),
        cmocka_unit_test(lists_keep_their_order),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(rules),
        cmocka_unit_test(batch_messages),
        cmocka_unit_test(sizes),
        cmocka_unit_test(data_sizes),
        cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
