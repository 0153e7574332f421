/* The tree as canonical CQL: terms, types and data statements; print_schema.c has the rest.
 *
 * Names are quoted where the grammar would read them as something else, which is more often than
 * cql_needs_quotes() says: `true`, and keywords that are not reserved, since whether those are
 * identifiers depends on what stands around them. Recursion is bounded by the trees' depth. */
#include "cql/lang/print_priv.h"

static void put(struct buf *out, const char *text)
{
    buf_put_str(out, text);
}

void print_name(struct buf *out, struct ast_name name)
{
    enum keyword_class class = keyword_class(name.text, NULL);
    bool plain =
        class == KEYWORD_NONE || class == KEYWORD_NATIVE || bytes_equal_str(name.text, "key");
    if (!plain || bytes_equal_str(name.text, "true") || bytes_equal_str(name.text, "false")) {
        buf_u8(out, '"');
        buf_put_bytes(out, name.text);
        buf_u8(out, '"');
    } else {
        cql_quote_identifier(out, name.text);
    }
}

/* Names of functions and types differ in which keywords they may be. */
static void put_special_name(struct buf *out, struct ast_name name, bool is_function)
{
    enum keyword_class class = keyword_class(name.text, NULL);
    bool quote =
        class == KEYWORD_NONE
            ? is_function ? bytes_equal_str(name.text, "expr") : build_is_reserved_type(name.text)
        : class == KEYWORD_NATIVE ? !is_function
        : is_function ? !bytes_equal_str(name.text, "token") && !bytes_equal_str(name.text, "count")
                      : true;
    if (quote || bytes_equal_str(name.text, "true") || bytes_equal_str(name.text, "false")) {
        buf_u8(out, '"');
        buf_put_bytes(out, name.text);
        buf_u8(out, '"');
    } else if (bytes_equal_str(name.text, "token")) {
        put(out, "token");
    } else {
        cql_quote_identifier(out, name.text);
    }
}

void print_qualified(struct buf *out, const struct ast_qualified_name *q)
{
    if (ast_name_present(q->keyspace)) {
        print_name(out, q->keyspace);
        buf_u8(out, '.');
    }
    print_name(out, q->name);
}

void print_function_name(struct buf *out, const struct ast_qualified_name *q)
{
    if (ast_name_present(q->keyspace)) {
        print_name(out, q->keyspace);
        buf_u8(out, '.');
    }
    put_special_name(out, q->name, true);
}

void print_type_name(struct buf *out, const struct ast_qualified_name *q)
{
    if (ast_name_present(q->keyspace)) {
        print_name(out, q->keyspace);
        buf_u8(out, '.');
    }
    put_special_name(out, q->name, false);
}

void print_names(struct buf *out, const struct ast_name *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(out, i ? ", " : "");
        print_name(out, items[i]);
    }
}

/* --- Types ------------------------------------------------------------------------------------ */

void ast_print_type(struct buf *out, const struct ast_type *t)
{
    static const char *const generic[] = {
        [AST_TYPE_LIST] = "list",   [AST_TYPE_SET] = "set",       [AST_TYPE_MAP] = "map",
        [AST_TYPE_TUPLE] = "tuple", [AST_TYPE_VECTOR] = "vector", [AST_TYPE_FROZEN] = "frozen",
    };
    switch (t->kind) {
    case AST_TYPE_NATIVE: buf_put_bytes(out, t->name); return;
    case AST_TYPE_CUSTOM: cql_quote_string(out, t->name); return;
    case AST_TYPE_USER: print_type_name(out, &t->user); return;
    default: break;
    }
    put(out, generic[t->kind]);
    buf_u8(out, '<');
    for (size_t i = 0; i < t->args_count; i++) {
        put(out, i ? ", " : "");
        ast_print_type(out, t->args[i]);
    }
    if (t->kind == AST_TYPE_VECTOR) {
        buf_printf(out, ", %d", t->dimension);
    }
    buf_u8(out, '>');
}

void print_types(struct buf *out, const struct ast_types *types)
{
    for (size_t i = 0; i < types->items_count; i++) {
        put(out, i ? ", " : "");
        ast_print_type(out, types->items[i]);
    }
}

/* --- Terms ------------------------------------------------------------------------------------ */

void print_literal(struct buf *out, const struct ast_literal *l)
{
    if (l->kind == AST_LITERAL_STRING) {
        cql_quote_string(out, l->text);
    } else {
        buf_put_bytes(out, l->text);
    }
}

void print_terms(struct buf *out, const struct ast_terms *terms)
{
    for (size_t i = 0; i < terms->items_count; i++) {
        put(out, i ? ", " : "");
        ast_print_term(out, terms->items[i]);
    }
}

