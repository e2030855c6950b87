/* Strip: a few moments of a transfer for the report, kept small while the clip goes by: the source's frame,
 * the figure that the network was given, and the result. */
#ifndef BALLERINO_TRANSFER_STRIP_H
#define BALLERINO_TRANSFER_STRIP_H

#include "output.h"

#define BL__STRIP_MAX 6
enum { BL__STRIP_SOURCE, BL__STRIP_FIGURE, BL__STRIP_RESULT, BL__STRIP_ROWS };

typedef struct bl__strip {
    int wanted;                /* moments, 0..BL__STRIP_MAX */
    int64_t at[BL__STRIP_MAX]; /* their frames, ascending */
    int width, height;         /* of one picture, as the result's shape */
    int n;                     /* moments kept so far */
    bl_frame *tile[BL__STRIP_MAX][BL__STRIP_ROWS];
} bl__strip;

/* `track`: the normalised one, whose frames will go by. */
void bl__strip_init(bl__strip *s, const bl_track *track);
/* Whether this still's frame is wanted. */
int bl__strip_is_due(const bl__strip *s, const bl__still *still);
/* Looks at a finished frame and keeps it where it is wanted. Without memory that moment is left out. */
void bl__strip_see(bl__strip *s, const bl__still *still, const bl_frame *result);
/* All in one picture: a row each for source, figure, result. NULL when nothing was kept. */
int bl__strip_picture(const bl__strip *s, bl_frame **out, bl_err *err);
void bl__strip_release(bl__strip *s);

#endif
