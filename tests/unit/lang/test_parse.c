/* Statements to trees: the printed form of every kind of statement, and the parts of the tree that
 * the planner leans on. */
#include "cql/lang/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *statement, *printed;
} statements[] = {
#define X(statement, printed) {statement, printed},
#include "tests/unit/lang/statements.def"
#undef X
};

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct ast_statement *parse(const char *text)
{
    struct fail fail = {.arena = &arena};
    struct ast_statement *s = NULL;
    if (cql_parse(bytes_str(text), &arena, &s, &fail) != OK) {
        fail_msg("%s: %.*s", text, BYTES_FMT(fail.message));
    }
    return s;
}

#define assert_text(b, text)                                         \
    do {                                                             \
        struct bytes b_ = (b);                                       \
        if (!bytes_equal_str(b_, text)) {                            \
            fail_msg("\"%.*s\" is not \"%s\"", BYTES_FMT(b_), text); \
        }                                                            \
    } while (0)

static void test_printed_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        struct buf out = buf_in(&arena);
        ast_print(&out, parse(statements[i].statement));
        assert_text(buf_bytes(&out), statements[i].printed);
    }
}

static void test_names_are_folded_unless_quoted(void **state)
{
    (void)state;
    const struct ast_statement *s = parse("SELECT Abc, \"Abc\", \"a\"\"b\", KEY FROM Ks.\"T\"");
    const struct ast_selector *x = s->select.selectors;
    assert_int_equal(s->select.selectors_count, 4);
    assert_text(x[0].term->column.text, "abc");
    assert_false(x[0].term->column.quoted);
    assert_text(x[1].term->column.text, "Abc");
    assert_true(x[1].term->column.quoted);
    assert_text(x[2].term->column.text, "a\"b");
    assert_text(x[3].term->column.text, "key");
    assert_text(s->select.table.keyspace.text, "ks");
    assert_text(s->select.table.name.text, "T");
    s = parse("SELECT a FROM t");
    assert_false(ast_name_present(s->select.table.keyspace));
    s = parse("DELETE FROM t WHERE \"\" = 1");
    assert_true(ast_name_present(s->delete.where[0].columns[0]));
    assert_int_equal(s->delete.where[0].columns[0].text.n, 0);
}

static void test_sources_are_the_text_as_written(void **state)
{
    (void)state;
    const struct ast_statement *s =
        parse("  SELECT system.max( v ), cast(a  as text) AS x, writetime(v), a +  b*2, m [ 'k' ] "
              ". f, (int)\n-1,COUNT(*) "
              "FROM ks . t WHERE  k = 'x'  AND token(a,b)>? AND (c,d) IN ((1,2))LIMIT 3 ;");
    static const char *const sources[] = {"system.max( v )", "cast(a  as text)", "writetime(v)",
                                          "a +  b*2",        "m [ 'k' ] . f",    "(int)\n-1",
                                          "COUNT(*)"};
    assert_int_equal(s->select.selectors_count, sizeof sources / sizeof sources[0]);
    for (size_t i = 0; i < s->select.selectors_count; i++) {
        assert_text(s->select.selectors[i].source, sources[i]);
    }
    assert_text(s->select.table.source, "ks . t");
    assert_text(s->select.where[0].source, "k = 'x'");
    assert_text(s->select.where[0].value->source, "'x'");
    assert_text(s->select.where[1].source, "token(a,b)>?");
    assert_text(s->select.where[2].source, "(c,d) IN ((1,2))");
    assert_true(s->source.p == s->text.p + 2);
    assert_int_equal(s->source.p[s->source.n - 1], '3');
    assert_int_equal(s->text.p[s->text.n], 0);
    struct ast_position at = ast_position(s, s->select.selectors[5].source.p);
    assert_int_equal(at.line, 1);
    at = ast_position(s, s->select.selectors[6].source.p);
    assert_int_equal(at.line, 2);
    assert_int_equal(at.column, 3);
}

static void test_columns_are_counted_in_utf16(void **state)
{
    (void)state;
    const struct ast_statement *s = parse("SELECT '\xc3\xa9\xf0\x9f\x98\x80', a FROM t");
    assert_int_equal(ast_position(s, s->select.selectors[1].source.p).column, 7 + 5 + 2);
}

