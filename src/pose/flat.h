/*
 * Reads a FlatBuffer of unknown honesty: every offset is checked before it is followed.
 *
 *     bl__flat b = {.data = bytes, .size = size};
 *     bl__flat_table model = bl__flat_root(&b);
 *     bl__flat_vector ops = bl__flat_tables(model, 3);
 *     for (uint32_t k = 0; k < ops.count; k++) use(bl__flat_at(ops, k));
 *     if (b.bad) ...
 *
 * Nothing fails at once: whatever points outside the buffer sets `bad` and reads as absent (zeros, empty
 * vectors), so that a caller looks at `bad` once, before it trusts what it read. Format: a table starts with
 * a signed distance back to its vtable (u16 size, u16 table size, then a u16 offset a field, 0 = absent); a
 * vector is a u32 count and the elements; offsets are u32, relative to where they stand, always forward.
 */
#ifndef BL_POSE_FLAT_H
#define BL_POSE_FLAT_H

#include <stddef.h>
#include <stdint.h>

typedef struct bl__flat {
    const uint8_t *data;
    size_t size; /* at most 2^31 */
    int bad;
} bl__flat;

typedef struct bl__flat_table { /* absent: at == 0 */
    bl__flat *b;
    size_t at, vtable, vtable_size;
} bl__flat_table;

typedef struct bl__flat_vector { /* absent: count == 0 */
    bl__flat *b;
    size_t at; /* of the first element */
    uint32_t count;
} bl__flat_vector;

bl__flat_table bl__flat_root(bl__flat *b);
int32_t bl__flat_i32(bl__flat_table t, int field, int32_t absent);
int bl__flat_u8(bl__flat_table t, int field, int absent);
int bl__flat_i8(bl__flat_table t, int field, int absent);
bl__flat_table bl__flat_child(bl__flat_table t, int field);
/* A vector of elements of `size` bytes: all of it lies inside the buffer. */
bl__flat_vector bl__flat_numbers(bl__flat_table t, int field, size_t size);
bl__flat_vector bl__flat_tables(bl__flat_table t, int field);
bl__flat_table bl__flat_at(bl__flat_vector v, uint32_t k);
const uint8_t *bl__flat_bytes(bl__flat_vector v);    /* of the first element; NULL when empty */
int32_t bl__flat_int(bl__flat_vector v, uint32_t k); /* of a vector of i32 */
/* Element of a vector of u8, u16 or i32 (size 1, 2, 4); k must be below count. */
uint32_t bl__flat_index(bl__flat_vector v, size_t size, uint32_t k);

#endif
