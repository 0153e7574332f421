/* The select clause compiled: what is computed from a row, which type it has and how Cassandra names the column.
 *
 * A selector that has a type by itself (a column, a call) gives it; one that has not (a literal, {a: 1}) takes the type that is
 * expected of it, as an argument of a function or under a type hint, and is refused where nothing is expected. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/select_priv.h"
#include "cql/plan/term_priv.h"
#include "cql/plan/type_resolve.h"

#define SELECTORS_MAX 65000

static struct selector *new_selector(struct selection *s, enum selector_kind kind,
                                     const struct type *type, size_t args)
{
    struct selector *out = arena_new(s->c->arena, struct selector);
    out->kind = kind;
    out->type = type;
    out->args = args ? arena_array(s->c->arena, struct selector *, args) : NULL;
    out->args_count = args;
    out->slot = out->slot2 = SLOT_NONE;
    return out;
}

static void *grown(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap ? 2 * *cap : 8;
    void *p = arena_zalloc(a, *cap, size);
    if (count)
        memcpy(p, items, count * size);
    return p;
}

static void add_column(struct selection *s, const struct column *column)
{
    struct select *q = s->select;
    for (size_t i = 0; i < q->columns_count; i++)
        if (q->columns[i] == column)
            return;
    q->columns =
        grown(s->c->arena, q->columns, q->columns_count, &s->columns_cap, sizeof(struct column *));
    q->columns[q->columns_count++] = column;
}

static err_t add_aggregate(struct selection *s, struct selector *aggregate)
{
    struct select *q = s->select;
    if (q->aggregates_count >= SELECTORS_MAX)
        return fail_set(s->c->fail, ERR_INVALID, "Too many aggregate functions");
    q->aggregates = grown(s->c->arena, q->aggregates, q->aggregates_count, &s->aggregates_cap,
                          sizeof(struct selector *));
    aggregate->aggregate = q->aggregates_count;
    aggregate->has_aggregate = true;
    q->aggregates[q->aggregates_count++] = aggregate;
    return OK;
}

static err_t add_term(struct selection *s, struct select_term term, uint16_t *slot)
{
    struct select *q = s->select;
    if (q->terms_count >= SELECTORS_MAX)
        return fail_set(s->c->fail, ERR_INVALID, "Too many values in the select clause");
    q->terms =
        grown(s->c->arena, q->terms, q->terms_count, &s->terms_cap, sizeof(struct select_term));
    *slot = q->terms_count;
    q->terms[q->terms_count++] = term;
    return OK;
}

/* Compiles a term that stands in the select clause but is not a selector. */
static err_t compile_term(struct selection *s, const struct ast_term *ast, const struct receiver *r,
                          struct term **out)
{
    s->c->selecting = false;
    err_t err = term_compile(s->c, ast, r, out);
    s->c->selecting = true;
    return err;
}

/* The type ast has by itself, else the expected one. */
static err_t type_or_expected(struct selection *s, const struct ast_term *ast,
                              const struct type *expected, const struct type **out)
{
    TRY(term_guess_type(s->c, ast, out));
    if (*out == NULL)
        *out = expected;
    if (*out == NULL)
        return fail_set(s->c->fail, ERR_INVALID,
                        "Cannot infer type for term %.*s in selection clause (try using a cast to "
                        "force a type)",
                        BYTES_FMT(compile_text(s->c, ast)));
    return OK;
}

static err_t arg(struct selection *s, struct selector *parent, size_t i, const struct ast_term *ast,
                 const struct type *expected)
{
    TRY(selector_compile(s, ast, expected, &parent->args[i]));
    parent->has_aggregate |= parent->args[i]->has_aggregate;
    return OK;
}

/* "open a, b close" of the arguments' names. */
static struct bytes list_name(struct selection *s, const char *open, const struct selector *of,
                              const char *close)
{
    struct buf name = buf_in(s->c->arena);
    buf_put_str(&name, open);
    for (size_t i = 0; i < of->args_count; i++) {
        if (i)
            buf_put_str(&name, ", ");
        buf_put_bytes(&name, of->args[i]->name);
    }
    buf_put_str(&name, close);
    return buf_bytes(&name);
}

