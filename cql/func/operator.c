/* The operators + - * / %: numbers of any two types, timestamps and dates with durations, texts joined by +. */
#include "cql/func/func_priv.h"
#include "cql/types/calendar.h"
#include "cql/types/number.h"

static err_t call_numbers(const struct func *f, struct func_env *env, const struct bytes *args,
                          struct bytes *out)
{
    *out = BYTES_NULL;
    if (is_nothing(args[0]) || is_nothing(args[1]))
        return OK;
    struct fail fail = {.arena = env->arena};
    err_t err = number_binary((enum number_op)f->data, f->result->id, f->args[0]->id, args[0],
                              f->args[1]->id, args[1], env->arena, out, &fail);
    return err == OK ? OK : function_failed(f, env, fail.message);
}

static struct bytes duration_reason(struct func_env *env, const char *precision,
                                    struct bytes duration)
{
    struct buf b = buf_in(env->arena);
    buf_printf(&b, "The duration must have a %s precision. Was: ", precision);
    type_to_text(type_native(TYPE_DURATION), duration, &b);
    return buf_bytes(&b);
}

/* A timestamp or date moved by a duration: months first, then days and milliseconds. Overflow wraps as in Java. */
static err_t call_temporal(const struct func *f, struct func_env *env, const struct bytes *args,
                           struct bytes *out)
{
    int32_t months, days;
    int64_t nanos;
    *out = BYTES_NULL;
    if (is_nothing(args[0]) || is_nothing(args[1]))
        return OK;
    if (!value_duration(args[1], &months, &days, &nanos))
        return function_failed(f, env, bytes_str("Invalid duration"));
    bool is_date = f->result->id == TYPE_DATE;
    if (is_date && nanos != 0)
        return function_failed(f, env, duration_reason(env, "day", args[1]));
    if (nanos % 1000000 != 0)
        return function_failed(f, env, duration_reason(env, "millisecond", args[1]));
    int64_t sign = f->data == NUMBER_ADD ? 1 : -1;
    int64_t ms = is_date ? date_ms(load_be32(args[0].p)) : value_i64(args[0]);
    uint64_t day = (uint64_t)days_plus_months(floor_div(ms, MS_PER_DAY), sign * months) +
                   (uint64_t)(sign * days);
    if (is_date) {
        *out = value_of_i32(env->arena, (int32_t)(uint32_t)(day + DATE_EPOCH));
        return OK;
    }
    uint64_t moved = day * (uint64_t)MS_PER_DAY + (uint64_t)floor_mod(ms, MS_PER_DAY) +
                     (uint64_t)(sign * (nanos / 1000000));
    *out = value_of_i64(env->arena, (int64_t)moved);
    return OK;
}

static err_t call_concat(const struct func *f, struct func_env *env, const struct bytes *args,
                         struct bytes *out)
{
    (void)f;
    *out = BYTES_NULL;
    if (bytes_is_null(args[0]) || bytes_is_null(args[1]))
        return OK;
    uint8_t *p = arena_alloc(env->arena, args[0].n + args[1].n);
    memcpy(p, args[0].p, args[0].n);
    memcpy(p + args[0].n, args[1].p, args[1].n);
    *out = bytes_of(p, args[0].n + args[1].n);
    return OK;
}

/* The type of a result: the wider of the two (as Cassandra counts bytes), floating when either is. Constants, for the table. */
#define FLOATING(t) ((t) == TYPE_FLOAT || (t) == TYPE_DOUBLE || (t) == TYPE_DECIMAL)
#define WIDTH(t)                                      \
    ((t) == TYPE_TINYINT                         ? 1  \
     : (t) == TYPE_SMALLINT                      ? 2  \
     : (t) == TYPE_INT || (t) == TYPE_FLOAT      ? 4  \
     : (t) == TYPE_VARINT || (t) == TYPE_DECIMAL ? 16 \
                                                 : 8)
#define OF_INTEGERS(width)          \
    ((width) == 1   ? TYPE_TINYINT  \
     : (width) == 2 ? TYPE_SMALLINT \
     : (width) == 4 ? TYPE_INT      \
     : (width) == 8 ? TYPE_BIGINT   \
                    : TYPE_VARINT)
