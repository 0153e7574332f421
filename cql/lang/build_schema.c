/* What the grammar's actions do for schema and access statements. See build.c. */
#include "cql/base/map.h"
#include "cql/lang/parse_priv.h"

static struct vec *vec_of(struct parse *p, struct vec *v)
{
    return v ? v : arena_new(p->arena, struct vec);
}

/* --- Properties ------------------------------------------------------------------------------- */

/* A term as Cassandra shows it in these messages: a marker is always `?`. */
static struct bytes shown(struct parse *p, const struct ast_term *t)
{
    if (t->kind == AST_TERM_MARKER) {
        return bytes_str("?");
    }
    struct buf out = buf_in(p->arena);
    ast_print_term(&out, t);
    return buf_bytes(&out);
}

static const char *marker_hint(const struct ast_term *t)
{
    return t->kind == AST_TERM_MARKER ? " (bind variables are not supported in DDL queries)" : "";
}

static bool is_constant(const struct ast_term *t)
{
    return t->kind == AST_TERM_LITERAL && t->literal.kind != AST_LITERAL_NULL;
}

/* entries (NULL: none) must be constants and their keys differ. */
static void property_entries(struct parse *p, const struct vec *entries,
                             struct ast_property_entry **items_out, size_t *count_out)
{
    *items_out = NULL;
    *count_out = 0;
    if (entries == NULL) {
        return;
    }
    const struct ast_map_entry *from = entries->items;
    struct ast_property_entry *items =
        arena_array(p->arena, struct ast_property_entry, entries->count);
    struct map seen = {.seed = (uintptr_t)p->text.p};
    for (size_t i = 0; i < entries->count && p->err == OK; i++) {
        const struct ast_term *key = from[i].key, *value = from[i].value;
        if (!is_constant(key)) {
            struct bytes text = shown(p, key);
            parse_error(p, "Invalid property name: %.*s%s", BYTES_FMT(text), marker_hint(key));
        } else if (!is_constant(value)) {
            struct bytes text = shown(p, value), name = shown(p, key);
            parse_error(p, "Invalid property value: %.*s for property: %.*s%s", BYTES_FMT(text),
                        BYTES_FMT(name), marker_hint(value));
        } else {
            items[i] = (struct ast_property_entry){key->literal, value->literal};
            if (map_put(&seen, key->literal.text, &items[i])) {
                parse_error(p, "Multiple definition for property %.*s",
                            BYTES_FMT(key->literal.text));
            }
        }
    }
    map_free(&seen);
    *items_out = items;
    *count_out = entries->count;
}

static struct ast_property *property_new(struct parse *p, struct bytes name)
{
    struct ast_property *x = arena_new(p->arena, struct ast_property);
    x->name = build_name(p, name);
    x->source = build_source(p, name.p);
    return x;
}

struct ast_property *build_property_value(struct parse *p, struct bytes name,
                                          struct ast_literal value, bool keyword)
{
    struct ast_property *x = property_new(p, name);
    x->value = value;
    x->is_keyword = keyword;
    return x;
}

struct ast_property *build_property_map_value(struct parse *p, struct bytes name,
                                              const struct vec *entries)
{
    struct ast_property *x = property_new(p, name);
    x->is_map = true;
    property_entries(p, entries, &x->entries, &x->entries_count);
    return x;
}

/* Appends to a plain array whose capacity is the next power of two from 4 on. */
static void *array_add(struct parse *p, void **items, size_t *count, size_t size)
{
    size_t n = *count;
    struct vec v = {*items, n, n < 4 ? (n ? 4 : 0) : (size_t)1 << (64 - __builtin_clzll(n - 1))};
    void *slot = vec_add(p->arena, &v, size);
    *items = v.items;
    *count = v.count;
    return slot;
}
#define ARRAY_ADD(p, items, T) ((T *)array_add((p), (void **)&(items), &(items##_count), sizeof(T)))

static struct ast_properties *properties_of(struct parse *p, struct ast_properties *with)
{
    return with ? with : arena_new(p->arena, struct ast_properties);
}

