/* May a term stand where a receiver is, and which type has it by itself (Cassandra's AssignmentTestable): what literals of
 * collections, tuples and user types are checked by before they are compiled, and what function overloads are chosen by. */
#include "cql/plan/term_priv.h"
#include "cql/plan/type_resolve.h"

static err_t test_all(struct compile *c, const struct ast_terms *l, const struct receiver *r, enum assignment *out)
{
    *out = l->items_count ? ASSIGN_EXACT : ASSIGN_WEAK;
    for (size_t i = 0; i < l->items_count && *out != ASSIGN_NO; i++) {
        enum assignment one;
        TRY(term_test(c, l->items[i], r, &one));
        if (one < *out)
            *out = one;
    }
    return OK;
}

static err_t test_list(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    if (r->type->id != TYPE_LIST && r->type->id != TYPE_VECTOR)
        return fail_set(c->fail, ERR_INVALID, "Unexpected receiver type '%.*s'; only list and vector are expected",
                        BYTES_FMT(type_name(r->type, c->arena)));
    *out = ASSIGN_NO;
    if (r->type->id == TYPE_VECTOR && t->elements.items_count != r->type->dimension)
        return OK;
    struct receiver value = receiver_value(c, r);
    return test_all(c, &t->elements, &value, out);
}

static err_t test_set(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    *out = ASSIGN_NO;
    if (r->type->id == TYPE_MAP && t->elements.items_count == 0)
        *out = ASSIGN_WEAK;
    if (r->type->id != TYPE_SET)
        return OK;
    struct receiver value = receiver_value(c, r);
    return test_all(c, &t->elements, &value, out);
}

static err_t test_map(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    *out = ASSIGN_NO;
    if (r->type->id != TYPE_MAP)
        return OK;
    struct receiver key = receiver_key(c, r), value = receiver_value(c, r);
    enum assignment all = ASSIGN_EXACT, one;
    for (size_t i = 0; i < t->entries.items_count; i++) {
        TRY(term_test(c, t->entries.items[i].key, &key, &one));
        if (one < all)
            all = one;
        TRY(term_test(c, t->entries.items[i].value, &value, &one));
        if (one < all)
            all = one;
    }
    *out = all;
    return OK;
}

static err_t test_tuple(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    const struct ast_terms *l = &t->elements;
    bool is_tuple = r->type->id == TYPE_TUPLE || r->type->id == TYPE_UDT;
    if (l->items_count == 1 && !is_tuple)
        return term_test(c, l->items[0], r, out);
    *out = ASSIGN_NO;
    if (!is_tuple || l->items_count > r->type->params_count)
        return OK;
    for (size_t i = 0; i < l->items_count; i++) {
        struct receiver part = receiver_part(c, r, r->type->params[i], "%.*s[%zu]", BYTES_FMT(r->name), i);
        enum assignment one;
        struct fail *fail = c->fail;
        c->fail = NULL; /* an error is a "no" here */
        err_t err = term_test(c, l->items[i], &part, &one);
        c->fail = fail;
        if (err != OK || one == ASSIGN_NO)
            return OK;
    }
    *out = ASSIGN_WEAK;
    return OK;
}

static const struct ast_udt_field *find_field(const struct ast_term *t, struct bytes name)
{
    for (size_t i = t->fields.items_count; i-- > 0;) /* the last of equal names counts */
        if (bytes_equal(t->fields.items[i].name.text, name))
            return &t->fields.items[i];
    return NULL;
}

static err_t test_udt(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    *out = ASSIGN_NO;
    if (r->type->id != TYPE_UDT)
        return OK;
    for (uint16_t i = 0; i < r->type->params_count; i++) {
        struct bytes name = r->type->field_names[i];
        const struct ast_udt_field *f = find_field(t, name);
        if (f == NULL)
            continue;
        struct receiver part = receiver_part(c, r, r->type->params[i], "%.*s.%.*s", BYTES_FMT(r->name), BYTES_FMT(name));
        enum assignment one;
        struct fail *fail = c->fail;
        c->fail = NULL;
        err_t err = term_test(c, f->value, &part, &one);
        c->fail = fail;
        if (err != OK || one == ASSIGN_NO)
            return OK;
    }
    *out = ASSIGN_WEAK;
    return OK;
}

