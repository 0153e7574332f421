/* SET clauses and deleted columns, compiled: which operation is meant for a column of this type, with the checks that Cassandra's
 * Operation makes, in its order (a value is compiled before the column is checked where Cassandra does so). */
#include "cql/plan/modify_priv.h"

err_t modify_find_column(struct compile *c, const struct table *t, struct ast_name name,
                         const struct column **out)
{
    *out = table_column(t, name.text);
    if (*out)
        return OK;
    return table_fail_undefined(t, name.text, c->fail);
}

/* "c = c + 1" and so on, as Cassandra's messages show an operation. */
static struct bytes operation_text(struct compile *c, const struct ast_assignment *a,
                                   const struct column *column)
{
    struct bytes name = column->name, value = term_text(a->value, c->arena);
    switch (a->kind) {
    case AST_ASSIGN_ADD:
        return arena_printf(c->arena, "%.*s = %.*s + %.*s", BYTES_FMT(name), BYTES_FMT(name),
                            BYTES_FMT(value));
    case AST_ASSIGN_SUBTRACT:
        return arena_printf(c->arena, "%.*s = %.*s - %.*s", BYTES_FMT(name), BYTES_FMT(name),
                            BYTES_FMT(value));
    case AST_ASSIGN_PREPEND: /* Cassandra prints a minus here */
        return arena_printf(c->arena, "%.*s = %.*s - %.*s", BYTES_FMT(name), BYTES_FMT(value),
                            BYTES_FMT(name));
    case AST_ASSIGN_SET_ELEMENT: {
        struct bytes element = term_text(a->element, c->arena);
        return arena_printf(c->arena, "%.*s[%.*s] = %.*s", BYTES_FMT(name), BYTES_FMT(element),
                            BYTES_FMT(value));
    }
    case AST_ASSIGN_SET_FIELD:
        return arena_printf(c->arena, "%.*s.%.*s = %.*s", BYTES_FMT(name), BYTES_FMT(a->field.text),
                            BYTES_FMT(value));
    case AST_ASSIGN_SET: break;
    }
    return arena_printf(c->arena, "%.*s = %.*s", BYTES_FMT(name), BYTES_FMT(value));
}

static err_t invalid_operation(struct compile *c, const struct ast_assignment *a,
                               const struct column *column, const char *what)
{
    struct bytes text = operation_text(c, a, column);
    return fail_set(c->fail, ERR_INVALID, "Invalid operation (%.*s) for %s column %.*s",
                    BYTES_FMT(text), what, BYTES_FMT(column->name));
}

err_t modify_op_of_value(struct compile *c, const struct table *t, const struct column *column,
                         const struct ast_term *value, struct modify_op *out)
{
    struct receiver r = receiver_of_column(t, column);
    TRY(term_compile(c, value, &r, &out->value));
    if (column->type->id == TYPE_COUNTER)
        return fail_set(c->fail, ERR_INVALID,
                        "Cannot set the value of counter column %.*s (counters can only be "
                        "incremented/decremented, not set)",
                        BYTES_FMT(column->name));
    out->kind = type_is_multicell(column->type) ? MODIFY_OP_SET_ALL : MODIFY_OP_SET;
    return OK;
}

/* What + and - refuse before the value is looked at. */
static err_t check_addable(struct compile *c, const struct ast_assignment *a,
                           const struct column *column)
{
    const struct type *type = column->type;
    if (type_is_collection(type))
        return type->frozen ? invalid_operation(c, a, column, "frozen collection") : OK;
    if (type->id == TYPE_TUPLE || type->id == TYPE_UDT)
        return invalid_operation(c, a, column, "tuple");
    return type->id == TYPE_COUNTER ? OK : invalid_operation(c, a, column, "non counter");
}

/* A value for a map's + or -, whose errors Cassandra replaces by one of its own. */
static err_t compile_map_operand(struct compile *c, const struct ast_assignment *a,
                                 const struct receiver *r, const char *what, struct modify_op *out)
{
    struct fail *fail = c->fail;
    struct fail own = {.arena = c->arena};
    c->fail = &own;
    err_t err = term_compile(c, a->value, r, &out->value);
    c->fail = fail;
    if (err == OK)
        return OK;
    if (err != ERR_INVALID)
        return fail_set(fail, err, "%.*s", BYTES_FMT(own.message));
    struct bytes text = term_text(a->value, c->arena);
    return fail_set(fail, ERR_INVALID, "Value for a map %s, but was: '%.*s'", what,
                    BYTES_FMT(text));
}

static err_t compile_add(struct compile *c, const struct table *t, const struct ast_assignment *a,
                         struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    TRY(check_addable(c, a, column));
    if (column->type->id == TYPE_MAP)
        TRY(compile_map_operand(c, a, &r, "addition has to be a map", out));
    else
        TRY(term_compile(c, a->value, &r, &out->value));
    out->kind = MODIFY_OP_ADD;
    return OK;
}

static err_t compile_subtract(struct compile *c, const struct table *t,
                              const struct ast_assignment *a, struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    TRY(check_addable(c, a, column));
    if (column->type->id == TYPE_MAP) { /* keys are taken away: a set of them */
        r.type = type_set(c->arena, column->type->params[0], false);
        r.column = NULL;
        TRY(compile_map_operand(c, a, &r, "substraction has to be a set", out));
    } else {
        TRY(term_compile(c, a->value, &r, &out->value));
    }
    out->kind = column->type->id == TYPE_LIST ? MODIFY_OP_REMOVE_VALUES : MODIFY_OP_REMOVE;
    return OK;
}