static err_t compile_value(struct selection *s, const struct ast_term *ast,
                           const struct type *expected, struct selector **out)
{
    const struct type *type;
    TRY(type_or_expected(s, ast, expected, &type));
    struct receiver r = receiver_named(s->table, "[selection]", TYPE_INT);
    r.type = type;
    struct select_term term = {.use = SELECT_TERM_VALUE};
    TRY(compile_term(s, ast, &r, &term.term));
    *out = new_selector(s, SELECTOR_TERM, type, 0);
    (*out)->name = term_text(ast, s->c->arena);
    return add_term(s, term, &(*out)->slot);
}

static err_t compile_column(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    const struct column *column;
    TRY(table_find_column(s->table, ast->column.text, &column, s->c->fail));
    add_column(s, column);
    *out = new_selector(s, SELECTOR_COLUMN, column->type, 0);
    (*out)->column = column;
    (*out)->name = column->name;
    return OK;
}

/* --- Calls ---------------------------------------------------------------------------------------- */

static struct bytes call_column_name(struct selection *s, const struct ast_term *ast,
                                     const struct selector *call)
{
    struct buf name = buf_in(s->c->arena);
    if (ast->kind == AST_TERM_BINARY) {
        buf_printf(&name, "%.*s %c %.*s", BYTES_FMT(call->args[0]->name), ast->binary.op,
                   BYTES_FMT(call->args[1]->name));
        return buf_bytes(&name);
    }
    if (ast->kind == AST_TERM_NEGATE) {
        buf_printf(&name, "-%.*s", BYTES_FMT(call->args[0]->name));
        return buf_bytes(&name);
    }
    buf_put_bytes(&name, func_full_name(call->func, s->c->arena));
    buf_put_bytes(&name, list_name(s, "(", call, ")"));
    return buf_bytes(&name);
}

static err_t compile_call(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    const struct func *f;
    size_t count;
    struct ast_term *const *args = call_args(ast, &count);
    TRY(call_resolve(s->c, ast, NULL, &f));
    if (f == NULL)
        return fail_set(s->c->fail, ERR_INVALID, "Unknown function '%.*s'",
                        BYTES_FMT(call_name(ast, s->c->arena)));
    struct selector *call =
        new_selector(s, f->is_aggregate ? SELECTOR_AGGREGATE : SELECTOR_CALL, f->result, count);
    call->func = f;
    for (size_t i = 0; i < count; i++) {
        TRY(arg(s, call, i, args[i], f->args[i]));
        if (call->args[i]->kind == SELECTOR_TERM) {
            struct select_term *term = &s->select->terms[call->args[i]->slot];
            term->use = SELECT_TERM_ARGUMENT;
            term->on = f->name;
        }
    }
    call->name = call_column_name(s, ast, call);
    *out = call;
    if (!f->is_aggregate)
        return OK;
    if (call->has_aggregate)
        return fail_set(s->c->fail, ERR_INVALID,
                        "aggregate functions cannot be used as arguments of aggregate functions");
    return add_aggregate(s, call);
}

static err_t compile_count_rows(struct selection *s, struct selector **out)
{
    *out = new_selector(s, SELECTOR_COUNT_ROWS, type_native(TYPE_BIGINT), 0);
    (*out)->name = bytes_str("count");
    return add_aggregate(s, *out);
}

static bool is_cast_error(struct bytes message)
{
    return memmem(message.p, message.n, " cannot be cast to ", 19) != NULL;
}

