/*
 * matchwire -- what dispatcher and matcher tell each other (matcher.h): messages over a pair
 * of local sockets that keep them apart (SOCK_SEQPACKET).
 *
 * What is large goes into a file without a name, whose descriptor goes over the socket: who
 * sends it then never waits for who reads it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_MATCHWIRE_H
#define JR_MATCHWIRE_H

#include "lib/base/error.h"
#include "lib/rules/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jr_match_kind {
    JR_MATCH_POLICY = 1, /* first of all: a policy file, as a descriptor */
    JR_MATCH_JOB = 2,    /* as a descriptor: the length of the repository's own policy file in four
                            bytes, that, and evidence (evidence.h); number: what it is known by */
    JR_MATCH_FOUND = 3   /* the answer to a job of that number: a finding, or nothing */
};

/* A finding takes less: its texts, the length of each, and two numbers. */
#define JR_MATCH_FINDING_SIZE (sizeof(struct jr_finding) + 16)

struct jr_match_message {
    enum jr_match_kind kind;
    uint64_t number;
    int fd; /* of what is handed over; -1: nothing is */
    size_t length;
    unsigned char bytes[JR_MATCH_FINDING_SIZE];
};

/*
 * Send a message, and never a signal (SIGPIPE). message->fd stays the caller's.
 *   flags  MSG_DONTWAIT or 0
 * Returns false when that fails, and errno says why.
 */
bool jr_match_send(int socket, const struct jr_match_message *message, int flags);

/*
 * Receive the next message.
 *   flags  MSG_DONTWAIT or 0
 *   takes  whether a descriptor may come with it, which then is the caller's; else the kernel
 *          drops each that does
 * Returns JR_OK, JR_EBUSY when there is none yet, JR_ENOENT when the other end is closed, or
 * JR_EFORMAT for what is no message.
 */
enum jr_err jr_match_receive(int socket, int flags, bool takes,
                             struct jr_match_message *message) JR_CHECKED;

/*
 * Put bytes into a file without a name.
 * Returns its descriptor, the caller's; -1, and errno says why.
 */
int jr_match_put(const void *bytes, size_t length);

/*
 * Read a whole file.
 *   most  a larger one is refused
 * Returns its bytes and a NUL, the caller's to free; NULL: it cannot be read, or memory is out.
 */
char *jr_match_read(int fd, size_t most, size_t *length);

/*
 * A finding as bytes: JR_MATCH_FINDING_SIZE have room for any. A control character of a text
 * is written as a blank, but for the line feeds between first errors.
 * Returns how many bytes it took.
 */
size_t jr_match_finding_encode(const struct jr_finding *finding,
                               unsigned char bytes[JR_MATCH_FINDING_SIZE]);

/*
 * Read it. It may be from somebody who was taken over: the cause is one that there is, texts
 * are within their sizes and without control characters, the signature has the form of one
 * and is there unless the cause is unknown, and nothing stands behind all that.
 * Returns false for any other bytes; finding is then as jr_match_finding_none() makes it.
 */
bool jr_match_finding_decode(struct jr_finding *finding, const void *bytes, size_t size);

/* What is known of a job that could not be judged: nothing, since it could not be read. */
void jr_match_finding_none(struct jr_finding *finding);

#endif