static void put_elements(struct buf *out, const struct ast_term *t, char open, char close)
{
    buf_u8(out, (uint8_t)open);
    const struct ast_term *one =
        t->kind == AST_TERM_TUPLE && t->elements.items_count == 1 ? t->elements.items[0] : NULL;
    if (one && one->kind == AST_TERM_COLUMN &&
        keyword_class(one->column.text, NULL) == KEYWORD_SPECIAL) {
        buf_put_bytes(
            out, one->column.text); /* ("ttl")[1] would be a list of type "ttl", (ttl)[1] is not */
    } else {
        print_terms(out, &t->elements);
    }
    buf_u8(out, (uint8_t)close);
}

static void put_entries(struct buf *out, const struct ast_term *t)
{
    buf_u8(out, '{');
    if (t->kind == AST_TERM_MAP) {
        for (size_t i = 0; i < t->entries.items_count; i++) {
            put(out, i ? ", " : "");
            ast_print_term(out, t->entries.items[i].key);
            put(out, ": ");
            ast_print_term(out, t->entries.items[i].value);
        }
    } else {
        for (size_t i = 0; i < t->fields.items_count; i++) {
            put(out, i ? ", " : "");
            print_name(out, t->fields.items[i].name);
            put(out, ": ");
            ast_print_term(out, t->fields.items[i].value);
        }
    }
    buf_u8(out, '}');
}

static void put_call(struct buf *out, const char *name, const struct ast_term *operand)
{
    put(out, name);
    buf_u8(out, '(');
    ast_print_term(out, operand);
    buf_u8(out, ')');
}

static void put_access(struct buf *out, const struct ast_term *t)
{
    ast_print_term(out, t->access.of);
    if (t->kind == AST_TERM_FIELD) {
        const struct ast_term *last = t->access.of;
        while (last->kind == AST_TERM_HINT) {
            last = last->convert.operand;
        }
        put(out,
            last->kind == AST_TERM_LITERAL ? " ." : "."); /* 1.a would be the number 1. and a */
        print_name(out, t->access.field);
        return;
    }
    buf_u8(out, '[');
    if (t->access.from) {
        ast_print_term(out, t->access.from);
    }
    if (t->kind == AST_TERM_SLICE) {
        put(out, t->access.from ? " .. " : ".. "); /* 1... would be the number 1. and .. */
        if (t->access.to) {
            ast_print_term(out, t->access.to);
        }
    }
    buf_u8(out, ']');
}

void ast_print_term(struct buf *out, const struct ast_term *t)
{
    switch (t->kind) {
    case AST_TERM_LITERAL: print_literal(out, &t->literal); return;
    case AST_TERM_MARKER:
        if (ast_name_present(t->marker.name)) {
            buf_u8(out, ':');
            print_name(out, t->marker.name);
        } else {
            buf_u8(out, '?');
        }
        return;
    case AST_TERM_LIST: put_elements(out, t, '[', ']'); return;
    case AST_TERM_SET: put_elements(out, t, '{', '}'); return;
    case AST_TERM_TUPLE: put_elements(out, t, '(', ')'); return;
    case AST_TERM_MAP:
    case AST_TERM_UDT: put_entries(out, t); return;
    case AST_TERM_HINT:
        buf_u8(out, '(');
        ast_print_type(out, t->convert.type);
        buf_u8(out, ')');
        ast_print_term(out, t->convert.operand);
        return;
    case AST_TERM_CAST:
        put(out, "CAST(");
        ast_print_term(out, t->convert.operand);
        put(out, " AS ");
        ast_print_type(out, t->convert.type);
        buf_u8(out, ')');
        return;
    case AST_TERM_CALL:
        print_function_name(out, &t->call.function);
        buf_u8(out, '(');
        print_terms(out, &t->call.args);
        buf_u8(out, ')');
        return;
    case AST_TERM_BINARY:
        ast_print_term(out, t->binary.left);
        buf_printf(out, " %c ", t->binary.op);
        ast_print_term(out, t->binary.right);
        return;
    case AST_TERM_NEGATE:
        put(out, "- "); /* -1 would be a number, --a a comment */
        ast_print_term(out, t->operand);
        return;
    case AST_TERM_COLUMN: print_name(out, t->column); return;
    case AST_TERM_FIELD:
    case AST_TERM_ELEMENT:
    case AST_TERM_SLICE: put_access(out, t); return;
    case AST_TERM_COUNT_ROWS: put(out, "COUNT(*)"); return;
    case AST_TERM_WRITETIME: put_call(out, "WRITETIME", t->operand); return;
    case AST_TERM_MAXWRITETIME: put_call(out, "MAXWRITETIME", t->operand); return;
    case AST_TERM_TTL: put_call(out, "TTL", t->operand); return;
    }
}

