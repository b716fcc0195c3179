/*
 * server -- an HTTP server for unit tests.
 *
 * It is a child process on a free port of the loopback. It takes one connection for
 * each answer in its list; or, with respond, one after the other until it is killed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_T_SERVER_H
#define JR_T_SERVER_H

#include "t/unit/support.h"

#define SILENCE "silence" /* no answer, until the parent lets go */
#define FLOOD   "flood"   /* an answer without end */

struct server {
    int listener;
    char url[64]; /* out: http://127.0.0.1:PORT/repos */
    struct child child;
    bool keeps_open; /* each connection, to the end */
    const char *answers[4];
    /* Write the answer to a request's header; the parent is told "METHOD target\n". */
    void (*respond)(const char *request, char *answer, size_t size);
};

void start_server(struct server *server);

/* Only the listener and the url, for a server of the test's own. */
void listen_somewhere(struct server *server);

/* What the server was asked. */
void read_request(struct server *server, char *request, size_t size);

#endif
