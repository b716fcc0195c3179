#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Bad days of GitHub: whatever it answers, at most one POST takes effect for
# an attempt, no second POST goes out before GitHub was asked, and what can be
# done later is done later.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use Time::Local qw(timegm);
use JR::Http;
use JR::Test;

my $github = github();
my $service = service(github => $github)->start;

my %HTML = (body => '<html><body>Unicorn!</body></html>', headers => { 'Content-Type' => 'text/html' });

sub run_of {
    my ($of, %o) = @_;
    return workflow_run(github => $of->{github}, door => $of->http, jobs => ['build'], %o);
}

# A run whose next requests of this method meet `act`, played to its failure.
sub bad_day {
    my ($method, $act, $times) = @_;
    my $run = run_of($service);
    $github->script($method => $run->id . ($method eq 'GET' ? '$' : '/rerun'), $act, $times);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return $run;
}

sub all_decided {
    my $later = run_of($service);
    $later->play(build => 'failure');
    return wait_ok { $later->accepted } 'a later run is rerun';
}

# Between two POSTs for a run there is a GET that was answered.
sub asked_between {
    my ($run) = @_;
    my $id = $run->id;
    my $between = 0;
    my $ok = 1;
    for my $request ($github->requests(undef, "/runs/$id(?:/|\$)")) {
        if ($request->{method} eq 'GET') { $between = 1 if ($request->{status} // 0) == 200 }
        else                             { $ok &&= $between; $between = 0 }
    }
    return ok $ok, 'GitHub was asked before each POST';
}

my %get_acts = (
    'a 500'          => { status => 500, %HTML },
    'a 502'          => { status => 502, %HTML },
    'a 503'          => { status => 503, %HTML },
    'a cut'          => { cut => 1 },
    'an empty body'  => { status => 200, body => '' },
    'no JSON'        => { status => 200, %HTML },
    'another shape'  => { status => 200, body => [1, 2, 3] },
    'an empty object' => { status => 200, body => {} },
    'a huge body'    => { huge => 10_000_000 },
);
for my $name (sort keys %get_acts) {
    subtest "GET: $name" => sub {
        my $run = bad_day(GET => $get_acts{$name}, 2);
        wait_ok { $run->accepted } 'rerun when the day is better';
        is scalar $run->posts, 1, 'one POST';
        cmp_ok scalar $run->gets, '>=', 3, 'asked again';
    };
}

subtest 'GET: an answer from before the rerun' => sub {
    my $run = run_of($service);
    my $id = $run->id;
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'the first attempt is rerun' or return;
    my $old = JR::Http->new(port => $github->{port})->send({
        method => 'GET', path => "/repos/octo/app/actions/runs/$id/attempts/1",
        headers => [['User-Agent', 'test'], ['Authorization', 'Bearer ' . JR::Service::token()]],
    })->json;
    $github->script(GET => "$id\$", { status => 200, body => $old }, 2);
    my $before = $run->gets;
    status_is $run->play(build => 'failure'), 201, 'the second fails';
    wait_ok { $run->accepted == 2 } 'rerun when GitHub knows of it';
    cmp_ok $run->gets - $before, '>=', 3, 'not before';
    is scalar $run->posts, 2, 'one POST for each attempt';
};

my %post_acts = (
    'a 500, nothing happened'   => { status => 500, %HTML },
    'a 502, nothing happened'   => { status => 502, %HTML },
    'a 500, but it happened'    => { status => 500, %HTML, effect => 1 },
    'a 502, but it happened'    => { status => 502, %HTML, effect => 1 },
    'a cut, nothing happened'   => { cut => 1 },
    'a cut, but it happened'    => { cut => 1, effect => 1 },
);
for my $name (sort keys %post_acts) {
    subtest "POST: $name" => sub {
        my $act = $post_acts{$name};
        my $run = bad_day(POST => $act);
        wait_ok { $run->accepted } 'rerun';
        # Asked at least once after the POST of unknown outcome.
        wait_ok { $run->gets >= 2 } 'asked again';
        all_decided();
        asked_between($run);
        is scalar $run->accepted, 1, 'one POST took effect';
        is scalar $run->posts, $act->{effect} ? 1 : 2, 'of as many as needed';
        is $run->truth->{attempt}, 2, 'one new attempt';
    };
}

subtest 'POST: answered by an empty 201' => sub {
    my $run = bad_day(POST => { status => 201, body => '', effect => 1 });
    wait_ok { $run->accepted } 'rerun';
    all_decided();
    is scalar $run->posts, 1, 'once';
};

subtest 'POST: accepted, but a GET still shows the old attempt' => sub {
    # The POST is not carried out by the fake, only answered.
    my $run = bad_day(POST => { status => 201, body => {} });
    wait_ok { $run->posts } 'posted';
    ok $service->log->wait_entry('rerun', run => $run->id), 'accepted';
    my $again = run_event($run->facts, action => 'completed', conclusion => 'failure');
    status_is $service->http->send(delivery($again)), '20[0-4]', 'the old attempt once more';
    all_decided();
    is scalar $run->posts, 1, 'an accepted POST is never repeated';
};

subtest 'POST: already running' => sub {
    my $run = bad_day(POST => { status => 403, body => { message => 'This workflow is already running' } });
    wait_ok { $run->accepted } 'rerun later';
    is scalar $run->posts, 2, 'one refused, one accepted';
    asked_between($run);
};

subtest 'POST: no permission' => sub {
    my $run = bad_day(POST => {
        status  => 403,
        body    => { message => 'Resource not accessible by personal access token' },
        headers => { 'X-Accepted-GitHub-Permissions' => 'actions=write' },
    });
    wait_ok { $service->log->find('rerun', run => $run->id) || $service->log->find('decision', run => $run->id, verdict => 'closed') }
        'the refusal is logged';
    all_decided();
    is scalar $run->posts, 1, 'not tried again';
};

subtest 'a run that GitHub does not know' => sub {
    my $run = bad_day(GET => { status => 404, body => { message => 'Not Found' } }, 1000);
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'closed'), 'closed';
    all_decided();
    is scalar $run->posts, 0, 'nothing is posted';
    $github->forget_scripts;
};

subtest 'a redirect to another host never gets the token' => sub {
    my $other = github();
    my $run = bad_day(GET => { status => 302, body => '', headers => { Location => $other->url . '/steal' } });
    all_decided();
    is scalar $other->requests, 0, 'nobody went there';
    my $second = bad_day(POST => { status => 307, body => '', headers => { Location => $other->url . '/steal' } });
    wait_ok { $second->posts } 'posted';
    all_decided();
    is scalar $other->requests, 0, 'nor with a POST';
};

# /healthz is well, but says that something is degraded.
sub is_degraded {
    my ($by, $what) = @_;
    my $health = $by->http->send({ method => 'GET', path => '/healthz' });
    return $health->status == 200 && join(' ', @{ $health->field('degraded') // [] }) =~ $what;
}

subtest 'a bad token' => sub {
    $github->set_tokens('another');
    my $run = run_of($service);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { is_degraded($service, qr/token/) } '/healthz says so';
    is scalar $run->posts, 0, 'nothing is posted';
    $github->set_tokens(JR::Service::token());
    wait_ok { $run->accepted } 'rerun when the token is good again';
    is scalar $run->posts, 1, 'once';
};

# When the dispatcher has decided to rerun the run, by its history.
sub decided_ms {
    my ($by, $run) = @_;
    my $why = JSON::PP->new->utf8->decode(tool(['why', $run->id, '--json'], %{ $by->environment })->{out});
    # A POST that came too late is decided anew.
    my ($decided) = reverse grep { $_->{kind} eq 'decision' && $_->{reason} eq 'run-failed' } @{ $why->{history} };
    my ($year, $month, $day, $hour, $minute, $second, $ms) = $decided->{at} =~ /\d+/g;
    return 1000 * timegm($second, $minute, $hour, $day, $month - 1, $year) + $ms;
}

subtest 'two POSTs keep their distance' => sub {
    my $slow = service(github => $github, API_WRITE_INTERVAL => '600ms')->start;
    my @runs = map { run_of($slow) } 1 .. 3;
    $_->play(build => 'failure') for @runs;
    wait_ok { 3 == grep { $_->accepted } @runs } 'three reruns' or return;
    # By when they were decided on: until then, and no longer, they wait. What comes after that, the
    # disk and the way to GitHub, takes its time on a busy machine.
    my %decided_ms = map { $_->id => decided_ms($slow, $_) } @runs;
    my @order = sort { $decided_ms{ $a->id } <=> $decided_ms{ $b->id } } @runs;
    my @ms = @decided_ms{ map { $_->id } @order };
    cmp_ok $ms[$_] - $ms[$_ - 1], '>=', 600, "before POST $_" for 1, 2;
    cmp_ok 1000 * ($order[$_]->posts)[0]{time}, '>=', $ms[$_], 'which is not sent before that' for 0 .. 2;
};

subtest 'an unknown outcome is not asked about at once' => sub {
    my $patient = service(github => $github, API_BACKOFF_MIN => '500ms', API_BACKOFF_MAX => '2s')->start;
    my $run = run_of($patient);
    $github->script(POST => $run->id, { cut => 1 });
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'rerun';
    my ($first) = $run->posts;
    my ($next) = grep { $_->{time} > $first->{time} } $run->gets;
    cmp_ok $next->{time} - $first->{time}, '>=', 0.48, 'API_BACKOFF_MIN passed before the next GET';
};

subtest 'a rate limit with Retry-After' => sub {
    my $limited = service(github => $github)->start;
    my ($run, $other) = map { run_of($limited) } 1 .. 2;
    $github->script(GET => $run->id . '$', {
        status => 429, body => { message => 'slow down' }, headers => { 'Retry-After' => 2 },
    });
    $run->play(build => 'failure');
    wait_ok { $run->gets } 'refused';
    $other->play(build => 'failure');
    wait_ok { $run->accepted && $other->accepted } 'both are rerun';
    my ($refused) = $run->gets;
    my ($next) = grep { $_->{time} > $refused->{time} } $run->gets, $other->gets;
    cmp_ok $next->{time} - $refused->{time}, '>=', 1.9, 'no call before it is over';
};

subtest 'a used-up rate limit outlasts a restart' => sub {
    my $limited = service(github => $github)->start;
    my $run = run_of($limited);
    my $reset = int(time + 5 + 3 * slowness());
    $github->set_limit(remaining => 0, reset => $reset);
    $run->play(build => 'failure');
    wait_ok { is_degraded($limited, qr/rate/) } '/healthz says so';
    $limited->restart;
    wait_ok { $run->accepted } 'rerun when it is over';
    my (undef, $next) = $run->gets;
    cmp_ok $next->{time}, '>=', $reset, 'and not asked before';
};

subtest 'a new token is tried at once' => sub {
    my $new = 'github_pat_' . 'n' x 500;
    my $changed = service(github => $github, API_BACKOFF_MAX => '1h')->start;
    my $run = run_of($changed);
    $github->set_tokens($new);
    $run->play(build => 'failure');
    wait_ok { $run->gets } 'the old one is refused';
    $changed->restart(GITHUB_TOKEN => $new);
    wait_ok { $run->accepted } 'rerun';
    $github->set_tokens(JR::Service::token());
};

subtest 'a base address with a path' => sub {
    for my $path ('/api/v3', '/api/v3/') {
        my $enterprise = service(github => $github, GITHUB_API_URL => $github->url . $path)->start;
        my $run = run_of($enterprise);
        $run->play(build => 'failure');
        wait_ok { $run->accepted } "rerun below $path" or next;
        my $id = $run->id;
        is +($run->posts)[0]{path}, "/api/v3/repos/octo/app/actions/runs/$id/rerun-failed-jobs", 'path';
    }
};

finish();
