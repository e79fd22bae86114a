/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into kerbwrap: counts what its own code asks of the C library and
 * the kernel, and has the Nth such request fail.  Requests of other libraries
 * pass, but for epoll_ctl, which libevent makes on our behalf.
 *
 * FAULT_CONTROL names a file of one struct control that the test maps as well.
 * What cannot fail in any kernel is left alone: the counter of an eventfd, the
 * reading of a signalfd, closing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum kind {
    KIND_NONE,
    KIND_MEMORY,
    KIND_SYSTEM
};

enum {
    SIZE_OF_EVENT = 8 /* of an eventfd's counter */
};

/* As test_faults.py lays it out. */
struct control {
    _Atomic uint32_t kind;  /* which requests count; 0: none */
    _Atomic uint32_t nth;   /* the one that fails, from 1; 0: none does */
    _Atomic uint32_t count; /* so far */
    _Atomic uint32_t fired;
    char what[32]; /* the function that failed */
};

static struct control none;
static struct control *control = &none;
static uintptr_t text_begin, text_end; /* of the program itself */

/* The program comes first; a library that was preloaded does not matter. */
static int
find_text(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            text_begin = info->dlpi_addr + part->p_vaddr;
            text_end = text_begin + part->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor)) static void
prepare(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int fd;

    dl_iterate_phdr(find_text, NULL);
    if (path == NULL)
        return;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        abort();
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED,
                     fd, 0);
    if (map == MAP_FAILED)
        abort();
    close(fd);
    control = map;
}

/* Is it this one's turn? */
static int
fails(enum kind kind, const char *what, const void *caller)
{
    uintptr_t from = (uintptr_t)caller;

    if (atomic_load(&control->kind) != kind)
        return 0;
    if (caller != NULL && (from < text_begin || from >= text_end))
        return 0;
    uint32_t number = atomic_fetch_add(&control->count, 1) + 1;
    if (number != atomic_load(&control->nth))
        return 0;
    strncpy(control->what, what, sizeof control->what - 1);
    atomic_store(&control->fired, 1);
    return 1;
}
#define CALLER __builtin_return_address(0)

static void *
next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    return found;
}

/* Looking a name up may itself allocate; these are looked up before main. */
static struct {
    __typeof__(&malloc) malloc;
    __typeof__(&calloc) calloc;
    __typeof__(&realloc) realloc;
    __typeof__(&free) free;
} real;

/* What is allocated while that goes on; never given back. */
static _Alignas(16) char early[1 << 16];
static size_t early_used;
static __attribute__((tls_model("initial-exec"))) _Thread_local int looking;

static void *
take_early(size_t size)
{
    void *taken = early + early_used;

    early_used += (size + 15) & ~(size_t)15;
    return early_used > sizeof early ? NULL : taken;
}

static int
is_early(const void *memory)
{
    return (const char *)memory >= early &&
           (const char *)memory < early + sizeof early;
}

static int
look(void)
{
    if (real.free != NULL)
        return 1;
    if (looking)
        return 0;
    looking = 1;
    real.malloc = next("malloc");
    real.calloc = next("calloc");
    real.realloc = next("realloc");
    real.free = next("free");
    looking = 0;
    return 1;
}

static int
out_of_memory(const char *what, const void *caller)
{
    if (!fails(KIND_MEMORY, what, caller))
        return 0;
    errno = ENOMEM;
    return 1;
}

EXPORT void *
malloc(size_t size)
{
    if (!look())
        return take_early(size);
    return out_of_memory("malloc", CALLER) ? NULL : real.malloc(size);
}

EXPORT void *
calloc(size_t count, size_t size)
{
    if (!look())
        return take_early(count * size);
    return out_of_memory("calloc", CALLER) ? NULL : real.calloc(count, size);
}

EXPORT void *
realloc(void *old, size_t size)
{
    if (!look() || is_early(old))
        abort();
    return out_of_memory("realloc", CALLER) ? NULL : real.realloc(old, size);
}

/* FIND(NAME): real_NAME().  It is looked up before main, since to do that later
 * would take dlerror's last words from whoever is about to read them. */