/* --- Clauses ---------------------------------------------------------------------------------- */

/* IN's right side. */
static void put_in(struct buf *out, const struct ast_term *value, const struct ast_terms *values)
{
    if (value) {
        ast_print_term(out, value);
    } else {
        buf_u8(out, '(');
        print_terms(out, values);
        buf_u8(out, ')');
    }
}

static void put_relation(struct buf *out, const struct ast_relation *r)
{
    switch (r->kind) {
    case AST_RELATION_INDEX:
        put(out, "expr(");
        print_name(out, r->index.name);
        put(out, ", ");
        ast_print_term(out, r->value);
        buf_u8(out, ')');
        return;
    case AST_RELATION_COLUMN: print_name(out, r->columns[0]); break;
    case AST_RELATION_MAP_ENTRY:
        print_name(out, r->columns[0]);
        buf_u8(out, '[');
        ast_print_term(out, r->key);
        buf_u8(out, ']');
        break;
    case AST_RELATION_TOKEN:
    case AST_RELATION_TUPLE:
        put(out, r->kind == AST_RELATION_TOKEN ? "TOKEN(" : "(");
        print_names(out, r->columns, r->columns_count);
        buf_u8(out, ')');
        break;
    }
    buf_printf(out, " %s ", ast_operator_text(r->op));
    if (r->op == AST_OP_IN) {
        put_in(out, r->value, &r->values);
    } else if (r->op == AST_OP_IS_NOT_NULL) {
        put(out, "NULL");
    } else {
        ast_print_term(out, r->value);
    }
}

void print_where(struct buf *out, const struct ast_relation *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(out, i ? " AND " : " WHERE ");
        put_relation(out, &items[i]);
    }
}

static void put_if(struct buf *out, const struct ast_if *c)
{
    if (c->exists) {
        put(out, " IF EXISTS");
    }
    for (size_t i = 0; i < c->items_count; i++) {
        const struct ast_condition *x = &c->items[i];
        put(out, i ? " AND " : " IF ");
        print_name(out, x->column);
        if (x->element) {
            buf_u8(out, '[');
            ast_print_term(out, x->element);
            buf_u8(out, ']');
        } else if (ast_name_present(x->field)) {
            buf_u8(out, '.');
            print_name(out, x->field);
        }
        buf_printf(out, " %s ", ast_operator_text(x->op));
        if (x->op == AST_OP_IN) {
            put_in(out, x->value, &x->values);
        } else {
            ast_print_term(out, x->value);
        }
    }
}

static void put_using(struct buf *out, const struct ast_using *u)
{
    static const char *const words[] = {
        [AST_USING_TIMESTAMP] = "TIMESTAMP ",
        [AST_USING_TTL] = "TTL ",
        [AST_USING_TIMEOUT] = "TIMEOUT ",
        [AST_USING_CONSISTENCY] = "CONSISTENCY ",
    };
    for (size_t i = 0; i < u->items_count; i++) {
        put(out, i ? " AND " : " USING ");
        put(out, words[u->items[i].kind]);
        if (u->items[i].value) {
            ast_print_term(out, u->items[i].value);
        } else {
            print_name(out, u->items[i].consistency);
        }
    }
}

void print_selectors(struct buf *out, const struct ast_selector *items, size_t count)
{
    if (count == 0) {
        buf_u8(out, '*');
    }
    for (size_t i = 0; i < count; i++) {
        put(out, i ? ", " : "");
        ast_print_term(out, items[i].term);
        if (ast_name_present(items[i].alias)) {
            put(out, " AS ");
            print_name(out, items[i].alias);
        }
    }
}

/* --- Data statements -------------------------------------------------------------------------- */

static void print_select(struct buf *out, const struct ast_select *s)
{
    put(out, s->json ? "SELECT JSON " : "SELECT ");
    put(out, s->distinct ? "DISTINCT " : "");
    print_selectors(out, s->selectors, s->selectors_count);
    put(out, " FROM ");
    print_qualified(out, &s->table);
    print_where(out, s->where, s->where_count);
    if (s->group_by.items_count) {
        put(out, " GROUP BY ");
        print_terms(out, &s->group_by);
    }
    for (size_t i = 0; i < s->order_by_count; i++) {
        put(out, i ? ", " : " ORDER BY ");
        print_name(out, s->order_by[i].column);
        if (s->order_by[i].ann_of) {
            put(out, " ANN OF ");
            ast_print_term(out, s->order_by[i].ann_of);
        }
        put(out, s->order_by[i].descending ? " DESC" : " ASC");
    }
    if (s->per_partition_limit) {
        put(out, " PER PARTITION LIMIT ");
        ast_print_term(out, s->per_partition_limit);
    }
    if (s->limit) {
        put(out, " LIMIT ");
        ast_print_term(out, s->limit);
    }
    put(out, s->allow_filtering ? " ALLOW FILTERING" : "");
    put_using(out, &s->using);
}

