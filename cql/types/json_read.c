/* Values from JSON, with the conversions and messages of Cassandra's fromJSONObject. A number keeps all its digits on the way into a
 * varint or decimal; Cassandra takes those with a point through a double. */
#include "cql/types/json.h"
#include "cql/types/number.h"
#include "cql/types/ops.h"

/* "<expected>, but got a <class>: <text>" */
static err_t mismatch(const struct json *j, const char *expected, struct arena *a,
                      struct fail *fail)
{
    if (fail == NULL)
        return ERR_INVALID;
    return fail_set(fail, ERR_INVALID, "%s, but got a %s: %.*s", expected, json_java_class(j),
                    BYTES_FMT(json_java_text(j, a)));
}

static err_t read_element(const struct type *t, const struct json *j, struct arena *a,
                          struct bytes *out, struct fail *fail)
{
    *out = BYTES_NULL;
    return j->kind == JSON_NULL ? OK : type_ops[t->id].from_json(t, j, a, out, fail);
}

err_t type_from_json(const struct type *t, struct bytes json, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    const struct json *j;
    *out = BYTES_NULL;
    TRY(json_parse(json, a, &j, fail));
    return read_element(t, j, a, out, fail);
}

err_t integer_from_json(const struct type *t, const struct json *j, struct arena *a,
                        struct bytes *out, struct fail *fail)
{
    static const char *const expected[TYPE_COUNT] = {
        [TYPE_TINYINT] = "Expected a byte value",   [TYPE_SMALLINT] = "Expected a short value",
        [TYPE_INT] = "Expected an int value",       [TYPE_BIGINT] = "Expected a bigint value",
        [TYPE_COUNTER] = "Expected a bigint value",
    };
    bool small = t->id == TYPE_TINYINT || t->id == TYPE_SMALLINT;
    if (j->kind == JSON_STRING)
        return type_from_text(t, j->text, a, out, fail);
    if (j->kind != JSON_NUMBER)
        return mismatch(j, expected[t->id], a, fail);
    if (small)
        return type_from_text(t, json_java_text(j, a), a, out, fail);
    int64_t x, min = t->id == TYPE_INT ? INT32_MIN : INT64_MIN;
    if (!integer_parse(j->text, min, -(min + 1), &x))
        return mismatch(j, expected[t->id], a, fail);
    *out = t->id == TYPE_INT ? value_of_i32(a, (int32_t)x) : value_of_i64(a, x);
    return OK;
}

err_t number_from_json(const struct type *t, const struct json *j, struct arena *a,
                       struct bytes *out, struct fail *fail)
{
    bool is_float = t->id == TYPE_FLOAT || t->id == TYPE_DOUBLE;
    bool scalar = j->kind == JSON_STRING || j->kind == JSON_NUMBER;
    if (is_float && !scalar)
        return mismatch(
            j, t->id == TYPE_FLOAT ? "Expected a float value" : "Expected a double value", a, fail);
    if (is_float)
        return type_from_text(t, j->text, a, out, fail);
    if (scalar && (j->text.n > 0 || t->id == TYPE_DECIMAL) &&
        type_from_text(t, j->text, a, out, NULL) == OK)
        return OK;
    if (fail == NULL)
        return ERR_INVALID;
    return fail_set(fail, ERR_INVALID, "Value '%.*s' is not a valid representation of a %s value",
                    BYTES_FMT(json_java_text(j, a)), t->id == TYPE_VARINT ? "varint" : "decimal");
}

err_t boolean_from_json(const struct type *t, const struct json *j, struct arena *a,
                        struct bytes *out, struct fail *fail)
{
    if (j->kind == JSON_STRING)
        return type_from_text(t, j->text, a, out, fail);
    if (j->kind != JSON_BOOLEAN)
        return mismatch(j, "Expected a boolean value", a, fail);
    *out = value_of_bool(a, j->truth);
    return OK;
}

