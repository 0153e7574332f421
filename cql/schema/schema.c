/* Snapshots of the schema: references, look-ups, and the copy that a change edits.
 *
 * Everything of a snapshot is in its own arena, and a change copies the whole schema: changes are rare and a schema of a
 * hundred tables copies in well under a millisecond, while sharing parts between snapshots would need reference counts on
 * each part. The maps alone are malloc'ed; schema_unref() frees them with the arena. */
#include "cql/schema/schema_priv.h"

#include <stdlib.h>

struct schema *schema_new_empty(void)
{
    struct schema *s = calloc(1, sizeof *s);
    ensure(s != NULL);
    arena_init(&s->arena, 64 * 1024);
    s->refs = 1;
    s->next_slot = SCHEMA_SLOT_USER_FIRST;
    return s;
}

struct schema *schema_ref(struct schema *s)
{
    __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void schema_unref(struct schema *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < s->keyspaces_count; i++) {
        struct keyspace *ks = s->keyspaces[i];
        for (size_t j = 0; j < ks->tables_count; j++)
            map_free(&ks->tables[j]->by_name);
        map_free(&ks->tables_by_name);
        map_free(&ks->types_by_name);
    }
    map_free(&s->by_name);
    map_free(&s->by_table_id);
    arena_free(&s->arena);
    free(s);
}

struct keyspace *schema_keyspace(const struct schema *s, struct bytes ks)
{
    return map_get(&s->by_name, ks);
}

struct table *schema_table(const struct schema *s, struct bytes ks, struct bytes table)
{
    struct keyspace *k = schema_keyspace(s, ks);
    return k ? keyspace_table(k, table) : NULL;
}

struct table *schema_table_by_id(const struct schema *s, const struct uuid *id)
{
    return map_get(&s->by_table_id, bytes_of(id->b, sizeof id->b));
}

struct user_type *keyspace_type(const struct keyspace *ks, struct bytes name)
{
    return map_get(&ks->types_by_name, name);
}

struct table *keyspace_table(const struct keyspace *ks, struct bytes name)
{
    return map_get(&ks->tables_by_name, name);
}

const struct column *table_column(const struct table *t, struct bytes name)
{
    return map_get(&t->by_name, name);
}

err_t table_fail_undefined(const struct table *t, struct bytes name, struct fail *fail)
{
    struct buf table = {0};
    identifier_print(t->keyspace, &table);
    buf_u8(&table, '.');
    identifier_print(t->name, &table);
    err_t err = fail_set(fail, ERR_INVALID, "Undefined column name %.*s in table %.*s",
                         BYTES_FMT(name), BYTES_FMT(buf_bytes(&table)));
    buf_free(&table);
    return err;
}

struct keyspace *schema_find_keyspace(const struct schema *s, struct bytes name)
{
    for (size_t i = 0; i < s->keyspaces_count; i++)
        if (bytes_equal(s->keyspaces[i]->name, name))
            return s->keyspaces[i];
    return NULL;
}

struct table *keyspace_find_table(const struct keyspace *ks, struct bytes name)
{
    for (size_t i = 0; i < ks->tables_count; i++)
        if (bytes_equal(ks->tables[i]->name, name))
            return ks->tables[i];
    return NULL;
}

struct user_type *keyspace_find_type(const struct keyspace *ks, struct bytes name)
{
    for (size_t i = 0; i < ks->types_count; i++)
        if (bytes_equal(ks->types[i]->name, name))
            return ks->types[i];
    return NULL;
}

/* items with one more place at its end, which holds item; items is an array of count pointers or structs of size bytes. */
static void *appended(struct arena *a, const void *items, size_t count, size_t size,
                      const void *item)
{
    uint8_t *grown = arena_zalloc(a, count + 1, size);
    if (count)
        memcpy(grown, items, count * size);
    memcpy(grown + count * size, item, size);
    return grown;
}

/* Takes the pointer out of the array in place; false when it is not there. */
static bool removed(void **items, size_t *count, const void *item)
{
    for (size_t i = 0; i < *count; i++)
        if (items[i] == item) {
            memmove(items + i, items + i + 1, (*count - i - 1) * sizeof *items);
            --*count;
            return true;
        }
    return false;
}

