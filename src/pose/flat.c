#include "flat.h"

#include <string.h>

/* FlatBuffers are little-endian; so is every machine that this is built for (checked in CMake). */
static uint32_t u32_at(bl__flat *b, size_t at) {
    uint32_t x = 0;
    if (at > b->size || b->size - at < 4)
        b->bad = 1;
    else
        memcpy(&x, b->data + at, 4);
    return x;
}

static uint16_t u16_at(bl__flat *b, size_t at) {
    uint16_t x = 0;
    if (at > b->size || b->size - at < 2)
        b->bad = 1;
    else
        memcpy(&x, b->data + at, 2);
    return x;
}

static bl__flat_table table_at(bl__flat *b, size_t at) {
    bl__flat_table t = {.b = b};
    int32_t back = (int32_t)u32_at(b, at);
    int64_t vtable = (int64_t)at - back;
    if (b->bad || vtable < 0 || vtable > (int64_t)b->size) {
        b->bad = 1;
        return t;
    }
    uint16_t size = u16_at(b, (size_t)vtable);
    if (size < 4 || (size_t)vtable + size > b->size) b->bad = 1;
    if (b->bad) return t;
    t.at = at;
    t.vtable = (size_t)vtable;
    t.vtable_size = size;
    return t;
}

/* Where an offset that stands at `at` points to; 0 when it leaves the buffer. */
static size_t follow(bl__flat *b, size_t at) {
    uint32_t offset = u32_at(b, at);
    if (b->bad) return 0;
    if (offset < 4 || offset > b->size - at) {
        b->bad = 1;
        return 0;
    }
    return at + offset;
}

/* Where a field lies; 0 = absent. */
static size_t field_at(bl__flat_table t, int field) {
    size_t slot = 4 + 2 * (size_t)field;
    if (!t.at || slot + 2 > t.vtable_size) return 0;
    uint16_t offset = u16_at(t.b, t.vtable + slot);
    return offset ? t.at + offset : 0;
}

bl__flat_table bl__flat_root(bl__flat *b) {
    if (b->size > INT32_MAX) b->bad = 1;
    size_t at = b->bad ? 0 : follow(b, 0);
    return at ? table_at(b, at) : (bl__flat_table){.b = b};
}

int32_t bl__flat_i32(bl__flat_table t, int field, int32_t absent) {
    size_t at = field_at(t, field);
    return at ? (int32_t)u32_at(t.b, at) : absent;
}

int bl__flat_u8(bl__flat_table t, int field, int absent) {
    size_t at = field_at(t, field);
    if (!at) return absent;
    if (at < t.b->size) return t.b->data[at];
    t.b->bad = 1;
    return 0;
}

int bl__flat_i8(bl__flat_table t, int field, int absent) {
    size_t at = field_at(t, field);
    return at ? (int8_t)bl__flat_u8(t, field, absent) : absent;
}

bl__flat_table bl__flat_child(bl__flat_table t, int field) {
    size_t at = field_at(t, field), to = at ? follow(t.b, at) : 0;
    return to ? table_at(t.b, to) : (bl__flat_table){.b = t.b};
}

bl__flat_vector bl__flat_numbers(bl__flat_table t, int field, size_t size) {
    bl__flat_vector v = {.b = t.b};
    size_t at = field_at(t, field), to = at ? follow(t.b, at) : 0;
    if (!to) return v;
    uint32_t count = u32_at(t.b, to);
    if (t.b->bad || count > (t.b->size - to - 4) / size) {
        t.b->bad = 1;
        return v;
    }
    v.at = to + 4;
    v.count = count;
    return v;
}

bl__flat_vector bl__flat_tables(bl__flat_table t, int field) {
    return bl__flat_numbers(t, field, 4);
}

bl__flat_table bl__flat_at(bl__flat_vector v, uint32_t k) {
    size_t to = k < v.count ? follow(v.b, v.at + 4 * (size_t)k) : 0;
    return to ? table_at(v.b, to) : (bl__flat_table){.b = v.b};
}

const uint8_t *bl__flat_bytes(bl__flat_vector v) {
    return v.count ? v.b->data + v.at : NULL;
}

int32_t bl__flat_int(bl__flat_vector v, uint32_t k) {
    return k < v.count ? (int32_t)u32_at(v.b, v.at + 4 * (size_t)k) : 0;
}

uint32_t bl__flat_index(bl__flat_vector v, size_t size, uint32_t k) {
    const uint8_t *p = v.b->data + v.at + size * (size_t)k;
    if (size == 1) return *p;
    if (size == 2) return u16_at(v.b, v.at + 2 * (size_t)k);
    return u32_at(v.b, v.at + 4 * (size_t)k);
}
