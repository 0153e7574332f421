/* INSERT, UPDATE, DELETE and BATCH compiled against the schema. The order of the checks is Cassandra's, so that of several errors the
 * same one is found: table, USING, IF, operations, WHERE. */
#include "cql/plan/modify_priv.h"
#include "cql/plan/statement_priv.h"

static const struct ast_using *using_of(const struct ast_statement *ast)
{
    switch (ast->kind) {
    case AST_INSERT: return &ast->insert.using;
    case AST_UPDATE: return &ast->update.using;
    case AST_DELETE: return &ast->delete.using;
    default: return &ast->batch.using;
    }
}

static const struct ast_qualified_name *table_of(const struct ast_statement *ast)
{
    switch (ast->kind) {
    case AST_INSERT: return &ast->insert.table;
    case AST_UPDATE: return &ast->update.table;
    default: return &ast->delete.table;
    }
}

static err_t compile_using(struct compile *c, const struct ast_using *using, struct modify *m)
{
    if (using->timestamp) {
        struct receiver r = receiver_named(m->table, "[timestamp]", TYPE_BIGINT);
        TRY(term_compile(c, using->timestamp, &r, &m->timestamp));
    }
    if (using->ttl) {
        struct receiver r = receiver_named(m->table, "[ttl]", TYPE_INT);
        TRY(term_compile(c, using->ttl, &r, &m->ttl));
    }
    return OK;
}

static err_t check_conditions(struct compile *c, const struct ast_statement *ast)
{
    const struct ast_if *condition =
        ast->kind == AST_UPDATE ? &ast->update.condition : &ast->delete.condition;
    const char *what =
        ast->kind == AST_INSERT && ast->insert.if_not_exists ? "INSERT … IF NOT EXISTS" : NULL;
    if (ast->kind != AST_INSERT && condition->exists)
        what = ast->kind == AST_UPDATE ? "UPDATE … IF EXISTS" : "DELETE … IF EXISTS";
    else if (ast->kind != AST_INSERT && (condition->items_count || condition->not_exists))
        what = ast->kind == AST_UPDATE ? "UPDATE … IF" : "DELETE … IF";
    return what ? fail_set(c->fail, ERR_INVALID, "%s is not implemented yet", what) : OK;
}

/* Appends op after those of columns with lower or the same id. */
static void add_op(struct modify *m, const struct modify_op *op)
{
    struct modify_ops *ops = op->column->kind == COLUMN_STATIC ? &m->statics : &m->regular;
    m->adds_to_counter |= op->column->type->id == TYPE_COUNTER && op->value;
    size_t i = ops->count++;
    for (; i > 0 && ops->items[i - 1].column->id > op->column->id; i--)
        ops->items[i] = ops->items[i - 1];
    ops->items[i] = *op;
    ops->needs_read |= op->kind == MODIFY_OP_REMOVE_VALUES || op->kind == MODIFY_OP_SET_INDEX ||
                       op->kind == MODIFY_OP_DELETE_INDEX;
}

static void reserve_ops(struct compile *c, struct modify *m, size_t count)
{
    m->regular.items = arena_array(c->arena, struct modify_op, count + 1);
    m->statics.items = arena_array(c->arena, struct modify_op, count + 1);
}

static err_t compile_where(struct compile *c, struct modify *m, const struct ast_relation *where,
                           size_t count, bool only_static)
{
    static const enum restrict_statement kinds[] = {RESTRICT_INSERT, RESTRICT_UPDATE,
                                                    RESTRICT_DELETE};
    struct restrict_input in = {
        .table = m->table,
        .statement = kinds[m->kind],
        .where = where,
        .where_count = count,
        .only_static = only_static,
    };
    for (size_t i = 0; i < count; i++)
        if (where[i].kind == AST_RELATION_INDEX)
            return fail_set(c->fail, ERR_INVALID,
                            "Custom index expressions cannot be used in WHERE clauses for UPDATE "
                            "or DELETE statements");
    return restrict_compile(c, &in, &m->where);
}

static bool only_static(const struct modify *m)
{
    return m->regular.count == 0 && m->statics.count > 0;
}

/* A name twice among the columns of an INSERT: sorted by pointer would not do, names may be many and hostile. */
static bool has_duplicates(const struct ast_insert *in)
{
    struct map seen = {0};
    bool found = false;
    for (size_t i = 0; i < in->columns_count && !found; i++)
        found = map_put(&seen, in->columns[i].text, (void *)&in->columns[i]) != NULL;
    map_free(&seen);
    return found;
}

