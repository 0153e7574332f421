/* Murmur3 tokens and the shard rule. Pure arithmetic, bit for bit what Cassandra and shard-aware drivers compute. */
#include "cql/data/token.h"

#include "cql/base/err.h"

static inline uint64_t rotl(uint64_t x, unsigned r)
{
    return (x << r) | (x >> (64 - r));
}

static inline uint64_t fmix(uint64_t k)
{
    k ^= k >> 33;
    k *= 0xff51afd7ed558ccdull;
    k ^= k >> 33;
    k *= 0xc4ceb9fe1a85ec53ull;
    return k ^ (k >> 33);
}

/* A byte of the tail as Cassandra reads it: Java's bytes are signed, so one >= 0x80 sets all higher
 * bits as well. Whole blocks are read without sign. */
static inline uint64_t tail_byte(const uint8_t *p, unsigned i)
{
    return (uint64_t)(int64_t)(int8_t)p[i];
}

struct token token_of_key(struct bytes pk)
{
    if (pk.n == 0)
        return TOKEN_MIN;
    const uint64_t c1 = 0x87c37b91114253d5ull, c2 = 0x4cf5ad432745937full;
    uint64_t h1 = 0, h2 = 0;
    const uint8_t *p = pk.p;
    for (size_t blocks = pk.n / 16; blocks; blocks--, p += 16) {
        uint64_t k1 = load_le64(p), k2 = load_le64(p + 8);
        h1 ^= rotl(k1 * c1, 31) * c2;
        h1 = (rotl(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= rotl(k2 * c2, 33) * c1;
        h2 = (rotl(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    unsigned tail = pk.n & 15;
    uint64_t k1 = 0, k2 = 0;
    for (unsigned i = tail; i > 8; i--)
        k2 ^= tail_byte(p, i - 1) << (8 * (i - 9));
    for (unsigned i = tail < 8 ? tail : 8; i > 0; i--)
        k1 ^= tail_byte(p, i - 1) << (8 * (i - 1));
    h2 ^= rotl(k2 * c2, 33) * c1;
    h1 ^= rotl(k1 * c1, 31) * c2;

    h1 ^= pk.n;
    h2 ^= pk.n;
    h1 += h2;
    h2 += h1;
    int64_t hash = (int64_t)(fmix(h1) + fmix(h2));
    return (struct token){hash == INT64_MIN ? INT64_MAX : hash};
}

static inline uint64_t biased(struct token t)
{
    return (uint64_t)t.value ^ (1ull << 63);
}

uint32_t token_shard(struct token t, uint32_t shards, uint32_t ignore_msb)
{
    return (uint32_t)(((unsigned __int128)(biased(t) << ignore_msb) * shards) >> 64);
}

/* The token line, biased to unsigned, is 2^ignore_msb periods; in each, a shard owns one stretch. The
 * next token of a shard is the next point of the line, or where its stretch of this period begins, or
 * where that of the next period does. */
bool token_shard_next(struct token t, uint32_t shard, uint32_t shards, uint32_t ignore_msb,
                      struct token *out)
{
    ensure(shards >= 1 && shard < shards && ignore_msb < 64);
    uint64_t x = biased(t) + 1;
    if (x == 0)
        return false;
    *out = (struct token){(int64_t)(x ^ (1ull << 63))};
    uint32_t here = token_shard(*out, shards, ignore_msb);
    if (here == shard)
        return true;
    uint64_t in_period_mask = UINT64_MAX >> ignore_msb;
    /* the first y of a period with (y << ignore_msb) * shards >> 64 == shard */
    unsigned __int128 first = (((unsigned __int128)shard << 64) + shards - 1) / shards;
    first = (first + ((1ull << ignore_msb) - 1)) >> ignore_msb;
    if (first > in_period_mask)
        return false;
    uint64_t next = (x & ~in_period_mask) | (uint64_t)first;
    if (here > shard) {
        if ((x | in_period_mask) == UINT64_MAX)
            return false;
        next += in_period_mask + 1;
    }
    *out = (struct token){(int64_t)(next ^ (1ull << 63))};
    /* more shards than a period has tokens: some own none */
    return token_shard(*out, shards, ignore_msb) == shard;
}
