/* map_keys, map_values and collection_count, _min, _max, _sum, _avg. The last two are the aggregates over the elements. */
#include "cql/func/func_priv.h"

#include <string.h>

static err_t call_map_part(const struct func *f, struct func_env *env, const struct bytes *args,
                           struct bytes *out)
{
    *out = BYTES_NULL;
    if (bytes_is_null(args[0]))
        return OK;
    struct collection_iter it = collection_iter(f->args[0], args[0]);
    struct buf b = buf_in(env->arena);
    buf_reserve(&b, args[0].n + 4);
    collection_begin(&b, it.left / 2);
    struct bytes key, value;
    while (collection_next(&it, &key) && collection_next(&it, &value))
        value_put(&b, f->data ? value : key);
    *out = buf_bytes(&b);
    return OK;
}

static err_t call_count(const struct func *f, struct func_env *env, const struct bytes *args,
                        struct bytes *out)
{
    *out = BYTES_NULL;
    if (!bytes_is_null(args[0]))
        *out = value_of_i32(env->arena, (int32_t)collection_count(f->args[0], args[0]));
    return OK;
}

/* The aggregate over the elements; data is its struct func. */
static err_t call_over_elements(const struct func *f, struct func_env *env,
                                const struct bytes *args, struct bytes *out)
{
    const struct func *aggregate = (const struct func *)f->data;
    *out = BYTES_NULL;
    if (bytes_is_null(args[0]))
        return OK;
    void *state = arena_zalloc(env->arena, 1, aggregate->state_bytes);
    struct collection_iter it = collection_iter(f->args[0], args[0]);
    struct bytes elem;
    while (collection_next(&it, &elem))
        TRY(aggregate->add(aggregate, env, state, &elem));
    return aggregate->finish(aggregate, env, state, out);
}

static err_t not_this(const struct func_call *call, const char *what, const struct type *found,
                      struct arena *a, struct fail *fail)
{
    struct bytes type = type_name(found, a);
    return fail_set(
        fail, ERR_INVALID,
        "Function system.%.*s requires a %s argument, but found argument %.*s of type %.*s",
        BYTES_FMT(call->name), what, BYTES_FMT(call->args[0].text), BYTES_FMT(type));
}

static err_t find_map_part(const struct func_call *call, bool values, struct arena *a,
                           const struct func **out, struct fail *fail)
{
    const struct type *map;
    TRY(check_family_count(call, 1, "map", fail));
    TRY(infer_arg(call, 0, "map", &map, fail));
    if (map->id != TYPE_MAP)
        return not_this(call, "map", map, a, fail);
    const struct type *result =
        values ? type_list(a, map->params[1], false) : type_set(a, map->params[0], false);
    struct func *f = new_func(a, call->name, result, 1, &map);
    f->call = call_map_part;
    f->data = values;
    *out = f;
    return OK;
}

static err_t find_count(const struct func_call *call, struct arena *a, const struct func **out,
                        struct fail *fail)
{
    const struct type *type;
    TRY(check_family_count(call, 1, "collection", fail));
    TRY(infer_arg(call, 0, "collection", &type, fail));
    if (!type_is_collection(type))
        return not_this(call, "collection", type, a, fail);
    struct func *f = new_func(a, call->name, type_native(TYPE_INT), 1, &type);
    f->call = call_count;
    *out = f;
    return OK;
}

static err_t find_over_elements(const struct func_call *call, const char *aggregate, bool numeric,
                                struct arena *a, const struct func **out, struct fail *fail)
{
    const char *params = "numeric_set_or_list";
    const struct type *type;
    TRY(check_family_count(call, 1, params, fail));
    TRY(infer_arg(call, 0, params, &type, fail));
    bool fits = type->id == TYPE_SET || type->id == TYPE_LIST;
    if (fits && numeric)
        fits = type_is_numeric(type->params[0]);
    if (!fits)
        return not_this(call, numeric ? "numeric set/list" : "set or list", type, a, fail);
    const struct func *over;
    TRY(func_resolve(BYTES_NULL, bytes_str(aggregate), &type->params[0], 1, NULL, NULL, 0, a, &over,
                     fail));
    struct func *f = new_func(a, call->name, over->result, 1, &type);
    f->call = call_over_elements;
    f->data = (intptr_t)over;
    *out = f;
    return OK;
}

err_t find_collection_function(const struct func_call *call, struct arena *a,
                               const struct func **out, struct fail *fail)
{
    struct bytes name = call->name;
    if (bytes_equal_str(name, "map_keys"))
        return find_map_part(call, false, a, out, fail);
    if (bytes_equal_str(name, "map_values"))
        return find_map_part(call, true, a, out, fail);
    if (bytes_equal_str(name, "collection_count"))
        return find_count(call, a, out, fail);
    if (bytes_equal_str(name, "collection_min"))
        return find_over_elements(call, "min", false, a, out, fail);
    if (bytes_equal_str(name, "collection_max"))
        return find_over_elements(call, "max", false, a, out, fail);
    if (bytes_equal_str(name, "collection_sum"))
        return find_over_elements(call, "sum", true, a, out, fail);
    if (bytes_equal_str(name, "collection_avg"))
        return find_over_elements(call, "avg", true, a, out, fail);
    return OK;
}
