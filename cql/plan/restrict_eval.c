/* Restrictions with bound values: the values themselves, partition keys, tokens. Clustering ranges are in restrict_slices.c. */
#include "cql/plan/restrict_priv.h"
#include "cql/plan/term_priv.h"

#include "cql/data/mutation.h"
#include "cql/types/value.h"

#include <stdlib.h>

static err_t null_value(struct exec_env *env, const struct column *c)
{
    return fail_set(env->fail, ERR_INVALID, "Invalid null value in condition for column %.*s",
                    BYTES_FMT(c->name));
}

static err_t unset_value(struct exec_env *env, const struct column *c)
{
    return fail_set(env->fail, ERR_INVALID, "Invalid unset value for column %.*s",
                    BYTES_FMT(c->name));
}

/* The fields of a serialised tuple; *count of at most max. */
static err_t split_tuple(struct bytes v, uint16_t max, struct bytes *values, uint16_t *count,
                         struct fail *fail)
{
    struct cur c = cur_of(v);
    *count = 0;
    while (!cur_at_end(&c)) {
        if (*count == max)
            return fail_set(fail, ERR_INVALID,
                            "Tuple value contained too many fields (expected %u, got %u)", max,
                            max + 1);
        uint32_t n = cur_be32(&c);
        values[(*count)++] = n >= 0x80000000u ? BYTES_NULL : cur_take(&c, n);
        if (!cur_ok(&c))
            return fail_set(fail, ERR_INVALID, "Not enough bytes to read the fields of a tuple");
    }
    return OK;
}

err_t restrict_tuple_eval(const struct restrict_tuple *t, struct exec_env *env,
                          struct bytes *values, uint16_t *count)
{
    if (t->marker) {
        struct bytes v;
        TRY(term_eval(t->marker, env, &v));
        if (bytes_is_unset(v))
            return fail_set(env->fail, ERR_INVALID, "Invalid unset value for tuple %.*s",
                            BYTES_FMT(t->marker->name));
        *count = 0;
        return bytes_is_null(v) ? OK
                                : split_tuple(v, t->type->params_count, values, count, env->fail);
    }
    *count = t->terms_count;
    for (uint16_t i = 0; i < t->terms_count; i++) {
        TRY(term_eval(t->terms[i], env, &values[i]));
        if (t->terms_count > 1 && bytes_is_unset(values[i]))
            return fail_set(env->fail, ERR_INVALID, "Invalid unset value for tuple field number %u",
                            i);
    }
    return OK;
}

