/* Time: the clock, conversions between temporal types, and floor(). */
#include "cql/func/func_priv.h"
#include "cql/types/calendar.h"

#define TICKS_OF_UNIX_EPOCH INT64_C(122192928000000000) /* 100 ns since 1582-10-15 */
#define NANOS_PER_MS        INT64_C(1000000)

int64_t func_next_ticks(struct wall_us now, int64_t *last)
{
    int64_t ticks = TICKS_OF_UNIX_EPOCH + now.us * 10;
    if (ticks <= *last)
        ticks = *last + 1;
    *last = ticks;
    return ticks;
}

static struct bytes value_of_uuid(struct arena *a, int64_t ticks, uint64_t low)
{
    uint8_t *uuid = arena_alloc(a, 16);
    uuid_of_ticks(ticks, low, uuid);
    return bytes_of(uuid, 16);
}

/* The day wraps as Cassandra's narrowing does. */
static struct bytes value_of_day(struct arena *a, int64_t ms)
{
    return value_of_i32(a, (int32_t)(uint32_t)((uint64_t)floor_div(ms, MS_PER_DAY) + DATE_EPOCH));
}

/* Milliseconds of a TIMESTAMP, DATE or TIMEUUID. */
static int64_t ms_of(const struct type *t, struct bytes v)
{
    switch (t->id) {
    case TYPE_DATE: return date_ms(load_be32(v.p));
    case TYPE_TIMEUUID: return uuid_time_ms(v);
    default: return value_i64(v);
    }
}

static struct bytes value_of_ms(const struct type *t, struct arena *a, int64_t ms)
{
    return t->id == TYPE_DATE ? value_of_day(a, ms) : value_of_i64(a, ms);
}

static err_t call_now(const struct func *f, struct func_env *env, const struct bytes *args,
                      struct bytes *out)
{
    (void)args;
    int64_t ms = floor_div(env->now.us, 1000);
    switch (f->result->id) {
    case TYPE_TIMEUUID:
        *out = value_of_uuid(env->arena, func_next_ticks(env->now, env->timeuuid_last_ticks),
                             env->clock_seq_node);
        break;
    case TYPE_TIME:
        *out = value_of_i64(env->arena, floor_mod(env->now.us, MS_PER_DAY * 1000) * 1000);
        break;
    default: *out = value_of_ms(f->result, env->arena, ms);
    }
    return OK;
}

static err_t call_bound_uuid(const struct func *f, struct func_env *env, const struct bytes *args,
                             struct bytes *out)
{
    *out = BYTES_NULL;
    if (is_nothing(args[0]))
        return OK;
    uint64_t ticks = (uint64_t)value_i64(args[0]) * 10000 + (uint64_t)TICKS_OF_UNIX_EPOCH;
    *out = f->data
               ? value_of_uuid(env->arena, (int64_t)(ticks + 9999), UINT64_C(0x7f7f7f7f7f7f7f7f))
               : value_of_uuid(env->arena, (int64_t)ticks, UINT64_C(0x8080808080808080));
    return OK;
}

static err_t call_convert(const struct func *f, struct func_env *env, const struct bytes *args,
                          struct bytes *out)
{
    *out = is_nothing(args[0]) ? BYTES_NULL
                               : value_of_ms(f->result, env->arena, ms_of(f->args[0], args[0]));
    return OK;
}

/* --- floor -------------------------------------------------------------------------------------- */

struct duration {
    int32_t months, days;
    int64_t nanos;
};

static int64_t duration_ms(struct duration d)
{
    return d.days * MS_PER_DAY + d.nanos / NANOS_PER_MS;
}

static int64_t clamp(__int128 x)
{
    return x > INT64_MAX ? INT64_MAX : x < INT64_MIN ? INT64_MIN : (int64_t)x;
}

/* start + n durations. */
static int64_t step(int64_t start, struct duration d, int64_t n)
{
    int64_t days = days_plus_months(floor_div(start, MS_PER_DAY), n * d.months);
    return clamp((__int128)days * MS_PER_DAY + floor_mod(start, MS_PER_DAY) +
                 (__int128)n * duration_ms(d));
}

/* The last multiple of d after start that is not after ms. Searched by halving: counting down could take long. */
static int64_t floor_months(int64_t ms, struct duration d, int64_t start)
{
    struct civil to = civil_of_days(floor_div(ms, MS_PER_DAY)),
                 from = civil_of_days(floor_div(start, MS_PER_DAY));
    int64_t n = ((to.year - from.year) * 12 + (to.month - from.month)) / d.months;
    if (d.days == 0 && d.nanos == 0)
        return step(start, d, n);
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t mid = low + (high - low + 1) / 2;
        if (step(start, d, mid) <= ms)
            low = mid;
        else
            high = mid - 1;
    }
    return step(start, d, low);
}

static err_t floor_ms(struct func_env *env, int64_t ms, struct duration d, int64_t start,
                      int64_t *out)
{
    if (start > ms)
        return fail_set(env->fail, ERR_INVALID,
                        "The floor function starting time is greater than the provided time");
    if (d.months < 0 || d.days < 0 || d.nanos < 0)
        return fail_set(env->fail, ERR_INVALID,
                        "Negative durations are not supported by the floor function");
    *out = ms;
    if (d.months) {
        *out = floor_months(ms, d, start);
        return OK;
    }
    int64_t length = duration_ms(d);
    if (length > 0)
        *out = (int64_t)(ms - (int64_t)(((__int128)ms - start) % length));
    return OK;
}

