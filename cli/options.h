/*
 * Options: one table of typed rows makes parsing, range checks, --help, ballerino.ini and the man pages.
 *
 *     bl__options o;
 *     bl__options_init(&o, BL__CMD_train);
 *     bl__options_ini_file(&o, "ballerino.ini", &err);   // weaker than the command line, read first
 *     bl__options_parse(&o, argc, argv, &err);
 *     double minutes = bl__option_real(&o, BL__OPT_minutes);
 */
#ifndef BALLERINO_CLI_OPTIONS_H
#define BALLERINO_CLI_OPTIONS_H

#include "ballerino/base.h"

/* X(name, words after it, one line of help), sorted by name */
#define BL__CMD_TABLE(X)                                                                                     \
    X(demo, "", "render two dancers, train on one, make it dance the other's dance")                         \
    X(doctor, "", "what this machine offers: CPU, GPUs, memory, codecs, pose models")                        \
    X(eval, "VIDEO", "judge methods on the held-out end of a target video: the paper's tables")              \
    X(help, "[COMMAND]", "this text, or the options of one command")                                         \
    X(models, "fetch|list", "fetch or list the pose models")                                                 \
    X(pose, "VIDEO", "find the dancer in a video and say whether the footage can be used")                   \
    X(run, "", "the whole job: learn the target, then make it dance the source's dance")                     \
    X(train, "VIDEO", "learn a target person from a video: makes a model file")                              \
    X(transfer, "", "make a trained target dance the dance of a source video")                               \
    X(version, "", "the version, and those of the libraries it uses")

enum {
#define BL_X(name, words, help) BL__CMD_BIT_##name,
    BL__CMD_TABLE(BL_X)
#undef BL_X
        BL__CMD_COUNT
};
#define BL__IN(name) (1u << BL__CMD_BIT_##name)
#define BL__IN_ALL ((1u << BL__CMD_COUNT) - 1)
#define BL__IN_WORK                                                                                          \
    (BL__IN(demo) | BL__IN(eval) | BL__IN(pose) | BL__IN(run) | BL__IN(train) | BL__IN(transfer))
#define BL__IN_TRAIN (BL__IN(run) | BL__IN(train))
#define BL__IN_TOGETHER (BL__IN_TRAIN | BL__IN(eval)) /* what several processes can do */
#define BL__IN_TRANSFER (BL__IN(run) | BL__IN(transfer))

typedef enum bl__opt_type { BL__FLAG, BL__INT, BL__REAL, BL__TEXT, BL__CHOICE, BL__SIZE } bl__opt_type;

