/* The data directory: lock, format version, shard count; and what the node keeps of itself (in shard 0's state).
 *
 *   DIR/lock          held (flock) as long as the process lives
 *   DIR/format        text: "helenus version 1", "shards N", "ignore_msb M"; written once, last, when the directory is made
 *   DIR/commitlog/    segments (storage/README.md)
 *   DIR/shards/NN/    one LMDB environment a shard */
#ifndef SERVER_RUN_DIRECTORY_H
#define SERVER_RUN_DIRECTORY_H

#include "cql/base/arena.h"
#include "cql/base/err.h"

#define DIRECTORY_FORMAT 1

struct directory {
    const char *path;
    int lock_fd;
    uint32_t shards, ignore_msb;
    bool fresh; /* made just now */
};

/* Opens, or makes with the shard count given. ERR_CONFIG with one line: another process holds it, another format version, not writable. */
err_t directory_open(const char *path, uint32_t shards, uint32_t ignore_msb, struct directory *out,
                     struct fail *fail) MUST_USE;
void directory_close(struct directory *d);

#endif
