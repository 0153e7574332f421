/* Compiling terms and evaluating them. See term.h; assignability is in term_assign.c, literals in term_literal.c, calls in
 * term_call.c. Recursion is bounded by the depth of the syntax tree. */
#include "cql/plan/term_priv.h"
#include "cql/plan/type_resolve.h"

#include "cql/types/value.h"

#include <stdarg.h>
#include <stdio.h>

const uint8_t bytes_unset_marker[1] = {0};

/* --- Receivers ---------------------------------------------------------------------------------- */

struct receiver receiver_of_column(const struct table *t, const struct column *c)
{
    return (struct receiver){t->keyspace, t->name, c->name, c->type, c};
}

struct receiver receiver_named(const struct table *t, const char *name, enum type_id type)
{
    return (struct receiver){
        .keyspace = t ? t->keyspace : bytes_str(""),
        .table = t ? t->name : bytes_str(""),
        .name = bytes_str(name),
        .type = type_native(type),
    };
}

struct receiver receiver_part(struct compile *c, const struct receiver *r, const struct type *type,
                              const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ensure(n >= 0);
    char *text = arena_alloc(c->arena, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct receiver){r->keyspace, r->table, bytes_of(text, (size_t)n), type, NULL};
}

struct receiver receiver_value(struct compile *c, const struct receiver *r)
{
    const struct type *type = r->type->params[r->type->id == TYPE_MAP ? 1 : 0];
    return receiver_part(c, r, type, "value(%.*s)", BYTES_FMT(r->name));
}

struct receiver receiver_key(struct compile *c, const struct receiver *r)
{
    return receiver_part(c, r, r->type->params[0], "key(%.*s)", BYTES_FMT(r->name));
}

struct receiver receiver_index(struct compile *c, const struct receiver *r)
{
    return receiver_part(c, r, type_native(TYPE_INT), "idx(%.*s)", BYTES_FMT(r->name));
}

/* --- Compiling ---------------------------------------------------------------------------------- */

static struct term *new_term(struct compile *c, enum term_kind kind, const struct type *type,
                             size_t items)
{
    struct term *t = arena_new(c->arena, struct term);
    t->kind = kind;
    t->type = type;
    t->items = items ? arena_array(c->arena, struct term *, items) : NULL;
    t->items_count = items;
    return t;
}

struct term *term_of_value(struct arena *a, const struct type *type, struct bytes value)
{
    struct term *t = arena_new(a, struct term);
    *t = (struct term){.kind = TERM_CONSTANT, .type = type, .value = value};
    return t;
}

struct term *term_compile_marker(struct compile *c, const struct ast_term *t,
                                 const struct receiver *r)
{
    struct term *out = new_term(c, TERM_MARKER, r->type, 0);
    ensure(t->kind == AST_TERM_MARKER && t->marker.index < c->binds_count);
    out->index = (uint16_t)t->marker.index;
    out->has_marker = true;
    out->name = r->name;
    struct column_spec *spec = &c->binds[out->index];
    *spec = (struct column_spec){r->keyspace, r->table, r->name, r->type};
    if (ast_name_present(t->marker.name))
        spec->name = t->marker.name.text;
    c->bind_columns[out->index] = r->column;
    return out;
}

/* A term whose parts are all constant becomes one itself. */
static err_t fold(struct compile *c, struct term *t, struct term **out)
{
    *out = t;
    for (size_t i = 0; i < t->items_count; i++)
        if (t->items[i]->kind != TERM_CONSTANT)
            return OK;
    struct exec_env env = {.arena = c->arena, .fail = c->fail};
    struct bytes value;
    TRY(term_eval(t, &env, &value));
    *out = term_of_value(c->arena, t->type, value);
    return OK;
}

static err_t compile_element(struct compile *c, struct term *parent, size_t i,
                             const struct ast_term *t, const struct receiver *r,
                             const char *collection, struct bytes name)
{
    TRY(term_compile(c, t, r, &parent->items[i]));
    if (collection && parent->items[i]->has_marker)
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid %s literal for %.*s: bind variables are not supported inside "
                        "collection literals",
                        collection, BYTES_FMT(name));
    parent->has_marker |= parent->items[i]->has_marker;
    return OK;
}

static err_t check_element(struct compile *c, const struct ast_term *t, const struct receiver *r,
                           const char *collection, const char *role, struct bytes name)
{
    enum assignment test;
    TRY(term_test(c, t, r, &test));
    if (test != ASSIGN_NO)
        return OK;
    return fail_set(c->fail, ERR_INVALID,
                    "Invalid %s literal for %.*s: %s %.*s is not of type %.*s", collection,
                    BYTES_FMT(name), role, BYTES_FMT(term_text(t, c->arena)),
                    BYTES_FMT(type_name(r->type, c->arena)));
}

