/* Type descriptions: the natives' constant ones, constructors in an arena, equality, compatibility. Names are in type_name.c,
 * what can be done with values behind ops.c. */
#include "cql/types/type.h"

#include "cql/base/arena.h"

static const struct type natives[TYPE_COUNT] = {
#define X(NAME, cql, protocol_id, length, class_name) [TYPE_##NAME] = {.id = TYPE_##NAME},
#include "cql/types/types.def"
#undef X
};

static const char *const cql_names[TYPE_COUNT] = {
#define X(NAME, cql, protocol_id, length, class_name) [TYPE_##NAME] = cql,
#include "cql/types/types.def"
#undef X
};

const struct type *type_native(enum type_id id)
{
    ensure(id < TYPE_LIST);
    return &natives[id];
}

const struct type *type_native_by_name(struct bytes name)
{
    if (bytes_equal_nocase(name, bytes_str("varchar")))
        return &natives[TYPE_TEXT];
    for (enum type_id id = 0; id < TYPE_LIST; id++)
        if (bytes_equal_nocase(name, bytes_str(cql_names[id])))
            return &natives[id];
    return NULL;
}

static struct type *type_with_params(struct arena *a, enum type_id id, bool frozen,
                                     const struct type *const *params, uint16_t count)
{
    struct type *t = arena_new(a, struct type);
    const struct type **copy = arena_alloc(a, sizeof *copy * count);
    if (count)
        memcpy(copy, params, sizeof *copy * count);
    t->id = id;
    t->frozen = frozen;
    t->params = copy;
    t->params_count = count;
    return t;
}

const struct type *type_list(struct arena *a, const struct type *elem, bool frozen)
{
    return type_with_params(a, TYPE_LIST, frozen, &elem, 1);
}

const struct type *type_set(struct arena *a, const struct type *elem, bool frozen)
{
    return type_with_params(a, TYPE_SET, frozen, &elem, 1);
}

const struct type *type_map(struct arena *a, const struct type *key, const struct type *value,
                            bool frozen)
{
    return type_with_params(a, TYPE_MAP, frozen, (const struct type *const[]){key, value}, 2);
}

const struct type *type_tuple(struct arena *a, const struct type *const *fields, uint16_t count)
{
    return type_with_params(a, TYPE_TUPLE, true, fields, count);
}

const struct type *type_vector(struct arena *a, const struct type *elem, uint32_t dimension)
{
    struct type *t = type_with_params(a, TYPE_VECTOR, true, &elem, 1);
    t->dimension = dimension;
    return t;
}

const struct type *type_udt(struct arena *a, struct bytes keyspace, struct bytes name,
                            const struct bytes *field_names, const struct type *const *fields,
                            uint16_t count, bool frozen)
{
    struct type *t = type_with_params(a, TYPE_UDT, frozen, fields, count);
    struct bytes *names = arena_alloc(a, sizeof *names * count);
    if (count)
        memcpy(names, field_names, sizeof *names * count);
    t->keyspace = keyspace;
    t->name = name;
    t->field_names = names;
    return t;
}

const struct type *type_freeze(struct arena *a, const struct type *t)
{
    if (t->params_count == 0 && (t->frozen || !type_is_multicell(t)))
        return t;
    struct type *out = arena_new(a, struct type);
    *out = *t;
    const struct type **params = arena_alloc(a, sizeof *params * t->params_count);
    for (unsigned i = 0; i < t->params_count; i++)
        params[i] = type_freeze(a, t->params[i]);
    out->params = params;
    out->frozen = true;
    return out;
}

const struct type *type_unfreeze(struct arena *a, const struct type *t)
{
    if (!t->frozen || !(type_is_collection(t) || t->id == TYPE_UDT))
        return t;
    struct type *out = arena_new(a, struct type);
    *out = *t;
    out->frozen = false;
    return out;
}

const struct type *type_copy(struct arena *a, const struct type *t)
{
    if (t == &natives[t->id])
        return t;
    struct type *out = arena_new(a, struct type);
    *out = *t;
    out->keyspace = arena_dup(a, t->keyspace);
    out->name = arena_dup(a, t->name);
    if (t->params) {
        const struct type **params = arena_alloc(a, sizeof *params * t->params_count);
        for (unsigned i = 0; i < t->params_count; i++)
            params[i] = type_copy(a, t->params[i]);
        out->params = params;
    }
    if (t->field_names) {
        struct bytes *names = arena_alloc(a, sizeof *names * t->params_count);
        for (unsigned i = 0; i < t->params_count; i++)
            names[i] = arena_dup(a, t->field_names[i]);
        out->field_names = names;
    }
    return out;
}

bool type_is_numeric(const struct type *t)
{
    switch (t->id) {
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_COUNTER:
    case TYPE_VARINT:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL: return true;
    default: return false;
    }
}

unsigned type_depth(const struct type *t)
{
    unsigned deepest = 0;
    for (unsigned i = 0; i < t->params_count; i++) {
        unsigned d = type_depth(t->params[i]);
        if (d > deepest)
            deepest = d;
    }
    return deepest + 1;
}

