/* Tokens, and the keyword list's agreement with the lexer, the grammar's fallbacks and what the
 * grammar accepts. */
#include "cql/lang/grammar.h"
#include "cql/lang/parse_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct text {
    uint8_t padded[256];
    struct lexer lexer;
};

static void text_init(struct text *t, const char *s)
{
    size_t n = strlen(s);
    assert_true(n + LEXER_PADDING <= sizeof t->padded);
    memset(t->padded, 0, sizeof t->padded);
    memcpy(t->padded, s, n);
    t->lexer = (struct lexer){.at = t->padded, .limit = t->padded + n};
}

static void check_tokens(const char *s, const int *kinds, const char *const *texts, size_t count)
{
    struct text t;
    text_init(&t, s);
    struct bytes text;
    for (size_t i = 0; i < count; i++) {
        int kind = lexer_next(&t.lexer, &text);
        if (kind != kinds[i] || !bytes_equal_str(text, texts[i])) {
            fail_msg("%s: token %zu is %d \"%.*s\"", s, i, kind, BYTES_FMT(text));
        }
    }
    assert_int_equal(lexer_next(&t.lexer, &text), 0);
}
#define TOKENS(s, texts, ...)                                              \
    do {                                                                   \
        const int kinds_[] = {__VA_ARGS__};                                \
        const char *const texts_[] = {UNPACK texts};                       \
        check_tokens(s, kinds_, texts_, sizeof kinds_ / sizeof kinds_[0]); \
    } while (0)
#define UNPACK(...) __VA_ARGS__

static void test_tokens(void **state)
{
    (void)state;
    TOKENS("SELECT a_1,\"B\"\"c\" \t\r\n", ("SELECT", "a_1", ",", "\"B\"\"c\""), CQL_TOKEN_SELECT,
           CQL_TOKEN_IDENT, CQL_TOKEN_COMMA, CQL_TOKEN_QUOTED_NAME);
    TOKENS("'it''s' '' $$a'$b$$ \"\"", ("'it''s'", "''", "$$a'$b$$", "\"\""), CQL_TOKEN_STRING,
           CQL_TOKEN_STRING, CQL_TOKEN_STRING, CQL_TOKEN_EMPTY_NAME);
    TOKENS("a -- x\nb // y\rc /* z\n */d", ("a", "b", "c", "d"), CQL_TOKEN_IDENT, CQL_TOKEN_IDENT,
           CQL_TOKEN_IDENT, CQL_TOKEN_IDENT);
    TOKENS("1 -12 - 3 1.5 1. -1e5 1.E-3 0xCafe 0X",
           ("1", "-12", "-", "3", "1.5", "1.", "-1e5", "1.E-3", "0xCafe", "0X"), CQL_TOKEN_INTEGER,
           CQL_TOKEN_INTEGER, CQL_TOKEN_MINUS, CQL_TOKEN_INTEGER, CQL_TOKEN_FLOAT_LITERAL,
           CQL_TOKEN_FLOAT_LITERAL, CQL_TOKEN_FLOAT_LITERAL, CQL_TOKEN_FLOAT_LITERAL, CQL_TOKEN_HEX,
           CQL_TOKEN_HEX);
    TOKENS("1..2 1...2 1.5..", ("1", "..", "2", "1.", "..", "2", "1.5", ".."), CQL_TOKEN_INTEGER,
           CQL_TOKEN_RANGE, CQL_TOKEN_INTEGER, CQL_TOKEN_FLOAT_LITERAL, CQL_TOKEN_RANGE,
           CQL_TOKEN_INTEGER, CQL_TOKEN_FLOAT_LITERAL, CQL_TOKEN_RANGE);
    TOKENS("nan -NaN Infinity -infinity TRUE falsehood",
           ("nan", "-NaN", "Infinity", "-infinity", "TRUE", "falsehood"), CQL_TOKEN_NAN,
           CQL_TOKEN_NAN, CQL_TOKEN_INFINITY, CQL_TOKEN_INFINITY, CQL_TOKEN_BOOLEAN_LITERAL,
           CQL_TOKEN_IDENT);
    TOKENS("1y2mo3w4d5h6m7s8ms9us10ns -1h 5\xc2\xb5s P1Y2M3DT4H5M6S PT5M -P3W P2020-01-02T03:04:05 "
           "p1y P1",
           ("1y2mo3w4d5h6m7s8ms9us10ns", "-1h", "5\xc2\xb5s", "P1Y2M3DT4H5M6S", "PT5M", "-P3W",
            "P2020-01-02T03:04:05", "p1y", "P1"),
           CQL_TOKEN_DURATION_LITERAL, CQL_TOKEN_DURATION_LITERAL, CQL_TOKEN_DURATION_LITERAL,
           CQL_TOKEN_DURATION_LITERAL, CQL_TOKEN_DURATION_LITERAL, CQL_TOKEN_DURATION_LITERAL,
           CQL_TOKEN_DURATION_LITERAL, CQL_TOKEN_IDENT, CQL_TOKEN_IDENT);
    TOKENS("12345e78-e89b-12d3-a456-426614174000 abcdefab",
           ("12345e78-e89b-12d3-a456-426614174000", "abcdefab"), CQL_TOKEN_UUID_LITERAL,
           CQL_TOKEN_IDENT);
    TOKENS("a!=b<=c>=d<e>f+=g-=h.i:j?;",
           ("a", "!=", "b", "<=", "c", ">=", "d", "<", "e", ">", "f", "+=", "g", "-=", "h", ".",
            "i", ":", "j", "?", ";"),
           CQL_TOKEN_IDENT, CQL_TOKEN_NE, CQL_TOKEN_IDENT, CQL_TOKEN_LE, CQL_TOKEN_IDENT,
           CQL_TOKEN_GE, CQL_TOKEN_IDENT, CQL_TOKEN_LT, CQL_TOKEN_IDENT, CQL_TOKEN_GT,
           CQL_TOKEN_IDENT, CQL_TOKEN_PLUS_EQ, CQL_TOKEN_IDENT, CQL_TOKEN_MINUS_EQ, CQL_TOKEN_IDENT,
           CQL_TOKEN_DOT, CQL_TOKEN_IDENT, CQL_TOKEN_COLON, CQL_TOKEN_IDENT, CQL_TOKEN_QMARK,
           CQL_TOKEN_SEMICOLON);
    TOKENS("expr(a EXPR(", ("expr(", "a", "EXPR", "("), CQL_TOKEN_EXPR_LPAREN, CQL_TOKEN_IDENT,
           CQL_TOKEN_IDENT, CQL_TOKEN_LPAREN);
}

