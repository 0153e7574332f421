/* The B+tree of the memtable: see tree.h. */
#include "storage/tree.h"

#include "cql/base/err.h"

/* Leaf: prefix[cap], item[cap]. Inner: the same, where key i is the least of child i (key 0 is not looked at), and child[cap]. */
struct tree_node {
    uint16_t count, cap;
    struct tree_node *prev, *next; /* of a leaf; next also links free ones */
    uint64_t prefix[];
};

static inline void **items(const struct tree_node *n)
{
    return (void **)(uintptr_t)(n->prefix + n->cap);
}

static inline struct tree_node **children(const struct tree_node *n)
{
    return (struct tree_node **)(uintptr_t)(n->prefix + 2 * (size_t)n->cap);
}

/* Leaf capacities 4, 8, … 64 are classes 0 … 4. */
static unsigned leaf_class(uint32_t cap)
{
    return (unsigned)__builtin_ctz(cap) - 2;
}

static struct tree_node *node_new(struct tree_memory *m, uint32_t cap, size_t words)
{
    struct tree_node *n = arena_alloc(m->arena, sizeof *n + cap * words * 8);
    n->count = 0;
    n->cap = (uint16_t)cap;
    n->prev = n->next = NULL;
    return n;
}

static struct tree_node *leaf_new(struct tree_memory *m, uint32_t cap)
{
    struct tree_node **free = &m->free[leaf_class(cap)], *n = *free;
    if (n == NULL)
        return node_new(m, cap, 2);
    *free = n->next;
    n->count = 0;
    n->next = NULL;
    return n;
}

/* The first eight bytes as a number, zeros after the end: orders as memcmp does where it differs. */
static inline uint64_t prefix_of(struct bytes key)
{
    if (key.n >= 8)
        return load_be64(key.p);
    uint64_t v = 0;
    for (size_t i = 0; i < key.n; i++)
        v |= (uint64_t)key.p[i] << (56 - 8 * i);
    return v;
}

/* What is looked for. */
struct target {
    uint64_t prefix;
    struct bytes key;
    int side; /* as in struct tree_path */
};

static struct target target_of(const struct tree *t, const struct tree_rules *r, uint64_t prefix,
                               struct bytes key)
{
    if (r->partitions)
        return (struct target){prefix, key, 0};
    if (t->skip == 0)
        return (struct target){prefix_of(key), key, 0};
    const uint8_t *common = tree_item_key(r, t->common).p;
    int side = memcmp(key.p ? key.p : common, common, key.n < t->skip ? key.n : t->skip);
    if (side == 0 && key.n < t->skip)
        side = -1;
    if (side != 0)
        return (struct target){0, key, side};
    return (struct target){prefix_of(bytes_skip(key, t->skip)), key, 0};
}

/* Item i of n against the target's key; its side is 0. */
static inline int compare(const struct tree_rules *r, const struct tree_node *n, uint32_t i,
                          const struct target *to)
{
    uint64_t prefix = to->prefix;
    struct bytes key = to->key;
    if (n->prefix[i] != prefix)
        return n->prefix[i] < prefix ? -1 : 1;
    struct bytes own = tree_item_key(r, items(n)[i]);
    if (r->partitions && own.n != key.n)
        return own.n < key.n ? -1 : 1;
    return bytes_compare(own, key);
}