static bool equal(const struct type *a, const struct type *b, bool frozen_counts)
{
    if (a == b)
        return true;
    if (a->id != b->id || a->params_count != b->params_count || a->dimension != b->dimension)
        return false;
    if (frozen_counts && a->frozen != b->frozen)
        return false;
    if (a->id == TYPE_UDT && !bytes_equal(a->keyspace, b->keyspace))
        return false;
    if ((a->id == TYPE_UDT || a->id == TYPE_CUSTOM) && !bytes_equal(a->name, b->name))
        return false;
    for (unsigned i = 0; i < a->params_count; i++) {
        if (a->id == TYPE_UDT && !bytes_equal(a->field_names[i], b->field_names[i]))
            return false;
        if (!equal(a->params[i], b->params[i], frozen_counts))
            return false;
    }
    return true;
}

bool type_equal(const struct type *a, const struct type *b)
{
    return equal(a, b, true);
}

bool type_equal_ignoring_frozen(const struct type *a, const struct type *b)
{
    return equal(a, b, false);
}

/* AbstractType.isCompatibleWith: values of `from` also sort the same as ones of `to`. */
static bool order_compatible(const struct type *to, const struct type *from)
{
    if (type_equal(to, from))
        return true;
    switch (to->id) {
    case TYPE_TEXT: return from->id == TYPE_ASCII;
    case TYPE_BLOB: return from->id == TYPE_ASCII || from->id == TYPE_TEXT;
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        if (from->id != to->id || !to->frozen || !from->frozen)
            return false;
        for (unsigned i = 0; i < to->params_count; i++)
            if (!order_compatible(to->params[i], from->params[i]))
                return false;
        return true;
    case TYPE_TUPLE:
        if (from->id != TYPE_TUPLE || to->params_count < from->params_count)
            return false;
        for (unsigned i = 0; i < from->params_count; i++)
            if (!order_compatible(to->params[i], from->params[i]))
                return false;
        return true;
    default: return false;
    }
}

static bool serialization_compatible(const struct type *to, const struct type *from)
{
    if (to->id == TYPE_BLOB && (type_is_collection(from) || from->id == TYPE_UDT))
        return false;
    return type_value_compatible(to, from) && type_fixed_length(to) == type_fixed_length(from) &&
           type_is_multicell(to) == type_is_multicell(from);
}

static bool collection_compatible(const struct type *to, const struct type *from)
{
    if (from->id != to->id || to->frozen != from->frozen)
        return false;
    const struct type *to_value = to->params[to->params_count - 1];
    const struct type *from_value = from->params[from->params_count - 1];
    if (to->id == TYPE_MAP && !order_compatible(to->params[0], from->params[0]))
        return false;
    if (to->id == TYPE_SET)
        return order_compatible(to_value, from_value);
    return to->frozen ? type_value_compatible(to_value, from_value)
                      : serialization_compatible(to_value, from_value);
}

bool type_value_compatible(const struct type *to, const struct type *from)
{
    if (type_equal(to, from))
        return true;
    enum type_id id = from->id;
    switch (to->id) {
    case TYPE_BLOB: return true;
    case TYPE_TEXT: return id == TYPE_ASCII;
    case TYPE_BIGINT: return id == TYPE_TIMESTAMP;
    case TYPE_TIMESTAMP:
    case TYPE_TIME: return id == TYPE_BIGINT;
    case TYPE_DATE: return id == TYPE_INT;
    case TYPE_VARINT: return id == TYPE_INT || id == TYPE_BIGINT || id == TYPE_TIMESTAMP;
    case TYPE_UUID: return id == TYPE_TIMEUUID;
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP: return collection_compatible(to, from);
    case TYPE_TUPLE:
        if ((id != TYPE_TUPLE && id != TYPE_UDT) || to->params_count < from->params_count)
            return false;
        for (unsigned i = 0; i < from->params_count; i++)
            if (!type_value_compatible(to->params[i], from->params[i]))
                return false;
        return true;
    case TYPE_UDT:
        if (id != TYPE_UDT || to->frozen != from->frozen || to->params_count < from->params_count ||
            !bytes_equal(to->keyspace, from->keyspace))
            return false;
        for (unsigned i = 0; i < from->params_count; i++)
            if (!order_compatible(to->params[i], from->params[i]))
                return false;
        return true;
    default: return false;
    }
}

bool type_references_udt(const struct type *t, struct bytes keyspace, struct bytes name)
{
    if (t->id == TYPE_UDT && bytes_equal(t->name, name) && bytes_equal(t->keyspace, keyspace))
        return true;
    for (unsigned i = 0; i < t->params_count; i++)
        if (type_references_udt(t->params[i], keyspace, name))
            return true;
    return false;
}

bool type_contains(const struct type *t, enum type_id id)
{
    if (t->id == id)
        return true;
    for (unsigned i = 0; i < t->params_count; i++)
        if (type_contains(t->params[i], id))
            return true;
    return false;
}

/* Not the lengths of types.def: Cassandra counts tinyint, smallint, date and time as varying, and a vector's layout depends on it. */
int type_fixed_length(const struct type *t)
{
    switch (t->id) {
    case TYPE_BOOLEAN: return 1;
    case TYPE_INT:
    case TYPE_FLOAT: return 4;
    case TYPE_BIGINT:
    case TYPE_DOUBLE:
    case TYPE_TIMESTAMP: return 8;
    case TYPE_UUID:
    case TYPE_TIMEUUID: return 16;
    case TYPE_EMPTY: return 0;
    case TYPE_VECTOR: {
        int n = type_fixed_length(t->params[0]);
        int64_t total = (int64_t)n * t->dimension;
        return n < 0 || total > INT32_MAX ? -1 : (int)total;
    }
    default: return -1;
    }
}
