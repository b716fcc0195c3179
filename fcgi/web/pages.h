/*
 * pages -- what makes the pages: a function for each row of the routes (page.c).
 *
 * Each reads what it needs first, then writes it in the form that is wanted. See jr_visit_make
 * for what they return.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGES_H
#define JR_PAGES_H

#include "fcgi/web/visit.h"

/* How it goes: the verdict, what waits, what needs a person, today. */
enum jr_err jr_page_status(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* All runs, those that wait or need a person first, by what somebody wants to see. */
extern const char *const jr_page_runs_names[];
enum jr_err jr_page_runs(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* The story of one run; its number is the visit's name. */
enum jr_err jr_page_run(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* The repositories, and the health of one; OWNER/NAME is the visit's name. */
extern const char *const jr_page_repos_names[];
enum jr_err jr_page_repos(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;
enum jr_err jr_page_repo(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* Jobs that fail and then pass on the same commit. */
extern const char *const jr_page_jobs_names[];
enum jr_err jr_page_jobs(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* Runners, by the labels that jobs ask for, across repositories. */
extern const char *const jr_page_runners_names[];
enum jr_err jr_page_runners(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* What jobs failed by, and what reruns of them were worth. */
extern const char *const jr_page_causes_names[];
enum jr_err jr_page_causes(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

/* The settings in force, secrets only as set or not, and the policy with where each value comes
 * from. */
enum jr_err jr_page_settings(struct jr_visit *visit, struct jr_error *error) JR_CHECKED;

#endif
