/* Calls to files of one folder fail on command. Loaded before the C library (LD_PRELOAD) and told by ctypes.
   Source: SQLite, "How SQLite Is Tested", I/O error testing; errno(3), ld.so(8). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2, READS = 4 };
enum { ZEROED = -1 };

static char folder[512];
static int active, kinds, error, lasting;
static long fails_at, counted, failed;

void fault_folder(const char *path) { snprintf(folder, sizeof folder, "%s/", path); }
void fault_arm(long at, int number, int for_ever, int which)
{
    fails_at = at; error = number; lasting = for_ever; kinds = which; counted = 0; failed = 0;
}
void fault_active(int on) { active = on; }
long fault_counted(void) { return counted; }
long fault_failed(void) { return failed; }

static int ours(int descriptor)
{
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return folder[0] && strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call fails; the errno is set then. */
static int fails(int kind, int descriptor)
{
    if (!active || !(kinds & kind) || !ours(descriptor)) return 0;
    counted++;
    if (fails_at == 0 || counted < fails_at || (counted > fails_at && !lasting)) return 0;
    failed++;
    errno = error > 0 ? error : EIO;
    return 1;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

typedef ssize_t (*pwrite_call)(int, const void *, size_t, off_t);
typedef ssize_t (*pread_call)(int, void *, size_t, off_t);
typedef ssize_t (*write_call)(int, const void *, size_t);
typedef int (*sync_call)(int);
typedef int (*cut_call)(int, off_t);

static ssize_t do_pwrite(const char *name, int fd, const void *data, size_t size, off_t at)
{
    return fails(WRITES, fd) ? -1 : REAL(pwrite_call, name)(fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return do_pwrite("pwrite", fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return do_pwrite("pwrite64", fd, data, size, at); }
ssize_t write(int fd, const void *data, size_t size)
{
    return fails(WRITES, fd) ? -1 : REAL(write_call, "write")(fd, data, size);
}
int fsync(int fd) { return fails(SYNCS, fd) ? -1 : REAL(sync_call, "fsync")(fd); }
int fdatasync(int fd) { return fails(SYNCS, fd) ? -1 : REAL(sync_call, "fdatasync")(fd); }
int ftruncate(int fd, off_t size) { return fails(WRITES, fd) ? -1 : REAL(cut_call, "ftruncate")(fd, size); }
int ftruncate64(int fd, off_t size) { return fails(WRITES, fd) ? -1 : REAL(cut_call, "ftruncate64")(fd, size); }

static ssize_t do_pread(const char *name, int fd, void *data, size_t size, off_t at)
{
    if (!fails(READS, fd)) return REAL(pread_call, name)(fd, data, size, at);
    if (error != ZEROED) return -1;
    ssize_t length = REAL(pread_call, name)(fd, data, size, at);
    if (length > 0) memset(data, 0, (size_t)length);
    return length;
}
ssize_t pread(int fd, void *data, size_t size, off_t at) { return do_pread("pread", fd, data, size, at); }
ssize_t pread64(int fd, void *data, size_t size, off_t at) { return do_pread("pread64", fd, data, size, at); }
