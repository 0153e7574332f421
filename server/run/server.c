/* Start and stop: see server.h.
 *
 * Start: lock and format (directory.c) → the shards' stores → schema from shard 0's state → replay of the commit log → machines →
 * listening sockets → threads. Stop: no more input → requests in flight end → memtables flushed → threads joined → stores closed. */
#include "server/run/server.h"

#include "server/run/directory.h"
#include "server/run/log.h"
#include "server/run/replay.h"
#include "storage/disk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { STOP_WAIT_US = 5 * 1000 * 1000, DRAIN_WAIT_US = 60 * 1000 * 1000, POLL_US = 2000 };

void server_die(const char *component, const char *what)
{
    log_error(component, "%s", what);
    _exit(3);
}

static uint64_t random_u64(void)
{
    uint64_t x;
    if (getrandom(&x, sizeof x, 0) != sizeof x)
        server_die("start", "the system gives no random bytes");
    return x;
}

static err_t open_stores(struct server *s, struct store **stores, const char *path, uint32_t count,
                         struct fail *fail)
{
    for (uint32_t i = 0; i < count; i++) {
        struct store_options o = {
            .shard = i,
            .directory = arena_cstr(&s->arena, arena_printf(&s->arena, "%s/shards/%03u", path, i)),
            .map_bytes = s->config->level_map_bytes,
            .memtable_bytes_max = s->config->memtable_bytes / count / 2, /* frozen and active */
            .hash_seed = (uint32_t)random_u64(),
        };
        TRY(store_open(&o, &stores[i], fail));
    }
    return OK;
}

/* --- What the node keeps of itself -------------------------------------------------------------------------------------------------- */

static err_t state_put(struct store *s, const char *key, struct bytes value, struct fail *fail)
{
    err_t err = store_state_put(s, bytes_str(key), value);
    return err == OK ? OK : fail_set(fail, err, "cannot write the node's state: %s", err_name(err));
}

static err_t state_get(struct store *s, const char *key, struct arena *a, struct bytes *out,
                       struct fail *fail)
{
    err_t err = store_state_get(s, bytes_str(key), a, out);
    if (err == OK || err == ERR_NOT_FOUND)
        return err;
    return fail_set(fail, err, "cannot read the node's state (%s): %s", key, err_name(err));
}

/* Drawn once, when the directory is new: the host id (a random UUID) and the tokens. */
static err_t load_identity(struct server *s, struct store *first, struct fail *fail)
{
    struct bytes id, tokens;
    err_t err = state_get(first, "host_id", &s->arena, &id, fail);
    if (err == ERR_NOT_FOUND) {
        uint8_t *b = arena_alloc(&s->arena, 16);
        store_be64(b, random_u64());
        store_be64(b + 8, random_u64());
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        id = bytes_of(b, 16);
        struct buf t = buf_in(&s->arena);
        for (uint32_t i = 0; i < s->config->num_tokens; i++)
            buf_be64(&t, random_u64() >> 1 << 1); /* never INT64_MIN's neighbour by chance alone */
        uint8_t *directory = arena_alloc(&s->arena, 16);
        store_be64(directory, random_u64());
        store_be64(directory + 8, random_u64());
        TRY(state_put(first, "directory_id", bytes_of(directory, 16), fail));
        TRY(state_put(first, "tokens", buf_bytes(&t), fail));
        TRY(state_put(first, "host_id", id, fail));
    } else if (err != OK) {
        return err;
    }
    TRY(state_get(first, "tokens", &s->arena, &tokens, fail));
    struct bytes directory;
    err = state_get(first, "directory_id", &s->arena, &directory, fail);
    /* Directories made before logs were told apart have segments with the id of all zeros. */
    if (err == ERR_NOT_FOUND)
        directory = bytes_of(arena_zalloc(&s->arena, 16, 1), 16);
    else
        TRY(err);
    if (id.n != 16 || tokens.n % 8 != 0 || directory.n != 16)
        return fail_set(fail, ERR_CORRUPT, "the node's host id or tokens are damaged");
    memcpy(s->node.host_id.b, id.p, 16);
    memcpy(s->directory_id.b, directory.p, 16);
    /* system.local.tokens: set<text>, sorted as text. */
    struct buf set = buf_in(&s->arena);
    size_t count = tokens.n / 8;
    struct bytes *texts = arena_array(&s->arena, struct bytes, count);
    for (size_t i = 0; i < count; i++) {
        texts[i] = arena_printf(&s->arena, "%lld", (long long)(int64_t)load_be64(tokens.p + 8 * i));
        for (size_t k = i; k > 0 && bytes_compare(texts[k - 1], texts[k]) > 0; k--) {
            struct bytes swap = texts[k];
            texts[k] = texts[k - 1];
            texts[k - 1] = swap;
        }
    }
    collection_begin(&set, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        value_put(&set, texts[i]);
    s->node.tokens = buf_bytes(&set);
    s->own_tokens = arena_array(&s->arena, int64_t, count);
    s->own_tokens_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t k = i;
        int64_t token = (int64_t)load_be64(tokens.p + 8 * i);
        for (; k > 0 && s->own_tokens[k - 1] > token; k--)
            s->own_tokens[k] = s->own_tokens[k - 1];
        s->own_tokens[k] = token;
    }
    return OK;
}

