/* The memtable's ordered map: a B+tree of pointers to items, each with eight bytes of its key beside the pointer.
 *
 * Why so: a million small rows are looked up in four nodes of about 1 KiB, each searched by integer compares in a few cache lines; an item
 * is touched only where eight bytes do not decide. The eight bytes begin behind what all keys of the tree have in common ("customer-000…",
 * the high bytes of numbers), so they nearly always decide. Leaves are linked, so iteration in either direction is a walk over arrays. A map of
 * one item is that item; a small map is one small leaf: most partitions hold one row.
 *
 * Items are never removed. They live in the owner's arena and begin with a struct tree_item; the key's bytes are at key_at in the item.
 * Used by storage/memtable only. One writer; readers change nothing. */
#ifndef STORAGE_TREE_H
#define STORAGE_TREE_H

#include "cql/base/arena.h"

enum { TREE_LEAF_MAX = 64, TREE_INNER_MAX = 42, TREE_HEIGHT_MAX = 12, TREE_LEAF_SIZES = 5 };

struct tree_item {
    uint32_t key_n;
};

/* How the items of a tree are ordered: by prefix, then key. */
struct tree_rules {
    uint32_t key_at;
    bool
        partitions; /* by a prefix that the caller gives, then shorter keys before longer ones; else plainly by memcmp */
};

struct tree_node;

/* A zeroed struct is an empty tree. */
struct tree {
    void *root; /* height 0: NULL or the only item; 1: a leaf; above: an inner node */
    uint32_t count;
    uint8_t height;
    uint8_t refits;     /* how often skip shrank in a tree of several leaves */
    uint16_t skip;      /* leading bytes that all keys have in common and prefixes leave out */
    const void *common; /* an item that begins with them */
};

/* Where nodes come from; outgrown small leaves are used again. */
struct tree_memory {
    struct arena *arena;
    struct tree_node *free[TREE_LEAF_SIZES];
};

static inline struct bytes tree_item_key(const struct tree_rules *r, const void *item)
{
    return bytes_of((const uint8_t *)item + r->key_at, ((const struct tree_item *)item)->key_n);
}

/* The way down to where an item is or belongs. Valid until the tree changes. */
struct tree_path {
    struct tree_node *node[TREE_HEIGHT_MAX]; /* root first */
    uint32_t at[TREE_HEIGHT_MAX];
    uint64_t prefix;
    int side; /* < 0, > 0: the key lies before or behind all that begins as the tree's keys do */
};

/* The item with this key, or NULL: then path says where it belongs. prefix: of partitions only. */
void *tree_locate(const struct tree *t, const struct tree_rules *r, uint64_t prefix,
                  struct bytes key, struct tree_path *path);
/* Puts item where tree_locate() said that its key belongs. */
void tree_insert(struct tree *t, const struct tree_rules *r, struct tree_memory *m,
                 struct tree_path *path, void *item);

/* A place between two items, or before or after all. */
struct tree_pos {
    const struct tree_node *leaf; /* NULL at height 0 */
    uint32_t at;                  /* the item of leaf that tree_next() returns */
    void *single,
        *single_before; /* height 0: the only item, if tree_next() or tree_prev() returns it */
};

/* Before the first item >= (prefix, key), or > when after. */
struct tree_pos tree_seek(const struct tree *t, const struct tree_rules *r, uint64_t prefix,
                          struct bytes key, bool after);
/* Moves over the next (previous) item and returns it; NULL at the end. */
void *tree_next(struct tree_pos *p);
void *tree_prev(struct tree_pos *p);

#endif
