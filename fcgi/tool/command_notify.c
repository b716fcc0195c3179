/*
 * command_notify -- the sub-command notify: does a notice arrive?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/github/github.h"
#include "lib/github/receiver.h"
#include "lib/rules/notice_body.h"
#include "lib/service/process.h"

#include <stdio.h>

static void write_body(const struct jr_command *command, struct jr_buffer *body)
{
    static const uint64_t counts[JR_NOTICE_KINDS] = { 0 };
    const struct jr_notice notice = { .kind = JR_NOTICE_TEST, .at_ms = command->now_ms };
    const struct jr_notice_told told = {
        .items = &notice, .items_count = 1, .count = 1, .counts = counts,
        .begun_ms = command->now_ms, .api_url = command->settings.github_api_url, .web_url = "",
    };

    jr_buffer_init(body, JR_NOTICE_BODY_MAX);
    jr_notice_body_write(command->settings.notify_format, &told, body);
}

/* Tell what came of it. */
static int tell(const struct jr_command *command, const struct jr_http_answer *answer)
{
    const char *url = command->settings.notify_url;
    char host[JR_RECEIVER_HOST_SIZE], words[256];
    int64_t wait_ms;
    bool taken = jr_receiver_sort(answer, &wait_ms) == JR_UPTAKE_TAKEN;
    struct jr_emit emit;

    jr_receiver_words(answer, url, words, sizeof words);
    if (command->json) {
        jr_emit_init(&emit, stdout);
        jr_emit_open(&emit, NULL);
        jr_emit_text(&emit, "host", jr_receiver_host(url, host));
        jr_emit_bool(&emit, "taken", taken);
        jr_emit_text(&emit, "answer", words);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
    } else {
        printf("%s has %staken the notice: %s\n", jr_receiver_host(url, host), taken ? "" : "not ",
               words);
    }
    return taken ? JR_EXIT_OK : JR_EXIT_FAILED;
}

static int try_it(const struct jr_command *command)
{
    struct jr_transfer *transfer = NULL;
    struct jr_http *http;
    struct jr_buffer body;
    struct jr_error error;
    int status;

    if (jr_http_open(&http, command->settings.github_ca_file, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    write_body(command, &body);
    if (body.ok)
        transfer = jr_receiver_begin(http, command->settings.notify_url,
                                     jr_notice_body_type(command->settings.notify_format),
                                     body.bytes);
    status = transfer == NULL ? jr_command_fail(JR_EXIT_FAILED, "out of memory")
                              : tell(command, jr_http_await(transfer));
    jr_http_release(transfer);
    jr_buffer_release(&body);
    jr_http_close(http);
    return status;
}

int jr_command_notify(struct jr_command *command)
{
    int status;

    if (jr_command_value(command, "test") == NULL)
        return jr_command_misused(command, "--test is all that there is to be done");
    status = jr_command_load(command, true);
    if (status != JR_EXIT_OK)
        return status;
    if (command->settings.notify_url == NULL)
        return jr_command_fail(JR_EXIT_FAILED, "NOTIFY_URL is not set: nobody is told anything");
    return try_it(command);
}
