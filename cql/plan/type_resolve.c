/* Types as written to types as meant. See type_resolve.h; the rules are those of Cassandra's CQL3Type.Raw. */
#include "cql/plan/type_resolve.h"

#include <errno.h>
#include <stdlib.h>

struct resolver {
    const struct schema *schema;
    struct bytes keyspace;
    struct arena *arena;
    struct fail *fail;
    size_t parts; /* so far, user types expanded: counted before they are copied */
};

static const struct ast_type *without_frozen(const struct ast_type *t)
{
    while (t->kind == AST_TYPE_FROZEN)
        t = t->args[0];
    return t;
}

static bool is_native(const struct ast_type *t, const char *name)
{
    return t->kind == AST_TYPE_NATIVE && bytes_equal_nocase(t->name, bytes_str(name));
}

bool plan_raw_type_is_counter(const struct ast_type *type)
{
    return is_native(type, "counter");
}

static bool supports_freezing(const struct ast_type *t)
{
    t = without_frozen(t);
    return t->kind != AST_TYPE_NATIVE && t->kind != AST_TYPE_CUSTOM;
}

static bool is_collection(const struct ast_type *t)
{
    return t->kind == AST_TYPE_LIST || t->kind == AST_TYPE_SET || t->kind == AST_TYPE_MAP;
}

/* --- Printing --------------------------------------------------------------------------------- */

static void print_raw(const struct ast_type *t, bool frozen, struct bytes keyspace,
                      struct buf *out);

static void print_args(const char *name, const struct ast_type *t, bool frozen,
                       struct bytes keyspace, struct buf *out)
{
    buf_put_str(out, name);
    for (size_t i = 0; i < t->args_count; i++) {
        buf_put_str(out, i ? ", " : "<");
        print_raw(t->args[i], frozen, keyspace, out);
    }
    if (t->kind == AST_TYPE_VECTOR)
        buf_printf(out, ", %d", t->dimension);
    buf_u8(out, '>');
}

static void print_raw(const struct ast_type *t, bool frozen, struct bytes keyspace, struct buf *out)
{
    bool wrap = frozen && (is_collection(t) || t->kind == AST_TYPE_USER);
    if (wrap)
        buf_put_str(out, "frozen<");
    switch (t->kind) {
    case AST_TYPE_NATIVE: buf_put_bytes(out, t->name); break;
    case AST_TYPE_CUSTOM: buf_printf(out, "'%.*s'", BYTES_FMT(t->name)); break;
    case AST_TYPE_LIST: print_args("list", t, frozen, keyspace, out); break;
    case AST_TYPE_SET: print_args("set", t, frozen, keyspace, out); break;
    case AST_TYPE_MAP: print_args("map", t, frozen, keyspace, out); break;
    case AST_TYPE_TUPLE: print_args("tuple", t, true, keyspace, out); break;
    case AST_TYPE_VECTOR: print_args("vector", t, false, keyspace, out); break;
    case AST_TYPE_FROZEN: print_raw(t->args[0], true, keyspace, out); break;
    case AST_TYPE_USER:
        if (ast_name_present(t->user.keyspace))
            keyspace = t->user.keyspace.text;
        if (keyspace.p)
            buf_printf(out, "%.*s.", BYTES_FMT(keyspace));
        buf_put_bytes(out, t->user.name.text);
        break;
    }
    if (wrap)
        buf_u8(out, '>');
}

void plan_print_raw_type(const struct ast_type *type, struct bytes keyspace, struct buf *out)
{
    print_raw(type, false, keyspace, out);
}

static struct bytes raw_text(struct resolver *r, const struct ast_type *t, bool frozen)
{
    struct buf b = buf_in(r->arena);
    print_raw(t, frozen, BYTES_NULL, &b);
    return buf_bytes(&b);
}

bool plan_raw_type_references(const struct ast_type *type, struct bytes name)
{
    if (type->kind == AST_TYPE_USER)
        return bytes_equal(type->user.name.text, name);
    for (size_t i = 0; i < type->args_count; i++)
        if (plan_raw_type_references(type->args[i], name))
            return true;
    return false;
}