static err_t load_schema(struct store *first, struct arena *a, struct schema **out,
                         struct fail *fail)
{
    struct bytes b;
    err_t err = state_get(first, "schema", a, &b, fail);
    if (err == ERR_NOT_FOUND) {
        *out = schema_new_initial();
        return OK;
    }
    TRY(err);
    return schema_decode(b, out, fail);
}

/* Called on the control thread while the loops run: LMDB itself admits one writer at a time. */
static err_t persist_schema(void *ctx, struct bytes schema)
{
    return store_state_put(ctx, bytes_str("schema"), schema);
}

static uint32_t loops_wanted(const struct server *s, uint32_t shards)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t loops = s->config->loops ? s->config->loops : cores > 0 ? (uint32_t)cores : 1;
    return loops < shards ? loops : shards;
}

static err_t open_log(struct server *s, const char *path, struct store **stores, uint32_t shards,
                      struct fail *fail)
{
    struct commitlog_options o = {
        .directory = arena_cstr(&s->arena, arena_printf(&s->arena, "%s/commitlog", path)),
        .segment_bytes = s->config->commitlog_segment_bytes,
        .total_bytes_max = s->config->commitlog_total_bytes,
        .shards = shards,
        .directory_id = s->directory_id,
    };
    disk_real_init(&s->disk);
    TRY(commitlog_open(&s->disk, &o, &s->commitlog, fail));
    uint64_t records;
    TRY(replay_log(s->commitlog, stores, shards, loops_wanted(s, shards), &records, fail));
    if (records)
        log_info("commitlog", "replayed %llu records", (unsigned long long)records);
    return OK;
}

/* --- Start -------------------------------------------------------------------------------------------------------------------------- */

static struct bytes inet_value(struct arena *a, const char *text)
{
    struct bytes out = BYTES_NULL;
    struct fail ignored = {.arena = a};
    if (type_from_text(type_native(TYPE_INET), bytes_str(text), a, &out, &ignored) != OK)
        return BYTES_NULL;
    return out;
}

/* The ring of a node that is alone: each of its tokens ends a range that it owns itself. */
static void describe_ranges(void *ctx, struct bytes keyspace, struct arena *a,
                            struct describe_range **out, size_t *count)
{
    (void)keyspace;
    const struct server *s = ctx;
    struct describe_range *r = arena_array(a, struct describe_range, s->own_tokens_count);
    struct bytes *endpoint = arena_array(a, struct bytes, 1);
    *endpoint = arena_printf(a, "/%s:%u", s->config->broadcast_address, s->node.storage_port);
    for (size_t i = 0; i < s->own_tokens_count; i++)
        r[i] = (struct describe_range){.end = arena_printf(a, "%lld", (long long)s->own_tokens[i]),
                                       .endpoints = endpoint,
                                       .endpoints_count = 1};
    *out = r;
    *count = s->own_tokens_count;
}

/* Each shard has its share, but room for a few of the largest messages whatever the number of shards. */
static size_t memory_of_a_shard(const struct config *c, uint32_t shards)
{
    size_t share = c->request_memory_bytes / shards, least = 4 * (size_t)c->frame_bytes_max;
    return share > least ? share : least;
}

