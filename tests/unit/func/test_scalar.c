// Functions by what they give and say: resolved by types, called with values of literal texts. Expected values and
// messages are those of Apache Cassandra 5.0.9.
#include "cql/func/func.h"
#include "cql/types/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena a;
static struct fail failure;
static struct prng prng;
static int64_t last_ticks;

#define NOW_US INT64_C(1697815845123456) // 2023-10-20 15:30:45.123456

static int64_t token_of(const struct bytes *components, uint16_t count)
{
    return count * 1000 + components[0].p[components[0].n - 1];
}

static struct func_env env(void)
{
    failure = (struct fail){.arena = &a};
    return (struct func_env){
        .now = {NOW_US},
        .timeuuid_last_ticks = &last_ticks,
        .clock_seq_node = UINT64_C(0x8123456789abcdef),
        .random = &prng,
        .arena = &a,
        .fail = &failure,
        .token = token_of,
    };
}

static const char *message(err_t err)
{
    return arena_cstr(&a, arena_printf(&a, "%s %.*s", err_name(err), BYTES_FMT(failure.message)));
}

// A value of a type, as "int 5" or "int null" or "int empty"; "?" is an argument of unknown type.
static struct bytes parse(const char *text, const struct type **type)
{
    const char *blank = strchr(text, ' ');
    *type = NULL;
    if (blank == NULL)
        return BYTES_NULL;
    *type = type_native_by_name(bytes_of(text, (size_t)(blank - text)));
    assert_non_null(*type);
    struct bytes v;
    if (strcmp(blank + 1, "null") == 0)
        return BYTES_NULL;
    if (strcmp(blank + 1, "empty") == 0)
        return bytes_str("");
    if (type_from_text(*type, bytes_str(blank + 1), &a, &v, &failure) != OK)
        fail_msg("%s: %.*s", text, BYTES_FMT(failure.message));
    return v;
}

static const char *print(const struct type *type, struct bytes v)
{
    struct buf b = buf_in(&a);
    type_print(type, &b);
    buf_u8(&b, ' ');
    if (bytes_is_null(v))
        buf_put_str(&b, "null");
    else
        type_to_text(type, v, &b);
    return arena_cstr(&a, buf_bytes(&b));
}

static const char *call_func(const struct func *f, const struct bytes *args)
{
    struct func_env e = env();
    struct bytes out;
    err_t err = f->call(f, &e, args, &out);
    return err == OK ? print(f->result, out) : message(err);
}

static const char *call_texts(const char *name, const struct type *receiver,
                              const char *const *texts)
{
    const struct type *types[8];
    struct bytes args[8];
    uint16_t count = 0;
    const struct func *f;
    env();
    for (; texts[count]; count++)
        args[count] = parse(texts[count], &types[count]);
    const struct type *pk[] = {type_native(TYPE_INT), type_native(TYPE_TEXT)};
    err_t err =
        func_resolve(BYTES_NULL, bytes_str(name), types, count, receiver, pk, 2, &a, &f, &failure);
    if (err != OK)
        return message(err);
    return f ? call_func(f, args) : "no such function";
}

// CALL(expected, name, argument, ...): up to four arguments.
#define CALL(expected, ...)                                                   \
    do {                                                                      \
        const char *const call_[] = {__VA_ARGS__, NULL};                      \
        assert_string_equal(call_texts(call_[0], NULL, call_ + 1), expected); \
    } while (0)

static void clock_functions(void **state)
{
    (void)state;
    last_ticks = 0;
    CALL("timeuuid a2ee5700-6f5d-11ee-8123-456789abcdef", "now");
    int64_t first = last_ticks;
    CALL("timeuuid a2ee5701-6f5d-11ee-8123-456789abcdef", "now");
    assert_int_equal(last_ticks, first + 1); // the same instant, a later UUID
    CALL("timeuuid a2ee5702-6f5d-11ee-8123-456789abcdef", "currenttimeuuid");
    CALL("timestamp 2023-10-20T15:30:45.123Z", "current_timestamp");
    CALL("date 2023-10-20", "current_date");
    CALL("time 15:30:45.123456000", "current_time");
    CALL("INVALID Invalid number of arguments in call to function system.now: 0 required but 1 "
         "provided",
         "now", "int 1");
}