static err_t compile_cast(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    const struct type *to;
    TRY(plan_resolve_type(ast->convert.type, s->c->schema, s->c->keyspace, s->c->arena, &to,
                          s->c->fail));
    struct selector *cast = new_selector(s, SELECTOR_CALL, to, 1);
    TRY(arg(s, cast, 0, ast->convert.operand, NULL));
    const struct type *from = cast->args[0]->type;
    cast->name = arena_printf(s->c->arena, "cast(%.*s as %.*s)", BYTES_FMT(cast->args[0]->name),
                              BYTES_FMT(type_name(to, s->c->arena)));
    if (type_equal(from, to)) {
        /* To Cassandra the type of a DESC column is another one, so that such a cast is one, and named so. */
        bool desc = cast->args[0]->kind == SELECTOR_COLUMN && cast->args[0]->column->desc;
        cast->kind = SELECTOR_SAME;
        *out = desc ? cast : cast->args[0];
        return OK;
    }
    err_t err = call_resolve(s->c, ast, NULL, &cast->func);
    /* The column named is the first of the whole select clause, as in Cassandra's message. */
    if (err == ERR_INVALID && s->c->fail && s->select->columns_count &&
        is_cast_error(s->c->fail->message))
        return fail_set(s->c->fail, ERR_INVALID, "%.*s cannot be cast to %.*s",
                        BYTES_FMT(s->select->columns[0]->name), BYTES_FMT(ast->convert.type->name));
    TRY(err);
    *out = cast;
    return OK;
}

static err_t compile_hint(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    const struct type *type;
    struct bytes text = compile_text(s->c, ast);
    enum assignment test;
    TRY(term_guess_type(s->c, ast, &type));
    struct receiver r = receiver_named(s->table, "", TYPE_INT);
    r.type = type;
    r.name = text;
    TRY(term_test(s->c, ast->convert.operand, &r, &test));
    if (test == ASSIGN_NO)
        return fail_set(s->c->fail, ERR_INVALID, "Cannot assign value %.*s to %.*s of type %.*s",
                        BYTES_FMT(text), BYTES_FMT(text), BYTES_FMT(type_name(type, s->c->arena)));
    struct selector *same = new_selector(s, SELECTOR_SAME, type, 1);
    TRY(arg(s, same, 0, ast->convert.operand, type));
    struct buf name = buf_in(s->c->arena);
    buf_u8(&name, '(');
    plan_print_raw_type(ast->convert.type, BYTES_NULL, &name);
    buf_u8(&name, ')');
    buf_put_bytes(&name, same->args[0]->name);
    same->name = buf_bytes(&name);
    *out = same;
    return OK;
}

/* --- Constructors --------------------------------------------------------------------------------- */

static err_t wrong_type(struct selection *s, const struct ast_term *ast, const struct type *type)
{
    return fail_set(s->c->fail, ERR_INVALID, "Cannot assign value %.*s to a selection of type %.*s",
                    BYTES_FMT(compile_text(s->c, ast)), BYTES_FMT(type_name(type, s->c->arena)));
}

static err_t compile_items(struct selection *s, const struct ast_term *ast, enum selector_kind kind,
                           const struct type *type, const char *open, const char *close,
                           struct selector **out)
{
    const struct ast_terms *l = &ast->elements;
    struct selector *list = new_selector(s, kind, type, l->items_count);
    for (size_t i = 0; i < l->items_count; i++)
        TRY(arg(s, list, i, l->items[i], type->params[kind == SELECTOR_TUPLE ? i : 0]));
    list->name = list_name(s, open, list, close);
    *out = list;
    return OK;
}

static err_t compile_list(struct selection *s, const struct ast_term *ast,
                          const struct type *expected, struct selector **out)
{
    const struct type *type;
    size_t count = ast->elements.items_count;
    TRY(type_or_expected(s, ast, expected, &type));
    if (expected && expected->id == TYPE_VECTOR) {
        if (type->id == TYPE_LIST && count)
            type = type_vector(s->c->arena, type->params[0], (uint32_t)count);
        if (type->dimension != count)
            return fail_set(s->c->fail, ERR_INVALID,
                            "Unable to create a vector selector of type %.*s from %zu elements",
                            BYTES_FMT(type_name(type, s->c->arena)), count);
        return compile_items(s, ast, SELECTOR_VECTOR, type, "[", "]", out);
    }
    if (type->id != TYPE_LIST)
        return wrong_type(s, ast, type);
    return compile_items(s, ast, SELECTOR_LIST, type, "[", "]", out);
}

