/* The configuration: every option once, in options.def; from defaults, helenus.yaml and the command line. */
#ifndef SERVER_RUN_CONFIG_H
#define SERVER_RUN_CONFIG_H

#include "server/node/node.h"
#include "server/run/log.h"

struct config {
    const char *directory; /* required */
    const char *cluster_name, *data_center, *rack;
    /* Addresses as text, host names resolved. listen and rpc default to one another, then 127.0.0.1; the broadcast ones to them. */
    const char *listen_address, *rpc_address;
    const char *broadcast_address,
        *broadcast_rpc_address; /* what nodes and clients are told; never 0.0.0.0 or :: */
    uint16_t native_transport_port, native_shard_aware_transport_port /* 0: off */, storage_port;
    uint32_t shards, shards_ignore_msb; /* of a new directory */
    uint32_t num_tokens;                /* of a new directory */
    uint32_t loops;                     /* event loops; 0: one a core */
    bool allow_open_access;
    size_t memtable_bytes;  /* of the whole node; each shard has its share */
    size_t level_map_bytes; /* address space of each shard's LMDB */
    size_t commitlog_segment_bytes, commitlog_total_bytes;
    enum sync_mode commitlog_sync;
    int64_t commitlog_sync_period_us;
    size_t request_memory_bytes; /* of the whole node */
    uint32_t frame_bytes_max, output_bytes_max, requests_per_connection_max,
        prepared_statements_max;
    uint32_t connections_max, connections_per_ip_max; /* 0: no bound */
    int64_t read_timeout_us, range_timeout_us, write_timeout_us, truncate_timeout_us,
        request_timeout_us, idle_timeout_us;
    enum log_level log_level;
    const struct setting
        *settings; /* every option with its value in force, for system_views.settings */
    size_t settings_count;
};

/* Reads the command line (and the file it names, below it). Strings live in a. *exit_now: --help, --version or --print-config was
 * served on stdout. ERR_CONFIG with one line: file, line, option, what is allowed. Sets the log's level and node; options accepted
 * without effect are warned of there. */
err_t config_load(int argc, char **argv, struct arena *a, struct config *out, bool *exit_now,
                  struct fail *fail) MUST_USE;

#endif
