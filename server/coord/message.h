/* Messages between endpoints. An endpoint is a shard or one of the node's services (control, log, jobs); each is driven by one thread.
 *
 * A message is owned by its sender's request and lent to the receiver: the receiver fills in the reply fields, sets is_reply and sends
 * the very same object back. So nothing is allocated to deliver one, and the sender must keep it (and what it points to) until the reply
 * is back. One-way messages (needs_reply false) are malloc'ed and freed by the receiver with message_free(). */
#ifndef SERVER_COORD_MESSAGE_H
#define SERVER_COORD_MESSAGE_H

#include "cql/data/read.h"

enum verb {
#define X(name, text) VERB_##name,
#include "server/coord/verbs.def"
#undef X
    VERB_COUNT
};

/* Endpoint numbers: shards are 0 … shards - 1. */
enum { ENDPOINT_CONTROL = 0xFFF0, ENDPOINT_LOG = 0xFFF1, ENDPOINT_JOBS = 0xFFF2 };

struct message {
    struct message *next; /* of the queue it is in */
    uint16_t from, to;
    uint8_t verb;
    bool is_reply, needs_reply;
    err_t err;    /* of the reply */
    uint64_t seq; /* log sequence number that its answer waits for; the receiver's own use */
};

/* A FIFO of messages; a zeroed struct is empty. */
struct message_queue {
    struct message *head, *tail;
};
static inline void message_push(struct message_queue *q, struct message *m)
{
    m->next = NULL;
    if (q->tail)
        q->tail->next = m;
    else
        q->head = m;
    q->tail = m;
}
static inline struct message *message_pop(struct message_queue *q)
{
    struct message *m = q->head;
    if (m == NULL)
        return NULL;
    q->head = m->next;
    if (q->head == NULL)
        q->tail = NULL;
    return m;
}
/* Turns m into its reply and queues it. */
static inline void message_reply(struct message_queue *q, struct message *m, err_t err)
{
    uint16_t to = m->from;
    m->from = m->to;
    m->to = to;
    m->is_reply = true;
    m->err = err;
    message_push(q, m);
}
void message_free(struct message *m);

/* VERB_WRITE: apply one mutation; the reply comes when it is as durable as the mode asks. */
struct message_write {
    struct message head;
    struct bytes mutation;
    bool log; /* durable_writes */
};

/* VERB_READ: one chunk. command stays untouched while lent. */
struct message_read {
    struct message head;
    const struct read_command *command;
    struct read_position
        position; /* in: where to go on; out: where the next chunk does (its bytes live in `arena`) */
    struct read_budget budget;
    struct arena arena; /* the replica's memory for the position; freed by the coordinator */
    struct buf result;  /* malloc'ed by the replica, freed by the coordinator */
    bool more;
};

#endif