static err_t refuse_literal(struct compile *c, const char *kind, const struct receiver *r)
{
    return fail_set(c->fail, ERR_INVALID, "Invalid %s literal for %.*s of type %.*s", kind,
                    BYTES_FMT(r->name), BYTES_FMT(type_name(r->type, c->arena)));
}

static err_t compile_elements(struct compile *c, const struct ast_term *t, const struct receiver *r,
                              enum term_kind kind, const char *name, bool markers,
                              struct term **out)
{
    const struct ast_terms *l = &t->elements;
    struct receiver value = receiver_value(c, r);
    for (size_t i = 0; i < l->items_count; i++)
        TRY(check_element(c, l->items[i], &value, name, "value", r->name));
    struct term *term = new_term(c, kind, r->type, l->items_count);
    for (size_t i = 0; i < l->items_count; i++)
        TRY(compile_element(c, term, i, l->items[i], &value, markers ? NULL : name, r->name));
    return fold(c, term, out);
}

static err_t compile_list(struct compile *c, const struct ast_term *t, const struct receiver *r,
                          struct term **out)
{
    struct bytes type = type_name(r->type, c->arena);
    if (r->type->id == TYPE_LIST)
        return compile_elements(c, t, r, TERM_LIST, "list", false, out);
    if (r->type->id != TYPE_VECTOR)
        return fail_set(c->fail, ERR_INVALID,
                        "Unexpected receiver type '%.*s'; only list and vector are expected",
                        BYTES_FMT(type));
    if (t->elements.items_count != r->type->dimension)
        return fail_set(
            c->fail, ERR_INVALID,
            "Invalid vector literal for %.*s of type %.*s; expected %u elements, but given %zu",
            BYTES_FMT(r->name), BYTES_FMT(type), r->type->dimension, t->elements.items_count);
    return compile_elements(c, t, r, TERM_VECTOR, "vector", true, out);
}

static err_t compile_set(struct compile *c, const struct ast_term *t, const struct receiver *r,
                         struct term **out)
{
    if (r->type->id == TYPE_MAP && t->elements.items_count == 0)
        return fold(c, new_term(c, TERM_MAP, r->type, 0), out);
    if (r->type->id != TYPE_SET)
        return refuse_literal(c, "set", r);
    return compile_elements(c, t, r, TERM_SET, "set", false, out);
}

static err_t compile_map(struct compile *c, const struct ast_term *t, const struct receiver *r,
                         struct term **out)
{
    if (r->type->id != TYPE_MAP)
        return refuse_literal(c, "map", r);
    struct receiver key = receiver_key(c, r), value = receiver_value(c, r);
    size_t count = t->entries.items_count;
    for (size_t i = 0; i < count; i++) {
        TRY(check_element(c, t->entries.items[i].key, &key, "map", "key", r->name));
        TRY(check_element(c, t->entries.items[i].value, &value, "map", "value", r->name));
    }
    struct term *term = new_term(c, TERM_MAP, r->type, 2 * count);
    for (size_t i = 0; i < count; i++) {
        TRY(compile_element(c, term, 2 * i, t->entries.items[i].key, &key, "map", r->name));
        TRY(compile_element(c, term, 2 * i + 1, t->entries.items[i].value, &value, "map", r->name));
    }
    return fold(c, term, out);
}

static err_t compile_tuple(struct compile *c, const struct ast_term *t, const struct receiver *r,
                           struct term **out)
{
    const struct ast_terms *l = &t->elements;
    bool is_tuple = r->type->id == TYPE_TUPLE || r->type->id == TYPE_UDT;
    if (l->items_count == 1 && !is_tuple)
        return term_compile(c, l->items[0], r, out);
    if (!is_tuple)
        return refuse_literal(c, "tuple type", r);
    struct term *term = new_term(c, TERM_TUPLE, r->type, l->items_count);
    for (size_t i = 0; i < l->items_count; i++) {
        if (i >= r->type->params_count)
            return fail_set(c->fail, ERR_INVALID,
                            "Invalid tuple literal for %.*s: too many elements. Type %.*s expects "
                            "%u but got %zu",
                            BYTES_FMT(r->name), BYTES_FMT(type_name(r->type, c->arena)),
                            r->type->params_count, l->items_count);
        struct receiver part =
            receiver_part(c, r, r->type->params[i], "%.*s[%zu]", BYTES_FMT(r->name), i);
        enum assignment test;
        TRY(term_test(c, l->items[i], &part, &test));
        if (test == ASSIGN_NO)
            return fail_set(c->fail, ERR_INVALID,
                            "Invalid tuple literal for %.*s: component %zu is not of type %.*s",
                            BYTES_FMT(r->name), i, BYTES_FMT(type_name(part.type, c->arena)));
    }
    for (size_t i = 0; i < l->items_count; i++) {
        struct receiver part =
            receiver_part(c, r, r->type->params[i], "%.*s[%zu]", BYTES_FMT(r->name), i);
        TRY(compile_element(c, term, i, l->items[i], &part, NULL, r->name));
    }
    return fold(c, term, out);
}

