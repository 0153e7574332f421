/* CRC32C by the CPU's instruction where there is one, else by table; a fast 64-bit hash for maps. */
#include "cql/base/hash.h"

static uint32_t crc32c_table(uint32_t crc, const uint8_t *p, size_t n)
{
    /* A nibble at a time: 16 entries are computed here rather than kept as mutable state. */
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p,
                                                               size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; p += 8, n -= 8)
        c = __builtin_ia32_crc32di(c, load_le64(p));
    for (; n; p++, n--)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return (uint32_t)c;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    crc = ~crc;
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_sse42(crc, p, n);
#endif
    return ~crc32c_table(crc, p, n);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 r = (unsigned __int128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

uint64_t hash_bytes(struct bytes b, uint64_t seed)
{
    const uint64_t k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db;
    uint64_t h = seed ^ k0 ^ (b.n * k1);
    const uint8_t *p = b.p;
    size_t n = b.n;
    for (; n >= 8; p += 8, n -= 8)
        h = mix(h ^ load_le64(p), k1);
    uint64_t tail = 0;
    for (size_t i = 0; i < n; i++)
        tail |= (uint64_t)p[i] << (8 * i);
    return mix(h ^ tail, k0 ^ b.n);
}
