/*
 * floor -- the least that a program behind nginx can do: as many prefork workers
 * as the service has, which read nothing, do nothing, and answer 202.
 *
 *   spawn-fcgi -n -s SOCKET -- floor WORKERS
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char answer[] =
    "Status: 202 Accepted\r\n"
    "Content-Type: application/json\r\n"
    "X-Rerun-Reason: waiting-for-jobs\r\n"
    "\r\n"
    "{\"result\":\"recorded\",\"reason\":\"waiting-for-jobs\",\"run_id\":30000000000}\n";

static void serve(void)
{
    FCGX_Request request;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, STDIN_FILENO, 0) != 0)
        return;
    while (FCGX_Accept_r(&request) == 0) {
        (void)FCGX_PutStr(answer, (int)sizeof answer - 1, request.out);
        FCGX_Finish_r(&request);
    }
}

int main(int argc, char **argv)
{
    int workers = argc > 1 ? atoi(argv[1]) : 0;

    if (workers < 1) {
        fputs("usage: floor WORKERS\n", stderr);
        return 2;
    }
    for (int i = 0; i < workers; i++) {
        pid_t pid = fork();

        if (pid < 0) {
            perror("fork");
            return 1;
        }
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve();
            _exit(1);
        }
    }
    for (;;)
        pause();
}