static err_t test_call(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    const struct func *f;
    struct fail *fail = c->fail;
    c->fail = NULL;
    err_t err = call_resolve(c, t, r->type, &f);
    c->fail = fail;
    *out = err != OK || f == NULL ? ASSIGN_WEAK : type_test(c->arena, r->type, f->result);
    return OK;
}

err_t term_test(struct compile *c, const struct ast_term *t, const struct receiver *r, enum assignment *out)
{
    const struct type *type;
    switch (t->kind) {
    case AST_TERM_LITERAL: *out = literal_test(&t->literal, r->type, c->arena); return OK;
    case AST_TERM_MARKER: *out = ASSIGN_WEAK; return OK;
    case AST_TERM_LIST: return test_list(c, t, r, out);
    case AST_TERM_SET: return test_set(c, t, r, out);
    case AST_TERM_MAP: return test_map(c, t, r, out);
    case AST_TERM_TUPLE: return test_tuple(c, t, r, out);
    case AST_TERM_UDT: return test_udt(c, t, r, out);
    case AST_TERM_HINT:
        TRY(plan_resolve_type(t->convert.type, c->schema, c->keyspace, c->arena, &type, c->fail));
        *out = type_equal(r->type, type)              ? ASSIGN_EXACT
               : type_value_compatible(r->type, type) ? ASSIGN_WEAK
                                                      : ASSIGN_NO;
        return OK;
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST: return test_call(c, t, r, out);
    default: break;
    }
    *out = ASSIGN_NO; /* selectors are no terms */
    return OK;
}

/* The type of the first element that has one by itself. */
static err_t guess_first(struct compile *c, const struct ast_terms *l, const struct type **out)
{
    *out = NULL;
    for (size_t i = 0; i < l->items_count && *out == NULL; i++)
        TRY(term_guess_type(c, l->items[i], out));
    return OK;
}

static err_t guess_map(struct compile *c, const struct ast_term *t, const struct type **out)
{
    const struct type *key = NULL, *value = NULL;
    for (size_t i = 0; i < t->entries.items_count && !(key && value); i++) {
        if (key == NULL)
            TRY(term_guess_type(c, t->entries.items[i].key, &key));
        if (value == NULL)
            TRY(term_guess_type(c, t->entries.items[i].value, &value));
    }
    *out = key && value ? type_map(c->arena, key, value, false) : NULL;
    return OK;
}

static err_t guess_tuple(struct compile *c, const struct ast_term *t, const struct type **out)
{
    size_t count = t->elements.items_count;
    const struct type **fields = arena_array(c->arena, const struct type *, count);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        TRY(term_guess_type(c, t->elements.items[i], &fields[i]));
        if (fields[i] == NULL)
            return OK;
    }
    if (count > PLAN_TYPE_PARTS_MAX)
        return fail_set(c->fail, ERR_INVALID, "Too many fields in a tuple: %zu", count);
    *out = type_tuple(c->arena, fields, (uint16_t)count);
    return OK;
}

err_t term_guess_type(struct compile *c, const struct ast_term *t, const struct type **out)
{
    *out = NULL;
    switch (t->kind) {
    case AST_TERM_SET:
        TRY(guess_first(c, &t->elements, out));
        if (*out)
            *out = type_set(c->arena, *out, false);
        break;
    case AST_TERM_MAP: TRY(guess_map(c, t, out)); break;
    case AST_TERM_TUPLE: TRY(guess_tuple(c, t, out)); break;
    case AST_TERM_HINT:
        return plan_resolve_type(t->convert.type, c->schema, c->keyspace, c->arena, out, c->fail);
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST: {
        const struct func *f;
        struct fail *fail = c->fail;
        c->fail = NULL; /* an unresolvable call has no type; compiling it tells why */
        err_t err = call_resolve(c, t, NULL, &f);
        c->fail = fail;
        *out = err == OK && f ? f->result : NULL;
        return OK;
    }
    default: return OK; /* literals, markers and lists could be many */
    }
    return *out ? plan_check_type_size(*out, c->fail) : OK;
}
