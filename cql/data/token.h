/* Tokens of Murmur3Partitioner, and which shard owns one. */
#ifndef CQL_DATA_TOKEN_H
#define CQL_DATA_TOKEN_H

#include "cql/base/bytes.h"

struct token {
    int64_t value; /* INT64_MIN stands for "before every token": no key has it */
};

#define TOKEN_MIN ((struct token){INT64_MIN})
#define TOKEN_MAX ((struct token){INT64_MAX})

/* The token of a serialised partition key: Cassandra's variant of MurmurHash3 x64 128 (signed bytes in the tail), first half,
 * INT64_MIN mapped to INT64_MAX. */
struct token token_of_key(struct bytes pk);

/* Biased-token-round-robin: the token, biased to unsigned, without its ignore_msb top bits, scaled to shards.
 * Source: the algorithm shard-aware drivers implement (SCYLLA_SHARDING_ALGORITHM). shards >= 1, ignore_msb < 64. */
uint32_t token_shard(struct token t, uint32_t shards, uint32_t ignore_msb);
/* The least token > t that belongs to shard; false when there is none. */
bool token_shard_next(struct token t, uint32_t shard, uint32_t shards, uint32_t ignore_msb,
                      struct token *out);

/* Eight bytes whose memcmp order is token order. */
static inline void token_store(struct token t, uint8_t *out)
{
    store_be64(out, (uint64_t)t.value ^ (1ull << 63));
}
static inline struct token token_load(const uint8_t *p)
{
    return (struct token){(int64_t)(load_be64(p) ^ (1ull << 63))};
}

#endif
