/* The operators + - * / %: numbers of any two types, timestamps and dates with durations, texts joined by +. */
#include "cql/func/func_priv.h"
#include "cql/types/calendar.h"
#include "cql/types/number.h"

static const enum number_op number_ops[] = {NUMBER_ADD, NUMBER_SUBTRACT, NUMBER_MULTIPLY,
                                            NUMBER_DIVIDE, NUMBER_MODULO};

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
    if (is_nothing(args[0]) || is_nothing(args[1]))
        return OK;
    uint8_t *p = arena_alloc(env->arena, args[0].n + args[1].n);
    memcpy(p, args[0].p, args[0].n);
    memcpy(p + args[0].n, args[1].p, args[1].n);
    *out = bytes_of(p, args[0].n + args[1].n);
    return OK;
}

static bool is_floating(enum type_id t)
{
    return t == TYPE_FLOAT || t == TYPE_DOUBLE || t == TYPE_DECIMAL;
}

/* Bytes of a type's values; more than any for those without limit. */
static int width(enum type_id t)
{
    switch (t) {
    case TYPE_TINYINT: return 1;
    case TYPE_SMALLINT: return 2;
    case TYPE_INT:
    case TYPE_FLOAT: return 4;
    case TYPE_VARINT:
    case TYPE_DECIMAL: return 16;
    default: return 8;
    }
}

/* The wider of the two, floating when either is. */
static enum type_id result_type(enum type_id left, enum type_id right)
{
    int w = width(left) > width(right) ? width(left) : width(right);
    if (is_floating(left) || is_floating(right))
        return w == 16 ? TYPE_DECIMAL : w == 8 ? TYPE_DOUBLE : TYPE_FLOAT;
    switch (w) {
    case 1: return TYPE_TINYINT;
    case 2: return TYPE_SMALLINT;
    case 4: return TYPE_INT;
    case 8: return TYPE_BIGINT;
    default: return TYPE_VARINT;
    }
}

static void add(struct candidates *l, enum type_id left, enum type_id right, enum type_id result,
                func_call_fn *call, enum number_op op)
{
    candidates_add(l, &(struct signature){
                          .args_count = 2,
                          .args = {(uint8_t)left, (uint8_t)right},
                          .result = (uint8_t)result,
                          .call = call,
                          .data = op,
                      });
}

void candidates_of_operators(struct candidates *l)
{
    static const char symbols[] = "+-*/%";
    size_t op = 0;
    while (symbols[op] && !bytes_equal(func_operator_name(symbols[op]), l->name))
        op++;
    if (symbols[op] == 0)
        return;
    for (size_t i = 0; i < 9; i++) {
        for (size_t j = 0; j < 9; j++) {
            enum type_id left = func_numeric_types[i], right = func_numeric_types[j];
            add(l, left, right, result_type(left, right), call_numbers, number_ops[op]);
        }
    }
    if (symbols[op] == '+') {
        add(l, TYPE_TEXT, TYPE_TEXT, TYPE_TEXT, call_concat, NUMBER_ADD);
        add(l, TYPE_ASCII, TYPE_ASCII, TYPE_ASCII, call_concat, NUMBER_ADD);
        add(l, TYPE_TEXT, TYPE_ASCII, TYPE_TEXT, call_concat, NUMBER_ADD);
        add(l, TYPE_ASCII, TYPE_TEXT, TYPE_TEXT, call_concat, NUMBER_ADD);
    }
    if (symbols[op] == '+' || symbols[op] == '-') {
        add(l, TYPE_TIMESTAMP, TYPE_DURATION, TYPE_TIMESTAMP, call_temporal, number_ops[op]);
        add(l, TYPE_DATE, TYPE_DURATION, TYPE_DATE, call_temporal, number_ops[op]);
    }
}