static err_t in_tuple_null(const struct restriction *r, struct exec_env *env)
{
    struct buf names = buf_in(env->arena);
    for (uint16_t i = 0; i < r->columns_count; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", BYTES_FMT(r->columns[i]->name));
    return fail_set(env->fail, ERR_INVALID, "Invalid null value in condition for columns: [%.*s]",
                    BYTES_FMT(buf_bytes(&names)));
}

static err_t check_values(const struct restriction *r, struct exec_env *env, bool nulls,
                          const struct bytes *values, uint16_t count)
{
    for (uint16_t i = 0; i < r->columns_count; i++) {
        struct bytes v = i < count ? values[i] : BYTES_NULL;
        if (bytes_is_unset(v))
            return unset_value(env, r->columns[i]);
        if (!bytes_is_null(v) || nulls)
            continue;
        if (!r->tuple)
            return null_value(env, r->columns[i]);
        if (r->kind == RESTRICTION_IN)
            return in_tuple_null(r, env);
        return fail_set(env->fail, ERR_INVALID, "Invalid null value for column %.*s",
                        BYTES_FMT(r->columns[i]->name));
    }
    return OK;
}

/* The elements of IN ?. */
static err_t in_marker_values(const struct restriction *r, struct exec_env *env, bool nulls,
                              struct bytes **out, size_t *count)
{
    struct bytes list, element;
    TRY(term_marker_value(r->in_marker, env, &list));
    if (bytes_is_null(list) || bytes_is_unset(list)) {
        if (r->tuple && bytes_is_null(list))
            return fail_set(env->fail, ERR_INVALID, "Invalid null value for IN restriction");
        if (r->tuple)
            return fail_set(env->fail, ERR_INVALID, "Invalid unset value for %.*s",
                            BYTES_FMT(r->in_marker->name));
        return fail_set(env->fail, ERR_INVALID, "Invalid %s value for column %.*s",
                        bytes_is_null(list) ? "null" : "unset", BYTES_FMT(r->columns[0]->name));
    }
    size_t total = collection_count(r->in_type, list), n = 0;
    struct bytes *values = arena_alloc(env->arena, total * r->columns_count * sizeof *values + 1);
    struct collection_iter it = collection_iter(r->in_type, list);
    while (n < total && collection_next(&it, &element)) {
        struct bytes *at = values + n++ * r->columns_count;
        uint16_t got = 1;
        if (!bytes_is_null(element))
            TRY(type_validate(r->in_type->params[0], element, env->fail));
        if (!r->tuple)
            *at = element;
        else if (bytes_is_null(element))
            return in_tuple_null(r, env);
        else
            TRY(split_tuple(element, r->columns_count, at, &got, env->fail));
        TRY(check_values(r, env, nulls, at, got));
    }
    if (it.bad || n < total || (total == 0 && (list.n < 4 || load_be32(list.p))))
        return fail_set(env->fail, ERR_INVALID, "Not enough bytes to read a list");
    *out = values;
    *count = n;
    return OK;
}

err_t restriction_values(const struct restriction *r, struct exec_env *env, bool nulls,
                         struct bytes **out, size_t *count)
{
    if (r->in_marker)
        return in_marker_values(r, env, nulls, out, count);
    *out = arena_alloc(env->arena, r->values_count * r->columns_count * sizeof **out + 1);
    *count = r->values_count;
    for (size_t i = 0; i < r->values_count; i++) {
        struct bytes *at = *out + i * r->columns_count;
        uint16_t got;
        TRY(restrict_tuple_eval(&r->values[i], env, at, &got));
        TRY(check_values(r, env, nulls, at, got));
    }
    return OK;
}

/* --- Partition keys ------------------------------------------------------------------------------ */

static int compare_values(const void *a, const void *b, void *type)
{
    return type_compare(type, *(const struct bytes *)a, *(const struct bytes *)b);
}

static size_t sort_values(const struct type *type, struct bytes *values, size_t count)
{
    if (count < 2)
        return count;
    union {
        const struct type *in;
        void *out;
    } t = {type};
    qsort_r(values, count, sizeof *values, compare_values, t.out);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++)
        if (type_compare(type, values[kept - 1], values[i]) != 0)
            values[kept++] = values[i];
    return kept;
}

static err_t check_key(struct bytes key, struct exec_env *env)
{
    if (key.n == 0)
        return fail_set(env->fail, ERR_INVALID, "Key may not be empty");
    if (key.n > MUTATION_PK_MAX)
        return fail_set(env->fail, ERR_INVALID, "Key length of %zu is longer than maximum of %d",
                        key.n, MUTATION_PK_MAX);
    return OK;
}

static err_t serialise_key(const struct bytes *components, uint16_t count, struct exec_env *env,
                           struct bytes *out)
{
    size_t total = 0;
    for (uint16_t i = 0; i < count; i++)
        total += components[i].n + (count > 1 ? 3 : 0);
    if (total > MUTATION_PK_MAX)
        return check_key(bytes_of("", total), env);
    if (count == 1)
        *out = components[0];
    else {
        struct buf key = buf_in(env->arena);
        buf_reserve(&key, total);
        pk_encode(&key, components, count);
        *out = buf_bytes(&key);
    }
    return check_key(*out, env);
}

err_t restrict_product_check(size_t have, size_t factor, size_t bytes_each, const char *what,
                             struct exec_env *env)
{
    size_t total;
    if (!__builtin_mul_overflow(have, factor, &total) && total <= RESTRICT_PRODUCT_MAX &&
        total <= RESTRICT_PRODUCT_BYTES_MAX / (bytes_each + 1))
        return OK;
    return fail_set(env->fail, ERR_INVALID,
                    "The cartesian product of the IN restrictions on %s produces too many values "
                    "(at most %d in %u bytes are "
                    "allowed)",
                    what, RESTRICT_PRODUCT_MAX, RESTRICT_PRODUCT_BYTES_MAX);
}

static bool token_in_range(struct token t, const struct token_range *range)
{
    if (range->start_inclusive ? t.value < range->start.value : t.value <= range->start.value)
        return false;
    return range->end_exclusive ? t.value < range->end.value : t.value <= range->end.value;
}

