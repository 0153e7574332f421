/* The table of what each type can do, and the functions of type.h that dispatch through it. The types that requests are made of
 * (bigint, int, text, uuid, timestamp, blob) are answered here by a switch, without a call through a pointer. */
#include "cql/types/ops.h"

#include "cql/types/calendar.h"

/* Validation, order, literal, text, parsing and JSON of a native in one row. */
#define NATIVE(name, literal, json, from)                                              \
    .validate = name##_validate, .compare = name##_compare, .to_text = name##_to_text, \
    .from_text = name##_from_text, .to_literal = literal, .to_json = json, .from_json = from
#define KEY(name) \
    .key_encode = name##_key_encode, .key_decode = name##_key_decode, .key_skip = name##_key_skip

const struct type_ops type_ops[TYPE_COUNT] = {
    [TYPE_ASCII] = {NATIVE(ascii, text_to_literal, text_to_json, string_from_json), KEY(escaped)},
    [TYPE_TEXT] = {NATIVE(text, text_to_literal, text_to_json, string_from_json), KEY(escaped)},
    [TYPE_BLOB] = {NATIVE(blob, blob_to_literal, blob_to_json, blob_from_json), KEY(escaped)},
    [TYPE_CUSTOM] = {NATIVE(blob, blob_to_literal, blob_to_json, blob_from_json), KEY(escaped)},
    [TYPE_TINYINT] = {NATIVE(integer, NULL, plain_to_json, integer_from_json), KEY(fixed)},
    [TYPE_SMALLINT] = {NATIVE(integer, NULL, plain_to_json, integer_from_json), KEY(fixed)},
    [TYPE_INT] = {NATIVE(integer, NULL, plain_to_json, integer_from_json), KEY(fixed)},
    [TYPE_BIGINT] = {NATIVE(integer, NULL, plain_to_json, integer_from_json), KEY(fixed)},
    [TYPE_COUNTER] = {NATIVE(integer, NULL, plain_to_json, integer_from_json), KEY(fixed)},
    [TYPE_BOOLEAN] = {NATIVE(boolean, NULL, plain_to_json, boolean_from_json), KEY(boolean)},
    [TYPE_FLOAT] = {NATIVE(float4, NULL, floating_to_json, number_from_json), KEY(fixed)},
    [TYPE_DOUBLE] = {NATIVE(float8, NULL, floating_to_json, number_from_json), KEY(fixed)},
    [TYPE_VARINT] = {.validate = varint_validate,
                     .compare = varint_type_compare,
                     .to_text = varint_to_text,
                     .from_text = varint_from_text,
                     .to_json = plain_to_json,
                     .from_json = number_from_json,
                     KEY(varint)},
    [TYPE_DECIMAL] = {.validate = decimal_validate,
                      .compare = decimal_type_compare,
                      .to_text = decimal_to_text,
                      .from_text = decimal_from_text,
                      .to_json = plain_to_json,
                      .from_json = number_from_json,
                      KEY(decimal)},
    [TYPE_TIMESTAMP] = {NATIVE(timestamp, quoted_to_literal, timestamp_to_json,
                               timestamp_from_json),
                        KEY(fixed)},
    [TYPE_DATE] = {NATIVE(date, quoted_to_literal, NULL, string_from_json), KEY(fixed)},
    [TYPE_TIME] = {NATIVE(time, quoted_to_literal, NULL, string_from_json), KEY(fixed)},
    [TYPE_DURATION] = {NATIVE(duration, NULL, NULL, string_from_json), KEY(escaped)},
    [TYPE_UUID] = {NATIVE(uuid, NULL, NULL, string_from_json), KEY(fixed)},
    [TYPE_TIMEUUID] = {NATIVE(timeuuid, NULL, NULL, string_from_json), KEY(fixed)},
    [TYPE_INET] = {NATIVE(inet, quoted_to_literal, NULL, string_from_json), KEY(inet)},
    [TYPE_EMPTY] = {NATIVE(empty, NULL, NULL, string_from_json), KEY(escaped)},
    [TYPE_LIST] = {.validate = collection_validate,
                   .compare = collection_compare,
                   .to_literal = collection_to_literal,
                   .to_text = collection_to_text,
                   .to_json = collection_to_json,
                   .from_json = list_from_json,
                   KEY(sequence)},
    [TYPE_SET] = {.validate = collection_validate,
                  .compare = collection_compare,
                  .to_literal = collection_to_literal,
                  .to_text = collection_to_text,
                  .to_json = collection_to_json,
                  .from_json = list_from_json,
                  KEY(sequence)},
    [TYPE_MAP] = {.validate = collection_validate,
                  .compare = collection_compare,
                  .to_literal = collection_to_literal,
                  .to_text = collection_to_text,
                  .to_json = map_to_json,
                  .from_json = map_from_json,
                  KEY(sequence)},
    [TYPE_TUPLE] = {.validate = tuple_validate,
                    .compare = tuple_compare,
                    .to_literal = tuple_to_literal,
                    .to_text = tuple_to_text,
                    .to_json = tuple_to_json,
                    .from_json = tuple_from_json,
                    KEY(sequence)},
    [TYPE_UDT] = {.validate = tuple_validate,
                  .compare = tuple_compare,
                  .to_literal = tuple_to_literal,
                  .to_text = tuple_to_text,
                  .to_json = udt_to_json,
                  .from_json = udt_from_json,
                  KEY(sequence)},
    [TYPE_VECTOR] = {.validate = vector_validate,
                     .compare = vector_compare,
                     .to_literal = vector_to_literal,
                     .to_text = vector_to_text,
                     .to_json = vector_to_json,
                     .from_json = list_from_json,
                     KEY(vector)},
};

