/*
 * run -- what is known of one workflow run and of each of its jobs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/run.h"
#include "lib/base/timestamp.h"

#include <string.h>
#include <strings.h>

#define RUN_VERSION 4
#define JOB_VERSION 3

/* Who asks for a rerun. */
enum { BY_HAND = 1, ASKED = 2, LISTED = 4, NEEDY = 8, WAITING = 16, REOPENED = 32 };

const char *jr_phase_name(enum jr_phase phase)
{
    static const char *const names[] = { "open", "due", "closed" };

    return phase <= JR_PHASE_CLOSED ? names[phase] : "unknown";
}

enum jr_result jr_conclusion_result(enum jr_conclusion conclusion)
{
    switch (conclusion) {
    case JR_CONCLUSION_SUCCESS:
        return JR_RESULT_SUCCESS;
    case JR_CONCLUSION_FAILURE:
    case JR_CONCLUSION_TIMED_OUT:
    case JR_CONCLUSION_STARTUP_FAILURE:
        return JR_RESULT_FAILED;
    default:
        return JR_RESULT_NONE;
    }
}

enum jr_result jr_run_result(const struct jr_run *run)
{
    if (run->complete && run->conclusion != JR_CONCLUSION_NONE)
        return jr_conclusion_result(run->conclusion);
    if (run->jobs_known == 0 || run->jobs_unfinished > 0)
        return JR_RESULT_NONE;
    return run->jobs_failed == 0 ? JR_RESULT_SUCCESS : JR_RESULT_FAILED;
}

enum jr_conclusion jr_run_conclusion(const struct jr_run *run)
{
    if (run->complete && run->conclusion != JR_CONCLUSION_NONE)
        return run->conclusion;
    switch (jr_run_result(run)) {
    case JR_RESULT_SUCCESS:
        return JR_CONCLUSION_SUCCESS;
    case JR_RESULT_FAILED:
        return run->jobs_conclusion != JR_CONCLUSION_NONE ? run->jobs_conclusion
                                                          : JR_CONCLUSION_FAILURE;
    default:
        return JR_CONCLUSION_NONE;
    }
}

bool jr_run_jobs_done(const struct jr_run *run)
{
    return run->jobs_known > 0 && run->jobs_unfinished == 0;
}

bool jr_run_is_our_rerun(const struct jr_run *run)
{
    return run->accepted_attempt != 0 && run->attempt == run->accepted_attempt + 1;
}

enum jr_reason jr_run_reason(const struct jr_run *run)
{
    if (run->reason != JR_REASON_NONE || run->phase != JR_PHASE_OPEN || !run->known)
        return run->reason;
    if (run->jobs_known > 0)
        return JR_REASON_WAITING_FOR_JOBS;
    return jr_run_is_our_rerun(run) ? JR_REASON_RERUN_ACCEPTED : JR_REASON_WAITING_FOR_RUN;
}

const char *jr_run_file_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

bool jr_run_lists_names(const struct jr_list *list)
{
    bool any = false;

    for (size_t i = 0; i < list->count; i++) {
        size_t length = strlen(list->items[i]);
        const char *end = list->items[i] + length;

        any |= !(length >= 4 && strcasecmp(end - 4, ".yml") == 0)
               && !(length >= 5 && strcasecmp(end - 5, ".yaml") == 0);
    }
    return any;
}

bool jr_run_lists_workflow(const struct jr_list *list, const char *name, const char *path)
{
    if (*name != '\0' && jr_list_match(list, name))
        return true;
    return *path != '\0'
           && (jr_list_match(list, path) || jr_list_match(list, jr_run_file_of(path)));
}

const char *jr_run_workflow(const struct jr_run *run)
{
    return *run->workflow != '\0' ? run->workflow : jr_run_file_of(run->workflow_path);
}

bool jr_run_is_of_pull_request(const struct jr_run *run)
{
    return (jr_trigger_traits(run->trigger) & JR_TRIGGER_PULL) != 0;
}