#define FIND(name)                                                             \
    static __typeof__(&name) found_##name;                                     \
    __attribute__((constructor)) static void find_##name(void)                 \
    {                                                                          \
        found_##name = (__typeof__(&name))next(#name);                         \
    }                                                                          \
    static __typeof__(&name) real_##name(void)                                 \
    {                                                                          \
        if (found_##name == NULL)                                              \
            find_##name();                                                     \
        return found_##name;                                                   \
    }                                                                          \
    struct semicolon

FIND(reallocarray);
FIND(aligned_alloc);
FIND(strdup);
FIND(strndup);
FIND(open_memstream);
FIND(vasprintf);
FIND(read);
FIND(write);
FIND(open);
FIND(fopen);
FIND(fcntl);
FIND(epoll_ctl);
FIND(pthread_create);
FIND(getaddrinfo);

EXPORT void *
reallocarray(void *old, size_t count, size_t size)
{
    return out_of_memory("reallocarray", CALLER)
               ? NULL
               : real_reallocarray()(old, count, size);
}

EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
    return out_of_memory("aligned_alloc", CALLER)
               ? NULL
               : real_aligned_alloc()(alignment, size);
}

EXPORT void
free(void *memory)
{
    if (!is_early(memory) && look())
        real.free(memory);
}

EXPORT char *
strdup(const char *text)
{
    return out_of_memory("strdup", CALLER) ? NULL : real_strdup()(text);
}

EXPORT char *
strndup(const char *text, size_t most)
{
    return out_of_memory("strndup", CALLER) ? NULL : real_strndup()(text, most);
}

EXPORT FILE *
open_memstream(char **text, size_t *size)
{
    return out_of_memory("open_memstream", CALLER)
               ? NULL
               : real_open_memstream()(text, size);
}

EXPORT int
vasprintf(char **out, const char *format, va_list arguments)
{
    return out_of_memory("vasprintf", CALLER)
               ? -1
               : real_vasprintf()(out, format, arguments);
}

EXPORT int
asprintf(char **out, const char *format, ...)
{
    va_list arguments;

    if (out_of_memory("asprintf", CALLER))
        return -1;
    va_start(arguments, format);
    int size = real_vasprintf()(out, format, arguments);
    va_end(arguments);
    return size;
}

/* What _FORTIFY_SOURCE makes of these two. */

EXPORT int __vasprintf_chk(char **out, int flag, const char *format,
                           va_list arguments);
EXPORT int __asprintf_chk(char **out, int flag, const char *format, ...);

EXPORT int
__vasprintf_chk(char **out, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return out_of_memory("vasprintf", CALLER)
               ? -1
               : real_vasprintf()(out, format, arguments);
}

EXPORT int
__asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list arguments;

    (void)flag;
    if (out_of_memory("asprintf", CALLER))
        return -1;
    va_start(arguments, format);
    int size = real_vasprintf()(out, format, arguments);
    va_end(arguments);
    return size;
}

/* CALL(TYPE, NAME, PARAMETERS, ARGUMENTS, REASON): fails with -1 and REASON. */
#define CALL(type, name, parameters, arguments, reason)                        \
    FIND(name);                                                                \
    EXPORT type name parameters                                                \
    {                                                                          \
        if (fails(KIND_SYSTEM, #name, CALLER)) {                               \
            errno = (reason);                                                  \
            return -1;                                                         \
        }                                                                      \
        return real_##name() arguments;                                        \
    }                                                                          \
    struct semicolon

CALL(int, socket, (int domain, int type, int protocol),
     (domain, type, protocol), EMFILE);
CALL(int, accept4,
     (int fd, struct sockaddr *restrict peer, socklen_t *restrict size,
      int flags),
     (fd, peer, size, flags), EMFILE);
CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
     (fd, address, size), EADDRINUSE);
CALL(int, listen, (int fd, int backlog), (fd, backlog), EADDRINUSE);
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t size),
     (fd, address, size), ENETUNREACH);
CALL(int, shutdown, (int fd, int how), (fd, how), ENOTCONN);
CALL(int, getsockname,
     (int fd, struct sockaddr *restrict address, socklen_t *restrict size),
     (fd, address, size), ENOBUFS);
