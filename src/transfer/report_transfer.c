#include "report_transfer.h"

#include "ballerino/base.h"
#include "model.h"

#define PICTURE_SIDE 1280

static void tiles(bl_report *r, const bl__transfer_facts *f) {
    const double seconds = f->frames_seconds > 0 ? f->frames_seconds : 1e-9;
    bl_report_tiles_begin(r);
    bl_report_tile(r, "frames made", "%lld", (long long)f->result->frames);
    bl_report_tile(r, "pixels, the size of the result", "%d x %d", f->picture_width, f->picture_height);
    bl_report_tile(r, "frames made each second", "%.1f", (double)f->result->frames / seconds);
    bl_report_tile(r, "frames in which the source shows nobody", "%lld",
                   (long long)f->result->without_person);
    bl_report_end(r);
}

static void moments(bl_report *r, const bl__transfer_facts *f) {
    bl_frame *picture = NULL;
    bl_report_heading(r, "The result");
    if (bl__strip_picture(f->strip, &picture, NULL) == 0 && picture)
        bl_report_strip(
            r, picture, "rows: source, figure, result",
            "From top to bottom: the source, the stick figure after it was fitted to the target, and the "
            "result, at moments spread over the clip.");
    else
        bl_report_text(r, "No frame was kept to be shown here.");
    bl_frame_unref(&picture);
}

static void fitting(bl_report *r, const bl__transfer_facts *f) {
    static const char *const how[] = {"robust", "paper", "none"};
    const bl_pose_stats *t = &f->model->info.stats;
    bl_report_heading(r, "How the dance was fitted");
    if (f->job->overlay)
        bl_report_picture_file(
            r, f->job->overlay, PICTURE_SIDE, "source and fitted figures",
            "Left: the source with its figure. Right: the target's empty room with the fitted "
            "figure (faint: other moments). Red line: the floor where the dancer stands nearest, "
            "blue: farthest. The feet should stand on the floor, and the figure should be as tall "
            "as the target.");
    bl_report_facts_begin(r);
    bl_report_fact(r, "Normalisation", "%s", how[BL_CLAMP((int)f->job->normalise, 0, 2)]);
    bl_report_fact(r, "Smoothing of poses", "over %d frames", f->job->smooth);
    bl_report_fact(r, "Target's height", "%.0f pixels near, %.0f far", (double)t->height_near,
                   (double)t->height_far);
    bl_report_fact(r, "Window", "%d x %d pixels (%d x %d in training)", f->window_width, f->window_height,
                   f->model->info.net.width, f->model->info.net.height);
    bl_report_end(r);
}

static void times(bl_report *r, const bl__transfer_facts *f) {
    const struct {
        const char *name;
        double seconds;
    } rows[] = {{"finding the dancer", f->pose_seconds},
                {"fitting the dance", f->prepare_seconds},
                {"making the frames", f->frames_seconds}};
    const double sum = f->pose_seconds + f->prepare_seconds + f->frames_seconds;
    bl_report_bars_begin(r);
    for (size_t k = 0; k < BL_COUNT(rows); k++) {
        char took[32];
        bl__report_duration(took, rows[k].seconds);
        bl_report_bar(r, rows[k].name, sum > 0 ? rows[k].seconds / sum : 0, "%s", took);
    }
    bl_report_end(r);
    if (f->job->track)
        bl_report_text(r, "The source's poses had been found before and were read from a file.");
}

static void fill(bl_report *r, const bl__transfer_facts *f) {
    char folder[4096];
    tiles(r, f);
    moments(r, f);
    fitting(r, f);
    bl_report_heading(r, "The source");
    bl__report_verdict(r, f->source, BL_PURPOSE_SOURCE);
    times(r, f);
    bl_report_heading(r, "How the target was learned");
    if (snprintf(folder, sizeof folder, "%s.train", f->job->model) < (int)sizeof folder)
        bl__report_sections(r, folder);
    bl_report_facts_begin(r);
    bl_report_fact(r, "Model", "%s", f->job->model);
    bl_report_fact(r, "The target's consent", "%s", f->model->info.consent);
    bl_report_end(r);
    bl_report_note(
        r, BL_REPORT_PLAIN,
        "The video is synthetic, and says so in its metadata. Whoever is shown it should be told.");
}

void bl__report_transfer(const bl__transfer_facts *f) {
    char title[600], subtitle[600], date[32];
    bl_err err = {0};
    bl_report *r = NULL;
    bl__report_date(date);
    snprintf(title, sizeof title, "%.500s", bl__report_name(f->job->output));
    snprintf(subtitle, sizeof subtitle, "%s. The dance of %.400s.", date, bl__report_name(f->job->source));
    int rc = bl_report_open(&r, f->job->report, title, subtitle, &err);
    if (rc == 0) {
        fill(r, f);
        rc = bl_report_close(&r, &err);
    }
    if (rc < 0) bl_log(BL_LOG_WARN, "transfer", "there is no report: %s", err.msg);
}
