/* CQL types: immutable descriptions, and what can be done with a value of each.
 *
 * A value is a struct bytes in the native protocol's serialisation (spec section 6); p == NULL is null. Multi-cell
 * (non-frozen) collections and UDTs have the same serialised form on the wire as frozen ones; only their storage differs.
 * All functions are pure, take the type first, and are safe on any bytes: type_validate() is called on what comes from
 * outside, the others ensure nothing and read nothing past the end even of invalid values. Threads: any. */
#ifndef CQL_TYPES_TYPE_H
#define CQL_TYPES_TYPE_H

#include "cql/base/arena.h"
#include "cql/base/buf.h"
#include "cql/base/err.h"

enum type_id {
#define X(name, cql, protocol_id, length, class_name) TYPE_##name,
#include "cql/types/types.def"
#undef X
    TYPE_COUNT
};

/* Nesting depth of types and of literals that any function here recurses into. */
#define TYPE_DEPTH_MAX 64

struct type {
    enum type_id id;
    bool frozen; /* LIST, SET, MAP, UDT: frozen<...>; TUPLE and VECTOR are always frozen (true) */
    uint16_t params_count; /* LIST, SET, VECTOR: 1; MAP: 2; TUPLE, UDT: number of fields */
    uint32_t dimension;    /* VECTOR */
    const struct type *const *params; /* element types, field types */
    struct bytes keyspace, name;      /* UDT: keyspace and type name; CUSTOM: name is the class */
    const struct bytes *field_names;  /* UDT */
};

/* The one description of a native type (never a collection, UDT, tuple, vector). */
const struct type *type_native(enum type_id id);
/* By CQL name, any case ("varchar" is TEXT); NULL when there is none. */
const struct type *type_native_by_name(struct bytes name);

/* Constructors; params must outlive the result (all are usually in one arena). */
const struct type *type_list(struct arena *a, const struct type *elem, bool frozen);
const struct type *type_set(struct arena *a, const struct type *elem, bool frozen);
const struct type *type_map(struct arena *a, const struct type *key, const struct type *value,
                            bool frozen);
const struct type *type_tuple(struct arena *a, const struct type *const *fields, uint16_t count);
const struct type *type_vector(struct arena *a, const struct type *elem, uint32_t dimension);
const struct type *type_udt(struct arena *a, struct bytes keyspace, struct bytes name,
                            const struct bytes *field_names, const struct type *const *fields,
                            uint16_t count, bool frozen);
/* t with frozen set, nested collections and UDTs too (as frozen<> does). */
const struct type *type_freeze(struct arena *a, const struct type *t);
/* t with only its own frozen flag cleared. */
const struct type *type_unfreeze(struct arena *a, const struct type *t);
/* A deep copy into a. */
const struct type *type_copy(struct arena *a, const struct type *t);

static inline bool type_is_collection(const struct type *t)
{
    return t->id == TYPE_LIST || t->id == TYPE_SET || t->id == TYPE_MAP;
}
/* Stored as one cell an element: a non-frozen collection or UDT. */
static inline bool type_is_multicell(const struct type *t)
{
    return (type_is_collection(t) || t->id == TYPE_UDT) && !t->frozen;
}
bool type_is_numeric(
    const struct type *t); /* integers incl. counter and varint, float, double, decimal */
/* Levels of nesting, 1 for a native. Whoever builds types from input refuses more than TYPE_DEPTH_MAX. */
unsigned type_depth(const struct type *t);
/* Same type, frozen flags included. UDTs by keyspace, name and fields. */
bool type_equal(const struct type *a, const struct type *b);
/* Same but for frozen at any level. */
bool type_equal_ignoring_frozen(const struct type *a, const struct type *b);
/* A value of `from` can be taken as one of `to` without conversion (Cassandra's isValueCompatibleWith): text from ascii, blob from
 * anything, varint from integers, timestamp↔bigint … */
bool type_value_compatible(const struct type *to, const struct type *from);
/* Does t contain (at any depth) a UDT named so / a duration / a counter. */
bool type_references_udt(const struct type *t, struct bytes keyspace, struct bytes name);
bool type_contains(const struct type *t, enum type_id id);
/* Bytes of every value of this type, or -1 when they vary (Cassandra's valueLengthIfFixed; decides a vector's layout). */
int type_fixed_length(const struct type *t);

/* "frozen<map<text, int>>", UDT names quoted where needed and without keyspace, as DESCRIBE and errors print them. */
void type_print(const struct type *t, struct buf *out);
struct bytes type_name(const struct type *t, struct arena *a); /* the same, in a */
/* "org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.Int32Type)": for custom ids on the wire. */
void type_print_class(const struct type *t, struct buf *out);

/* A name as CQL writes it: in double quotes when it is not [a-z][a-z0-9_]* or is a reserved word. */
void identifier_print(struct bytes name, struct buf *out);

/* ERR_INVALID with Cassandra's marshalling message when v is no serialised value of t. Null is always accepted.
 * Empty (n == 0) is accepted where Cassandra does (most natives). */
err_t type_validate(const struct type *t, struct bytes v, struct fail *fail);

/* Cassandra's comparator order (timeuuid by time, inet by bytes, decimal by value, …); both non-null; the empty value sorts first. */
int type_compare(const struct type *t, struct bytes a, struct bytes b);

/* CQL literal text of v as Cassandra's CQL3Type.toCQLLiteral prints it ('it''s', 0xcafe, {a: 1}, null). */
void type_to_literal(const struct type *t, struct bytes v, struct buf *out);
/* Plain text of v as AbstractType.getString does (text unquoted): what CAST(x AS text) and messages use. */
void type_to_text(const struct type *t, struct bytes v, struct buf *out);
/* Parses the content of a literal or a cqlsh-like text into a serialised value in a: '2015-05-03 13:30:54.234' for timestamps,
 * dotted quads for inet, digits for numbers, … Natives only. ERR_INVALID with Cassandra's message. */
err_t type_from_text(const struct type *t, struct bytes text, struct arena *a, struct bytes *out,
                     struct fail *fail);
/* JSON in Cassandra's toJson form (for a later SELECT JSON). */
void type_to_json(const struct type *t, struct bytes v, struct buf *out);
err_t type_from_json(const struct type *t, struct bytes json, struct arena *a, struct bytes *out,
                     struct fail *fail);

/* Order-preserving encoding for clustering keys: for non-null a, b of t, memcmp(encode(a), encode(b)) has the sign of
 * type_compare(t, a, b), inverted when desc; no encoding is a prefix of another one's; the first byte is never 0xFF or 0x00
 * (so prefix and prefix || 0xFF bound everything that extends prefix). Appends to out. Values that compare equal encode equal
 * (decimal 1.0 and 1.00): decode then gives the canonical one.
 * v must be valid. Source: after Cassandra's ByteComparable (CEP-7/13 design), with our own bytes. */
void type_key_encode(const struct type *t, struct bytes v, bool desc, struct buf *out);
/* Reads one encoded value from c; the value is in a (or points into the input where it can). ERR_CORRUPT when malformed. */
err_t type_key_decode(const struct type *t, bool desc, struct cur *c, struct arena *a,
                      struct bytes *out);
/* Skips one encoded value. */
err_t type_key_skip(const struct type *t, bool desc, struct cur *c);

#endif