err_t string_from_json(const struct type *t, const struct json *j, struct arena *a,
                       struct bytes *out, struct fail *fail)
{
    static const char *const expected[TYPE_COUNT] = {
        [TYPE_ASCII] = "Expected an ascii string",
        [TYPE_TEXT] = "Expected a UTF-8 string",
        [TYPE_DATE] = "Expected a string representation of a date value",
        [TYPE_TIME] = "Expected a string representation of a time value",
        [TYPE_UUID] = "Expected a string representation of a uuid",
        [TYPE_TIMEUUID] = "Expected a string representation of a timeuuid",
        [TYPE_INET] = "Expected a string representation of an inet value",
        [TYPE_DURATION] = "Expected a string representation of a duration",
        [TYPE_EMPTY] = "Expected an empty string",
    };
    if (j->kind != JSON_STRING)
        return mismatch(j, expected[t->id], a, fail);
    return type_from_text(t, j->text, a, out, fail);
}

err_t timestamp_from_json(const struct type *t, const struct json *j, struct arena *a,
                          struct bytes *out, struct fail *fail)
{
    int64_t ms, small;
    /* Only what does not fit 32 bits is a Java Long, which is what Cassandra asks for. */
    if (j->kind == JSON_NUMBER && integer_parse(j->text, INT64_MIN, INT64_MAX, &ms) &&
        !integer_parse(j->text, INT32_MIN, INT32_MAX, &small)) {
        *out = value_of_i64(a, ms);
        return OK;
    }
    if (j->kind != JSON_STRING)
        return mismatch(j, "Expected a long or a datestring representation of a timestamp value", a,
                        fail);
    return type_from_text(t, j->text, a, out, fail);
}

/* What Java says when what is no string is cast to one. */
static struct bytes class_cast_message(const struct json *j, struct arena *a)
{
    const char *name = json_java_class(j);
    const char *package = j->kind == JSON_LIST || j->kind == JSON_MAP ? "java.util"
                          : strcmp(name, "BigInteger") == 0           ? "java.math"
                                                                      : "java.lang";
    return arena_printf(a,
                        "class %s.%s cannot be cast to class java.lang.String (%s.%s and "
                        "java.lang.String are in module java.base of loader 'bootstrap')",
                        package, name, package, name);
}

err_t blob_from_json(const struct type *t, const struct json *j, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    if (j->kind == JSON_STRING && bytes_starts_with(j->text, bytes_str("0x")) &&
        type_from_text(t, j->text, a, out, NULL) == OK)
        return OK;
    if (fail == NULL)
        return ERR_INVALID;
    struct bytes text = json_java_text(j, a), why;
    if (j->kind != JSON_STRING)
        why = class_cast_message(j, a);
    else if (!bytes_starts_with(j->text, bytes_str("0x")))
        why = arena_printf(a, "String representation of blob is missing 0x prefix: %.*s",
                           BYTES_FMT(text));
    else
        why = arena_printf(a, "cannot parse '%.*s' as hex bytes", BYTES_FMT(bytes_skip(text, 2)));
    return fail_set(fail, ERR_INVALID, "Value '%.*s' is not a valid blob representation: %.*s",
                    BYTES_FMT(text), BYTES_FMT(why));
}

/* A collection may come as a string that holds its JSON (a map's keys have to). */
static err_t unwrap(const struct json **j, struct arena *a, struct fail *fail)
{
    return (*j)->kind == JSON_STRING ? json_parse((*j)->text, a, j, fail) : OK;
}

err_t list_from_json(const struct type *t, const struct json *j, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    TRY(unwrap(&j, a, fail));
    bool is_set = t->id == TYPE_SET, is_vector = t->id == TYPE_VECTOR;
    if (j->kind != JSON_LIST)
        return mismatch(j, is_set ? "Expected a list (representing a set)" : "Expected a list", a,
                        fail);
    if (is_vector && j->count != t->dimension)
        return fail_set(fail, ERR_INVALID,
                        "List had incorrect size: expected %u but given %u; %.*s", t->dimension,
                        j->count, BYTES_FMT(json_java_text(j, a)));
    struct buf b = buf_in(a);
    if (!is_vector)
        collection_begin(&b, j->count);
    for (const struct json *child = j->first; child; child = child->next) {
        struct bytes elem;
        if (child->kind == JSON_NULL)
            return fail_set(fail, ERR_INVALID, "Invalid null element in %s",
                            is_set ? "set" : "list");
        TRY(read_element(t->params[0], child, a, &elem, fail));
        if (is_vector)
            vector_put_element(t, &b, elem);
        else
            value_put(&b, elem);
    }
    *out = buf_bytes(&b);
    return is_set ? collection_sort(t, *out, a, out) : OK;
}

