/* Changes to user types; an ALTER reaches into every table and type that uses it. Source of rules and texts: Apache Cassandra
 * 5.0's behaviour. */
#include "cql/schema/change_priv.h"

#include <stdlib.h>

#define FIELDS_MAX 32767

static bool count_parts(const struct type *t, unsigned depth, size_t *parts)
{
    if (depth > TYPE_DEPTH_MAX || ++*parts > SCHEMA_TYPE_PARTS_MAX)
        return false;
    for (size_t i = 0; i < t->params_count; i++)
        if (!count_parts(t->params[i], depth + 1, parts))
            return false;
    return true;
}

bool schema_count_type_parts(const struct type *t, size_t *parts)
{
    return count_parts(t, 1, parts);
}

err_t schema_check_type_size(const struct type *t, struct fail *fail)
{
    size_t parts = 0;
    if (count_parts(t, 1, &parts))
        return OK;
    return fail_set(fail, ERR_INVALID,
                    "A type may nest at most %d levels and have at most %d parts", TYPE_DEPTH_MAX,
                    SCHEMA_TYPE_PARTS_MAX);
}

err_t schema_type_create_begin(const struct schema *s, struct bytes keyspace, struct bytes name,
                               bool if_not_exists, bool *exists, struct fail *fail)
{
    *exists = false;
    TRY(change_check_modifiable(keyspace, "CREATE", change_resource_all_tables(keyspace, fail),
                                fail));
    const struct keyspace *ks = schema_keyspace(s, keyspace);
    if (!ks)
        return fail_set(fail, ERR_INVALID, "Keyspace '%.*s' doesn't exist", BYTES_FMT(keyspace));
    *exists = keyspace_type(ks, name) != NULL;
    if (*exists && !if_not_exists)
        return fail_set(fail, ERR_INVALID, "A user type with name '%.*s' already exists",
                        BYTES_FMT(name));
    return OK;
}

/* Strings and types are copied into a. */
static const struct type *make_udt(struct arena *a, struct bytes keyspace, struct bytes name,
                                   const struct bytes *names, const struct type *const *types,
                                   size_t count)
{
    struct bytes *own_names = arena_array(a, struct bytes, count);
    const struct type **own_types = arena_array(a, const struct type *, count);
    for (size_t i = 0; i < count; i++) {
        own_names[i] = arena_dup(a, names[i]);
        own_types[i] = type_copy(a, types[i]);
    }
    return type_udt(a, arena_dup(a, keyspace), arena_dup(a, name), own_names, own_types,
                    (uint16_t)count, false);
}