static void random_ids(void **state)
{
    (void)state;
    prng_init(&prng, 7);
    const char *const none[] = {NULL};
    const char *first = call_texts("uuid", NULL, none), *second = call_texts("uuid", NULL, none);
    assert_string_not_equal(first, second);
    assert_int_equal(first[strlen("uuid ") + 14], '4');
    assert_non_null(strchr("89ab", first[strlen("uuid ") + 19]));
}

static void conversions_of_time(void **state)
{
    (void)state;
    CALL("timeuuid a2ee4530-6f5d-11ee-8080-808080808080", "min_timeuuid",
         "timestamp 2023-10-20 15:30:45.123+0000");
    CALL("timeuuid a2ee6c3f-6f5d-11ee-7f7f-7f7f7f7f7f7f", "maxtimeuuid",
         "timestamp 2023-10-20 15:30:45.123+0000");
    CALL("timeuuid null", "min_timeuuid", "timestamp null");
    CALL("date 2023-10-20", "to_date", "timeuuid e23f1e02-6f5f-11ee-b962-0242ac120002");
    CALL("date 2023-10-20", "todate", "timestamp 1697815845123");
    CALL("date 1969-12-31", "to_date", "timestamp -1");
    CALL("timestamp 2023-10-20T15:46:50.342Z", "to_timestamp",
         "timeuuid e23f1e02-6f5f-11ee-b962-0242ac120002");
    CALL("timestamp 2023-10-20T00:00:00.000Z", "to_timestamp", "date 2023-10-20");
    CALL("bigint 1697760000000", "to_unix_timestamp", "date 2023-10-20");
    CALL("bigint 1697816810342", "tounixtimestamp",
         "timeuuid e23f1e02-6f5f-11ee-b962-0242ac120002");
    CALL("bigint null", "to_unix_timestamp", "timestamp empty");
    CALL("INVALID Invalid call to function to_date, none of its type signatures match (known type "
         "signatures: "
         "system.to_date : (timestamp) -> date, system.to_date : (timeuuid) -> date)",
         "to_date", "int 1");
    CALL("no such function", "dateof", "timeuuid null");
}

static void floors(void **state)
{
    (void)state;
    CALL("timestamp 2023-10-20T15:00:00.000Z", "floor", "timestamp 1697815845123", "duration 1h");
    CALL("timestamp 2023-10-19T00:00:00.000Z", "floor", "timestamp 1697815845123", "duration 7d");
    CALL("timestamp 2023-01-01T00:00:00.000Z", "floor", "timestamp 1697815845123", "duration 1y");
    CALL("timestamp 2023-10-19T00:00:00.000Z", "floor", "timestamp 1697816810342",
         "duration 1mo1d");
    CALL("timestamp 2023-09-27T20:00:00.000Z", "floor", "timestamp 1697816810342",
         "duration 1mo1h");
    CALL("timestamp 2023-10-20T15:46:50.342Z", "floor", "timestamp 1697816810342", "duration 0h");
    CALL("timestamp 2023-10-20T15:00:00.000Z", "floor",
         "timeuuid e23f1e02-6f5f-11ee-b962-0242ac120002", "duration 1h");
    CALL("date 2023-10-01", "floor", "date 2023-10-20", "duration 1mo");
    CALL("date 2023-10-19", "floor", "date 2023-10-20", "duration 3d", "date 2023-01-01");
    CALL("time 15:30:00.000000000", "floor", "time 15:30:45", "duration 30m");
    CALL("time 12:59:59.999999998", "floor", "time 13:00:00", "duration 7ns");
    CALL("timestamp null", "floor", "timestamp null", "duration 1h");
    CALL("INVALID The floor on date values cannot be computed for the 1h duration as precision is "
         "below 1 day",
         "floor", "date 2023-10-20", "duration 1h");
    CALL("INVALID The floor cannot be computed for the 1us duration as precision is below 1 "
         "millisecond",
         "floor", "timestamp 0", "duration 1us");
    CALL("INVALID For time values, the floor can only be computed for durations smaller that a day",
         "floor", "time 15:30:45", "duration 1d");
    CALL("INVALID Negative durations are not supported by the floor function", "floor",
         "timestamp 0", "duration -1h");
    CALL("INVALID The floor function starting time is greater than the provided time", "floor",
         "timestamp 0", "duration 1h", "timestamp 1");
    // what would be counted down in steps is found at once
    CALL("timestamp 2023-09-27T20:00:00.000Z", "floor", "timestamp 1697816810342",
         "duration 1mo1h");
    const char *const far[] = {"timestamp 9223372036854775807", "duration 1mo2147483647d", NULL};
    assert_memory_equal(call_texts("floor", NULL, far), "timestamp ", 10);
}

