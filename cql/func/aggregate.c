/* Aggregates: count, min, max, sum, avg. Null is passed over.
 *
 * Sums have the type of what is summed and wrap as in Java; averages are kept exact however long (128 bits) and truncated. Floating
 * sums are compensated (Kahan), and an average whose sum overflows a double goes on in decimals, all as Cassandra computes them. */
#include "cql/func/func_priv.h"
#include "cql/types/number.h"

#include <math.h>

struct count_state {
    int64_t count;
};

static err_t add_row(const struct func *f, struct func_env *env, void *state,
                     const struct bytes *args)
{
    (void)env;
    struct count_state *s = state;
    if (f->args_count == 0 || !bytes_is_null(args[0]))
        s->count++;
    return OK;
}

static err_t finish_count(const struct func *f, struct func_env *env, void *state,
                          struct bytes *out)
{
    (void)f;
    *out = value_of_i64(env->arena, ((struct count_state *)state)->count);
    return OK;
}

/* --- min, max ----------------------------------------------------------------------------------- */

struct extreme_state {
    struct bytes value;
    size_t cap; /* bytes of the memory behind value */
};

static err_t add_extreme(const struct func *f, struct func_env *env, void *state,
                         const struct bytes *args)
{
    struct extreme_state *s = state;
    if (bytes_is_null(args[0]))
        return OK;
    if (!bytes_is_null(s->value)) {
        int order = type_compare(f->result, args[0], s->value);
        if (f->data ? order <= 0 : order >= 0)
            return OK;
    }
    uint8_t *p = (uint8_t *)(uintptr_t)s->value.p;
    if (p == NULL || s->cap < args[0].n) { /* the memory is used again: a whole table may pass by */
        s->cap = args[0].n * 2 > 16 ? args[0].n * 2 : 16;
        p = arena_alloc(env->arena, s->cap);
    }
    memmove(p, args[0].p, args[0].n);
    s->value = bytes_of(p, args[0].n);
    return OK;
}

static err_t finish_extreme(const struct func *f, struct func_env *env, void *state,
                            struct bytes *out)
{
    (void)f, (void)env;
    *out = ((struct extreme_state *)state)->value;
    return OK;
}

err_t find_min_max(const struct func_call *call, struct arena *a, const struct func **out,
                   struct fail *fail)
{
    bool max = bytes_equal_str(call->name, "max");
    const struct type *type;
    if (!max && !bytes_equal_str(call->name, "min"))
        return OK;
    TRY(check_family_count(call, 1, "any", fail));
    TRY(infer_arg(call, 0, "any", &type, fail));
    struct func *f = new_func(a, call->name, type, 1, &type);
    f->is_aggregate = true;
    f->state_bytes = sizeof(struct extreme_state);
    f->add = add_extreme;
    f->finish = finish_extreme;
    f->data = max;
    *out = f;
    return OK;
}

/* --- Integers ----------------------------------------------------------------------------------- */

struct integer_state {
    __int128 sum;
    int64_t count;
};

static err_t add_integer(const struct func *f, struct func_env *env, void *state,
                         const struct bytes *args)
{
    (void)env;
    struct integer_state *s = state;
    if (is_nothing(args[0]))
        return OK;
    s->sum += number_i64(f->args[0]->id, args[0]);
    s->count++;
    return OK;
}

static struct bytes value_of_integer(const struct func *f, struct func_env *env, __int128 x)
{
    uint64_t low = (uint64_t)x;
    switch (f->result->id) {
    case TYPE_TINYINT: return value_of_i8(env->arena, (int8_t)low);
    case TYPE_SMALLINT: return value_of_i16(env->arena, (int16_t)low);
    case TYPE_INT: return value_of_i32(env->arena, (int32_t)low);
    default: return value_of_i64(env->arena, (int64_t)low);
    }
}

static err_t finish_integer_sum(const struct func *f, struct func_env *env, void *state,
                                struct bytes *out)
{
    *out = value_of_integer(f, env, ((struct integer_state *)state)->sum);
    return OK;
}

static err_t finish_integer_avg(const struct func *f, struct func_env *env, void *state,
                                struct bytes *out)
{
    struct integer_state *s = state;
    *out = value_of_integer(f, env, s->count ? s->sum / s->count : 0);
    return OK;
}

/* --- Floating point ----------------------------------------------------------------------------- */

struct float_state {
    double sum, compensation, simple_sum;
    int64_t count;
    struct bytes big; /* decimal: the sum once it overflowed; avg only */
};