err_t schema_create_type(const struct schema *s, struct bytes keyspace, struct bytes name,
                         const struct bytes *field_names, const struct type *const *field_types,
                         size_t count, struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    if (count > FIELDS_MAX)
        return fail_set(fail, ERR_INVALID, "A user type may have at most %d fields", FIELDS_MAX);
    struct schema *next = schema_clone(s);
    struct keyspace *ks = change_keyspace(next, keyspace);
    struct user_type *ut = arena_new(&next->arena, struct user_type);
    ut->keyspace = ks->name;
    ut->name = arena_dup(&next->arena, name);
    ut->type = make_udt(&next->arena, keyspace, name, field_names, field_types, count);
    err_t err = schema_check_type_size(ut->type, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    keyspace_add_type(next, ks, ut);
    change_done(s, next, SCHEMA_CREATED, SCHEMA_TARGET_TYPE, keyspace, name, change);
    return OK;
}

err_t schema_type_to_change(const struct schema *s, struct bytes keyspace, struct bytes name,
                            bool if_exists, const char *what, const struct user_type **out,
                            struct fail *fail)
{
    TRY(change_check_modifiable(keyspace, what, change_resource_all_tables(keyspace, fail), fail));
    const struct keyspace *ks = schema_keyspace(s, keyspace);
    *out = ks ? keyspace_type(ks, name) : NULL;
    if (*out || if_exists)
        return OK;
    if (strcmp(what, "DROP") == 0)
        return fail_set(fail, ERR_INVALID, "Type '%.*s.%.*s' doesn't exist", BYTES_FMT(keyspace),
                        BYTES_FMT(name));
    return fail_set(fail, ERR_INVALID, "Type %.*s.%.*s doesn't exist", BYTES_FMT(keyspace),
                    BYTES_FMT(name));
}

/* --- ALTER TYPE ----------------------------------------------------------------------------------- */

/* t with the user type of that name replaced by udt, at any depth; frozen flags stay. */
static const struct type *replace_udt(struct arena *a, const struct type *t, const struct type *udt)
{
    if (t->id == TYPE_UDT && bytes_equal(t->name, udt->name) &&
        bytes_equal(t->keyspace, udt->keyspace))
        return t->frozen ? type_freeze(a, udt) : udt;
    if (t->params_count == 0 || !type_references_udt(t, udt->keyspace, udt->name))
        return t;
    const struct type **params = arena_array(a, const struct type *, t->params_count);
    for (size_t i = 0; i < t->params_count; i++)
        params[i] = replace_udt(a, t->params[i], udt);
    struct type *copy = arena_new(a, struct type);
    *copy = *t;
    copy->params = params;
    return copy;
}

static err_t replace_everywhere(struct schema *next, const struct type *udt, struct fail *fail)
{
    struct keyspace *ks = change_keyspace(next, udt->keyspace);
    for (size_t i = 0; i < ks->types_count; i++) {
        ks->types[i]->type = replace_udt(&next->arena, ks->types[i]->type, udt);
        TRY(schema_check_type_size(ks->types[i]->type, fail));
    }
    for (size_t i = 0; i < ks->tables_count; i++)
        for (size_t j = 0; j < ks->tables[i]->columns_count; j++) {
            struct column *c = &ks->tables[i]->columns[j];
            c->type = replace_udt(&next->arena, c->type, udt);
            TRY(schema_check_type_size(c->type, fail));
        }
    return OK;
}

static err_t change_fields(const struct schema *s, const struct user_type *ut,
                           const struct bytes *names, const struct type *const *types, size_t count,
                           struct schema_change *change, struct fail *fail)
{
    struct schema *next = schema_clone(s);
    const struct type *udt = make_udt(&next->arena, ut->keyspace, ut->name, names, types, count);
    err_t err = replace_everywhere(next, udt, fail);
    if (err != OK) {
        schema_unref(next);
        return err;
    }
    change_done(s, next, SCHEMA_UPDATED, SCHEMA_TARGET_TYPE, ut->keyspace, ut->name, change);
    return OK;
}

static int slot_order(const void *a, const void *b)
{
    uint32_t x = (*(struct table *const *)a)->slot, y = (*(struct table *const *)b)->slot;
    return (x > y) - (x < y);
}

/* The names of the tables that use it, in the order of their creation, as "ks.t, ks.u" or "t, u"; empty when there are none. */
static struct bytes tables_using(const struct schema *s, const struct user_type *ut,
                                 bool in_partition_key, struct arena *a)
{
    const struct keyspace *ks = schema_keyspace(s, ut->keyspace);
    struct table **tables = arena_array(a, struct table *, ks->tables_count);
    if (ks->tables_count)
        memcpy(tables, ks->tables, ks->tables_count * sizeof *tables);
    if (ks->tables_count > 1)
        qsort(tables, ks->tables_count, sizeof *tables, slot_order);
    struct buf out = buf_in(a);
    for (size_t i = 0; i < ks->tables_count; i++) {
        const struct table *t = tables[i];
        bool uses = false;
        for (size_t j = 0; j < (in_partition_key ? t->pk_count : t->columns_count) && !uses; j++)
            uses = type_references_udt(t->columns[j].type, ut->keyspace, ut->name);
        if (!uses)
            continue;
        if (out.n)
            buf_put_str(&out, ", ");
        if (in_partition_key)
            buf_printf(&out, "%.*s.", BYTES_FMT(t->keyspace));
        buf_put_bytes(&out, t->name);
    }
    return buf_bytes(&out);
}

err_t schema_add_field(const struct schema *s, const struct user_type *ut, struct bytes name,
                       const struct type *type, struct bytes raw, struct schema_change *change,
                       struct fail *fail)
{
    *change = (struct schema_change){0};
    if (type_references_udt(type, ut->keyspace, ut->name))
        return fail_set(fail, ERR_INVALID,
                        "Cannot add new field %.*s of type %.*s to user type %.*s.%.*s as it would "
                        "create a circular reference",
                        BYTES_FMT(name), BYTES_FMT(raw), BYTES_FMT(ut->keyspace),
                        BYTES_FMT(ut->name));
    struct arena scratch;
    arena_init(&scratch, 0);
    struct bytes tables = tables_using(s, ut, true, &scratch);
    size_t count = ut->type->params_count;
    err_t err = OK;
    if (tables.n)
        err = fail_set(fail, ERR_INVALID,
                       "Cannot add new field %.*s of type %.*s to user type %.*s.%.*s as the type "
                       "is being used in partition "
                       "key by the following tables: %.*s",
                       BYTES_FMT(name), BYTES_FMT(raw), BYTES_FMT(ut->keyspace),
                       BYTES_FMT(ut->name), BYTES_FMT(tables));
    else if (count >= FIELDS_MAX)
        err = fail_set(fail, ERR_INVALID, "A user type may have at most %d fields", FIELDS_MAX);
    if (err == OK) {
        struct bytes *names = arena_array(&scratch, struct bytes, count + 1);
        const struct type **types = arena_array(&scratch, const struct type *, count + 1);
        for (size_t i = 0; i < count; i++) {
            names[i] = ut->type->field_names[i];
            types[i] = ut->type->params[i];
        }
        names[count] = name;
        types[count] = type;
        err = change_fields(s, ut, names, types, count + 1, change, fail);
    }
    arena_free(&scratch);
    return err;
}

static err_t rename_fields(const struct user_type *ut, const struct schema_rename *renames,
                           size_t count, bool if_exists, struct bytes *names, struct fail *fail)
{
    size_t fields_count = ut->type->params_count;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < fields_count && !bytes_equal(ut->type->field_names[at], renames[i].from))
            at++;
        if (at < fields_count)
            names[at] = renames[i].to;
        else if (!if_exists)
            return fail_set(fail, ERR_INVALID, "Unkown field %.*s in user type %.*s.%.*s",
                            BYTES_FMT(renames[i].from), BYTES_FMT(ut->keyspace),
                            BYTES_FMT(ut->name));
    }
    for (size_t i = 0; i < fields_count; i++)
        for (size_t j = 0; j < i; j++)
            if (bytes_equal(names[i], names[j])) /* Cassandra names the keyspace here */
                return fail_set(fail, ERR_INVALID, "Duplicate field name %.*s in type %.*s",
                                BYTES_FMT(names[i]), BYTES_FMT(ut->keyspace));
    return OK;
}

