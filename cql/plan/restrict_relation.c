/* Relations of a WHERE clause, one at a time: columns looked up, what the relation may be used on checked, values compiled. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/term_priv.h"

#include "cql/lang/parse.h"

const char *restrict_statement_name(enum restrict_statement s)
{
    static const char *const names[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};
    return names[s];
}

err_t table_find_column(const struct table *t, struct bytes name, const struct column **out,
                        struct fail *fail)
{
    *out = table_column(t, name);
    if (*out)
        return OK;
    struct buf text = {0};
    cql_quote_identifier(&text, name);
    err_t err = table_fail_undefined(t, buf_bytes(&text), fail);
    buf_free(&text);
    return err;
}

static void print_columns(const struct ast_relation *r, struct buf *out)
{
    if (r->kind == AST_RELATION_TOKEN)
        buf_put_str(out, "token");
    if (r->kind != AST_RELATION_COLUMN && r->kind != AST_RELATION_MAP_ENTRY)
        buf_u8(out, '(');
    for (size_t i = 0; i < r->columns_count; i++) {
        if (i)
            buf_put_str(out, ", ");
        cql_quote_identifier(out, r->columns[i].text);
    }
    if (r->kind != AST_RELATION_COLUMN && r->kind != AST_RELATION_MAP_ENTRY)
        buf_u8(out, ')');
    if (r->key) {
        buf_u8(out, '[');
        term_print(r->key, out);
        buf_u8(out, ']');
    }
}

struct bytes relation_text(const struct ast_relation *r, struct arena *a)
{
    struct buf out = buf_in(a);
    print_columns(r, &out);
    buf_printf(&out, " %s ", ast_operator_text(r->op));
    if (r->op == AST_OP_IS_NOT_NULL && out.n >= 5 && memcmp(out.p + out.n - 5, "NULL ", 5) == 0)
        out.n--; /* the operator's text has it already */
    else if (r->op == AST_OP_IS_NOT_NULL)
        buf_put_str(&out, "NULL");
    else if (r->value)
        term_print(r->value, &out);
    else {
        buf_u8(&out, '(');
        for (size_t i = 0; i < r->values.items_count; i++) {
            if (i)
                buf_put_str(&out, ", ");
            term_print(r->values.items[i], &out);
        }
        buf_u8(&out, ')');
    }
    return buf_bytes(&out);
}

static struct restriction *new_restriction(struct compile *c, enum restriction_kind kind,
                                           const struct column **columns, size_t count)
{
    struct restriction *r = arena_new(c->arena, struct restriction);
    r->kind = kind;
    r->columns = columns;
    r->columns_count = (uint16_t)count;
    return r;
}

static struct restrict_tuple tuple_of_term(struct compile *c, struct term *t)
{
    struct term **terms = arena_new(c->arena, struct term *);
    terms[0] = t;
    return (struct restrict_tuple){.terms = terms, .terms_count = 1};
}

/* --- c op value --------------------------------------------------------------------------------- */

static const char *operator_text(enum ast_operator op)
{
    return op == AST_OP_IS_NOT_NULL ? "IS NOT" : ast_operator_text(op);
}

static bool is_slice(enum ast_operator op)
{
    return op == AST_OP_LT || op == AST_OP_LTE || op == AST_OP_GT || op == AST_OP_GTE;
}

/* Collections, user types and durations may be restricted in few ways only. */
static err_t check_column(struct compile *c, const struct ast_relation *r, const struct column *col)
{
    const struct type *t = col->type;
    struct bytes type = type_name(t, c->arena);
    if (is_slice(r->op) && type_contains(t, TYPE_DURATION)) {
        const char *what = type_is_collection(t) ? "collections containing durations"
                           : t->id == TYPE_TUPLE ? "tuples containing durations"
                           : t->id == TYPE_UDT   ? "UDTs containing durations"
                                                 : "duration columns";
        return fail_set(c->fail, ERR_INVALID, "Slice restrictions are not supported on %s", what);
    }
    if (r->op == AST_OP_CONTAINS_KEY && t->id != TYPE_MAP)
        return fail_set(c->fail, ERR_INVALID, "Cannot use CONTAINS KEY on non-map column %.*s",
                        BYTES_FMT(col->name));
    if (r->op == AST_OP_CONTAINS && !type_is_collection(t))
        return fail_set(c->fail, ERR_INVALID, "Cannot use CONTAINS on non-collection column %.*s",
                        BYTES_FMT(col->name));
    if (r->kind == AST_RELATION_MAP_ENTRY) {
        if (t->id == TYPE_LIST)
            return fail_set(
                c->fail, ERR_INVALID,
                "Indexes on list entries (%.*s[index] = value) are not currently supported.",
                BYTES_FMT(col->name));
        if (t->id != TYPE_MAP)
            return fail_set(c->fail, ERR_INVALID, "Column %.*s cannot be used as a map",
                            BYTES_FMT(col->name));
        if (t->frozen)
            return fail_set(
                c->fail, ERR_INVALID,
                "Map-entry equality predicates on frozen map column %.*s are not supported",
                BYTES_FMT(col->name));
        if (r->op != AST_OP_EQ)
            return fail_set(c->fail, ERR_INVALID, "Only EQ relations are supported on map entries");
        return OK;
    }
    if (t->id == TYPE_UDT && !t->frozen)
        return fail_set(c->fail, ERR_INVALID,
                        "Non-frozen UDT column '%.*s' (%.*s) cannot be restricted by any relation",
                        BYTES_FMT(col->name), BYTES_FMT(type));
    if (type_is_collection(t) && !t->frozen && r->op != AST_OP_CONTAINS &&
        r->op != AST_OP_CONTAINS_KEY)
        return fail_set(c->fail, ERR_INVALID,
                        "Collection column '%.*s' (%.*s) cannot be restricted by a '%s' relation",
                        BYTES_FMT(col->name), BYTES_FMT(type), operator_text(r->op));
    return OK;
}