static int field_index(const struct type *t, struct bytes name)
{
    for (uint16_t i = 0; i < t->params_count; i++)
        if (bytes_equal(t->field_names[i], name))
            return i;
    return -1;
}

static err_t compile_udt(struct compile *c, const struct ast_term *t, const struct receiver *r,
                         struct term **out)
{
    if (r->type->id != TYPE_UDT)
        return refuse_literal(c, "user type", r);
    struct term *term = new_term(c, TERM_UDT, r->type, r->type->params_count);
    const struct ast_term **values =
        arena_array(c->arena, const struct ast_term *, r->type->params_count);
    struct bytes unknown = BYTES_NULL;
    for (size_t i = 0; i < t->fields.items_count; i++) {
        int field = field_index(r->type, t->fields.items[i].name.text);
        if (field >= 0)
            values[field] = t->fields.items[i].value;
        else if (bytes_is_null(unknown))
            unknown = t->fields.items[i].name.text;
    }
    for (uint16_t i = 0; i < r->type->params_count; i++) {
        struct bytes name = r->type->field_names[i];
        struct receiver part = receiver_part(c, r, r->type->params[i], "%.*s.%.*s",
                                             BYTES_FMT(r->name), BYTES_FMT(name));
        enum assignment test = ASSIGN_WEAK;
        if (values[i])
            TRY(term_test(c, values[i], &part, &test));
        if (test == ASSIGN_NO)
            return fail_set(c->fail, ERR_INVALID,
                            "Invalid user type literal for %.*s: field %.*s is not of type %.*s",
                            BYTES_FMT(r->name), BYTES_FMT(name),
                            BYTES_FMT(type_name(part.type, c->arena)));
    }
    for (uint16_t i = 0; i < r->type->params_count; i++) {
        struct bytes name = r->type->field_names[i];
        struct receiver part = receiver_part(c, r, r->type->params[i], "%.*s.%.*s",
                                             BYTES_FMT(r->name), BYTES_FMT(name));
        if (values[i])
            TRY(compile_element(c, term, i, values[i], &part, NULL, r->name));
        else
            term->items[i] = term_of_value(c->arena, part.type, BYTES_NULL);
    }
    if (!bytes_is_null(unknown))
        return fail_set(c->fail, ERR_INVALID,
                        "Unknown field '%.*s' in value of user defined type %.*s",
                        BYTES_FMT(unknown), BYTES_FMT(r->type->name));
    return fold(c, term, out);
}

static err_t compile_hint(struct compile *c, const struct ast_term *t, const struct receiver *r,
                          struct term **out)
{
    const struct type *type;
    enum assignment test;
    TRY(plan_resolve_type(t->convert.type, c->schema, c->keyspace, c->arena, &type, c->fail));
    struct bytes text = term_text(t, c->arena);
    struct receiver casted = receiver_part(c, r, type, "%.*s", BYTES_FMT(text));
    TRY(term_test(c, t->convert.operand, &casted, &test));
    if (test == ASSIGN_NO) {
        struct buf raw = buf_in(c->arena);
        plan_print_raw_type(t->convert.type, BYTES_NULL, &raw);
        return fail_set(c->fail, ERR_INVALID, "Cannot cast value %.*s to type %.*s",
                        BYTES_FMT(term_text(t->convert.operand, c->arena)),
                        BYTES_FMT(buf_bytes(&raw)));
    }
    TRY(term_test(c, t, r, &test));
    if (test == ASSIGN_NO)
        return fail_set(c->fail, ERR_INVALID, "Cannot assign value %.*s to %.*s of type %.*s",
                        BYTES_FMT(text), BYTES_FMT(r->name),
                        BYTES_FMT(type_name(r->type, c->arena)));
    return term_compile(c, t->convert.operand, r, out);
}

