/* Replay of the commit log at start, by as many threads as there are event loops: records of different shards do not touch each other. */
#ifndef SERVER_RUN_REPLAY_H
#define SERVER_RUN_REPLAY_H

#include "storage/commitlog.h"
#include "storage/store.h"

/* Applies to stores[0 … shards - 1] what the log holds for them; *records: how many records there were. */
err_t replay_log(struct commitlog *log, struct store **stores, uint32_t shards, uint32_t threads,
                 uint64_t *records, struct fail *fail) MUST_USE;

#endif