static void fill_node(struct server *s, const struct directory *d)
{
    const struct config *c = s->config;
    struct node *n = &s->node;
    *n = (struct node){
        .topology = {.shards = (uint16_t)d->shards,
                     .ignore_msb = (uint8_t)d->ignore_msb,
                     .local_dc = bytes_str(c->data_center)},
        .limits = {.frame_bytes_max = c->frame_bytes_max,
                   .output_bytes_max = c->output_bytes_max,
                   .requests_max = c->requests_per_connection_max,
                   .memory_bytes_max = memory_of_a_shard(c, d->shards),
                   .prepared_max = c->prepared_statements_max,
                   .read_timeout_us = c->read_timeout_us,
                   .range_timeout_us = c->range_timeout_us,
                   .write_timeout_us = c->write_timeout_us,
                   .truncate_timeout_us = c->truncate_timeout_us,
                   .request_timeout_us = c->request_timeout_us,
                   .idle_timeout_us = c->idle_timeout_us},
        .cluster_name = bytes_str(c->cluster_name),
        .data_center = bytes_str(c->data_center),
        .rack = bytes_str(c->rack),
        .release_version = bytes_str("5.0.0"), /* what drivers and cqlsh decide by */
        .product_version = bytes_str(HELENUS_VERSION),
        .snitch = bytes_str("org.apache.cassandra.locator.SimpleSnitch"),
        .listen_address = inet_value(&s->arena, c->listen_address),
        .broadcast_address = inet_value(&s->arena, c->broadcast_address),
        .rpc_address = inet_value(&s->arena, c->broadcast_rpc_address),
        .native_port = c->native_transport_port,
        .shard_aware_port = c->native_shard_aware_transport_port,
        .storage_port = c->storage_port,
        .gossip_generation = (int32_t)time(NULL),
        .sync_mode = c->commitlog_sync,
        .sync_period_us = c->commitlog_sync_period_us,
        .purge_period_us = 600ll * 1000000,
        .describe = {.cluster_name = bytes_str(c->cluster_name),
                     .partitioner = bytes_str("Murmur3Partitioner"),
                     .snitch = bytes_str("SimpleSnitch"),
                     .ranges = describe_ranges,
                     .ctx = s},
        .settings = c->settings,
        .settings_count = c->settings_count,
    };
}

static void make_threads(struct server *s)
{
    uint32_t shards = s->node.topology.shards;
    s->loops_count = loops_wanted(s, shards);
    s->threads_count = s->loops_count + 3;
    s->threads = calloc(s->threads_count, sizeof *s->threads);
    ensure(s->threads != NULL);
    for (uint32_t i = 0; i < s->loops_count; i++) {
        struct thread *t = &s->threads[i];
        thread_init(t, s, THREAD_LOOP, i);
        t->shards = calloc(shards, sizeof *t->shards);
        t->awake = calloc(shards, sizeof *t->awake);
        ensure(t->shards && t->awake);
        for (uint32_t k = i; k < shards; k += s->loops_count)
            t->shards[t->shards_count++] = &s->shards[k];
    }
    thread_init(&s->threads[s->loops_count], s, THREAD_CONTROL, 0);
    thread_init(&s->threads[s->loops_count + 1], s, THREAD_LOG, 0);
    thread_init(&s->threads[s->loops_count + 2], s, THREAD_JOBS, 0);
}

static void make_machines(struct server *s, struct store **stores, struct schema *schema)
{
    uint32_t shards = s->node.topology.shards;
    s->shards = calloc(shards, sizeof *s->shards);
    s->shard_connections = calloc(shards, sizeof *s->shard_connections);
    uint64_t *flushed = calloc(shards, sizeof *flushed);
    ensure(s->shards && s->shard_connections && flushed);
    for (uint32_t i = 0; i < shards; i++) {
        shard_init(&s->shards[i], &s->node, (uint16_t)i, stores[i], schema, random_u64());
        flushed[i] = store_flushed_seq(stores[i]);
    }
    control_init(&s->control, &s->node, schema, random_u64(), persist_schema, stores[0]);
    log_writer_init(&s->log_writer, &s->node, s->commitlog, flushed);
    jobs_init(&s->jobs);
    free(flushed);
}

