/* May a term stand where a receiver is, and which type has it by itself (Cassandra's AssignmentTestable): what literals of
 * collections, tuples and user types are checked by before they are compiled, and what function overloads are chosen by. */
#include "cql/plan/term_priv.h"
#include "cql/plan/type_resolve.h"

static err_t test_all(struct compile *c, const struct ast_terms *l, const struct receiver *r,
                      enum assignment *out)
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

static err_t test_list(struct compile *c, const struct ast_term *t, const struct receiver *r,
                       enum assignment *out)
{
    if (r->type->id != TYPE_LIST && r->type->id != TYPE_VECTOR)
        return fail_set(c->fail, ERR_INVALID,
                        "Unexpected receiver type '%.*s'; only list and vector are expected",
                        BYTES_FMT(type_name(r->type, c->arena)));
    *out = ASSIGN_NO;
    if (r->type->id == TYPE_VECTOR && t->elements.items_count != r->type->dimension)
        return OK;
    struct receiver value = receiver_value(c, r);
    return test_all(c, &t->elements, &value, out);
}

static err_t test_set(struct compile *c, const struct ast_term *t, const struct receiver *r,
                      enum assignment *out)
{
    *out = ASSIGN_NO;
    if (r->type->id == TYPE_MAP && t->elements.items_count == 0)
        *out = ASSIGN_WEAK;
    if (r->type->id != TYPE_SET)
        return OK;
    struct receiver value = receiver_value(c, r);
    return test_all(c, &t->elements, &value, out);
}

static err_t test_map(struct compile *c, const struct ast_term *t, const struct receiver *r,
                      enum assignment *out)
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

