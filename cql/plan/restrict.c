/* From the relations of a WHERE clause to what the statement's restrictions are as a whole: which columns stay open, whether
 * partitions are named or a range of tokens is scanned, what has to be checked row by row. The checks come in the order in which
 * Cassandra makes them, as a statement with two faults should fail for the same one. */
#include "cql/plan/restrict.h"
#include "cql/plan/restrict_priv.h"

#include <stdlib.h>

#define NEEDS_FILTERING                                                                      \
    "Cannot execute this query as it might involve data filtering and thus may have "        \
    "unpredictable performance. "                                                            \
    "If you want to execute this query despite the performance unpredictability, use ALLOW " \
    "FILTERING"

/* --- Gathering relations ------------------------------------------------------------------------- */

static err_t add_pk(struct compile *c, struct restrictions *r, struct restriction *added)
{
    uint16_t at = added->columns[0]->position;
    if (r->pk[at])
        return restriction_merge(c, r->pk[at], added, &r->pk[at]);
    r->pk[at] = added;
    r->pk_count++;
    return OK;
}

static const struct restriction *last_ck(const struct restrictions *r)
{
    for (uint16_t i = r->table->ck_count; i-- > 0;)
        if (r->ck[i])
            return r->ck[i];
    return NULL;
}

/* A slice ends what can be narrowed: nothing may be restricted behind it without filtering. */
static err_t check_ck_order(struct compile *c, const struct restrictions *r,
                            const struct restriction *last, const struct restriction *added,
                            const bool *had)
{
    const struct column *first = added->columns[0];
    if (last->kind == RESTRICTION_SLICE && first->position > last->columns[0]->position)
        return fail_set(c->fail, ERR_INVALID,
                        "Clustering column \"%.*s\" cannot be restricted (preceding column "
                        "\"%.*s\" is restricted by a non-EQ "
                        "relation)",
                        BYTES_FMT(first->name), BYTES_FMT(last->columns[0]->name));
    if (added->kind != RESTRICTION_SLICE || first->position >= last->columns[0]->position)
        return OK;
    uint16_t next = first->position + 1;
    while (!had[next])
        next++;
    return fail_set(c->fail, ERR_INVALID,
                    "PRIMARY KEY column \"%.*s\" cannot be restricted (preceding column \"%.*s\" "
                    "is restricted by a non-EQ "
                    "relation)",
                    BYTES_FMT(table_ck(r->table, next)->name), BYTES_FMT(first->name));
}

static err_t add_ck(struct compile *c, struct restrictions *r, struct restriction *added,
                    bool allow_filtering)
{
    const struct restriction *last = last_ck(r);
    bool *had = arena_array(c->arena, bool, r->table->ck_count + 1u);
    for (uint16_t i = 0; i < r->table->ck_count; i++)
        had[i] = r->ck[i] != NULL;
    struct restriction *merged = added;
    const struct restriction *seen = NULL;
    for (uint16_t i = 0; i < added->columns_count; i++) {
        struct restriction *existing = r->ck[added->columns[i]->position];
        if (existing == NULL || existing == seen)
            continue;
        seen = existing;
        TRY(restriction_merge(c, existing, added, &merged));
    }
    for (uint16_t i = 0; i < merged->columns_count; i++) {
        struct restriction **place = &r->ck[merged->columns[i]->position];
        r->ck_count += *place == NULL;
        *place = merged;
    }
    return last && !allow_filtering ? check_ck_order(c, r, last, added, had) : OK;
}

static err_t add_other(struct compile *c, struct restrictions *r, struct restriction *added,
                       size_t capacity)
{
    for (size_t i = 0; i < r->others_count; i++)
        if (r->others[i]->columns[0] == added->columns[0])
            return restriction_merge(c, r->others[i], added, &r->others[i]);
    ensure(r->others_count < capacity);
    size_t at = r->others_count++;
    while (at > 0 &&
           bytes_compare(r->others[at - 1]->columns[0]->name, added->columns[0]->name) > 0) {
        r->others[at] = r->others[at - 1];
        at--;
    }
    r->others[at] = added;
    r->restricts_regular |= added->columns[0]->kind == COLUMN_REGULAR;
    return OK;
}

static err_t check_index_expressions(struct compile *c, const struct restrict_input *in)
{
    const struct ast_relation *found = NULL;
    for (size_t i = 0; i < in->where_count; i++) {
        if (in->where[i].kind != AST_RELATION_INDEX)
            continue;
        if (in->statement != RESTRICT_SELECT)
            return fail_set(c->fail, ERR_INVALID,
                            "Custom index expressions cannot be used in WHERE clauses for UPDATE "
                            "or DELETE statements");
        if (found)
            return fail_set(
                c->fail, ERR_INVALID,
                "Multiple custom index expressions in a single query are not supported");
        found = &in->where[i];
    }
    if (found == NULL)
        return OK;
    const struct table *t = in->table;
    struct bytes ks = found->index.keyspace.text, name = found->index.name.text;
    if (ast_name_present(found->index.keyspace) && !bytes_equal(ks, t->keyspace))
        return fail_set(c->fail, ERR_INVALID, "Target index %.*s cannot be used to query %.*s.%.*s",
                        BYTES_FMT(name), BYTES_FMT(t->keyspace), BYTES_FMT(t->name));
    return fail_set(c->fail, ERR_INVALID,
                    "Invalid index expression, index %.*s not found for %.*s.%.*s", BYTES_FMT(name),
                    BYTES_FMT(t->keyspace), BYTES_FMT(t->name));
}

