/* Messages between threads: any thread pushes, one takes. A stack that is exchanged as a whole and turned round, so no lock and no ABA. */
#ifndef SERVER_RUN_MAILBOX_H
#define SERVER_RUN_MAILBOX_H

#include "server/coord/message.h"

struct mailbox {
    _Alignas(64) struct message *head; /* atomic; newest first */
};

/* Pushes a chain (head … tail by next, oldest first). True when the mailbox was empty: the taker must be woken. */
static inline bool mailbox_push(struct mailbox *b, struct message_queue *q)
{
    /* The stack is newest first: turn the chain round before it goes on top. */
    struct message *top = NULL, *bottom = q->head;
    for (struct message *m; (m = message_pop(q));) {
        m->next = top;
        top = m;
    }
    if (top == NULL)
        return false;
    struct message *old = __atomic_load_n(&b->head, __ATOMIC_RELAXED);
    do
        bottom->next = old;
    while (!__atomic_compare_exchange_n(&b->head, &old, top, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    return old == NULL;
}

/* Takes everything, oldest first. */
static inline void mailbox_take(struct mailbox *b, struct message_queue *out)
{
    struct message *m = __atomic_exchange_n(&b->head, NULL, __ATOMIC_ACQUIRE), *first = NULL,
                   *last = m;
    if (m == NULL)
        return;
    while (m) {
        struct message *next = m->next;
        m->next = first;
        first = m;
        m = next;
    }
    if (out->tail)
        out->tail->next = first;
    else
        out->head = first;
    last->next = NULL;
    out->tail = last;
}

#endif