static err_t refuse_result(struct compile *c, const struct ast_term *t, const struct func *f,
                           const struct receiver *r)
{
    struct bytes result = type_name(f->result, c->arena), type = type_name(r->type, c->arena);
    if (t->kind == AST_TERM_BINARY)
        return fail_set(
            c->fail, ERR_INVALID,
            "Type error: cannot assign result of operation %c (type %.*s) to %.*s (type %.*s)",
            t->binary.op, BYTES_FMT(result), BYTES_FMT(r->name), BYTES_FMT(type));
    return fail_set(
        c->fail, ERR_INVALID,
        "Type error: cannot assign result of function %.*s (type %.*s) to %.*s (type %.*s)",
        BYTES_FMT(func_full_name(f, c->arena)), BYTES_FMT(result), BYTES_FMT(r->name),
        BYTES_FMT(type));
}

static err_t compile_call(struct compile *c, const struct ast_term *t, const struct receiver *r,
                          struct term **out)
{
    const struct func *f;
    TRY(call_resolve(c, t, r->type, &f));
    if (f == NULL)
        return fail_set(c->fail, ERR_INVALID, "Unknown function %.*s called",
                        BYTES_FMT(call_name(t, c->arena)));
    if (f->is_aggregate)
        return fail_set(c->fail, ERR_INVALID,
                        "Aggregation function are not supported in the where clause");
    if (type_test(c->arena, r->type, f->result) == ASSIGN_NO)
        return refuse_result(c, t, f, r);
    size_t count;
    struct ast_term *const *args = call_args(t, &count);
    struct term *term = new_term(c, TERM_CALL, f->result, count);
    term->func = f;
    for (size_t i = 0; i < count; i++) {
        struct receiver arg = call_arg_receiver(c, f, (uint16_t)i);
        TRY(compile_element(c, term, i, args[i], &arg, NULL, r->name));
    }
    *out = term;
    return OK;
}

static err_t compile_literal(struct compile *c, const struct ast_term *t, const struct receiver *r,
                             struct term **out)
{
    const struct ast_literal *l = &t->literal;
    if (literal_test(l, r->type, c->arena) == ASSIGN_NO) {
        if (l->kind == AST_LITERAL_NULL)
            return fail_set(c->fail, ERR_INVALID,
                            "Invalid null value for counter increment/decrement");
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid %s constant (%.*s) for \"%.*s\" of type %.*s",
                        literal_kind_name(l->kind), BYTES_FMT(l->text), BYTES_FMT(r->name),
                        BYTES_FMT(type_name(r->type, c->arena)));
    }
    struct bytes value;
    TRY(literal_parse(l, r->type, c->arena, &value, c->fail));
    *out = term_of_value(c->arena, r->type, value);
    return OK;
}

err_t term_compile(struct compile *c, const struct ast_term *t, const struct receiver *r,
                   struct term **out)
{
    switch (t->kind) {
    case AST_TERM_LITERAL: return compile_literal(c, t, r, out);
    case AST_TERM_MARKER: *out = term_compile_marker(c, t, r); return OK;
    case AST_TERM_LIST: return compile_list(c, t, r, out);
    case AST_TERM_SET: return compile_set(c, t, r, out);
    case AST_TERM_MAP: return compile_map(c, t, r, out);
    case AST_TERM_TUPLE: return compile_tuple(c, t, r, out);
    case AST_TERM_UDT: return compile_udt(c, t, r, out);
    case AST_TERM_HINT: return compile_hint(c, t, r, out);
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST: return compile_call(c, t, r, out);
    default: break;
    }
    return fail_set(c->fail, ERR_INVALID, "%.*s cannot be used as a value",
                    BYTES_FMT(term_text(t, c->arena)));
}

bool term_is_marker(const struct term *t)
{
    return t->kind == TERM_MARKER;
}

bool term_is_constant(const struct term *t)
{
    return t->kind == TERM_CONSTANT;
}

struct bytes term_constant(const struct term *t)
{
    ensure(t->kind == TERM_CONSTANT);
    return t->value;
}

/* --- Evaluating --------------------------------------------------------------------------------- */

err_t term_marker_value(const struct term *t, struct exec_env *env, struct bytes *out)
{
    if (t->index >= env->values_count)
        return fail_set(env->fail, ERR_INVALID,
                        "There were %u markers(?) in CQL but %u bound variables", t->index + 1,
                        env->values_count);
    *out = env->values[t->index];
    return OK;
}

