#include "tflite_net.h"

#include "ballerino/base.h"
#include "ballerino/nn.h"
#include "models.h"
#include "tflite_build.h"

/* The model for one number of pictures. */
typedef struct compiled {
    bl_program *program;
    float *input, *output[BL__TFL_MAX_OUTPUTS];
} compiled;

struct bl__net {
    bl_params *params;
    bl_graph *graph;
    compiled at[BL__NET_MAX_BATCH];                         /* [n - 1]: n pictures */
    int64_t input_count, output_count[BL__TFL_MAX_OUTPUTS]; /* of one picture */
    int in_use;                                             /* index into `at` */
    int threads;                                            /* 0 = all */
};

static int load_weights(bl__net *net, const bl__tfl_build *b, bl_err *err) {
    int rc = bl_params_seal(net->params, 0, 0, err);
    for (int k = 0; k < b->n_weights && rc == 0; k++) {
        const bl__tfl_weight *w = &b->weights[k];
        int index = bl_params_find(net->params, w->name);
        float *data = index < 0 ? NULL : bl_params_data(net->params, index, BL_SLAB_WEIGHT);
        rc = data ? bl__tflite_floats(b->model, w->tensor, data, bl_params_size(net->params, index), err)
                  : bl_fail(err, BL_E_INTERNAL, "%s: the parameter %s was lost", b->model->name, w->name);
    }
    if (rc == 0) bl_params_touch(net->params);
    return rc;
}

/* The shapes that the engine found must be those of the file, or the file lies. */
static int find_output(bl__net *net, compiled *c, const bl__tfl_build *b, int k, bl_err *err) {
    int t = b->model->out[k];
    bl_shape s = bl_program_shape(c->program, b->value[t]);
    c->output[k] = bl_program_buffer(c->program, b->value[t]);
    net->output_count[k] = (int64_t)s.h * s.w * s.c;
    if (c->output[k] && net->output_count[k] == b->model->tensors[t].count) return 0;
    return bl_fail(err, BL_E_FORMAT, "%s is not a usable model: output %d is not of the stated size",
                   b->model->name, k);
}

static int compile(bl__net *net, const bl__tfl_build *b, const bl__net_options *o, int batch, bl_err *err) {
    const bl__tflite *m = b->model;
    const bl__tfl_tensor *in = &m->tensors[m->in[0]];
    bl_input_shape shape = {.value = b->value[m->in[0]], .n = batch, .h = in->dims[1], .w = in->dims[2]};
    bl_value outputs[BL__TFL_MAX_OUTPUTS];
    compiled *c = &net->at[batch - 1];
    int n = 0;
    for (int k = 0; k < m->n_out; k++)
        if (o->outputs >> k & 1) outputs[n++] = b->value[m->out[k]];
    int rc = bl_program_compile(&c->program, net->graph,
                                &(bl_program_options){.inputs = &shape,
                                                      .n_inputs = 1,
                                                      .outputs = outputs,
                                                      .n_outputs = n,
                                                      .precision = BL_FP32,
                                                      .reference = o->reference,
                                                      .threads = o->threads},
                                err);
    if (rc < 0) return rc;
    c->input = bl_program_buffer(c->program, shape.value);
    net->input_count = in->count;
    for (int k = 0; k < m->n_out && rc == 0; k++)
        if (o->outputs >> k & 1) rc = find_output(net, c, b, k, err);
    return rc;
}

/* Declares, reports what the engine refused (sticky until compile), fills in the weights, compiles. */
static int assemble(bl__net *net, bl__tflite *m, const bl__net_options *o, bl_err *err) {
    bl__tfl_build b = {.model = m};
    int rc = bl_params_create(&net->params, err);
    if (rc == 0) rc = bl_params_place(net->params, o->device, err);
    if (rc == 0) rc = bl_graph_create(&net->graph, net->params, err);
    b.params = net->params;
    b.graph = net->graph;
    if (rc == 0) rc = bl__tfl_build_graph(&b, o->outputs, err);
    if (rc == 0) rc = load_weights(net, &b, err);
    for (int n = 1; rc == 0 && n <= BL_CLAMP(o->batch, 1, BL__NET_MAX_BATCH); n++)
        rc = compile(net, &b, o, n, err);
    bl__tfl_build_release(&b);
    return rc;
}

int bl__net_open(bl__net **out, const void *bytes, size_t size, const char *name, const bl__net_options *o,
                 bl_err *err) {
    bl__tflite *m = NULL;
    bl__net *net = bl_alloc(sizeof *net);
    if (!net) return bl_fail(err, BL_E_NOMEM, "not enough memory for %s", name);
    int rc = bl__tflite_open(&m, bytes, size, name, err);
    if (rc == 0) rc = assemble(net, m, o, err);
    bl__tflite_close(&m);
    if (rc < 0) {
        bl__net_close(&net);
        return rc;
    }
    *out = net;
    return 0;
}

int bl__net_load(bl__net **out, const char *name, const char *models_dir, const bl__net_options *o,
                 bl_err *err) {
    bl_map map = {0};
    int rc = bl__models_open(&map, models_dir, name, err);
    if (rc == 0) rc = bl__net_open(out, map.data, map.size, name, o, err);
    bl_map_close(&map);
    return rc;
}

void bl__net_close(bl__net **net) {
    if (!*net) return;
    for (int n = 0; n < BL__NET_MAX_BATCH; n++) bl_program_destroy(&(*net)->at[n].program);
    bl_graph_destroy(&(*net)->graph);
    bl_params_destroy(&(*net)->params);
    bl_free(*net);
    *net = NULL;
}

void bl__net_use(bl__net *net, int batch) {
    net->in_use = batch - 1;
}

float *bl__net_input(bl__net *net) {
    return net->at[net->in_use].input;
}

int64_t bl__net_input_count(const bl__net *net) {
    return net->input_count;
}

int bl__net_run(bl__net *net, bl_err *err) {
    return bl_program_forward(net->at[net->in_use].program, err);
}

const float *bl__net_output(bl__net *net, int output) {
    return output >= 0 && output < BL__TFL_MAX_OUTPUTS ? net->at[net->in_use].output[output] : NULL;
}

int64_t bl__net_output_count(const bl__net *net, int output) {
    return output >= 0 && output < BL__TFL_MAX_OUTPUTS ? net->output_count[output] : 0;
}

double bl__net_macs(const bl__net *net) {
    return bl_program_macs(net->at[net->in_use].program);
}
