// Terms against their receivers: literals of every type, what is refused in which words, markers, nesting.
#include "tests/unit/plan/select_fixture.h"

#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const schema[] = {
    "CREATE TYPE u (a int, b text)",
    "CREATE TABLE w (k int PRIMARY KEY, i int, b blob, ti tinyint, sm smallint, bi bigint, vr "
    "varint, de decimal, fl float, "
    "bo boolean, tx text, uu uuid, ts timestamp, du duration, tu tuple<int, text>, u frozen<u>, x "
    "u, ls list<int>, st set<int>, "
    "mp map<int, text>, nn list<frozen<list<int>>>, ct set<frozen<tuple<int, int>>>, ve "
    "vector<float, 2>)",
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

// The value of column for the literal, as read back, or the error.
static const char *put(struct data *d, const char *column, const char *literal)
{
    static char cql[1024];
    snprintf(cql, sizeof cql, "INSERT INTO w (k, %s) VALUES (1, %s)", column, literal);
    const char *text = run(&d->f, cql);
    if (strncmp(text, "OK", 2) != 0)
        return text;
    data_clear(d);
    snprintf(cql, sizeof cql, "INSERT INTO w (k, %s) VALUES (1, %s)", column, literal);
    data_write(d, cql);
    snprintf(cql, sizeof cql, "SELECT %s FROM w WHERE k = 1", column);
    return query(d, cql);
}

#define IS(column, literal, text) assert_string_equal(put(d, column, literal), text)

static void test_values(void **state)
{
    struct data *d = *state;
    IS("i", "5", "5");
    IS("i", "(int) 5", "5");
    IS("i", "1 + 1", "2");
    IS("i", "-(5)", "-5");
    IS("i", "blob_as_int(0x00000007)", "7");
    IS("i", "system.blob_as_int(0x00000007)", "7");
    IS("sm", "1 + 1", "2");
    IS("vr", "(int) 5", "5");
    IS("vr", "123456789012345678901234567890", "123456789012345678901234567890");
    IS("fl", "NaN", "NaN");
    IS("b", "0xCAfe", "0xcafe");
    IS("ti", "0x01", "1");
    IS("tx", "'it''s'", "'it''s'");
    IS("bo", "TRUE", "true");
    IS("tu", "'1:a'", "(1, 'a')");
    IS("tu", "(1)", "(1)");
    IS("tu", "(null, 'x')", "(null, 'x')");
    IS("u", "{a: 1}", "{a: 1, b: null}");
    IS("x", "{b: 'x', a: 2}", "{a: 2, b: 'x'}");
    IS("ls", "[1, abs(-2)]", "[1, 2]");
    IS("st", "{3, 1, 3, 2}", "{1, 2, 3}");
    IS("mp", "{2: 'b', 1: 'a'}", "{1: 'a', 2: 'b'}");
    IS("nn", "[[1], [], [2, 3]]", "[[1], [], [2, 3]]");
    IS("ve", "[1, 2.5]", "[1.0, 2.5]");
}