struct ast_properties *build_property(struct parse *p, struct ast_properties *with,
                                      const struct ast_property *property)
{
    with = properties_of(p, with);
    /* few: Cassandra has some thirty options in all, and the first repetition ends this */
    for (size_t i = 0; i < with->items_count && i < 1000; i++) {
        if (bytes_equal(with->items[i].name.text, property->name.text)) {
            parse_error(p, "Multiple definitions for property '%.*s'",
                        BYTES_FMT(property->name.text));
        }
    }
    if (with->items_count == 1000) {
        parse_error(p, "Too many properties");
        return with;
    }
    *ARRAY_ADD(p, with->items, struct ast_property) = *property;
    return with;
}

struct ast_properties *build_compact(struct parse *p, struct ast_properties *with)
{
    with = properties_of(p, with);
    with->compact_storage = true;
    return with;
}

struct vec *build_clustering_column(struct parse *p, struct vec *v, struct bytes column,
                                    bool descending)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_clustering_order) =
        (struct ast_clustering_order){build_name(p, column), descending};
    return v;
}

struct ast_properties *build_clustering(struct parse *p, struct ast_properties *with,
                                        const struct vec *order)
{
    with = properties_of(p, with);
    const struct ast_clustering_order *items = order->items;
    for (size_t i = 0; i < order->count; i++) {
        *ARRAY_ADD(p, with->clustering_order, struct ast_clustering_order) = items[i];
    }
    return with;
}

/* --- Keyspaces, tables, types, indexes -------------------------------------------------------- */

struct ast_statement *build_keyspace(struct parse *p, enum ast_statement_kind kind,
                                     struct bytes keyword, bool if_exists, struct bytes name,
                                     const struct ast_properties *with)
{
    struct ast_statement *s = build_statement(p, kind, keyword.p);
    s->keyspace.name = build_keyspace_name(p, name);
    s->keyspace.if_exists = if_exists;
    if (with) {
        s->keyspace.with = *with;
    }
    return s;
}

struct ast_create_table *build_table_key(struct parse *p, struct ast_create_table *t,
                                         const struct ast_primary_key *k)
{
    if (t == NULL) {
        t = arena_new(p->arena, struct ast_create_table);
    }
    *ARRAY_ADD(p, t->primary_keys, struct ast_primary_key) = *k;
    return t;
}

struct ast_create_table *build_table_column(struct parse *p, struct ast_create_table *t,
                                            const struct ast_column_def *c)
{
    if (t == NULL) {
        t = arena_new(p->arena, struct ast_create_table);
    }
    *ARRAY_ADD(p, t->columns, struct ast_column_def) = *c;
    if (c->primary_key) {
        struct ast_primary_key k = {.partition_count = 1, .inline_column = true};
        k.partition = arena_new(p->arena, struct ast_name);
        *k.partition = c->name;
        build_table_key(p, t, &k);
    }
    return t;
}

struct ast_mask *build_mask(struct parse *p, const struct ast_qualified_name *function,
                            const struct vec *args)
{
    struct ast_mask *m = arena_new(p->arena, struct ast_mask);
    m->is_default = function == NULL;
    if (function) {
        m->function = *function;
    } else {
        m->function.name.text = bytes_str("mask_default");
    }
    VEC_MOVE(m->args.items, args);
    return m;
}

struct ast_primary_key *build_primary_key(struct parse *p, const struct vec *partition,
                                          const struct vec *clustering)
{
    struct ast_primary_key *k = arena_new(p->arena, struct ast_primary_key);
    VEC_MOVE(k->partition, partition);
    VEC_MOVE(k->clustering, clustering);
    return k;
}

struct ast_alter_table *build_alter_table(struct parse *p, enum ast_alter_table_kind kind,
                                          bool if_column, const struct vec *names)
{
    struct ast_alter_table *t = arena_new(p->arena, struct ast_alter_table);
    t->kind = kind;
    t->if_column = if_column;
    VEC_MOVE(t->names, names);
    return t;
}

struct ast_alter_table *build_alter_mask(struct parse *p, bool if_column, struct bytes column,
                                         struct ast_mask *mask)
{
    struct ast_alter_table *t =
        build_alter_table(p, mask ? AST_ALTER_TABLE_MASK : AST_ALTER_TABLE_DROP_MASK, if_column,
                          build_names(p, NULL, column));
    t->mask = mask;
    return t;
}

struct vec *build_renames(struct parse *p, struct vec *v, struct bytes from, struct bytes to)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_rename) = (struct ast_rename){build_name(p, from), build_name(p, to)};
    return v;
}

