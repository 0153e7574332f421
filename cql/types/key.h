/* The bytes of an order-preserving key, shared by key.c, key_native.c and key_number.c.
 *
 * A value starts with a tag, then comes what its type needs; a descending key is all of that inverted. Tags lie between 0x10 and 0xEF
 * so that neither they nor their inverses are 0x00 or 0xFF.
 *
 *   empty value   10                             sorts first
 *   fixed size    40, the bytes with their sign bit flipped (or otherwise arranged so that memcmp orders them)
 *   boolean       40 or 41
 *   inet          40, four bytes, then 00 or 01 and the other twelve
 *   text, blob    40, the bytes with 00 as 01 01 and 01 as 01 02, then 00
 *   varint        tag of sign and length, the length in four bytes when it is VARINT_SHORT_MAX or more, two's complement bytes
 *   decimal       60 negative, 80 zero, A0 positive; exponent; digits in pairs; 00 (see key_number.c)
 *   list, set,    40, then each element's encoding, 08 for a null one, and 00. A tuple's trailing nulls are left out, as it
 *   map, tuple    compares equal without them.
 *   vector        40, then each element's encoding
 *   anything      50, escaped as a blob: bytes of a length that the type does not have, which no valid value has */
#ifndef CQL_TYPES_KEY_H
#define CQL_TYPES_KEY_H

#define KEY_END   0x00
#define KEY_NULL  0x08
#define KEY_EMPTY 0x10
#define KEY_VALUE 0x40
#define KEY_TRUE  0x41
#define KEY_RAW   0x50

#define KEY_DECIMAL_NEGATIVE 0x60
#define KEY_DECIMAL_ZERO     0x80
#define KEY_DECIMAL_POSITIVE 0xA0

/* Varints of n bytes: 0x80 + n positive, 0x7F - n negative. */
#define KEY_VARINT_SHORT_MAX 40

#endif
