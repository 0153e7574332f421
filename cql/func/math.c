/* abs, exp, log, log10, round and unary minus of every numeric type, and casts between them. Arithmetic is cql/types/number.h's. */
#include "cql/func/func_priv.h"
#include "cql/types/number.h"

/* Both sides of a decimal point that a varint does not have: log(varint) is computed as a decimal and truncated. */
static err_t to_result_type(const struct func *f, struct func_env *env, enum type_id from,
                            struct bytes v, struct bytes *out, struct fail *fail)
{
    *out = v;
    if (from == f->result->id || f->result->id != TYPE_VARINT)
        return OK;
    struct bytes whole;
    TRY(decimal_set_scale(v, 0, ROUND_DOWN, env->arena, &whole, fail));
    *out = bytes_skip(whole, 4);
    return OK;
}

static err_t call_math(const struct func *f, struct func_env *env, const struct bytes *args,
                       struct bytes *out)
{
    enum number_fn fn = (enum number_fn)f->data;
    enum type_id type = f->args[0]->id;
    *out = BYTES_NULL;
    if (is_nothing(args[0]))
        return OK;
    struct fail fail = {.arena = env->arena};
    struct bytes v;
    err_t err = number_unary(fn, type, args[0], env->arena, &v, &fail);
    if (err == OK)
        err = to_result_type(f, env, number_fn_type(fn, type), v, out, &fail);
    return err == OK ? OK : function_failed(f, env, fail.message);
}

void candidates_of_math(struct candidates *l)
{
    static const struct {
        const char *name;
        enum number_fn fn;
    } functions[] = {
        {"abs", NUMBER_ABS},     {"exp", NUMBER_EXP},     {"log", NUMBER_LOG},
        {"log10", NUMBER_LOG10}, {"round", NUMBER_ROUND}, {"_negate", NUMBER_NEGATE},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!candidates_named(l, functions[i].name))
            continue;
        for (size_t t = 0; t < 9; t++) {
            uint8_t type = (uint8_t)func_numeric_types[t];
            candidates_add_copy(l, (struct signature){.args_count = 1,
                                                      .args = {type},
                                                      .result = type,
                                                      .call = call_math,
                                                      .data = functions[i].fn});
        }
    }
}

/* --- Casts -------------------------------------------------------------------------------------- */

static err_t call_cast_number(const struct func *f, struct func_env *env, const struct bytes *args,
                              struct bytes *out)
{
    *out = BYTES_NULL;
    if (is_nothing(args[0]))
        return OK;
    struct fail fail = {.arena = env->arena};
    err_t err = number_cast(f->result->id, f->args[0]->id, args[0], env->arena, out, &fail);
    return err == OK ? OK : function_failed(f, env, fail.message);
}

static err_t call_cast_text(const struct func *f, struct func_env *env, const struct bytes *args,
                            struct bytes *out)
{
    *out = BYTES_NULL;
    if (bytes_is_null(args[0]) || (args[0].n == 0 && f->args[0]->id != TYPE_ASCII))
        return OK;
    struct buf b = buf_in(env->arena);
    type_to_text(f->args[0], args[0], &b);
    *out = buf_bytes(&b);
    return OK;
}

static void add_cast(struct candidates *l, enum type_id from, enum type_id to, func_call_fn *call)
{
    candidates_add_copy(
        l, (struct signature){
               .args_count = 1, .args = {(uint8_t)from}, .result = (uint8_t)to, .call = call});
}

static void add_casts_to_text(struct candidates *l, enum type_id to)
{
    static const enum type_id from[] = {TYPE_INET, TYPE_BOOLEAN, TYPE_TIMEUUID, TYPE_TIMESTAMP,
                                        TYPE_DATE, TYPE_TIME,    TYPE_UUID};
    for (size_t i = 0; i < 9; i++)
        add_cast(l, func_numeric_types[i], to, call_cast_text);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        add_cast(l, from[i], to, call_cast_text);
    if (to == TYPE_TEXT)
        add_cast(l, TYPE_ASCII, to, call_cast_text);
}

void candidates_of_casts(struct candidates *l)
{
    if (candidates_named(l, "cast_as_text"))
        add_casts_to_text(l, TYPE_TEXT);
    if (candidates_named(l, "cast_as_ascii"))
        add_casts_to_text(l, TYPE_ASCII);
    for (size_t i = 0; i < 8; i++) { /* not to counter */
        enum type_id to = func_numeric_types[i];
        struct bytes name =
            arena_printf(l->arena, "cast_as_%.*s", BYTES_FMT(type_name(type_native(to), l->arena)));
        if (!bytes_equal(name, l->name))
            continue;
        for (size_t j = 0; j < 9; j++)
            if (func_numeric_types[j] != to)
                add_cast(l, func_numeric_types[j], to, call_cast_number);
    }
}