void schema_add_keyspace(struct schema *s, struct keyspace *ks)
{
    s->keyspaces = appended(&s->arena, s->keyspaces, s->keyspaces_count++, sizeof ks, &ks);
}

void schema_remove_keyspace(struct schema *s, const struct keyspace *ks)
{
    ensure(removed((void **)s->keyspaces, &s->keyspaces_count, ks));
}

void keyspace_add_table(struct schema *s, struct keyspace *ks, struct table *t)
{
    t->ks = ks;
    ks->tables = appended(&s->arena, ks->tables, ks->tables_count++, sizeof t, &t);
}

void keyspace_remove_table(struct keyspace *ks, const struct table *t)
{
    ensure(removed((void **)ks->tables, &ks->tables_count, t));
}

void keyspace_add_type(struct schema *s, struct keyspace *ks, struct user_type *ut)
{
    ks->types = appended(&s->arena, ks->types, ks->types_count++, sizeof ut, &ut);
}

void keyspace_remove_type(struct keyspace *ks, const struct user_type *ut)
{
    ensure(removed((void **)ks->types, &ks->types_count, ut));
}

void table_add_column(struct schema *s, struct table *t, struct column c)
{
    if (t->next_column_id == 0)
        t->next_column_id = 1;
    c.id = t->next_column_id++;
    t->columns = appended(&s->arena, t->columns, t->columns_count++, sizeof c, &c);
}

static struct table *table_copy(struct schema *s, const struct table *from)
{
    struct arena *a = &s->arena;
    struct table *t = arena_alloc(a, sizeof *t);
    *t = *from;
    t->keyspace = arena_dup(a, from->keyspace);
    t->name = arena_dup(a, from->name);
    t->columns = arena_array(a, struct column, from->columns_count);
    for (size_t i = 0; i < from->columns_count; i++) {
        t->columns[i] = from->columns[i];
        t->columns[i].name = arena_dup(a, from->columns[i].name);
        t->columns[i].type = type_copy(a, from->columns[i].type);
    }
    t->dropped = arena_array(a, struct dropped_column, from->dropped_count);
    for (size_t i = 0; i < from->dropped_count; i++) {
        t->dropped[i] = from->dropped[i];
        t->dropped[i].name = arena_dup(a, from->dropped[i].name);
        t->dropped[i].type = type_copy(a, from->dropped[i].type);
    }
    t->options = table_options_copy(a, &from->options);
    t->extra = arena_dup(a, from->extra);
    t->by_name = (struct map){0};
    t->index_by_id = NULL;
    return t;
}

static struct keyspace *keyspace_copy(struct schema *s, const struct keyspace *from)
{
    struct arena *a = &s->arena;
    struct keyspace *ks = arena_alloc(a, sizeof *ks);
    *ks = *from;
    ks->name = arena_dup(a, from->name);
    ks->extra = arena_dup(a, from->extra);
    ks->tables_by_name = ks->types_by_name = (struct map){0};
    ks->replication.options = option_map_copy(a, &from->replication.options);
    ks->replication.dcs = arena_array(a, struct replication_dc, from->replication.dcs_count);
    for (size_t i = 0; i < from->replication.dcs_count; i++) {
        ks->replication.dcs[i] = from->replication.dcs[i];
        ks->replication.dcs[i].dc = arena_dup(a, from->replication.dcs[i].dc);
    }
    ks->tables = arena_array(a, struct table *, from->tables_count);
    for (size_t i = 0; i < from->tables_count; i++) {
        ks->tables[i] = table_copy(s, from->tables[i]);
        ks->tables[i]->ks = ks;
    }
    ks->types = arena_array(a, struct user_type *, from->types_count);
    for (size_t i = 0; i < from->types_count; i++) {
        struct user_type *ut = arena_new(a, struct user_type);
        ut->keyspace = arena_dup(a, from->types[i]->keyspace);
        ut->name = arena_dup(a, from->types[i]->name);
        ut->type = type_copy(a, from->types[i]->type);
        ks->types[i] = ut;
    }
    return ks;
}

