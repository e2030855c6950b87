/* What a transfer will take of a device: its own parts are made on one that only counts. */
#include <math.h>

#include "ballerino/base.h"
#include "ballerino/pose.h"
#include "estimate.h"
#include "output.h"

/* Parameters as those of a model that was read. */
static int declare(bl_params **ps, const bl_gan_net *net, bl_device *plan, bl_err *err) {
    int rc = bl_params_create(ps, err);
    if (rc == 0) rc = bl_params_place(*ps, plan, err);
    if (rc == 0) rc = bl_gan_declare(net, *ps, 0, err);
    return rc < 0 ? rc : bl_params_plan(*ps, 0, err);
}

static int model_of(bl_model *m, const bl__model_info *info, bl_device *plan, bl_err *err) {
    *m = (bl_model){.info = *info};
    int rc = bl_frame_create(&m->plate, info->stats.width, info->stats.height, err);
    if (rc == 0) rc = declare(&m->params, &info->net, plan, err);
    for (int k = 0; k < BL__REFINERS && rc == 0; k++)
        if (info->refine[k].on) rc = declare(&m->refine[k], &info->refine[k].net, plan, err);
    return rc;
}

static void release(bl_model *m) {
    bl_frame_unref(&m->plate);
    bl_params_destroy(&m->params);
    for (int k = 0; k < BL__REFINERS; k++) bl_params_destroy(&m->refine[k]);
}

/* Poses are found before anything is rendered. */
static int find_poses(const bl_pose_options *wanted, bl_device *plan, bl_err *err) {
    bl_pose_options o = *wanted;
    bl_pose *pose = NULL;
    o.device = plan;
    int rc = bl_pose_open(&pose, &o, err);
    bl_pose_close(&pose);
    return rc;
}

/* As many as are under way at once. */
enum { STILLS = BL__OUTPUT_STILLS + 2, PRINTS = BL__OUTPUT_PAINTED + 2 };

static int make_stills(bl__render *r, bl__painter *p, const bl_model *m, bl_err *err) {
    bl__slide *slide[STILLS] = {NULL};
    bl__print *print[PRINTS] = {NULL};
    bl__part_box box[BL_REGIONS];
    const bl_person nobody = {0};
    int rc = 0;
    for (int k = 0; k < BL_REGIONS; k++)
        box[k] = (bl__part_box){.cx = (float)m->plate->width / 2,
                                .cy = (float)m->plate->height / 2,
                                .side = (float)p->refine.refiner[bl__refiner_of((bl_region)k)].size,
                                .seen = 1};
    for (int k = 0; k < STILLS && rc == 0; k++) rc = bl__screen_slide(&r->screen, &slide[k], err);
    if (rc == 0) rc = bl__refine_queue(&p->refine, &p->press.frame, &nobody, box, 1, err);
    for (int k = 0; k < PRINTS && rc == 0; k++) rc = bl__press_print(&p->press, &print[k], err);
    if (rc == 0) rc = bl__press_frame(&p->press, m->plate, err);
    for (int k = 0; k < STILLS; k++) bl__slide_back(&slide[k]);
    for (int k = 0; k < PRINTS; k++) bl__print_back(&print[k]);
    return rc;
}

static int make_frames(const bl_model *m, int w, int h, int threads, bl_err *err) {
    bl__render render = {0};
    bl__painter painter = {0};
    int rc = bl__render_plan(&render, m, w, h, threads, err);
    if (rc == 0) rc = bl__painter_init(&painter, m, &render.grid, threads, err);
    if (rc == 0) rc = make_stills(&render, &painter, m, err);
    bl__painter_release(&painter);
    bl__render_release(&render);
    return rc;
}

int bl__estimate_transfer(int64_t *bytes, const bl__model_info *info, int w, int h,
                          const bl_pose_options *poses, int threads, bl_device *device, bl_err *err) {
    bl_device *plan = NULL;
    bl_model model = {0};
    int rc = bl_device_plan(&plan, device, err);
    if (rc < 0) return rc;
    rc = model_of(&model, info, plan, err);
    if (rc == 0 && poses) rc = find_poses(poses, plan, err);
    if (rc == 0) rc = make_frames(&model, w, h, threads, err);
    if (rc == 0) *bytes = bl_device_planned(plan);
    release(&model);
    bl_device_close(&plan);
    return rc;
}
