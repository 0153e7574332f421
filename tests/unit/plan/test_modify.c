// INSERT, UPDATE and DELETE: what they change, as mutations, and Cassandra's errors. Recorded texts are those of
// Apache Cassandra 5.0.9.
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
        "CREATE TYPE u (a int, b text)",
        "CREATE TABLE o (k int PRIMARY KEY, v int)",
        "CREATE TABLE t (k int, c int, d int, v int, s int static, sl list<int> static, l "
        "list<int>, st set<int>, "
        "m map<text, int>, fl frozen<list<int>>, u u, fu frozen<u>, x text, PRIMARY KEY (k, c, d))",
        "CREATE TABLE n (k int PRIMARY KEY, v counter)",
        "CREATE TABLE tk (k text, c text, v int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c "
        "DESC)",
        "CREATE TABLE pp (a int, b text, v int, PRIMARY KEY ((a, b)))",
        "CREATE TABLE ttl (k int PRIMARY KEY, v int) WITH default_time_to_live = 100",
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

#define RUN(cql, expected)    assert_string_equal(run(&f, cql), expected)
#define FAILS(cql, message)   RUN(cql, "INVALID " message)
#define ROW(set, expected)    RUN("UPDATE t SET " set " WHERE k=1 AND c=2 AND d=3", expected)
#define ROW_FAILS(set, error) ROW(set, "INVALID " error)
#define VALUES(cql, expected, ...)                                                              \
    do {                                                                                        \
        struct bytes values[] = {__VA_ARGS__};                                                  \
        assert_string_equal(                                                                    \
            run_values(&f, cql, values, sizeof values / sizeof *values, BYTES_NULL), expected); \
    } while (0)
#define INT(x) int_value(&f, x)

static void inserts(void **state)
{
    (void)state;
    RUN("INSERT INTO o (k, v) VALUES (1, 2)", "OK o(1): row(){ marker v=2 }");
    RUN("INSERT INTO o (v, k) VALUES (null, 1)", "OK o(1): row(){ marker v- }");
    RUN("INSERT INTO o (k) VALUES (1)", "OK o(1): row(){ marker }");
    RUN("INSERT INTO t (k, c, d, v, x) VALUES (1, 2, 3, 4, 'y')",
        "OK t(1): row(2,3){ marker v=4 x='y' }");
    RUN("INSERT INTO t (k, s) VALUES (1, 5)", "OK t(1): static{ s=5 }");
    RUN("INSERT INTO t (k, c, d, s, v) VALUES (1, 2, 3, 4, 5)",
        "OK t(1): static{ s=4 } row(2,3){ marker v=5 }");
    RUN("INSERT INTO pp (a, b, v) VALUES (1, 'x', 2)", "OK pp(1,'x'): row(){ marker v=2 }");
    RUN("INSERT INTO tk (k, c, v) VALUES ('a', 'b', 2)", "OK tk('a'): row('b'){ marker v=2 }");
    RUN("INSERT INTO tk (k, c, v) VALUES ('a', '', 2)", "OK tk('a'): row(''){ marker v=2 }");
}