static err_t eval_marker(const struct term *t, struct exec_env *env, struct bytes *out)
{
    TRY(term_marker_value(t, env, out));
    if (bytes_is_null(*out) || bytes_is_unset(*out))
        return OK;
    TRY(type_validate(t->type, *out, env->fail));
    if (t->type->params_count)
        *out = value_normalise(t->type, *out, env->arena);
    return OK;
}

static err_t eval_items(const struct term *t, struct exec_env *env, struct bytes **out)
{
    *out = arena_alloc(env->arena, t->items_count * sizeof **out + 1);
    for (size_t i = 0; i < t->items_count; i++)
        TRY(term_eval(t->items[i], env, &(*out)[i]));
    return OK;
}

static err_t eval_collection(const struct term *t, struct exec_env *env, struct bytes *out)
{
    struct bytes *items;
    TRY(eval_items(t, env, &items));
    for (size_t i = 0; i < t->items_count; i++) {
        if (bytes_is_null(items[i]))
            return fail_set(env->fail, ERR_INVALID, "null is not supported inside collections");
        if (bytes_is_unset(items[i])) {
            *out = bytes_unset();
            return OK;
        }
    }
    if (t->kind == TERM_SET) {
        *out = set_of_elements(t->type, items, t->items_count, env->arena);
        return OK;
    }
    if (t->kind == TERM_MAP) {
        *out = map_of_entries(t->type, items, t->items_count / 2, env->arena);
        return OK;
    }
    struct buf list = buf_in(env->arena);
    collection_begin(&list, (uint32_t)t->items_count);
    for (size_t i = 0; i < t->items_count; i++)
        value_put(&list, items[i]);
    *out = buf_bytes(&list);
    return OK;
}

static err_t eval_fields(const struct term *t, struct exec_env *env, struct bytes *out)
{
    struct bytes *items;
    struct buf value = buf_in(env->arena);
    TRY(eval_items(t, env, &items));
    for (size_t i = 0; i < t->items_count; i++) {
        if (bytes_is_unset(items[i])) {
            if (t->kind == TERM_TUPLE)
                return fail_set(env->fail, ERR_INVALID,
                                "Invalid unset value for tuple field number %zu", i);
            if (t->type->frozen)
                return fail_set(env->fail, ERR_INVALID,
                                "Invalid unset value for field '%.*s' of user defined type %.*s",
                                BYTES_FMT(t->type->field_names[i]), BYTES_FMT(t->type->name));
            items[i] = BYTES_NULL;
        }
        value_put(&value, items[i]);
    }
    *out = buf_bytes(&value);
    return OK;
}

static err_t eval_vector(const struct term *t, struct exec_env *env, struct bytes *out)
{
    struct bytes *items;
    struct buf value = buf_in(env->arena);
    TRY(eval_items(t, env, &items));
    for (size_t i = 0; i < t->items_count; i++) {
        if (bytes_is_null(items[i]) || bytes_is_unset(items[i]) ||
            (items[i].n == 0 && type_fixed_length(t->type->params[0]) > 0))
            return fail_set(env->fail, ERR_INVALID, "null is not supported inside vectors");
        vector_put_element(t->type, &value, items[i]);
    }
    *out = buf_bytes(&value);
    return OK;
}

static err_t eval_call(const struct term *t, struct exec_env *env, struct bytes *out)
{
    struct bytes *items;
    TRY(eval_items(t, env, &items));
    for (size_t i = 0; i < t->items_count; i++)
        if (bytes_is_unset(items[i]))
            return fail_set(env->fail, ERR_INVALID,
                            "Invalid unset value for argument in call to function %.*s",
                            BYTES_FMT(t->func->name));
    int64_t ticks = 0;
    struct func_env fe = func_env_of(env, env->arena, &ticks);
    return t->func->call(t->func, &fe, items, out);
}

err_t term_eval(const struct term *t, struct exec_env *env, struct bytes *out)
{
    switch (t->kind) {
    case TERM_CONSTANT: *out = t->value; return OK;
    case TERM_MARKER: return eval_marker(t, env, out);
    case TERM_LIST:
    case TERM_SET:
    case TERM_MAP: return eval_collection(t, env, out);
    case TERM_TUPLE:
    case TERM_UDT: return eval_fields(t, env, out);
    case TERM_VECTOR: return eval_vector(t, env, out);
    case TERM_CALL: return eval_call(t, env, out);
    }
    return OK;
}
