/* Files as memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ballerino/base.h"

int bl_map_open(bl_map *m, const char *path, bl_err *err) {
    struct stat st;
    *m = (bl_map){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bl_fail(err, BL_E_NOT_FOUND, "cannot open %s: %s; check the path", path, strerror(errno));
    int rc = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        rc = bl_fail(err, BL_E_NOT_FOUND, "%s is not a regular file; give a file", path);
    } else if (st.st_size > 0) { /* nothing cannot be mapped */
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            rc = bl_fail(err, BL_E_NOT_FOUND, "cannot map %s: %s", path, strerror(errno));
        else
            *m = (bl_map){.data = p, .size = (size_t)st.st_size};
    }
    close(fd);
    return rc;
}

void bl_map_close(bl_map *m) {
    if (m->data) munmap((void *)(uintptr_t)m->data, m->size);
    *m = (bl_map){0};
}

/* Who looks at a page gets those around it (Linux: within 64 KiB, aligned), so these go as well: else the
 * ends of what lies before would come back with each look, and stay. */
void bl_map_forget(const bl_map *m, size_t from, size_t size) {
    const uintptr_t around = 1 << 16, begin = (uintptr_t)m->data;
    if (!m->data || from >= m->size) return;
    const uintptr_t first = BL_MAX((begin + from) / around * around, begin),
                    end = begin + from + BL_MIN(size, m->size - from);
    (void)madvise((void *)first, BL_MIN((end + around - 1) / around * around, begin + m->size) - first,
                  MADV_DONTNEED);
}
