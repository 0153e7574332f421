/* Checksums and hashes of general use. Murmur3 (the partitioner's) is in cql/data/token.h. */
#ifndef CQL_BASE_HASH_H
#define CQL_BASE_HASH_H

#include "cql/base/bytes.h"

/* CRC32C (Castagnoli) of n bytes continuing from crc (start with 0); with the CPU's instruction where it has one. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* 64-bit hash for in-memory tables; not stable across releases. */
uint64_t hash_bytes(struct bytes b, uint64_t seed);

#endif