struct ast_statement *build_drop(struct parse *p, enum ast_statement_kind kind,
                                 struct bytes keyword, bool if_exists,
                                 const struct ast_qualified_name *name)
{
    struct ast_statement *s = build_statement(p, kind, keyword.p);
    s->drop.name = *name;
    s->drop.if_exists = if_exists;
    return s;
}

_Static_assert(sizeof(struct ast_field_def) == sizeof(struct ast_function_arg) &&
                   offsetof(struct ast_field_def, type) == offsetof(struct ast_function_arg, type),
               "one function builds both");

struct vec *build_field_def(struct parse *p, struct vec *v, struct bytes name,
                            struct ast_type *type)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct ast_field_def) = (struct ast_field_def){build_name(p, name), type};
    return v;
}

struct ast_alter_type *build_alter_type(struct parse *p, enum ast_alter_type_kind kind,
                                        bool if_field, struct bytes name, struct ast_type *type)
{
    struct ast_alter_type *t = arena_new(p->arena, struct ast_alter_type);
    t->kind = kind;
    t->if_field = if_field;
    if (name.p) {
        t->field = (struct ast_field_def){build_name(p, name), type};
    }
    return t;
}

struct ast_index_target *build_index_target(struct parse *p, enum ast_index_target_kind kind,
                                            struct bytes column)
{
    struct ast_index_target *t = arena_new(p->arena, struct ast_index_target);
    t->kind = kind;
    t->column = build_name(p, column);
    return t;
}

/* --- Roles and permissions -------------------------------------------------------------------- */

struct vec *build_texts(struct parse *p, struct vec *v, struct bytes token)
{
    v = vec_of(p, v);
    *VEC_ADD(p, v, struct bytes) = build_string(p, token);
    return v;
}

static struct ast_role_option *role_option_new(struct parse *p, enum ast_role_option_kind kind)
{
    struct ast_role_option *o = arena_new(p->arena, struct ast_role_option);
    o->kind = kind;
    return o;
}

struct ast_role_option *build_role_text(struct parse *p, enum ast_role_option_kind kind,
                                        struct bytes token)
{
    struct ast_role_option *o = role_option_new(p, kind);
    o->text = build_string(p, token);
    return o;
}

struct ast_role_option *build_role_flag(struct parse *p, enum ast_role_option_kind kind,
                                        struct bytes token)
{
    struct ast_role_option *o = role_option_new(p, kind);
    o->flag = token.n == 4; /* true */
    return o;
}

struct ast_role_option *build_role_map(struct parse *p, const struct vec *entries)
{
    struct ast_role_option *o = role_option_new(p, AST_ROLE_OPTIONS);
    property_entries(p, entries, &o->entries, &o->entries_count);
    return o;
}

struct ast_role_option *build_role_access(struct parse *p, enum ast_role_option_kind kind,
                                          const struct vec *texts)
{
    struct ast_role_option *o = role_option_new(p, kind);
    VEC_MOVE(o->texts, texts);
    return o;
}

struct vec *build_role_option(struct parse *p, struct vec *v, const struct ast_role_option *option)
{
    static const char *const names[] = {"PASSWORD", "HASHED_PASSWORD", "OPTIONS", "SUPERUSER",
                                        "LOGIN"};
    v = vec_of(p, v);
    struct ast_role_option *items = v->items;
    for (size_t i = 0; i < v->count; i++) {
        if (items[i].kind != option->kind) {
            continue;
        }
        if (option->kind <= AST_ROLE_LOGIN) {
            parse_error(p, "Multiple definition for property '%s'", names[option->kind]);
        } else if (option->kind == AST_ROLE_DATACENTERS) {
            parse_error_failed(p, "IllegalArgumentException", "DCs have already been set");
        } else {
            items[i] = *option; /* CIDRS: the last one counts */
        }
        return v; /* so v never grows past one option a kind */
    }
    *VEC_ADD(p, v, struct ast_role_option) = *option;
    return v;
}