struct schema *schema_clone(const struct schema *from)
{
    struct schema *s = schema_new_empty();
    s->next_slot = from->next_slot;
    s->epoch = from->epoch + 1;
    s->keyspaces_count = from->keyspaces_count;
    s->keyspaces = arena_array(&s->arena, struct keyspace *, from->keyspaces_count);
    for (size_t i = 0; i < from->keyspaces_count; i++)
        s->keyspaces[i] = keyspace_copy(s, from->keyspaces[i]);
    return s;
}

static int column_order(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind == COLUMN_PARTITION_KEY || x->kind == COLUMN_CLUSTERING)
        return (x->position > y->position) - (x->position < y->position);
    return bytes_compare(x->name, y->name);
}

static int table_order(const void *a, const void *b)
{
    return bytes_compare((*(struct table *const *)a)->name, (*(struct table *const *)b)->name);
}

static int type_order(const void *a, const void *b)
{
    return bytes_compare((*(struct user_type *const *)a)->name,
                         (*(struct user_type *const *)b)->name);
}

static int keyspace_order(const void *a, const void *b)
{
    return bytes_compare((*(struct keyspace *const *)a)->name,
                         (*(struct keyspace *const *)b)->name);
}

static void sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, size, order);
}

static void table_finish(struct schema *s, struct table *t)
{
    sort(t->columns, t->columns_count, sizeof *t->columns, column_order);
    t->index_by_id = arena_array(&s->arena, uint16_t, t->next_column_id);
    t->pk_count = t->ck_count = t->static_count = 0;
    t->has_collections = false;
    for (uint16_t i = 0; i < t->columns_count; i++) {
        struct column *c = &t->columns[i];
        c->index = i;
        ensure(c->id > 0 && c->id < t->next_column_id && t->index_by_id[c->id] == 0);
        t->index_by_id[c->id] = (uint16_t)(i + 1);
        ensure(map_put(&t->by_name, c->name, c) == NULL);
        if (c->kind == COLUMN_PARTITION_KEY)
            t->pk_count++;
        if (c->kind == COLUMN_CLUSTERING)
            t->ck_count++;
        if (c->kind == COLUMN_STATIC)
            t->static_count++;
        if (type_is_multicell(c->type))
            t->has_collections = true;
    }
    t->is_virtual = t->ks->is_virtual;
    t->is_system = t->ks->is_system;
    t->options.tombstone_gc = tombstone_gc_read(&t->options.extensions);
    ensure(map_put(&s->by_table_id, bytes_of(t->id.b, sizeof t->id.b), t) == NULL);
}

static void keyspace_finish(struct schema *s, struct keyspace *ks)
{
    sort(ks->tables, ks->tables_count, sizeof *ks->tables, table_order);
    sort(ks->types, ks->types_count, sizeof *ks->types, type_order);
    for (size_t i = 0; i < ks->tables_count; i++) {
        ks->tables[i]->ks = ks;
        table_finish(s, ks->tables[i]);
        ensure(map_put(&ks->tables_by_name, ks->tables[i]->name, ks->tables[i]) == NULL);
    }
    for (size_t i = 0; i < ks->types_count; i++)
        ensure(map_put(&ks->types_by_name, ks->types[i]->name, ks->types[i]) == NULL);
}

void schema_finish(struct schema *s)
{
    sort(s->keyspaces, s->keyspaces_count, sizeof *s->keyspaces, keyspace_order);
    for (size_t i = 0; i < s->keyspaces_count; i++) {
        keyspace_finish(s, s->keyspaces[i]);
        ensure(map_put(&s->by_name, s->keyspaces[i]->name, s->keyspaces[i]) == NULL);
    }
    struct buf content = {0};
    schema_encode_for_version(s, &content);
    s->version = uuid_of_name(buf_bytes(&content));
    buf_free(&content);
}

struct schema *schema_new_initial(void)
{
    struct schema *s = schema_new_empty();
    schema_add_builtin(s);
    schema_finish(s);
    return s;
}