static err_t compile_in_column(struct compile *c, const struct ast_relation *r,
                               const struct receiver *receiver, const struct column **columns,
                               struct restriction **out)
{
    *out = new_restriction(c, RESTRICTION_IN, columns, 1);
    if (r->value) { /* IN ? */
        const struct type *type = type_list(c->arena, receiver->type, false);
        struct receiver in =
            receiver_part(c, receiver, type, "in(%.*s)", BYTES_FMT(receiver->name));
        (*out)->in_marker = term_compile_marker(c, r->value, &in);
        (*out)->in_type = type;
        return OK;
    }
    size_t count = r->values.items_count;
    (*out)->values = arena_array(c->arena, struct restrict_tuple, count);
    (*out)->values_count = count;
    for (size_t i = 0; i < count; i++) {
        struct term *term;
        TRY(term_compile(c, r->values.items[i], receiver, &term));
        (*out)->values[i] = tuple_of_term(c, term);
    }
    if (count == 1)
        (*out)->kind = RESTRICTION_EQ;
    return OK;
}

static err_t compile_contains(struct compile *c, const struct ast_relation *r,
                              const struct receiver *receiver, const struct column **columns,
                              struct restriction **out)
{
    *out = new_restriction(c, RESTRICTION_CONTAINS, columns, 1);
    struct restrict_contains *one = arena_new(c->arena, struct restrict_contains);
    one->op = r->op;
    (*out)->contains = one;
    (*out)->contains_count = 1;
    struct receiver key, value;
    if (r->op != AST_OP_CONTAINS) { /* CONTAINS KEY, m[k] = v */
        key = receiver_key(c, receiver);
        TRY(term_compile(c, r->op == AST_OP_EQ ? r->key : r->value, &key, &one->key));
    }
    if (r->op == AST_OP_CONTAINS_KEY)
        return OK;
    value = receiver_value(c, receiver);
    return term_compile(c, r->value, &value, &one->value);
}

static err_t compile_column(struct compile *c, const struct table *t, const struct ast_relation *r,
                            struct restriction **out)
{
    const struct column **columns = arena_new(c->arena, const struct column *);
    if (r->op == AST_OP_LIKE && r->kind == AST_RELATION_MAP_ENTRY)
        return fail_set(c->fail, ERR_INVALID, "LIKE can't be used with collections.");
    TRY(table_find_column(t, r->columns[0].text, columns, c->fail));
    TRY(check_column(c, r, columns[0]));
    struct receiver receiver = receiver_of_column(t, columns[0]);
    struct term *term;
    switch (r->op) {
    case AST_OP_IN: return compile_in_column(c, r, &receiver, columns, out);
    case AST_OP_CONTAINS:
    case AST_OP_CONTAINS_KEY: return compile_contains(c, r, &receiver, columns, out);
    default: break;
    }
    if (r->kind == AST_RELATION_MAP_ENTRY)
        return compile_contains(c, r, &receiver, columns, out);
    TRY(term_compile(c, r->value, &receiver, &term));
    *out = new_restriction(c, is_slice(r->op) ? RESTRICTION_SLICE : RESTRICTION_EQ, columns, 1);
    if (!is_slice(r->op)) {
        (*out)->values = arena_new(c->arena, struct restrict_tuple);
        (*out)->values[0] = tuple_of_term(c, term);
        (*out)->values_count = 1;
        return OK;
    }
    bool start = r->op == AST_OP_GT || r->op == AST_OP_GTE;
    struct restrict_bound *bound = start ? &(*out)->start : &(*out)->end;
    *bound = (struct restrict_bound){true, r->op == AST_OP_GTE || r->op == AST_OP_LTE, false,
                                     tuple_of_term(c, term)};
    return OK;
}