/* --- Class names in quotes -------------------------------------------------------------------- */

#define MARSHAL "org.apache.cassandra.db.marshal."

static const struct {
    const char *name;
    enum type_id id;
} classes[] = {
#define X(id, cql, protocol_id, length, class_name) {class_name, TYPE_##id},
#include "cql/types/types.def"
#undef X
};

static void skip_spaces(struct cur *c)
{
    while (c->p < c->end && *c->p == ' ')
        c->p++;
}

static bool take(struct cur *c, char ch)
{
    skip_spaces(c);
    if (c->p == c->end || *c->p != (uint8_t)ch)
        return false;
    c->p++;
    return true;
}

static struct bytes class_word(struct cur *c)
{
    skip_spaces(c);
    const uint8_t *from = c->p;
    while (c->p < c->end && !memchr("(), ", *c->p, 4))
        c->p++;
    struct bytes word = bytes_of(from, (size_t)(c->p - from));
    return bytes_starts_with(word, bytes_str(MARSHAL)) ? bytes_skip(word, strlen(MARSHAL)) : word;
}

static const struct type *parse_class(struct resolver *r, struct cur *c, bool frozen,
                                      unsigned depth);

static size_t class_params(struct resolver *r, struct cur *c, const struct type **params,
                           size_t max, bool frozen, unsigned depth)
{
    size_t count = 0;
    if (!take(c, '('))
        return 0;
    do {
        if (count == max || !(params[count++] = parse_class(r, c, frozen, depth + 1)))
            return 0;
    } while (take(c, ','));
    return take(c, ')') ? count : 0;
}

static const struct type *class_vector(struct resolver *r, struct cur *c, unsigned depth)
{
    if (!take(c, '('))
        return NULL;
    const struct type *element = parse_class(r, c, false, depth + 1);
    if (!element || !take(c, ','))
        return NULL;
    struct bytes digits = class_word(c);
    uint64_t dimension = 0;
    if (digits.n == 0 || digits.n > 9)
        return NULL;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return NULL;
        dimension = dimension * 10 + (digits.p[i] - '0');
    }
    return dimension && take(c, ')') ? type_vector(r->arena, element, (uint32_t)dimension) : NULL;
}

/* NULL when it is not a class that stands for a CQL type. */
static const struct type *parse_class(struct resolver *r, struct cur *c, bool frozen,
                                      unsigned depth)
{
    if (depth > TYPE_DEPTH_MAX)
        return NULL;
    struct bytes word = class_word(c);
    const struct type *params[32];
    if (bytes_equal_str(word, "FrozenType"))
        return class_params(r, c, params, 1, true, depth) ? params[0] : NULL;
    enum type_id id = TYPE_CUSTOM;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (bytes_equal_str(word, classes[i].name))
            id = classes[i].id;
    switch (id) {
    case TYPE_LIST:
    case TYPE_SET:
        if (class_params(r, c, params, 1, frozen, depth) != 1)
            return NULL;
        return (id == TYPE_LIST ? type_list : type_set)(r->arena, params[0], frozen);
    case TYPE_MAP:
        if (class_params(r, c, params, 2, frozen, depth) != 2)
            return NULL;
        return type_map(r->arena, params[0], params[1], frozen);
    case TYPE_TUPLE: {
        size_t count = class_params(r, c, params, 32, true, depth);
        const struct type **kept = arena_array(r->arena, const struct type *, count);
        if (count)
            memcpy(kept, params, count * sizeof *kept);
        return count ? type_tuple(r->arena, kept, (uint16_t)count) : NULL;
    }
    case TYPE_VECTOR: return class_vector(r, c, depth);
    case TYPE_UDT:
    case TYPE_CUSTOM:
    case TYPE_EMPTY: return NULL;
    default: return type_native(id);
    }
}