err_t type_validate(const struct type *t, struct bytes v, struct fail *fail)
{
    if (v.p == NULL)
        return OK;
    switch (t->id) {
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        if (__builtin_expect(v.n == 8, 1))
            return OK;
        break;
    case TYPE_INT:
        if (__builtin_expect(v.n == 4, 1))
            return OK;
        break;
    case TYPE_UUID:
        if (__builtin_expect(v.n == 16, 1))
            return OK;
        break;
    case TYPE_BLOB: return OK;
    case TYPE_TEXT:
        if (__builtin_expect(utf8_valid(v), 1))
            return OK;
        break;
    default: break;
    }
    return type_ops[t->id].validate(t, v, fail);
}

static inline int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int type_compare(const struct type *t, struct bytes a, struct bytes b)
{
    switch (t->id) {
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        if (__builtin_expect(a.n == 8 && b.n == 8, 1)) {
            int64_t x = (int64_t)load_be64(a.p), y = (int64_t)load_be64(b.p);
            return (x > y) - (x < y);
        }
        break;
    case TYPE_INT:
        if (__builtin_expect(a.n == 4 && b.n == 4, 1)) {
            int32_t x = (int32_t)load_be32(a.p), y = (int32_t)load_be32(b.p);
            return (x > y) - (x < y);
        }
        break;
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TEXT:
    case TYPE_ASCII:
    case TYPE_BLOB:
    case TYPE_DURATION:
    case TYPE_CUSTOM: return bytes_compare(a, b);
    default: break;
    }
    if (a.n == 0 || b.n == 0)
        return compare_u64(a.n != 0, b.n != 0);
    return type_ops[t->id].compare(t, a, b);
}

/* Cassandra's isNull(): an empty value prints as null unless it is a value of its own. */
static bool empty_is_value(const struct type *t)
{
    return t->id == TYPE_TEXT || t->id == TYPE_ASCII || t->id == TYPE_BLOB ||
           t->id == TYPE_CUSTOM || t->params_count > 0;
}

void type_to_literal(const struct type *t, struct bytes v, struct buf *out)
{
    if (v.p == NULL || (v.n == 0 && !empty_is_value(t))) {
        put_str(out, "null");
    } else if (type_ops[t->id].to_literal != NULL) {
        type_ops[t->id].to_literal(t, v, out);
    } else {
        type_ops[t->id].to_text(t, v, out);
    }
}

void type_to_text(const struct type *t, struct bytes v, struct buf *out)
{
    if (v.p == NULL) {
        put_str(out, "null");
    } else if (v.n == 0 && !empty_is_value(t)) {
        if (t->id == TYPE_TIME)
            put_str(out, "null");
    } else {
        type_ops[t->id].to_text(t, v, out);
    }
}

void type_to_json(const struct type *t, struct bytes v, struct buf *out)
{
    if (v.p == NULL) {
        put_str(out, "null");
    } else if (v.n == 0 && !empty_is_value(t)) {
        put_str(out, t->id == TYPE_TIME ? "\"null\"" : "\"\"");
    } else if (type_ops[t->id].to_json != NULL) {
        type_ops[t->id].to_json(t, v, out);
    } else {
        buf_u8(out, '"');
        type_ops[t->id].to_text(t, v, out);
        buf_u8(out, '"');
    }
}

/* Types whose fromString gives the empty value for an empty text. */
static bool empty_text_is_empty(const struct type *t)
{
    switch (t->id) {
    case TYPE_BOOLEAN:
    case TYPE_DATE:
    case TYPE_TIME: return false;
    default: return true;
    }
}

err_t type_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail)
{
    *out = BYTES_NULL;
    if (type_ops[t->id].from_text == NULL)
        return fail_set(fail, ERR_INVALID, "A literal of type %.*s cannot be read from a text",
                        BYTES_FMT(fail ? type_name(t, fail->arena) : bytes_str("")));
    if (text.n == 0 && empty_text_is_empty(t)) {
        *out = bytes_of(arena_alloc(a, 1), 0);
        return OK;
    }
    return type_ops[t->id].from_text(t, text, a, out, fail);
}