static void insert_errors(void **state)
{
    (void)state;
    FAILS("INSERT INTO t (k) VALUES (1)", "Some clustering keys are missing: c, d");
    FAILS("INSERT INTO t (k, c, s) VALUES (1, 1, 1)", "Some clustering keys are missing: d");
    FAILS("INSERT INTO t (c, d, v) VALUES (1, 1, 1)", "Some partition key parts are missing: k");
    FAILS("INSERT INTO t (k, c, d, zz) VALUES (1, 1, 1, 1)",
          "Undefined column name zz in table ks.t");
    FAILS("INSERT INTO t (k, c, d, v, v) VALUES (1, 1, 1, 1, 1)",
          "The column names contains duplicates");
    FAILS("INSERT INTO t (k, c, d) VALUES (1, 1)", "Unmatched column names/values");
    FAILS("INSERT INTO n (k, v) VALUES (1, 1)",
          "INSERT statements are not allowed on counter tables, use UPDATE instead");
    FAILS("INSERT INTO t (k, c, d) VALUES (1, 1, null)",
          "Invalid null value in condition for column d");
    FAILS("INSERT INTO t (k, c, d) VALUES (null, 1, 1)",
          "Invalid null value in condition for column k");
    FAILS("INSERT INTO tk (k, c, v) VALUES ('', '', 1)", "Key may not be empty");
    FAILS("INSERT INTO nosuch (k) VALUES (1)", "table nosuch does not exist");
    FAILS("INSERT INTO nosuch.t (k) VALUES (1)", "keyspace nosuch does not exist");
    FAILS("INSERT INTO system_views.clients (address, port) VALUES ('127.0.0.1', 1)",
          "Modification is not supported by table system_views.clients");
}

static void not_built_yet(void **state)
{
    (void)state;
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) IF NOT EXISTS",
          "INSERT … IF NOT EXISTS is not implemented yet");
    FAILS("UPDATE o SET v = 1 WHERE k = 1 IF EXISTS", "UPDATE … IF EXISTS is not implemented yet");
    FAILS("UPDATE o SET v = 1 WHERE k = 1 IF v = 2", "UPDATE … IF is not implemented yet");
    FAILS("DELETE FROM o WHERE k = 1 IF EXISTS", "DELETE … IF EXISTS is not implemented yet");
    FAILS("INSERT INTO o JSON '{}'", "INSERT JSON is not implemented yet");
    FAILS("UPDATE n SET v = v + 1 WHERE k = 1", "counters are not implemented yet");
    FAILS("UPDATE n SET v -= 1 WHERE k = 1", "counters are not implemented yet");
}

static void using_ttl_and_timestamp(void **state)
{
    (void)state;
    RUN("INSERT INTO o (k, v) VALUES (1, 2) USING TTL 5 AND TIMESTAMP 77",
        "OK o(1): row(){ marker@77!5 v=2@77!5 }");
    RUN("UPDATE o USING TTL 5 SET v = 2 WHERE k = 1", "OK o(1): row(){ v=2!5 }");
    RUN("INSERT INTO ttl (k, v) VALUES (1, 2)", "OK ttl(1): row(){ marker!100 v=2!100 }");
    RUN("INSERT INTO ttl (k, v) VALUES (1, 2) USING TTL 0", "OK ttl(1): row(){ marker v=2 }");
    RUN("DELETE v FROM ttl WHERE k = 1", "OK ttl(1): row(){ v- }");
    RUN("INSERT INTO o (k, v) VALUES (1, 2) USING TTL 630720000",
        "OK o(1): row(){ marker!630720000 v=2!630720000 }");
    RUN("INSERT INTO o (k) VALUES (1) USING TIMESTAMP -1", "OK o(1): row(){ marker@-1 }");
    RUN("DELETE FROM o USING TIMESTAMP 9 WHERE k = 1", "OK o(1): partition-@9");
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) USING TTL -1",
          "A TTL must be greater or equal to 0, but was -1");
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) USING TTL 630720001",
          "ttl is too large. requested (630720001) maximum (630720000)");
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) USING TTL 99999999999",
          "Unable to make int from '99999999999'");
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) USING TIMESTAMP 99999999999999999999",
          "Unable to make long from '99999999999999999999'");
    FAILS("INSERT INTO o (k, v) VALUES (1, 1) USING TIMESTAMP -9223372036854775808",
          "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]");
}