static err_t compile_insert(struct compile *c, const struct ast_insert *in, struct modify *m)
{
    if (m->table->is_counter)
        return fail_set(c->fail, ERR_INVALID,
                        "INSERT statements are not allowed on counter tables, use UPDATE instead");
    if (in->json)
        return fail_set(c->fail, ERR_INVALID, "INSERT JSON is not implemented yet");
    if (in->columns_count == 0)
        return fail_set(c->fail, ERR_INVALID, "No columns provided to INSERT");
    if (in->columns_count != in->values.items_count)
        return fail_set(c->fail, ERR_INVALID, "Unmatched column names/values");
    if (has_duplicates(in))
        return fail_set(c->fail, ERR_INVALID, "The column names contains duplicates");
    reserve_ops(c, m, in->columns_count);
    struct ast_relation *where = arena_array(c->arena, struct ast_relation, in->columns_count);
    size_t where_count = 0;
    bool has_clustering = false;
    for (size_t i = 0; i < in->columns_count; i++) {
        struct modify_op op = {0};
        TRY(modify_find_column(c, m->table, in->columns[i], &op.column));
        has_clustering |= op.column->kind == COLUMN_CLUSTERING;
        if (op.column->kind == COLUMN_PARTITION_KEY || op.column->kind == COLUMN_CLUSTERING) {
            where[where_count++] = (struct ast_relation){
                .kind = AST_RELATION_COLUMN,
                .op = AST_OP_EQ,
                .columns = &in->columns[i],
                .columns_count = 1,
                .value = in->values.items[i],
                .source = in->values.items[i]->source,
            };
            continue;
        }
        TRY(modify_op_of_value(c, m->table, op.column, in->values.items[i], &op));
        add_op(m, &op);
    }
    return compile_where(c, m, where, where_count, !has_clustering && only_static(m));
}

static err_t compile_update(struct compile *c, const struct ast_update *in, struct modify *m)
{
    reserve_ops(c, m, in->set_count);
    for (size_t i = 0; i < in->set_count; i++) {
        struct modify_op op;
        TRY(modify_op_of_assignment(c, m->table, &in->set[i], &op));
        add_op(m, &op);
    }
    return compile_where(c, m, in->where, in->where_count, only_static(m));
}

static err_t compile_delete(struct compile *c, const struct ast_delete *in, struct modify *m)
{
    reserve_ops(c, m, in->columns_count);
    for (size_t i = 0; i < in->columns_count; i++) {
        struct modify_op op;
        TRY(modify_op_of_deletion(c, m->table, &in->columns[i], &op));
        add_op(m, &op);
    }
    return compile_where(c, m, in->where, in->where_count, only_static(m));
}

/* What Cassandra checks once a statement is whole. */
static err_t check_statement(struct compile *c, const struct modify *m)
{
    if (m->table->is_counter && m->timestamp)
        return fail_set(c->fail, ERR_INVALID,
                        "Cannot provide custom timestamp for counter updates");
    if (m->table->is_counter && m->ttl)
        return fail_set(c->fail, ERR_INVALID, "Cannot provide custom TTL for counter updates");
    if (m->table->is_virtual && m->timestamp)
        return fail_set(c->fail, ERR_INVALID,
                        "Custom timestamp is not supported by virtual tables");
    if (m->table->is_virtual && m->ttl)
        return fail_set(c->fail, ERR_INVALID,
                        "Expiring columns are not supported by virtual tables");
    if (m->table->is_virtual)
        return fail_set(c->fail, ERR_INVALID, "Modification is not supported by table %.*s.%.*s",
                        BYTES_FMT(m->table->keyspace), BYTES_FMT(m->table->name));
    return OK;
}

/* The terms of restrictions that are each one value of one column; NULL when any is not. */
static struct term **single_terms(struct compile *c, struct restriction *const *restrictions,
                                  uint16_t count)
{
    struct term **terms = arena_array(c->arena, struct term *, count + 1u);
    for (uint16_t i = 0; i < count; i++) {
        const struct restriction *r = restrictions[i];
        if (r == NULL || r->kind != RESTRICTION_EQ || r->tuple || r->values_count != 1 ||
            r->values[0].terms_count != 1)
            return NULL;
        terms[i] = r->values[0].terms[0];
    }
    return terms;
}

