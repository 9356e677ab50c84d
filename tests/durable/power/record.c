/* Records the operations of a process on the files of a folder, for LD_PRELOAD: `recorder.rs` builds it and reads its log.
 *
 *   POWER_ROOT=/folder  the folder to record; without it nothing is recorded
 *   POWER_LOG=/file     the file to write the log to
 *   POWER_KILL=n        the process dies by SIGKILL instead of its n-th operation
 *
 * Each operation and its entry in the log are one step, for all threads and processes with the same log. So the entry of a
 * sync comes after the sync, and all consequences of the sync come after the entry.
 *
 * An entry: kind (1 byte), inode (8), offset or length (8), length of the path (4), of the data (4), the path, the data; numbers in
 * the machine's byte order. A change of a file that cannot be recorded has kind '!', which readers treat as an error.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* Higher descriptors are not recorded; the recorded processes use only a few. */
#define MOST 4096

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static long kill_at;
static long operations;
static unsigned char watched[MOST];

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    const char *of = getenv("POWER_ROOT"), *to = getenv("POWER_LOG"), *at = getenv("POWER_KILL");
    if (!of || !to) return;
    root_length = strlen(of);
    if (root_length >= sizeof root) abort();
    memcpy(root, of, root_length + 1);
    log_file = REAL(open)(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (log_file < 0) abort();
    kill_at = at ? atol(at) : 0;
}

/* Threads that are still running at the end of the process can do nothing more, so nothing goes unrecorded. */
__attribute__((destructor)) static void end(void) {
    pthread_mutex_lock(&turn);
}

/* The absolute path of a recorded file; NULL for other files. */
static const char *within(const char *path, char *whole) {
    if (log_file < 0 || !path) return NULL;
    if (path[0] == '/') {
        if (strlen(path) >= PATH_MAX) return NULL;
        strcpy(whole, path);
    } else {
        char here[PATH_MAX];
        while (path[0] == '.' && path[1] == '/') path += 2;
        if (!getcwd(here, sizeof here) || strlen(here) + strlen(path) + 2 > PATH_MAX) return NULL;
        size_t length = strlen(here);
        memcpy(whole, here, length);
        whole[length] = '/';
        strcpy(whole + length + 1, strcmp(path, ".") ? path : "");
    }
    size_t length = strlen(whole);
    while (length > 1 && whole[length - 1] == '/') whole[--length] = 0;
    int is_in = !strncmp(whole, root, root_length) && (whole[root_length] == '/' || whole[root_length] == 0);
    return is_in ? whole : NULL;
}

static int is_watched(int fd) {
    return log_file >= 0 && fd >= 0 && fd < MOST && watched[fd];
}

static void take_turn(void) {
    pthread_mutex_lock(&turn);
    while (flock(log_file, LOCK_EX) < 0 && errno == EINTR) {}
    if (++operations == kill_at) {
        raise(SIGKILL);
    }
}

static void give_turn(void) {
    int error = errno;
    flock(log_file, LOCK_UN);
    pthread_mutex_unlock(&turn);
    errno = error;
}

static void entry(char kind, uint64_t inode, uint64_t offset, const char *path, const void *data, size_t length) {
    int error = errno;
    char head[25];
    uint32_t path_length = path ? strlen(path) : 0, data_length = length;
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &path_length, 4);
    memcpy(head + 21, &data_length, 4);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_length}, {(void *)data, length}};
    ssize_t whole = sizeof head + path_length + length;
    if (REAL(writev)(log_file, parts, 3) != whole) abort();
    errno = error;
}

static uint64_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