bool jr_run_is_in_line(const struct jr_run *run)
{
    return (jr_trigger_traits(run->trigger) & JR_TRIGGER_LINE) != 0
           && run->repo_id != 0 && run->workflow_id != 0 && run->run_number != 0
           && *run->branch != '\0' && *run->head_sha != '\0';
}

bool jr_run_supersedes(const struct jr_run *newer, const struct jr_run *run)
{
    return newer->run_id != run->run_id && newer->run_number > run->run_number
           && newer->repo_id == run->repo_id && newer->workflow_id == run->workflow_id
           && strcmp(newer->branch, run->branch) == 0 && strcmp(newer->trigger, run->trigger) == 0
           && strcasecmp(newer->head_repo, run->head_repo) == 0
           && strcasecmp(newer->head_sha, run->head_sha) != 0;
}

uint32_t jr_runner_minutes(int64_t started_ms, int64_t completed_ms)
{
    int64_t took_ms = completed_ms - started_ms, minutes;

    if (started_ms == 0 || completed_ms == 0)
        return 0;
    minutes = took_ms <= 0 ? 1 : (took_ms - 1) / JR_MINUTE_MS + 1;
    return minutes > JR_RUNNER_MINUTES_MOST ? JR_RUNNER_MINUTES_MOST : (uint32_t)minutes;
}

uint32_t jr_job_minutes(const struct jr_job *job)
{
    return job->status == JR_STATUS_COMPLETED && job->conclusion != JR_CONCLUSION_SKIPPED
                   && !job->carried_over
               ? jr_runner_minutes(job->started_ms, job->completed_ms)
               : 0;
}

uint32_t jr_run_attempt_of(const struct jr_run *run, const struct jr_job *job)
{
    return job->attempt != 0 ? job->attempt : run->base_attempt;
}

static void write_spent(struct jr_writer *writer, const struct jr_spent *spent)
{
    jr_write_u32(writer, spent->attempt);
    if (spent->attempt == 0)
        return;
    jr_write_time(writer, spent->at_ms);
    jr_write_u64(writer, spent->scope);
    for (size_t i = 0; i < JR_SYSTEMS; i++)
        jr_write_u32(writer, spent->minutes.of[i]);
}

static void read_spent(struct jr_reader *reader, struct jr_spent *spent)
{
    spent->attempt = jr_read_u32(reader);
    if (spent->attempt == 0)
        return;
    spent->at_ms = jr_read_time(reader);
    spent->scope = jr_read_u64(reader);
    for (size_t i = 0; i < JR_SYSTEMS; i++)
        spent->minutes.of[i] = jr_read_u32(reader);
}

static bool is_at_end(const struct jr_reader *reader)
{
    return reader->offset == reader->size;
}

/*
 * The end of a record. Those that were written before reruns were counted end before it, those
 * from before it was told what holds a run before that.
 */
static void write_end(struct jr_writer *writer, const struct jr_run *run)
{
    write_spent(writer, &run->spent);
    jr_write_u16(writer, (uint16_t)run->held);
}

static void read_end(struct jr_reader *reader, struct jr_run *run)
{
    if (!is_at_end(reader))
        read_spent(reader, &run->spent);
    if (!is_at_end(reader))
        run->held = (enum jr_reason)jr_read_u16(reader);
}

static uint8_t bits_of(const struct jr_run *run)
{
    return (uint8_t)((run->by_hand ? BY_HAND : 0u) | (run->asked ? ASKED : 0u)
                     | (run->listed ? LISTED : 0u)
                     | (run->list == JR_RUN_LIST_NEEDY ? NEEDY : 0u)
                     | (run->list == JR_RUN_LIST_WAITING ? WAITING : 0u)
                     | (run->reopened ? REOPENED : 0u));
}

