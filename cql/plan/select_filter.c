/* ALLOW FILTERING: what rows are checked for beyond the ranges that were read (Cassandra's RowFilter). */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/select_priv.h"

#include "cql/types/value.h"

/* --- Making ------------------------------------------------------------------------------------------ */

static err_t check_bound(struct exec_env *env, struct bytes v, const struct column *c,
                         const char *what)
{
    if (!bytes_is_null(v) && !bytes_is_unset(v))
        return OK;
    return fail_set(env->fail, ERR_INVALID, "Unsupported %s %s for column %.*s",
                    bytes_is_null(v) ? "null" : "unset", what, BYTES_FMT(c->name));
}

static struct filter *add(struct filters *f, const struct column *c, enum filter_op op)
{
    struct filter *one = &f->items[f->count++];
    *one = (struct filter){.column = c, .op = op};
    return one;
}

static err_t add_eq(struct filters *f, const struct restriction *r, struct exec_env *env)
{
    struct bytes *values = arena_alloc(env->arena, r->columns_count * sizeof *values);
    uint16_t count;
    TRY(restrict_tuple_eval(&r->values[0], env, values, &count));
    for (uint16_t i = 0; i < r->columns_count; i++) {
        struct filter *one = add(f, r->columns[i], FILTER_EQ);
        one->value = i < count ? values[i] : BYTES_NULL;
        TRY(check_bound(env, one->value, r->columns[i], "value"));
    }
    return OK;
}

static err_t add_bound(struct filters *f, const struct restriction *r,
                       const struct restrict_bound *b, bool is_start, struct exec_env *env)
{
    if (!b->set)
        return OK;
    uint16_t count;
    enum filter_op op = is_start ? (b->inclusive ? FILTER_GTE : FILTER_GT)
                                 : (b->inclusive ? FILTER_LTE : FILTER_LT);
    struct filter *one = add(f, r->columns[0], op);
    TRY(restrict_tuple_eval(&b->value, env, &one->value, &count));
    return check_bound(env, one->value, r->columns[0], "value");
}

static err_t add_contains(struct filters *f, const struct restriction *r, struct exec_env *env)
{
    for (size_t i = 0; i < r->contains_count; i++) {
        const struct restrict_contains *c = &r->contains[i];
        bool entry = c->op == AST_OP_EQ;
        struct filter *one = add(f, r->columns[0],
                                 entry                      ? FILTER_ENTRY
                                 : c->op == AST_OP_CONTAINS ? FILTER_CONTAINS
                                                            : FILTER_CONTAINS_KEY);
        if (c->key) {
            TRY(term_eval(c->key, env, &one->key));
            TRY(check_bound(env, one->key, r->columns[0], entry ? "map key" : "value"));
        }
        if (c->value) {
            TRY(term_eval(c->value, env, &one->value));
            TRY(check_bound(env, one->value, r->columns[0], entry ? "map value" : "value"));
        }
    }
    return OK;
}

static err_t add_restriction(struct filters *f, const struct restriction *r, struct exec_env *env)
{
    struct filter *one;
    switch (r->kind) {
    case RESTRICTION_EQ: return add_eq(f, r, env);
    case RESTRICTION_IN:
        if (r->columns_count > 1)
            return fail_set(env->fail, ERR_INVALID, "Multicolumn IN filters are not supported");
        one = add(f, r->columns[0], FILTER_IN);
        return restriction_values(r, env, true, &one->values,
                                  &one->values_count); /* a null matches nothing */
    case RESTRICTION_SLICE:
        if (r->tuple)
            return fail_set(env->fail, ERR_INVALID,
                            "Multi-column slice restrictions cannot be used for filtering.");
        TRY(add_bound(f, r, &r->start, true, env));
        return add_bound(f, r, &r->end, false, env);
    case RESTRICTION_CONTAINS: return add_contains(f, r, env);
    }
    return OK;
}

static size_t filters_of(const struct restriction *r)
{
    return r->kind == RESTRICTION_CONTAINS ? r->contains_count
           : r->kind == RESTRICTION_SLICE  ? 2
                                           : r->columns_count;
}

err_t filters_make(const struct restrictions *r, struct exec_env *env, struct filters *out)
{
    const struct table *t = r->table;
    size_t most = 0;
    *out = (struct filters){0};
    if (!r->filters)
        return OK;
    for (uint16_t i = 0; i < t->pk_count; i++)
        most += r->pk[i] ? filters_of(r->pk[i]) : 0;
    for (uint16_t i = 0; i < t->ck_count; i++)
        most += r->ck[i] ? filters_of(r->ck[i]) : 0;
    for (size_t i = 0; i < r->others_count; i++)
        most += filters_of(r->others[i]);
    out->items = arena_array(env->arena, struct filter, most);
    for (uint16_t i = 0; r->filters_pk && i < t->pk_count; i++)
        if (r->pk[i])
            TRY(add_restriction(out, r->pk[i], env));
    uint16_t position = 0;
    for (uint16_t i = 0; i < t->ck_count; i++) {
        const struct restriction *one = r->ck[i];
        if (one == NULL || one->columns[0]->position != i)
            continue;
        if (restriction_filters(one, position))
            TRY(add_restriction(out, one, env));
        else if (one->kind != RESTRICTION_SLICE)
            position = i + one->columns_count;
    }
    for (size_t i = 0; i < r->others_count; i++)
        TRY(add_restriction(out, r->others[i], env));
    return OK;
}

/* --- Matching ---------------------------------------------------------------------------------------- */

static bool collection_has(const struct type *t, struct bytes collection, const struct filter *f)
{
    struct collection_iter it = collection_iter(t, collection);
    struct bytes key, value;
    while (collection_next(&it, &key)) {
        value = key;
        if (t->id == TYPE_MAP && !collection_next(&it, &value))
            return false;
        bool key_fits =
            f->op == FILTER_CONTAINS || (key.p && type_compare(t->params[0], key, f->key) == 0);
        const struct type *value_type = t->params[t->id == TYPE_MAP ? 1 : 0];
        bool value_fits = f->op == FILTER_CONTAINS_KEY ||
                          (value.p && type_compare(value_type, value, f->value) == 0);
        if (key_fits && value_fits)
            return true;
    }
    return false;
}

static bool matches(const struct filter *f, struct bytes v)
{
    const struct type *t = f->column->type;
    switch (f->op) {
    case FILTER_EQ: return type_compare(t, v, f->value) == 0;
    case FILTER_LT: return type_compare(t, v, f->value) < 0;
    case FILTER_LTE: return type_compare(t, v, f->value) <= 0;
    case FILTER_GT: return type_compare(t, v, f->value) > 0;
    case FILTER_GTE: return type_compare(t, v, f->value) >= 0;
    case FILTER_IN:
        for (size_t i = 0; i < f->values_count; i++)
            if (!bytes_is_null(f->values[i]) && type_compare(t, v, f->values[i]) == 0)
                return true;
        return false;
    case FILTER_CONTAINS:
    case FILTER_CONTAINS_KEY:
    case FILTER_ENTRY: return collection_has(t, v, f);
    }
    return false;
}

err_t filters_match(const struct filters *f, const struct row_view *v, struct arena *scratch,
                    bool *out)
{
    *out = false;
    for (size_t i = 0; i < f->count; i++) {
        struct bytes value;
        TRY(row_view_value(v, f->items[i].column, scratch, &value));
        if (bytes_is_null(value) || !matches(&f->items[i], value))
            return OK;
    }
    *out = true;
    return OK;
}