/* X(identifier, --name, short or 0, type, least, most, default, value's name or choices, commands, help) */
#define BL__OPT_TABLE(X)                                                                                     \
    X(ablate, "ablate", 0, FLAG, 0, 1, "0", "", BL__IN(eval),                                                \
      "all methods: also each frame by itself, and without refinement")                                      \
    X(consent, "consent", 0, TEXT, 0, 0, "", "\"NAME, DATE, ...\"",                                          \
      BL__IN_TRAIN | BL__IN(eval) | BL__IN(transfer),                                                        \
      "the target's consent, in words; stored in what is made")                                              \
    X(crf, "crf", 0, INT, 0, 51, "17", "N", BL__IN_TRANSFER | BL__IN(pose),                                  \
      "quality of the video, smaller is better and larger")                                                  \
    X(device, "device", 0, TEXT, 0, 0, "auto", "auto|cpu|cuda|cuda:N", BL__IN_WORK | BL__IN(doctor),         \
      "where networks run; auto: the CPU, until GPUs have been tried")                                       \
    X(diffaug, "diffaug", 0, REAL, -1, 1, "-1", "SHARE", BL__IN_TRAIN | BL__IN(eval),                        \
      "of the steps with augmented discriminators; -1: 0.5 for a clip of few frames, else 0")                \
    X(dist, "dist", 0, CHOICE, 0, 0, "auto", "auto|mpi|none", BL__IN_TOGETHER,                               \
      "processes that train together; auto: as many as mpirun started")                                      \
    X(estimate, "estimate", 0, FLAG, 0, 1, "0", "", BL__IN(doctor),                                          \
      "what a training with this preset and size would take here")                                           \
    X(from, "from", 0, TEXT, 0, 0, "", "TARBALL[,TARBALL]", BL__IN(models),                                  \
      "take the models from these npm tarballs instead of the network")                                      \
    X(help, "help", 'h', FLAG, 0, 1, "0", "", BL__IN_ALL, "show the options and stop")                       \
    X(holdout, "holdout", 0, REAL, 0, 0.5, "0", "SHARE", BL__IN_TRAIN | BL__IN(eval),                        \
      "keep the last share of the clip from training and score on it")                                       \
    X(hwaccel, "hwaccel", 0, CHOICE, 0, 0, "auto", "auto|none", BL__IN_WORK,                                 \
      "decode and encode on the GPU that --device names, where FFmpeg can")                                  \
    X(lpips, "lpips", 0, TEXT, 0, 0, "", "FILE[,FILE]", BL__IN(eval),                                        \
      "weights for LPIPS: backbone and linear layers, safetensors")                                          \
    X(man, "man", 0, FLAG, 0, 1, "0", "", BL__IN(help), "print the command's man page")                      \
    X(method, "method", 0, CHOICE, 0, 0, "generate", "generate|retrieve", BL__IN(transfer),                  \
      "retrieve: put together from the frames of --target, with no training")                                \
    X(methods, "methods", 0, TEXT, 0, 0, "", "NAME,...", BL__IN(eval),                                       \
      "out of retrieve,frame,temporal,full")                                                                 \
    X(minutes, "minutes", 0, REAL, 0, 100000, "0", "MINUTES", BL__IN_TRAIN | BL__IN(demo) | BL__IN(eval),    \
      "bound on the training time; 0 = the preset's")                                                        \
    X(model, "model", 'm', TEXT, 0, 0, "", "FILE", BL__IN(transfer) | BL__IN(eval),                          \
      "the trained target (me.ballerino)")                                                                   \
    X(models_dir, "models-dir", 0, TEXT, 0, 0, "", "FOLDER", BL__IN_WORK | BL__IN(models) | BL__IN(doctor),  \
      "where the pose models lie")                                                                           \
    X(nice, "nice", 0, INT, 0, 19, "0", "N", BL__IN_WORK, "give way to other programs; 19 = to all")         \
    X(no_face, "no-face", 0, FLAG, 0, 1, "0", "", BL__IN_WORK, "do not look for the face")                   \
    X(no_hands, "no-hands", 0, FLAG, 0, 1, "0", "", BL__IN_WORK, "do not look for the hands")                \
    X(no_smooth, "no-smooth", 0, FLAG, 0, 1, "0", "", BL__IN(pose),                                          \
      "leave the joints as the model gives them")                                                            \
    X(normalise, "normalise", 0, CHOICE, 0, 0, "robust", "robust|paper|none", BL__IN_TRANSFER,               \
      "how poses are fitted to the target's size and place")                                                 \
    X(openpose, "openpose", 0, TEXT, 0, 0, "", "FOLDER", BL__IN(pose),                                       \
      "also write OpenPose JSON (BODY_25) into this folder")                                                 \
    X(output, "output", 'o', TEXT, 0, 0, "", "FILE", BL__IN_WORK, "what to write")                           \
    X(overlay, "overlay", 0, TEXT, 0, 0, "", "FILE", BL__IN(pose) | BL__IN_TRANSFER,                         \
      "pose: video with the figure drawn in; else a PNG of the normalisation")                               \
    X(perceptual, "perceptual", 0, TEXT, 0, 0, "", "none|pose|FILE", BL__IN_TRAIN | BL__IN(eval),            \
      "perceptual loss: none, the pose model's, VGG19 safetensors; default: pose but for the paper preset")  \
    X(pose_model, "pose-model", 0, CHOICE, 0, 0, "full", "lite|full|heavy", BL__IN_WORK,                     \
      "the landmark model")                                                                                  \
    X(precision, "precision", 0, CHOICE, 0, 0, "auto", "auto|fp32|bf16", BL__IN_TRAIN | BL__IN(eval),        \
      "what convolutions read; auto: the faster on the device")                                              \
    X(preset, "preset", 0, CHOICE, 0, 0, "draft", "draft|standard|high|paper",                               \
      BL__IN_TRAIN | BL__IN(eval) | BL__IN(doctor), "size and length of the training")                       \
    X(preview_every, "preview-every", 0, REAL, 5, 86400, "60", "SECONDS", BL__IN_TRAIN | BL__IN(eval),       \
      "how often the preview strip is written")                                                              \
    X(previous, "previous", 0, CHOICE, 0, 0, "preset", "preset|off|on", BL__IN_TRAIN,                        \
      "show the generator its previous output, as the paper does; off: judge single frames, too")            \
    X(progress, "progress", 0, CHOICE, 0, 0, "auto", "auto|plain|json|none", BL__IN_WORK | BL__IN(models),   \
      "how progress is shown")                                                                               \
    X(quiet, "quiet", 'q', FLAG, 0, 1, "0", "", BL__IN_ALL, "only errors")                                   \
    X(refine, "refine", 0, CHOICE, 0, 0, "preset", "preset|none|face|hands|face,hands", BL__IN_TRAIN,        \
      "what is painted anew at the video's own resolution")                                                  \
    X(report, "report", 0, TEXT, 0, 0, "", "FILE", BL__IN(transfer),                                         \
      "also write a page for people (HTML); run always does")                                                \
    X(retarget, "retarget", 0, CHOICE, 0, 0, "global", "global|limbs", BL__IN_TRANSFER,                      \
      "limbs: also give each limb the target's own length")                                                  \
    X(save_every, "save-every", 0, REAL, 1, 86400, "60", "SECONDS", BL__IN_TRAIN | BL__IN(eval),             \
      "how often the training state is saved")                                                               \
    X(scene, "scene", 0, CHOICE, 0, 0, "composite", "composite|paint",                                       \
      BL__IN_TRAIN | BL__IN(eval) | BL__IN(doctor),                                                          \
      "paint the person into a clean plate, or the whole frame")                                             \
    X(seed, "seed", 0, INT, 0, 2147483647, "1", "N", BL__IN_TRAIN | BL__IN(eval), "of the random numbers")   \
    X(side_by_side, "side-by-side", 0, FLAG, 0, 1, "0", "", BL__IN_TRANSFER,                                 \
      "source, figure and result in one picture")                                                            \
    X(size, "size", 0, SIZE, 32, 4096, "", "WIDTHxHEIGHT", BL__IN_TRAIN | BL__IN(eval) | BL__IN(doctor),     \
      "of the window that is learned; default: the preset's")                                                \
    X(smooth, "smooth", 0, INT, 1, 31, "5", "FRAMES", BL__IN_TRANSFER,                                       \
      "window of the pose smoothing, odd; 1 = off")                                                          \
    X(source, "source", 's', TEXT, 0, 0, "", "VIDEO", BL__IN_TRANSFER, "the dance")                          \
    X(source_track, "source-track", 0, TEXT, 0, 0, "", "FILE|FOLDER", BL__IN_TRANSFER,                       \
      "the dance's poses, if they were found before: a track, or OpenPose's folder")                         \
    X(steady, "steady", 0, REAL, -1, 0.9, "-1", "SHARE", BL__IN_TRANSFER | BL__IN(eval),                     \
      "of the frame before that each frame keeps where they agree; -1: as is usual for the model")           \
    X(steps, "steps", 0, INT, 0, 100000000, "0", "N", BL__IN_TRAIN | BL__IN(demo) | BL__IN(eval),            \
      "training steps of each stage; 0 = as the minutes say")                                                \
    X(target, "target", 't', TEXT, 0, 0, "", "VIDEO", BL__IN(run) | BL__IN(transfer),                        \
      "the person who shall dance")                                                                          \
    X(threads, "threads", 'j', INT, 0, 1024, "0", "N", BL__IN_WORK, "0 = all cores")                         \
    X(track, "track", 0, TEXT, 0, 0, "", "FILE|FOLDER", BL__IN(train) | BL__IN(eval),                        \
      "the target's poses, if they were found before: a track, or OpenPose's folder")                        \
    X(verbose, "verbose", 'v', FLAG, 0, 1, "0", "", BL__IN_ALL, "say more")