static err_t compile_set(struct selection *s, const struct ast_term *ast,
                         const struct type *expected, struct selector **out)
{
    const struct type *type;
    TRY(type_or_expected(s, ast, expected, &type));
    if (type->id == TYPE_MAP && ast->elements.items_count == 0) {
        *out = new_selector(s, SELECTOR_MAP, type, 0);
        (*out)->name = bytes_str("{}");
        return OK;
    }
    if (type->id != TYPE_SET)
        return wrong_type(s, ast, type);
    if (type->params[0]->id == TYPE_DURATION)
        return fail_set(s->c->fail, ERR_INVALID, "Durations are not allowed inside sets: %.*s",
                        BYTES_FMT(type_name(type, s->c->arena)));
    return compile_items(s, ast, SELECTOR_SET, type, "{", "}", out);
}

static err_t compile_tuple(struct selection *s, const struct ast_term *ast,
                           const struct type *expected, struct selector **out)
{
    const struct type *type;
    size_t count = ast->elements.items_count;
    TRY(type_or_expected(s, ast, expected, &type));
    bool is_tuple = type->id == TYPE_TUPLE || type->id == TYPE_UDT;
    if (count == 1 && !is_tuple) {
        struct selector *same = new_selector(s, SELECTOR_SAME, NULL, 1);
        TRY(arg(s, same, 0, ast->elements.items[0], expected));
        same->type = same->args[0]->type;
        same->name = list_name(s, "(", same, ")");
        *out = same;
        return OK;
    }
    if (!is_tuple || count > type->params_count)
        return wrong_type(s, ast, type);
    return compile_items(s, ast, SELECTOR_TUPLE, type, "(", ")", out);
}

static err_t compile_udt_entries(struct selection *s, const struct ast_term *ast,
                                 const struct type *type, struct selector **out)
{
    struct selector *udt = new_selector(s, SELECTOR_UDT, type, type->params_count);
    struct buf name = buf_in(s->c->arena);
    for (size_t i = 0; i < ast->entries.items_count; i++) {
        const struct ast_term *key = ast->entries.items[i].key;
        if (key->kind != AST_TERM_COLUMN)
            return fail_set(s->c->fail, ERR_INVALID,
                            "%.*s is not a valid field identifier of type %.*s ",
                            BYTES_FMT(compile_text(s->c, key)), BYTES_FMT(type->name));
        uint16_t field = 0;
        while (field < type->params_count &&
               !bytes_equal(type->field_names[field], key->column.text))
            field++;
        if (field == type->params_count)
            return fail_set(s->c->fail, ERR_INVALID,
                            "Unknown field '%.*s' in value of user defined type %.*s",
                            BYTES_FMT(key->column.text), BYTES_FMT(type->name));
        TRY(arg(s, udt, field, ast->entries.items[i].value, type->params[field]));
        buf_printf(&name, "%s%.*s: %.*s", i ? ", " : "{", BYTES_FMT(key->column.text),
                   BYTES_FMT(udt->args[field]->name));
    }
    buf_put_str(&name, "}");
    udt->name = buf_bytes(&name);
    *out = udt;
    return OK;
}

