/* Tables that are not stored but made: system.*, system_schema.*, system_virtual_schema.*, system_views.*. Their rows are put in a
 * memtable when first read after a change, and read from it like any table's, so WHERE, slices, paging and functions all work. */
#ifndef SERVER_NODE_VTABLES_H
#define SERVER_NODE_VTABLES_H

#include "server/node/node.h"

struct shard;
struct vtables;

struct vtables *vtables_new(const struct node *node);
void vtables_free(struct vtables *v);
/* The schema changed: what was made is made anew. */
void vtables_forget(struct vtables *v);
/* Answers the message, which reads a made table (table_is_made()), now or (where other shards are asked) later. */
void vtables_read(struct vtables *v, struct shard *s, struct message_read *r);
/* VERB_CLIENTS: another shard asks for this one's connections; and the reply. */
void vtables_clients_answer(struct shard *s, struct message *m);
void vtables_clients_reply(struct vtables *v, struct shard *s, struct message *m);

#endif