static err_t compile_prepend(struct compile *c, const struct table *t,
                             const struct ast_assignment *a, struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    TRY(term_compile(c, a->value, &r, &out->value));
    if (column->type->id != TYPE_LIST)
        return invalid_operation(c, a, column, "non list");
    if (column->type->frozen)
        return invalid_operation(c, a, column, "frozen list");
    out->kind = MODIFY_OP_PREPEND;
    return OK;
}

static err_t compile_element(struct compile *c, const struct table *t,
                             const struct ast_assignment *a, struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    if (!type_is_collection(column->type))
        return invalid_operation(c, a, column, "non collection");
    if (column->type->frozen)
        return invalid_operation(c, a, column, "frozen collection");
    if (column->type->id == TYPE_SET)
        return invalid_operation(c, a, column, "set");
    bool is_list = column->type->id == TYPE_LIST;
    struct receiver key = is_list ? receiver_index(c, &r) : receiver_key(c, &r);
    struct receiver value = receiver_value(c, &r);
    TRY(term_compile(c, a->element, &key, &out->key));
    TRY(term_compile(c, a->value, &value, &out->value));
    out->kind = is_list ? MODIFY_OP_SET_INDEX : MODIFY_OP_SET_KEY;
    return OK;
}

static err_t find_field(struct compile *c, const struct column *column, struct ast_name name,
                        uint16_t *out)
{
    for (uint16_t i = 0; i < column->type->params_count; i++) {
        if (bytes_equal(column->type->field_names[i], name.text)) {
            *out = i;
            return OK;
        }
    }
    return fail_set(c->fail, ERR_INVALID, "UDT column %.*s does not have a field named %.*s",
                    BYTES_FMT(column->name), BYTES_FMT(name.text));
}

static err_t compile_field(struct compile *c, const struct table *t, const struct ast_assignment *a,
                           struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    if (column->type->id != TYPE_UDT)
        return invalid_operation(c, a, column, "non-UDT");
    if (column->type->frozen)
        return invalid_operation(c, a, column, "frozen UDT");
    TRY(find_field(c, column, a->field, &out->field));
    struct receiver field = receiver_part(c, &r, column->type->params[out->field], "%.*s.%.*s",
                                          BYTES_FMT(column->name), BYTES_FMT(a->field.text));
    TRY(term_compile(c, a->value, &field, &out->value));
    out->kind = MODIFY_OP_SET_FIELD;
    return OK;
}

err_t modify_op_of_assignment(struct compile *c, const struct table *t,
                              const struct ast_assignment *a, struct modify_op *out)
{
    *out = (struct modify_op){0};
    TRY(modify_find_column(c, t, a->column, &out->column));
    if (out->column->kind == COLUMN_PARTITION_KEY || out->column->kind == COLUMN_CLUSTERING)
        return fail_set(c->fail, ERR_INVALID, "PRIMARY KEY part %.*s found in SET part",
                        BYTES_FMT(out->column->name));
    switch (a->kind) {
    case AST_ASSIGN_SET: return modify_op_of_value(c, t, out->column, a->value, out);
    case AST_ASSIGN_ADD: return compile_add(c, t, a, out);
    case AST_ASSIGN_SUBTRACT: return compile_subtract(c, t, a, out);
    case AST_ASSIGN_PREPEND: return compile_prepend(c, t, a, out);
    case AST_ASSIGN_SET_ELEMENT: return compile_element(c, t, a, out);
    case AST_ASSIGN_SET_FIELD: return compile_field(c, t, a, out);
    }
    ensure(!"an assignment of this kind");
    return ERR_SERVER;
}

static err_t delete_element(struct compile *c, const struct table *t, const struct ast_deletion *d,
                            struct modify_op *out)
{
    const struct column *column = out->column;
    struct receiver r = receiver_of_column(t, column);
    if (!type_is_collection(column->type))
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid deletion operation for non collection column %.*s",
                        BYTES_FMT(column->name));
    if (column->type->frozen)
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid deletion operation for frozen collection column %.*s",
                        BYTES_FMT(column->name));
    struct receiver key = column->type->id == TYPE_LIST  ? receiver_index(c, &r)
                          : column->type->id == TYPE_SET ? receiver_value(c, &r)
                                                         : receiver_key(c, &r);
    TRY(term_compile(c, d->element, &key, &out->key));
    out->kind = column->type->id == TYPE_LIST ? MODIFY_OP_DELETE_INDEX : MODIFY_OP_DELETE_KEY;
    return OK;
}

static err_t delete_field(struct compile *c, const struct ast_deletion *d, struct modify_op *out)
{
    const struct column *column = out->column;
    if (column->type->id != TYPE_UDT)
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid field deletion operation for non-UDT column %.*s",
                        BYTES_FMT(column->name));
    if (column->type->frozen)
        return fail_set(c->fail, ERR_INVALID,
                        "Frozen UDT column %.*s does not support field deletions",
                        BYTES_FMT(column->name));
    TRY(find_field(c, column, d->field, &out->field));
    out->kind = MODIFY_OP_DELETE_FIELD;
    return OK;
}

err_t modify_op_of_deletion(struct compile *c, const struct table *t, const struct ast_deletion *d,
                            struct modify_op *out)
{
    *out = (struct modify_op){0};
    TRY(modify_find_column(c, t, d->column, &out->column));
    if (out->column->kind == COLUMN_PARTITION_KEY || out->column->kind == COLUMN_CLUSTERING)
        return fail_set(c->fail, ERR_INVALID,
                        "Invalid identifier %.*s for deletion (should not be a PRIMARY KEY part)",
                        BYTES_FMT(out->column->name));
    if (d->element)
        return delete_element(c, t, d, out);
    if (ast_name_present(d->field))
        return delete_field(c, d, out);
    out->kind = MODIFY_OP_DELETE;
    return OK;
}
