/* What each type can do, for the files of this folder: one row of functions a type id, all asked with valid or invalid bytes of any
 * length (never null). Functions that the table leaves NULL have a default in ops.c. */
#ifndef CQL_TYPES_OPS_H
#define CQL_TYPES_OPS_H

#include "cql/types/type.h"
#include "cql/types/value.h"

struct json;

struct type_ops {
    err_t (*validate)(const struct type *t, struct bytes v, struct fail *fail);
    /* a and b are not empty. */
    int (*compare)(const struct type *t, struct bytes a, struct bytes b);
    /* v is not empty unless the type has no meaningless empty value (text, blob, collections). */
    void (*to_literal)(const struct type *t, struct bytes v, struct buf *out);
    void (*to_text)(const struct type *t, struct bytes v, struct buf *out);
    void (*to_json)(const struct type *t, struct bytes v, struct buf *out);
    err_t (*from_text)(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                       struct fail *fail);
    err_t (*from_json)(const struct type *t, const struct json *j, struct arena *a,
                       struct bytes *out, struct fail *fail);
    /* Ascending order, v not empty and of the right length; after the tag byte. */
    void (*key_encode)(const struct type *t, struct bytes v, struct buf *out);
    err_t (*key_decode)(const struct type *t, uint8_t tag, struct cur *c, struct arena *a,
                        struct bytes *out);
    /* mask is 0xFF in a descending encoding, else 0. */
    err_t (*key_skip)(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c);
};

extern const struct type_ops type_ops[TYPE_COUNT];

/* The literal of an element, "null" for a null one. */
void type_literal_or_null(const struct type *t, struct bytes v, struct buf *out);

/* --- natives, by file -------------------------------------------------------------------------- */
#define TYPE_NATIVE_DECLARE(name)                                                    \
    err_t name##_validate(const struct type *t, struct bytes v, struct fail *fail);  \
    int name##_compare(const struct type *t, struct bytes a, struct bytes b);        \
    void name##_to_text(const struct type *t, struct bytes v, struct buf *out);      \
    err_t name##_from_text(const struct type *t, struct bytes text, struct arena *a, \
                           struct bytes *out, struct fail *fail)

/* native_number.c: every fixed-size number; BIGINT also serves COUNTER. */
TYPE_NATIVE_DECLARE(integer);
TYPE_NATIVE_DECLARE(boolean);
TYPE_NATIVE_DECLARE(float4);
TYPE_NATIVE_DECLARE(float8);
void floating_to_json(const struct type *t, struct bytes v, struct buf *out);
/* varint.c, decimal.c */
err_t varint_validate(const struct type *t, struct bytes v, struct fail *fail);
int varint_type_compare(const struct type *t, struct bytes a, struct bytes b);
void varint_to_text(const struct type *t, struct bytes v, struct buf *out);
err_t varint_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                       struct fail *fail);
err_t decimal_validate(const struct type *t, struct bytes v, struct fail *fail);
int decimal_type_compare(const struct type *t, struct bytes a, struct bytes b);
void decimal_to_text(const struct type *t, struct bytes v, struct buf *out);
err_t decimal_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                        struct fail *fail);
/* native_text.c */
TYPE_NATIVE_DECLARE(ascii);
TYPE_NATIVE_DECLARE(text);
TYPE_NATIVE_DECLARE(blob);
TYPE_NATIVE_DECLARE(empty);
void text_to_literal(const struct type *t, struct bytes v, struct buf *out);
void blob_to_literal(const struct type *t, struct bytes v, struct buf *out);
/* native_time.c */
TYPE_NATIVE_DECLARE(timestamp);
TYPE_NATIVE_DECLARE(date);
TYPE_NATIVE_DECLARE(time);
TYPE_NATIVE_DECLARE(duration);
void timestamp_to_json(const struct type *t, struct bytes v, struct buf *out);
/* native_id.c */
TYPE_NATIVE_DECLARE(uuid);
TYPE_NATIVE_DECLARE(timeuuid);
TYPE_NATIVE_DECLARE(inet);
/* 'text' in single quotes: timestamps, dates, times, inets. */
void quoted_to_literal(const struct type *t, struct bytes v, struct buf *out);

