# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Scenario -- the weather: what GitHub, the network, people and the
# machine do to the service. What the words mean stands in Hooks (hooks), Api
# (api), People (people), Outage (outage), LogHost (logs), Guards (guards),
# Limits (limits) and Trouble (trouble).

package JR::Sim::Scenario;

use strict;
use warnings;

# branches: REPO_BRANCHES restricts; groups: concurrency groups; old: runs
# that were created long ago are among them (events alone tell of those);
# jobs: not more runs than that under way at once; repos: not more than that
# many repositories; hourly_limit: of API calls, as GitHub tells it;
# rerun_delay_ms: RERUN_DELAY, if not 100; causes: jobs fail for causes
# (JR::Sim::Cause), `hostile' ones; policy: that judges them (JR::Sim::Policy);
# checks => 0: the token may not read annotations; evidence: EVIDENCE;
# log_tail: LOG_TAIL in bytes; catch_up_s: CATCH_UP; minute_ms: so long lasts
# a minute of holds and limits; pace_s: from one run to the next; policy_more:
# further keys of the policy; may_hold: runs may wait for an outage; stuck_s: the
# end comes after so long without a move; short => 1: JR::Sim::Short plays it;
# report: REPORT (JR::Sim::Report); asked: JR::Sim::Asking; hosts: there are several
# (JR::Sim::Hosts); control => 1: something is left out, and it has to go wrong.
my %SPOILT  = (drop => .1, late => [0, .5], tail => .03, twice => .15, redeliver => .3);
my %FAILING = (get_error => .05, list_error => .1, post_error => .05, post_error_late => .05, get_cut => .05, post_cut => .05,
    post_cut_late => .05, running => .1, moved => .03, slow => [.1, .01, .1], ask_error => .08, ask_cut => .05);

my %MOVES   = (newer => .4, closed => .3, held => .5, stuck => .04, environment => .1, queue => .04, doer => .05);
my @GUARDED = (causes => {}, policy => 'careful', guards => \%MOVES, catch_up_s => 45, minute_ms => 500);
# Where questions fail, 45 s of CATCH_UP may be over before one is answered.
my @PATIENT = (catch_up_s => 60);
my @LIMITED = (causes => {}, policy => 'careful', limits => { reruns => 12, minutes => 300 }, catch_up_s => 60, minute_ms => 50);

my %ASKED   = (comment => .4, button => .4, twice => .3, idle => .15, stale => .3);

# A minute lasts a second.
my %STRIKES = (from => 2, share => .8, background => .04);
my @STRUCK  = (causes => {}, policy => 'waiting', pace_s => .2, trouble => { kind => 'registry', %STRIKES }, stuck_s => 200);
my @HELD    = (policy_more => "outage: { runs: 10, within: 10s, hold: 5s }\n", may_hold => 1);

# Times of a cluster are a twentieth: a right to a POST is over after .25 s, and taken over after 3 s.
my %HOSTS = (count => 3, freeze => [3, 9, .3, 6], from_github => [10, 30, .5, 5]);
my %ETCD  = (from_etcd => [8, 20, .3, 5], member_freeze => [10, 30, .3, 4], member_kill => [15, 40, .3, 3],
    member_cut => [10, 30, .5, 4]);
my @ETCD_WEATHER = (pace_s => .25, hooks => { deaf => .1, drop => .1, late => [0, .3], twice => .05 },
    api => { get_error => .02, post_error => .03, post_error_late => .03, post_cut => .03, post_cut_late => .05, running => .02, slow => [.1, .01, .2] },
    outage => { stop => 'KILL', times => 2, for => [.5, 5], dispatcher => [5, 15] });

