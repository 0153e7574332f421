/* A whole node in one thread: its shards, control, log writer and jobs, a simulated disk for the commit log and real LMDB in a temporary
 * directory. Time is what the test says. Messages are carried by world_pump(); what server/run does, without threads or sockets. */
#ifndef TESTS_UNIT_NODE_WORLD_H
#define TESTS_UNIT_NODE_WORLD_H

#include "cql/wire/envelope.h"
#include "server/node/control.h"
#include "server/node/jobs.h"
#include "server/node/log_writer.h"
#include "server/node/shard.h"
#include "storage/disk.h"

enum { WORLD_SHARDS = 4 };

struct world {
    char directory[64];
    struct node node;
    struct shard shards[WORLD_SHARDS];
    struct control control;
    struct log_writer log_writer;
    struct jobs jobs;
    struct disk_sim *disk;
    struct commitlog *log;
    struct now now;
    struct message_queue queue;
    bool log_stuck; /* messages to the log wait in log_queue */
    struct message_queue log_queue;
    struct arena arena;
    bool running;
};

/* A fresh node. */
void world_start(struct world *w);
/* Power fails: the log keeps what was synced (and any of the rest, by seed), LMDB its last commits; then the node starts again. */
void world_power_loss(struct world *w, uint64_t seed);
void world_stop(struct world *w);
/* Carries messages until there are none, a turn of each shard at least. */
void world_pump(struct world *w);
void world_advance(struct world *w, int64_t us);

/* A client's connection, over protocol v4 unless said otherwise. */
struct client {
    struct world *w;
    struct session *session;
    struct buf in; /* received, not taken yet */
    uint8_t version;
    int16_t stream;
};
struct answer {
    bool arrived;
    struct envelope e;
    struct bytes body; /* valid until the next call on the client */
};

void client_open(struct client *c, struct world *w, uint16_t shard, uint8_t version);
void client_close(struct client *c);
void client_send(struct client *c, uint8_t opcode, struct bytes body);
void client_query_send(struct client *c, const char *text);
/* Pumps, then takes the oldest envelope received. */
struct answer client_receive(struct client *c);
/* Both; fails the test when nothing, or an ERROR, comes back. */
struct answer client_query(struct client *c, const char *text);
/* Both; the error code, 0 when it was none. The message is copied to text (when not NULL). */
uint32_t client_query_error(struct client *c, const char *query, char *text, size_t text_bytes);
/* Rows of a RESULT body. */
uint32_t answer_rows(const struct answer *a);

#endif