/* collection.c */
err_t collection_validate(const struct type *t, struct bytes v, struct fail *fail);
int collection_compare(const struct type *t, struct bytes a, struct bytes b);
void collection_to_literal(const struct type *t, struct bytes v, struct buf *out);
void collection_to_text(const struct type *t, struct bytes v, struct buf *out);
/* composite.c */
err_t tuple_validate(const struct type *t, struct bytes v, struct fail *fail);
int tuple_compare(const struct type *t, struct bytes a, struct bytes b);
void tuple_to_literal(const struct type *t, struct bytes v, struct buf *out);
void tuple_to_text(const struct type *t, struct bytes v, struct buf *out);
err_t vector_validate(const struct type *t, struct bytes v, struct fail *fail);
int vector_compare(const struct type *t, struct bytes a, struct bytes b);
void vector_to_literal(const struct type *t, struct bytes v, struct buf *out);
void vector_to_text(const struct type *t, struct bytes v, struct buf *out);

/* key_native.c, key_nested.c: what stands behind the tag byte. */
#define TYPE_KEY_DECLARE(name)                                                                 \
    void name##_key_encode(const struct type *t, struct bytes v, struct buf *out);             \
    err_t name##_key_decode(const struct type *t, uint8_t tag, struct cur *c, struct arena *a, \
                            struct bytes *out);                                                \
    err_t name##_key_skip(const struct type *t, uint8_t tag, uint8_t mask, struct cur *c)

TYPE_KEY_DECLARE(fixed);
TYPE_KEY_DECLARE(boolean);
TYPE_KEY_DECLARE(inet);
TYPE_KEY_DECLARE(escaped);
TYPE_KEY_DECLARE(varint);
TYPE_KEY_DECLARE(decimal);
TYPE_KEY_DECLARE(sequence); /* list, set, map, tuple, udt */
TYPE_KEY_DECLARE(vector);

/* json_write.c, json_read.c: the forms that differ from the text in quotes. */
void plain_to_json(const struct type *t, struct bytes v, struct buf *out);
void text_to_json(const struct type *t, struct bytes v, struct buf *out);
void blob_to_json(const struct type *t, struct bytes v, struct buf *out);
void collection_to_json(const struct type *t, struct bytes v, struct buf *out);
void map_to_json(const struct type *t, struct bytes v, struct buf *out);
void tuple_to_json(const struct type *t, struct bytes v, struct buf *out);
void udt_to_json(const struct type *t, struct bytes v, struct buf *out);
void vector_to_json(const struct type *t, struct bytes v, struct buf *out);

#define TYPE_JSON_DECLARE(name)                                                         \
    err_t name##_from_json(const struct type *t, const struct json *j, struct arena *a, \
                           struct bytes *out, struct fail *fail)
TYPE_JSON_DECLARE(integer);
TYPE_JSON_DECLARE(number);
TYPE_JSON_DECLARE(boolean);
TYPE_JSON_DECLARE(string);
TYPE_JSON_DECLARE(timestamp);
TYPE_JSON_DECLARE(blob);
TYPE_JSON_DECLARE(list);
TYPE_JSON_DECLARE(map);
TYPE_JSON_DECLARE(tuple);
TYPE_JSON_DECLARE(udt);

/* --- shared helpers ---------------------------------------------------------------------------- */
/* True when v is UTF-8 as Cassandra's UTF8Serializer accepts it. */
bool utf8_valid(struct bytes v);
void hex_print(struct bytes v, struct buf *out);
/* Signed integer text as Integer.parseInt takes it (a sign, then digits). False when malformed or outside of [min, max]. */
bool integer_parse(struct bytes text, int64_t min, int64_t max, int64_t *out);
/* The integer in v's 1, 2, 4 or 8 bytes; 0 for any other length. */
int64_t integer_load(struct bytes v);
bool duration_parse(struct bytes text, int32_t *months, int32_t *days, int64_t *nanos,
                    struct fail *fail);
/* Cassandra's unsigned vint: bytes taken from p (at most n), 0 when it does not fit. */
size_t vint_read(const uint8_t *p, size_t n, uint64_t *out);
void vint_write(struct buf *b, uint64_t v);

static inline void put_str(struct buf *b, const char *s)
{
    buf_put_str(b, s);
}

#endif