/* --- (a, b) op value ----------------------------------------------------------------------------- */

static err_t tuple_columns(struct compile *c, const struct table *t, const struct ast_relation *r,
                           const struct column ***out)
{
    const struct column **columns = arena_array(c->arena, const struct column *, r->columns_count);
    for (size_t i = 0; i < r->columns_count; i++) {
        TRY(table_find_column(t, r->columns[i].text, &columns[i], c->fail));
        const struct column *col = columns[i];
        if (col->kind != COLUMN_CLUSTERING)
            return fail_set(c->fail, ERR_INVALID,
                            "Multi-column relations can only be applied to clustering columns but "
                            "was applied to: %.*s",
                            BYTES_FMT(col->name));
        if (i == 0 || col->position == columns[i - 1]->position + 1)
            continue;
        for (size_t j = 0; j < i; j++)
            if (columns[j] == col)
                return fail_set(c->fail, ERR_INVALID,
                                "Column \"%.*s\" appeared twice in a relation: %.*s",
                                BYTES_FMT(col->name), BYTES_FMT(relation_text(r, c->arena)));
        return fail_set(c->fail, ERR_INVALID,
                        "Clustering columns must appear in the PRIMARY KEY order in multi-column "
                        "relations: %.*s",
                        BYTES_FMT(relation_text(r, c->arena)));
    }
    *out = columns;
    return OK;
}

/* "(a,b)" with its tuple type; prefix "in" for IN markers. */
static struct receiver tuple_receiver(struct compile *c, const struct table *t,
                                      const struct column **columns, size_t count,
                                      const char *prefix)
{
    struct buf name = buf_in(c->arena);
    const struct type **types = arena_array(c->arena, const struct type *, count);
    buf_printf(&name, "%s(", prefix);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_u8(&name, ',');
        buf_put_bytes(&name, columns[i]->name);
        types[i] = columns[i]->type;
    }
    buf_u8(&name, ')');
    return (struct receiver){t->keyspace, t->name, buf_bytes(&name),
                             type_tuple(c->arena, types, (uint16_t)count), NULL};
}

static err_t compile_tuple_value(struct compile *c, const struct table *t,
                                 const struct ast_term *value, const struct column **columns,
                                 size_t count, struct restrict_tuple *out)
{
    if (value->kind == AST_TERM_MARKER) {
        struct receiver r = tuple_receiver(c, t, columns, count, "");
        *out = (struct restrict_tuple){.marker = term_compile_marker(c, value, &r), .type = r.type};
        return OK;
    }
    struct ast_term *const *items = &(struct ast_term *){(struct ast_term *)value};
    size_t items_count = 1;
    if (value->kind == AST_TERM_TUPLE) {
        items = value->elements.items;
        items_count = value->elements.items_count;
    }
    if (items_count != count)
        return fail_set(c->fail, ERR_INVALID,
                        "Expected %zu elements in value tuple, but got %zu: %.*s", count,
                        items_count, BYTES_FMT(term_text(value, c->arena)));
    struct term **terms = arena_array(c->arena, struct term *, count);
    for (size_t i = 0; i < count; i++) {
        struct receiver r = receiver_of_column(t, columns[i]);
        TRY(term_compile(c, items[i], &r, &terms[i]));
    }
    *out = (struct restrict_tuple){.terms = terms, .terms_count = (uint16_t)count};
    return OK;
}