static err_t floor_time(struct func_env *env, int64_t nanos, struct duration d, int64_t *out)
{
    if (d.months < 0 || d.days < 0 || d.nanos < 0)
        return fail_set(env->fail, ERR_INVALID,
                        "Negative durations are not supported by the floor function");
    if (d.months || d.days || d.nanos > NANOS_PER_DAY)
        return fail_set(
            env->fail, ERR_INVALID,
            "For time values, the floor can only be computed for durations smaller that a day");
    *out = d.nanos ? nanos - nanos % d.nanos : nanos;
    return OK;
}

static err_t check_precision(const struct func *f, struct func_env *env, struct duration d,
                             struct bytes text)
{
    struct buf b = buf_in(env->arena);
    type_to_text(type_native(TYPE_DURATION), text, &b);
    if (f->result->id == TYPE_DATE && d.nanos != 0)
        return fail_set(env->fail, ERR_INVALID,
                        "The floor on date values cannot be computed for the %.*s duration as "
                        "precision is below 1 day",
                        BYTES_FMT(buf_bytes(&b)));
    if (f->result->id == TYPE_TIMESTAMP && d.nanos % NANOS_PER_MS != 0)
        return fail_set(env->fail, ERR_INVALID,
                        "The floor cannot be computed for the %.*s duration as precision is below "
                        "1 millisecond",
                        BYTES_FMT(buf_bytes(&b)));
    return OK;
}

static err_t call_floor(const struct func *f, struct func_env *env, const struct bytes *args,
                        struct bytes *out)
{
    struct duration d;
    int64_t floor = 0;
    *out = BYTES_NULL;
    for (uint16_t i = 0; i < f->args_count; i++)
        if (is_nothing(args[i]))
            return OK;
    if (!value_duration(args[1], &d.months, &d.days, &d.nanos))
        return fail_set(env->fail, ERR_INVALID, "Invalid duration");
    if (f->result->id == TYPE_TIME) {
        TRY(floor_time(env, value_i64(args[0]), d, &floor));
        *out = value_of_i64(env->arena, floor);
        return OK;
    }
    TRY(check_precision(f, env, d, args[1]));
    int64_t start = f->args_count == 3 ? ms_of(f->args[2], args[2]) : 0;
    TRY(floor_ms(env, ms_of(f->args[0], args[0]), d, start, &floor));
    *out = value_of_ms(f->result, env->arena, floor);
    return OK;
}

#define NOW(name, alias, type)                                             \
    {                                                                      \
        name, alias, 0, {0}, TYPE_##type, true, call_now, 0, NULL, NULL, 0 \
    }
#define CONVERT(name, alias, from, to)                                                  \
    {                                                                                   \
        name, alias, 1, {TYPE_##from}, TYPE_##to, false, call_convert, 0, NULL, NULL, 0 \
    }
#define FLOOR2(from, to)                                                                       \
    {                                                                                          \
        "floor", NULL, 2, {TYPE_##from, TYPE_DURATION}, TYPE_##to, false, call_floor, 0, NULL, \
            NULL, 0                                                                            \
    }
#define FLOOR3(from, to)                                                                         \
    {                                                                                            \
        "floor", NULL, 3, {TYPE_##from, TYPE_DURATION, TYPE_##to}, TYPE_##to, false, call_floor, \
            0, NULL, NULL, 0                                                                     \
    }

static const struct signature time_functions[] = {
    NOW("now", NULL, TIMEUUID),
    NOW("current_timeuuid", "currenttimeuuid", TIMEUUID),
    NOW("current_timestamp", "currenttimestamp", TIMESTAMP),
    NOW("current_date", "currentdate", DATE),
    NOW("current_time", "currenttime", TIME),
    {"min_timeuuid",
     "mintimeuuid",
     1,
     {TYPE_TIMESTAMP},
     TYPE_TIMEUUID,
     false,
     call_bound_uuid,
     0,
     NULL,
     NULL,
     0},
    {"max_timeuuid",
     "maxtimeuuid",
     1,
     {TYPE_TIMESTAMP},
     TYPE_TIMEUUID,
     false,
     call_bound_uuid,
     0,
     NULL,
     NULL,
     1},
    CONVERT("to_date", "todate", TIMEUUID, DATE),
    CONVERT("to_date", "todate", TIMESTAMP, DATE),
    CONVERT("to_timestamp", "totimestamp", TIMEUUID, TIMESTAMP),
    CONVERT("to_timestamp", "totimestamp", DATE, TIMESTAMP),
    CONVERT("to_unix_timestamp", "tounixtimestamp", TIMEUUID, BIGINT),
    CONVERT("to_unix_timestamp", "tounixtimestamp", TIMESTAMP, BIGINT),
    CONVERT("to_unix_timestamp", "tounixtimestamp", DATE, BIGINT),
    CONVERT("cast_as_date", NULL, TIMEUUID, DATE),
    CONVERT("cast_as_date", NULL, TIMESTAMP, DATE),
    CONVERT("cast_as_timestamp", NULL, TIMEUUID, TIMESTAMP),
    CONVERT("cast_as_timestamp", NULL, DATE, TIMESTAMP),
    FLOOR2(TIMESTAMP, TIMESTAMP),
    FLOOR3(TIMESTAMP, TIMESTAMP),
    FLOOR2(TIMEUUID, TIMESTAMP),
    FLOOR3(TIMEUUID, TIMESTAMP),
    FLOOR2(DATE, DATE),
    FLOOR3(DATE, DATE),
    FLOOR2(TIME, TIME),
};

void candidates_of_time(struct candidates *l)
{
    candidates_of_table(l, time_functions, sizeof time_functions / sizeof *time_functions);
}