static void bound_values(void **state)
{
    (void)state;
    static const char insert[] = "INSERT INTO o (k, v) VALUES (?, ?) USING TTL ? AND TIMESTAMP ?";
    struct bytes unset = bytes_unset();
    VALUES(insert, "OK o(1): row(){ marker@5!3 v=2@5!3 }", INT(1), INT(2), INT(3),
           bigint_value(&f, 5));
    VALUES(insert, "OK o(1): row(){ marker }", INT(1), unset, unset, unset);
    VALUES(insert, "OK o(1): row(){ marker@5 v-@5 }", INT(1), BYTES_NULL, BYTES_NULL,
           bigint_value(&f, 5));
    VALUES(insert, "INVALID Invalid null value of timestamp", INT(1), INT(1), INT(5), BYTES_NULL);
    VALUES(insert, "INVALID A TTL must be greater or equal to 0, but was -5", INT(1), INT(1),
           INT(-5), unset);
    VALUES(insert, "INVALID Invalid null value in condition for column k", BYTES_NULL, INT(1),
           unset, unset);
    VALUES(insert, "INVALID Invalid unset value for column k", unset, INT(1), unset, unset);
    VALUES(insert, "INVALID there were 4 markers(?) in CQL but 1 bound variables", INT(1));
    VALUES("UPDATE o SET v = ? WHERE k = 1", "OK", unset);
    VALUES("UPDATE t SET v = ?, x = 'y' WHERE k = 1 AND c = 1 AND d = 1",
           "OK t(1): row(1,1){ x='y' }", unset);
    VALUES("UPDATE t SET v = 1 WHERE k = 1 AND c = ? AND d = 1",
           "INVALID Invalid unset value for column c", unset);
    VALUES("UPDATE t SET v = 1 WHERE k = 1 AND c = ? AND d = 1",
           "INVALID Invalid null value in condition for column c", BYTES_NULL);
    assert_string_equal(prepare(&f, insert), "OK k:int v:int [ttl]:int [timestamp]:bigint pk=0");
    assert_string_equal(
        prepare(&f, "UPDATE t SET l = l + ?, m = m - ?, st = st - ?, m['a'] = ?, u.a = ? "
                    "WHERE k = ? AND c = ? AND d = ?"),
        "OK l:list<int> m:set<text> st:set<int> value(m):int u.a:int k:int c:int d:int pk=5");
    assert_string_equal(
        prepare(&f, "DELETE l[?], m[?], st[?] FROM t WHERE k = ? AND c = ? AND d = ?"),
        "OK idx(l):int key(m):text value(st):int k:int c:int d:int pk=3");
}

static void key_sizes(void **state)
{
    (void)state;
    static uint8_t text[65536];
    memset(text, 'a', sizeof text);
    struct bytes fits = bytes_of(text, 65535), over = bytes_of(text, 65536), a = bytes_str("a");
    VALUES("INSERT INTO tk (k, c) VALUES (?, ?)",
           "INVALID Key length of 65536 is longer than maximum of 65535", over, a);
    VALUES("INSERT INTO tk (k, c) VALUES (?, ?)",
           "INVALID Key length of 65536 is longer than maximum of 65535", a, over);
    VALUES("UPDATE tk SET v = 1 WHERE k = ? AND c = ?",
           "INVALID Key length of 65536 is longer than maximum of 65535", a, over);
    struct bytes values[] = {fits, a};
    assert_memory_equal(
        run_values(&f, "INSERT INTO tk (k, c) VALUES (?, ?)", values, 2, BYTES_NULL), "OK tk", 5);
    struct bytes reverse[] = {a, fits};
    assert_memory_equal(
        run_values(&f, "INSERT INTO tk (k, c) VALUES (?, ?)", reverse, 2, BYTES_NULL), "OK tk", 5);
}

