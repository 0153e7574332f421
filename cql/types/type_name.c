/* How types and identifiers are written: CQL names and Cassandra's marshal class names. */
#include "cql/types/ops.h"
#include "cql/types/type.h"

#define MARSHAL "org.apache.cassandra.db.marshal."

static const char *const cql_names[TYPE_COUNT] = {
#define X(NAME, cql, protocol_id, length, class_name) [TYPE_##NAME] = cql,
#include "cql/types/types.def"
#undef X
};

static const char *const class_names[TYPE_COUNT] = {
#define X(NAME, cql, protocol_id, length, class_name) [TYPE_##NAME] = class_name,
#include "cql/types/types.def"
#undef X
};

static bool is_reserved(struct bytes name)
{
    static const char *const words[] = {
#define X(word) #word,
#include "cql/types/reserved.def"
#undef X
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes_equal_str(name, words[i]))
            return true;
    return false;
}

static bool is_plain_identifier(struct bytes name)
{
    if (name.n == 0 || name.p[0] < 'a' || name.p[0] > 'z')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return !is_reserved(name);
}

void identifier_print(struct bytes name, struct buf *out)
{
    if (is_plain_identifier(name)) {
        buf_put_bytes(out, name);
        return;
    }
    buf_u8(out, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            buf_u8(out, '"');
        buf_u8(out, name.p[i]);
    }
    buf_u8(out, '"');
}

static void print_params(const struct type *t, struct buf *out)
{
    buf_put_str(out, cql_names[t->id]);
    buf_u8(out, '<');
    for (unsigned i = 0; i < t->params_count; i++) {
        if (i)
            buf_put_str(out, ", ");
        type_print(t->params[i], out);
    }
    if (t->id == TYPE_VECTOR)
        buf_printf(out, ", %u", t->dimension);
    buf_u8(out, '>');
}

void type_print(const struct type *t, struct buf *out)
{
    bool wrapped = t->frozen && t->params_count > 0 && t->id != TYPE_VECTOR;
    if (t->id == TYPE_UDT)
        wrapped = t->frozen;
    if (wrapped)
        buf_put_str(out, "frozen<");
    if (t->id == TYPE_UDT) {
        identifier_print(t->name, out);
    } else if (t->id == TYPE_CUSTOM) {
        buf_u8(out, '\'');
        buf_put_bytes(out, t->name);
        buf_u8(out, '\'');
    } else if (t->params_count > 0) {
        print_params(t, out);
    } else {
        buf_put_str(out, cql_names[t->id]);
    }
    if (wrapped)
        buf_u8(out, '>');
}

struct bytes type_name(const struct type *t, struct arena *a)
{
    struct buf out = buf_in(a);
    type_print(t, &out);
    return buf_bytes(&out);
}

/* plain: within something frozen, where FrozenType is not repeated. */
static void print_class(const struct type *t, bool plain, struct buf *out)
{
    if (t->id == TYPE_CUSTOM) {
        buf_put_bytes(out, t->name);
        return;
    }
    bool freezable = type_is_collection(t) || t->id == TYPE_UDT;
    bool wrapped = !plain && freezable && t->frozen;
    bool inner_plain = plain || (freezable && t->frozen) || t->id == TYPE_TUPLE;
    if (wrapped)
        buf_put_str(out, MARSHAL "FrozenType(");
    buf_put_str(out, MARSHAL);
    buf_put_str(out, class_names[t->id]);
    if (t->params_count > 0 || t->id == TYPE_UDT || t->id == TYPE_TUPLE) {
        buf_u8(out, '(');
        if (t->id == TYPE_UDT) {
            buf_put_bytes(out, t->keyspace);
            buf_u8(out, ',');
            hex_print(t->name, out);
        }
        for (unsigned i = 0; i < t->params_count; i++) {
            if (i > 0 || t->id == TYPE_UDT)
                buf_u8(out, ',');
            if (t->id == TYPE_UDT) {
                hex_print(t->field_names[i], out);
                buf_u8(out, ':');
            }
            print_class(t->params[i], inner_plain, out);
        }
        if (t->id == TYPE_VECTOR)
            buf_printf(out, " , %u", t->dimension);
        buf_u8(out, ')');
    }
    if (wrapped)
        buf_u8(out, ')');
}

void type_print_class(const struct type *t, struct buf *out)
{
    print_class(t, false, out);
}