typedef enum bl__opt {
#define BL_X(id, name, s, type, least, most, def, value, commands, help) BL__OPT_##id,
    BL__OPT_TABLE(BL_X)
#undef BL_X
        BL__OPT_COUNT
} bl__opt;

typedef struct bl__opt_row {
    const char *name;
    char letter;
    bl__opt_type type;
    double least, most;
    const char *def, *value, *help;
    unsigned commands;
} bl__opt_row;
extern const bl__opt_row bl__opt_rows[BL__OPT_COUNT];

#define BL__WORDS_MAX 16
typedef struct bl__options {
    int command;               /* BL__CMD_BIT_... */
    char *text[BL__OPT_COUNT]; /* as given; NULL: the default */
    const char *words[BL__WORDS_MAX];
    int n_words;
    struct bl_device *device; /* what --device names, open while the command runs; NULL: the CPU */
    struct bl_dist *dist;     /* the other processes; NULL: alone */
} bl__options;

void bl__options_init(bl__options *o, int command);
void bl__options_release(bl__options *o);
/* argv: what follows the command. */
int bl__options_parse(bl__options *o, int argc, char **argv, bl_err *err);
/* One setting, checked: `where` goes in front of what is wrong ("ballerino.ini line 3"), or NULL. */
int bl__options_set(bl__options *o, const char *name, const char *value, const char *where, bl_err *err);
/* Sections [defaults] and [COMMAND]; options of other commands are ignored in [defaults]. A missing file is
 * fine. */
int bl__options_ini_file(bl__options *o, const char *path, bl_err *err);
int bl__options_ini(bl__options *o, const char *text, size_t size, const char *path, bl_err *err);

const char *bl__option_text(const bl__options *o, bl__opt id); /* "" when neither given nor defaulted */
int64_t bl__option_int(const bl__options *o, bl__opt id);
double bl__option_real(const bl__options *o, bl__opt id);
int bl__option_flag(const bl__options *o, bl__opt id);
int bl__option_choice(const bl__options *o, bl__opt id); /* 0, 1, 2... in the order of the row */
void bl__option_size(const bl__options *o, bl__opt id, int *width, int *height); /* 0, 0 when not given */
/* The text, or E_USAGE "COMMAND needs --NAME VALUE". */
int bl__option_need(const bl__options *o, bl__opt id, const char **text, bl_err *err);

const char *bl__command_name(int command);
int bl__command_find(const char *name); /* -1: none */
/* The name of a command or option of it that is nearest to a mistyped one, or NULL. */
const char *bl__command_nearest(const char *word);

void bl__help_overview(FILE *f);
void bl__help_command(FILE *f, int command);
void bl__help_man(FILE *f, int command);

#endif