static void updates(void **state)
{
    (void)state;
    RUN("UPDATE o SET v = 2 WHERE k = 1", "OK o(1): row(){ v=2 }");
    RUN("UPDATE t SET s = 4 WHERE k = 1", "OK t(1): static{ s=4 }");
    ROW("s = 4, v = 5", "OK t(1): static{ s=4 } row(2,3){ v=5 }");
    ROW("fl = [1, 2], fu = {a: 1, b: 'x'}", "OK t(1): row(2,3){ fl=[1, 2] fu={a: 1, b: 'x'} }");
    RUN("UPDATE o SET v = 1 WHERE k IN (2, 1, 2)", "OK o(1): row(){ v=1 } o(2): row(){ v=1 }");
    RUN("UPDATE t SET v = 1 WHERE k IN (1, 2) AND c IN (3, 4) AND d = 5",
        "OK t(1): row(3,5){ v=1 } row(4,5){ v=1 } t(2): row(3,5){ v=1 } row(4,5){ v=1 }");
    RUN("UPDATE t SET v = 1 WHERE k = 1 AND (c, d) IN ((3, 4), (1, 2))",
        "OK t(1): row(1,2){ v=1 } row(3,4){ v=1 }");
    RUN("UPDATE t SET v = 1 WHERE k IN () AND c = 1 AND d = 1", "OK");
    RUN("UPDATE t SET v = 1 WHERE k = 1 AND c IN () AND d = 1", "OK");
}

static void update_errors(void **state)
{
    (void)state;
    FAILS("UPDATE o SET k = 2 WHERE k = 1", "PRIMARY KEY part k found in SET part");
    FAILS("UPDATE t SET c = 2 WHERE k = 1 AND c = 1 AND d = 1",
          "PRIMARY KEY part c found in SET part");
    FAILS("UPDATE o SET zz = 2 WHERE k = 1", "Undefined column name zz in table ks.o");
    FAILS("UPDATE o SET v = 1 WHERE zz = 1", "Undefined column name zz in table ks.o");
    FAILS("UPDATE t SET v = 1 WHERE k = 1", "Some clustering keys are missing: c, d");
    FAILS("UPDATE t SET v = 1 WHERE c = 1 AND d = 1", "Some partition key parts are missing: k");
    FAILS("UPDATE t SET v = 1 WHERE k = 1 AND d = 1", "Some clustering keys are missing: c");
    FAILS("UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d > 1",
          "Slice restrictions are not supported on the clustering columns in UPDATE statements");
    FAILS("UPDATE t SET s = 1 WHERE k = 1 AND c = 1",
          "Invalid restrictions on clustering columns since the UPDATE statement modifies only "
          "static columns");
    FAILS("UPDATE t SET s = 1, v = 1 WHERE k = 1", "Some clustering keys are missing: c, d");
    FAILS("UPDATE t SET v = 1 WHERE k = 1 AND c = 1 AND d = 1 AND v = 2",
          "Non PRIMARY KEY columns found in where clause: v ");
    FAILS("UPDATE t SET v = 1 WHERE token(k) = 1 AND c = 1 AND d = 1",
          "The token function cannot be used in WHERE clauses for UPDATE statements");
}

