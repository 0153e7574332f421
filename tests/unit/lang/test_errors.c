/* Syntax errors against those recorded from Cassandra: same position, same offending token; mostly
 * the same words. */
#include "cql/lang/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *statement, *message;
} errors[] = {
#define X(statement, message) {statement, message},
#include "tests/unit/lang/errors.def"
#undef X
};
#define ERRORS_COUNT (sizeof errors / sizeof errors[0])

/* Of the recorded messages this many are equal to the letter, but for the snippet in parentheses.
 */
#define SAME_WORDS_MIN 480

/* "line 1:7" and what stands between the quotes of "… input 'x'" or "… character 'x'"; else the
 * whole message. */
static void parts(struct bytes message, struct bytes *position, struct bytes *token)
{
    *position = message;
    *token = BYTES_NULL;
    if (!bytes_starts_with(message, bytes_str("line "))) {
        return;
    }
    const uint8_t *space = memchr(message.p + 5, ' ', message.n - 5);
    assert_non_null(space);
    position->n = (size_t)(space - message.p);
    static const char *const before[] = {" at input '", "mismatched input '", " character '"};
    static const char *const after[] = {"' expecting ", "' (", "'"};
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *p = memmem(message.p, message.n, before[i], strlen(before[i]));
        if (p == NULL) {
            continue;
        }
        p += strlen(before[i]);
        size_t left = (size_t)(message.p + message.n - p);
        for (size_t j = 0; j < 3; j++) {
            const uint8_t *end = memmem(p, left, after[j], strlen(after[j]));
            if (end) {
                *token = bytes_of(p, (size_t)(end - p));
                return;
            }
        }
    }
}

static struct bytes without_snippet(struct bytes message)
{
    const uint8_t *p = memmem(message.p, message.n, " (", 2);
    return p ? bytes_of(message.p, (size_t)(p - message.p)) : message;
}

static void test_errors_are_where_cassandra_has_them(void **state)
{
    (void)state;
    size_t same_words = 0;
    for (size_t i = 0; i < ERRORS_COUNT; i++) {
        struct arena a;
        arena_init(&a, 0);
        struct fail fail = {.arena = &a};
        struct ast_statement *s;
        struct bytes expected = bytes_str(errors[i].message), position, token, want_position,
                     want_token;
        if (cql_parse(bytes_str(errors[i].statement), &a, &s, &fail) != ERR_SYNTAX) {
            fail_msg("accepted: %s", errors[i].statement);
        }
        parts(fail.message, &position, &token);
        parts(expected, &want_position, &want_token);
        if (!bytes_equal(position, want_position) || !bytes_equal(token, want_token)) {
            fail_msg("%s\nCassandra: %s\nhere:      %.*s", errors[i].statement, errors[i].message,
                     BYTES_FMT(fail.message));
        }
        same_words += bytes_equal(without_snippet(fail.message), without_snippet(expected));
        arena_free(&a);
    }
    assert_true(same_words >= SAME_WORDS_MIN);
}

static void test_the_whole_message(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT * FRM t", "line 1:9 mismatched input 'FRM' expecting K_FROM (SELECT * [FRM]...)"},
        {"SELEC", "line 1:0 no viable alternative at input 'SELEC' ([SELEC])"},
        {"", "line 0:-1 no viable alternative at input '<EOF>'"},
        {";", "line 1:0 no viable alternative at input ';' ([;])"},
        {"SELECT a FROM t; SELECT",
         "line 1:17 mismatched input 'SELECT' expecting EOF (SELECT a FROM t; [SELECT])"},
        {"SELECT a FROM t WHERE a<>1",
         "line 1:24 no viable alternative at input '>' (...a FROM t WHERE a<[>]...)"},
        {"DESC FULL", "line 0:-1 mismatched input '<EOF>' expecting K_SCHEMA"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena a;
        arena_init(&a, 0);
        struct fail fail = {.arena = &a};
        struct ast_statement *s;
        assert_int_equal(cql_parse(bytes_str(cases[i][0]), &a, &s, &fail), ERR_SYNTAX);
        assert_int_equal(fail.err, ERR_SYNTAX);
        if (!bytes_equal_str(fail.message, cases[i][1])) {
            fail_msg("%s\nwanted: %s\nhere:   %.*s", cases[i][0], cases[i][1],
                     BYTES_FMT(fail.message));
        }
        arena_free(&a);
    }
}

