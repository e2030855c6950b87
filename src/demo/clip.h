/* What is shown in a clip: who, where, and in which pose. Shared by painting and by the exact joints. */
#ifndef BL_DEMO_CLIP_H
#define BL_DEMO_CLIP_H

#include "ballerino/demo.h"
#include "dance.h"
#include "flesh.h"
#include "stage.h"

bl_demo_options bl__clip_options(const bl_demo_options *o); /* NULL: the default ones */
int bl__clip_check(bl_demo_clip clip, int64_t index, const bl_demo_options *o, bl_err *err);
bl__dress bl__clip_dress(bl_demo_clip clip);
bl__place bl__clip_place(bl_demo_clip clip);
const bl__build *bl__clip_build(bl_demo_clip clip, bl_demo_pair pair);
void bl__clip_angles(bl__angles *a, bl_demo_clip clip, int64_t index, int fps);

#endif
