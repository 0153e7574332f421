/* Intrusive doubly linked lists with a sentinel. */
#ifndef CQL_BASE_LIST_H
#define CQL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define container_of(ptr, T, member) ((T *)((char *)(ptr)-offsetof(T, member)))

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
static inline void list_push_back(struct list *l, struct list *item)
{
    item->prev = l->prev;
    item->next = l;
    l->prev->next = item;
    l->prev = item;
}
static inline void list_push_front(struct list *l, struct list *item)
{
    list_push_back(l->next, item);
}
/* The item may be removed again: it is left pointing at itself. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}
#define list_for_each(it, l) for (struct list *it = (l)->next; it != (l); it = it->next)
#define list_for_each_safe(it, tmp, l) \
    for (struct list *it = (l)->next, *tmp = it->next; it != (l); it = tmp, tmp = it->next)

#endif