static void operation_errors(void **state)
{
    (void)state;
    FAILS("UPDATE n SET v = 1 WHERE k = 1", "Cannot set the value of counter column v (counters "
                                            "can only be incremented/decremented, not set)");
    FAILS("UPDATE n SET v = 1 + v WHERE k = 1",
          "Invalid operation (v = 1 - v) for non list column v");
    FAILS("UPDATE n USING TTL 1 SET v = v + 1 WHERE k = 1",
          "Cannot provide custom TTL for counter updates");
    FAILS("UPDATE o SET v = v + 1 WHERE k = 1",
          "Invalid operation (v = v + 1) for non counter column v");
    ROW_FAILS("x = x + 'a'", "Invalid operation (x = x + 'a') for non counter column x");
    ROW_FAILS("x = 'a' + x", "Invalid operation (x = 'a' - x) for non list column x");
    ROW_FAILS("st = {1} + st", "Invalid operation (st = {1} - st) for non list column st");
    ROW_FAILS("st = st + [1]",
              "Unexpected receiver type 'set<int>'; only list and vector are expected");
    ROW_FAILS("l = l + 1", "Invalid INTEGER constant (1) for \"l\" of type list<int>");
    ROW_FAILS("m = m - {'a': 1}",
              "Value for a map substraction has to be a set, but was: '{'a': 1}'");
    ROW_FAILS("m = m + {'a'}", "Value for a map addition has to be a map, but was: '{'a'}'");
    ROW_FAILS("fl = fl + [1]", "Invalid operation (fl = fl + [1]) for frozen collection column fl");
    ROW_FAILS("fl = [1] + fl", "Invalid operation (fl = [1] - fl) for frozen list column fl");
    ROW_FAILS("fl[0] = 1", "Invalid operation (fl[0] = 1) for frozen collection column fl");
    ROW_FAILS("st[0] = 1", "Invalid operation (st[0] = 1) for set column st");
    ROW_FAILS("v[0] = 1", "Invalid operation (v[0] = 1) for non collection column v");
    ROW_FAILS("v.a = 1", "Invalid operation (v.a = 1) for non-UDT column v");
    ROW_FAILS("u.zz = 1", "UDT column u does not have a field named zz");
    ROW_FAILS("fu.a = 1", "Invalid operation (fu.a = 1) for frozen UDT column fu");
    ROW_FAILS("u = u + {a: 1}", "Invalid operation (u = u + {a: 1}) for tuple column u");
    ROW_FAILS("m[null] = 1", "Invalid null map key");
}

static void collections(void **state)
{
    (void)state;
    ROW("st = {2, 1, 2}", "OK t(1): row(2,3){ st[]-@999 st[1]= st[2]= }");
    ROW("st = null", "OK t(1): row(2,3){ st[]-@999 }");
    ROW("st = st + {2, 1}", "OK t(1): row(2,3){ st[1]= st[2]= }");
    ROW("st = st - {2, 1}", "OK t(1): row(2,3){ st[1]- st[2]- }");
    ROW("m = {'b': 2, 'a': 1}", "OK t(1): row(2,3){ m[]-@999 m['a']=1 m['b']=2 }");
    ROW("m += {'a': 1}", "OK t(1): row(2,3){ m['a']=1 }");
    ROW("m = m - {'b', 'a'}", "OK t(1): row(2,3){ m['a']- m['b']- }");
    ROW("m['b'] = 2, m['a'] = null", "OK t(1): row(2,3){ m['a']- m['b']=2 }");
    ROW("m['a'] = 1, m['a'] = 2", "OK t(1): row(2,3){ m['a']=2 }");
    ROW("u = {b: 'x'}", "OK t(1): row(2,3){ u[]-@999 u[.1]='x' }");
    ROW("u.b = 'x', u.a = null", "OK t(1): row(2,3){ u[.0]- u[.1]='x' }");
    ROW("l = l + null", "OK");
    ROW("l = null", "OK t(1): row(2,3){ l[]-@999 }");
    RUN("UPDATE t USING TTL 9 SET m = {'a': 1}, st = {1} WHERE k=1 AND c=2 AND d=3",
        "OK t(1): row(2,3){ st[]-@999 st[1]=!9 m[]-@999 m['a']=1!9 }");
    RUN("INSERT INTO t (k, c, d, st) VALUES (1, 2, 3, {1}) USING TIMESTAMP -9223372036854775807",
        "OK t(1): row(2,3){ marker@-9223372036854775807 st[1]=@-9223372036854775807 }");
    RUN("DELETE m, m['a'], st[1], u.a, v, v FROM t WHERE k=1 AND c=2 AND d=3",
        "OK t(1): row(2,3){ v- st[1]- m[]- u[.0]- }");
}