static err_t open_all(struct server *s, struct directory *d, struct store **stores,
                      struct fail *fail)
{
    TRY(directory_open(s->config->directory, s->config->shards, s->config->shards_ignore_msb, d,
                       fail));
    s->lock_fd = d->lock_fd;
    TRY(open_stores(s, stores, d->path, d->shards, fail));
    struct schema *schema;
    TRY(load_schema(stores[0], &s->arena, &schema, fail));
    for (uint32_t i = 0; i < d->shards; i++)
        store_set_schema(stores[i], schema);
    fill_node(s, d);
    TRY(load_identity(s, stores[0], fail));
    TRY(open_log(s, d->path, stores, d->shards, fail));
    make_machines(s, stores, schema);
    schema_unref(schema);
    return OK;
}

err_t server_start(struct server *s, const struct config *c, struct fail *fail)
{
    *s = (struct server){.config = c, .lock_fd = -1};
    arena_init(&s->arena, 0);
    struct directory d;
    struct store **stores = arena_array(&s->arena, struct store *, 4096);
    TRY(open_all(s, &d, stores, fail));
    make_threads(s);
    TRY(listeners_open(s, fail));
    listeners_start(s);
    for (uint32_t i = 0; i < s->threads_count; i++) {
        struct thread *t = &s->threads[i];
        for (uint32_t k = 0; k < t->shards_count; k++)
            thread_awake_shard(
                t, t->shards[k]); /* the first turn is everyone's: it sets the first deadline */
        thread_start(t);
    }
    return OK;
}

/* --- Stop --------------------------------------------------------------------------------------------------------------------------- */

static void pause_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static void send_to_shards(struct server *s, uint8_t verb)
{
    for (uint32_t i = 0; i < s->node.topology.shards; i++) {
        struct message *m = calloc(1, sizeof *m);
        ensure(m != NULL);
        *m = (struct message){
            .from = (uint16_t)i, .to = (uint16_t)i, .verb = verb, .needs_reply = true};
        struct message_queue q = {0};
        message_push(&q, m);
        struct thread *t = server_thread_of(s, (uint16_t)i);
        mailbox_push(&t->mailbox, &q);
        thread_wake(t);
    }
}

/* Waits until every shard has answered, at most limit_us. */
static bool wait_for_shards(struct server *s, long limit_us)
{
    for (long waited = 0; waited < limit_us; waited += POLL_US) {
        if (__atomic_load_n(&s->drained, __ATOMIC_ACQUIRE) == s->node.topology.shards)
            return true;
        pause_us(POLL_US);
    }
    return false;
}

static void stop_threads(struct server *s, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        __atomic_store_n(&s->threads[i].stopping, true, __ATOMIC_RELEASE);
        thread_wake(&s->threads[i]);
    }
    for (uint32_t i = first; i < first + count; i++)
        thread_join(&s->threads[i]);
}

void server_stop(struct server *s)
{
    /* Input ends first, so that what is drained stays drained. */
    send_to_shards(s, VERB_STOP);
    bool quiet = wait_for_shards(s, STOP_WAIT_US);
    __atomic_store_n(&s->drained, 0, __ATOMIC_RELEASE);
    send_to_shards(s, VERB_DRAIN);
    bool drained = wait_for_shards(s, DRAIN_WAIT_US);
    if (!quiet || !drained) {
        /* Nothing acknowledged is in danger: the log holds what is not flushed. */
        log_warn("stop", "%s; the commit log will be replayed at the next start",
                 quiet ? "a flush did not end in time" : "requests in flight did not end in time");
        _exit(0);
    }
    stop_threads(s, 0, s->threads_count);
    listeners_close(s);
    control_free(&s->control);
    for (uint32_t i = 0; i < s->node.topology.shards; i++)
        shard_free(&s->shards[i]);
    log_writer_free(&s->log_writer);
    jobs_free(&s->jobs);
    commitlog_close(s->commitlog);
    for (uint32_t i = 0; i < s->threads_count; i++)
        thread_free(&s->threads[i]);
    free(s->threads);
    free(s->shards);
    free(s->shard_connections);
    close(s->lock_fd);
    arena_free(&s->arena);
}
