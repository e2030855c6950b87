/*
 * How far a device is from the CPU: errors are noted as they are found, the largest stand in one table.
 *
 *     parity_note(&(parity_seen){.what = "conv 3x3", .size = "9x7", .detail = "the value", .precision =
 * BL_FP32, .error = 3e-6, .limit = 1e-4}); parity_expect();   // fails the test when something noted since
 * the last call lies beyond its limit parity_print(stdout, device);
 *
 * A row has two measures for each precision. Of an operator: its values and its gradients. Of a network: the
 * gradient of all parameters together and the worst parameter's. Of a training: the losses over the first
 * steps and their running means over all. Of a picture: its values.
 */
#ifndef BALLERINO_TEST_PARITY_H
#define BALLERINO_TEST_PARITY_H

#include <stdio.h>

#include "ballerino/nn.h"

typedef struct parity_seen {
    const char *what, *size; /* the row; the size is that of the row's first note */
    const char *detail;      /* said when it is beyond the limit */
    bl_precision precision;
    int second;          /* 1: the row's second measure */
    double error, limit; /* what is no number is beyond any limit */
} parity_seen;

void parity_note(const parity_seen *s);
void parity_expect(void);
/* The table, in Markdown, below a line with the device, its libraries and the date. */
void parity_print(FILE *f, const bl_device *device);

/* The groups of tests: how many failed. */
int cuda_ops_tests(bl_device *device, int real);
int cuda_pictures_tests(bl_device *device, int real);
int cuda_nets_tests(bl_device *device, int real);
int cuda_steps_tests(bl_device *device, int real);

#endif