static void test_markers_are_numbered_in_order(void **state)
{
    (void)state;
    const struct ast_statement *s =
        parse("BEGIN BATCH USING TIMESTAMP ? UPDATE t USING TTL :Ttl SET a = ?, m[:k] = f(?) WHERE "
              "k IN :k "
              "AND (b, c) IN (?, ?); INSERT INTO t JSON :\"J\" APPLY BATCH");
    assert_int_equal(s->markers_count, 9);
    for (uint32_t i = 0; i < s->markers_count; i++) {
        assert_int_equal(s->markers[i]->kind, AST_TERM_MARKER);
        assert_int_equal(s->markers[i]->marker.index, i);
    }
    assert_false(ast_name_present(s->markers[0]->marker.name));
    assert_text(s->markers[1]->marker.name.text, "ttl");
    assert_text(s->markers[3]->marker.name.text, "k");
    assert_text(s->markers[5]->marker.name.text, "k");
    assert_text(s->markers[8]->marker.name.text, "J");
    assert_ptr_equal(s->batch.items[0]->update.where[0].value, s->markers[5]);
    assert_ptr_equal(s->batch.items[1]->insert.json, s->markers[8]);
    assert_int_equal(s->batch.items[0]->markers_count, 0);
    assert_text(s->batch.items[1]->source, "INSERT INTO t JSON :\"J\"");
}

static void test_operators_bind_as_in_arithmetic(void **state)
{
    (void)state;
    const struct ast_statement *s = parse("SELECT a + b * c - d % e, -a.b[1] FROM t");
    const struct ast_term *t = s->select.selectors[0].term;
    assert_int_equal(t->kind, AST_TERM_BINARY);
    assert_int_equal(t->binary.op, '-');
    assert_int_equal(t->binary.left->binary.op, '+');
    assert_int_equal(t->binary.left->binary.right->binary.op, '*');
    assert_int_equal(t->binary.right->binary.op, '%');
    assert_text(t->binary.left->source, "a + b * c");
    t = s->select.selectors[1].term;
    assert_int_equal(t->kind, AST_TERM_NEGATE);
    assert_int_equal(t->operand->kind, AST_TERM_ELEMENT);
    assert_int_equal(t->operand->access.of->kind, AST_TERM_FIELD);
    assert_int_equal(t->depth, 4);
}

static void test_literals(void **state)
{
    (void)state;
    const struct ast_statement *s = parse("INSERT INTO t (a) VALUES ('it''s', $$x'$y$$, '', -12, "
                                          "1., -nan, -INFINITY, True, 1H, 0xF, null)");
    static const struct {
        enum ast_literal_kind kind;
        const char *text;
    } wanted[] = {
        {AST_LITERAL_STRING, "it's"},     {AST_LITERAL_STRING, "x'$y"},
        {AST_LITERAL_STRING, ""},         {AST_LITERAL_INTEGER, "-12"},
        {AST_LITERAL_FLOAT, "1."},        {AST_LITERAL_FLOAT, "NaN"},
        {AST_LITERAL_FLOAT, "-Infinity"}, {AST_LITERAL_BOOLEAN, "True"},
        {AST_LITERAL_DURATION, "1H"},     {AST_LITERAL_HEX, "0xF"},
        {AST_LITERAL_NULL, "NULL"},
    };
    assert_int_equal(s->insert.values.items_count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < s->insert.values.items_count; i++) {
        assert_int_equal(s->insert.values.items[i]->literal.kind, wanted[i].kind);
        assert_text(s->insert.values.items[i]->literal.text, wanted[i].text);
    }
    assert_false(bytes_is_null(s->insert.values.items[2]->literal.text));
}

static void test_parentheses(void **state)
{
    (void)state;
    const struct ast_statement *s = parse("SELECT (a), (a) b, (a) AS b, ('x') FROM t");
    assert_int_equal(s->select.selectors[0].term->kind, AST_TERM_TUPLE);
    assert_int_equal(s->select.selectors[1].term->kind, AST_TERM_HINT);
    assert_int_equal(s->select.selectors[1].term->convert.type->kind, AST_TYPE_USER);
    assert_int_equal(s->select.selectors[2].term->kind, AST_TERM_TUPLE);
    assert_text(s->select.selectors[2].alias.text, "b");
    assert_int_equal(s->select.selectors[3].term->kind, AST_TERM_TUPLE);
    s = parse("SELECT a FROM t WHERE k = ('x') GROUP BY a");
    assert_int_equal(s->select.where[0].value->kind, AST_TERM_TUPLE);
    s = parse("INSERT INTO t (a) VALUES ((map<int, frozen<k.u>>) {}, (int) (1), ((int) 1))");
    assert_int_equal(s->insert.values.items[0]->kind, AST_TERM_HINT);
    assert_text(s->insert.values.items[0]->convert.type->source, "map<int, frozen<k.u>>");
    assert_int_equal(s->insert.values.items[1]->kind, AST_TERM_HINT);
    assert_int_equal(s->insert.values.items[1]->convert.operand->kind, AST_TERM_TUPLE);
    assert_int_equal(s->insert.values.items[2]->kind, AST_TERM_TUPLE);
    s = parse("SELECT JSON FROM t");
    assert_false(s->select.json);
    s = parse("SELECT JSON DISTINCT json FROM t");
    assert_true(s->select.json && s->select.distinct);
}