static err_t compile_map(struct selection *s, const struct ast_term *ast,
                         const struct type *expected, struct selector **out)
{
    const struct type *type;
    TRY(type_or_expected(s, ast, expected, &type));
    if (type->id == TYPE_UDT)
        return compile_udt_entries(s, ast, type, out);
    if (type->id != TYPE_MAP)
        return wrong_type(s, ast, type);
    if (type->params[0]->id == TYPE_DURATION)
        return fail_set(s->c->fail, ERR_INVALID, "Durations are not allowed as map keys: %.*s",
                        BYTES_FMT(type_name(type, s->c->arena)));
    size_t count = ast->entries.items_count;
    struct selector *map = new_selector(s, SELECTOR_MAP, type, 2 * count);
    struct buf name = buf_in(s->c->arena);
    buf_u8(&name, '{');
    for (size_t i = 0; i < count; i++) {
        TRY(arg(s, map, 2 * i, ast->entries.items[i].key, type->params[0]));
        TRY(arg(s, map, 2 * i + 1, ast->entries.items[i].value, type->params[1]));
        buf_printf(&name, "%s%.*s: %.*s", i ? ", " : "", BYTES_FMT(map->args[2 * i]->name),
                   BYTES_FMT(map->args[2 * i + 1]->name));
    }
    buf_u8(&name, '}');
    map->name = buf_bytes(&name);
    *out = map;
    return OK;
}

/* --- Parts of a value ------------------------------------------------------------------------------ */

static err_t compile_field(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    const struct type *expected = NULL;
    const struct ast_term *of = ast->access.of;
    if (of->kind == AST_TERM_TUPLE && of->elements.items_count)
        TRY(term_guess_type(s->c, of->elements.items[0], &expected));
    struct selector *field = new_selector(s, SELECTOR_FIELD, NULL, 1);
    TRY(arg(s, field, 0, of, expected));
    const struct type *type = field->args[0]->type;
    struct bytes text = compile_text(s->c, of), name = ast->access.field.text;
    if (type->id != TYPE_UDT)
        return fail_set(s->c->fail, ERR_INVALID,
                        "Invalid field selection: %.*s of type %.*s is not a user type",
                        BYTES_FMT(text), BYTES_FMT(type_name(type, s->c->arena)));
    while (field->field < type->params_count && !bytes_equal(type->field_names[field->field], name))
        field->field++;
    if (field->field == type->params_count)
        return fail_set(s->c->fail, ERR_INVALID, "%.*s of type %.*s has no field %.*s",
                        BYTES_FMT(text), BYTES_FMT(type_name(type, s->c->arena)), BYTES_FMT(name));
    field->type = type->params[field->field];
    field->name =
        arena_printf(s->c->arena, "%.*s.%.*s", BYTES_FMT(field->args[0]->name), BYTES_FMT(name));
    *out = field;
    return OK;
}

static err_t compile_access(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    bool element = ast->kind == AST_TERM_ELEMENT;
    struct selector *access = new_selector(s, element ? SELECTOR_ELEMENT : SELECTOR_SLICE, NULL, 1);
    TRY(arg(s, access, 0, ast->access.of, NULL));
    const struct selector *of = access->args[0];
    struct bytes text = compile_text(s->c, ast->access.of);
    if (!type_is_collection(of->type))
        return fail_set(s->c->fail, ERR_INVALID,
                        element
                            ? "Invalid element selection: %.*s is of type %.*s is not a collection"
                            : "Invalid slice selection: %.*s of type %.*s is not a collection",
                        BYTES_FMT(text), BYTES_FMT(type_name(of->type, s->c->arena)));
    if (of->type->id == TYPE_LIST)
        return fail_set(s->c->fail, ERR_INVALID,
                        "%s selection is only allowed on sets and maps, but %.*s is a list",
                        element ? "Element" : "Slice", BYTES_FMT(text));
    struct receiver r = receiver_named(s->table, "", TYPE_INT);
    r.type = of->type;
    r.name = of->name;
    r = of->type->id == TYPE_SET ? receiver_value(s->c, &r) : receiver_key(s->c, &r);
    struct select_term term = {.use = element ? SELECT_TERM_ELEMENT : SELECT_TERM_SLICE,
                               .on = of->name};
    if (ast->access.from) {
        TRY(compile_term(s, ast->access.from, &r, &term.term));
        TRY(add_term(s, term, &access->slot));
    }
    if (ast->access.to) {
        TRY(compile_term(s, ast->access.to, &r, &term.term));
        TRY(add_term(s, term, &access->slot2));
    }
    access->type = !element ? of->type : of->type->params[of->type->id == TYPE_MAP ? 1 : 0];
    access->name = compile_text(s->c, ast);
    *out = access;
    return OK;
}

