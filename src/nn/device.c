/* Finding, loading and opening devices. */
#include "device.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define MODULE "libballerino-cuda.so"
#define MODULE_VARIABLE "BALLERINO_CUDA_MODULE"

static int check(const bl__device_ops *ops, const char *path, bl_err *err) {
    if (ops && ops->abi == BL__DEVICE_ABI && ops->step_size == sizeof(bl__step) &&
        ops->back_size == sizeof(bl__back) && ops->node_size == sizeof(bl__node))
        return 0;
    return bl_fail(err, BL_E_DEVICE, "%s belongs to another build of Ballerino; install both from one build",
                   path);
}

static int load_from(void **module, const bl__device_ops **ops, const char *path, bl_err *err) {
    *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*module) return bl_fail(err, BL_E_DEVICE, "the GPU module cannot be loaded: %s", dlerror());
    const bl__device_ops *(*entry)(void) = NULL;
    *(void **)(void *)&entry = dlsym(*module, BL__DEVICE_SYMBOL);
    *ops = entry ? entry() : NULL;
    int rc = check(*ops, path, err);
    if (rc < 0) {
        (void)dlclose(*module);
        *module = NULL;
    }
    return rc;
}

static int load(void **module, const bl__device_ops **ops, bl_err *err) {
    char path[4200];
    if (bl_path_module(path, sizeof path, MODULE, MODULE_VARIABLE)) return load_from(module, ops, path, err);
    return bl_fail(err, BL_E_DEVICE,
                   "there is no GPU module (%s) beside this program: it was built without BL_CUDA", MODULE);
}

/* The table stays valid while the module is loaded; it is never unloaded when it once worked, since its
 * libraries do not like to be loaded twice. */
static int loaded(const bl__device_ops **ops, void **module, bl_err *err) {
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static const bl__device_ops *table;
    static void *handle;
    int rc = 0;
    (void)pthread_mutex_lock(&once);
    if (!table) rc = load(&handle, &table, err);
    if (rc < 0) table = NULL;
    *ops = table;
    *module = handle;
    (void)pthread_mutex_unlock(&once);
    return rc;
}

int bl__device_loaded(const bl__device_ops **ops, bl_err *err) {
    void *module;
    return loaded(ops, &module, err);
}

int bl_device_count(bl_err *err) {
    const bl__device_ops *ops;
    void *module;
    int rc = loaded(&ops, &module, err);
    return rc < 0 ? rc : ops->count(err);
}

int bl_device_describe(bl_device_info *info, int index, bl_err *err) {
    const bl__device_ops *ops;
    void *module;
    memset(info, 0, sizeof *info);
    int rc = loaded(&ops, &module, err);
    return rc < 0 ? rc : ops->describe(info, index, err);
}

static int open_index(bl_device **out, int index, bl_err *err) {
    bl_device_info info;
    bl_device *d = bl_alloc(sizeof *d);
    if (!d) return bl_fail(err, BL_E_NOMEM, "not enough memory for a device");
    int rc = loaded(&d->ops, &d->module, err), n = rc < 0 ? rc : d->ops->count(err);
    if (n >= 0 && index >= n)
        n = bl_fail(err, BL_E_DEVICE,
                    n == 0 ? "there is no NVIDIA GPU here; use --device cpu or auto"
                           : "there is no device cuda:%d here; the last one is cuda:%d",
                    index, n - 1);
    rc = n < 0 ? n : d->ops->describe(&info, index, err);
    if (rc == 0) rc = d->ops->open(&d->d, index, bl_log, err);
    if (rc < 0) {
        bl_free(d);
        return rc;
    }
    pthread_mutexattr_t a;
    (void)pthread_mutexattr_init(&a);
    (void)pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&d->lock, &a);
    (void)pthread_mutexattr_destroy(&a);
    d->index = index;
    snprintf(d->name, sizeof d->name, "cuda:%d (%s)", index, info.name);
    *out = d;
    return 0;
}

int bl_device_open(bl_device **out, const char *spec, bl_err *err) {
    *out = NULL;
    if (spec && !strcmp(spec, "cpu")) return 0;
    if (!spec || !*spec || !strcmp(spec, "auto")) {
        bl_err why = {0};
        if (bl_device_count(&why) < 1 || open_index(out, 0, &why) < 0)
            bl_log(BL_LOG_DEBUG, "device", "the CPU: %s", why.code ? why.msg : "no GPU");
        return 0;
    }
    int index = 0;
    char *end = "";
    if (!strncmp(spec, "cuda:", 5) && spec[5] >= '0' && spec[5] <= '9')
        index = (int)strtol(spec + 5, &end, 10);
    else if (strcmp(spec, "cuda"))
        end = "?";
    if (*end || index < 0 || index > 1023)
        return bl_fail(err, BL_E_USAGE, "'%s' is not a device; say auto, cpu, cuda or cuda:N", spec);
    return open_index(out, index, err);
}

void bl_device_close(bl_device **dp) {
    bl_device *d = *dp;
    if (!d) return;
    if (!d->like) {
        d->ops->close(d->d);
        (void)pthread_mutex_destroy(&d->lock);
    }
    bl_free(d);
    *dp = NULL;
}

const char *bl_device_name(const bl_device *d) {
    return d ? d->name : "cpu";
}

int bl_device_index(const bl_device *d) {
    return d ? d->index : -1;
}

int bl_device_check(bl_device *d, bl_err *err) {
    if (!d) return 0;
    bl__device_lock(d);
    int rc = d->ops->sync(d->d, err);
    bl__device_unlock(d);
    return rc;
}

int64_t bl_device_memory_free(const bl_device *d) {
    bl_device_info info = {0};
    if (!d) return BL_MAX(bl_mem_available(), 0);
    return d->ops->describe(&info, d->index, NULL) < 0 ? 0 : info.memory_free;
}

bl_precision bl_device_faster_precision(const bl_device *d) {
    return d ? BL_BF16 : bl_cpu_faster_precision();
}

void bl__device_lock(bl_device *d) {
    (void)pthread_mutex_lock(&(d->like ? d->like : d)->lock);
}

void bl__device_unlock(bl_device *d) {
    (void)pthread_mutex_unlock(&(d->like ? d->like : d)->lock);
}
