/* Every answer of oracle.def, which the classes of Apache Cassandra 5.0.9 gave. Left out there are answers in which this project
 * differs on purpose (cql/types/README.md lists them). */
#include "cql/types/number.h"
#include "tests/unit/types/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
    const char *operation, *type, *arguments, *answer;
} rows[] = {
#define X(operation, type, arguments, answer) {operation, type, arguments, answer},
#include "tests/unit/types/oracle.def"
#undef X
};

#define ARGUMENTS_MAX 5

struct call {
    const struct cases *cases;
    const struct type *type;
    char *arguments[ARGUMENTS_MAX];
    struct arena *arena;
    struct fail *fail;
    struct buf *out;
};

static struct bytes hex_argument(const struct call *c, int i)
{
    return unhex(c->arena, c->arguments[i], strlen(c->arguments[i]));
}

static enum type_id type_argument(const struct call *c, int i)
{
    return cases_find(c->cases, c->arguments[i])->id;
}

static err_t print_hex(const struct call *c, err_t err, struct bytes v)
{
    if (err != OK)
        return err;
    if (v.p == NULL)
        buf_put_str(c->out, "null");
    else
        type_to_text(type_native(TYPE_BLOB), v, c->out);
    return OK;
}

static err_t call_number(const struct call *c, const char *operation)
{
    struct bytes v = BYTES_NULL;
    enum type_id id = c->type->id;
    if (strcmp(operation, "bin") == 0)
        return print_hex(c,
                         number_binary((enum number_op)(c->arguments[0][0] - '0'), id,
                                       type_argument(c, 1), hex_argument(c, 2), type_argument(c, 3),
                                       hex_argument(c, 4), c->arena, &v, c->fail),
                         v);
    if (strcmp(operation, "un") == 0)
        return print_hex(c,
                         number_unary((enum number_fn)(c->arguments[0][0] - '0'), id,
                                      hex_argument(c, 1), c->arena, &v, c->fail),
                         v);
    return print_hex(
        c, number_cast(type_argument(c, 0), id, hex_argument(c, 1), c->arena, &v, c->fail), v);
}

static err_t call(const struct call *c, const char *operation)
{
    struct bytes v = BYTES_NULL;
    const struct type *t = c->type;
    if (strcmp(operation, "validate") == 0) {
        buf_put_str(c->out, "OK");
        return type_validate(t, hex_argument(c, 0), c->fail);
    }
    if (strcmp(operation, "compare") == 0) {
        int x = type_compare(t, hex_argument(c, 0), hex_argument(c, 1));
        buf_printf(c->out, "%d", (x > 0) - (x < 0));
    } else if (strcmp(operation, "literal") == 0) {
        type_to_literal(t, hex_argument(c, 0), c->out);
    } else if (strcmp(operation, "text") == 0) {
        type_to_text(t, hex_argument(c, 0), c->out);
    } else if (strcmp(operation, "json") == 0) {
        type_to_json(t, hex_argument(c, 0), c->out);
    } else if (strcmp(operation, "from") == 0) {
        return print_hex(c, type_from_text(t, hex_argument(c, 0), c->arena, &v, c->fail), v);
    } else if (strcmp(operation, "fromjson") == 0) {
        return print_hex(c, type_from_json(t, hex_argument(c, 0), c->arena, &v, c->fail), v);
    } else if (strcmp(operation, "compat") == 0) {
        bool yes = type_value_compatible(t, cases_find(c->cases, c->arguments[0]));
        buf_put_str(c->out, yes ? "true" : "false");
    } else {
        return call_number(c, operation);
    }
    return OK;
}

/* Backslashes and line ends as oracle.def writes them. */
static void escape(struct bytes in, struct buf *out)
{
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\\')
            buf_put_str(out, "\\\\");
        else if (in.p[i] == '\n' || in.p[i] == '\r')
            buf_put_str(out, in.p[i] == '\n' ? "\\n" : "\\r");
        else
            buf_u8(out, in.p[i]);
    }
}

static void answers_equal_cassandras(void **state)
{
    (void)state;
    struct arena types, a;
    struct cases cases;
    int wrong = 0;
    arena_init(&types, 0);
    arena_init(&a, 65536);
    cases_init(&cases, &types);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct fail fail = {.arena = &a};
        struct buf out = buf_in(&a), answer = buf_in(&a);
        struct call c = {&cases, cases_find(&cases, row->type), {0}, &a, &fail, &out};
        assert_non_null(c.type);
        char *rest = arena_cstr(&a, bytes_str(row->arguments));
        for (int n = 0; n < ARGUMENTS_MAX && rest; n++)
            c.arguments[n] = strsep(&rest, "\t");
        if (call(&c, row->operation) != OK) {
            buf_u8(&answer, '!');
            escape(fail.message, &answer);
        } else {
            escape(buf_bytes(&out), &answer);
        }
        if (!bytes_equal_str(buf_bytes(&answer), row->answer)) {
            wrong++;
            print_error("%s %s %s\n  expected %s\n  got      %.*s\n", row->operation, row->type,
                        row->arguments, row->answer, BYTES_FMT(buf_bytes(&answer)));
        }
        arena_reset(&a);
    }
    assert_int_equal(wrong, 0);
    arena_free(&types);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_equal_cassandras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