void jr_run_encode(const struct jr_run *run, struct jr_writer *writer)
{
    jr_write_u8(writer, RUN_VERSION);
    jr_write_u64(writer, run->repo_id);
    jr_write_text(writer, run->repo);
    jr_write_text(writer, run->branch);
    jr_write_text(writer, run->workflow);
    jr_write_text(writer, run->workflow_path);
    jr_write_u64(writer, run->workflow_id);
    jr_write_u64(writer, run->run_number);
    jr_write_text(writer, run->head_sha);
    jr_write_text(writer, run->trigger);
    jr_write_text(writer, run->actor);
    jr_write_text(writer, run->triggering_actor);
    jr_write_text(writer, run->first_sender);
    jr_write_time(writer, run->first_sender_ms);
    jr_write_text(writer, run->head_repo);
    jr_write_time(writer, run->created_ms);
    jr_write_u8(writer, run->shown);
    jr_write_u32(writer, run->attempt);
    jr_write_u8(writer, run->numbered);
    jr_write_u32(writer, run->base_attempt);
    jr_write_u32(writer, run->jobs_known);
    jr_write_u32(writer, run->jobs_unfinished);
    jr_write_u32(writer, run->jobs_failed);
    jr_write_u8(writer, run->complete);
    jr_write_u8(writer, (uint8_t)run->conclusion);
    jr_write_time(writer, run->updated_ms);
    jr_write_u8(writer, (uint8_t)run->phase);
    jr_write_u16(writer, (uint16_t)run->reason);
    jr_write_time(writer, run->due_ms);
    jr_write_u32(writer, run->tries);
    jr_write_time(writer, run->intent_ms);
    jr_write_u64(writer, run->superseded_by);
    jr_write_u32(writer, run->judged_attempt);
    jr_write_u8(writer, run->debug);
    jr_write_u8(writer, run->rerun_all);
    jr_write_u8(writer, bits_of(run));
    jr_write_time(writer, run->quiet_due_ms);
    jr_write_u32(writer, run->quiet_asks);
    jr_write_u32(writer, run->accepted_attempt);
    jr_write_u32(writer, run->reruns);
    jr_write_time(writer, run->first_event_ms);
    jr_write_time(writer, run->last_event_ms);
    jr_write_u32(writer, run->history_count);
    jr_write_time(writer, run->told_ms);
    jr_write_u32(writer, run->jobs_tallied);
    jr_write_u32(writer, run->failed_day);
    jr_write_u32(writer, run->rescue_day);
    jr_write_u8(writer, run->rescued);
    jr_write_time(writer, run->denied_ms);
    write_end(writer, run);
}

static void read_bits(struct jr_reader *reader, struct jr_run *run)
{
    uint8_t bits = jr_read_u8(reader);

    run->by_hand = (bits & BY_HAND) != 0;
    run->asked = (bits & ASKED) != 0;
    run->listed = (bits & LISTED) != 0;
    run->reopened = (bits & REOPENED) != 0;
    run->list = (bits & NEEDY) != 0     ? JR_RUN_LIST_NEEDY
                : (bits & WAITING) != 0 ? JR_RUN_LIST_WAITING
                                        : JR_RUN_LIST_NONE;
}