/* TOKEN() beside whole keys: only keys within the range stay. */
static err_t filter_by_token(const struct restrictions *r, struct exec_env *env, struct bytes *keys,
                             size_t *count)
{
    struct token_range range;
    bool any;
    size_t kept = 0;
    TRY(restrict_eval_tokens(r, env, &range, &any));
    for (size_t i = 0; any && i < *count; i++)
        if (token_in_range(token_of_key(keys[i]), &range))
            keys[kept++] = keys[i];
    *count = kept;
    return OK;
}

/* All combinations, in the order of the components' types. */
static err_t eval_product(const struct restrictions *r, struct exec_env *env, struct bytes **keys,
                          size_t *count)
{
    uint16_t n = r->table->pk_count;
    struct bytes **values = arena_array(env->arena, struct bytes *, n);
    size_t *counts = arena_array(env->arena, size_t, n), *at = arena_array(env->arena, size_t, n),
           total = 1, size = 0;
    for (uint16_t i = 0; i < n; i++) {
        TRY(restriction_values(r->pk[i], env, false, &values[i], &counts[i]));
        counts[i] = sort_values(r->pk[i]->columns[0]->type, values[i], counts[i]);
        for (size_t j = 0; j < counts[i]; j++)
            size += values[i][j].n / (counts[i] ? counts[i] : 1);
        TRY(restrict_product_check(total, counts[i], size + 3u * n, "partition key", env));
        total *= counts[i];
    }
    *keys = arena_alloc(env->arena, total * sizeof **keys + 1);
    *count = total;
    struct bytes *components = arena_array(env->arena, struct bytes, n);
    for (size_t k = 0; k < total; k++) {
        for (uint16_t i = 0; i < n; i++)
            components[i] = values[i][at[i]];
        TRY(serialise_key(components, n, env, &(*keys)[k]));
        for (uint16_t i = n; i-- > 0;) {
            if (++at[i] < counts[i])
                break;
            at[i] = 0;
        }
    }
    return OK;
}

err_t restrict_eval_keys(const struct restrictions *r, struct exec_env *env, struct bytes **keys,
                         size_t *count)
{
    uint16_t n = r->table->pk_count;
    if (r->pk_has_in)
        TRY(eval_product(r, env, keys, count));
    else {
        struct bytes components_small[8], *components = components_small;
        if (n > 8)
            components = arena_array(env->arena, struct bytes, n);
        for (uint16_t i = 0; i < n; i++) {
            TRY(term_eval(r->pk[i]->values[0].terms[0], env, &components[i]));
            TRY(check_values(r->pk[i], env, false, &components[i], 1));
        }
        *keys = arena_alloc(env->arena, sizeof **keys);
        *count = 1;
        TRY(serialise_key(components, n, env, *keys));
    }
    return r->token ? filter_by_token(r, env, *keys, count) : OK;
}

/* --- Tokens --------------------------------------------------------------------------------------- */

static err_t token_bound(const struct restrict_bound *b, struct exec_env *env, struct token *out)
{
    struct bytes v;
    TRY(term_eval(b->value.terms[0], env, &v));
    if (bytes_is_null(v) || bytes_is_unset(v))
        return fail_set(env->fail, ERR_INVALID, "Invalid null token value");
    if (v.n != 8)
        return fail_set(env->fail, ERR_INVALID, "Invalid token value: 8 bytes expected, %zu given",
                        v.n);
    out->value = value_i64(v);
    return OK;
}

err_t restrict_eval_tokens(const struct restrictions *r, struct exec_env *env,
                           struct token_range *out, bool *any)
{
    *out = (struct token_range){TOKEN_MIN, TOKEN_MAX, false, false};
    *any = true;
    if (r->token == NULL)
        return OK;
    const struct restrict_bound *start = &r->token->start, *end = &r->token->end;
    bool bounded_end = false;
    if (start->set) {
        TRY(token_bound(start, env, &out->start));
        out->start_inclusive = start->inclusive && out->start.value != INT64_MIN;
    }
    if (end->set) {
        TRY(token_bound(end, env, &out->end));
        bounded_end = out->end.value != INT64_MIN;
        if (bounded_end)
            out->end_exclusive = !end->inclusive;
        else
            out->end = TOKEN_MAX; /* the minimum token as an end means the end of the ring */
    }
    bool open = out->end_exclusive || (start->set && !start->inclusive);
    if (start->set && bounded_end && out->start.value != INT64_MIN &&
        (out->start.value > out->end.value || (out->start.value == out->end.value && open)))
        *any = false;
    return OK;
}