// Appended elements are named by the present time and in order; prepended ones lie as far before 2010 as now is after.
static void lists(void **state)
{
    (void)state;
    struct fixture *g = &f;
    g->timeuuid.last_ticks = 0;
    ROW("l = [7, 8]", "OK t(1): row(2,3){ l[]-@999 l[+0]=7 l[+0]=8 }");
    int64_t after_set = g->timeuuid.last_ticks;
    ROW("l = l + [9]", "OK t(1): row(2,3){ l[+0]=9 }");
    assert_int_equal(g->timeuuid.last_ticks, after_set + 1);
    ROW("l = [5, 6] + l", "OK t(1): row(2,3){ l[-875392000001]=5 l[-875392000001]=6 }");
    ROW("l = l + [2], l = [1] + l, l = l + [3]",
        "OK t(1): row(2,3){ l[-875392000001]=1 l[+0]=2 l[+0]=3 }");
}

// A result with one row (2, 3) and a static row, each with the list [7, 8, 7].
static struct bytes existing_lists(void)
{
    struct bytes bytes = mutation_of(
        &f,
        "INSERT INTO t (k, c, d, l, sl) VALUES (1, 2, 3, [7, 8, 7], [7, 8, 7]) USING TIMESTAMP 1");
    struct mutation m;
    assert_int_equal(mutation_decode(bytes, &m), OK);
    struct buf out = buf_in(&f.arena);
    result_begin_partition(&out, m.pk);
    buf_put_bytes(&out, m.ops);
    op_put_end(&out);
    return buf_bytes(&out);
}

static const char *with_lists(const char *cql)
{
    f.timeuuid.last_ticks = 0;
    return run_values(&f, cql, NULL, 0, existing_lists());
}

#define WITH(set, expected) \
    assert_string_equal(with_lists("UPDATE t SET " set " WHERE k=1 AND c=2 AND d=3"), expected)

static void lists_read_first(void **state)
{
    (void)state;
    WITH("l[1] = 5", "OK t(1): row(2,3){ l[+0]=5 }");
    WITH("l[1] = null", "OK t(1): row(2,3){ l[+0]- }");
    WITH("l[1] = 5, l[0] = 6", "OK t(1): row(2,3){ l[+0]=6 l[+0]=5 }");
    WITH("l = l - [7]", "OK t(1): row(2,3){ l[+0]- l[+0]- }");
    WITH("l = l - [1]", "OK");
    WITH("l[3] = 5", "INVALID List index 3 out of bound, list has size 3");
    WITH("l[-1] = 5", "INVALID List index -1 out of bound, list has size 3");
    WITH("l[null] = 5", "INVALID Invalid null value for list index");
    ROW("l[0] = 5", "INVALID Attempted to set an element on a list which is null");
    ROW("l = l - [7]", "OK");
    assert_string_equal(with_lists("DELETE l[2] FROM t WHERE k=1 AND c=2 AND d=3"),
                        "OK t(1): row(2,3){ l[+0]- }");
    assert_string_equal(with_lists("DELETE l[5] FROM t WHERE k=1 AND c=2 AND d=3"),
                        "INVALID List index 5 out of bound, list has size 3");
    assert_string_equal(with_lists("UPDATE t SET sl[0] = 1 WHERE k=1"),
                        "OK t(1): static{ sl[+0]=1 }");
    FAILS("DELETE l[0] FROM t WHERE k=77 AND c=1 AND d=2",
          "Attempted to delete an element from a list which is null");
    VALUES("UPDATE t SET l[?] = 1 WHERE k=1 AND c=1 AND d=9",
           "INVALID Invalid unset value for list index", bytes_unset());
    VALUES("DELETE l[?] FROM t WHERE k=1 AND c=1 AND d=9", "OK", bytes_unset());
    VALUES("UPDATE t SET m[?] = 1 WHERE k=1 AND c=1 AND d=9", "INVALID Invalid unset map key",
           bytes_unset());
    VALUES("DELETE st[?] FROM t WHERE k=1 AND c=1 AND d=9", "OK", bytes_unset());
}

