#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The pages for people, as nginx serves them: what is on them, that nothing from
# outside is more than text, who may see them, and that they leave workers for
# the webhooks.

use strict;
use warnings;
use utf8;
use FindBin;
use IO::Select;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::FastCGI qw(fcgi_begin fcgi_params fcgi_end);
use JR::Html;
use JR::Http qw(cgi_params read_all);
use JR::Test;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output todo_output);

my $github = github();

sub get {
    my ($service, $path, %o) = @_;
    return $service->http->send({ method => 'GET', path => $path, headers => [], %o });
}

# A page that is right in itself; returns it as read.
sub page_ok {
    my ($answer, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    status_is $answer, $status, $name;
    my $page = JR::Html->new($answer->body);
    is join("\n", $page->faults), '', "$name: well-formed";
    is $answer->header('Content-Type'), 'text/html; charset=utf-8', "$name: HTML";
    my $policy = $answer->header('Content-Security-Policy') // '';
    is $policy, "default-src 'none'; style-src '" . $page->style_hash . "'; script-src '" . $page->script_hash
        . "'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        "$name: its policy allows its own style sheet and script, and nothing else";
    is $answer->header('Cache-Control'), 'no-store', "$name: is not kept";
    is $answer->header('X-Content-Type-Options'), 'nosniff', "$name: is not guessed at";
    is $answer->header('Referrer-Policy'), 'no-referrer', "$name: its address stays here";
    return $page;
}

my $service = service(github => $github, pages => 'status', WORKERS => 4, RUN_ATTEMPTS => 2)->start;
my $links = $service->environment->{GITHUB_API_URL};

subtest 'an empty store' => sub {
    my $page = page_ok get($service, '/status'), 200, '/status';
    like $page->text, qr/All is well/, 'health';
    like $page->text, qr/Nothing is waiting/, 'nothing waits';
    like $page->text, qr/No run of the last 7 days/, 'nobody is needed';
    is $page->tags('svg title'), 0, 'no chart of nothing';

    # What a file has for its readers alone is told apart here in another way than by the build.
    my $file = sub {
        my ($name, $comment) = @_;
        open my $fh, '<', srcdir() . "/fcgi/web/$name" or die "$name: $!";
        my $text = do { local $/; <$fh> };
        $text =~ s/$comment//g;
        $text =~ s/\s+//g;
        return $name =~ /css$/ ? $text =~ s/;}/}/gr : $text;
    };
    my $body = get($service, '/status')->body =~ s/\s+//gr;
    my ($head, $style, $script) = $body =~ m{^(.*?)<title>.*<style>(.*)</style>.*<script>(.*)</script>} or return fail('a style sheet');
    is $script, $file->('page.js', qr{/\*.*?\*/}s), 'the script is page.js';
    is $style, $file->('page.css', qr{/\*.*?\*/}s), 'the style sheet is page.css';
    is $head, $file->('page_head.html', qr{<!--.*?-->}s), 'it begins with page_head.html';
    ok index($body, $file->('page_mark.svg', qr{<!--.*?-->}s)) > 0, 'it has page_mark.svg';
};