CALL(int, getpeername,
     (int fd, struct sockaddr *restrict address, socklen_t *restrict size),
     (fd, address, size), ENOTCONN);
CALL(int, getsockopt,
     (int fd, int level, int option, void *restrict value,
      socklen_t *restrict size),
     (fd, level, option, value, size), ENOBUFS);
CALL(int, setsockopt,
     (int fd, int level, int option, const void *value, socklen_t size),
     (fd, level, option, value, size), ENOBUFS);
CALL(ssize_t, recv, (int fd, void *bytes, size_t size, int flags),
     (fd, bytes, size, flags), ECONNRESET);
CALL(ssize_t, readv, (int fd, const struct iovec *parts, int count),
     (fd, parts, count), ECONNRESET);
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count),
     (fd, parts, count), EPIPE);
CALL(ssize_t, send, (int fd, const void *bytes, size_t size, int flags),
     (fd, bytes, size, flags), EPIPE);
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags), EPIPE);
CALL(int, stat, (const char *restrict path, struct stat *restrict found),
     (path, found), EACCES);
CALL(int, lstat, (const char *restrict path, struct stat *restrict found),
     (path, found), EACCES);
CALL(int, fstat, (int fd, struct stat *found), (fd, found), EIO);
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC);
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), EROFS);
CALL(int, rename, (const char *from, const char *to), (from, to), EROFS);
CALL(int, unlink, (const char *path), (path), EROFS);
CALL(int, fsync, (int fd), (fd), ENOSPC);
CALL(int, mkostemp, (char *path, int flags), (path, flags), ENOSPC);
CALL(int, eventfd, (unsigned count, int flags), (count, flags), EMFILE);
CALL(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags),
     EMFILE);

EXPORT ssize_t
read(int fd, void *bytes, size_t size)
{
    if (size != SIZE_OF_EVENT && size != sizeof(struct signalfd_siginfo) &&
        fails(KIND_SYSTEM, "read", CALLER)) {
        errno = EIO;
        return -1;
    }
    return real_read()(fd, bytes, size);
}

EXPORT ssize_t
write(int fd, const void *bytes, size_t size)
{
    if (size != SIZE_OF_EVENT && fails(KIND_SYSTEM, "write", CALLER)) {
        errno = ENOSPC;
        return -1;
    }
    return real_write()(fd, bytes, size);
}

EXPORT int
open(const char *path, int flags, ...)
{
    va_list arguments;

    if (fails(KIND_SYSTEM, "open", CALLER)) {
        errno = EMFILE;
        return -1;
    }
    va_start(arguments, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0
                      ? va_arg(arguments, mode_t)
                      : 0;
    va_end(arguments);
    return real_open()(path, flags, mode);
}

EXPORT FILE *
fopen(const char *restrict path, const char *restrict mode)
{
    if (fails(KIND_SYSTEM, "fopen", CALLER)) {
        errno = EMFILE;
        return NULL;
    }
    return real_fopen()(path, mode);
}

EXPORT int
fcntl(int fd, int command, ...)
{
    va_list arguments;

    if (fails(KIND_SYSTEM, "fcntl", CALLER)) {
        errno = EMFILE;
        return -1;
    }
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return real_fcntl()(fd, command, argument);
}

EXPORT int
epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    if (what == EPOLL_CTL_ADD && fails(KIND_SYSTEM, "epoll_ctl", NULL)) {
        errno = ENOSPC;
        return -1;
    }
    return real_epoll_ctl()(epoll, what, fd, event);
}

EXPORT int
pthread_create(pthread_t *restrict thread,
               const pthread_attr_t *restrict attributes,
               void *(*start)(void *), void *restrict arg)
{
    if (fails(KIND_SYSTEM, "pthread_create", CALLER))
        return EAGAIN;
    return real_pthread_create()(thread, attributes, start, arg);
}

EXPORT int
getaddrinfo(const char *restrict host, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict found)
{
    if (fails(KIND_SYSTEM, "getaddrinfo", CALLER))
        return EAI_AGAIN;
    return real_getaddrinfo()(host, service, hints, found);
}
