/*
 * server -- an HTTP server for unit tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/http.h"
#include "t/unit/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read up to the end of a request's header. Returns how much there is; -1: nothing whole. */
static ssize_t read_head(int connection, char *request, size_t size)
{
    size_t length = 0;

    while (length < size) {
        ssize_t got = read(connection, request + length, size - length);

        if (got <= 0)
            return -1;
        length += (size_t)got;
        if (memmem(request, length, "\r\n\r\n", 4) != NULL)
            return (ssize_t)length;
    }
    return -1;
}

/* Show a request to the parent. */
static bool take_request(int connection, int fd)
{
    char request[4096];
    ssize_t length = read_head(connection, request, sizeof request);

    return length > 0 && write(fd, request, (size_t)length) == length;
}

static void send_all(int connection, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void flood(int connection)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n", zeros[65536];

    send_all(connection, head, sizeof head - 1);
    for (size_t sent = 0; sent < 4 * (size_t)JR_HTTP_BODY_MAX; sent += sizeof zeros)
        send_all(connection, zeros, sizeof zeros);
}

/* Tell the parent the first line of a request, and answer it. */
static void respond_once(const struct server *server, int fd)
{
    int connection = accept(server->listener, NULL, NULL);
    char request[4096], answer[4096], line[512];
    ssize_t got = connection < 0 ? -1 : read_head(connection, request, sizeof request - 1);
    int length;

    if (got <= 0)
        _exit(3);
    request[got] = '\0';
    length = snprintf(line, sizeof line, "%.*s\n",
                      (int)(strcspn(request, "\r") - strlen(" HTTP/1.1")), request);
    if (write(fd, line, (size_t)length) != length)
        _exit(3);
    server->respond(request, answer, sizeof answer);
    send_all(connection, answer, strlen(answer));
    /* Closed with something unread, the answer might be lost. */
    (void)shutdown(connection, SHUT_WR);
    while (read(connection, request, sizeof request) > 0)
        continue;
    close(connection);
}

static void serve(int fd, const void *argument)
{
    const struct server *server = argument;

    child_says_ready(fd);
    while (server->respond != NULL)
        respond_once(server, fd);
    for (size_t i = 0; i < COUNT(server->answers) && server->answers[i] != NULL; i++) {
        int connection = accept(server->listener, NULL, NULL);

        if (connection < 0 || !take_request(connection, fd))
            _exit(3);
        if (strcmp(server->answers[i], SILENCE) == 0)
            child_waits(fd);
        else if (strcmp(server->answers[i], FLOOD) == 0)
            flood(connection);
        else
            send_all(connection, server->answers[i], strlen(server->answers[i]));
        if (!server->keeps_open)
            close(connection);
    }
    close(server->listener);
}

void listen_somewhere(struct server *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/repos", ntohs(address.sin_port));
}

void start_server(struct server *server)
{
    listen_somewhere(server);
    start_child(&server->child, serve, server);
    close(server->listener);
}

void read_request(struct server *server, char *request, size_t size)
{
    ssize_t got = read(server->child.fd, request, size - 1);

    assert_true(got > 0);
    request[got] = '\0';
}