static void reads_name_the_rows(void **state)
{
    (void)state;
    struct statement *s;
    struct fail fail = {.arena = &f.arena};
    assert_int_equal(
        statement_compile(
            bytes_str(
                "UPDATE t SET l[0] = 1, sl[0] = 2 WHERE k IN (1, 2) AND c = 3 AND d IN (4, 5)"),
            f.schema, bytes_str("ks"), &s, &fail),
        OK);
    struct exec_env env = {
        .now_s = NOW_S, .arena = &f.arena, .fail = &fail, .timeuuid = &f.timeuuid};
    struct modify_run *r;
    const struct read_command *reads;
    assert_int_equal(modify_begin(&(struct modify_part){s, NULL, 0}, 1, MODIFY_ALONE, &env, &r),
                     OK);
    assert_int_equal(modify_reads(r, &reads), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(reads[i].keys_count, 1);
        assert_int_equal(reads[i].keys[0].p[3], i + 1);
        assert_int_equal(reads[i].slices_count, 2);
        assert_true(reads[i].want_static);
        assert_false(reads[i].with_tombstones);
        assert_int_equal(reads[i].now_s, NOW_S);
        for (size_t j = 0; j < 2; j++) {
            struct slice slice = reads[i].slices[j];
            assert_int_equal(slice.upper.n, slice.lower.n + 1);
            assert_memory_equal(slice.upper.p, slice.lower.p, slice.lower.n);
            assert_int_equal(slice.upper.p[slice.lower.n], 0xFF);
        }
    }
    statement_unref(s);
}

static void bad_answers_are_refused(void **state)
{
    (void)state;
    struct statement *s;
    struct fail fail = {.arena = &f.arena};
    assert_int_equal(
        statement_compile(bytes_str("UPDATE t SET l[0] = 1 WHERE k = 1 AND c = 2 AND d = 3"),
                          f.schema, bytes_str("ks"), &s, &fail),
        OK);
    struct exec_env env = {
        .now_s = NOW_S, .arena = &f.arena, .fail = &fail, .timeuuid = &f.timeuuid};
    struct bytes good = existing_lists();
    for (size_t n = 1; n < good.n;
         n++) { // cut anywhere: an error, or a shorter answer, never a crash
        struct modify_run *r;
        struct built_mutation *mutations;
        size_t count;
        uint8_t *cut = malloc(n);
        memcpy(cut, good.p, n);
        assert_int_equal(modify_begin(&(struct modify_part){s, NULL, 0}, 1, MODIFY_ALONE, &env, &r),
                         OK);
        if (modify_read_answer(r, 0, bytes_of(cut, n)) == OK)
            (void)(modify_build(r, &mutations, &count) == OK);
        free(cut);
    }
    statement_unref(s);
}

static void deletes(void **state)
{
    (void)state;
    RUN("DELETE FROM o WHERE k = 1", "OK o(1): partition-@1000");
    RUN("DELETE FROM o WHERE k IN (1, 2)", "OK o(1): partition-@1000 o(2): partition-@1000");
    RUN("DELETE FROM t WHERE k = 1", "OK t(1): partition-@1000");
    RUN("DELETE FROM n WHERE k = 1", "OK n(1): partition-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c = 2 AND d = 3", "OK t(1): row(2,3){ deleted@1000 }");
    RUN("DELETE FROM t WHERE k = 1 AND c IN (1, 2) AND d = 3",
        "OK t(1): row(1,3){ deleted@1000 } row(2,3){ deleted@1000 }");
    RUN("DELETE FROM t WHERE k = 1 AND c = 2", "OK t(1): range[2 .. 2~)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c = 2 AND d > 3", "OK t(1): range[2,3~ .. 2~)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c > 2 AND c <= 4", "OK t(1): range[2~ .. 4~)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c >= 2 AND c < 4", "OK t(1): range[2 .. 4)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c < 4", "OK t(1): range[ .. 4)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c > 4", "OK t(1): range[4~ .. ~)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c > 4 AND c < 2", "OK");
    RUN("DELETE FROM t WHERE k = 1 AND (c, d) >= (2, 6) AND (c, d) <= (3, 1)",
        "OK t(1): range[2,6 .. 3,1~)-@1000");
    RUN("DELETE FROM t WHERE k = 1 AND c IN (2, 4) AND d < 3",
        "OK t(1): range[2 .. 2,3)-@1000 range[4 .. 4,3)-@1000");
    RUN("DELETE FROM tk WHERE k = 'a' AND c > 'b'", "OK tk('a'): range[ .. 'b')-@1000");
    RUN("DELETE s FROM t WHERE k = 1", "OK t(1): static{ s- }");
    RUN("DELETE v, s FROM t WHERE k = 1 AND c = 2 AND d = 3",
        "OK t(1): static{ s- } row(2,3){ v- }");
    RUN("DELETE v FROM o WHERE k = 1", "OK o(1): row(){ v- }");
}

