/* SELECT compiled: select clause, WHERE, GROUP BY, ORDER BY, limits. The checks come in Cassandra's order (SelectStatement.prepare),
 * so that a statement with two faults fails for the same one. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/select_priv.h"
#include "cql/plan/statement_priv.h"
#include "cql/plan/term_priv.h"

#include "cql/lang/parse.h"

static bool is_static(const struct column *c)
{
    return c->kind == COLUMN_STATIC;
}

static bool is_row_column(const struct column *c)
{
    return c->kind == COLUMN_CLUSTERING || c->kind == COLUMN_REGULAR;
}

/* Does any selector select such a column. Selectors are looked up one by one and only as far as that needs, as in Cassandra: of a
 * faulty select clause and a faulty WHERE, either may be what is told. */
static err_t any_selects(struct compile *c, const struct ast_select *ast, const struct table *t,
                         bool (*pred)(const struct column *), bool *out)
{
    *out = false;
    c->selecting = true;
    for (size_t i = 0; i < ast->selectors_count && !*out; i++) {
        TRY(selector_check(c, t, ast->selectors[i].term));
        *out = selector_selects(ast->selectors[i].term, t, pred);
    }
    c->selecting = false;
    return OK;
}

/* Only static columns (and perhaps the partition key) are selected. */
static err_t selects_only_static(struct compile *c, const struct ast_select *ast,
                                 const struct table *t, bool *out)
{
    bool statics = false, others = true;
    if (t->static_count)
        TRY(any_selects(c, ast, t, is_static, &statics));
    if (statics)
        TRY(any_selects(c, ast, t, is_row_column, &others));
    *out = statics && !others;
    return OK;
}

/* --- ORDER BY -------------------------------------------------------------------------------------- */

static err_t bind_ordering(struct compile *c, const struct ast_select *ast, struct select *q,
                           const struct column **ann)
{
    q->order = arena_array(c->arena, struct select_order, ast->order_by_count);
    for (size_t i = 0; i < ast->order_by_count; i++) {
        const struct ast_ordering *o = &ast->order_by[i];
        const struct column *column;
        TRY(table_find_column(q->table, o->column.text, &column, c->fail));
        if (o->ann_of) {
            struct receiver r = receiver_of_column(q->table, column);
            struct term *ignored;
            TRY(term_compile(c, o->ann_of, &r, &ignored));
            if (*ann)
                return fail_set(c->fail, ERR_INVALID, "Cannot specify more than one ANN ordering");
            *ann = column;
        }
        size_t at = 0;
        while (at < q->order_count && q->order[at].column != column)
            at++;
        q->order[at] = (struct select_order){column, o->descending};
        if (at == q->order_count)
            q->order_count++;
    }
    if (*ann && ast->order_by_count > 1)
        return fail_set(c->fail, ERR_INVALID, "ANN ordering does not support any other ordering");
    if (*ann && ast->order_by[0].descending)
        return fail_set(c->fail, ERR_INVALID, "Descending ANN ordering is not supported");
    return OK;
}

/* ORDER BY v ANN OF … needs an index, and there are none yet. */
static err_t refuse_ann(struct compile *c, const struct column *column)
{
    const struct type *t = column->type;
    if (t->id != TYPE_VECTOR || t->params[0]->id != TYPE_FLOAT)
        return fail_set(c->fail, ERR_INVALID,
                        "ANN ordering is only supported on float vector indexes");
    return fail_set(c->fail, ERR_INVALID,
                    "ANN ordering by vector requires the column to be indexed");
}