static void test_a_nul_is_a_character_like_any(void **state)
{
    (void)state;
    struct text t;
    text_init(&t, "a b");
    t.padded[1] = 0;
    struct bytes text;
    assert_int_equal(lexer_next(&t.lexer, &text), CQL_TOKEN_IDENT);
    assert_int_equal(lexer_next(&t.lexer, &text), LEXER_ERROR);
    assert_ptr_equal(t.lexer.error_at, t.padded + 1);
}

static const struct {
    const char *spelling;
    int token;
    enum keyword_class class;
} keywords[] = {
#define X(spelling, token, class) {#spelling, CQL_TOKEN_##token, KEYWORD_##class},
#include "cql/lang/keywords.def"
#undef X
};
#define KEYWORDS_COUNT (sizeof keywords / sizeof keywords[0])

static void test_the_lexer_knows_every_keyword_in_any_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYWORDS_COUNT; i++) {
        char word[32];
        for (int shape = 0; shape < 3; shape++) {
            size_t n = strlen(keywords[i].spelling);
            for (size_t j = 0; j < n; j++) {
                char c = keywords[i].spelling[j];
                bool lower = c != '_' && (shape == 1 || (shape == 2 && j % 2));
                word[j] = (char)(lower ? c + 32 : c);
            }
            word[n] = 0;
            struct text t;
            text_init(&t, word);
            struct bytes text;
            assert_int_equal(lexer_next(&t.lexer, &text), keywords[i].token);
            assert_int_equal(keyword_class(bytes_str(word), NULL), keywords[i].class);
            assert_int_equal(cql_is_reserved(bytes_str(word)),
                             keywords[i].class == KEYWORD_RESERVED);
            /* one letter more or less is no keyword, or another */
            int token = 0;
            assert_false(keyword_class(bytes_of(word, n - 1), &token) != KEYWORD_NONE &&
                         token == keywords[i].token && strcmp(keywords[i].spelling, "TABLES") != 0);
        }
        if (i > 0) {
            assert_true(strcmp(keywords[i - 1].spelling, keywords[i].spelling) < 0);
        }
    }
    assert_int_equal(keyword_class(bytes_str(""), NULL), KEYWORD_NONE);
    assert_int_equal(keyword_class(bytes_str("selec"), NULL), KEYWORD_NONE);
    assert_int_equal(keyword_class(bytes_str("s\x45lect"), NULL), KEYWORD_RESERVED);
    assert_int_equal(keyword_class(bytes_str("columnfamilies_and_more"), NULL), KEYWORD_NONE);
}