static const struct column *root_column(const struct selector *s)
{
    while (s->kind == SELECTOR_FIELD || s->kind == SELECTOR_ELEMENT || s->kind == SELECTOR_SLICE)
        s = s->args[0];
    return s->kind == SELECTOR_COLUMN ? s->column : NULL;
}

static const struct ast_term *root_term(const struct ast_term *t)
{
    while (t->kind == AST_TERM_FIELD || t->kind == AST_TERM_ELEMENT || t->kind == AST_TERM_SLICE)
        t = t->access.of;
    return t;
}

static err_t compile_times(struct selection *s, const struct ast_term *ast, struct selector **out)
{
    enum selector_kind kind = ast->kind == AST_TERM_TTL         ? SELECTOR_TTL
                              : ast->kind == AST_TERM_WRITETIME ? SELECTOR_WRITETIME
                                                                : SELECTOR_MAXWRITETIME;
    const char *name = kind == SELECTOR_TTL         ? "ttl"
                       : kind == SELECTOR_WRITETIME ? "writetime"
                                                    : "maxwritetime";
    struct selector *times =
        new_selector(s, kind, type_native(kind == SELECTOR_TTL ? TYPE_INT : TYPE_BIGINT), 1);
    const struct ast_term *root = root_term(ast->operand);
    const struct column *column = NULL;
    if (root->kind == AST_TERM_COLUMN)
        TRY(table_find_column(s->table, root->column.text, &column, s->c->fail));
    if (column && (column->kind == COLUMN_PARTITION_KEY || column->kind == COLUMN_CLUSTERING))
        return fail_set(s->c->fail, ERR_INVALID,
                        "Cannot use selection function %s on PRIMARY KEY part %.*s", name,
                        BYTES_FMT(column->name));
    TRY(arg(s, times, 0, ast->operand, NULL));
    times->column = root_column(times->args[0]);
    if (times->column == NULL)
        return fail_set(s->c->fail, ERR_INVALID, "%s can only be used on columns and their parts",
                        name);
    if (type_is_multicell(times->args[0]->type) && kind != SELECTOR_MAXWRITETIME)
        times->type = type_list(s->c->arena, times->type, false);
    times->name = arena_printf(s->c->arena, "%s(%.*s)", name, BYTES_FMT(times->args[0]->name));
    *out = times;
    return OK;
}

err_t selector_compile(struct selection *s, const struct ast_term *ast, const struct type *expected,
                       struct selector **out)
{
    if (selector_counts_rows(ast))
        return compile_count_rows(s, out);
    switch (ast->kind) {
    case AST_TERM_LITERAL:
    case AST_TERM_MARKER: return compile_value(s, ast, expected, out);
    case AST_TERM_COLUMN: return compile_column(s, ast, out);
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE: return compile_call(s, ast, out);
    case AST_TERM_CAST: return compile_cast(s, ast, out);
    case AST_TERM_HINT: return compile_hint(s, ast, out);
    case AST_TERM_LIST: return compile_list(s, ast, expected, out);
    case AST_TERM_SET: return compile_set(s, ast, expected, out);
    case AST_TERM_MAP: return compile_map(s, ast, expected, out);
    case AST_TERM_TUPLE: return compile_tuple(s, ast, expected, out);
    case AST_TERM_FIELD: return compile_field(s, ast, out);
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: return compile_access(s, ast, out);
    case AST_TERM_WRITETIME:
    case AST_TERM_MAXWRITETIME:
    case AST_TERM_TTL: return compile_times(s, ast, out);
    default: break;
    }
    return fail_set(s->c->fail, ERR_INVALID, "%.*s cannot be selected",
                    BYTES_FMT(compile_text(s->c, ast)));
}
