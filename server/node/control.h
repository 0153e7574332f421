/* The node's control endpoint (ENDPOINT_CONTROL): the only one that changes the schema. One change at a time: compiled against the newest
 * schema, made durable, taken over by every shard, then answered. On a thread of its own. */
#ifndef SERVER_NODE_CONTROL_H
#define SERVER_NODE_CONTROL_H

#include "server/node/node.h"

struct control {
    const struct node *node;
    struct schema *schema; /* reference; the newest */
    struct message_queue out;
    struct message_queue waiting;  /* changes not begun */
    struct message_change *change; /* the one being taken over by the shards */
    uint16_t pending;              /* shards that have not yet */
    struct message_schema *messages;
    struct schema_event event;
    struct now now;
    struct prng random;
    struct timeuuid_gen timeuuid;
    /* Makes the encoded schema durable before anybody sees it. */
    err_t (*persist)(void *ctx, struct bytes schema);
    void *persist_ctx;
};

void control_init(struct control *c, const struct node *node, struct schema *schema, uint64_t seed,
                  err_t (*persist)(void *ctx, struct bytes schema), void *persist_ctx);
void control_free(struct control *c);
void control_message(struct control *c, struct now now, struct message *m);

#endif
