#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What GitHub may answer, row by row: the reason that is recorded, and whether
# it is asked again. Then what stops all calls: rate limits and a bad token.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(min);
use POSIX ();
use Test::More;
use JR::Test;
use JR::Wait qw(nap);

my $github = github();
my $service = service(github => $github)->start;

sub run_of {
    my ($of, %o) = @_;
    return workflow_run(github => $of->{github}, door => $of->http, jobs => ['build'], %o);
}

sub fails {
    my ($run) = @_;
    my $answer = @{ $run->truth->{jobs} } ? $run->play(build => 'failure') : $run->finish('failure', event => 1);
    return status_is $answer, 201, 'a run fails';
}

sub all_decided {
    my ($of) = @_;
    my $later = run_of($of);
    fails($later);
    return wait_ok { $later->accepted } 'a later run is rerun';
}

sub is_degraded {
    my ($by, $what) = @_;
    my $health = $by->http->send({ method => 'GET', path => '/healthz' });
    return $health->status == 200 && join(' ', @{ $health->field('degraded') // [] }) =~ $what;
}

sub message { my ($status, $message, %headers) = @_; return { status => $status, body => { message => $message }, headers => \%headers } }
sub html { my ($status) = @_; return { status => $status, body => '<html><b>Unicorn!', headers => { 'Content-Type' => 'text/html' } } }

# Each row: a name, the answer to the first POST, the reason recorded for it,
# how many POSTs there are in the end, and how many of them are accepted.
my @POSTS = (
    # retried when the run has completed
    ['403: already running', message(403, 'This workflow is already running'), 'already-running', 2, 1],
    ['403: already running, of a job', message(403, 'The workflow run containing this job is already running'),
        'already-running', 2, 1],
    # not retried
    ['403: over a month', message(403, 'Unable to retry this workflow run because it was created over a month ago'),
        'too-old', 1, 0],
    ['403: over a month, other words',
        message(403, 'Unable to re-run this workflow run because it was created over a month ago'), 'too-old', 1, 0],
    ['403: cannot be retried', message(403, 'This workflow run cannot be retried'), 'cannot-be-retried', 1, 0],
    ['403: nothing failed',
        message(403, 'Unable to retry this workflow run because it was not attempted with failed jobs.'),
        'cannot-be-retried', 1, 0],
    ['403: permission of an App', message(403, 'Resource not accessible by integration',
        'X-Accepted-GitHub-Permissions' => 'actions=write'), 'no-permission', 1, 0],
    ['403: permission of a token', message(403, 'Resource not accessible by personal access token',
        'X-Accepted-GitHub-Permissions' => 'actions=write'), 'no-permission', 1, 0],
    ['403: permission, in words only', message(403, 'Resource not accessible by personal access token'),
        'no-permission', 1, 0],
    ['403: permission, in the header only', message(403, 'No.', 'X-Accepted-GitHub-Permissions' => 'actions=write'),
        'no-permission', 1, 0],
    ['403: no write access', message(403, 'Must have admin rights to Repository.'), 'no-permission', 1, 0],
    ['403: other words', message(403, 'This workflow is disabled'), 'refused', 1, 0],
    ['404', message(404, 'Not Found'), 'not-found', 1, 0],
    ['409', message(409, 'Conflict'), 'refused', 1, 0],
    ['422', message(422, 'Unprocessable Entity'), 'refused', 1, 0],
    ['410', message(410, 'This API version is no longer supported'), 'refused', 1, 0],
    ['400', message(400, 'The API version is not supported'), 'refused', 1, 0],
    # the outcome is unknown: GitHub is asked, then posted again unless it worked
    (map { ["$_, nothing happened", html($_), 'outcome-unknown', 2, 1] } 408, 500, 502, 503, 504),
    (map { ["$_, but it happened", { %{ html($_) }, effect => 1 }, 'outcome-unknown', 1, 1] } 408, 500, 502, 503, 504),
    # something on the way has answered: it may have got through
    (map { ["$_: HTML", html($_), 'not-github', 2, 1] } 400, 401, 403, 404, 422),
    ['403: HTML, but it happened', { %{ html(403) }, effect => 1 }, 'not-github', 1, 1],
    ['403: no body', { status => 403, body => '' }, 'not-github', 2, 1],
    ['404: text', { status => 404, body => "404 page not found\n" }, 'not-github', 2, 1],
    ['422: JSON of somebody else', { status => 422, body => { error => 'no' } }, 'not-github', 2, 1],
    ['500 as JSON', message(500, 'Server Error'), 'outcome-unknown', 2, 1],
    ['a cut, nothing happened', { cut => 1 }, 'outcome-unknown', 2, 1],
    ['a cut, but it happened', { cut => 1, effect => 1 }, 'outcome-unknown', 1, 1],
    # accepted, whatever the body
    ['201', { status => 201, body => {}, effect => 1 }, 'rerun-accepted', 1, 1],
    ['201, no body', { status => 201, body => '', effect => 1 }, 'rerun-accepted', 1, 1],
    ['201, HTML', { %{ html(201) }, effect => 1 }, 'rerun-accepted', 1, 1],
    ['201, huge', { status => 201, huge => 10_000_000, effect => 1 }, 'rerun-accepted', 1, 1],
    ['200', { status => 200, body => '{"', effect => 1 }, 'rerun-accepted', 1, 1],
    ['202', { status => 202, body => {}, effect => 1 }, 'rerun-accepted', 1, 1],
    ['204', { status => 204, body => '', effect => 1 }, 'rerun-accepted', 1, 1],
    # neither here nor there: not done, tried again
    ['a redirect to nowhere', { status => 302, body => '' }, 'moved', 2, 1],
    ['304', { status => 304, body => '' }, 'moved', 2, 1],
);

subtest 'answers to a POST' => sub {
    my %run;
    for my $row (@POSTS) {
        my ($name, $act) = @$row;
        my $run = $run{$name} = run_of($service);
        $github->script(POST => $run->id . '/rerun', $act);
        fails($run);
    }
    for my $row (@POSTS) {
        my ($name, undef, $reason, $posts, $accepted) = @$row;
        my $run = $run{$name};
        my $line = $service->log->wait_entry('rerun', run => $run->id, attempt => 1);
        is $line && $line->{reason}, $reason, "$name: $reason";
        wait_ok { $run->accepted >= $accepted } "$name: rerun in the end" if $accepted;
        wait_ok { $run->gets >= 2 } "$name: asked about first" if $reason =~ /^(?:outcome-unknown|not-github)$/;
    }
    all_decided($service);
    for my $row (@POSTS) {
        my ($name, undef, undef, $posts, $accepted) = @$row;
        is_deeply [scalar $run{$name}->posts, scalar $run{$name}->accepted], [$posts, $accepted],
            "$name: $posts POSTs, $accepted accepted";
    }
};

# Each row: a name, the answer to the first two GETs, the reason, and whether
# the run is rerun in the end.
my @GETS = (
    ['404', message(404, 'Not Found'), 'not-found', 0],
    ['403: permission', message(403, 'Resource not accessible by integration',
        'X-Accepted-GitHub-Permissions' => 'actions=read'), 'no-permission', 0],
    ['403: other words', message(403, 'Repository access blocked'), 'refused', 0],
    ['410', message(410, 'Gone'), 'refused', 0],
    (map { ["$_: HTML", html($_), 'not-github', 1] } 400, 401, 403, 404, 407, 451),
    ['404: text', { status => 404, body => "404 page not found\n" }, 'not-github', 1],
    ['404: no body', { status => 404, body => '' }, 'not-github', 1],
    ['403: JSON of somebody else', { status => 403, body => { error => 'denied' } }, 'not-github', 1],
    (map { ["$_", html($_), 'server-error', 1] } 408, 500, 502, 503, 504),
    ['a cut', { cut => 1 }, 'unreachable', 1],
    ['no body', { status => 200, body => '' }, 'bad-answer', 1],
    ['HTML', html(200), 'bad-answer', 1],
    ['another shape', { status => 200, body => [{}] }, 'bad-answer', 1],
    ['half a body', { status => 200, body => '{"id":1,' }, 'bad-answer', 1],
    ['huge', { huge => 10_000_000 }, 'unreachable', 1],
    ['304', { status => 304, body => '' }, 'moved', 1],
);

subtest 'answers to a GET' => sub {
    my %run;
    for my $row (@GETS) {
        my ($name, $act) = @$row;
        my $run = $run{$name} = run_of($service);
        # libcurl asks once more by itself where a kept connection is cut, of which there are some.
        $github->script(GET => $run->id . '$', $act, $act->{cut} ? 6 : 2);
        fails($run);
    }
    for my $row (@GETS) {
        my ($name, undef, $reason, $rerun) = @$row;
        my $line = $service->log->wait_entry('decision', run => $run{$name}->id, attempt => 1);
        is $line && $line->{reason}, $reason, "$name: $reason";
        is $line && $line->{verdict}, $rerun ? 'wait' : 'closed', "$name: verdict";
        wait_ok { $run{$name}->accepted } "$name: rerun in the end" if $rerun;
    }
    all_decided($service);
    is scalar $run{ $_->[0] }->posts, $_->[3], "$_->[0]: $_->[3] POSTs" for @GETS;
};

subtest 'what GitHub says is in the log, on one line' => sub {
    my $run = run_of($service);
    my $words = qq{a "quoted"\nline of its \x{07} own};
    $github->script(POST => $run->id . '/rerun', message(403, $words));
    fails($run);
    my $line = $service->log->wait_entry('rerun', run => $run->id) or return fail 'logged';
    like $line->{text}, qr/a \\"quoted\\".*line of its .* own/, 'the words';
    like $line->{line}, qr/github=403/, 'and the status';
};

# Which calls were posted, by their last word.
sub calls { my ($run) = @_; return [map { $_->{path} =~ m{/([\w-]+)$} } $run->posts] }

subtest 'a run without known jobs' => sub {
    my %refused = (
        retry   => message(403, 'This workflow run cannot be retried'),
        nothing => message(403, 'Unable to retry this workflow run because it was not attempted with failed jobs.'),
    );
    my $whole = run_of($service, jobs => []);
    my $twice = run_of($service, jobs => []);
    $github->script(POST => $twice->id . '/rerun', $refused{retry}, 2);
    fails($_) for $whole, $twice;
    wait_ok { $whole->accepted } 'that cannot be retried is rerun as a whole';
    is_deeply calls($whole), [qw(rerun-failed-jobs rerun)], 'after its failed jobs were tried';
    wait_ok { $service->log->find('decision', run => $twice->id, verdict => 'closed')
            || $service->log->count('rerun', run => $twice->id, reason => 'cannot-be-retried') == 2 } 'refused both';
    all_decided($service);
    is_deeply calls($twice), [qw(rerun-failed-jobs rerun)], 'no more than that';

    my $known = run_of($service);
    $github->script(POST => $known->id . '/rerun', $refused{retry});
    fails($known);
    all_decided($service);
    is_deeply calls($known), ['rerun-failed-jobs'], 'one whose jobs are known is not rerun as a whole';

    my $nothing = run_of($service, jobs => []);
    $github->script(POST => $nothing->id . '/rerun', $refused{nothing});
    fails($nothing);
    ok $service->log->wait_entry('rerun', run => $nothing->id, reason => 'cannot-be-retried'), 'nothing failed';
    all_decided($service);
    all_decided($service);
    is_deeply calls($nothing), ['rerun-failed-jobs'], 'one where nothing failed is not rerun as a whole';
};

# A request that is sent on to the same path below /api/v3, which is the same here.
sub redirect {
    my ($method, $run, $status, @hops) = @_;
    my $path = '/repos/octo/app/actions/runs/' . $run->id . ($method eq 'POST' ? '/rerun-failed-jobs' : '');
    my @way = ($path, (map {"/hop$_$path"} 1 .. $hops[0] - 1), "/api/v3$path");
    for my $hop (1 .. $hops[0]) {
        my $to = $way[$hop];
        $to = $github->url . $to if $hop % 2;
        $github->script($method => "^\Q$way[$hop - 1]\E\$", { status => $status, body => '', headers => { Location => $to } });
    }
    return;
}

subtest 'redirects on the same host' => sub {
    for my $method (qw(GET POST)) {
        for my $status (301, 302, 307, 308) {
            my $run = run_of($service);
            redirect($method, $run, $status, 1);
            fails($run);
            wait_ok { $run->accepted } "$method $status: followed" or next;
            my @asked = $github->requests($method, '/runs/' . $run->id);
            is_deeply [map { $_->{path} =~ m{^(/api/v3)?} ? $1 // '' : () } @asked], ['', '/api/v3'], 'once';
            is $asked[-1]{headers}{authorization}, 'Bearer ' . JR::Service::token(), 'with the token';
            is $asked[-1]{headers}{'content-length'}, 0, 'and as a POST without a body' if $method eq 'POST';
            is $service->log->wait_entry('rerun', run => $run->id)->{reason}, 'rerun-accepted', 'nothing was refused';
        }
        my $far = run_of($service);
        redirect($method, $far, 302, 3);
        fails($far);
        wait_ok { $far->accepted } "$method: three hops";
        is scalar $github->requests($method, '/runs/' . $far->id), 4, 'in one go';

        my $too_far = run_of($service);
        redirect($method, $too_far, 302, 4);
        fails($too_far);
        ok $service->log->wait_entry($method eq 'GET' ? 'decision' : 'rerun', run => $too_far->id, reason => 'moved'),
            "$method: four hops are too many";
        wait_ok { $too_far->accepted } 'tried again later';
        my @passed = $github->requests($method, '^/(?:repos|hop\d+/repos)/.*/' . $too_far->id);
        is $passed[3]{path} =~ m{^/hop3/} ? 1 : 0, 1, 'the fourth was not followed' if @passed > 3;
        is scalar $too_far->accepted, 1, 'once';
    }
};

subtest 'redirects to elsewhere' => sub {
    my $other = github();
    my $port = $github->{port};
    my @elsewhere = (
        $other->url . '/x', "http://127.0.0.1:$port\@127.0.0.1:$other->{port}/x", "//127.0.0.1:$other->{port}/x",
        "https://127.0.0.1:$port/x", "http://127.0.0.1:${port}0/x", 'file:///etc/passwd', 'x', '',
    );
    for my $method (qw(GET POST)) {
        my @runs = map { run_of($service) } @elsewhere;
        for my $i (0 .. $#runs) {
            my $path = $runs[$i]->id . ($method eq 'GET' ? '$' : '/rerun');
            $github->script($method => $path, { status => 307, body => '', headers => { Location => $elsewhere[$i] } });
            fails($runs[$i]);
        }
        wait_ok { @runs == grep { $_->accepted } @runs } "$method: all are rerun in the end";
        for my $i (0 .. $#runs) {
            my ($line) = $service->log->find($method eq 'GET' ? 'decision' : 'rerun', run => $runs[$i]->id);
            is $line->{reason}, 'moved', "'$elsewhere[$i]' is not followed";
        }
    }
    is scalar $other->requests, 0, 'nobody went to the other host';
};

subtest 'a repository that was renamed' => sub {
    my $strict = service(github => $github, REPO_BRANCHES => 'main')->start;
    my $run = run_of($strict, repo => 'octo/new');
    my $id = $run->id;
    $github->script(GET => "^/repos/octo/old/actions/runs/$id\$", { status => 301, body => { message => 'Moved Permanently' },
        headers => { Location => $github->url . "/repos/octo/new/actions/runs/$id" } }, 1000);
    # Its webhooks go on naming it as before.
    for my $attempt (1 .. 2) {
        my ($job) = @{ $run->truth->{jobs} };
        my $event = sub {
            my $data = job_event($run->facts, id => $job->{id}, @_);
            $data->{repository}{full_name} = 'octo/old';
            return $data;
        };
        $strict->http->send(delivery($event->(action => 'queued')));
        my $hold = $github->hold;
        $run->completed(build => 'failure', event => 0);
        $run->finish('failure');
        my $answer = $strict->http->send(delivery($event->(action => 'completed', conclusion => 'failure')));
        undef $hold;
        status_is $answer, 201, "attempt $attempt fails" or last;
        wait_ok { $run->accepted == $attempt } 'and is rerun';
    }
    $strict->stop_service;
};

subtest 'a run that is stuck does not hold up the others' => sub {
    my $stuck = service(github => $github)->start;
    my %bad = map { $_ => run_of($stuck) } qw(get post running);
    $github->script(GET  => $bad{get}->id . '$', html(502), 1000);
    $github->script(POST => $bad{post}->id . '/rerun', html(502), 1000);
    $bad{running}->queued('build');
    status_is $bad{running}->completed(build => 'failure'), 201, 'one goes on and on';
    fails($bad{$_}) for qw(get post);
    wait_ok { 3 == grep { $_->gets >= 2 } values %bad } 'all three are asked about again and again';
    for (1 .. 10) {
        my $run = run_of($stuck);
        fails($run);
        wait_ok { $run->accepted } 'another run is rerun meanwhile';
    }
    wait_ok { $bad{get}->gets >= 6 } 'six times by now';
    my @times = map { $_->{time} } $bad{get}->gets;
    my @least = (0.05, 0.1, 0.2, 0.3, 0.3);    # less a quarter at the end: jitter
    for my $i (0 .. $#least) {
        cmp_ok $times[$i + 1] - $times[$i], '>=', $least[$i] - 0.005, 'wait ' . ($i + 1) . ' is not shorter than it has to be';
    }
    $github->forget_scripts;
    wait_ok { $bad{get}->accepted && $bad{post}->accepted } 'rerun when the day is better';
    # One that is late by chance says nothing.
    my $first = min map {
        my $run = run_of($stuck);
        $github->script(GET => $run->id . '$', html(502));
        fails($run);
        wait_ok { $run->accepted } 'one that fails once';
        my @at = map { $_->{time} } $run->gets;
        $at[1] - $at[0];
    } 1 .. 4;
    cmp_ok $first, '<', 0.25 * slowness(), 'the first wait is shorter than the later ones';
    $bad{running}->finish('failure');
    wait_ok { $bad{running}->accepted } 'and when the run is over';
    $stuck->stop_service;
};

subtest 'the end of the token comes near' => sub {
    my $utc = sub { POSIX::strftime('%Y-%m-%d %H:%M:%S', gmtime(time + $_[0] * 86400)) };
    my %case = (
        '20 days'                => [$utc->(20) . ' UTC', 0],
        '10 days'                => [$utc->(10) . ' UTC', 1],
        '13 days, in a zone'     => [$utc->(13) . ' -0700', 1],
        'no time'                => ['soon', 0],
    );
    for my $name (sort keys %case) {
        my ($header, $warned) = @{ $case{$name} };
        my $own = github();
        $own->set_headers('GitHub-Authentication-Token-Expiration' => $header);
        my $near = service(github => $own)->start;
        all_decided($near) for 1 .. 2;
        is $near->log->count('token-expires', level => 'warn'), $warned, "$name: " . ($warned ? 'one warning' : 'no warning');
        $near->restart;
        all_decided($near);
        is $near->log->count('token-expires'), 2 * $warned, 'after a restart again' if $warned;
        $near->stop_service;
    }
};

# Services of which each has a GitHub and a bad day of its own.
sub stopped_by {
    my ($method, $act, %o) = @_;
    my $own = github();
    my $limited = service(github => $own, %o)->start;
    my $run = run_of($limited);
    my $now = time;    # the same for all of them
    $_ = $_->($now) for grep { ref } values %{ $act->{headers} // {} };
    $own->script($method => $run->id . ($method eq 'GET' ? '$' : '/rerun'), $act);
    fails($run);
    my $line = $limited->log->wait_entry('calls-stopped');
    ok $line, 'all calls stop';
    return { github => $own, service => $limited, run => $run, text => $line && $line->{text} // '' };
}

# A header's value that is a time so many seconds from when it is sent.
sub in_s { my ($seconds) = @_; return sub { $_[0] + $seconds } }

# What a refusal says, and for how many seconds that stops all calls.
my @LIMITS = (
    ['403 with Retry-After', message(403, 'slow down', 'Retry-After' => 1100), 1100],
    ['429 with Retry-After', message(429, 'slow down', 'Retry-After' => 700), 700],
    ['Retry-After before all else', message(403, 'This workflow run cannot be retried', 'Retry-After' => 600,
        'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => in_s(900)), 600],
    ['Retry-After of a week', message(429, 'slow down', 'Retry-After' => 604_800), 3660],
    ['Retry-After: 0', message(403, 'slow down', 'Retry-After' => 0), 60],
    ['Retry-After: less than nothing', message(403, 'slow down', 'Retry-After' => -5), 60],
    ['Retry-After: words', message(403, 'slow down', 'Retry-After' => 'soon'), 60],
    ['Retry-After: beyond all numbers', message(403, 'slow down', 'Retry-After' => '9' x 30), 60],
    ['Retry-After, a time that is over', message(403, 'slow down', 'Retry-After' => 'Wed, 21 Oct 2015 07:28:00 GMT'), 60],
    ['Retry-After, a time by the clock of the answer', message(403, 'slow down', 'Date' => 'Wed, 21 Oct 2015 07:28:00 GMT',
        'Retry-After' => 'Wed, 21 Oct 2015 07:36:00 GMT'), 480],
    ['a used-up limit', message(403, 'API rate limit exceeded for user ID 1.', 'X-RateLimit-Remaining' => 0,
        'X-RateLimit-Reset' => in_s(900)), '8\d\d|90[012]'],
    ['a used-up limit, as 429', message(429, 'no', 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => in_s(900)),
        '8\d\d|90[012]'],
    ['a used-up limit, reset long ago', message(403, 'no', 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => 5), 60],
    ['a secondary limit beside a reset that is over', message(403, 'You have exceeded a secondary rate limit.',
        'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => in_s(-1)), 60],
    (map {
        my ($name, $ahead) = @$_;
        ["a used-up limit, GitHub's clock $name", message(403, 'no', 'X-RateLimit-Remaining' => 0,
            'X-RateLimit-Reset' => in_s($ahead + 900),
            'Date' => sub { POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_[0] + $ahead) }), 902];
    } ['an hour ahead', 3600], ['an hour behind', -3600]),
    ['a used-up limit, reset next year', message(403, 'no', 'X-RateLimit-Remaining' => 0,
        'X-RateLimit-Reset' => in_s(31_536_000)), 3660],
    ['a used-up limit without a time', message(403, 'no', 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => ''), 60],
    ['429 and no more', message(429, 'Too Many Requests'), 60],
    ['429 as HTML', html(429), 60],
    ['the words of a limit, and nothing else', message(403, 'API rate limit exceeded for installation ID 71234567.',
        map { ("X-RateLimit-$_" => '') } qw(Limit Remaining Used Reset Resource)), 60],
    ['the words of old', message(403, 'You have triggered an abuse detection mechanism.'), 60],
    ['the words of a secondary limit', message(403, 'You have exceeded a secondary rate limit.'), 60],
    (map { ["the address $_", { status => 403, body => { message => 'no', documentation_url => "https://docs.github.com/$_" } }, 60] }
        'rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits', 'rest#abuse-rate-limits'),
);

subtest 'rate limits: how long all calls stop' => sub {
    for my $i (0 .. $#LIMITS) {
        my ($name, $act, $seconds) = @{ $LIMITS[$i] };
        my $stop = stopped_by($i % 2 ? 'POST' : 'GET', $act);
        like $stop->{text}, qr/no call for (?:$seconds) s\b/, "$name: $seconds s";
        ok is_degraded($stop->{service}, qr/rate-limited/), "$name: /healthz says so";
        $stop->{service}->stop_service;
    }
};

# As if so much time had passed: the end of the stop, in the record of the
# store (lib/github/throttle.c), is long ago. The service must not be running.
sub let_time_pass {
    my ($of) = @_;
    my $file = $of->state_dir . '/data.mdb';
    open my $fh, '+<:raw', $file or die "$file: $!";
    my $data = do { local $/; <$fh> };
    my $n = $data =~ s/(throttle\x01.{8}).{8}/$1 . pack 'Q>', 1/gse or die 'no record of a stop';
    seek $fh, 0, 0;
    print {$fh} $data;
    close $fh or die "$file: $!";
    return $n;
}

subtest 'a secondary limit that goes on' => sub {
    my $stop = stopped_by(GET => message(403, 'You have exceeded a secondary rate limit.'));
    my ($limited, $run) = @$stop{qw(service run)};
    my $again = sub {
        my ($seconds, @refuse) = @_;
        $limited->stop_service;
        let_time_pass($limited);
        $stop->{github}->script(GET => $run->id . '$', $_) for @refuse;
        my $mark = $limited->log->mark;
        $limited->start_service;
        my $line = $limited->log->wait_entry('calls-stopped', since => $mark);
        like $line && $line->{text}, qr/no call for $seconds s\b/, "then $seconds s";
    };
    like $stop->{text}, qr/no call for 60 s\b/, 'at first 60 s';
    $again->($_, message(429, 'Too Many Requests')) for 120, 240;
    $limited->stop_service;
    is scalar $run->gets, 3, 'asked once each time';
    let_time_pass($limited);
    $limited->start_service;
    wait_ok { $run->accepted } 'then it is over';
    my $next = run_of($limited);
    $stop->{github}->script(GET => $next->id . '$', message(429, 'Too Many Requests'));
    my $mark = $limited->log->mark;
    fails($next);
    like $limited->log->wait_entry('calls-stopped', since => $mark)->{text}, qr/no call for 60 s\b/, 'the next one begins anew';
    $limited->stop_service;
};

subtest 'a stop outlives a restart, but not the token' => sub {
    my $new = 'github_pat_' . 'n' x 80;
    my %act = (
        'rate-limited'   => message(429, 'Too Many Requests', 'Retry-After' => 3000),
        'token-rejected' => message(401, 'Bad credentials'),
    );
    for my $what (sort keys %act) {
        my $stop = stopped_by(GET => $act{$what}, API_BACKOFF_MAX => '1h');
        my ($limited, $run, $own) = @$stop{qw(service run github)};
        my $asked = $own->requests;
        $limited->restart;
        fails(run_of($limited));
        wait_ok { is_degraded($limited, qr/$what/) } "$what: known after a restart";
        nap() for 1 .. 20;    # it would be due by now
        is scalar $own->requests, $asked, 'nothing is called';
        $own->set_tokens($new);
        $limited->restart(GITHUB_TOKEN => $new);
        wait_ok { $run->accepted } 'a new token starts clean';
        ok !is_degraded($limited, qr/./), 'and /healthz is well again';
        is scalar(grep { $_->{headers}{authorization} ne "Bearer $new" } $own->requests), $asked, 'the old one was not used any more';
        $limited->stop_service;
    }
};

subtest 'when a rate limit is over' => sub {
    my @stops = (
        stopped_by(GET => message(429, 'slow down', 'Retry-After' => 1)),
        stopped_by(POST => message(403, 'slow down', 'Retry-After' => 1)),
        stopped_by(GET => message(403, 'API rate limit exceeded', 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => '+4')),
    );
    my @least = (1, 1, 4);
    for my $i (0 .. $#stops) {
        my ($own, $run) = @{ $stops[$i] }{qw(github run)};
        wait_ok { $run->accepted } 'the run is rerun';
        my @all = $own->requests;
        my ($refused) = grep { $all[$_]{status} =~ /^4/ } 0 .. $#all;
        cmp_ok $all[$refused + 1]{time} - $all[$refused]{time}, '>=', $least[$i] - 0.05, 'no call before';
        $stops[$i]{service}->stop_service;
    }
};

subtest 'a rejected token is probed, at no cost' => sub {
    for my $method (qw(GET POST)) {
        my $own = github();
        my $rejected = service(github => $own)->start;
        my $run = run_of($rejected);
        if ($method eq 'GET') { $own->set_tokens('another') }
        else                  { $own->script(POST => $run->id . '/rerun', message(401, 'Bad credentials')) }
        fails($run);
        wait_ok { is_degraded($rejected, qr/token-rejected/) } "$method: /healthz says so" if $method eq 'GET';
        ok $rejected->log->wait_entry('calls-stopped', level => 'error'), 'and so does the log';
        wait_ok { $own->requests(GET => '^/rate_limit$') >= ($method eq 'GET' ? 3 : 1) } 'the rate limit is asked for';
        my @all = $own->requests;
        my ($refused) = grep { $all[$_]{status} == 401 } 0 .. $#all;
        if ($method eq 'GET') {
            is_deeply [grep { $_ ne '/rate_limit' } map { $_->{path} } @all[$refused + 1 .. $#all]], [], 'and nothing else';
            my @probes = $own->requests(GET => '^/rate_limit$');
            cmp_ok $probes[1]{time} - $probes[0]{time}, '>=', 0.39, 'every API_BACKOFF_MAX';
            $own->set_tokens(JR::Service::token());
        }
        wait_ok { $run->accepted } 'rerun when it is good again';
        is scalar $run->accepted, 1, 'once';
        wait_ok { !is_degraded($rejected, qr/./) } '/healthz is well';
        $rejected->stop_service;
    }
};

subtest 'a new token in its file' => sub {
    my $file = tmpdir() . '/token';
    my $write = sub {
        open my $fh, '>', "$file.new" or die "$file: $!";
        print {$fh} "$_[0]\n";
        close $fh;
        rename "$file.new", $file or die "$file: $!";
    };
    $write->('ghp_the-first-token-0001');
    my $own = github();
    $own->set_tokens('ghp_the-second-token-0002');
    my $reading = service(github => $own, GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => $file, API_BACKOFF_MAX => '1h')->start;
    my $run = run_of($reading);
    fails($run);
    wait_ok { is_degraded($reading, qr/token-rejected/) } 'the first is rejected';
    $write->('ghp_the-second-token-0002');
    wait_ok { $run->accepted } 'the second is taken up by itself';
    ok $reading->log->wait_entry('token-renewed'), 'the log says so';
    ok !is_degraded($reading, qr/./), '/healthz is well';
    is scalar(grep { $_->{status} == 401 } $own->requests), 1, 'the first was not tried again';
    unlike $reading->log->text, qr/ghp_the/, 'neither is in the log';
    $reading->stop_service;
};

finish();
