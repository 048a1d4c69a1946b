"""A power cut, played: what was never synced is gone.

A library before the C library counts each fsync and fdatasync below the contender's folder and, when asked,
keeps a copy of the file as it was after each. The copies are what a disk holds for certain: a write that
no sync followed is not in them. As on ext4, a sync of any file also makes earlier renames last; a file that
was removed is removed; no write is torn. It is compiled with gcc here, as bench_store does.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counted = -1;

static void copy(int fd, const char *path, const char *relative, const char *image) {
    char name[4096], target[8192], part[8192], buffer[65536];
    snprintf(name, sizeof name, "%s", relative);
    for (char *at = name; *at; at++) if (*at == '/') *at = '%';
    snprintf(target, sizeof target, "%s/%s", image, name);
    snprintf(part, sizeof part, "%s/.%s", image, name);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600), in = fd, own = -1;
    if (out < 0) return;
    off_t at = 0;
    /* The descriptor itself is read: opening and closing SQLite's file anew would drop its locks. */
    ssize_t got = pread(in, buffer, sizeof buffer, 0);
    if (got < 0) { in = own = open(path, O_RDONLY); got = pread(in, buffer, sizeof buffer, 0); }
    for (; got > 0; got = pread(in, buffer, sizeof buffer, at)) {
        if (write(out, buffer, got) != got) { close(out); return; }
        at += got;
    }
    close(out);
    if (own >= 0) close(own);
    ((int (*)(const char *, const char *)) dlsym(RTLD_NEXT, "rename"))(part, target);
}

static char renamed[16][4096];
static int waiting;

/* Return the path below the folder, NULL when it is elsewhere. */
static const char *below(const char *path) {
    const char *folder = getenv("QUEUES_FOLDER");
    size_t prefix = folder ? strlen(folder) : 0;
    if (!prefix || strncmp(path, folder, prefix)) return NULL;
    return path[prefix] == '/' ? path + prefix + 1 : path[prefix] ? NULL : path + prefix;
}

static void note(int fd) {
    const char *count = getenv("QUEUES_COUNT"), *image = getenv("QUEUES_IMAGE"), *relative;
    char link[64], path[4096];
    struct stat what;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!count || length <= 0) return;
    path[length] = 0;
    if (!(relative = below(path))) return;
    pthread_mutex_lock(&lock);
    if (counted < 0) counted = open(count, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (write(counted, "s", 1) != 1) abort();
    if (image && !fstat(fd, &what) && S_ISREG(what.st_mode)) copy(fd, path, relative, image);
    while (image && waiting) {
        char *earlier = renamed[--waiting];
        if (strcmp(earlier, path)) copy(-1, earlier, below(earlier), image);
    }
    pthread_mutex_unlock(&lock);
}

int rename(const char *from, const char *to) {
    int result = ((int (*)(const char *, const char *)) dlsym(RTLD_NEXT, "rename"))(from, to);
    if (result || !below(to)) return result;
    pthread_mutex_lock(&lock);
    int at = 0;
    while (at < waiting && strcmp(renamed[at], to)) at++;
    if (at == 16) abort();
    if (at == waiting) snprintf(renamed[waiting++], sizeof renamed[0], "%s", to);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) {
    int result = ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd);
    if (!result) note(fd);
    return result;
}

int fdatasync(int fd) {
    int result = ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd);
    if (!result) note(fd);
    return result;
}
"""


def build_shim(folder: Path) -> Path | None:
    """Compile the library into `folder`; return None where there is no gcc."""
    shim, source = folder / "syncs.so", folder / "syncs.c"
    source.write_text(_SHIM, encoding="ascii")
    try:
        subprocess.run(
            ["gcc", "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl", "-lpthread"], check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return shim


def counting(shim: Path, folder: Path, image: Path | None = None) -> dict[str, str]:
    """Return the environment in which syncs below `folder` are counted, and copied to `image`."""
    settings = {
        "LD_PRELOAD": str(shim),
        "QUEUES_FOLDER": str(folder.resolve()),
        "QUEUES_COUNT": str(folder.resolve()) + ".syncs",
    }
    Path(settings["QUEUES_COUNT"]).touch()
    if image is not None:
        image.mkdir(parents=True)
        settings["QUEUES_IMAGE"] = str(image.resolve())
    return settings


def after_power_cut(folder: Path, image: Path, target: Path) -> None:
    """Lay out in `target` what the disk holds for certain of `folder`."""
    target.mkdir(parents=True)
    for copied in sorted(image.iterdir()):
        if copied.name.startswith("."):
            continue
        relative = copied.name.replace("%", "/")
        if (folder / relative).exists():
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copied, target / relative)