static void blobs(void **state)
{
    (void)state;
    CALL("blob 0000002a", "int_as_blob", "int 42");
    CALL("blob 0000002a", "intasblob", "int 42");
    CALL("blob 78", "varchar_as_blob", "text x");
    CALL("blob 61", "text_as_blob", "ascii a");
    CALL("int 42", "blob_as_int", "blob 0x0000002a");
    CALL("int 42", "blobasint", "blob 0x0000002a");
    CALL("int ", "blob_as_int", "blob empty");
    CALL("text null", "blob_as_text", "blob null");
    CALL("counter 1", "blob_as_counter", "blob 0x0000000000000001");
    CALL("INVALID In call to function system.blob_as_int, value 0x0102 is not a valid binary "
         "representation for type int",
         "blob_as_int", "blob 0x0102");
    CALL("INVALID In call to function system.blob_as_text, value 0xff is not a valid binary "
         "representation for type text",
         "blob_as_text", "blob 0xff");
    CALL("INVALID Type error: text cannot be passed as argument 0 of function system.int_as_blob "
         "of type int",
         "int_as_blob", "text x");
    CALL("no such function", "blob_as_blob", "blob 0x01");
    CALL("no such function", "typeasblob", "int 1");
    CALL("no such function", "INT_as_blob", "int 1");
}

static void math(void **state)
{
    (void)state;
    CALL("int 42", "abs", "int -42");
    CALL("int -2147483648", "abs", "int -2147483648");
    CALL("decimal 12.345", "abs", "decimal -12.345");
    CALL("int 2147483647", "exp", "int 42");
    CALL("int 3", "log", "int 42");
    CALL("varint 43", "log", "varint 12345678901234567890");
    CALL("varint 20", "exp", "varint 3");
    CALL("decimal 2.3025850929940456840179914546844", "log", "decimal 10");
    CALL("double 3.0", "round", "double 2.5");
    CALL("double -2.0", "round", "double -2.5");
    CALL("decimal -3", "round", "decimal -2.5");
    CALL("int null", "abs", "int null");
    CALL("int null", "abs", "int empty");
    CALL("FUNCTION_FAILURE execution of 'system.log[decimal]' failed: Natural log of number zero "
         "or less",
         "log", "decimal 0");
    assert_string_equal(arena_cstr(&a, failure.name), "log");
    CALL("INVALID Ambiguous call to function abs (can be matched by following signatures: "
         "system.abs : (bigint) -> bigint, "
         "system.abs : (counter) -> counter, system.abs : (decimal) -> decimal, system.abs : "
         "(double) -> double, "
         "system.abs : (float) -> float, system.abs : (int) -> int, system.abs : (smallint) -> "
         "smallint, system.abs : "
         "(tinyint) -> tinyint, system.abs : (varint) -> varint): use type casts to disambiguate",
         "abs", "?");
    const char *const unknown[] = {"?", NULL};
    assert_string_equal(call_texts("abs", type_native(TYPE_INT), unknown), "int null");
}

static void operators(void **state)
{
    (void)state;
    CALL("tinyint -56", "_add", "tinyint 100", "tinyint 100");
    CALL("int -2147483648", "_add", "int 2147483647", "int 1");
    CALL("bigint 378000000000", "_multiply", "int 42", "bigint 9000000000");
    CALL("float 43.5", "_add", "int 42", "float 1.5");
    CALL("double 9.0000000015E9", "_add", "bigint 9000000000", "float 1.5");
    CALL("decimal 3.75", "_add", "decimal 1.25", "double 2.5");
    CALL("decimal 12345678901234567891.5", "_add", "varint 12345678901234567890", "float 1.5");
    CALL("smallint 0", "_divide", "tinyint 100", "smallint 300");
    CALL("double Infinity", "_divide", "double 2.5", "int 0");
    CALL("decimal 0.41666666666666666666666666666667", "_divide", "decimal 1.25", "int 3");
    CALL("int null", "_add", "int 1", "int null");
    CALL("text xa", "_add", "text x", "ascii a");
    CALL("ascii aa", "_add", "ascii a", "ascii a");
    CALL("text x", "_add", "text x", "text empty");
    CALL("text null", "_add", "text x", "text null");
    CALL("FUNCTION_FAILURE the operation 'int / int' failed: / by zero", "_divide", "int 1",
         "int 0");
    assert_string_equal(arena_cstr(&a, failure.keyspace), "system");
    assert_string_equal(arena_cstr(&a, failure.name), "_divide");
    assert_int_equal(failure.args_count, 2);
    assert_string_equal(arena_cstr(&a, failure.args[1]), "int");
    CALL("FUNCTION_FAILURE the operation 'decimal / int' failed: BigInteger divide by zero",
         "_divide", "decimal 1", "int 0");
    CALL("FUNCTION_FAILURE the operation 'varint % int' failed: BigInteger divide by zero",
         "_modulo", "varint 1", "int 0");
    CALL("INVALID the '-' operation is not supported between text and text", "_substract", "text x",
         "text x");
    CALL("INVALID Ambiguous '+' operation with args int and ?: use type hint to disambiguate, "
         "example '(int) ?'",
         "_add", "int 1", "?");
    CALL("INVALID Ambiguous negation: use type casts to disambiguate", "_negate", "?");
    CALL("int 5", "_negate", "int -5");
}