static void delete_errors(void **state)
{
    (void)state;
    FAILS("DELETE k FROM o WHERE k = 1",
          "Invalid identifier k for deletion (should not be a PRIMARY KEY part)");
    FAILS("DELETE zz FROM o WHERE k = 1", "Undefined column name zz in table ks.o");
    FAILS("DELETE v FROM t WHERE k = 1", "Range deletions are not supported for specific columns");
    FAILS("DELETE v FROM t WHERE k = 1 AND c = 1",
          "Range deletions are not supported for specific columns");
    FAILS("DELETE v FROM t WHERE k = 1 AND c > 1",
          "Range deletions are not supported for specific columns");
    FAILS("DELETE s, v FROM t WHERE k = 1",
          "Range deletions are not supported for specific columns");
    FAILS("DELETE s FROM t WHERE k = 1 AND c = 1",
          "Invalid restrictions on clustering columns since the DELETE statement modifies only "
          "static columns");
    FAILS("DELETE FROM t WHERE k = 1 AND v = 1",
          "Non PRIMARY KEY columns found in where clause: v ");
    FAILS("DELETE FROM t WHERE c = 1", "Some partition key parts are missing: k");
    FAILS("DELETE v[1] FROM t WHERE k=1 AND c=1 AND d=2",
          "Invalid deletion operation for non collection column v");
    FAILS("DELETE fl[1] FROM t WHERE k=1 AND c=1 AND d=2",
          "Invalid deletion operation for frozen collection column fl");
    FAILS("DELETE u.zz FROM t WHERE k=1 AND c=1 AND d=2",
          "UDT column u does not have a field named zz");
    FAILS("DELETE v.a FROM t WHERE k=1 AND c=1 AND d=2",
          "Invalid field deletion operation for non-UDT column v");
    FAILS("DELETE fu.a FROM t WHERE k=1 AND c=1 AND d=2",
          "Frozen UDT column fu does not support field deletions");
    FAILS("DELETE m[null] FROM t WHERE k=1 AND c=1 AND d=2", "Invalid null map key");
    FAILS("DELETE st[null] FROM t WHERE k=1 AND c=1 AND d=2", "Invalid null set element");
    FAILS("DELETE v FROM n USING TIMESTAMP 1 WHERE k = 1",
          "Cannot provide custom timestamp for counter updates");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inserts),
        cmocka_unit_test(insert_errors),
        cmocka_unit_test(not_built_yet),
        cmocka_unit_test(using_ttl_and_timestamp),
        cmocka_unit_test(bound_values),
        cmocka_unit_test(key_sizes),
        cmocka_unit_test(updates),
        cmocka_unit_test(update_errors),
        cmocka_unit_test(operation_errors),
        cmocka_unit_test(collections),
        cmocka_unit_test(lists),
        cmocka_unit_test(lists_read_first),
        cmocka_unit_test(reads_name_the_rows),
        cmocka_unit_test(bad_answers_are_refused),
        cmocka_unit_test(deletes),
        cmocka_unit_test(delete_errors),
    };
    return cmocka_run_group_tests(tests, open_schema, close_schema);
}