/* Classes that Cassandra has and that have no name in CQL. */
static bool is_known_class(struct bytes name)
{
    static const char *const known[] = {"CompositeType",      "DynamicCompositeType",
                                        "ReversedType",       "DateType",
                                        "LexicalUUIDType",    "PartitionerDefinedOrder",
                                        "LegacyTimeUUIDType", "ColumnToCollectionType",
                                        "EmptyType",          "UserType"};
    struct cur c = cur_of(name);
    struct bytes word = class_word(&c);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bytes_equal_str(word, known[i]))
            return true;
    return false;
}

static err_t resolve_class(struct resolver *r, struct bytes name, const struct type **out)
{
    struct cur c = cur_of(name);
    const struct type *t = parse_class(r, &c, false, 0);
    skip_spaces(&c);
    if (t && cur_at_end(&c)) {
        *out = t;
        return OK;
    }
    if (is_known_class(name))
        return fail_set(r->fail, ERR_INVALID, "The custom type '%.*s' is not implemented",
                        BYTES_FMT(name));
    bool qualified = name.n && memchr(name.p, '.', name.n);
    return fail_set(r->fail, ERR_SYNTAX,
                    "Error setting type %.*s: Unable to find abstract-type class '%s%.*s'",
                    BYTES_FMT(name), qualified ? "" : MARSHAL, BYTES_FMT(name));
}

static err_t too_big(struct fail *fail)
{
    return fail_set(fail, ERR_INVALID,
                    "A type may nest at most %d levels and have at most %d parts", TYPE_DEPTH_MAX,
                    SCHEMA_TYPE_PARTS_MAX);
}

/* --- Resolving --------------------------------------------------------------------------------- */

static err_t resolve(struct resolver *r, const struct ast_type *t, bool frozen,
                     const struct type **out);

static err_t check_element(struct resolver *r, const struct ast_type *t,
                           const struct ast_type *element, bool frozen)
{
    if (!frozen && element->kind != AST_TYPE_FROZEN) {
        if (is_collection(element))
            return fail_set(r->fail, ERR_INVALID,
                            "Non-frozen collections are not allowed inside collections: %.*s",
                            BYTES_FMT(raw_text(r, t, frozen)));
        if (element->kind == AST_TYPE_USER)
            return fail_set(r->fail, ERR_INVALID,
                            "Non-frozen UDTs are not allowed inside collections: %.*s",
                            BYTES_FMT(raw_text(r, t, frozen)));
    }
    if (is_native(element, "counter"))
        return fail_set(r->fail, ERR_INVALID, "Counters are not allowed inside collections: %.*s",
                        BYTES_FMT(raw_text(r, t, frozen)));
    return OK;
}

static err_t resolve_collection(struct resolver *r, const struct ast_type *t, bool frozen,
                                const struct type **out)
{
    const struct ast_type *value = t->args[t->args_count - 1];
    TRY(check_element(r, t, value, frozen));
    if (t->kind == AST_TYPE_SET && is_native(value, "duration"))
        return fail_set(r->fail, ERR_INVALID, "Durations are not allowed inside sets: %.*s",
                        BYTES_FMT(raw_text(r, t, frozen)));
    const struct type *key_type = NULL, *value_type;
    if (t->kind == AST_TYPE_MAP) {
        if (is_native(t->args[0], "duration"))
            return fail_set(r->fail, ERR_INVALID, "Durations are not allowed as map keys: %.*s",
                            BYTES_FMT(raw_text(r, t, frozen)));
        TRY(check_element(r, t, t->args[0], frozen));
    }
    TRY(resolve(r, value, frozen, &value_type));
    if (t->kind == AST_TYPE_MAP)
        TRY(resolve(r, t->args[0], frozen, &key_type));
    switch (t->kind) {
    case AST_TYPE_LIST: *out = type_list(r->arena, value_type, frozen); break;
    case AST_TYPE_SET: *out = type_set(r->arena, value_type, frozen); break;
    default: *out = type_map(r->arena, key_type, value_type, frozen); break;
    }
    return OK;
}

