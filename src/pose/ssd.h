/*
 * What MediaPipe's single-shot detectors (people, faces) give, decoded: a score and a box with a few points
 * at each anchor of several grids; those that overlap are merged, weighted by score.
 */
#ifndef BL_POSE_SSD_H
#define BL_POSE_SSD_H

#include "roi.h"

enum { BL__SSD_MAX_POINTS = 6, BL__SSD_MAX_ANCHORS = 2254, BL__SSD_MAX_FOUND = 16 };

/* All positions are normalised by the detector's square picture. */
typedef struct bl__detection {
    float score, xmin, ymin, xmax, ymax;
    bl__point point[BL__SSD_MAX_POINTS];
} bl__detection;

typedef struct bl__ssd {
    int size;     /* of the picture, in pixels: the unit of the network's numbers */
    int points;   /* of a detection; a row of the network is x, y, w, h and then x, y of each */
    int n_layers; /* grids of cells in row-major order, `per_cell` anchors at the centre of each */
    struct {
        int cells, per_cell;
    } layer[3];
} bl__ssd;

int bl__ssd_anchors(const bl__ssd *s); /* how many rows there are */
/* boxes: [anchors, 4 + 2 * points]; logits: [anchors]. How many were found, best score first. */
int bl__ssd_decode(const bl__ssd *s, const float *boxes, const float *logits,
                   bl__detection out[BL__SSD_MAX_FOUND]);

#endif