static err_t compile_ordering(struct compile *c, struct select *q)
{
    const struct table *t = q->table;
    if (q->order_count == 0)
        return OK;
    if (q->where->is_key_range)
        return fail_set(
            c->fail, ERR_INVALID,
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
    uint16_t next = 0;
    bool decided = false, unequal = false;
    for (size_t i = 0; i < q->order_count; i++) {
        const struct column *column = q->order[i].column;
        if (column->kind != COLUMN_CLUSTERING)
            return fail_set(c->fail, ERR_INVALID,
                            "Order by is currently only supported on the clustered columns of the "
                            "PRIMARY KEY, got %.*s",
                            BYTES_FMT(column->name));
        while (next != column->position) {
            if (next >= t->ck_count || !restrict_column_by_eq(q->where, table_ck(t, next)))
                return fail_set(c->fail, ERR_INVALID,
                                "Order by currently only supports the ordering of columns "
                                "following their declared order in "
                                "the PRIMARY KEY");
            next++;
        }
        next++;
        bool reversed = q->order[i].descending != column->desc;
        unequal |= decided && reversed != q->reversed;
        if (!decided)
            q->reversed = reversed;
        decided = true;
    }
    if (unequal)
        return fail_set(c->fail, ERR_INVALID, "Unsupported order by relation");
    q->post_order = q->where->pk_has_in;
    return OK;
}

/* --- Selection -------------------------------------------------------------------------------------- */

static struct selector *column_selector(struct compile *c, const struct column *column)
{
    struct selector *s = arena_new(c->arena, struct selector);
    *s = (struct selector){.kind = SELECTOR_COLUMN,
                           .type = column->type,
                           .name = column->name,
                           .column = column,
                           .slot = SLOT_NONE,
                           .slot2 = SLOT_NONE};
    return s;
}

static void select_all(struct compile *c, struct select *q)
{
    const struct table *t = q->table;
    q->wildcard = true;
    q->selectors_count = q->columns_count = t->columns_count;
    q->selectors = arena_array(c->arena, struct selector *, t->columns_count);
    q->columns = arena_array(c->arena, const struct column *, t->columns_count);
    for (uint16_t i = 0; i < t->columns_count; i++) {
        q->columns[i] = &t->columns[i];
        q->selectors[i] = column_selector(c, &t->columns[i]);
    }
}

static err_t compile_selection(struct selection *s, const struct ast_select *ast,
                               struct statement *st)
{
    struct compile *c = s->c;
    struct select *q = s->select;
    if (ast->selectors_count == 0)
        select_all(c, q);
    else {
        q->selectors_count = ast->selectors_count;
        q->selectors = arena_array(c->arena, struct selector *, ast->selectors_count);
        c->selecting = true;
        for (size_t i = 0; i < ast->selectors_count; i++) {
            TRY(selector_check(c, q->table, ast->selectors[i].term));
            TRY(selector_compile(s, ast->selectors[i].term, NULL, &q->selectors[i]));
        }
        c->selecting = false;
    }
    if (q->selectors_count > UINT16_MAX)
        return fail_set(c->fail, ERR_INVALID, "Too many columns are selected");
    st->result_count = (uint16_t)q->selectors_count;
    st->result = arena_array(c->arena, struct column_spec, q->selectors_count);
    for (size_t i = 0; i < q->selectors_count; i++) {
        struct bytes name = q->selectors[i]->name;
        if (!q->wildcard && ast_name_present(ast->selectors[i].alias))
            name = ast->selectors[i].alias.text;
        st->result[i] =
            (struct column_spec){q->table->keyspace, q->table->name, name, q->selectors[i]->type};
    }
    st->result_wildcard = q->wildcard;
    return OK;
}

static err_t check_distinct(struct compile *c, const struct ast_select *ast, const struct select *q)
{
    if (!q->distinct)
        return OK;
    if (ast->per_partition_limit)
        return fail_set(c->fail, ERR_INVALID,
                        "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
    if (q->where->ck_count || q->where->restricts_regular)
        return fail_set(c->fail, ERR_INVALID,
                        "SELECT DISTINCT with WHERE clause only supports restriction by partition "
                        "key and/or static columns.");
    uint16_t keys = 0;
    for (size_t i = 0; i < q->columns_count; i++) {
        if (is_row_column(q->columns[i]))
            return fail_set(c->fail, ERR_INVALID,
                            "SELECT DISTINCT queries must only request partition key columns "
                            "and/or static columns (not %.*s)",
                            BYTES_FMT(q->columns[i]->name));
        keys += q->columns[i]->kind == COLUMN_PARTITION_KEY;
    }
    if (!q->where->is_key_range || keys == q->table->pk_count)
        return OK;
    for (uint16_t i = 0; i < q->table->pk_count; i++) {
        bool requested = false;
        for (size_t j = 0; j < q->columns_count; j++)
            requested |= q->columns[j] == table_pk(q->table, i);
        if (!requested)
            return fail_set(
                c->fail, ERR_INVALID,
                "SELECT DISTINCT queries must request all the partition key columns (missing %.*s)",
                BYTES_FMT(table_pk(q->table, i)->name));
    }
    return OK;
}

/* --- GROUP BY ---------------------------------------------------------------------------------------- */

/* GROUP BY f(c, …): the one clustering column that it is about. */
static err_t compile_group_function(struct selection *s, const struct ast_term *ast,
                                    struct selector **selector, const struct column **column)
{
    struct compile *c = s->c;
    struct select groups = {.table = s->table};
    struct selection own = {.c = c, .table = s->table, .select = &groups};
    own.select->terms = s->select->terms; /* slots are the statement's */
    own.select->terms_count = s->select->terms_count;
    own.terms_cap = s->terms_cap;
    c->selecting = true;
    TRY(selector_check(c, s->table, ast));
    err_t err = selector_compile(&own, ast, NULL, selector);
    c->selecting = false;
    TRY(err);
    s->select->terms = groups.terms;
    s->select->terms_count = groups.terms_count;
    s->terms_cap = own.terms_cap;
    if ((*selector)->has_aggregate)
        return fail_set(
            c->fail, ERR_INVALID,
            "Aggregate functions are not supported within the GROUP BY clause, got: %.*s",
            BYTES_FMT((*selector)->func ? func_full_name((*selector)->func, c->arena)
                                        : bytes_str("system.count")));
    if (groups.columns_count == 0)
        return fail_set(c->fail, ERR_INVALID,
                        "GROUP BY functions must have one clustering column name as parameter");
    if (groups.columns_count > 1) {
        struct buf names = buf_in(c->arena);
        for (size_t i = 0; i < groups.columns_count; i++) {
            if (i)
                buf_u8(&names, ',');
            cql_quote_identifier(&names, groups.columns[i]->name);
        }
        return fail_set(
            c->fail, ERR_INVALID,
            "GROUP BY functions accept only one clustering column as parameter, got: %.*s",
            BYTES_FMT(buf_bytes(&names)));
    }
    *column = groups.columns[0];
    if ((*column)->kind != COLUMN_CLUSTERING)
        return fail_set(c->fail, ERR_INVALID,
                        "Group by functions are only supported on clustering columns, got %.*s",
                        BYTES_FMT((*column)->name));
    return OK;
}

static err_t group_column(struct selection *s, const struct ast_term *ast,
                          const struct column **column)
{
    struct compile *c = s->c;
    struct select *q = s->select;
    if (ast->kind == AST_TERM_CALL || ast->kind == AST_TERM_BINARY || ast->kind == AST_TERM_NEGATE)
        return compile_group_function(s, ast, &q->group_selector, column);
    if (ast->kind != AST_TERM_COLUMN)
        return fail_set(
            c->fail, ERR_INVALID,
            "Only columns of the PRIMARY KEY and functions of them can be grouped by, got %.*s",
            BYTES_FMT(term_text(ast, c->arena)));
    TRY(table_find_column(q->table, ast->column.text, column, c->fail));
    if ((*column)->kind != COLUMN_PARTITION_KEY && (*column)->kind != COLUMN_CLUSTERING)
        return fail_set(
            c->fail, ERR_INVALID,
            "Group by is currently only supported on the columns of the PRIMARY KEY, got %.*s",
            BYTES_FMT((*column)->name));
    if (q->group_selector)
        return fail_set(c->fail, ERR_INVALID,
                        "Functions are only supported on the last element of the GROUP BY clause");
    return OK;
}

static err_t compile_groups(struct selection *s, const struct ast_select *ast)
{
    struct compile *c = s->c;
    struct select *q = s->select;
    const struct table *t = q->table;
    uint16_t next = 0, all = t->pk_count + t->ck_count;
    q->groups = true;
    for (size_t i = 0; i < ast->group_by.items_count; i++) {
        const struct column *column;
        TRY(group_column(s, ast->group_by.items[i], &column));
        for (;;) {
            if (next == all)
                return fail_set(c->fail, ERR_INVALID,
                                "Group by currently only support groups of columns following their "
                                "declared order in the PRIMARY "
                                "KEY");
            const struct column *key = &t->columns[next++];
            if (key->kind == COLUMN_CLUSTERING)
                q->group_ck++;
            if (key == column)
                break;
            if (!restrict_column_by_eq(q->where, key))
                return fail_set(c->fail, ERR_INVALID,
                                "Group by currently only support groups of columns following their "
                                "declared order in the PRIMARY "
                                "KEY");
        }
    }
    if (next < t->pk_count)
        return fail_set(c->fail, ERR_INVALID,
                        "Group by is not supported on only a part of the partition key");
    if (q->group_ck && q->distinct)
        return fail_set(
            c->fail, ERR_INVALID,
            "Grouping on clustering columns is not allowed for SELECT DISTINCT queries");
    return OK;
}

/* --- What an execution needs ------------------------------------------------------------------------- */

static void need(struct select *q, const struct column *column)
{
    q->needed[column->index] = true;
    switch (column->kind) {
    case COLUMN_PARTITION_KEY: q->needs_pk = true; break;
    case COLUMN_CLUSTERING:
        if (q->needed_ck <= column->position)
            q->needed_ck = column->position + 1;
        break;
    case COLUMN_STATIC: q->needs_static = true; break;
    case COLUMN_REGULAR: q->needs_regular = true; break;
    }
}

static void find_needs(struct compile *c, struct select *q)
{
    const struct restrictions *w = q->where;
    const struct table *t = q->table;
    q->needed = arena_array(c->arena, bool, t->columns_count);
    for (size_t i = 0; i < q->columns_count; i++)
        need(q, q->columns[i]);
    for (uint16_t i = 0; w->filters_pk && i < t->pk_count; i++)
        if (w->pk[i])
            need(q, table_pk(t, i));
    for (uint16_t i = 0; w->filters && i < t->ck_count; i++)
        if (w->ck[i])
            need(q, table_ck(t, i));
    for (size_t i = 0; i < w->others_count; i++)
        need(q, w->others[i]->columns[0]);
    for (size_t i = 0; q->post_order && i < q->order_count; i++)
        need(q, q->order[i].column);
    if (q->group_selector && q->needed_ck < q->group_ck)
        q->needed_ck = q->group_ck;
    q->static_rows = t->static_count > 0 && w->ck_count == 0 && !w->restricts_regular;
}

static void find_fast_paths(struct compile *c, struct select *q)
{
    bool only_count = q->is_aggregate && !q->where->filters && !q->distinct;
    bool plain = !q->is_aggregate && !q->groups;
    uint16_t *columns = arena_array(c->arena, uint16_t, q->selectors_count);
    for (size_t i = 0; i < q->selectors_count; i++) {
        only_count &= q->selectors[i]->kind == SELECTOR_COUNT_ROWS;
        plain &= q->selectors[i]->kind == SELECTOR_COLUMN;
        columns[i] = plain ? q->selectors[i]->column->index : 0;
    }
    q->count_only = only_count;
    q->plain = plain ? columns : NULL;
}

static err_t compile_limit(struct compile *c, const struct select *q, const struct ast_term *ast,
                           const char *name, struct term **out)
{
    if (ast == NULL)
        return OK;
    struct receiver r = receiver_named(q->table, name, TYPE_INT);
    return term_compile(c, ast, &r, out);
}

static err_t compile_where(struct compile *c, const struct ast_select *ast, bool only_static,
                           struct select *q)
{
    struct restrict_input in = {
        .table = q->table,
        .statement = RESTRICT_SELECT,
        .where = ast->where,
        .where_count = ast->where_count,
        .only_static = only_static,
        .allow_filtering = ast->allow_filtering || q->table->is_virtual,
    };
    return restrict_compile(c, &in, &q->where);
}

err_t select_compile(struct compile *c, const struct ast_statement *statement, struct statement *s)
{
    const struct ast_select *ast = &statement->select;
    struct select *q = arena_new(c->arena, struct select);
    struct selection selection = {.c = c, .select = q};
    const struct column *ann = NULL;
    bool only_static;
    s->kind = STATEMENT_SELECT;
    s->select = q;
    TRY(statement_find_table(c, &ast->table, &s->table));
    q->table = c->table = selection.table = s->table;
    c->keyspace = s->table->keyspace;
    q->distinct = ast->distinct;
    TRY(statement_compile_using(c, s->table, &ast->using, s));
    TRY(selects_only_static(c, ast, s->table, &only_static));
    TRY(bind_ordering(c, ast, q, &ann));
    TRY(compile_where(c, ast, only_static, q));
    if (ann)
        return refuse_ann(c, ann);
    TRY(compile_selection(&selection, ast, s));
    if (ast->json)
        return fail_set(c->fail, ERR_INVALID, "SELECT JSON is not implemented yet");
    TRY(check_distinct(c, ast, q));
    if (ast->group_by.items_count)
        TRY(compile_groups(&selection, ast));
    q->is_aggregate = q->aggregates_count > 0 && !q->groups;
    if (q->is_aggregate && ast->per_partition_limit)
        return fail_set(c->fail, ERR_INVALID,
                        "PER PARTITION LIMIT is not allowed with aggregate queries.");
    TRY(compile_ordering(c, q));
    TRY(restrict_check_filtering(q->where, ast->allow_filtering || q->table->is_virtual, c->fail));
    TRY(compile_limit(c, q, ast->limit, "[limit]", &q->limit));
    TRY(compile_limit(c, q, ast->per_partition_limit, "[per_partition_limit]",
                      &q->per_partition_limit));
    find_needs(c, q);
    find_fast_paths(c, q);
    return OK;
}
