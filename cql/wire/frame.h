/* The outer frames of protocol v5 (native_protocol_v5.spec section 2.2): checksummed pieces of up to 128 KiB - 1 that carry whole small
 * envelopes or slices of a large one. */
#ifndef CQL_WIRE_FRAME_H
#define CQL_WIRE_FRAME_H

#include "cql/wire/envelope.h"

enum {
    FRAME_PAYLOAD_MAX = 131071,
    FRAME_HEADER_BYTES = 6,
    FRAME_HEADER_LZ4_BYTES = 8,
    FRAME_TRAILER_BYTES = 4
};

/* Takes one frame off the front of in. *used: its bytes, 0 when in does not hold all of it yet. *payload points into in, or into
 * scratch when it was compressed (scratch is reset first). ERR_PROTOCOL with a message when a checksum fails or the frame is malformed. */
err_t frame_decode(struct bytes in, bool lz4, struct buf *scratch, size_t *used,
                   struct bytes *payload, bool *self_contained, struct fail *fail) MUST_USE;

/* Appends payload (whole envelopes, or slices of one when !self_contained; n <= FRAME_PAYLOAD_MAX) as one frame. */
void frame_encode(struct bytes payload, bool lz4, bool self_contained, struct buf *out);
/* Frames any number of complete envelopes: small ones share a frame, one that is too large is cut. */
void frame_encode_envelopes(struct bytes envelopes, bool lz4, struct buf *out);

/* Checksums of section 2.2.1: CRC24 of header bytes, CRC32 of the payload. */
uint32_t frame_crc24(uint64_t header, int n);
uint32_t frame_crc32(struct bytes payload);

#endif