/* The first i >= from with item i > key, or >= key unless after; n->count when there is none. */
static inline uint32_t search(const struct tree_rules *r, const struct tree_node *n, uint32_t from,
                              const struct target *to, bool after)
{
    uint32_t low = from, high = n->count;
    if (to->side != 0)
        return to->side < 0 ? low : high;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int c = compare(r, n, mid, to);
        if (c < 0 || (after && c == 0))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static inline int compare_single(const struct tree_rules *r, const void *item, struct bytes key)
{
    return bytes_compare(tree_item_key(r, item), key);
}

void *tree_locate(const struct tree *t, const struct tree_rules *r, uint64_t prefix,
                  struct bytes key, struct tree_path *path)
{
    struct target to = target_of(t, r, prefix, key);
    path->prefix = to.prefix;
    path->side = to.side;
    if (t->height == 0) {
        if (t->root == NULL)
            return NULL;
        int c = compare_single(r, t->root, key);
        path->at[0] = c < 0; /* index of the new item of the two */
        return c == 0 ? t->root : NULL;
    }
    struct tree_node *n = t->root;
    for (uint32_t level = 0;; level++) {
        path->node[level] = n;
        bool leaf = level + 1 == t->height;
        uint32_t at = search(r, n, leaf ? 0 : 1, &to, !leaf);
        path->at[level] = leaf ? at : at - 1;
        if (leaf) {
            bool found = to.side == 0 && at < n->count && compare(r, n, at, &to) == 0;
            return found ? items(n)[at] : NULL;
        }
        n = children(n)[at - 1];
    }
}

/* Puts (prefix, item, child) at index i of a node that has room; child only of inner nodes. */
static void node_put(struct tree_node *n, uint32_t i, uint64_t prefix, void *item,
                     struct tree_node *child)
{
    size_t move = n->count - i;
    memmove(n->prefix + i + 1, n->prefix + i, move * 8);
    memmove(items(n) + i + 1, items(n) + i, move * 8);
    n->prefix[i] = prefix;
    items(n)[i] = item;
    if (child) {
        memmove(children(n) + i + 1, children(n) + i, move * 8);
        children(n)[i] = child;
    }
    n->count++;
}

/* Moves the items from index at on to the empty node `right`. */
static void node_split(struct tree_node *n, struct tree_node *right, uint32_t at, bool inner)
{
    size_t moved = n->count - at;
    memcpy(right->prefix, n->prefix + at, moved * 8);
    memcpy(items(right), items(n) + at, moved * 8);
    if (inner)
        memcpy(children(right), children(n) + at, moved * 8);
    right->count = (uint16_t)moved;
    n->count = (uint16_t)at;
}

/* Puts an entry in a full node: splits it, in the middle or, when the entry goes to its end (keys that
 * ascend), so that it stays full. Returns the new right neighbour. */
static struct tree_node *put_full(struct tree_memory *m, struct tree_node *n, uint32_t i,
                                  uint64_t prefix, void *item, struct tree_node *child)
{
    bool inner = child != NULL;
    struct tree_node *right = inner ? node_new(m, TREE_INNER_MAX, 3) : leaf_new(m, TREE_LEAF_MAX);
    uint32_t at = i == n->count ? i : n->count / 2u;
    node_split(n, right, at, inner);
    if (!inner) {
        right->prev = n;
        right->next = n->next;
        if (n->next)
            n->next->prev = right;
        n->next = right;
    }
    if (i >= at)
        node_put(right, i - at, prefix, item, child);
    else
        node_put(n, i, prefix, item, child);
    return right;
}

/* The root leaf with room for more, or as it is when it has the full size. */
static struct tree_node *root_leaf_grow(struct tree *t, struct tree_memory *m, struct tree_node *n)
{
    if (n->cap == TREE_LEAF_MAX)
        return n;
    struct tree_node *larger = leaf_new(m, n->cap * 2u);
    memcpy(larger->prefix, n->prefix, n->count * sizeof(uint64_t));
    memcpy(items(larger), items(n), n->count * sizeof(void *));
    larger->count = n->count;
    n->next = m->free[leaf_class(n->cap)];
    m->free[leaf_class(n->cap)] = n;
    t->root = larger;
    return larger;
}

static size_t common_length(struct bytes a, struct bytes b)
{
    size_t n = 0, max = a.n < b.n ? a.n : b.n;
    while (n < max && a.p[n] == b.p[n])
        n++;
    return n;
}

static void node_refit(struct tree_node *n, const struct tree_rules *r, uint32_t level, size_t skip)
{
    for (uint32_t i = 0; i < n->count; i++)
        n->prefix[i] = prefix_of(bytes_skip(tree_item_key(r, items(n)[i]), skip));
    for (uint32_t i = 0; level > 1 && i < n->count; i++)
        node_refit(children(n)[i], r, level - 1, skip);
}

enum { SKIP_MAX = 1024, REFITS_MAX = 16 };

/* Makes prefixes leave out `skip` leading bytes. O(n), so done while there is one leaf, and then only to
 * let in a key that does not begin as all others: a few times, and at last for good. */
static void tree_refit(struct tree *t, const struct tree_rules *r, size_t skip)
{
    if (t->height > 1 && t->refits++ == REFITS_MAX - 1)
        skip = 0;
    t->skip = (uint16_t)(skip < SKIP_MAX ? skip : SKIP_MAX);
    node_refit(t->root, r, t->height, t->skip);
}

/* Before an item goes to a full only leaf, while it is cheap: leaves out what its keys have in common. */
static void leaf_fit(struct tree *t, const struct tree_rules *r, struct tree_path *path,
                     const void *item)
{
    struct tree_node *leaf = t->root;
    struct bytes key = tree_item_key(r, item), first = tree_item_key(r, items(leaf)[0]);
    struct bytes last = tree_item_key(r, items(leaf)[leaf->count - 1]);
    size_t skip = common_length(first, last), with_new = common_length(first, key);
    if (with_new < skip)
        skip = with_new;
    t->common = items(leaf)[0];
    if (skip != t->skip)
        tree_refit(t, r, skip);
    path->prefix = prefix_of(bytes_skip(key, t->skip));
}

/* The first and second item of a tree. Partition trees begin with a leaf: cursors need one. */
static void insert_few(struct tree *t, const struct tree_rules *r, struct tree_memory *m,
                       const struct tree_path *path, void *item)
{
    if (t->root == NULL && !r->partitions) {
        t->root = item;
        return;
    }
    struct tree_node *leaf = leaf_new(m, 4);
    if (t->root)
        node_put(leaf, 0, prefix_of(tree_item_key(r, t->root)), t->root, NULL);
    node_put(leaf, t->root ? path->at[0] : 0, path->prefix, item, NULL);
    t->root = leaf;
    t->height = 1;
}

void tree_insert(struct tree *t, const struct tree_rules *r, struct tree_memory *m,
                 struct tree_path *path, void *item)
{
    t->count++;
    if (t->height == 0) {
        insert_few(t, r, m, path, item);
        return;
    }
    if (path->side != 0) { /* where the key belongs does not change: the order is the same */
        struct bytes key = tree_item_key(r, item);
        tree_refit(t, r, common_length(key, tree_item_key(r, t->common)));
        path->prefix = prefix_of(bytes_skip(key, t->skip));
    }
    if (t->height == 1 && path->node[0]->count == path->node[0]->cap && !r->partitions)
        leaf_fit(t, r, path, item);
    uint64_t prefix = path->prefix;
    struct tree_node *child = NULL;
    for (uint32_t level = t->height; level-- > 0;) {
        struct tree_node *n = path->node[level];
        uint32_t at =
            path->at[level] + (child != NULL); /* a new child stands behind its left half */
        if (n->count == n->cap && t->height == 1)
            n = root_leaf_grow(t, m, n);
        if (n->count < n->cap) {
            node_put(n, at, prefix, item, child);
            return;
        }
        child = put_full(m, n, at, prefix, item, child);
        prefix = child->prefix[0];
        item = items(child)[0];
    }
    struct tree_node *root = node_new(m, TREE_INNER_MAX, 3), *left = t->root;
    ensure(t->height < TREE_HEIGHT_MAX);
    node_put(root, 0, left->prefix[0], items(left)[0], left);
    node_put(root, 1, prefix, item, child);
    t->root = root;
    t->height++;
}

struct tree_pos tree_seek(const struct tree *t, const struct tree_rules *r, uint64_t prefix,
                          struct bytes key, bool after)
{
    struct tree_pos p = {0};
    if (t->height == 0) {
        if (t->root == NULL)
            return p;
        int c = compare_single(r, t->root, key);
        if (c < 0 || (after && c == 0))
            p.single_before = t->root;
        else
            p.single = t->root;
        return p;
    }
    const struct tree_node *n = t->root;
    struct target to = target_of(t, r, prefix, key);
    for (uint32_t level = 1; level < t->height; level++)
        n = children(n)[search(r, n, 1, &to, true) - 1];
    p.leaf = n;
    p.at = search(r, n, 0, &to, after);
    return p;
}

/* How many items ahead, and how much of each: one with a small key, and the small row that was made right after it. */
enum { AHEAD = 4, AHEAD_BYTES = 256 };

void *tree_next(struct tree_pos *p)
{
    if (p->leaf == NULL) {
        void *item = p->single;
        if (item)
            p->single_before = item;
        p->single = NULL;
        return item;
    }
    if (p->at == p->leaf->count) {
        if (p->leaf->next == NULL)
            return NULL;
        p->leaf = p->leaf->next;
        p->at = 0;
    }
    /* Items lie where they were made, not in order: a scan waits for memory unless it asks for them ahead. */
    if (p->at + AHEAD < p->leaf->count) {
        const uint8_t *ahead = items(p->leaf)[p->at + AHEAD];
        for (size_t i = 0; i < AHEAD_BYTES; i += 64)
            __builtin_prefetch(ahead + i);
    }
    return items(p->leaf)[p->at++];
}

void *tree_prev(struct tree_pos *p)
{
    if (p->leaf == NULL) {
        void *item = p->single_before;
        if (item)
            p->single = item;
        p->single_before = NULL;
        return item;
    }
    if (p->at == 0) {
        if (p->leaf->prev == NULL)
            return NULL;
        p->leaf = p->leaf->prev;
        p->at = p->leaf->count;
    }
    return items(p->leaf)[--p->at];
}