struct ast_statement *build_role_statement(struct parse *p, enum ast_statement_kind kind,
                                           struct bytes keyword, bool if_exists,
                                           struct ast_name name, const struct vec *options)
{
    struct ast_statement *s = build_statement(p, kind, keyword.p);
    s->role.name = name;
    s->role.if_exists = if_exists;
    VEC_MOVE(s->role.options, options);
    uint32_t kinds = 0;
    for (size_t i = 0; i < s->role.options_count; i++) {
        kinds |= 1u << s->role.options[i].kind;
    }
    if ((kinds & 1u << AST_ROLE_PASSWORD) && (kinds & 1u << AST_ROLE_HASHED_PASSWORD)) {
        parse_error(p, "Options 'password' and 'hashed password' are mutually exclusive");
    }
    return s;
}

struct ast_resource *build_resource(struct parse *p, enum ast_resource_kind kind)
{
    struct ast_resource *r = arena_new(p->arena, struct ast_resource);
    r->kind = kind;
    return r;
}

/* Which permissions a resource has, and Cassandra's class name of it for the message. */
static const struct {
    const char *class_name;
    uint32_t permissions;
} applicable[] = {
#define P(name) (1u << AST_PERMISSION_##name)
#define DATA \
    (P(ALTER) | P(DROP) | P(SELECT) | P(MODIFY) | P(AUTHORIZE) | P(UNMASK) | P(SELECT_MASKED))
#define ROLE (P(ALTER) | P(DROP) | P(AUTHORIZE) | P(DESCRIBE))
#define FUNC (P(ALTER) | P(DROP) | P(AUTHORIZE) | P(EXECUTE))
#define JMX  (P(SELECT) | P(MODIFY) | P(AUTHORIZE) | P(DESCRIBE) | P(EXECUTE))
    [AST_RESOURCE_ALL_KEYSPACES] = {"DataResource", DATA | P(CREATE)},
    [AST_RESOURCE_KEYSPACE] = {"DataResource", DATA | P(CREATE)},
    [AST_RESOURCE_TABLE] = {"DataResource", DATA},
    [AST_RESOURCE_ALL_TABLES_IN] = {"DataResource", DATA | P(CREATE)},
    [AST_RESOURCE_ALL_ROLES] = {"RoleResource", ROLE | P(CREATE)},
    [AST_RESOURCE_ROLE] = {"RoleResource", ROLE},
    [AST_RESOURCE_ALL_FUNCTIONS] = {"FunctionResource", FUNC | P(CREATE)},
    [AST_RESOURCE_ALL_FUNCTIONS_IN] = {"FunctionResource", FUNC | P(CREATE)},
    [AST_RESOURCE_FUNCTION] = {"FunctionResource", FUNC},
    [AST_RESOURCE_ALL_MBEANS] = {"JMXResource", JMX},
    [AST_RESOURCE_MBEAN] = {"JMXResource", JMX},
    [AST_RESOURCE_MBEANS] = {"JMXResource", JMX},
#undef P
#undef DATA
#undef ROLE
#undef FUNC
#undef JMX
};

struct ast_statement *build_permissions(struct parse *p, enum ast_statement_kind kind,
                                        struct bytes keyword, uint32_t permissions,
                                        const struct ast_resource *resource)
{
    struct ast_statement *s = build_statement(p, kind, keyword.p);
    struct ast_permissions *g = &s->permissions;
    g->all = permissions >> AST_PERMISSION_COUNT;
    g->permissions = permissions & ((1u << AST_PERMISSION_COUNT) - 1);
    if (resource) {
        g->resource = *resource;
        if (kind != AST_LIST_PERMISSIONS &&
            !(g->permissions & applicable[resource->kind].permissions)) {
            parse_error(p, "Resource type %s does not support any of the requested permissions",
                        applicable[resource->kind].class_name);
        }
    }
    return s;
}

/* --- DESCRIBE --------------------------------------------------------------------------------- */

struct ast_describe *build_describe(struct parse *p, enum ast_describe_kind kind,
                                    const struct ast_qualified_name *name)
{
    struct ast_describe *d = arena_new(p->arena, struct ast_describe);
    d->kind = kind;
    if (name) {
        d->name = *name;
    }
    return d;
}

struct ast_describe *build_describe_keyspace(struct parse *p, struct bytes name, bool only)
{
    struct ast_describe *d = build_describe(p, AST_DESCRIBE_KEYSPACE, NULL);
    d->only = only;
    if (name.p) {
        d->name.keyspace = build_keyspace_name(p, name);
        d->name.source = name;
    }
    return d;
}