static void test_errors(void **state)
{
    struct data *d = *state;
    IS("i", "'a'", "INVALID Invalid STRING constant (a) for \"i\" of type int");
    IS("i", "1.5", "INVALID Invalid FLOAT constant (1.5) for \"i\" of type int");
    IS("i", "99999999999", "INVALID Unable to make int from '99999999999'");
    IS("b", "0xabc", "INVALID cannot parse 'abc' as hex bytes");
    IS("ti", "0x0102", "INVALID Expected 1 byte for a tinyint (2)");
    IS("bo", "1", "INVALID Invalid INTEGER constant (1) for \"bo\" of type boolean");
    IS("ts", "'x'", "INVALID Unable to parse a date/time from 'x'");
    IS("du", "5", "INVALID Unable to convert '5' to a duration");
    IS("tu", "'1:a:b'",
       "INVALID Invalid tuple literal: too many elements. Type frozen<tuple<int, text>> expects 2 "
       "but got 3");
    IS("tu", "(1, 'a', 3)",
       "INVALID Invalid tuple literal for tu: too many elements. Type frozen<tuple<int, text>> "
       "expects 2 but got 3");
    IS("tu", "('a', 'a')", "INVALID Invalid tuple literal for tu: component 0 is not of type int");
    IS("i", "(1, 2)", "INVALID Invalid tuple type literal for i of type int");
    IS("u", "{c: 1}", "INVALID Unknown field 'c' in value of user defined type u");
    IS("u", "{a: 'x'}", "INVALID Invalid user type literal for u: field a is not of type int");
    IS("u", "{1: 2}", "INVALID Invalid map literal for u of type frozen<u>");
    IS("ls", "['a']", "INVALID Invalid list literal for ls: value 'a' is not of type int");
    IS("ls", "[null]", "INVALID null is not supported inside collections");
    IS("ls", "{1}", "INVALID Invalid set literal for ls of type list<int>");
    IS("ls", "[?]",
       "INVALID Invalid list literal for ls: bind variables are not supported inside collection "
       "literals");
    IS("st", "[1]",
       "INVALID Unexpected receiver type 'set<int>'; only list and vector are expected");
    IS("mp", "{1: 2}", "INVALID Invalid map literal for mp: value 2 is not of type text");
    IS("mp", "{'1': '2'}", "INVALID Invalid map literal for mp: key '1' is not of type int");
    IS("nn", "[[1, 'a']]",
       "INVALID Invalid list literal for nn: value [1, 'a'] is not of type frozen<list<int>>");
    IS("ct", "{(1, 2, 3)}",
       "INVALID Invalid set literal for ct: value (1, 2, 3) is not of type frozen<tuple<int, "
       "int>>");
    IS("ve", "[1, 2, 3]",
       "INVALID Invalid vector literal for ve of type vector<float, 2>; expected 2 elements, but "
       "given 3");
    IS("ve", "[1, 'a']", "INVALID Invalid vector literal for ve: value 'a' is not of type float");
    IS("ve", "[1, null]", "INVALID null is not supported inside vectors");
    IS("i", "(text) 5", "INVALID Cannot cast value 5 to type text");
    IS("i", "(bigint) 5", "INVALID Cannot assign value (bigint)5 to i of type int");
    IS("i", "now()",
       "INVALID Type error: cannot assign result of function system.now (type timeuuid) to i (type "
       "int)");
    IS("i", "1 + 1.5", "INVALID the '+' operation is not supported between 1 and 1.5");
    IS("i", "foo(1)", "INVALID Unknown function foo called");
    IS("i", "foo.bar(1)", "INVALID Unknown function foo.bar called");
    IS("i", "blob_as_int('a')",
       "INVALID Type error: 'a' cannot be passed as argument 0 of function system.blob_as_int of "
       "type blob");
    IS("i", "blob_as_int(0x00, 1)",
       "INVALID Invalid number of arguments in call to function system.blob_as_int: 1 required but "
       "2 provided");
    IS("i", "5 / 0", "FUNCTION_FAILURE the operation 'int / int' failed: / by zero");
}

// Deep and wide terms take bounded time and memory.
static void test_nesting(void **state)
{
    struct data *d = *state;
    struct buf cql = {0};
    buf_put_str(&cql, "SELECT ");
    for (int i = 0; i < 120; i++)
        buf_put_str(&cql, "abs(");
    buf_put_str(&cql, "i");
    for (int i = 0; i < 120; i++)
        buf_put_str(&cql, ")");
    for (int i = 0; i < 120; i++)
        buf_put_str(&cql, " + 1");
    buf_put_str(&cql, " AS x FROM w");
    buf_u8(&cql, 0);
    assert_string_equal(query_columns(d, (const char *)cql.p), "x int");
    cql.n = 0;
    buf_put_str(&cql, "SELECT k FROM w WHERE k = 1");
    for (int i = 0; i < 120; i++)
        buf_put_str(&cql, " + 1");
    buf_u8(&cql, 0);
    assert_string_equal(query(d, (const char *)cql.p), "");
    cql.n = 0;
    buf_put_str(&cql, "SELECT ");
    for (int i = 0; i < 200; i++)
        buf_put_str(&cql, "[");
    buf_put_str(&cql, "i");
    for (int i = 0; i < 200; i++)
        buf_put_str(&cql, "]");
    buf_put_str(&cql, " FROM w");
    buf_u8(&cql, 0);
    assert_non_null(strstr(query(d, (const char *)cql.p), "INVALID: "));
    buf_free(&cql);
}

static void test_binds(void **state)
{
    struct fixture *f = &((struct data *)*state)->f;
    struct arena a;
    arena_init(&a, 0);
    struct buf set = buf_in(&a);
    collection_begin(&set, 3);
    for (int32_t i = 3; i > 0; i--)
        value_put(&set, value_of_i32(&a, i > 2 ? 1 : i));
    struct bytes values[] = {buf_bytes(&set)};
    assert_non_null(strstr(run_values(f, "UPDATE w SET st = ? WHERE k = 1", values, 1, BYTES_NULL),
                           "st[1]= st[2]="));
    assert_non_null(
        strstr(prepare(f, "SELECT i FROM w WHERE k = ? AND i = blob_as_int(?) ALLOW FILTERING"),
               "arg0(system.blob_as_int)"));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_binds),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