err_t schema_rename_fields(const struct schema *s, const struct user_type *ut,
                           const struct schema_rename *renames, size_t count, bool if_exists,
                           struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    struct arena scratch;
    arena_init(&scratch, 0);
    size_t fields_count = ut->type->params_count;
    struct bytes *names = arena_array(&scratch, struct bytes, fields_count);
    for (size_t i = 0; i < fields_count; i++)
        names[i] = ut->type->field_names[i];
    err_t err = rename_fields(ut, renames, count, if_exists, names, fail);
    if (err == OK)
        err = change_fields(s, ut, names, ut->type->params, fields_count, change, fail);
    arena_free(&scratch);
    return err;
}

/* --- DROP TYPE ------------------------------------------------------------------------------------ */

err_t schema_drop_type(const struct schema *s, const struct user_type *ut,
                       struct schema_change *change, struct fail *fail)
{
    *change = (struct schema_change){0};
    const struct keyspace *ks = schema_keyspace(s, ut->keyspace);
    struct arena scratch;
    arena_init(&scratch, 0);
    struct buf users = buf_in(&scratch);
    for (size_t i = 0; i < ks->types_count; i++) {
        if (ks->types[i] == ut || !type_references_udt(ks->types[i]->type, ut->keyspace, ut->name))
            continue;
        if (users.n)
            buf_put_str(&users, ", ");
        buf_put_bytes(&users, ks->types[i]->name);
    }
    const char *kind = "user types";
    if (!users.n) {
        kind = "tables";
        buf_put_bytes(&users, tables_using(s, ut, false, &scratch));
    }
    err_t err = OK;
    if (users.n)
        err = fail_set(
            fail, ERR_INVALID, "Cannot drop user type '%.*s.%.*s' as it is still used by %s %.*s",
            BYTES_FMT(ut->keyspace), BYTES_FMT(ut->name), kind, BYTES_FMT(buf_bytes(&users)));
    arena_free(&scratch);
    TRY(err);
    struct schema *next = schema_clone(s);
    struct keyspace *copy = change_keyspace(next, ut->keyspace);
    keyspace_remove_type(copy, keyspace_find_type(copy, ut->name));
    change_done(s, next, SCHEMA_DROPPED, SCHEMA_TARGET_TYPE, ut->keyspace, ut->name, change);
    return OK;
}
