#include "ballerino/media.h"
#include "ballerino/nn.h"
#include "commands.h"

int bl__cmd_version(const bl__options *o, bl_err *err) {
    char media[512];
    (void)o;
    printf("ballerino %s\n%s\n", BL_VERSION, bl_cpu_backend_version());
    int rc = bl_media_describe(media, sizeof media, err);
    if (rc == 0) printf("%.*s", (int)sizeof media, media);
    return rc;
}
