/*
 * cgi -- the plain CGI door: one request from the environment and stdin.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/cgi.h"
#include "fcgi/process/dispatcher.h"
#include "fcgi/web/handle.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/timestamp.h"
#include "lib/service/lock.h"
#include "lib/service/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After RERUN_DELAY the child looks this much longer for what is due. */
#define WORK_OFF_MS (10 * JR_SECOND_MS)

/* A peer that sends nothing any more does not hold the process for ever. */
#define READ_LIMIT_S 30

bool jr_cgi_is_request(void)
{
    return getenv("REQUEST_METHOD") != NULL || getenv("GATEWAY_INTERFACE") != NULL;
}

/* RFC 3875, 4.2: not more than CONTENT_LENGTH bytes; stdin may stay open behind them. */
static ssize_t read_body(void *door, char *bytes, size_t size)
{
    size_t *left = door;
    ssize_t got;

    if (size > *left)
        size = *left;
    if (size == 0)
        return 0;
    do
        got = read(STDIN_FILENO, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        *left -= (size_t)got;
    return got;
}

static void write_out(const struct jr_response *response)
{
    /* If nobody is there any more: what was promised is on disk. */
    if (jr_file_write(STDOUT_FILENO, response->text, response->length))
        (void)jr_file_write(STDOUT_FILENO, response->rest.bytes, response->rest.length);
}

/* Whoever waits for the end of our output shall not wait for the child. */
static void let_go_of_caller(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)dup2(fd, STDIN_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void leave_dispatcher_behind(struct jr_settings *settings)
{
    pid_t child;

    if (jr_lock_is_held(settings->state_dir))
        return;
    child = fork();
    if (child < 0)
        jr_log(JR_LOG_ERROR, "dispatcher", "cannot fork: %s", strerror(errno));
    if (child != 0)
        return;
    (void)setsid();
    jr_process_catch_stop();
    jr_settings_forget(settings, JR_SECRETS_KEYS);
    exit(jr_dispatcher_work_off(settings, jr_now_ms() + settings->rerun_delay_ms + WORK_OFF_MS));
}

int jr_cgi_main(struct jr_settings *settings)
{
    struct jr_context context;
    struct jr_exchange exchange = { 0 }, *const all = &exchange;
    size_t left = 0;
    bool posted;

    (void)alarm(READ_LIMIT_S);
    jr_context_init(&context, settings, NULL, -1);
    jr_request_init(&exchange.request, &left, environ, read_body);
    if (jr_request_length(&exchange.request, SIZE_MAX, &left) != JR_OK)
        left = 0;
    if (!jr_handle_begin(&context, &exchange))
        jr_handle_record(&context, &all, 1);
    (void)alarm(0);
    write_out(&exchange.response);
    jr_context_done(&context, &exchange.response);
    let_go_of_caller();
    posted = context.store != NULL && strcmp(exchange.request.method, "POST") == 0;
    jr_context_release(&context);
    if (posted)
        leave_dispatcher_behind(settings);
    return JR_EXIT_OK;
}

void jr_cgi_refuse(void)
{
    struct jr_response response;

    jr_response_page(&response, 500, "text/plain; charset=utf-8",
                     "job-rerunner cannot start; its error log says why.\n", false);
    write_out(&response);
}
