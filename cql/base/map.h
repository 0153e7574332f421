/* A hash map from byte strings to pointers: open addressing, linear probing, grown at 3/4. Keys are not copied: they must
 * live as long as the entry. One thread. */
#ifndef CQL_BASE_MAP_H
#define CQL_BASE_MAP_H

#include "cql/base/bytes.h"

struct map_slot {
    uint64_t hash; /* 0: never used; 1: deleted */
    struct bytes key;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t count, used, cap; /* used counts deleted slots too; cap is a power of two or 0 */
    uint64_t seed;           /* set it where keys come from outside */
};

/* A zeroed struct is an empty map. */
void map_free(struct map *m);
/* NULL when absent. */
void *map_get(const struct map *m, struct bytes key);
/* Returns the value replaced, or NULL. value must not be NULL. */
void *map_put(struct map *m, struct bytes key, void *value);
/* Returns the value removed, or NULL. */
void *map_del(struct map *m, struct bytes key);
/* Iteration in no order: for (size_t i = 0; (slot = map_next(m, &i));) … deletion of the returned entry is allowed. */
struct map_slot *map_next(const struct map *m, size_t *i);

#endif