static err_t test_tuple(struct compile *c, const struct ast_term *t, const struct receiver *r,
                        enum assignment *out)
{
    const struct ast_terms *l = &t->elements;
    bool is_tuple = r->type->id == TYPE_TUPLE || r->type->id == TYPE_UDT;
    if (l->items_count == 1 && !is_tuple)
        return term_test(c, l->items[0], r, out);
    *out = ASSIGN_NO;
    if (!is_tuple || l->items_count > r->type->params_count)
        return OK;
    for (size_t i = 0; i < l->items_count; i++) {
        struct receiver part =
            receiver_part(c, r, r->type->params[i], "%.*s[%zu]", BYTES_FMT(r->name), i);
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

static err_t test_udt(struct compile *c, const struct ast_term *t, const struct receiver *r,
                      enum assignment *out)
{
    *out = ASSIGN_NO;
    if (r->type->id != TYPE_UDT)
        return OK;
    for (uint16_t i = 0; i < r->type->params_count; i++) {
        struct bytes name = r->type->field_names[i];
        const struct ast_udt_field *f = find_field(t, name);
        if (f == NULL)
            continue;
        struct receiver part = receiver_part(c, r, r->type->params[i], "%.*s.%.*s",
                                             BYTES_FMT(r->name), BYTES_FMT(name));
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

static err_t test_call(struct compile *c, const struct ast_term *t, const struct receiver *r,
                       enum assignment *out)
{
    const struct func *f;
    struct fail *fail = c->fail;
    c->fail = NULL;
    err_t err = call_resolve(c, t, r->type, &f);
    c->fail = fail;
    *out = err != OK || f == NULL ? ASSIGN_WEAK : type_test(c->arena, r->type, f->result);
    return OK;
}

/* What selects has the type it has, or none. */
static err_t test_selector(struct compile *c, const struct ast_term *t, const struct receiver *r,
                           enum assignment *out)
{
    const struct type *type;
    TRY(term_guess_type(c, t, &type));
    *out = type ? type_test(c->arena, r->type, type) : ASSIGN_NO;
    return OK;
}

/* {a: 1} in a select clause may be a value of a user type: its keys are field names then. */
static err_t test_udt_entries(struct compile *c, const struct ast_term *t, const struct receiver *r,
                              enum assignment *out)
{
    *out = ASSIGN_NO;
    for (size_t i = 0; i < t->entries.items_count; i++) {
        const struct ast_term *key = t->entries.items[i].key;
        uint16_t field = 0;
        while (key->kind == AST_TERM_COLUMN && field < r->type->params_count &&
               !bytes_equal(r->type->field_names[field], key->column.text))
            field++;
        if (key->kind != AST_TERM_COLUMN || field == r->type->params_count)
            return OK;
        struct receiver part = receiver_part(c, r, r->type->params[field], "%.*s.%.*s",
                                             BYTES_FMT(r->name), BYTES_FMT(key->column.text));
        enum assignment one;
        TRY(term_test(c, t->entries.items[i].value, &part, &one));
        if (one == ASSIGN_NO)
            return OK;
    }
    *out = ASSIGN_WEAK;
    return OK;
}

err_t term_test(struct compile *c, const struct ast_term *t, const struct receiver *r,
                enum assignment *out)
{
    const struct type *type;
    switch (t->kind) {
    case AST_TERM_LITERAL: *out = literal_test(&t->literal, r->type, c->arena); return OK;
    case AST_TERM_MARKER: *out = ASSIGN_WEAK; return OK;
    case AST_TERM_LIST:
        if (c->selecting && r->type->id != TYPE_LIST && r->type->id != TYPE_VECTOR) {
            *out = ASSIGN_NO;
            return OK;
        }
        return test_list(c, t, r, out);
    case AST_TERM_SET: return test_set(c, t, r, out);
    case AST_TERM_MAP:
        return c->selecting && r->type->id == TYPE_UDT ? test_udt_entries(c, t, r, out)
                                                       : test_map(c, t, r, out);
    case AST_TERM_TUPLE: return test_tuple(c, t, r, out);
    case AST_TERM_UDT: return test_udt(c, t, r, out);
    case AST_TERM_HINT:
        TRY(term_guess_type(c, t, &type));
        *out = type_equal(r->type, type)              ? ASSIGN_EXACT
               : type_value_compatible(r->type, type) ? ASSIGN_WEAK
                                                      : ASSIGN_NO;
        return OK;
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE:
    case AST_TERM_CAST:
        if (!c->selecting) /* there its type is settled without regard to what takes it */
            return test_call(c, t, r, out);
        break;
    default: break;
    }
    return test_selector(c, t, r, out);
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
        fields[i] = type_freeze(c->arena, fields[i]);
    }
    if (count > SCHEMA_TYPE_PARTS_MAX)
        return fail_set(c->fail, ERR_INVALID, "Too many fields in a tuple: %zu", count);
    *out = type_tuple(c->arena, fields, (uint16_t)count);
    return OK;
}

/* A column, or something of one. */
static err_t guess_access(struct compile *c, const struct ast_term *t, const struct type **out)
{
    const struct type *of;
    *out = NULL;
    if (t->kind == AST_TERM_COLUMN) {
        const struct column *column = c->table ? table_column(c->table, t->column.text) : NULL;
        *out = column ? column->type : NULL;
        return OK;
    }
    TRY(term_guess_type(c, t->access.of, &of));
    if (of == NULL)
        return OK;
    if (t->kind == AST_TERM_FIELD && of->id == TYPE_UDT) {
        for (uint16_t i = 0; i < of->params_count; i++)
            if (bytes_equal(of->field_names[i], t->access.field.text))
                *out = of->params[i];
    } else if (t->kind == AST_TERM_ELEMENT && type_is_collection(of)) {
        *out = of->params[of->id == TYPE_MAP ? 1 : 0];
    } else if (t->kind == AST_TERM_SLICE && type_is_collection(of)) {
        *out = of;
    }
    return OK;
}

/* Of a part of a multi-cell column a list too (sic), although it is one value that is selected then. */
static err_t guess_times(struct compile *c, const struct ast_term *t, const struct type **out)
{
    const struct ast_term *root = t->operand;
    while (root->kind == AST_TERM_FIELD || root->kind == AST_TERM_ELEMENT ||
           root->kind == AST_TERM_SLICE)
        root = root->access.of;
    const struct type *of;
    TRY(term_guess_type(c, root, &of));
    *out = type_native(t->kind == AST_TERM_TTL ? TYPE_INT : TYPE_BIGINT);
    if (of && type_is_multicell(of) && t->kind != AST_TERM_MAXWRITETIME)
        *out = type_list(c->arena, *out, false);
    return OK;
}

err_t term_guess_type(struct compile *c, const struct ast_term *t, const struct type **out)
{
    *out = NULL;
    switch (t->kind) {
    case AST_TERM_LIST:
        if (c->selecting)
            TRY(guess_first(c, &t->elements, out));
        if (*out)
            *out = type_list(c->arena, *out, false);
        break;
    case AST_TERM_COLUMN:
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: return guess_access(c, t, out);
    case AST_TERM_WRITETIME:
    case AST_TERM_MAXWRITETIME:
    case AST_TERM_TTL: return guess_times(c, t, out);
    case AST_TERM_COUNT_ROWS: *out = type_native(TYPE_BIGINT); return OK;
    case AST_TERM_SET:
        TRY(guess_first(c, &t->elements, out));
        if (*out)
            *out = type_set(c->arena, *out, false);
        break;
    case AST_TERM_MAP:
        if (!c->selecting)
            TRY(guess_map(c, t, out));
        break;
    case AST_TERM_TUPLE:
        if (!c->selecting || t->elements.items_count > 1)
            TRY(guess_tuple(c, t, out));
        break;
    case AST_TERM_HINT:
        TRY(plan_resolve_type(t->convert.type, c->schema, c->keyspace, c->arena, out, c->fail));
        if (c->selecting)
            *out = type_freeze(c->arena, *out);
        return OK;
    case AST_TERM_CAST:
        if (c->selecting) /* whether it can be done is told later */
            return plan_resolve_type(t->convert.type, c->schema, c->keyspace, c->arena, out,
                                     c->fail);
        __attribute__((fallthrough));
    case AST_TERM_CALL:
    case AST_TERM_BINARY:
    case AST_TERM_NEGATE: {
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
    return *out ? schema_check_type_size(*out, c->fail) : OK;
}

/* --- Preferred types -------------------------------------------------------------------------------- */

#define DIFFERENT_TYPES_MAX 32

/* Types of elements seen so far, each once. */
struct seen_types {
    const struct type *items[DIFFERENT_TYPES_MAX];
    size_t count;
    bool too_many;
};

static err_t see_type(struct compile *c, const struct ast_term *t, struct seen_types *seen)
{
    const struct type *type;
    TRY(term_compatible_type(c, t, &type));
    for (size_t i = 0; type && i < seen->count; i++)
        if (type_equal(seen->items[i], type))
            return OK;
    if (type == NULL)
        return OK;
    seen->too_many |= seen->count == DIFFERENT_TYPES_MAX;
    if (!seen->too_many)
        seen->items[seen->count++] = type;
    return OK;
}

/* The first type that all others can be assigned to; NULL when there is none. */
static const struct type *common_type(struct compile *c, const struct seen_types *seen)
{
    for (size_t i = 0; !seen->too_many && i < seen->count; i++) {
        size_t fits = 0;
        while (fits < seen->count &&
               type_test(c->arena, seen->items[i], seen->items[fits]) != ASSIGN_NO)
            fits++;
        if (fits == seen->count)
            return seen->items[i];
    }
    return NULL;
}

static err_t compatible_elements(struct compile *c, const struct ast_terms *l,
                                 const struct type **out)
{
    struct seen_types seen = {.count = 0};
    for (size_t i = 0; i < l->items_count; i++)
        TRY(see_type(c, l->items[i], &seen));
    *out = common_type(c, &seen);
    return OK;
}

static err_t compatible_map(struct compile *c, const struct ast_term *t, const struct type **out)
{
    struct seen_types keys = {.count = 0}, values = {.count = 0};
    for (size_t i = 0; i < t->entries.items_count; i++) {
        TRY(see_type(c, t->entries.items[i].key, &keys));
        TRY(see_type(c, t->entries.items[i].value, &values));
    }
    const struct type *key = common_type(c, &keys), *value = common_type(c, &values);
    *out = key && value ? type_map(c->arena, key, value, false) : NULL;
    return OK;
}

err_t term_compatible_type(struct compile *c, const struct ast_term *t, const struct type **out)
{
    switch (t->kind) {
    case AST_TERM_LITERAL: *out = literal_type(&t->literal, c->arena); return OK;
    case AST_TERM_LIST:
        TRY(compatible_elements(c, &t->elements, out));
        if (*out)
            *out = type_list(c->arena, *out, false);
        break;
    case AST_TERM_SET:
        TRY(compatible_elements(c, &t->elements, out));
        if (*out)
            *out = type_set(c->arena, *out, false);
        break;
    case AST_TERM_MAP:
        *out = NULL;
        if (!c->selecting)
            TRY(compatible_map(c, t, out));
        break;
    default: return term_guess_type(c, t, out);
    }
    return *out ? schema_check_type_size(*out, c->fail) : OK;
}
