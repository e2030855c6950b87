/* The 70 points of OpenPose's face from the 468 of the mesh. */
#include "ballerino/pose.h"

enum { NAMED = 68, R_EYE = 36, L_EYE = 42, EYE = 6 };

/*
 * Vertices of the mesh that lie where OpenPose (and dlib, whose 68 points it takes) has its points. Right and
 * left are the person's own: the right side, left in the picture, comes first. The jaw's are those of the
 * mesh's outline nearest to equal steps; the two sides mirror each other everywhere.
 */
static const short vertex[NAMED] = {
    127, 234, 132, 58,  172, 136, 150, 176, 152, /* 0  jaw: from the right ear to the chin */
    400, 379, 365, 397, 288, 361, 454, 356,      /* 9  and on to the left ear */
    70,  63,  105, 66,  107,                     /* 17 right brow, from the outside */
    336, 296, 334, 293, 300,                     /* 22 left brow, from the inside */
    168, 6,   195, 4,                            /* 27 bridge of the nose, down to the tip */
    98,  97,  2,   326, 327,                     /* 31 below the nostrils, right to left */
    33,  160, 158, 133, 153, 144,                /* 36 right eye: outer corner, upper lid, inner, lower */
    362, 385, 387, 263, 373, 380,                /* 42 left eye: inner corner, upper lid, outer, lower */
    61,  40,  37,  0,   267, 270,                /* 48 lips, outside: right corner, upper edge */
    291, 321, 314, 17,  84,  91,                 /* 54 left corner, lower edge back */
    78,  81,  13,  311, 308, 402, 14,  178,      /* 60 the same, inside */
};

void bl_openpose_face(float xyc[BL_OPENPOSE_FACE][3], const bl_face *face, int width, int height) {
    int seen = face->score > 0;
    for (int k = 0; k < NAMED; k++) {
        const bl_point3 *p = &face->points[vertex[k]];
        xyc[k][0] = seen ? p->x * (float)width : 0;
        xyc[k][1] = seen ? p->y * (float)height : 0;
        xyc[k][2] = seen ? face->score : 0;
    }
    for (int eye = 0; eye < 2;
         eye++) { /* 68, 69: the pupils, which the mesh has not: the middle of the lids */
        float x = 0, y = 0;
        for (int k = 0; k < EYE; k++) {
            x += xyc[(eye ? L_EYE : R_EYE) + k][0] / EYE;
            y += xyc[(eye ? L_EYE : R_EYE) + k][1] / EYE;
        }
        xyc[NAMED + eye][0] = x;
        xyc[NAMED + eye][1] = y;
        xyc[NAMED + eye][2] = seen ? face->score : 0;
    }
}