/* Adds to a decimal of the state. */
static err_t add_decimal(const struct func *f, struct func_env *env, enum number_op op,
                         struct bytes x, struct bytes y, struct bytes *out)
{
    struct fail fail = {.arena = env->arena};
    err_t err =
        number_binary(op, TYPE_DECIMAL, TYPE_DECIMAL, x, TYPE_DECIMAL, y, env->arena, out, &fail);
    return err == OK ? OK : function_failed(f, env, fail.message);
}

static err_t add_to_big(const struct func *f, struct func_env *env, struct float_state *s,
                        struct bytes sum, double number)
{
    if (!isfinite(number))
        return function_failed(f, env, bytes_str("Infinite or NaN"));
    return add_decimal(f, env, NUMBER_ADD, sum, decimal_of_double(env->arena, number), &s->big);
}

static err_t add_float(const struct func *f, struct func_env *env, void *state,
                       const struct bytes *args)
{
    struct float_state *s = state;
    if (is_nothing(args[0]))
        return OK;
    double number = number_double(f->args[0]->id, args[0]);
    s->count++;
    if (!bytes_is_null(s->big))
        return add_to_big(f, env, s, s->big, number);
    double before = s->sum, corrected = number - s->compensation, rounded = s->sum + corrected;
    s->simple_sum += number;
    s->compensation = (rounded - s->sum) - corrected;
    s->sum = rounded;
    if (f->data && isinf(s->sum) && !isinf(number) && isfinite(before))
        return add_to_big(f, env, s, decimal_of_double(env->arena, before), number);
    return OK;
}

static double float_sum(const struct float_state *s)
{
    double sum = s->sum + s->compensation;
    return isnan(sum) && isinf(s->simple_sum) ? s->simple_sum : sum;
}

static struct bytes value_of_floating(const struct func *f, struct func_env *env, double x)
{
    return f->result->id == TYPE_FLOAT ? value_of_float(env->arena, (float)x)
                                       : value_of_double(env->arena, x);
}

static err_t finish_float_sum(const struct func *f, struct func_env *env, void *state,
                              struct bytes *out)
{
    *out = value_of_floating(f, env, float_sum(state));
    return OK;
}

static err_t finish_float_avg(const struct func *f, struct func_env *env, void *state,
                              struct bytes *out)
{
    struct float_state *s = state;
    if (bytes_is_null(s->big)) {
        *out = value_of_floating(f, env, s->count ? float_sum(s) / (double)s->count : 0);
        return OK;
    }
    struct fail fail = {.arena = env->arena};
    struct bytes avg;
    err_t err = decimal_divide(s->big, decimal_of_i64(env->arena, s->count, 0),
                               decimal_scale(s->big), ROUND_HALF_EVEN, env->arena, &avg, &fail);
    if (err != OK)
        return function_failed(f, env, fail.message);
    *out = value_of_floating(f, env, decimal_double(avg));
    return OK;
}

/* --- varint, decimal ---------------------------------------------------------------------------- */

struct big_state {
    struct bytes sum; /* in one of the two buffers, which take turns: a whole table may pass by */
    uint8_t *buffers[2];
    size_t caps[2];
    int turn;
    int64_t count;
};

/* Keeps v beyond the arena it was computed in. */
static void big_keep(struct big_state *s, struct arena *a, struct bytes v)
{
    s->turn ^= 1;
    if (s->caps[s->turn] < v.n) {
        s->caps[s->turn] = v.n * 2 + 16;
        s->buffers[s->turn] = arena_alloc(a, s->caps[s->turn]);
    }
    memcpy(s->buffers[s->turn], v.p, v.n);
    s->sum = bytes_of(s->buffers[s->turn], v.n);
}

static struct bytes big_zero(const struct func *f, struct arena *a)
{
    return f->result->id == TYPE_DECIMAL ? decimal_of_i64(a, 0, 0) : varint_of_i64(a, 0);
}

/* avg + (v - avg) / count with the scale of (v - avg): how Cassandra averages decimals. */
static err_t next_average(const struct func *f, struct func_env *env, struct bytes avg,
                          struct bytes v, int64_t count, struct bytes *out)
{
    struct bytes difference, part;
    struct fail fail = {.arena = env->arena};
    TRY(add_decimal(f, env, NUMBER_SUBTRACT, v, avg, &difference));
    err_t err =
        decimal_divide(difference, decimal_of_i64(env->arena, count, 0), decimal_scale(difference),
                       ROUND_HALF_EVEN, env->arena, &part, &fail);
    if (err != OK)
        return function_failed(f, env, fail.message);
    return add_decimal(f, env, NUMBER_ADD, avg, part, out);
}

