/* Requests of the native protocol, decoded from an envelope's body. Everything points into the body. */
#ifndef CQL_WIRE_REQUEST_H
#define CQL_WIRE_REQUEST_H

#include "cql/wire/envelope.h"

/* <query_parameters> of section 4.1.4. */
struct query_params {
    uint16_t consistency;
    uint32_t flags;
    uint16_t values_count;
    const struct bytes *values;  /* null: BYTES_NULL; unset: p == wire_unset */
    const struct bytes *names;   /* NULL when the values are positional */
    int32_t page_size;           /* -1: none */
    struct bytes paging_state;   /* BYTES_NULL: none */
    uint16_t serial_consistency; /* 0xFFFF: none */
    bool has_timestamp, has_now;
    int64_t timestamp_us;
    int32_t now_s;
    struct bytes keyspace; /* BYTES_NULL: none */
};
enum {
    QUERY_VALUES = 0x01,
    QUERY_SKIP_METADATA = 0x02,
    QUERY_PAGE_SIZE = 0x04,
    QUERY_PAGING_STATE = 0x08,
    QUERY_SERIAL_CONSISTENCY = 0x10,
    QUERY_TIMESTAMP = 0x20,
    QUERY_NAMES = 0x40,
    QUERY_KEYSPACE = 0x80,
    QUERY_NOW = 0x100,
};
/* Stands for a value sent as unset (length -2, v4+); the same pointer as cql/plan's unset marker is set up by the session. */
extern const uint8_t wire_unset[1];

struct request_query {
    struct bytes text;
    struct query_params params;
};
struct request_prepare {
    struct bytes text, keyspace;
};
struct request_execute {
    struct bytes id, result_metadata_id;
    struct query_params params;
};
struct request_batch {
    uint8_t type;
    uint16_t count;
    struct batch_item {
        bool prepared;
        struct bytes text_or_id;
        uint16_t values_count;
        const struct bytes *values;
    } * items;
    struct query_params params; /* values unused */
};
/* Pairs of a [string map]. */
struct string_pair {
    struct bytes key, value;
};
struct string_map {
    struct string_pair *items;
    uint16_t count;
};

/* Each reads the whole body. ERR_PROTOCOL with a message when malformed; arrays are in a. */
err_t request_decode_query(struct bytes body, uint8_t version, struct arena *a,
                           struct request_query *out, struct fail *fail) MUST_USE;
err_t request_decode_prepare(struct bytes body, uint8_t version, struct request_prepare *out,
                             struct fail *fail) MUST_USE;
err_t request_decode_execute(struct bytes body, uint8_t version, struct arena *a,
                             struct request_execute *out, struct fail *fail) MUST_USE;
err_t request_decode_batch(struct bytes body, uint8_t version, struct arena *a,
                           struct request_batch *out, struct fail *fail) MUST_USE;
err_t request_decode_string_map(struct bytes body, struct arena *a, struct string_map *out,
                                struct fail *fail) MUST_USE;
err_t request_decode_string_list(struct bytes body, struct arena *a, struct bytes **out,
                                 uint16_t *count, struct fail *fail) MUST_USE;
/* The bytes map (custom payload) in front of a body: *c is moved behind it. */
err_t request_skip_payload(struct cur *c, struct fail *fail) MUST_USE;

/* The value of key, BYTES_NULL when absent. */
struct bytes string_map_get(const struct string_map *m, const char *key);

#endif