static void test_using(void **state)
{
    (void)state;
    const struct ast_statement *s = parse(
        "SELECT a FROM t LIMIT 5 ALLOW FILTERING USING CONSISTENCY Local_Quorum AND TIMEOUT 2s");
    assert_text(s->select.using.consistency.text, "local_quorum");
    assert_int_equal(s->select.using.timeout->literal.kind, AST_LITERAL_DURATION);
    s = parse("INSERT INTO t (a) VALUES (1) USING TTL 1 AND TIMESTAMP ? AND TTL 2 AND TIMEOUT 1s "
              "AND TTL 3 AND TTL 4");
    assert_text(s->insert.using.ttl->literal.text, "4");
    assert_int_equal(s->insert.using.items_count, 6);
    assert_int_equal(s->insert.using.timestamp->kind, AST_TERM_MARKER);
    struct ast_statement *out;
    assert_int_equal(cql_parse(bytes_str("SELECT a FROM t USING TTL 3"), &arena, &out, NULL),
                     ERR_SYNTAX);
    assert_int_equal(
        cql_parse(bytes_str("DELETE FROM t USING TTL 3 WHERE k = 1"), &arena, &out, NULL),
        ERR_SYNTAX);
    assert_int_equal(
        cql_parse(bytes_str("INSERT INTO t (a) VALUES (1) USING TIMEOUT 3"), &arena, &out, NULL),
        ERR_SYNTAX);
}

static void test_types_and_terms_alone(void **state)
{
    (void)state;
    struct fail fail = {.arena = &arena};
    struct ast_type *type;
    assert_int_equal(
        cql_parse_type(bytes_str(" MAP<text,frozen<vector<Float,-3>>> "), &arena, &type, &fail),
        OK);
    assert_int_equal(type->kind, AST_TYPE_MAP);
    assert_int_equal(type->depth, 4);
    assert_text(type->args[1]->args[0]->args[0]->name, "float");
    assert_int_equal(type->args[1]->args[0]->dimension, -3);
    assert_text(type->source, "MAP<text,frozen<vector<Float,-3>>>");
    assert_int_equal(cql_parse_type(bytes_str("varchar"), &arena, &type, &fail), OK);
    assert_text(type->name, "varchar");
    assert_int_equal(cql_parse_type(bytes_str("int;"), &arena, &type, &fail), ERR_SYNTAX);
    assert_int_equal(cql_parse_type(bytes_str(""), &arena, &type, &fail), ERR_SYNTAX);
    struct ast_term *term;
    assert_int_equal(cql_parse_term(bytes_str("{'a': [1, ?]}"), &arena, &term, &fail), OK);
    assert_int_equal(term->kind, AST_TERM_MAP);
    assert_int_equal(term->entries.items[0].value->elements.items[1]->marker.index, 0);
    assert_int_equal(cql_parse_term(bytes_str("1 2"), &arena, &term, &fail), ERR_SYNTAX);
    struct ast_statement *s;
    assert_int_equal(cql_parse(bytes_str("int"), &arena, &s, &fail), ERR_SYNTAX);
}

/* The tree must not depend on the caller's text. */
static void test_the_text_is_copied(void **state)
{
    (void)state;
    char text[] = "SELECT abc FROM t";
    struct ast_statement *s;
    assert_int_equal(cql_parse(bytes_of(text, sizeof text - 1), &arena, &s, NULL), OK);
    memset(text, 'x', sizeof text);
    assert_text(s->select.selectors[0].term->column.text, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_printed_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_are_folded_unless_quoted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sources_are_the_text_as_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns_are_counted_in_utf16, setup, teardown),
        cmocka_unit_test_setup_teardown(test_markers_are_numbered_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_operators_bind_as_in_arithmetic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_literals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parentheses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_using, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types_and_terms_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_text_is_copied, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
