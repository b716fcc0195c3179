/*
 * matchwire -- what dispatcher and matcher tell each other.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/matchwire.h"
#include "lib/base/codec.h"
#include "lib/base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kind, and the number. */
#define HEAD_BYTES 9

/* Room for the one descriptor of a message, laid out as cmsg(3) wants it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

bool jr_match_send(int socket, const struct jr_match_message *message, int flags)
{
    unsigned char bytes[HEAD_BYTES + JR_MATCH_FINDING_SIZE];
    struct iovec part = { .iov_base = bytes };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    union control control;
    struct jr_writer writer;
    ssize_t sent;

    jr_writer_init(&writer, bytes, sizeof bytes);
    jr_write_u8(&writer, (uint8_t)message->kind);
    jr_write_u64(&writer, message->number);
    jr_write_bytes(&writer, message->bytes, message->length);
    part.iov_len = writer.length;
    if (message->fd >= 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &message->fd, sizeof(int));
    }
    do
        sent = sendmsg(socket, &header, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)writer.length;
}

static enum jr_err read_message(const unsigned char *bytes, size_t size,
                                struct jr_match_message *message)
{
    struct jr_reader reader;

    jr_reader_init(&reader, bytes, size);
    message->kind = (enum jr_match_kind)jr_read_u8(&reader);
    message->number = jr_read_u64(&reader);
    if (!reader.ok || message->kind < JR_MATCH_POLICY || message->kind > JR_MATCH_FOUND)
        return JR_EFORMAT;
    message->length = size - HEAD_BYTES;
    memcpy(message->bytes, bytes + HEAD_BYTES, message->length);
    return JR_OK;
}

/* The descriptor that came with a message; -1: none did. */
static int descriptor_in(const union control *control, const struct msghdr *header)
{
    int fd = -1;

    if (header->msg_controllen >= CMSG_LEN(sizeof fd)
        && control->header.cmsg_level == SOL_SOCKET && control->header.cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(&control->header), sizeof fd);
    return fd;
}

enum jr_err jr_match_receive(int socket, int flags, bool takes, struct jr_match_message *message)
{
    unsigned char bytes[HEAD_BYTES + JR_MATCH_FINDING_SIZE];
    struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
    union control control;
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = takes ? control.bytes : NULL,
        .msg_controllen = takes ? sizeof control.bytes : 0,
    };
    enum jr_err err;
    ssize_t got;

    memset(&control, 0, sizeof control);
    do
        got = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? JR_EBUSY : JR_ENOENT;
    if (got == 0)
        return JR_ENOENT;
    message->fd = takes ? descriptor_in(&control, &header) : -1;
    err = (header.msg_flags & MSG_TRUNC) != 0 ? JR_EFORMAT
                                              : read_message(bytes, (size_t)got, message);
    if (err != JR_OK && message->fd >= 0)
        close(message->fd);
    return err;
}

int jr_match_put(const void *bytes, size_t length)
{
    int fd = jr_file_memory("evidence"), saved;

    if (fd < 0 || jr_file_write(fd, bytes, length))
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The offset of a file that is handed over is wherever its writer has left it: pread. */
char *jr_match_read(int fd, size_t most, size_t *length)
{
    struct stat status;
    char *bytes;

    if (fstat(fd, &status) != 0 || status.st_size < 0 || (uint64_t)status.st_size > most)
        return NULL;
    *length = (size_t)status.st_size;
    bytes = malloc(*length + 1);
    for (size_t at = 0; bytes != NULL && at < *length;) {
        ssize_t got = pread(fd, bytes + at, *length - at, (off_t)at);

        if (got <= 0) {
            free(bytes);
            return NULL;
        }
        at += (size_t)got;
    }
    if (bytes != NULL)
        bytes[*length] = '\0';
    return bytes;
}

static bool is_control(char byte)
{
    return (unsigned char)byte < ' ' || byte == 0x7f;
}

/*
 * Write a text without control characters.
 *   kept  one that may be there; NUL: none may
 */
static void write_clean(struct jr_writer *writer, const char *text, char kept)
{
    char clean[JR_FIRST_ERROR_SIZE];
    size_t length = 0;

    for (; length < sizeof clean - 1 && text[length] != '\0'; length++)
        clean[length] = is_control(text[length]) && text[length] != kept ? ' ' : text[length];
    clean[length] = '\0';
    jr_write_text(writer, clean);
}

size_t jr_match_finding_encode(const struct jr_finding *finding,
                               unsigned char bytes[JR_MATCH_FINDING_SIZE])
{
    struct jr_writer writer;

    jr_writer_init(&writer, bytes, JR_MATCH_FINDING_SIZE);
    jr_write_u8(&writer, (uint8_t)finding->cause);
    jr_write_u8(&writer, finding->unreadable);
    write_clean(&writer, finding->signature, '\0');
    write_clean(&writer, finding->line, '\0');
    write_clean(&writer, finding->first_error, '\n');
    write_clean(&writer, finding->step, '\0');
    return writer.length;
}

static void read_clean(struct jr_reader *reader, char *text, size_t size, char kept)
{
    jr_read_text(reader, text, size);
    for (; *text != '\0'; text++)
        reader->ok &= !is_control(*text) || *text == kept;
}

void jr_match_finding_none(struct jr_finding *finding)
{
    memset(finding, 0, sizeof *finding);
    finding->cause = JR_CAUSE_UNKNOWN;
    finding->unreadable = true;
}

static bool is_whole(const struct jr_finding *finding)
{
    size_t length = strlen(finding->signature);

    return finding->cause != JR_CAUSE_NONE && jr_cause_name(finding->cause) != NULL
           && (finding->cause == JR_CAUSE_UNKNOWN) == (length == 0)
           && strspn(finding->signature, JR_SIGNATURE_ID_LETTERS) == length
           && (*finding->line == '\0' || length > 0);
}

bool jr_match_finding_decode(struct jr_finding *finding, const void *bytes, size_t size)
{
    struct jr_reader reader;
    uint8_t unreadable;

    memset(finding, 0, sizeof *finding);
    jr_reader_init(&reader, bytes, size);
    finding->cause = (enum jr_cause)jr_read_u8(&reader);
    unreadable = jr_read_u8(&reader);
    finding->unreadable = unreadable == 1;
    read_clean(&reader, finding->signature, sizeof finding->signature, '\0');
    read_clean(&reader, finding->line, sizeof finding->line, '\0');
    read_clean(&reader, finding->first_error, sizeof finding->first_error, '\n');
    read_clean(&reader, finding->step, sizeof finding->step, '\0');
    if (reader.ok && reader.offset == size && unreadable <= 1 && is_whole(finding))
        return true;
    jr_match_finding_none(finding);
    return false;
}
