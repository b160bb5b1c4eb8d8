/* System calls as file systems and containers without them answer: each fails with the number that the environment
   says, FAKE_FLOCK, FAKE_FSYNC (of folders only) or FAKE_MEMFD, or is passed on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static int refused(const char *name) {
    const char *number = getenv(name);
    if (number == NULL)
        return 0;
    errno = atoi(number);
    return 1;
}

int flock(int descriptor, int operation) {
    if (refused("FAKE_FLOCK"))
        return -1;
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(descriptor, operation);
}

int fsync(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode) && refused("FAKE_FSYNC"))
        return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int memfd_create(const char *name, unsigned int flags) {
    if (refused("FAKE_MEMFD"))
        return -1;
    return ((int (*)(const char *, unsigned int))dlsym(RTLD_NEXT, "memfd_create"))(name, flags);
}
