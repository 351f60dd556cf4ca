/* The program defines functions of the C library itself, so the shared library calls these. Each counts, fails if it is its turn, and
 * else does what the function of its name does. */
#define _GNU_SOURCE
#include "io_faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char below[4096];
static atomic_bool counting;
static atomic_long calls, chosen;
static atomic_int failure;
static atomic_bool watched[4096];

void io_faults_begin(const char *directory, long nth, int number)
{
    snprintf(below, sizeof below, "%s", directory);
    atomic_store(&calls, 0);
    atomic_store(&chosen, nth);
    atomic_store(&failure, number);
    atomic_store(&counting, true);
}

long io_faults_end(void)
{
    atomic_store(&counting, false);
    return atomic_load(&calls);
}

static bool fails(void)
{
    if (atomic_fetch_add(&calls, 1) + 1 != atomic_load(&chosen))
        return false;
    errno = atomic_load(&failure);
    return true;
}

static bool on_path(const char *path)
{
    return atomic_load(&counting) && strncmp(path, below, strlen(below)) == 0;
}

static bool on_file(int file)
{
    return atomic_load(&counting) && file >= 0 && file < 4096 && atomic_load(&watched[file]);
}

static int watch(int file, bool wanted)
{
    if (file >= 0 && file < 4096)
        atomic_store(&watched[file], wanted);
    return file;
}

/* Defines `name`: fails with `failed` if `counts` and it is its turn, and else calls the C library's. */
#define WRAP(type, name, parameters, arguments, counts, failed)                                    \
    type name parameters                                                                           \
    {                                                                                              \
        static type(*real) parameters;                                                             \
        if (!real) {                                                                               \
            void *found = dlsym(RTLD_NEXT, #name);                                                 \
            memcpy(&real, &found, sizeof real);                                                    \
        }                                                                                          \
        if ((counts) && fails())                                                                   \
            return failed;                                                                         \
        return real arguments;                                                                     \
    }

/* The same for what opens a file, whose mode comes last and not always. */
#define WRAP_OPEN(name, parameters, before, counts)                                                \
    int name parameters                                                                            \
    {                                                                                              \
        static int (*real) parameters;                                                             \
        if (!real) {                                                                               \
            void *found = dlsym(RTLD_NEXT, #name);                                                 \
            memcpy(&real, &found, sizeof real);                                                    \
        }                                                                                          \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        bool counted = (counts);                                                                   \
        if (counted && fails())                                                                    \
            return -1;                                                                             \
        return watch(real before, counted);                                                        \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, mode), on_path(path))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), on_path(path))
WRAP_OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), on_path(path) || on_file(at))
WRAP_OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), on_path(path) || on_file(at))

WRAP(ssize_t, read, (int file, void *to, size_t size), (file, to, size), on_file(file), -1)
WRAP(ssize_t, pread64, (int file, void *to, size_t size, off64_t at), (file, to, size, at), on_file(file), -1)
WRAP(ssize_t, readv, (int file, const struct iovec *to, int count), (file, to, count), on_file(file), -1)
WRAP(ssize_t, write, (int file, const void *from, size_t size), (file, from, size), on_file(file), -1)
WRAP(ssize_t, pwrite64, (int file, const void *from, size_t size, off64_t at), (file, from, size, at), on_file(file), -1)
WRAP(ssize_t, writev, (int file, const struct iovec *from, int count), (file, from, count), on_file(file), -1)
WRAP(ssize_t, copy_file_range, (int in, off64_t *a, int out, off64_t *b, size_t size, unsigned flags),
     (in, a, out, b, size, flags), on_file(in) || on_file(out), -1)
WRAP(off64_t, lseek64, (int file, off64_t to, int whence), (file, to, whence), on_file(file), -1)
WRAP(int, ftruncate64, (int file, off64_t size), (file, size), on_file(file), -1)
WRAP(int, fsync, (int file), (file), on_file(file), -1)
WRAP(int, fdatasync, (int file), (file), on_file(file), -1)
WRAP(int, flock, (int file, int wanted), (file, wanted), on_file(file), -1)
WRAP(int, fchmod, (int file, mode_t mode), (file, mode), on_file(file), -1)
WRAP(int, fstat64, (int file, struct stat64 *to), (file, to), on_file(file), -1)
WRAP(int, stat64, (const char *path, struct stat64 *to), (path, to), on_path(path), -1)
WRAP(int, lstat64, (const char *path, struct stat64 *to), (path, to), on_path(path), -1)
WRAP(int, statx, (int at, const char *path, int flags, unsigned mask, struct statx *to), (at, path, flags, mask, to),
     on_path(path) || on_file(at), -1)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), on_path(path), -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), on_path(path), -1)
WRAP(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), on_path(path) || on_file(at), -1)
WRAP(int, rmdir, (const char *path), (path), on_path(path), -1)
WRAP(int, unlink, (const char *path), (path), on_path(path), -1)
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), on_path(path) || on_file(at), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), on_path(from) || on_path(to), -1)
WRAP(int, link, (const char *from, const char *to), (from, to), on_path(from) || on_path(to), -1)
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags),
     on_path(from) || on_path(to) || on_file(a), -1)
WRAP(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size), on_path(path), -1)
WRAP(char *, realpath, (const char *path, char *to), (path, to), on_path(path), NULL)
WRAP(DIR *, opendir, (const char *path), (path), on_path(path), NULL)
WRAP(DIR *, fdopendir, (int file), (file), on_file(file), NULL)

int close(int file)
{
    static int (*real)(int);
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "close");
        memcpy(&real, &found, sizeof real);
    }
    /* Files are written through before they are closed, so that closing fails is of no interest here. */
    watch(file, false);
    return real(file);
}
