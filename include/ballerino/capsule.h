/*
 * Capsule: what figures are made of. The figure room lists them (figure.h), a processor or a device paints
 * them (picture.h).
 */
#ifndef BALLERINO_CAPSULE_H
#define BALLERINO_CAPSULE_H

/* From (ax, ay) with radius ra to (bx, by) with radius rb; a disc where both ends are equal. Pixels of the
 * canvas, whose pixel (i, j) has its centre at (i + 0.5, j + 0.5). */
typedef struct bl_capsule {
    float ax, ay, bx, by, ra, rb;
    float z;      /* depth, smaller is nearer; used for ordering only */
    float alpha;  /* opacity 0..1, from visibility */
    float rgb[3]; /* 0..1 */
    int joined;   /* continues the line of the capsule before it: their union is painted, once */
} bl_capsule;

#endif