static err_t resolve_tuple(struct resolver *r, const struct ast_type *t, const struct type **out)
{
    if (t->args_count > 32768)
        return fail_set(r->fail, ERR_INVALID, "Too many fields in a tuple: %zu", t->args_count);
    const struct type **fields = arena_array(r->arena, const struct type *, t->args_count);
    for (size_t i = 0; i < t->args_count; i++) {
        if (is_native(t->args[i], "counter"))
            return fail_set(r->fail, ERR_INVALID, "Counters are not allowed inside tuples");
        TRY(resolve(r, t->args[i], true, &fields[i]));
    }
    *out = type_tuple(r->arena, fields, (uint16_t)t->args_count);
    return OK;
}

static err_t resolve_vector(struct resolver *r, const struct ast_type *t, const struct type **out)
{
    if (t->dimension <= 0)
        return fail_set(r->fail, ERR_INVALID, "vectors may only have positive dimensions; given %d",
                        t->dimension);
    const struct type *element;
    TRY(resolve(r, t->args[0], false, &element));
    *out = type_vector(r->arena, element, (uint32_t)t->dimension);
    return OK;
}

static err_t resolve_user(struct resolver *r, const struct ast_type *t, bool frozen,
                          const struct type **out)
{
    struct bytes keyspace =
        ast_name_present(t->user.keyspace) ? t->user.keyspace.text : r->keyspace;
    struct bytes name = t->user.name.text;
    if (!bytes_equal(keyspace, r->keyspace))
        return fail_set(r->fail, ERR_INVALID,
                        "Statement on keyspace %.*s cannot refer to a user type in keyspace %.*s; "
                        "user types can only be "
                        "used in the keyspace they are defined in",
                        BYTES_FMT(r->keyspace), BYTES_FMT(keyspace));
    const struct keyspace *ks = schema_keyspace(r->schema, keyspace);
    if (!ks)
        return fail_set(r->fail, ERR_CONFIG, "Keyspace %.*s doesn't exist", BYTES_FMT(keyspace));
    const struct user_type *ut = keyspace_type(ks, name);
    if (!ut)
        return fail_set(r->fail, ERR_INVALID, "Unknown type %.*s.%.*s", BYTES_FMT(keyspace),
                        BYTES_FMT(name));
    if (!schema_count_type_parts(ut->type, &r->parts))
        return too_big(r->fail);
    *out = frozen ? type_freeze(r->arena, ut->type) : ut->type;
    return OK;
}

static err_t resolve(struct resolver *r, const struct ast_type *t, bool frozen,
                     const struct type **out)
{
    if (++r->parts > SCHEMA_TYPE_PARTS_MAX)
        return too_big(r->fail);
    switch (t->kind) {
    case AST_TYPE_NATIVE:
        *out = type_native_by_name(t->name);
        if (!*out)
            return fail_set(r->fail, ERR_INVALID, "Unknown type %.*s", BYTES_FMT(t->name));
        return OK;
    case AST_TYPE_CUSTOM: return resolve_class(r, t->name, out);
    case AST_TYPE_LIST:
    case AST_TYPE_SET:
    case AST_TYPE_MAP: return resolve_collection(r, t, frozen, out);
    case AST_TYPE_TUPLE: return resolve_tuple(r, t, out);
    case AST_TYPE_VECTOR: return resolve_vector(r, t, out);
    case AST_TYPE_USER: return resolve_user(r, t, frozen, out);
    case AST_TYPE_FROZEN:
        if (!supports_freezing(t))
            return fail_set(r->fail, ERR_SYNTAX,
                            "frozen<> is only allowed on collections, tuples, and user-defined "
                            "types (got %.*s)",
                            BYTES_FMT(raw_text(r, t->args[0], true)));
        return resolve(r, t->args[0], true, out);
    }
    ensure(!"a kind of type");
    return ERR_SERVER;
}

err_t plan_resolve_type(const struct ast_type *type, const struct schema *schema,
                        struct bytes keyspace, struct arena *arena, const struct type **out,
                        struct fail *fail)
{
    if (type->depth > TYPE_DEPTH_MAX)
        return too_big(fail);
    struct resolver r = {schema, keyspace, arena, fail, 0};
    TRY(resolve(&r, type, false, out));
    return schema_check_type_size(*out, fail);
}