static void operators_on_time(void **state)
{
    (void)state;
    CALL("timestamp 2023-10-20T16:30:45.123Z", "_add", "timestamp 1697815845123", "duration 1h");
    CALL("timestamp 2023-09-20T15:30:45.123Z", "_substract", "timestamp 1697815845123",
         "duration 1mo");
    CALL("date 2024-02-29", "_add", "date 2024-01-31", "duration 1mo");
    CALL("date 2022-10-19", "_substract", "date 2023-10-20", "duration 1y1d");
    CALL("FUNCTION_FAILURE the operation 'date + duration' failed: The duration must have a day "
         "precision. Was: 1h",
         "_add", "date 2023-10-20", "duration 1h");
    CALL("FUNCTION_FAILURE the operation 'timestamp + duration' failed: The duration must have a "
         "millisecond precision. Was: "
         "1ns",
         "_add", "timestamp 0", "duration 1ns");
    const char *const far[] = {"timestamp 9223372036854775807", "duration 178956970y", NULL};
    assert_memory_equal(call_texts("_add", NULL, far), "timestamp ", 10); // wraps, and is no error
}

static const char *cast(const char *text, enum type_id to)
{
    const struct type *from;
    const struct func *f;
    env();
    struct bytes v = parse(text, &from);
    err_t err = func_resolve_cast(from, type_native(to), &a, &f, &failure);
    return err == OK ? call_func(f, &v) : message(err);
}

static void casts(void **state)
{
    (void)state;
    assert_string_equal(cast("int 42", TYPE_TEXT), "text 42");
    assert_string_equal(cast("float 100", TYPE_ASCII), "ascii 100.0");
    assert_string_equal(cast("double 1e20", TYPE_TEXT), "text 1.0E20");
    assert_string_equal(cast("inet ::1", TYPE_TEXT), "text 0:0:0:0:0:0:0:1");
    assert_string_equal(cast("timestamp 1697815845123", TYPE_TEXT),
                        "text 2023-10-20T15:30:45.123Z");
    assert_string_equal(cast("time 13:00:00", TYPE_TEXT), "text 13:00:00.000000000");
    assert_string_equal(cast("boolean true", TYPE_TEXT), "text true");
    assert_string_equal(cast("bigint 9000000000", TYPE_TINYINT), "tinyint 0");
    assert_string_equal(cast("double NaN", TYPE_INT), "int 0");
    assert_string_equal(cast("float 1e20", TYPE_INT), "int 2147483647");
    assert_string_equal(cast("timestamp 1697815845123", TYPE_BIGINT), "bigint 1697815845123");
    assert_string_equal(cast("timeuuid e23f1e02-6f5f-11ee-b962-0242ac120002", TYPE_DATE),
                        "date 2023-10-20");
    assert_string_equal(cast("date 2023-10-20", TYPE_TIMESTAMP),
                        "timestamp 2023-10-20T00:00:00.000Z");
    assert_string_equal(cast("int 7", TYPE_INT), "int 7");
    assert_string_equal(cast("int null", TYPE_TEXT), "text null");
    assert_string_equal(cast("date 2023-10-20", TYPE_TIME), "INVALID date cannot be cast to time");
    assert_string_equal(cast("int 1", TYPE_COUNTER), "INVALID int cannot be cast to counter");
    assert_string_equal(
        cast("text x", TYPE_INT),
        "INVALID Invalid call to function system.cast_as_int, none of its type signatures match "
        "(known type "
        "signatures: system.cast_as_int : (bigint) -> int, system.cast_as_int : (counter) -> int, "
        "system.cast_as_int : (decimal) -> int, system.cast_as_int : (double) -> int, "
        "system.cast_as_int : "
        "(float) -> int, system.cast_as_int : (smallint) -> int, system.cast_as_int : (tinyint) -> "
        "int, "
        "system.cast_as_int : (varint) -> int)");
}