static err_t add_relation(struct compile *c, const struct restrict_input *in,
                          const struct ast_relation *rel, struct restrictions *r)
{
    struct restriction *added;
    bool contains = rel->op == AST_OP_CONTAINS || rel->op == AST_OP_CONTAINS_KEY;
    if (contains && (in->statement == RESTRICT_UPDATE || in->statement == RESTRICT_DELETE))
        return fail_set(c->fail, ERR_INVALID, "Cannot use %s with %s",
                        restrict_statement_name(in->statement), ast_operator_text(rel->op));
    if (rel->op == AST_OP_IS_NOT_NULL)
        return fail_set(c->fail, ERR_INVALID, "Unsupported restriction: %.*s",
                        BYTES_FMT(relation_text(rel, c->arena)));
    TRY(relation_compile(c, in->table, rel, &added));
    if (rel->op == AST_OP_LIKE)
        return fail_set(
            c->fail, ERR_INVALID,
            "LIKE restriction is only supported on properly indexed columns. %.*s is not valid.",
            BYTES_FMT(relation_text(rel, c->arena)));
    if (rel->kind == AST_RELATION_TOKEN)
        return restriction_merge_token(c, in->table, r->token, added, &r->token);
    if (added->columns[0]->kind == COLUMN_PARTITION_KEY)
        return add_pk(c, r, added);
    if (added->columns[0]->kind == COLUMN_CLUSTERING)
        return add_ck(c, r, added, in->allow_filtering);
    return add_other(c, r, added, in->where_count);
}

/* --- What they are together ----------------------------------------------------------------------- */

static void summarise(struct restrictions *r)
{
    for (uint16_t i = 0; i < r->table->pk_count; i++) {
        if (r->pk[i] == NULL)
            continue;
        r->pk_has_in |= r->pk[i]->kind == RESTRICTION_IN;
        r->pk_has_slice |= r->pk[i]->kind == RESTRICTION_SLICE;
    }
    for (uint16_t i = 0; i < r->table->ck_count; i++) {
        if (r->ck[i] == NULL)
            continue;
        r->ck_has_in |= r->ck[i]->kind == RESTRICTION_IN;
        r->ck_has_slice |= r->ck[i]->kind == RESTRICTION_SLICE;
    }
}

static struct bytes open_columns(struct compile *c, struct restriction *const *restricted,
                                 const struct column *columns, uint16_t count)
{
    struct buf out = buf_in(c->arena);
    for (uint16_t i = 0; i < count; i++) {
        if (restricted[i])
            continue;
        if (out.n)
            buf_put_str(&out, ", ");
        buf_put_bytes(&out, columns[i].name);
    }
    return buf_bytes(&out);
}

static bool pk_contains(const struct restrictions *r)
{
    for (uint16_t i = 0; i < r->table->pk_count; i++)
        if (r->pk[i] && r->pk[i]->kind == RESTRICTION_CONTAINS)
            return true;
    return false;
}

static err_t check_pk(struct compile *c, const struct restrict_input *in, struct restrictions *r)
{
    const struct table *t = in->table;
    bool open = r->pk_count < t->pk_count;
    bool needs = r->pk_count && (open || r->pk_has_slice || pk_contains(r));
    bool on_token = r->token && (needs || open);
    if (in->statement != RESTRICT_SELECT) {
        const char *name = restrict_statement_name(in->statement);
        if (on_token)
            return fail_set(c->fail, ERR_INVALID,
                            "The token function cannot be used in WHERE clauses for %s statements",
                            name);
        if (open)
            return fail_set(c->fail, ERR_INVALID, "Some partition key parts are missing: %.*s",
                            BYTES_FMT(open_columns(c, r->pk, t->columns, t->pk_count)));
        if (r->pk_has_slice)
            return fail_set(c->fail, ERR_INVALID,
                            "Only EQ and IN relation are supported on the partition key (unless "
                            "you use the token() function) "
                            "for %s statements",
                            name);
        return OK;
    }
    if (needs && !in->allow_filtering)
        return fail_set(c->fail, ERR_INVALID, NEEDS_FILTERING);
    r->filters_pk = needs;
    r->is_key_range = needs || on_token || r->pk_count == 0;
    return OK;
}

static bool ck_needs_filtering(const struct restrictions *r, bool *contains)
{
    uint16_t position = 0;
    bool needs = false;
    for (uint16_t i = 0; i < r->table->ck_count; i++) {
        const struct restriction *one = r->ck[i];
        if (one == NULL || one->columns[0]->position != i)
            continue;
        *contains |= one->kind == RESTRICTION_CONTAINS;
        if (restriction_filters(one, position))
            needs = true;
        else if (one->kind != RESTRICTION_SLICE)
            position = i + one->columns_count;
    }
    return needs;
}