static void test_without_a_place_for_the_message(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    struct ast_statement *s;
    assert_int_equal(cql_parse(bytes_str("SELECT a b"), &a, &s, NULL), ERR_SYNTAX);
    assert_int_equal(cql_parse(bytes_str("SELECT @"), &a, &s, NULL), ERR_SYNTAX);
    assert_int_equal(cql_parse(bytes_str("USE ?"), &a, &s, NULL), ERR_SYNTAX);
    arena_free(&a);
}

/* before, n times open, middle, n times close, after */
static err_t parse_nested(size_t n, const char *const part[5], struct fail *fail, struct arena *a)
{
    struct buf text = {0};
    struct ast_statement *s;
    buf_put_str(&text, part[0]);
    for (size_t i = 0; i < n; i++) {
        buf_put_str(&text, part[1]);
    }
    buf_put_str(&text, part[2]);
    for (size_t i = 0; i < n; i++) {
        buf_put_str(&text, part[3]);
    }
    buf_put_str(&text, part[4]);
    err_t err = cql_parse(buf_bytes(&text), a, &s, fail);
    if (err == OK) { /* recursion over the tree stays within the stack */
        struct buf out = {0};
        ast_print(&out, s);
        buf_free(&out);
    }
    buf_free(&text);
    return err;
}

static void test_nesting_is_bounded(void **state)
{
    (void)state;
    static const char *const shapes[][5] = {
        {"SELECT ", "(", "a", ")", " FROM t"},
        {"SELECT ", "[", "a", "]", " FROM t"},
        {"SELECT ", "{1: 1, 1: ", "a", "}", " FROM t"},
        {"SELECT ", "k.f(", "a", ")", " FROM t"},
        {"SELECT ", "(int)", "1", "", " FROM t"},
        {"SELECT ", "- ", "a", "", " FROM t"},
        {"SELECT ", "cast(", "a", " as int)", " FROM t"},
        {"SELECT a", ".b", "", "", " FROM t"},
        {"SELECT a", "[1]", "", "", " FROM t"},
        {"SELECT ", "a + ", "a", "", " FROM t"},
        {"INSERT INTO t (a) VALUES (", "{a: ", "1", "}", ")"},
        {"INSERT INTO t (a) VALUES (", "(1, ", "1", ")", ")"},
        {"INSERT INTO t (a) VALUES (", "(int)", "1", "", ")"},
        {"INSERT INTO t (a) VALUES (", "1 * ", "1", "", ")"},
        {"CREATE TABLE t (a ", "list<", "int", ">", ")"},
        {"CREATE TABLE t (a ", "tuple<int, ", "int", ">", ")"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct arena a;
        arena_init(&a, 0);
        struct fail fail = {.arena = &a};
        /* the leaf is a level of its own */
        assert_int_equal(parse_nested(CQL_DEPTH_MAX - 1, shapes[i], &fail, &a), OK);
        const size_t too_deep[] = {CQL_DEPTH_MAX, CQL_DEPTH_MAX + 1, 5000, 100000};
        for (size_t j = 0; j < sizeof too_deep / sizeof too_deep[0]; j++) {
            fail.message = BYTES_NULL;
            assert_int_equal(parse_nested(too_deep[j], shapes[i], &fail, &a), ERR_SYNTAX);
            assert_non_null(memmem(fail.message.p, fail.message.n, "nested too deeply", 17));
        }
        arena_free(&a);
    }
}

static void test_relations_in_parentheses_are_bounded_by_the_stack(void **state)
{
    (void)state;
    static const char *const shape[5] = {"SELECT * FROM t WHERE ", "(", "a = 1", ")", ""};
    struct arena a;
    arena_init(&a, 0);
    struct fail fail = {.arena = &a};
    assert_int_equal(parse_nested(400, shape, &fail, &a), OK);
    assert_int_equal(parse_nested(100000, shape, &fail, &a), ERR_SYNTAX);
    assert_non_null(memmem(fail.message.p, fail.message.n, "nested too deeply", 17));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_are_where_cassandra_has_them),
        cmocka_unit_test(test_the_whole_message),
        cmocka_unit_test(test_without_a_place_for_the_message),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_relations_in_parentheses_are_bounded_by_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