// --- Collections and vectors: values are given as bytes

static struct bytes ints(const int32_t *items, uint32_t count)
{
    struct buf b = buf_in(&a);
    collection_begin(&b, count);
    for (uint32_t i = 0; i < count; i++)
        value_put(&b, value_of_i32(&a, items[i]));
    return buf_bytes(&b);
}

static const char *call_typed(const char *name, const struct type *const *types,
                              const struct bytes *args, uint16_t count)
{
    const struct func *f;
    env();
    err_t err =
        func_resolve(BYTES_NULL, bytes_str(name), types, count, NULL, NULL, 0, &a, &f, &failure);
    return err == OK ? call_func(f, args) : message(err);
}

static void collections(void **state)
{
    (void)state;
    const struct type *integer = type_native(TYPE_INT), *list = type_list(&a, integer, false);
    const struct type *map = type_map(&a, type_native(TYPE_INT), integer, false),
                      *text = type_native(TYPE_TEXT);
    struct bytes three = ints((int32_t[]){5, 1, 3}, 3), none = ints(NULL, 0), null = BYTES_NULL;
    struct buf entries = buf_in(&a);
    struct bytes pairs = ints((int32_t[]){1, 10, 2, 20}, 4);
    buf_put_bytes(&entries, pairs);
    store_be32(entries.p, 2);
    struct bytes two = buf_bytes(&entries);
    assert_string_equal(call_typed("collection_count", &list, &three, 1), "int 3");
    assert_string_equal(call_typed("collection_count", &map, &two, 1), "int 2");
    assert_string_equal(call_typed("collection_count", &list, &null, 1), "int null");
    assert_string_equal(call_typed("collection_min", &list, &three, 1), "int 1");
    assert_string_equal(call_typed("collection_max", &list, &three, 1), "int 5");
    assert_string_equal(call_typed("collection_sum", &list, &three, 1), "int 9");
    assert_string_equal(call_typed("collection_avg", &list, &three, 1), "int 3");
    assert_string_equal(call_typed("collection_avg", &list, &none, 1), "int 0");
    assert_string_equal(call_typed("collection_min", &list, &none, 1), "int null");
    const struct type *set = type_set(&a, integer, false);
    const struct func *f;
    assert_int_equal(
        func_resolve(BYTES_NULL, bytes_str("map_keys"), &map, 1, NULL, NULL, 0, &a, &f, &failure),
        OK);
    assert_true(type_equal(f->result, set));
    struct func_env e = env();
    struct bytes out;
    assert_int_equal(f->call(f, &e, &two, &out), OK);
    assert_true(bytes_equal(out, ints((int32_t[]){1, 2}, 2)));
    assert_int_equal(
        func_resolve(BYTES_NULL, bytes_str("map_values"), &map, 1, NULL, NULL, 0, &a, &f, &failure),
        OK);
    assert_int_equal(f->call(f, &e, &two, &out), OK);
    assert_true(bytes_equal(out, ints((int32_t[]){10, 20}, 2)));
    assert_string_equal(call_typed("map_keys", &list, &three, 1),
                        "INVALID Function system.map_keys requires a map argument, but found "
                        "argument list<int> of type "
                        "list<int>");
    assert_string_equal(call_typed("collection_sum", &map, &two, 1),
                        "INVALID Function system.collection_sum requires a numeric set/list "
                        "argument, but found argument "
                        "map<int, int> of type map<int, int>");
    assert_string_equal(call_typed("collection_count", &text, &three, 1),
                        "INVALID Function system.collection_count requires a collection argument, "
                        "but found argument text of "
                        "type text");
    const struct type *unknown = NULL;
    assert_string_equal(
        call_typed("collection_max", &unknown, &three, 1),
        "INVALID Cannot infer type of argument ? in call to function "
        "system.collection_max(numeric_set_or_list): use type casts to disambiguate");
    assert_string_equal(call_typed("map_keys", NULL, NULL, 0),
                        "INVALID Invalid number of arguments for function system.map_keys(map)");
}