err_t map_from_json(const struct type *t, const struct json *j, struct arena *a, struct bytes *out,
                    struct fail *fail)
{
    TRY(unwrap(&j, a, fail));
    if (j->kind != JSON_MAP)
        return mismatch(j, "Expected a map", a, fail);
    struct buf b = buf_in(a);
    collection_begin(&b, j->count);
    for (const struct json *child = j->first; child; child = child->next) {
        struct json key = {.kind = JSON_STRING, .text = child->key};
        struct bytes elem;
        if (child->kind == JSON_NULL)
            return fail_set(fail, ERR_INVALID, "Invalid null value in map");
        TRY(read_element(t->params[0], &key, a, &elem, fail));
        value_put(&b, elem);
        TRY(read_element(t->params[1], child, a, &elem, fail));
        value_put(&b, elem);
    }
    *out = buf_bytes(&b);
    return collection_sort(t, *out, a, out);
}

err_t tuple_from_json(const struct type *t, const struct json *j, struct arena *a,
                      struct bytes *out, struct fail *fail)
{
    TRY(unwrap(&j, a, fail));
    if (j->kind != JSON_LIST)
        return mismatch(j, "Expected a list representation of a tuple", a, fail);
    if (j->count != t->params_count)
        return fail_set(fail, ERR_INVALID, "Tuple %s items (expected %u): %.*s",
                        j->count > t->params_count ? "contains extra" : "is missing",
                        t->params_count, BYTES_FMT(json_java_text(j, a)));
    struct buf b = buf_in(a);
    unsigned i = 0;
    for (const struct json *child = j->first; child; child = child->next) {
        struct bytes elem;
        TRY(read_element(t->params[i++], child, a, &elem, fail));
        value_put(&b, elem);
    }
    *out = buf_bytes(&b);
    return OK;
}

/* Names are case-insensitive unless they carry double quotes of their own. */
static bool names_field(struct bytes key, struct bytes field)
{
    if (key.n >= 2 && key.p[0] == '"' && key.p[key.n - 1] == '"')
        return bytes_equal(bytes_of(key.p + 1, key.n - 2), field);
    if (key.n != field.n)
        return false;
    for (size_t i = 0; i < key.n; i++) {
        uint8_t c = key.p[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (c != field.p[i])
            return false;
    }
    return true;
}

err_t udt_from_json(const struct type *t, const struct json *j, struct arena *a, struct bytes *out,
                    struct fail *fail)
{
    TRY(unwrap(&j, a, fail));
    if (j->kind != JSON_MAP)
        return mismatch(j, "Expected a map", a, fail);
    for (const struct json *child = j->first; child; child = child->next) {
        bool known = false;
        for (unsigned i = 0; i < t->params_count && !known; i++)
            known = names_field(child->key, t->field_names[i]);
        if (!known)
            return fail_set(fail, ERR_INVALID,
                            "Unknown field '%.*s' in value of user defined type %.*s",
                            BYTES_FMT(child->key), BYTES_FMT(t->name));
    }
    struct buf b = buf_in(a);
    for (unsigned i = 0; i < t->params_count; i++) {
        struct bytes elem = BYTES_NULL;
        const struct json *found = NULL;
        for (const struct json *child = j->first; child; child = child->next)
            if (names_field(child->key, t->field_names[i]))
                found = child;
        if (found)
            TRY(read_element(t->params[i], found, a, &elem, fail));
        value_put(&b, elem);
    }
    *out = buf_bytes(&b);
    return OK;
}
