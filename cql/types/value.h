/* Taking serialised values apart and putting them together: collections, tuples, UDTs, vectors, numbers, uuids.
 * Readers never read past the end; on malformed bytes they set `bad` or return false. */
#ifndef CQL_TYPES_VALUE_H
#define CQL_TYPES_VALUE_H

#include "cql/types/type.h"

/* Elements of a serialised list, set (count) or map (2 × count: key, value, key, …), protocol v3+: [int n] then [int len][bytes]. */
struct collection_iter {
    struct cur cur;
    uint32_t left; /* elements still to come (a map: keys plus values) */
    bool bad;
};
/* t LIST, SET or MAP. Null or empty gives an empty iteration. */
struct collection_iter collection_iter(const struct type *t, struct bytes v);
/* False at the end or when bad. An element of length -1 gives null. */
bool collection_next(struct collection_iter *it, struct bytes *elem);
/* Number of elements (map: of entries); 0 for null or malformed. */
uint32_t collection_count(const struct type *t, struct bytes v);

/* A set or map with its elements in order of their type and without duplicates (of equal keys the last one wins), as Cassandra keeps
 * frozen ones; v itself when it already is so, and for lists. ERR_INVALID when v is malformed. */
MUST_USE err_t collection_sort(const struct type *t, struct bytes v, struct arena *a,
                               struct bytes *out);

/* Building: header (count elements, map: entries), then each element. */
static inline void collection_begin(struct buf *b, uint32_t count)
{
    buf_be32(b, count);
}
/* [int len][bytes], length -1 for null: also the fields of tuples and UDTs and the values of result rows. */
static inline void value_put(struct buf *b, struct bytes v)
{
    buf_be32(b, v.p ? (uint32_t)v.n : 0xFFFFFFFFu);
    if (v.n)
        buf_put_bytes(b, v);
}

/* Fields of a serialised tuple or UDT; missing trailing fields read as null. */
struct bytes tuple_field(struct bytes v, uint32_t index);
/* Element index of a vector; null when out of range or malformed. */
struct bytes vector_element(const struct type *t, struct bytes v, uint32_t index);
/* The next element of a vector read from its start; c->bad when there are fewer. */
struct bytes vector_next(const struct type *t, struct cur *c);
/* Appends one element of a vector (variable-length elements carry an unsigned vint length, as Cassandra's VectorType). */
void vector_put_element(const struct type *t, struct buf *b, struct bytes elem);

/* Fixed-size numbers. The value must have the right length. */
static inline int64_t value_i64(struct bytes v)
{
    return (int64_t)load_be64(v.p);
}
static inline int32_t value_i32(struct bytes v)
{
    return (int32_t)load_be32(v.p);
}
double value_double(struct bytes v);
float value_float(struct bytes v);
struct bytes value_of_i64(struct arena *a, int64_t x);
struct bytes value_of_i32(struct arena *a, int32_t x);
struct bytes value_of_i16(struct arena *a, int16_t x);
struct bytes value_of_i8(struct arena *a, int8_t x);
struct bytes value_of_double(struct arena *a, double x);
struct bytes value_of_float(struct arena *a, float x);
struct bytes value_of_bool(struct arena *a, bool x);

/* A duration's three signed vints (months, days, nanoseconds). False when malformed. */
bool value_duration(struct bytes v, int32_t *months, int32_t *days, int64_t *nanos);
struct bytes value_of_duration(struct arena *a, int32_t months, int32_t days, int64_t nanos);

/* Time UUIDs (RFC 4122 version 1). Milliseconds since the Unix epoch, and 100 ns ticks since 1582. */
int64_t uuid_time_ms(struct bytes uuid);
int64_t uuid_ticks(struct bytes uuid);
/* out: 16 bytes. clock_seq_node: the low 8 bytes as they are. */
void uuid_of_ticks(int64_t ticks, uint64_t clock_seq_node, uint8_t *out);
/* "xxxxxxxx-xxxx-…" (36 characters) of 16 bytes; parse is strict. */
void uuid_print(const uint8_t *uuid, struct buf *out);
bool uuid_parse(struct bytes text, uint8_t *out);

#endif