/* data: is it the average of decimals. */
static err_t add_big(const struct func *f, struct func_env *env, void *state,
                     const struct bytes *args)
{
    struct big_state *s = state;
    if (is_nothing(args[0]))
        return OK;
    s->count++;
    struct arena scratch;
    arena_init(&scratch, 0);
    struct func_env scratch_env = *env;
    scratch_env.arena = &scratch;
    struct bytes sum = bytes_is_null(s->sum) ? big_zero(f, &scratch) : s->sum, next;
    struct fail fail = {.arena = env->arena};
    err_t err = f->data ? next_average(f, &scratch_env, sum, args[0], s->count, &next)
                        : number_binary(NUMBER_ADD, f->result->id, f->result->id, sum,
                                        f->result->id, args[0], &scratch, &next, &fail);
    if (err == OK)
        big_keep(s, env->arena, next);
    else if (!f->data)
        err = function_failed(f, env, fail.message);
    arena_free(&scratch);
    return err;
}

static err_t finish_big(const struct func *f, struct func_env *env, void *state, struct bytes *out)
{
    struct big_state *s = state;
    *out = bytes_is_null(s->sum) ? big_zero(f, env->arena) : s->sum;
    return OK;
}

static err_t finish_varint_avg(const struct func *f, struct func_env *env, void *state,
                               struct bytes *out)
{
    struct big_state *s = state;
    TRY(finish_big(f, env, state, out));
    if (s->count == 0)
        return OK;
    struct fail fail = {.arena = env->arena};
    err_t err = number_binary(NUMBER_DIVIDE, TYPE_VARINT, TYPE_VARINT, *out, TYPE_VARINT,
                              varint_of_i64(env->arena, s->count), env->arena, out, &fail);
    return err == OK ? OK : function_failed(f, env, fail.message);
}

/* --- The table ---------------------------------------------------------------------------------- */

#define INTEGER(type)                                                                          \
    {"sum",                                                                                    \
     NULL,                                                                                     \
     1,                                                                                        \
     {TYPE_##type},                                                                            \
     TYPE_##type,                                                                              \
     false,                                                                                    \
     NULL,                                                                                     \
     sizeof(struct integer_state),                                                             \
     add_integer,                                                                              \
     finish_integer_sum,                                                                       \
     0},                                                                                       \
    {                                                                                          \
        "avg", NULL, 1, {TYPE_##type}, TYPE_##type, false, NULL, sizeof(struct integer_state), \
            add_integer, finish_integer_avg, 0                                                 \
    }
#define FLOATING(type)                                                                       \
    {"sum",                                                                                  \
     NULL,                                                                                   \
     1,                                                                                      \
     {TYPE_##type},                                                                          \
     TYPE_##type,                                                                            \
     false,                                                                                  \
     NULL,                                                                                   \
     sizeof(struct float_state),                                                             \
     add_float,                                                                              \
     finish_float_sum,                                                                       \
     0},                                                                                     \
    {                                                                                        \
        "avg", NULL, 1, {TYPE_##type}, TYPE_##type, false, NULL, sizeof(struct float_state), \
            add_float, finish_float_avg, 1                                                   \
    }
#define COUNT(args_count, ...)                                                              \
    args_count, __VA_ARGS__, TYPE_BIGINT, false, NULL, sizeof(struct count_state), add_row, \
        finish_count, 0

static const struct signature aggregates[] = {
    {"countRows", "count_rows", COUNT(0, {0})},
    {"count", NULL, COUNT(1, {TYPE_BLOB})},
    INTEGER(TINYINT),
    INTEGER(SMALLINT),
    INTEGER(INT),
    INTEGER(BIGINT),
    INTEGER(COUNTER),
    FLOATING(FLOAT),
    FLOATING(DOUBLE),
    {"sum",
     NULL,
     1,
     {TYPE_DECIMAL},
     TYPE_DECIMAL,
     false,
     NULL,
     sizeof(struct big_state),
     add_big,
     finish_big,
     0},
    {"avg",
     NULL,
     1,
     {TYPE_DECIMAL},
     TYPE_DECIMAL,
     false,
     NULL,
     sizeof(struct big_state),
     add_big,
     finish_big,
     1},
    {"sum",
     NULL,
     1,
     {TYPE_VARINT},
     TYPE_VARINT,
     false,
     NULL,
     sizeof(struct big_state),
     add_big,
     finish_big,
     0},
    {"avg",
     NULL,
     1,
     {TYPE_VARINT},
     TYPE_VARINT,
     false,
     NULL,
     sizeof(struct big_state),
     add_big,
     finish_varint_avg,
     0},
};

void candidates_of_aggregates(struct candidates *l)
{
    candidates_of_table(l, aggregates, sizeof aggregates / sizeof *aggregates);
}