#define OF_FLOATS(width) ((width) == 4 ? TYPE_FLOAT : (width) == 8 ? TYPE_DOUBLE : TYPE_DECIMAL)
#define WIDER(l, r)      (WIDTH(l) > WIDTH(r) ? WIDTH(l) : WIDTH(r))
#define RESULT(l, r) \
    (FLOATING(l) || FLOATING(r) ? OF_FLOATS(WIDER(l, r)) : OF_INTEGERS(WIDER(l, r)))

#define ROW(name, l, r, result, call, op)                             \
    {                                                                 \
        name, NULL, 2, {l, r}, result, false, call, 0, NULL, NULL, op \
    }
#define NUMBERS(name, op, l, r) ROW(name, l, r, RESULT(l, r), call_numbers, op)
#define WITH_ALL(name, op, l)                                                  \
    NUMBERS(name, op, l, TYPE_TINYINT), NUMBERS(name, op, l, TYPE_SMALLINT),   \
        NUMBERS(name, op, l, TYPE_INT), NUMBERS(name, op, l, TYPE_BIGINT),     \
        NUMBERS(name, op, l, TYPE_FLOAT), NUMBERS(name, op, l, TYPE_DOUBLE),   \
        NUMBERS(name, op, l, TYPE_DECIMAL), NUMBERS(name, op, l, TYPE_VARINT), \
        NUMBERS(name, op, l, TYPE_COUNTER)
#define ALL_NUMBERS(name, op)                                              \
    WITH_ALL(name, op, TYPE_TINYINT), WITH_ALL(name, op, TYPE_SMALLINT),   \
        WITH_ALL(name, op, TYPE_INT), WITH_ALL(name, op, TYPE_BIGINT),     \
        WITH_ALL(name, op, TYPE_FLOAT), WITH_ALL(name, op, TYPE_DOUBLE),   \
        WITH_ALL(name, op, TYPE_DECIMAL), WITH_ALL(name, op, TYPE_VARINT), \
        WITH_ALL(name, op, TYPE_COUNTER)
#define TEMPORAL(name, op, type) ROW(name, type, TYPE_DURATION, type, call_temporal, op)

static const struct signature additions[] = {
    ALL_NUMBERS("_add", NUMBER_ADD),
    TEMPORAL("_add", NUMBER_ADD, TYPE_TIMESTAMP),
    TEMPORAL("_add", NUMBER_ADD, TYPE_DATE),
    ROW("_add", TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, call_concat, NUMBER_ADD),
    ROW("_add", TYPE_ASCII, TYPE_ASCII, TYPE_ASCII, call_concat, NUMBER_ADD),
    ROW("_add", TYPE_TEXT, TYPE_ASCII, TYPE_TEXT, call_concat, NUMBER_ADD),
    ROW("_add", TYPE_ASCII, TYPE_TEXT, TYPE_TEXT, call_concat, NUMBER_ADD),
};
static const struct signature subtractions[] = {
    ALL_NUMBERS("_substract", NUMBER_SUBTRACT),
    TEMPORAL("_substract", NUMBER_SUBTRACT, TYPE_TIMESTAMP),
    TEMPORAL("_substract", NUMBER_SUBTRACT, TYPE_DATE),
};
static const struct signature multiplications[] = {ALL_NUMBERS("_multiply", NUMBER_MULTIPLY)};
static const struct signature divisions[] = {ALL_NUMBERS("_divide", NUMBER_DIVIDE)};
static const struct signature modulos[] = {ALL_NUMBERS("_modulo", NUMBER_MODULO)};

void candidates_of_operators(struct candidates *l)
{
    if (l->name.n == 0 || l->name.p[0] != '_')
        return;
    candidates_of_table(l, additions, sizeof additions / sizeof *additions);
    candidates_of_table(l, subtractions, sizeof subtractions / sizeof *subtractions);
    candidates_of_table(l, multiplications, sizeof multiplications / sizeof *multiplications);
    candidates_of_table(l, divisions, sizeof divisions / sizeof *divisions);
    candidates_of_table(l, modulos, sizeof modulos / sizeof *modulos);
}