static err_t check_ck(struct compile *c, const struct restrict_input *in, struct restrictions *r)
{
    const struct table *t = in->table;
    bool contains = false;
    bool needs = ck_needs_filtering(r, &contains);
    if (in->statement == RESTRICT_UPDATE || in->statement == RESTRICT_INSERT) {
        if (r->ck_has_slice)
            return fail_set(
                c->fail, ERR_INVALID,
                "Slice restrictions are not supported on the clustering columns in %s statements",
                restrict_statement_name(in->statement));
        if (!in->only_static && r->ck_count < t->ck_count)
            return fail_set(
                c->fail, ERR_INVALID, "Some clustering keys are missing: %.*s",
                BYTES_FMT(open_columns(c, r->ck, t->columns + t->pk_count, t->ck_count)));
        return OK;
    }
    if (contains && !in->allow_filtering)
        return fail_set(c->fail, ERR_INVALID,
                        "Clustering columns can only be restricted with CONTAINS with a secondary "
                        "index or filtering");
    if (needs && !in->allow_filtering) {
        uint16_t open = 0, restricted = 0;
        while (open < t->ck_count && r->ck[open])
            open++;
        for (restricted = open; restricted < t->ck_count && !r->ck[restricted];)
            restricted++;
        if (restricted < t->ck_count)
            return fail_set(c->fail, ERR_INVALID,
                            "PRIMARY KEY column \"%.*s\" cannot be restricted as preceding column "
                            "\"%.*s\" is not restricted",
                            BYTES_FMT(table_ck(t, restricted)->name),
                            BYTES_FMT(table_ck(t, open)->name));
    }
    r->filters |= needs;
    return OK;
}

static err_t check_others(struct compile *c, const struct restrict_input *in,
                          struct restrictions *r)
{
    if (r->others_count == 0)
        return OK;
    if (in->statement != RESTRICT_SELECT) {
        struct buf names = buf_in(c->arena);
        for (size_t i = 0; i < r->others_count; i++) {
            if (i)
                buf_put_str(&names, ", ");
            buf_put_bytes(&names, r->others[i]->columns[0]->name);
        }
        return fail_set(c->fail, ERR_INVALID,
                        "Non PRIMARY KEY columns found in where clause: %.*s ",
                        BYTES_FMT(buf_bytes(&names)));
    }
    if (!in->allow_filtering)
        return fail_set(c->fail, ERR_INVALID, NEEDS_FILTERING);
    r->filters = true;
    return OK;
}

err_t restrict_compile(struct compile *c, const struct restrict_input *in,
                       struct restrictions **out)
{
    const struct table *t = in->table;
    struct restrictions *r = arena_new(c->arena, struct restrictions);
    r->table = t;
    r->statement = in->statement;
    r->pk = arena_array(c->arena, struct restriction *, t->pk_count);
    r->ck = arena_array(c->arena, struct restriction *, t->ck_count + 1u); /* the last stays NULL */
    r->others = arena_array(c->arena, struct restriction *, in->where_count);
    for (size_t i = 0; i < in->where_count; i++)
        if (in->where[i].kind != AST_RELATION_INDEX)
            TRY(add_relation(c, in, &in->where[i], r));
    summarise(r);
    TRY(check_index_expressions(c, in));
    TRY(check_pk(c, in, r));
    r->filters |= r->filters_pk;
    if (in->only_static && r->ck_count) {
        if (in->statement == RESTRICT_SELECT)
            return fail_set(
                c->fail, ERR_INVALID,
                "Cannot restrict clustering columns when selecting only static columns");
        if (in->statement != RESTRICT_INSERT)
            return fail_set(c->fail, ERR_INVALID,
                            "Invalid restrictions on clustering columns since the %s statement "
                            "modifies only static columns",
                            restrict_statement_name(in->statement));
    }
    TRY(check_ck(c, in, r));
    TRY(check_others(c, in, r));
    *out = r;
    return OK;
}

err_t restrict_check_filtering(const struct restrictions *r, bool allow_filtering,
                               struct fail *fail)
{
    if (!allow_filtering && r->is_key_range && (r->filters || r->ck_count))
        return fail_set(fail, ERR_INVALID, NEEDS_FILTERING);
    return OK;
}

bool restrict_column_by_eq(const struct restrictions *r, const struct column *column)
{
    const struct restriction *one = NULL;
    if (column->kind == COLUMN_PARTITION_KEY)
        one = r->pk[column->position];
    else if (column->kind == COLUMN_CLUSTERING)
        one = r->ck[column->position];
    else
        for (size_t i = 0; i < r->others_count && !one; i++)
            if (r->others[i]->columns[0] == column)
                one = r->others[i];
    return one && one->kind == RESTRICTION_EQ;
}

bool restrict_names_rows(const struct restrictions *r)
{
    for (uint16_t i = 0; i < r->table->ck_count; i++)
        if (r->ck[i] == NULL ||
            (r->ck[i]->kind != RESTRICTION_EQ && r->ck[i]->kind != RESTRICTION_IN))
            return false;
    return true;
}