static int opened(const char *symbol, int folder, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    int (*open_real)(const char *, int, ...) = (int (*)(const char *, int, ...))real(symbol);
    const char *place = folder == AT_FDCWD ? within(path, whole) : NULL;
    if (!place) {
        int fd = open_real(path, flags, mode);
        if (fd >= 0 && fd < MOST) watched[fd] = 0;
        return fd;
    }
    take_turn();
    int fd = open_real(path, flags, mode);
    struct stat found;
    if (fd >= 0 && fd < MOST && !fstat(fd, &found) && (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) {
        watched[fd] = 1;
        entry(S_ISDIR(found.st_mode) ? 'd' : 'o', found.st_ino, 0, place, NULL, 0);
        if (flags & O_TRUNC) entry('t', found.st_ino, 0, NULL, NULL, 0);
    }
    give_turn();
    return fd;
}

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...) {                     \
        mode_t mode = 0;                                             \
        if (flags & (O_CREAT | __O_TMPFILE)) {                       \
            va_list more;                                            \
            va_start(more, flags);                                   \
            mode = va_arg(more, mode_t);                             \
            va_end(more);                                            \
        }                                                            \
        return opened(#name, AT_FDCWD, path, flags, mode);           \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (fd >= 0 && fd < MOST) watched[fd] = 0;
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
    if (!is_watched(fd)) return REAL(write)(fd, data, length);
    take_turn();
    struct stat found;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (fcntl(fd, F_GETFL) & O_APPEND) at = fstat(fd, &found) ? 0 : found.st_size;
    ssize_t done = REAL(write)(fd, data, length);
    if (done > 0) entry('w', inode_of(fd), at, NULL, data, done);
    give_turn();
    return done;
}

#define PWRITE(name, offset_type)                                                \
    ssize_t name(int fd, const void *data, size_t length, offset_type at) {      \
        if (!is_watched(fd)) return REAL(name)(fd, data, length, at);            \
        take_turn();                                                             \
        ssize_t done = REAL(name)(fd, data, length, at);                         \
        if (done > 0) entry('w', inode_of(fd), at, NULL, data, done);            \
        give_turn();                                                             \
        return done;                                                             \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SYNC(name)                                                               \
    int name(int fd) {                                                           \
        if (!is_watched(fd)) return REAL(name)(fd);                              \
        take_turn();                                                             \
        int failed = REAL(name)(fd);                                             \
        if (!failed) entry('s', inode_of(fd), 0, NULL, NULL, 0);                 \
        give_turn();                                                             \
        return failed;                                                           \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, length_type)                                              \
    int name(int fd, length_type length) {                                       \
        if (!is_watched(fd)) return REAL(name)(fd, length);                      \
        take_turn();                                                             \
        int failed = REAL(name)(fd, length);                                     \
        if (!failed) entry('t', inode_of(fd), length, NULL, NULL, 0);            \
        give_turn();                                                             \
        return failed;                                                           \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

/* The new name is the entry's data. */
int rename(const char *from, const char *to) {
    char before[PATH_MAX], after[PATH_MAX];
    const char *old = within(from, before), *new = within(to, after);
    if (!old && !new) return REAL(rename)(from, to);
    take_turn();
    int failed = REAL(rename)(from, to);
    if (!failed) entry(old && new ? 'r' : '!', 0, 0, old ? old : new, new ? new : "", new ? strlen(new) : 0);
    give_turn();
    return failed;
}

int unlink(const char *path) {
    char whole[PATH_MAX];
    const char *place = within(path, whole);
    if (!place) return REAL(unlink)(path);
    take_turn();
    int failed = REAL(unlink)(path);
    if (!failed) entry('u', 0, 0, place, NULL, 0);
    give_turn();
    return failed;
}

int mkdir(const char *path, mode_t mode) {
    char whole[PATH_MAX];
    const char *place = within(path, whole);
    if (!place) return REAL(mkdir)(path, mode);
    take_turn();
    int failed = REAL(mkdir)(path, mode);
    if (!failed) entry('m', 0, 0, place, NULL, 0);
    give_turn();
    return failed;
}

/* Shared memory does not survive a power failure; writes to any other mapping would go unrecorded. */
void *mmap(void *at, size_t length, int rights, int flags, int fd, off_t offset) {
    if (is_watched(fd) && (flags & MAP_SHARED) && (rights & PROT_WRITE)) {
        take_turn();
        entry('p', inode_of(fd), 0, NULL, NULL, 0);
        give_turn();
    }
    return REAL(mmap)(at, length, rights, flags, fd, offset);
}
