/* The configuration: see config.h. */
#include "server/run/config.h"

#include <stdio.h>
#include <stdlib.h>

err_t config_load(int argc, char **argv, struct arena *a, struct config *c, bool *exit_now, struct fail *fail) {
    (void)a;
    *c = (struct config){
        .cluster_name = "Test Cluster", .data_center = "datacenter1", .rack = "rack1",
        .listen_address = "127.0.0.1", .rpc_address = "127.0.0.1",
        .native_transport_port = 9042, .native_shard_aware_transport_port = 19042, .storage_port = 7000,
        .shards = 16, .shards_ignore_msb = 8, .num_tokens = 16,
        .memtable_bytes = 512u << 20, .level_map_bytes = 1ull << 36, .commitlog_segment_bytes = 32u << 20, .commitlog_total_bytes = 1ull << 30,
        .commitlog_sync = SYNC_GROUP, .commitlog_sync_period_us = 10 * 1000000,
        .request_memory_bytes = 256u << 20, .frame_bytes_max = 16u << 20, .output_bytes_max = 1u << 20, .requests_per_connection_max = 1024,
        .prepared_statements_max = 10000,
        .read_timeout_us = 5000000, .range_timeout_us = 10000000, .write_timeout_us = 2000000, .truncate_timeout_us = 60000000,
        .request_timeout_us = 10000000,
    };
    for (int i = 1; i < argc; i++) {
        const char *k = argv[i], *v = i + 1 < argc ? argv[++i] : "";
        if (!strcmp(k, "--directory")) c->directory = v;
        else if (!strcmp(k, "--rpc-address")) c->rpc_address = c->listen_address = v;
        else if (!strcmp(k, "--native-transport-port")) c->native_transport_port = (uint16_t)strtol(v, NULL, 10);
        else if (!strcmp(k, "--native-shard-aware-transport-port")) c->native_shard_aware_transport_port = (uint16_t)strtol(v, NULL, 10);
        else if (!strcmp(k, "--commitlog-sync")) c->commitlog_sync = !strcmp(v, "periodic") ? SYNC_PERIODIC : SYNC_GROUP;
        else return fail_set(fail, ERR_CONFIG, "unknown option %s", k);
    }
    if (c->native_transport_port != 9042 && c->native_shard_aware_transport_port == 19042) c->native_shard_aware_transport_port = 0;
    if (c->directory == NULL) return fail_set(fail, ERR_CONFIG, "--directory is required");
    *exit_now = false;
    return OK;
}