static void print_insert(struct buf *out, const struct ast_insert *s)
{
    put(out, "INSERT INTO ");
    print_qualified(out, &s->table);
    if (s->json) {
        put(out, " JSON ");
        ast_print_term(out, s->json);
        put(out, s->default_unset ? " DEFAULT UNSET" : "");
    } else {
        put(out, " (");
        print_names(out, s->columns, s->columns_count);
        put(out, ") VALUES (");
        print_terms(out, &s->values);
        buf_u8(out, ')');
    }
    put(out, s->if_not_exists ? " IF NOT EXISTS" : "");
    put_using(out, &s->using);
}

static void print_assignment(struct buf *out, const struct ast_assignment *a)
{
    print_name(out, a->column);
    switch (a->kind) {
    case AST_ASSIGN_SET: put(out, " = "); break;
    case AST_ASSIGN_ADD: put(out, " += "); break;
    case AST_ASSIGN_SUBTRACT: put(out, " -= "); break;
    case AST_ASSIGN_PREPEND: put(out, " = "); break;
    case AST_ASSIGN_SET_ELEMENT:
        buf_u8(out, '[');
        ast_print_term(out, a->element);
        put(out, "] = ");
        break;
    case AST_ASSIGN_SET_FIELD:
        buf_u8(out, '.');
        print_name(out, a->field);
        put(out, " = ");
        break;
    }
    ast_print_term(out, a->value);
    if (a->kind == AST_ASSIGN_PREPEND) {
        put(out, " + ");
        print_name(out, a->column);
    }
}

static void print_update(struct buf *out, const struct ast_update *s)
{
    put(out, "UPDATE ");
    print_qualified(out, &s->table);
    put_using(out, &s->using);
    for (size_t i = 0; i < s->set_count; i++) {
        put(out, i ? ", " : " SET ");
        print_assignment(out, &s->set[i]);
    }
    print_where(out, s->where, s->where_count);
    put_if(out, &s->condition);
}

static void print_delete(struct buf *out, const struct ast_delete *s)
{
    put(out, "DELETE ");
    for (size_t i = 0; i < s->columns_count; i++) {
        const struct ast_deletion *d = &s->columns[i];
        put(out, i ? ", " : "");
        print_name(out, d->column);
        if (d->element) {
            buf_u8(out, '[');
            ast_print_term(out, d->element);
            buf_u8(out, ']');
        } else if (ast_name_present(d->field)) {
            buf_u8(out, '.');
            print_name(out, d->field);
        }
    }
    put(out, s->columns_count ? " FROM " : "FROM ");
    print_qualified(out, &s->table);
    put_using(out, &s->using);
    print_where(out, s->where, s->where_count);
    put_if(out, &s->condition);
}

static void print_batch(struct buf *out, const struct ast_batch *s)
{
    put(out, s->kind == AST_BATCH_LOGGED     ? "BEGIN BATCH"
             : s->kind == AST_BATCH_UNLOGGED ? "BEGIN UNLOGGED BATCH"
                                             : "BEGIN COUNTER BATCH");
    put_using(out, &s->using);
    for (size_t i = 0; i < s->items_count; i++) {
        buf_u8(out, ' ');
        ast_print(out, s->items[i]);
        buf_u8(out, ';');
    }
    put(out, " APPLY BATCH");
}

void ast_print(struct buf *out, const struct ast_statement *s)
{
    switch (s->kind) {
    case AST_SELECT: print_select(out, &s->select); return;
    case AST_INSERT: print_insert(out, &s->insert); return;
    case AST_UPDATE: print_update(out, &s->update); return;
    case AST_DELETE: print_delete(out, &s->delete); return;
    case AST_BATCH: print_batch(out, &s->batch); return;
    case AST_USE:
        put(out, "USE ");
        print_name(out, s->use);
        return;
    case AST_TRUNCATE:
        put(out, "TRUNCATE TABLE ");
        print_qualified(out, &s->truncate);
        return;
    default: print_schema(out, s); return;
    }
}