subtest 'a run that is rescued, and one that waits' => sub {
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build', 'test'], name => 'Nightly');
    $run->play(build => 'success', test => 'failure');
    wait_ok { $run->accepted } 'it is rerun';
    ok $service->log->wait_entry('rerun', run => $run->id), 'and that is recorded';
    $run->play(test => 'success');
    $run->finish('success', event => 1);
    my $fails = workflow_run(github => $github, door => $service->http, jobs => ['broken']);
    $fails->play(broken => 'failure');
    wait_ok { $fails->accepted } 'another one is rerun';
    ok $service->log->wait_entry('rerun', run => $fails->id), 'and that is recorded';
    $fails->play(broken => 'failure');
    my $waits = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $waits->queued('build');

    my $id   = $run->id;
    my $page = page_ok get($service, '/runs'), 200, '/runs';
    like $page->text, qr{octo/app Nightly · main · GitHub #$id rescued The run succeeded after a rerun\. – 2 }, 'the verdict in words';
    ok scalar(grep { $_ eq "$links/octo/app/actions/runs/$id" } $page->links), 'a link to GitHub';
    ok scalar(grep { $_ eq "/runs/$id" } $page->links), 'a link to its story';
    $page = page_ok get($service, '/status'), 200, '/status';
    like $page->text, qr/Reruns 2 in 30 days, 2 today/, 'reruns are counted';
    like $page->text, qr/Runs rescued 1 50 % of the 2 whose end is known, 1 today/, 'and a rescue';
    like $page->text, qr/Needs a person In 7 days: 1 run failed for good\. 1 given up\. .*given up The run has had RUN_ATTEMPTS attempts\. – 2 /,
        'and the run that is given up';
    is $page->tags('svg desc'), 1, 'a chart that says what it shows';
    $page = page_ok get($service, '/jobs'), 200, '/jobs';
    like $page->text, qr/test octo\/app · Nightly 2 1 1 0 100 % 21 to 100 %/, 'the job is flaky';
    unlike $page->text, qr/broken/, 'one that only fails is not';

    $page = page_ok get($service, "/runs/$id"), 200, '/runs/ID';
    like $page->title, qr/^Run $id of octo\/app/, 'its title';
    like $page->text, qr/rescued The run succeeded after a rerun/, 'the verdict';
    my @story = (
        qr/Attempt 1 Jobs of attempt 1 Job State Runner Took .*test failure /, qr/Decision\s*Every known job is done and some failed\./,
        qr/GitHub\s*GET run, \d+ ms/, qr/HTTP 200: /,
        qr/POST rerun-failed-jobs/, qr/HTTP 201: GitHub accepted the rerun \(rerun-accepted\)/,
        qr/\d webhooks\b/, qr/workflow_job completed failure 'test' by octocat/,
        qr/answered 201: every known job is done and some failed \(jobs-failed\)/,
        qr/Attempt 2/, qr/test success/, qr/workflow_run completed success/,
    );
    my $order = join '.*', @story;
    like $page->text, qr/$order/, 'each attempt: its jobs, what was decided and asked, its webhooks';
    is $page->tags('details'), 2, 'webhooks are folded away';

    $page = page_ok get($service, '/runs/' . $waits->id), 200, 'one that goes on';
    like $page->text, qr/going on Other jobs of this attempt are not done\./, 'is said to';
};

# Whom the service has not rescued, and how far somebody else has gone.
subtest 'a run that somebody else reruns until it succeeds' => sub {
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'it is rerun once';
    ok $service->log->wait_entry('rerun', run => $run->id), 'and that is recorded';
    $run->play(build => 'failure');
    my $page = page_ok get($service, '/runs/' . $run->id), 200, 'in vain';
    like $page->text, qr/given up The run has had RUN_ATTEMPTS attempts\. Look at what fails\. .* job-rerunner rerun @{[ $run->id ]} /,
        'what can be done';
    $github->set_run($run->id, attempt => 3, triggering_actor => 'hubot');
    $run->play(build => 'success');
    $run->finish('success', event => 1);
    $page = page_ok get($service, '/runs/' . $run->id), 200, 'then somebody reruns it';
    like $page->text, qr/GitHub succeeded The run succeeded after a rerun that was not asked for here\. Workflow/, 'that is no rescue of ours';
    like $page->text, qr/Attempt 3 \(RUN_ATTEMPTS is 2\)/, 'and beyond RUN_ATTEMPTS';
    like get($service, '/status')->body, qr/Runs recorded<\/dt><dd>4</, 'four runs, whatever else is recorded of them';
};

subtest 'what waits while it is paused' => sub {
    my $paused = service(github => $github, pages => 'status', RERUN_DELAY => '1h')->start;
    my $run = workflow_run(github => $github, door => $paused->http, jobs => ['build']);
    $run->play(build => 'failure');
    # Within the first moment it is the whole hour.
    like page_ok(get($paused, '/status'), 200, 'before')->text, qr/ (?:now|\d+ s ago) in (?:59 min|1 h) /, 'a time is told';
    is tool(['pause'], %{ $paused->environment })->{status}, 0, 'it is paused';
    my $page = page_ok get($paused, '/status'), 200, '/status';
    like $page->text, qr/Waiting paused everything, .*Nothing is asked until `job-rerunner resume'\. .* (?:now|\d+ s ago) paused /, 'then none';
    $page = page_ok get($paused, '/runs/' . $run->id), 200, '/runs/ID';
    like $page->text, qr/some failed\. It waits for the end of a pause\. \(paused\) paused everything, /, 'nor there';
};

subtest 'HEAD' => sub {
    for my $path ('/status', '/runs/1') {
        my $whole = get($service, $path);
        my $head  = get($service, $path, method => 'HEAD');
        is $head->status, $whole->status, "$path: the same status";
        is $head->body, '', "$path: no body";
        # The page tells how long ago things were, so its length may change by a little.
        cmp_ok abs($head->header('Content-Length') - length $whole->body), '<', 50, "$path: its length";
        is $head->header('Content-Security-Policy'), $whole->header('Content-Security-Policy'), "$path: its policy";
    }
};

subtest 'no such run' => sub {
    for my $id (qw(1 0 01 -1 +1 abc 1a 18446744073709551615 18446744073709551616 99999999999999999999999), '', '1/', '1%20') {
        my $page = page_ok get($service, "/runs/$id"), 404, "/runs/$id";
        like $page->text, qr/Nothing is recorded of a run with this number/, "/runs/$id: says so";
    }
    for my $path (qw(/status/ /statusx /runsx /Status /status.csv /runs/1.csv /settings.csv /repos.xml /metrics //status /status/../status)) {
        my $answer = get($service, $path);
        status_is $answer, 404, $path;
        is $answer->body, "There is no such page.\n", "$path is none of the pages";
    }
};

# Everything that comes from outside, at its worst.
my $EVIL = qq(<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;\x{202e}gnp\x{2066}\x{200b}\x{7}\x{1b}[31m\x{85}\x{e9}\x{5d0});

subtest 'hostile values' => sub {
    my $id = next_id();
    my %evil = map { $_ => "$EVIL $_" } qw(branch workflow name);
    
    my $send = sub {
        my ($action, $conclusion) = @_;
        my $event = job_event(run_id => $id, id => 77, action => $action, conclusion => $conclusion, %evil, sender => "<b>$EVIL");
        $event->{workflow_job}{runner_name} = "<i>$EVIL runner";
        $event->{workflow_job}{labels} = ["<u>$EVIL", 'x,y'];
        return $service->http->send(delivery($event, id => qq(<q>"'&)));
    };
    status_is $send->('queued'), 202, 'a job';
    $github->put_run(
        id => $id, repo => 'octo/app', head_branch => $evil{branch}, name => $evil{workflow}, event => "<b>'\x{202e}\"",
        actor => "a$EVIL", triggering_actor => "b$EVIL", head_repo => 'octo/app',
        jobs => [{ name => $evil{name} }], status => 'completed', conclusion => 'failure',
    );
    $github->script(POST => "$id/rerun", { status => 403, body => { message => "refused: $EVIL" } });
    my $run = run_event(run_id => $id, action => 'completed', conclusion => 'failure', branch => $evil{branch},
        workflow => $evil{workflow}, actor => "a$EVIL", triggering_actor => "b$EVIL", event => "<b>'\x{202e}\"", sender => "<b>$EVIL");
    status_is $service->http->send(delivery($run)), 201, 'its run failed';
    ok $service->log->wait_entry('rerun', run => $id), 'GitHub refuses with such a text';

    # A job with such names that is flaky, on a runner with such a name.

    for my $attempt (1, 2) {
        my $again = job_event(run_id => $id + 1, id => 770 + $attempt, attempt => $attempt, action => 'completed',
            conclusion => $attempt == 1 ? 'failure' : 'success', %evil);
        $again->{workflow_job}{runner_name} = $attempt == 1 ? "<i>$EVIL" : 'good';
        $again->{workflow_job}{labels} = ["<u>$EVIL"];
        $service->http->send(delivery($again));
        $service->http->send(delivery(run_event(run_id => $id + 1, attempt => $attempt, action => 'completed',
            conclusion => $attempt == 1 ? 'failure' : 'success', branch => $evil{branch}, workflow => $evil{workflow})));
    }
    for my $path ('/runs', '/jobs', '/runners', '/repos', '/repos/octo/app', "/runs/$id", '/runs/' . ($id + 1)) {
        my $answer = get($service, $path);
        my $page = page_ok $answer, 200, $path;
        unlike $answer->body, qr/<(?:script>alert|(?:img|b|i|u|q)\b)/, "$path: no tag of theirs";
        my $bad = "\x{fffd}";
        my $shown = quotemeta qq(<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;${bad}gnp$bad$bad$bad$bad\[31m$bad\x{e9}\x{5d0});
        my $is = sub { my ($what) = @_; return $path =~ m{^/(?:$what)} };
        like $page->text, qr/$shown workflow/, "$path: the workflow is there as text" if $is->('runs|jobs|repos/');
        like $page->text, qr/$shown branch/, "$path: so is the branch" if $is->('runs|repos/');
        like $page->text, qr/$shown name/, "$path: and the job" if $is->('runs/|jobs|repos/');
        like $page->text, qr/<i>$shown/, "$path: and the runner" if $is->('runners|runs/');
        next if $path ne "/runs/$id";
        like $page->text, qr/refused: $shown/, 'and what GitHub said';
        like $page->text, qr/Trigger <b>'$bad"/, 'and what triggered it';
        like $page->text, qr/Started by a<script>/, 'and who';
        like $page->text, qr/<i>$shown runner/, 'and the runner';
    }
};

# 600 entries with long names: more than is shown, and more than a socket takes.
my $big = next_id();

subtest 'a run with a long story' => sub {
    my $name = '"' x 250;
    for my $n (1 .. 300) {
        my %job = (run_id => $big, id => 5_000_000 + $n, name => $name, branch => 'main');
        $service->http->send(delivery(job_event(%job, action => $_, conclusion => $_ eq 'completed' ? 'success' : undef)))
            for qw(queued completed);
    }
    my $answer = get($service, "/runs/$big");
    my $page = page_ok $answer, 200, '600 entries';
    like $page->text, qr/The newest 100 of 300 jobs\. The newest 500 of 600 webhooks\. job-rerunner why --events $big shows all/,
        'it says what is left out';
    is $page->tags('li'), 500, 'as many are shown';
    cmp_ok length $answer->body, '>', 500_000, 'a large page';
    cmp_ok length $answer->body, '<', 8_000_000, 'but bounded';
};

# A request for a page that nobody reads the answer of: its worker has to wait.
sub unread_page {
    my ($path) = @_;
    return $service->fastcgi->write_only(
        fcgi_begin() . fcgi_params(cgi_params({ method => 'GET', path => $path }), [RERUNNER_PAGES => 'status']) . fcgi_end());
}

sub busy_workers {
    my $told = tool(['status', '--json'], STATE_DIR => $service->state_dir)->{out};
    return JSON::PP::decode_json($told)->{service}{workers_busy};
}

subtest 'two workers at once, not more' => sub {
    my $event = delivery(job_event(run_id => next_id(), action => 'queued'));
    my @meanwhile = (
        sub {
            my $answer = get($service, '/status');
            status_is $answer, 503, 'no third one';
            is $answer->header('Retry-After'), 1, 'it says when to come back';
        },
        sub { status_is get($service, '/runs/1'), 503, 'of any kind' },
        sub { is get($service, '/status', method => 'HEAD')->body, '', 'HEAD has no body then either' },
        sub { status_is get($service, '/'), 200, 'others are answered' },
        sub { status_is get($service, '/healthz'), 200, 'so is /healthz' },
        sub { status_is $service->http->send($event), 202, 'and webhooks' },
    );
    # Who takes nothing for 10 s is given up: not all is asked while the same two wait.
    while (my @now = splice @meanwhile, 0, 2) {
        wait_ok { busy_workers() == 0 } 'who made a page before is done with it';
        my @unread = map { unread_page("/runs/$big") } 1 .. 2;
        # Both have begun before another one is asked for, which might come before the second.
        wait_ok { 2 == (() = IO::Select->new(@unread)->can_read(0)) } 'two pages are on their way';
        $_->() for @now;
        page_ok $_, 200, 'a page that had to wait' for map { JR::FastCGI::decode(read_all($_)) } @unread;
    }
    wait_ok { get($service, '/status')->status == 200 } 'then there is room again';
    my %in_a_row;
    $in_a_row{ get($service, '/status')->status }++ for 1 .. 200;
    is_deeply \%in_a_row, { 200 => 200 }, 'one after the other is never too many';

    # The places of workers that are killed are given back.
    my @killed;
    wait_ok { push @killed, unread_page("/runs/$big"); get($service, '/status')->status == 503 } 'two again';
    my @workers = $service->workers;
    $service->expect_death(scalar @workers);
    kill 'KILL', @workers;
    wait_ok { my $answer = eval { get($service, '/status') }; $answer && $answer->status == 200 } 'their workers killed: there is room again';
    close $_ for @killed;
};

subtest 'only where the web server says so' => sub {
    my %header = map { $_ => [[$_, 'status metrics']] } qw(RERUNNER_PAGES Rerunner-Pages HTTP_RERUNNER_PAGES HTTP-RERUNNER-PAGES);
    # The environment of the service itself opens nothing either.
    for my $pages (undef, '', 'metrics', 'STATUS', 'statusmetrics') {
        my $closed = service(github => $github, pages => $pages, RERUNNER_PAGES => 'status metrics', RERUN_DELAY => '1h')->start;
        my $name = defined $pages ? "RERUNNER_PAGES \"$pages\"" : 'no RERUNNER_PAGES';
        for my $path ('/status', '/runs/1', '/runs/') {
            my $answer = get($closed, $path);
            status_is $answer, 404, "$name: $path";
            is $answer->body, "There is no such page.\n", "$name: as any other";
            next if defined $pages;
            status_is get($closed, $path, headers => $header{$_}), 404, "$path, header $_" for sort keys %header;
            status_is get($closed, "$path?RERUNNER_PAGES=status"), 404, "$path, in the query";
        }
        status_is get($closed, '/'), 200, "$name: the greeting";
        status_is get($closed, '/healthz'), 200, "$name: /healthz";
        my $event = delivery(job_event(run_id => next_id(), action => 'queued'), path => '/status');
        status_is $closed->http->send($event), 202, "$name: a POST is the webhook on any path";
        next if defined $pages;
        # As plain CGI the environment is what the web server says.
        page_ok $closed->cgi->send({ method => 'GET', path => '/status' }), 200, 'plain CGI';
        is join(' ', $closed->cgi->children), '', 'and no dispatcher is left behind';
    }
};

subtest 'when something is wrong' => sub {
    my $paused = service(github => $github, pages => 'status', DRY_RUN => 'yes', GITHUB_TOKEN => 'wrong')->start;
    my $run = workflow_run(github => $github, door => $paused->http, jobs => ['build']);
    $run->play(build => 'failure');
    wait_ok { JR::Html->new(get($paused, '/status')->body)->text =~ /GitHub rejects the token/ } 'a rejected token is told';
    my $page = page_ok get($paused, '/status'), 200, '/status';
    like $page->text, qr/It works, but something needs a look.*Put a new token in its place/, 'with what to do';
    like $page->text, qr/dry run\s*DRY_RUN is on/, 'a dry run is told';
    like $page->text, qr/Waiting Nothing is asked until there is a token that GitHub takes\..*octo\/app/, 'and what waits';
    like $page->text, qr/Attempt Since Asked .*octo\/app.* (?:now|\d+ s ago) token rejected /, 'and since when';
};

subtest 'no service' => sub {
    my $alone = service(github => $github, RERUNNER_PAGES => 'status');
    my $page = page_ok $alone->cgi->send({ method => 'GET', path => '/status' }), 200, 'plain CGI without a service';
    like $page->text, qr/It cannot do its work Nothing is rerun: no dispatcher is at work\..*\(dispatcher\)/, 'what is wrong';
    unlike $page->text, qr/Started/, 'and not since when it runs';
    $page = page_ok $alone->cgi->send({ method => 'GET', path => '/runs/1' }), 404, 'a run';
    status_is $alone->cgi->send({ method => 'GET', path => '/metrics' }), '404', 'another word opens another page';
};

# Where GitHub shows a run to people, by where its API is.
subtest 'links to GitHub' => sub {
    my %site = (
        'https://api.github.com'         => 'https://github.com',
        'https://ghe.example.org/api/v3' => 'https://ghe.example.org',
        'https://api.octo.ghe.com'       => 'https://octo.ghe.com',
    );
    for my $api (sort keys %site) {
        my $door = service(GITHUB_API_URL => $api, GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUNNER_PAGES => 'status')->cgi;
        my $id = next_id();
        $door->send(delivery(job_event(run_id => $id, id => 77, action => 'queued')));
        for my $path ('/runs', "/runs/$id") {
            my $page = JR::Html->new($door->send({ method => 'GET', path => $path })->body);
            my $at = "$site{$api}/octo/app/actions/runs/$id";
            is join(' ', grep {/^http/} $page->links), $path eq '/runs' ? $at : "$at $at/job/77", "$api: $path";
        }
    }
};

finish();
