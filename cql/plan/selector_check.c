/* A first look at the select clause, before the WHERE is analysed: are the columns there, are the functions known. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/select_priv.h"
#include "cql/plan/term_priv.h"

static err_t check_list(struct compile *c, const struct table *t, const struct ast_terms *l)
{
    for (size_t i = 0; i < l->items_count; i++)
        TRY(selector_check(c, t, l->items[i]));
    return OK;
}

/* COUNT(1) counts rows, as COUNT(*). */
bool selector_counts_rows(const struct ast_term *t)
{
    if (t->kind == AST_TERM_COUNT_ROWS)
        return true;
    if (t->kind != AST_TERM_CALL || !bytes_equal_str(t->call.function.name.text, "count") ||
        t->call.args.items_count != 1)
        return false;
    if (ast_name_present(t->call.function.keyspace) &&
        !bytes_equal_str(t->call.function.keyspace.text, "system"))
        return false;
    const struct ast_term *arg = t->call.args.items[0];
    return arg->kind == AST_TERM_LITERAL && arg->literal.kind != AST_LITERAL_NULL;
}

static err_t check_call(struct compile *c, const struct table *t, const struct ast_term *ast)
{
    const struct func *f;
    size_t count;
    struct ast_term *const *args = call_args(ast, &count);
    if (selector_counts_rows(ast))
        return OK;
    for (size_t i = 0; i < count; i++)
        TRY(selector_check(c, t, args[i]));
    if (ast->kind == AST_TERM_CAST)
        return OK;
    TRY(call_resolve(c, ast, NULL, &f));
    if (f == NULL)
        return fail_set(c->fail, ERR_INVALID, "Unknown function '%.*s'",
                        BYTES_FMT(call_name(ast, c->arena)));
    return OK;
}

err_t selector_check(struct compile *c, const struct table *t, const struct ast_term *ast)
{
    const struct column *column;
    const struct type *type;
    switch (ast->kind) {
    case AST_TERM_COLUMN: return table_find_column(t, ast->column.text, &column, c->fail);
    case AST_TERM_LIST:
    case AST_TERM_SET:
    case AST_TERM_TUPLE: return check_list(c, t, &ast->elements);
    case AST_TERM_HINT:
        TRY(selector_check(c, t, ast->convert.operand));
        return term_guess_type(c, ast, &type);
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST: return check_call(c, t, ast);
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: return selector_check(c, t, ast->access.of);
    case AST_TERM_WRITETIME:
    case AST_TERM_MAXWRITETIME:
    case AST_TERM_TTL: return selector_check(c, t, ast->operand);
    default: return OK; /* literals, markers; the parts of {a: 1} depend on its type */
    }
}

static bool list_selects(const struct ast_terms *l, const struct table *t,
                         bool (*pred)(const struct column *))
{
    for (size_t i = 0; i < l->items_count; i++)
        if (selector_selects(l->items[i], t, pred))
            return true;
    return false;
}

bool selector_selects(const struct ast_term *ast, const struct table *t,
                      bool (*pred)(const struct column *))
{
    const struct column *column;
    size_t count;
    struct ast_term *const *args;
    switch (ast->kind) {
    case AST_TERM_COLUMN: column = table_column(t, ast->column.text); return column && pred(column);
    case AST_TERM_LIST:
    case AST_TERM_SET:
    case AST_TERM_TUPLE: return list_selects(&ast->elements, t, pred);
    case AST_TERM_MAP:
        for (size_t i = 0; i < ast->entries.items_count; i++)
            if ((ast->entries.items[i].key->kind != AST_TERM_COLUMN &&
                 selector_selects(ast->entries.items[i].key, t, pred)) ||
                !selector_selects(ast->entries.items[i].value, t,
                                  pred)) /* sic: Cassandra has it the wrong way round */
                return true;
        return false;
    case AST_TERM_HINT:
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST:
        args = call_args(ast, &count);
        for (size_t i = 0; i < count; i++)
            if (selector_selects(args[i], t, pred))
                return true;
        return false;
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: return selector_selects(ast->access.of, t, pred);
    case AST_TERM_WRITETIME:
    case AST_TERM_MAXWRITETIME:
    case AST_TERM_TTL: return selector_selects(ast->operand, t, pred);
    default: return false;
    }
}
