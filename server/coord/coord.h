/* The coordinator of one request: decides whether enough replicas are alive, sends to them, counts answers, gives up in time.
 *
 * Now every replica is a shard of this node; what a request needs of the cluster comes in struct topology. Machines: no clock, no I/O;
 * messages out go to the queue given, answers come back through coord_*_reply(). */
#ifndef SERVER_COORD_COORD_H
#define SERVER_COORD_COORD_H

#include "cql/schema/schema.h"
#include "server/coord/message.h"

struct topology {
    uint16_t shards;
    uint8_t ignore_msb;
    struct bytes local_dc;
};

static inline uint16_t topology_shard(const struct topology *t, struct token token)
{
    return (uint16_t)token_shard(token, t->shards, t->ignore_msb);
}

/* Replicas a level waits for (Cassandra's blockFor) under this replication. cl: protocol number. */
int32_t coord_block_for(uint16_t cl, const struct replication *r, const struct topology *t);
/* OK, or ERR_UNAVAILABLE with required and alive, or ERR_INVALID where the level is not allowed for a read or a write at all.
 * write: also what SERIAL and ANY mean differs. Texts are Cassandra's. */
err_t coord_check(uint16_t cl, const struct keyspace *ks, const struct topology *t, bool write,
                  struct fail *fail) MUST_USE;

/* --- Writes: all mutations of one request ---------------------------------------------------------------------------------------- */

struct coord_write {
    uint32_t pending; /* messages out */
    err_t err;        /* the first failure */
    uint32_t failed, count;
};
struct coord_mutation {
    struct token token;
    struct bytes bytes;
    bool log;
};
/* Sends every mutation to its shard. Messages are in a. self: the endpoint replies come back to. tag: given back in message_write_tag(). */
void coord_write_start(struct coord_write *w, const struct topology *t, uint16_t self,
                       const struct coord_mutation *mutations, size_t count, struct arena *a,
                       void *tag, struct message_queue *out);
/* Takes a reply; true when it was the last. */
bool coord_write_reply(struct coord_write *w, struct message *m);
/* Which request a VERB_WRITE or VERB_READ reply belongs to. */
void *coord_tag(const struct message *m);

/* --- Reads: one select -------------------------------------------------------------------------------------------------------------- */

/* What takes the ordered answer: plan's select run behind three functions, so that this folder needs nothing of plan. */
struct coord_sink {
    void *ctx;
    /* A chunk in order. more: there may be more after it. Clear *want_more to stop. */
    err_t (*consume)(void *ctx, struct bytes result, bool more, bool *want_more);
    /* How many more rows are useful. */
    uint32_t (*rows_wanted)(void *ctx);
};

struct coord_read;

/* What reads leave for the next ones of the same endpoint, so that a read allocates nothing: buffers of results, memory of positions. */
enum { COORD_SPARES_MAX = 32 };
struct coord_spares {
    uint32_t count;
    struct coord_spare {
        struct buf result;
        struct arena arena;
    } spare[COORD_SPARES_MAX];
};
void coord_spares_free(struct coord_spares *s);

/* Starts reading command from position. Everything lives in a (but for results, malloc'ed by replicas, and what is borrowed from spares).
 * local_only: a table served by this very endpoint (virtual tables). */
struct coord_read *coord_read_start(const struct topology *t, uint16_t self,
                                    const struct read_command *command,
                                    const struct read_position *position, bool local_only,
                                    struct coord_sink sink, struct arena *a, void *tag,
                                    struct coord_spares *spares, struct message_queue *out);
/* Takes a reply, feeds the sink, sends what comes next. True when nothing is out any more and the read has ended: coord_read_err()
 * says how. */
bool coord_read_reply(struct coord_read *r, struct message *m, struct message_queue *out);
err_t coord_read_err(const struct coord_read *r);
/* Nothing is out any more and the read has ended: after coord_read_start() that means that no key was left to be read. */
bool coord_read_has_ended(const struct coord_read *r);
/* The sink must not be called any more (the request was given up); replies still out are awaited. */
void coord_read_cancel(struct coord_read *r);
/* Frees results that were not consumed. Only when nothing is out. */
void coord_read_end(struct coord_read *r);

#endif
