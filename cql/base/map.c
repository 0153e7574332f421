/* Hash map: see map.h. */
#include "cql/base/map.h"

#include "cql/base/err.h"
#include "cql/base/hash.h"

#include <stdlib.h>

enum { SLOT_FREE = 0, SLOT_DELETED = 1 };

static uint64_t hash_of(const struct map *m, struct bytes key)
{
    uint64_t h = hash_bytes(key, m->seed);
    return h < 2 ? h + 2 : h;
}

void map_free(struct map *m)
{
    free(m->slots);
    *m = (struct map){.seed = m->seed};
}

static struct map_slot *find(const struct map *m, uint64_t h, struct bytes key)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = h & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (s->hash == SLOT_FREE)
            return NULL;
        if (s->hash == h && bytes_equal(s->key, key))
            return s;
    }
}

void *map_get(const struct map *m, struct bytes key)
{
    struct map_slot *s = find(m, hash_of(m, key), key);
    return s ? s->value : NULL;
}

static void insert(struct map *m, uint64_t h, struct bytes key, void *value)
{
    size_t i = h & (m->cap - 1);
    while (m->slots[i].hash > SLOT_DELETED)
        i = (i + 1) & (m->cap - 1);
    if (m->slots[i].hash == SLOT_FREE)
        m->used++;
    m->slots[i] = (struct map_slot){h, key, value};
    m->count++;
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = m->count * 2 >= old.cap ? (old.cap ? old.cap * 2 : 16) : old.cap;
    m->slots = calloc(m->cap, sizeof *m->slots);
    ensure(m->slots != NULL);
    m->count = m->used = 0;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].hash > SLOT_DELETED)
            insert(m, old.slots[i].hash, old.slots[i].key, old.slots[i].value);
    free(old.slots);
}

void *map_put(struct map *m, struct bytes key, void *value)
{
    ensure(value != NULL);
    uint64_t h = hash_of(m, key);
    struct map_slot *s = find(m, h, key);
    if (s) {
        void *old = s->value;
        s->key = key;
        s->value = value;
        return old;
    }
    if ((m->used + 1) * 4 > m->cap * 3)
        grow(m);
    insert(m, h, key, value);
    return NULL;
}

void *map_del(struct map *m, struct bytes key)
{
    struct map_slot *s = find(m, hash_of(m, key), key);
    if (s == NULL)
        return NULL;
    void *old = s->value;
    *s = (struct map_slot){.hash = SLOT_DELETED};
    m->count--;
    return old;
}

struct map_slot *map_next(const struct map *m, size_t *i)
{
    while (*i < m->cap) {
        struct map_slot *s = &m->slots[(*i)++];
        if (s->hash > SLOT_DELETED)
            return s;
    }
    return NULL;
}