bool jr_run_decode(struct jr_run *run, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(run, 0, sizeof *run);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != RUN_VERSION)
        return false;
    run->repo_id = jr_read_u64(&reader);
    jr_read_text(&reader, run->repo, sizeof run->repo);
    jr_read_text(&reader, run->branch, sizeof run->branch);
    jr_read_text(&reader, run->workflow, sizeof run->workflow);
    jr_read_text(&reader, run->workflow_path, sizeof run->workflow_path);
    run->workflow_id = jr_read_u64(&reader);
    run->run_number = jr_read_u64(&reader);
    jr_read_text(&reader, run->head_sha, sizeof run->head_sha);
    jr_read_text(&reader, run->trigger, sizeof run->trigger);
    jr_read_text(&reader, run->actor, sizeof run->actor);
    jr_read_text(&reader, run->triggering_actor, sizeof run->triggering_actor);
    jr_read_text(&reader, run->first_sender, sizeof run->first_sender);
    run->first_sender_ms = jr_read_time(&reader);
    jr_read_text(&reader, run->head_repo, sizeof run->head_repo);
    run->created_ms = jr_read_time(&reader);
    run->shown = jr_read_u8(&reader) != 0;
    run->attempt = jr_read_u32(&reader);
    run->numbered = jr_read_u8(&reader) != 0;
    run->base_attempt = jr_read_u32(&reader);
    run->jobs_known = jr_read_u32(&reader);
    run->jobs_unfinished = jr_read_u32(&reader);
    run->jobs_failed = jr_read_u32(&reader);
    run->complete = jr_read_u8(&reader) != 0;
    run->conclusion = (enum jr_conclusion)jr_read_u8(&reader);
    run->updated_ms = jr_read_time(&reader);
    run->phase = (enum jr_phase)jr_read_u8(&reader);
    run->reason = (enum jr_reason)jr_read_u16(&reader);
    run->due_ms = jr_read_time(&reader);
    run->tries = jr_read_u32(&reader);
    run->intent_ms = jr_read_time(&reader);
    run->superseded_by = jr_read_u64(&reader);
    run->judged_attempt = jr_read_u32(&reader);
    run->debug = jr_read_u8(&reader) != 0;
    run->rerun_all = jr_read_u8(&reader) != 0;
    read_bits(&reader, run);
    run->quiet_due_ms = jr_read_time(&reader);
    run->quiet_asks = jr_read_u32(&reader);
    run->accepted_attempt = jr_read_u32(&reader);
    run->reruns = jr_read_u32(&reader);
    run->first_event_ms = jr_read_time(&reader);
    run->last_event_ms = jr_read_time(&reader);
    run->history_count = jr_read_u32(&reader);
    run->told_ms = jr_read_time(&reader);
    run->jobs_tallied = jr_read_u32(&reader);
    run->failed_day = jr_read_u32(&reader);
    run->rescue_day = jr_read_u32(&reader);
    run->rescued = jr_read_u8(&reader) != 0;
    run->denied_ms = jr_read_time(&reader);
    read_end(&reader, run);
    return reader.ok && reader.offset == size && run->phase <= JR_PHASE_CLOSED
           && run->conclusion <= JR_CONCLUSION_OTHER;
}

void jr_job_encode(const struct jr_job *job, struct jr_writer *writer)
{
    jr_write_u8(writer, JOB_VERSION);
    jr_write_u32(writer, job->attempt);
    jr_write_u8(writer, (uint8_t)job->status);
    jr_write_u8(writer, (uint8_t)job->conclusion);
    jr_write_u8(writer, job->carried_over);
    jr_write_u8(writer, job->tallied);
    jr_write_time(writer, job->created_ms);
    jr_write_time(writer, job->started_ms);
    jr_write_time(writer, job->completed_ms);
    jr_write_text(writer, job->name);
    jr_write_text(writer, job->runner);
    jr_write_text(writer, job->labels);
    jr_write_text(writer, job->steps);
    jr_write_text(writer, job->environment);
}

bool jr_job_decode(struct jr_job *job, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(job, 0, sizeof *job);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != JOB_VERSION)
        return false;
    job->attempt = jr_read_u32(&reader);
    job->status = (enum jr_status)jr_read_u8(&reader);
    job->conclusion = (enum jr_conclusion)jr_read_u8(&reader);
    job->carried_over = jr_read_u8(&reader) != 0;
    job->tallied = jr_read_u8(&reader) != 0;
    job->created_ms = jr_read_time(&reader);
    job->started_ms = jr_read_time(&reader);
    job->completed_ms = jr_read_time(&reader);
    jr_read_text(&reader, job->name, sizeof job->name);
    jr_read_text(&reader, job->runner, sizeof job->runner);
    jr_read_text(&reader, job->labels, sizeof job->labels);
    jr_read_text(&reader, job->steps, sizeof job->steps);
    jr_read_text(&reader, job->environment, sizeof job->environment);
    return reader.ok && reader.offset == size && job->status <= JR_STATUS_COMPLETED
           && job->conclusion <= JR_CONCLUSION_OTHER;
}