static void find_single_row(struct compile *c, struct modify *m)
{
    m->pk_terms = single_terms(c, m->where->pk, m->table->pk_count);
    m->ck_terms = m->where->ck_count == m->table->ck_count
                      ? single_terms(c, m->where->ck, m->table->ck_count)
                      : NULL;
}

static err_t compile_one(struct compile *c, const struct ast_statement *ast, struct modify **out)
{
    struct modify *m = arena_new(c->arena, struct modify);
    TRY(statement_find_table(c, table_of(ast), &m->table));
    struct bytes session_keyspace = c->keyspace;
    c->keyspace = m->table->keyspace;
    c->table = m->table;
    m->kind = ast->kind == AST_INSERT   ? MODIFY_INSERT
              : ast->kind == AST_UPDATE ? MODIFY_UPDATE
                                        : MODIFY_DELETE;
    TRY(compile_using(c, using_of(ast), m));
    TRY(check_conditions(c, ast));
    switch (m->kind) {
    case MODIFY_INSERT: TRY(compile_insert(c, &ast->insert, m)); break;
    case MODIFY_UPDATE: TRY(compile_update(c, &ast->update, m)); break;
    case MODIFY_DELETE: TRY(compile_delete(c, &ast->delete, m)); break;
    }
    TRY(check_statement(c, m));
    find_single_row(c, m);
    c->keyspace = session_keyspace;
    *out = m;
    return OK;
}

static err_t check_built(struct compile *c, const struct statement *s)
{
    for (uint16_t i = 0; i < s->modifies_count; i++)
        if (s->modifies[i]->adds_to_counter)
            return fail_set(c->fail, ERR_INVALID, "counters are not implemented yet");
    return OK;
}

static err_t compile_batch(struct compile *c, const struct ast_batch *in, struct statement *s)
{
    s->kind = STATEMENT_BATCH;
    s->batch_type = in->kind == AST_BATCH_LOGGED     ? BATCH_LOGGED
                    : in->kind == AST_BATCH_UNLOGGED ? BATCH_UNLOGGED
                                                     : BATCH_COUNTER;
    s->modifies = arena_array(c->arena, struct modify *, in->items_count + 1);
    if (in->items_count > UINT16_MAX)
        return fail_set(c->fail, ERR_INVALID, "A batch holds at most %d statements", UINT16_MAX);
    for (size_t i = 0; i < in->items_count; i++) {
        const struct ast_using *using = using_of(in->items[i]);
        if (using->timeout || ast_name_present(using->consistency))
            return fail_set(c->fail, ERR_INVALID,
                            "%s must be set on the BATCH rather than on individual statements",
                            using->timeout ? "Timeout" : "Consistency");
        TRY(compile_one(c, in->items[i], &s->modifies[i]));
        s->modifies_count++;
        if (i == 0)
            s->table = s->modifies[i]->table;
        else if (s->table != s->modifies[i]->table)
            s->table = NULL;
    }
    c->table = s->table;
    if (in->using.timestamp) {
        struct receiver r = {.keyspace = bytes_str("[batch]"),
                             .table = bytes_str("[batch]"),
                             .name = bytes_str("[timestamp]"),
                             .type = type_native(TYPE_BIGINT)};
        TRY(term_compile(c, in->using.timestamp, &r, &s->batch_timestamp));
    }
    TRY(statement_compile_using(c, NULL, &in->using, s));
    if (in->using.ttl)
        return fail_set(c->fail, ERR_INVALID,
                        "Global TTL on the BATCH statement is not supported.");
    TRY(modify_check_batch(s->modifies, s->modifies_count,
                           MODIFY_BATCH_LOGGED + (enum modify_batch)s->batch_type,
                           s->batch_timestamp != NULL, c->fail));
    return check_built(c, s);
}

err_t modify_compile(struct compile *c, const struct ast_statement *ast, struct statement *s)
{
    if (ast->kind == AST_BATCH)
        return compile_batch(c, &ast->batch, s);
    s->kind = STATEMENT_MODIFY;
    s->modifies = arena_array(c->arena, struct modify *, 1);
    TRY(compile_one(c, ast, &s->modifies[0]));
    s->modifies_count = 1;
    s->table = s->modifies[0]->table;
    TRY(statement_compile_using(c, s->table, using_of(ast), s));
    return check_built(c, s);
}