my @SCENARIOS = (
    { name => 'calm', title => 'all events, in order, at once', branches => 1, old => 1 },
    { name => 'jobs-only', title => 'only workflow_job subscribed to', branches => 1,
        hooks => { only => 'workflow_job' } },
    { name => 'runs-only', title => 'only workflow_run subscribed to',
        hooks => { only => 'workflow_run' } },
    { name => 'late', title => 'each delivery up to 1.5 s late, some 7 s', old => 1,
        hooks => { late => [0, 1.5], tail => .05 } },
    { name => 'hasty', title => 'GitHub is asked 5 ms after the last known job, shuffled', rerun_delay_ms => 5,
        hooks => { late => [0, .2] } },
    { name => 'disorder', title => 'deliveries shuffled', branches => 1, old => 1,
        hooks => { late => [0, .4] } },
    { name => 'duplicates', title => 'repeated, by one hook or two, and shuffled', old => 1,
        hooks => { twice => .5, late => [0, .3], tail => .05 } },
    { name => 'lost-10', title => '10 % of the deliveries lost', branches => 1, hooks => { drop => .1 } },
    { name => 'lost-50', title => '50 % of the deliveries lost', hooks => { drop => .5 } },
    { name => 'lost-jobs', title => 'all job events of 40 % of the runs lost, of the others 5 %, shuffled', branches => 1,
        hooks => { deaf => .4, drop => .05, late => [0, .3] } },
    { name => 'lost-90', title => '90 % of the deliveries lost', branches => 1, hooks => { drop => .9 } },
    { name => 'jobs-lost', title => 'only workflow_job, of which 30 % are lost', branches => 1,
        hooks => { only => 'workflow_job', drop => .3, late => [0, .3] } },
    { name => 'crowd', title => 'one repository for all, 80 % of the deliveries lost', repos => 1, hooks => { drop => .8 } },
    { name => 'budget', title => '50 % lost, and 5 calls a second to find out', hourly_limit => 180_000, jobs => 25,
        hooks => { drop => .5 } },
    { name => 'down', title => 'the service stopped and started again', branches => 1,
        api => { slow => [.1, .02, .4] }, outage => { stop => 'TERM', times => 4, for => [.5, 2] } },
    { name => 'down-kill', title => 'the service killed and started again; some events redelivered',
        hooks => { redeliver => .5 }, api => { slow => [.1, .02, .4] },
        outage => { stop => 'KILL', times => 6, for => [.3, 2] } },
    { name => 'killed', title => 'the dispatcher killed at random, and in its calls', branches => 1,
        jobs => 30,
        api => { kill => .1, kill_late => .1, kill_get => .03, slow => [.2, .01, .1] }, 
        outage => { dispatcher => [1, 6], stop => 'TERM', times => 8, for => [.05, .2] } },
    { name => 'errors', title => 'API: error pages, odd answers, redirects', branches => 1,
        api => { get_error => .15, list_error => .2, post_error => .15, post_error_late => .15, odd => .05, moved => .1 } },
    { name => 'cuts', title => 'API: connections cut before and after the effect',
        api => { get_cut => .2, post_cut => .2, post_cut_late => .25 } },
    { name => 'hangs', title => 'API: slow answers, and two that never come', branches => 1,
        api => { hang => 2, slow => [.1, .05, .5] } },
    { name => 'running', title => 'API: "already running" right after the end',
        api => { running => .5, get_lag => .05 } },
    { name => 'refused', title => 'API: POSTs refused for good', branches => 1, api => { never => .2 } },
    { name => 'rate-limits', title => 'API: secondary and primary rate limits', branches => 1,
        api => { limits => [4, 1] } },
    { name => 'bad-token', title => 'API: the token is not taken for a while',
        api => { tokens => [5, 1.5] } },
    { name => 'stale', title => 'API: runs and lists shown as they were a second ago', branches => 1,
        api => { get_lag => 1, list_lag => 1.5 } },
    { name => 'people', title => 're-runs, cancels and new commits by hand', groups => 1, old => 1,
        people => { rerun => .3, cancel => .15, remove => .01 } },
    { name => 'people-jobs', title => 'the same, and only workflow_job, shuffled, 20 % lost', groups => 1, branches => 1,
        hooks => { only => 'workflow_job', late => [0, .4], drop => .2 }, people => { rerun => .3, cancel => .15, remove => .01 } },
    { name => 'storm', title => 'a little of all of it at once', groups => 1, branches => 1,
        hooks  => { drop => .1, late => [0, .5], tail => .03, twice => .15, redeliver => .3 },
        api    => {
            get_error => .05, list_error => .1, post_error => .05, post_error_late => .05, get_cut => .05, post_cut => .05,
            post_cut_late => .05, running => .1, odd => .02, moved => .03, slow => [.1, .01, .1], list_lag => .5,
            limits => [11, 1], tokens => [17, 1.2], kill => .01, kill_late => .01,
        },
        people => { rerun => .1, cancel => .08, remove => .01 },
        outage => { stop => 'KILL', times => 1, for => [.5, 1.5], dispatcher => [5, 10] } },
    { name => 'reports', title => 'check runs say what becomes of runs', report => 'check' },
    { name => 'reports-storm', title => 'check runs, of which the API cuts and fails, and the dispatcher is killed at them', report => 'check',
        causes => {}, policy => 'careful', hooks => { late => [0, .3], twice => .1 },
        api => { report_error => .1, report_error_late => .1, report_cut => .1, report_cut_late => .1, report_kill => .01,
            report_kill_late => .01, slow => [.1, .01, .1] } },
    { name => 'comments', title => 'comments on pull requests, of which the API cuts and fails', report => 'comment',
        api => { report_error => .1, report_error_late => .1, report_cut => .1, report_cut_late => .1, report_kill => .01,
            report_kill_late => .01 } },
    { name => 'asked', title => 'people ask for reruns, twice, stale, or may not; the API fails, and the dispatcher is killed', report => 'check',
        causes => {}, policy => 'careful', guards => { environment => .1, doer => .03 }, asked => \%ASKED, catch_up_s => 60,
        hooks => { late => [0, .2], twice => .1 },
        api => { get_error => .03, list_error => .05, guard_error => .05, post_error => .03, post_cut => .03, post_cut_late => .03,
            report_error => .05, report_error_late => .05, report_cut => .05, report_cut_late => .05, report_kill => .01,
            report_kill_late => .01, kill => .01, kill_late => .01, slow => [.1, .01, .1] } },
    { name => 'everything', title => 'jobs fail for causes, and nobody asks for them', branches => 1, causes => {} },
    { name => 'causes', title => 'rerun for infrastructural causes only', branches => 1, causes => {}, policy => 'infrastructure' },
    { name => 'causes-careful', title => 'left where a rerun cannot help', branches => 1, causes => {}, policy => 'careful' },
    { name => 'no-checks', title => 'causes, and annotations that may not be read', causes => {}, policy => 'infrastructure', checks => 0 },
    { name => 'logs-gone', title => 'causes, and logs that are not there, some at first only', causes => {}, policy => 'infrastructure',
        logs => { gone => .2, expired => .1, refused => .1, late => [.3, .5] } },
    { name => 'logs-slow', title => 'causes, and logs slow, cut, stopped, and whole for a part', causes => {}, policy => 'infrastructure',
        log_tail => 65536, logs => { slow => .4, cut => .15, idle => 2, no_range => .3 } },
    { name => 'causes-errors', title => 'causes, an API that fails to tell them, and 40 % of the deliveries lost', causes => {},
        policy => 'infrastructure', hooks => { drop => .4 }, api => { ask_error => .35, ask_cut => .1 } },
    { name => 'hostile-logs', title => 'causes, and logs that hold the text of every fault', causes => { hostile => 1 },
        policy => 'infrastructure' },
    { name => 'causes-storm', title => 'causes, and a little of all of it at once', groups => 1,
        causes => {}, policy => 'infrastructure', evidence => 'always',
        hooks  => { drop => .1, late => [0, .5], tail => .03, twice => .15, redeliver => .3 },
        api    => {
            get_error => .05, list_error => .1, post_error => .05, post_error_late => .05, get_cut => .05, post_cut => .05,
            post_cut_late => .05, running => .1, moved => .03, slow => [.1, .01, .1], list_lag => .5, ask_error => .08, ask_cut => .05,
            limits => [11, 1], tokens => [17, 1.2], kill => .01, kill_late => .01, kill_get => .005,
        },
        logs   => { late => [.2, .3], slow => .1, cut => .05 },
        people => { rerun => .1, cancel => .08, remove => .01 },
        outage => { stop => 'KILL', times => 1, for => [.5, 1.5], dispatcher => [5, 10] } },
    { name => 'guards', title => 'newer commits, closed pull requests, held groups, deployments', @GUARDED, short => 1 },
    { name => 'guards-blind', title => 'the same, by a token that may read runs only, and a host without groups', @GUARDED,
        guards => { %MOVES, no_pulls => 1, no_contents => 1, no_groups => 1 } },
    { name => 'guards-errors', title => 'the same, an API that fails and lags, and 30 % of the deliveries lost', @GUARDED, @PATIENT,
        hooks => { drop => .3 }, api => { guard_error => .25, guard_cut => .1, list_lag => .8, get_error => .05, slow => [.1, .01, .1] } },
    { name => 'guards-killed', title => 'the same, and the dispatcher is killed whenever all guards are asked', @GUARDED,
        outage => { kill_at => 'guards' } },
    { name => 'guards-storm', title => 'the same, and a little of all of it at once', @GUARDED, @PATIENT,
        hooks  => \%SPOILT, logs => { late => [.2, .3], slow => .1, cut => .05 }, people => { rerun => .1, cancel => .08 },
        api    => { %FAILING, guard_error => .08, guard_cut => .05, kill => .02, kill_late => .02, kill_get => .01 },
        outage => { stop => 'KILL', times => 1, for => [.5, 1.5], dispatcher => [5, 10] } },
    { name => 'limits', title => 'reruns an hour and minutes a day, of a clock with hours of 3 s', @LIMITED, short => 1 },
    { name => 'limits-all', title => 'the same of all repositories together', @LIMITED,
        limits => { all_reruns => 60, all_minutes => 1500 } },
    { name => 'limits-day', title => 'minutes a day that do not suffice: what is over is left after CATCH_UP', @LIMITED,
        limits => { minutes => 40, all_minutes => 250 } },
    { name => 'limits-storm', title => 'the limits, and a little of all of it at once', @LIMITED, catch_up_s => 120, stuck_s => 160,
        hooks  => \%SPOILT, api => { %FAILING, kill => .05, kill_late => .05, kill_get => .01 },
        people => { rerun => .1, cancel => .08 },
        outage => { stop => 'KILL', times => 2, for => [.5, 1.5], dispatcher => [3, 8] } },
    { name => 'outage', title => 'a registry is down for an hour of 60 s, and what fails for it is held', @STRUCK, @HELD },
    { name => 'outage-rerun', title => 'the same, and nothing is held', @STRUCK },
    { name => 'outage-storm', title => 'the same, held, and a little of all of it at once', @STRUCK, @HELD,
        hooks  => \%SPOILT, api => { %FAILING, kill => .03, kill_late => .03, kill_get => .01 },
        outage => { stop => 'KILL', times => 1, for => [.5, 1.5], dispatcher => [5, 10] } },
    { name => 'outage-killed', title => 'the same, and the dispatcher is killed where outages are looked at', @STRUCK, @HELD,
        outage => { kill_at => 'in-outage' } },
    { name => 'outage-told', title => 'the same, and the dispatcher is killed where an outage is written to the log', @STRUCK, @HELD,
        outage => { kill_at => 'outage-told' } },
    { name => 'broken-main', title => 'false alarm: tests fail in all runs of main, and nothing may be held', @STRUCK, @HELD,
        may_hold => 0, trouble => { kind => 'test', branch => 'main', %STRIKES } },
    { name => 'bad-runner', title => 'false alarm: all jobs on one runner are lost, and nothing may be held', @STRUCK, @HELD,
        may_hold => 0, trouble => { kind => 'runner-lost', runner => 'runner-3', %STRIKES } },
    { name => 'hosts-3', title => 'three hosts and three etcd that die, freeze and are cut off', @ETCD_WEATHER,
        hosts => { %HOSTS, %ETCD, at => [['permitted', .05, 5], ['after-get', .2, 6], ['before-done', .2, 5]] } },
    { name => 'hosts-unclaimed', title => 'the same three hosts, without etcd: one attempt too many now and then',
        @ETCD_WEATHER, control => 1, hosts => { %HOSTS, etcd => 0, at => [map { ['before-post', .5, 4] } 1 .. 3] } },
    { name => 'hosts-late', title => 'the three with etcd, and nobody looks whether a right to a POST is over',
        @ETCD_WEATHER, control => 1,
        hosts => { count => 3, settings => { JR_TEST_DEADLINE => 'off' }, at => [['permitted', 6, 20], ['after-check', 6, 20]] } },
);

sub all { return @SCENARIOS }

sub named {
    my (@names) = @_;
    return grep { !$_->{control} } @SCENARIOS if grep { $_ eq 'all' } @names;
    my %known = map { $_->{name} => $_ } @SCENARIOS;
    return map { $known{$_} // die "no scenario '$_'; there are: all " . join(' ', map { $_->{name} } @SCENARIOS) . "\n" } @names;
}

1;