/* Whether the statement parses with the word in place of every @. */
static bool parses(const char *statement, const char *word)
{
    struct arena a;
    arena_init(&a, 0);
    struct buf text = buf_in(&a);
    for (const char *c = statement; *c; c++) {
        if (*c == '@') {
            buf_put_str(&text, word);
        } else {
            buf_u8(&text, (uint8_t)*c);
        }
    }
    struct ast_statement *s;
    err_t err = cql_parse(buf_bytes(&text), &a, &s, NULL);
    arena_free(&a);
    return err == OK;
}

#define AS_COLUMN    "SELECT a.@ FROM t"
#define AS_NAME      "CREATE TABLE @ (@ int PRIMARY KEY)"
#define AS_ALIAS     "SELECT a AS @ FROM t"
#define AS_PROPERTY  "ALTER TABLE t WITH a = @"
#define AS_TYPE      "CREATE TYPE @ (a int)"
#define AS_FUNCTION  "CREATE AGGREGATE a() SFUNC @ STYPE int"
#define AS_CALL      "SELECT a FROM t WHERE k = @(1)"
#define AS_LANGUAGE  "CREATE FUNCTION f() CALLED ON NULL INPUT RETURNS int LANGUAGE @ AS 'x'"
#define AS_CONDITION "DELETE FROM t WHERE a = 1 IF @ = 3"

/* What each class may be, asked of Cassandra for every keyword. */
static void test_the_grammar_agrees_with_the_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYWORDS_COUNT; i++) {
        const char *word = keywords[i].spelling;
        enum keyword_class class = keywords[i].class;
        bool identifier = class != KEYWORD_RESERVED;
        bool key = strcmp(word, "KEY") == 0, count = strcmp(word, "COUNT") == 0,
             token = strcmp(word, "TOKEN") == 0;
        const struct {
            const char *statement;
            bool accepted;
        } places[] = {
            {AS_COLUMN, identifier},
            {AS_NAME, identifier},
            {AS_ALIAS, identifier},
            {AS_CONDITION, identifier},
            {AS_PROPERTY, (identifier && class != KEYWORD_OWN) || strcmp(word, "NAN") == 0 ||
                              strcmp(word, "INFINITY") == 0},
            {AS_TYPE, class == KEYWORD_BASIC || class == KEYWORD_OWN || key},
            {AS_FUNCTION, class == KEYWORD_BASIC || class == KEYWORD_NATIVE ||
                              class == KEYWORD_OWN || count || token},
            {AS_CALL, class == KEYWORD_BASIC || class == KEYWORD_NATIVE || class == KEYWORD_OWN ||
                          count || token},
            {AS_LANGUAGE, class == KEYWORD_OWN},
        };
        for (size_t j = 0; j < sizeof places / sizeof places[0]; j++) {
            if (parses(places[j].statement, word) != places[j].accepted) {
                fail_msg("%s in: %s", word, places[j].statement);
            }
        }
        /* as a column on its own; JSON and DISTINCT are the keyword there unless nothing follows */
        assert_int_equal(parses("SELECT @ FROM t", word), identifier || strcmp(word, "NULL") == 0 ||
                                                              strcmp(word, "NAN") == 0 ||
                                                              strcmp(word, "INFINITY") == 0);
    }
}

static void test_quoting(void **state)
{
    (void)state;
    static const struct {
        const char *name, *quoted;
    } cases[] = {
        {"a", "a"},
        {"a_1", "a_1"},
        {"A", "\"A\""},
        {"_a", "\"_a\""},
        {"1a", "\"1a\""},
        {"", "\"\""},
        {"select", "\"select\""},
        {"key", "key"},
        {"a b", "\"a b\""},
        {"a\"b", "\"a\"\"b\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
        {"token", "\"token\""},
        {"timeout", "timeout"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        cql_quote_identifier(&out, bytes_str(cases[i].name));
        assert_true(bytes_equal_str(buf_bytes(&out), cases[i].quoted));
        assert_int_equal(cql_needs_quotes(bytes_str(cases[i].name)), cases[i].quoted[0] == '"');
        buf_free(&out);
    }
    struct buf out = {0};
    cql_quote_string(&out, bytes_str("it's"));
    assert_true(bytes_equal_str(buf_bytes(&out), "'it''s'"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_a_nul_is_a_character_like_any),
        cmocka_unit_test(test_the_lexer_knows_every_keyword_in_any_case),
        cmocka_unit_test(test_the_grammar_agrees_with_the_classes),
        cmocka_unit_test(test_quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