static err_t compile_tuple_relation(struct compile *c, const struct table *t,
                                    const struct ast_relation *r, struct restriction **out)
{
    const struct column **columns = NULL;
    size_t count = r->columns_count;
    if (r->op != AST_OP_EQ && r->op != AST_OP_IN && !is_slice(r->op))
        return fail_set(c->fail, ERR_INVALID, "%s cannot be used for multi-column relations",
                        operator_text(r->op));
    TRY(tuple_columns(c, t, r, &columns));
    enum restriction_kind kind = r->op == AST_OP_IN ? RESTRICTION_IN
                                 : is_slice(r->op)  ? RESTRICTION_SLICE
                                                    : RESTRICTION_EQ;
    *out = new_restriction(c, kind, columns, count);
    (*out)->tuple = true;
    if (is_slice(r->op)) {
        bool start = r->op == AST_OP_GT || r->op == AST_OP_GTE;
        struct restrict_bound *bound = start ? &(*out)->start : &(*out)->end;
        *bound = (struct restrict_bound){
            .set = true, .inclusive = r->op == AST_OP_GTE || r->op == AST_OP_LTE, .tuple = true};
        return compile_tuple_value(c, t, r->value, columns, count, &bound->value);
    }
    if (r->op == AST_OP_IN && r->value) { /* IN ? */
        struct receiver in = tuple_receiver(c, t, columns, count, "in");
        in.type = type_list(c->arena, in.type, false);
        (*out)->in_marker = term_compile_marker(c, r->value, &in);
        (*out)->in_type = in.type;
        return OK;
    }
    struct ast_term *const *values = r->op == AST_OP_IN ? r->values.items : &r->value;
    (*out)->values_count = r->op == AST_OP_IN ? r->values.items_count : 1;
    (*out)->values = arena_array(c->arena, struct restrict_tuple, (*out)->values_count);
    for (size_t i = 0; i < (*out)->values_count; i++)
        TRY(compile_tuple_value(c, t, values[i], columns, count, &(*out)->values[i]));
    if ((*out)->values_count == 1)
        (*out)->kind = RESTRICTION_EQ;
    return OK;
}

/* --- TOKEN(…) op value ---------------------------------------------------------------------------- */

static err_t check_token_columns(struct compile *c, const struct table *t,
                                 const struct column **columns, size_t count)
{
    bool *seen = arena_array(c->arena, bool, t->columns_count);
    bool in_order = count == t->pk_count, duplicates = false, others = false;
    uint16_t found = 0;
    for (size_t i = 0; i < count; i++) {
        in_order = in_order && columns[i] == table_pk(t, (uint16_t)i);
        others |= columns[i]->kind != COLUMN_PARTITION_KEY;
        duplicates |= seen[columns[i]->index];
        found += columns[i]->kind == COLUMN_PARTITION_KEY && !seen[columns[i]->index];
        seen[columns[i]->index] = true;
    }
    if (in_order)
        return OK;
    if (found < t->pk_count)
        return fail_set(
            c->fail, ERR_INVALID,
            "The token() function must be applied to all partition key components or none of them");
    if (duplicates)
        return fail_set(c->fail, ERR_INVALID,
                        "The token() function contains duplicate partition key components");
    if (others)
        return fail_set(c->fail, ERR_INVALID,
                        "The token() function must contains only partition key components");
    struct buf names = buf_in(c->arena);
    for (uint16_t i = 0; i < t->pk_count; i++) {
        if (i)
            buf_put_str(&names, ", ");
        buf_put_bytes(&names, table_pk(t, i)->name);
    }
    return fail_set(c->fail, ERR_INVALID,
                    "The token function arguments must be in the partition key order: %.*s",
                    BYTES_FMT(buf_bytes(&names)));
}

static err_t compile_token(struct compile *c, const struct table *t, const struct ast_relation *r,
                           struct restriction **out)
{
    if (r->op != AST_OP_EQ && !is_slice(r->op))
        return fail_set(c->fail, ERR_INVALID, "%s cannot be used with the token function",
                        operator_text(r->op));
    const struct column **columns = arena_array(c->arena, const struct column *, r->columns_count);
    for (size_t i = 0; i < r->columns_count; i++)
        TRY(table_find_column(t, r->columns[i].text, &columns[i], c->fail));
    TRY(check_token_columns(c, t, columns, r->columns_count));
    struct receiver receiver = receiver_named(t, "partition key token", TYPE_BIGINT);
    struct term *term;
    TRY(term_compile(c, r->value, &receiver, &term));
    *out = new_restriction(c, is_slice(r->op) ? RESTRICTION_SLICE : RESTRICTION_EQ, columns,
                           r->columns_count);
    if (r->op == AST_OP_EQ || r->op == AST_OP_GT || r->op == AST_OP_GTE)
        (*out)->start =
            (struct restrict_bound){true, r->op != AST_OP_GT, false, tuple_of_term(c, term)};
    if (r->op == AST_OP_EQ || r->op == AST_OP_LT || r->op == AST_OP_LTE)
        (*out)->end =
            (struct restrict_bound){true, r->op != AST_OP_LT, false, tuple_of_term(c, term)};
    return OK;
}

err_t relation_compile(struct compile *c, const struct table *t, const struct ast_relation *r,
                       struct restriction **out)
{
    if (r->op == AST_OP_NEQ)
        return fail_set(c->fail, ERR_INVALID, "Unsupported \"!=\" relation: %.*s",
                        BYTES_FMT(relation_text(r, c->arena)));
    switch (r->kind) {
    case AST_RELATION_TUPLE: return compile_tuple_relation(c, t, r, out);
    case AST_RELATION_TOKEN: return compile_token(c, t, r, out);
    default: return compile_column(c, t, r, out);
    }
}