static struct bytes floats(const float *items, size_t count)
{
    struct buf b = buf_in(&a);
    for (size_t i = 0; i < count; i++)
        buf_put_bytes(&b, value_of_float(&a, items[i]));
    return buf_bytes(&b);
}

static void vectors(void **state)
{
    (void)state;
    const struct type *v3 = type_vector(&a, type_native(TYPE_FLOAT), 3),
                      *v2 = type_vector(&a, type_native(TYPE_FLOAT), 2);
    const struct type *integers = type_vector(&a, type_native(TYPE_INT), 3);
    const struct type *same[] = {v3, v3}, *differ[] = {v3, v2}, *wrong[] = {v3, integers},
                      *open[] = {v3, NULL};
    struct bytes args[] = {floats((float[]){1, 2, 3}, 3), floats((float[]){1, 2, 4}, 3)};
    struct bytes zero[] = {args[0], floats((float[]){0, 0, 0}, 3)}, null[] = {args[0], BYTES_NULL};
    assert_string_equal(call_typed("similarity_cosine", same, args, 2), "float 0.99573004");
    assert_string_equal(call_typed("similarity_euclidean", same, zero, 2), "float 0.06666667");
    assert_string_equal(call_typed("similarity_dot_product", same, zero, 2), "float 0.5");
    assert_string_equal(call_typed("similarity_cosine", same, null, 2), "float null");
    assert_string_equal(call_typed("similarity_cosine", open, null, 2), "float null");
    assert_string_equal(
        call_typed("similarity_cosine", same, zero, 2),
        "INVALID Function system.similarity_cosine doesn't support all-zero vectors.");
    assert_string_equal(call_typed("similarity_cosine", differ, args, 2),
                        "INVALID All arguments must have the same vector dimensions");
    assert_string_equal(call_typed("similarity_cosine", wrong, args, 2),
                        "INVALID Function system.similarity_cosine requires a float vector "
                        "argument, but found argument "
                        "vector<int, 3> of type vector<int, 3>");
    assert_string_equal(call_typed("similarity_cosine", same, args, 1),
                        "INVALID Invalid number of arguments for function "
                        "system.similarity_cosine(vector<float, n>, "
                        "vector<float, n>)");
}

static void tokens(void **state)
{
    (void)state;
    CALL("bigint 2005", "token", "int 5", "text x");
    CALL("bigint null", "token", "int 5", "text null");
    CALL("INVALID Invalid number of arguments in call to function system.token: 2 required but 1 "
         "provided",
         "token", "int 5");
    CALL("INVALID Type error: text cannot be passed as argument 0 of function system.token of type "
         "int",
         "token", "text x", "text x");
}

static void names(void **state)
{
    (void)state;
    const struct func *f;
    const struct type *integer = type_native(TYPE_INT);
    CALL("INVALID The function to_json is not implemented yet", "to_json", "int 1");
    CALL("INVALID The function mask_inner is not implemented yet", "mask_inner", "text x", "int 1",
         "int 1");
    CALL("no such function", "nosuch", "int 1");
    CALL("no such function", "castasint", "bigint 1");
    assert_int_equal(func_resolve(bytes_str("ks"), bytes_str("abs"), &integer, 1, NULL, NULL, 0, &a,
                                  &f, &failure),
                     OK);
    assert_null(f);
    assert_int_equal(func_resolve(bytes_str("system"), bytes_str("abs"), &integer, 1, NULL, NULL, 0,
                                  &a, &f, &failure),
                     OK);
    assert_string_equal(arena_cstr(&a, func_arg_name(f, 0, &a)), "arg0(system.abs)");
    assert_true(f->is_pure);
    assert_int_equal(
        func_resolve(BYTES_NULL, bytes_str("now"), NULL, 0, NULL, NULL, 0, &a, &f, &failure), OK);
    assert_false(f->is_pure);
}

static int open_arena(void **state)
{
    (void)state;
    arena_init(&a, 0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(&a);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_functions),
        cmocka_unit_test(random_ids),
        cmocka_unit_test(conversions_of_time),
        cmocka_unit_test(floors),
        cmocka_unit_test(blobs),
        cmocka_unit_test(math),
        cmocka_unit_test(operators),
        cmocka_unit_test(operators_on_time),
        cmocka_unit_test(casts),
        cmocka_unit_test(collections),
        cmocka_unit_test(vectors),
        cmocka_unit_test(tokens),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
