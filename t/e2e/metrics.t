#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# GET /metrics: who may see it, that it counts what happened, exactly and over
# the death of a process; and the example rules made of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX qw(floor);
use Test::More;
use Time::HiRes qw(time);
use JR::FastCGI qw(fcgi_begin fcgi_params fcgi_stdin);
use JR::File qw(read_file write_file);
use JR::Http qw(cgi_params);
use JR::Process qw(spawn reap);
use JR::Test;

my $ENDS = 2_000_000_000;    # when the token does

my $github = github();
$github->set_headers('github-authentication-token-expiration' => '2033-05-18 03:33:20 UTC');
my $service = service(github => $github, pages => 'status metrics', WORKERS => 3)->start;

sub get {
    my ($door, $path, %o) = @_;
    return $door->send({ method => 'GET', path => $path, %o });
}

# The samples by name and labels, the numbers as they are written.
sub samples { return { $_[0]->body =~ /^([a-z_]+(?:\{.*\})?) (\S+)$/mg } }

sub scrape {
    my ($from) = @_;
    my $answer = get(($from // $service)->http, '/metrics');
    status_is $answer, 200, 'scraped' or return {};
    return samples($answer);
}

sub values_are {
    my ($seen, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply { map { $_ => $seen->{$_} } keys %$want }, $want, $name;
}

# Wait for this to be so; all that was seen together with it.
sub scrape_when {
    my ($name, $value) = @_;
    my $seen;
    wait_ok { $seen = samples(get($service->http, '/metrics')); ($seen->{$name} // '') eq $value } "$name becomes $value";
    return $seen;
}

my ($promtool) = grep { -x } map {"$_/promtool"} split /:/, $ENV{PATH} // '';

sub promtool_is_content {
    my ($args, $input) = @_;
    my $report = tmpdir() . '/promtool';
    open my $stdin, '<', $input // '/dev/null' or die "$input: $!";
    my $status = reap(spawn(
        argv => [$promtool, @$args], env => { PATH => $ENV{PATH} }, out => $report, stdin => $stdin,
    ));
    open my $fh, '<', $report or die "$report: $!";
    local $/;
    my $said = <$fh>;
    return is $status, 0, "promtool @$args[0, 1]" || diag $said;
}

subtest 'before anything has happened' => sub {
    my $answer = get($service->http, '/metrics');
    status_is $answer, 200, 'GET';
    is $answer->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8', 'type';
    is $answer->header('Content-Length'), length $answer->body, 'length';
    scrape_when('job_rerunner_dispatcher_up', 1);
    my $seen = scrape_when('job_rerunner_workers_busy', 0);    # who answered last is done with it
    values_are $seen, {
        'job_rerunner_webhooks_total{event="workflow_job",status="202"}' => 0,
        'job_rerunner_webhook_duration_seconds_count'                    => 0,
        'job_rerunner_reruns_total{outcome="accepted"}'                  => 0,
        'job_rerunner_process_restarts_total{kind="worker"}'             => 0,
        'job_rerunner_rescued_runs_total'                                => 0,
        'job_rerunner_workers'                                           => 3,
        'job_rerunner_workers_busy'                                      => 0,
        'job_rerunner_paused'                                            => 0,
        'job_rerunner_repository_pauses'                                 => 0,
        'job_rerunner_commits_failing'                                   => 0,
        'job_rerunner_outbox_entries'                                    => 0,
        'job_rerunner_api_rate_limit_remaining'                          => undef,
    }, 'zeros';
    my ($version) = tool(['version'])->{out} =~ /(\S+)$/;
    is $seen->{qq(job_rerunner_build_info{version="$version"})}, 1, 'build';
    cmp_ok abs($seen->{job_rerunner_start_time_seconds} - time), '<', 60, 'start';
    my $head = $service->http->send({ method => 'HEAD', path => '/metrics' });
    status_is $head, 200, 'HEAD';
    is $head->body, '', 'without a body';
};

subtest 'only where nginx names it' => sub {
    my $closed = service(github => $github, WORKERS => 1)->start;
    for my $path ('/metrics', '/metrics?pages=metrics', '/metrics/', '//metrics') {
        my $answer = get($closed->http, $path, headers => [['RERUNNER_PAGES', 'metrics'], ['Rerunner-Pages', 'metrics']]);
        status_is $answer, 404, $path;
        unlike $answer->body, qr/job_rerunner/, 'nothing of it';
    }
    my $other = service(github => $github, WORKERS => 1, pages => 'status')->start;
    status_is get($other->http, '/metrics'), 404, 'the pages alone do not open it';
    status_is get($service->http, '/metrics/x'), 404, 'nor is there anything below it';
    status_is get($service->cgi, '/metrics'), 404, 'plain CGI without the variable';
};

# It asks the service that runs on the same STATE_DIR.
subtest 'plain CGI beside a service' => sub {
    my $beside = service(github => $github, state_dir => $service->state_dir, RERUNNER_PAGES => 'metrics')->cgi;
    my $answer = get($beside, '/metrics');
    status_is $answer, 200, 'the metrics';
    my ($own) = get($service->http, '/metrics')->body =~ /^(job_rerunner_start_time_seconds .*)$/m;
    like $answer->body, qr/^\Q$own\E$/m, 'of the service';
    status_is get($beside, '/healthz'), 200, '/healthz';
    my $alone = service(github => $github, RERUNNER_PAGES => 'metrics')->cgi;
    status_is get($alone, '/metrics'), 503, 'without a service there are none';
};

subtest 'webhooks by event and answer' => sub {
    my $door = $service->http;
    status_is $door->send(delivery({ zen => 'x' }, event => 'ping')), 204, 'ping';
    status_is $door->send(delivery({ ref => 'x' }, event => 'push')), 204, 'push' for 1 .. 2;
    status_is $door->send(delivery({}, event => 'workflow_job', signature => 'sha256=' . '0' x 64)), 403, 'wrong' for 1 .. 3;
    status_is $door->send(delivery({}, signature => undef)), 403, 'missing';
    status_is $door->send(delivery('{', event => 'workflow_run')), 400, 'no JSON';
    status_is get($door, '/'), 200, 'what is not a webhook';
    my $seen = scrape();
    values_are $seen, {
        'job_rerunner_webhooks_total{event="ping",status="204"}'           => 1,
        'job_rerunner_webhooks_total{event="other",status="204"}'          => 2,
        'job_rerunner_webhooks_total{event="workflow_job",status="403"}'   => 4,
        'job_rerunner_webhooks_total{event="workflow_run",status="400"}'   => 1,
        'job_rerunner_webhook_reasons_total{reason="event-not-watched"}'   => 3,
        'job_rerunner_webhook_reasons_total{reason="signature-wrong"}'     => 3,
        'job_rerunner_webhook_reasons_total{reason="signature-missing"}'   => 1,
        'job_rerunner_webhook_reasons_total{reason="bad-json"}'            => 1,
        'job_rerunner_signature_failures_total'                            => 4,
        'job_rerunner_webhook_duration_seconds_count'                      => 8,
        'job_rerunner_webhook_duration_seconds_bucket{le="+Inf"}'          => 8,
    }, 'counted';
    cmp_ok $seen->{job_rerunner_webhook_duration_seconds_sum}, '>', 0, 'they took some time';
    cmp_ok $seen->{'job_rerunner_webhook_duration_seconds_bucket{le="8"}'}, '==', 8, 'but not long';
};

my $commits;

subtest 'a run that is rerun and rescued' => sub {
    my $before = scrape();
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'it fails';
    wait_ok { $run->accepted } 'it is rerun';
    scrape_when('job_rerunner_reruns_total{outcome="accepted"}', 1);
    # The call is counted before its outcome is recorded, and only then a success is a rescue.
    ok $service->log->wait_entry('rerun', run => $run->id), 'and that is recorded';
    status_is $run->play(build => 'success'), 200, 'it succeeds';
    my $seen = scrape();
    values_are $seen, {
        'job_rerunner_webhooks_total{event="workflow_job",status="201"}'          => 1,
        'job_rerunner_webhooks_total{event="workflow_job",status="202"}'          => 2,
        'job_rerunner_webhooks_total{event="workflow_job",status="200"}'          => 1,
        'job_rerunner_verdicts_total{reason="run-failed"}'                        => 1,
        'job_rerunner_api_calls_total{call="get-run",result="ok"}'                => 1,
        'job_rerunner_api_calls_total{call="rerun-failed-jobs",result="ok"}'      => 1,
        'job_rerunner_reruns_total{outcome="accepted"}'                           => 1,
        'job_rerunner_rescued_runs_total'                                         => 1,
        'job_rerunner_outbox_entries'                                             => 0,
        'job_rerunner_token_expiry_timestamp_seconds'                             => "$ENDS.000",
        'job_rerunner_api_rate_limit'                                             => 5000,
        'job_rerunner_token_rejected'                                             => 0,
    }, 'counted';
    cmp_ok $seen->{job_rerunner_api_rate_limit_remaining}, '<', 5000, 'calls were used';
    cmp_ok $seen->{job_rerunner_api_rate_limit_reset_timestamp_seconds}, '>', time, 'until later';
    $commits = $seen->{job_rerunner_commit_duration_seconds_count};
    cmp_ok $commits - $before->{job_rerunner_commit_duration_seconds_count}, '>=', 6, 'events, the intent and the outcome';
};

subtest 'a run that is left alone' => sub {
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->queued('build');
    $run->completed(build => 'success');
    status_is $run->finish('success', event => 1), 200, 'workflow_run';
    is scrape()->{'job_rerunner_verdicts_total{reason="run-succeeded"}'}, 1, 'closed by its event';
};

subtest 'GitHub fails' => sub {
    $github->script(GET => '/runs/', { status => 502 }, 2);
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'it is rerun in the end';
    my $seen = scrape_when('job_rerunner_reruns_total{outcome="accepted"}', 2);
    values_are $seen, {
        'job_rerunner_api_calls_total{call="get-run",result="server-error"}' => 2,
        'job_rerunner_api_calls_total{call="get-run",result="ok"}'           => 2,
        'job_rerunner_verdicts_total{reason="server-error"}'                 => 2,
    }, 'counted';
    $github->script(POST => '/rerun', { status => 403, body => { message => 'Resource not accessible by integration' } }, 1);
    my $refused = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $refused->play(build => 'failure');
    $seen = scrape_when('job_rerunner_reruns_total{outcome="refused"}', 1);
    is $seen->{'job_rerunner_api_calls_total{call="rerun-failed-jobs",result="no-permission"}'}, 1, 'and why';
};

subtest 'the rate limit is used up' => sub {
    my $reset = floor(time + 5 + 3 * slowness());
    $github->set_limit(remaining => 0, reset => $reset);
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->play(build => 'failure');
    scrape_when('job_rerunner_api_rate_limited', 1);
    # What is left is told after that.
    my $seen = scrape_when('job_rerunner_api_rate_limit_remaining', 0);
    values_are $seen, {
        'job_rerunner_api_rate_limited'                                 => 1,
        'job_rerunner_api_rate_limit_reset_timestamp_seconds'           => "$reset.000",
        'job_rerunner_outbox_entries'                                   => 1,
        'job_rerunner_api_calls_total{call="get-run",result="rate-limited"}' => 1,
    }, 'it is told';
    my $oldest = $seen->{job_rerunner_outbox_oldest_timestamp_seconds};
    cmp_ok abs($oldest - time), '<', 60, 'since when the run waits';
    wait_ok { get($service->http, '/metrics')->body =~ /^job_rerunner_outbox_overdue_seconds (?!0\.000)/m } 'the entry waits';
    wait_ok { $run->accepted } 'until the limit is whole again';
    is scrape_when('job_rerunner_outbox_entries', 0)->{job_rerunner_outbox_overdue_seconds}, '0.000', 'then none is';
};

# Half a body, so that a worker waits for the rest.
subtest 'a worker that is busy' => sub {
    my $request = delivery({ zen => 'x' }, event => 'ping');
    my $bytes = fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin(substr $request->{body}, 0, 3);
    my $socket = $service->fastcgi->write_only($bytes);
    scrape_when('job_rerunner_workers_busy', 1);
    close $socket;
    scrape_when('job_rerunner_workers_busy', 0);
};

subtest 'a worker that is killed' => sub {
    my $before = scrape();
    my ($victim) = $service->workers;
    $service->expect_death;
    kill 'KILL', $victim;
    my $after = scrape_when('job_rerunner_process_restarts_total{kind="worker"}', 1);
    my @counters = grep { /_(?:total|bucket|count)\b/ && !/restarts|commit/ } keys %$before;
    cmp_ok scalar @counters, '>', 50, 'many counters';
    values_are $after, { map { $_ => $before->{$_} } @counters }, 'stay as they are';
    wait_ok { $service->workers == 3 } 'it is replaced';
    status_is $service->http->send(delivery({ zen => 'x' }, event => 'ping')), 204, 'ping' for 1 .. 9;
    my $name = 'job_rerunner_webhooks_total{event="ping",status="204"}';
    is scrape()->{$name}, $before->{$name} + 9, 'and all go on counting';
};

subtest 'a dispatcher that is killed' => sub {
    my $before = scrape();
    $service->expect_death;
    kill 'KILL', wait_for { $service->dispatcher };
    my $after = scrape_when('job_rerunner_process_restarts_total{kind="dispatcher"}', 1);
    is $after->{$_}, $before->{$_}, $_ for grep {/^job_rerunner_(?:reruns|api_calls|verdicts)_total/} sort keys %$before;
    scrape_when('job_rerunner_dispatcher_up', 1);
};

# Two services in a row: counters are of one life of the master.
subtest 'missed runs are found' => sub {
    my $old = service(github => $github, pages => 'metrics', RECONCILE_INTERVAL => '100ms')->start;
    my $run = workflow_run(github => $github, door => $old->http, repo => 'octo/lost', jobs => ['build']);
    $run->queued('build');
    my $lost = workflow_run(github => $github, door => $old->http, repo => 'octo/lost', jobs => ['build']);
    $github->set_job($lost->id, 'build', status => 'completed', conclusion => 'failure');
    $lost->finish('failure');
    wait_ok { $lost->accepted } 'no event told of it, and it is rerun';
    # The rerun may be there before the list of the next conclusion is read.
    my $seen;
    wait_ok {
        $seen = samples(get($old->http, '/metrics'));
        ($seen->{'job_rerunner_api_calls_total{call="list-runs",result="ok"}'} // 0) >= 2;
    } 'lists were read';
    values_are $seen, { 'job_rerunner_verdicts_total{reason="found-failed"}' => 1 }, 'counted';
    cmp_ok abs($seen->{job_rerunner_last_sweep_start_timestamp_seconds} - time), '<', 60, 'a sweep was begun';
    ok $old->log->wait_entry('decision', run => $lost->id, reason => 'found-failed', verdict => 'wait'), 'and the decision is in the log';
};

# Their values, too, where they are few and no other list has them.
subtest 'labels are documented' => sub {
    my ($page, $manual) = map { read_file(srcdir() . "/$_") } qw(doc/metrics.md doc/job-rerunner.8);
    my %row = $page =~ /^\| `(job_rerunner_\w+)` \| \w+ \| (.*) \|$/mg;
    my %item = $manual =~ /^\.It Cm (job_rerunner_\w+) [^\n]*\n(.*?)(?=^\.(?:It|El))/msg;
    my (%label, %value);
    for my $sample (keys %{ scrape() }) {
        my ($name, $labels) = $sample =~ /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})?$/;
        my @pair = ($labels // '') =~ /(\w+)="([^"]*)"/g;
        $label{$name} //= {};
        while (my ($key, $value) = splice @pair, 0, 2) {
            next if $key eq 'le';
            $label{$name}{$key} = 1;
            $value{$name}{$value} = 1 if $key =~ /^(?:event|outcome|call|kind)$/;
        }
    }
    cmp_ok scalar keys %value, '>=', 4, 'some have values to be told';
    for my $name (sort keys %label) {
        my $want = join ' ', sort keys %{ $label{$name} };
        my ($labels) = ($row{$name} // '') =~ /Labels?: (.*)\.$/;
        is join(' ', ($labels // '') =~ /`(\w+)`/g), $want, "$name: labels in doc/metrics.md";
        my ($in_manual) = $item{$name} =~ /^Labels?:\n(.*)/ms;
        is join(' ', map { split / , / } ($in_manual // '') =~ /^\.Cm (\w+(?: , \w+)*)/mg), $want, 'and in the manual page';
        my %told = map { $_ => 1 } map { split /[ ,.]+/ } ($in_manual // '') =~ /^\.Pq Cm (.*)/mg;
        is join(' ', grep { !$told{$_} } sort keys %{ $value{$name} // {} }), '', 'with these values';
    }
};

subtest 'what Prometheus says' => sub {
    plan skip_all => 'no promtool' if !$promtool;
    my $file = tmpdir() . '/metrics';
    open my $fh, '>', $file or die "$file: $!";
    print $fh get($service->http, '/metrics')->body;
    close $fh or die "$file: $!";
    promtool_is_content(['check', 'metrics'], $file);
    promtool_is_content(['check', 'rules', srcdir() . '/conf/job-rerunner.alerts.yml']);
    promtool_is_content(['test', 'rules', srcdir() . '/t/data/alerts.test.yml']);
};

# The metrics, and the labels of each with the values that are documented: { name => { label => [] } }.
sub documented {
    my %row = read_file(srcdir() . '/doc/metrics.md') =~ /^\| `(job_rerunner_\w+)` \| \w+ \| (.*) \|$/mg;
    for my $text (values %row) {
        my ($labels) = $text =~ /Labels?: (.*)\.$/;
        my %value;
        while (($labels // '') =~ /`(\w+)`(?: \(([^)]*)\))?/g) {
            my ($name, $all) = ($1, $2);
            $value{$name} = [split /, /, $all // ''];
        }
        $text = \%value;
    }
    return \%row;
}

# What queries ask for that is not there: metrics, labels, values of labels.
sub unknown_in {
    my ($text, $known) = @_;
    my (@wrong, %label);
    while ($text =~ /\b(job_rerunner_\w+)(?:\{([^}]*)\})?/g) {
        my ($name, $pairs) = ($1 =~ s/_bucket$//r, $2 // '');
        push @wrong, $name if !$known->{$name};
        my %has = (instance => [], %{ $known->{$name} // {} });
        %label = (%label, %has);
        while ($pairs =~ /(\w+)([!=]~?)"([^"]*)"/g) {
            my ($key, $how, $values) = ($1, $2, $3);
            push @wrong, "$name\{$key}" if !$has{$key};
            my %may = map { $_ => 1 } @{ $has{$key} // [] };
            push @wrong, grep { %may && !$may{$_} } split /\|/, $values;
        }
    }
    # What they are grouped by, and what is shown of them.
    my @named = map { split /\s*,\s*/ } $text =~ /\b(?:by|on|group_left) \(([^)]*)\)/g;
    push @named, $text =~ /\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g;
    return @wrong, grep { $_ ne 'le' && !$label{$_} } @named;
}

subtest 'the rules ask for what there is' => sub {
    my %known = map { $_ => 1 } get($service->http, '/metrics')->body =~ /^# TYPE (\S+)/mg;
    cmp_ok scalar keys %known, '>', 25, 'metrics';
    my $documented = documented();
    is join(' ', sort keys %$documented), join(' ', sort keys %known), 'all of them documented';
    for my $file ('conf/job-rerunner.alerts.yml', 't/data/alerts.test.yml') {
        my $text = read_file(srcdir() . "/$file");
        cmp_ok scalar(() = $text =~ /\bjob_rerunner_\w/g), '>', 10, "$file names some";
        is join(' ', unknown_in($text =~ s/alertname//gr, $documented)), '', 'all of them known, with their labels';
    }
    my @alert = read_file(srcdir() . '/conf/job-rerunner.alerts.yml') =~ /- alert: (\w+)/g;
    my $tested = read_file(srcdir() . '/t/data/alerts.test.yml');
    is join(' ', grep { $tested !~ /alertname="$_"/ } @alert), '', 'each alert is tried';
};

# As far as that can be told without a Grafana.
subtest 'the dashboard shows what there is' => sub {
    my $board = eval { JSON::PP->new->utf8->decode(read_file(srcdir() . '/conf/job-rerunner.dashboard.json')) };
    ok $board, 'it is JSON' or return diag $@;
    ok defined $board->{$_}, $_ for qw(uid title schemaVersion panels templating time);
    ok !defined $board->{id} && !$board->{__inputs}, 'of no Grafana in particular';
    my %variable = map { $_->{name} => $_ } @{ $board->{templating}{list} };
    is $variable{datasource}{type}, 'datasource', 'the data source is a variable';
    my $documented = documented();
    my (%id, %place, %shown, @wrong, @expr);
    for my $panel (@{ $board->{panels} }) {
        my $title = $panel->{title};
        my ($x, $y, $w, $h) = @{ $panel->{gridPos} }{qw(x y w h)};
        push @wrong, "$title: its id" if $id{ $panel->{id} }++;
        push @wrong, "$title: its kind" if $panel->{type} !~ /^(?:row|stat|timeseries|bargauge|state-timeline|table)$/;
        push @wrong, "$title: too wide" if $x < 0 || $x + $w > 24;
        for my $cell (map { my $row = $_; map {"$row,$_"} $x .. $x + $w - 1 } $y .. $y + $h - 1) {
            push @wrong, "$title: over another" if $place{$cell}++;
        }
        next if $panel->{type} eq 'row';
        my %ref;
        push @wrong, "$title: nothing is asked for" if !@{ $panel->{targets} };
        for my $target (@{ $panel->{targets} }) {
            push @wrong, "$title: $_" for unknown_in("$target->{expr} $target->{legendFormat}", $documented);
            push @wrong, "$title: its data source" if $target->{datasource}{uid} ne '${datasource}';
            push @wrong, "$title: $target->{refId} twice" if $ref{ $target->{refId} }++;
            push @wrong, "$title: not of the instances chosen" if $target->{expr} =~ /job_rerunner_\w+(?!\w)(?!\{instance=~"\$instance")/;
            $shown{ s/_bucket$//r } = 1 for $target->{expr} =~ /\b(job_rerunner_\w+)/g;
            push @expr, $target->{expr};
        }
    }
    is join("\n", @wrong), '', 'panels beside each other, that ask for metrics and labels that there are';
    is join(' ', grep { !$shown{$_} } sort keys %$documented), '', 'every metric is shown';
    my ($list) = $variable{instance}{query}{query} =~ /^label_values\((job_rerunner_\w+), instance\)$/;
    ok $documented->{ $list // '' }, 'instances are told by a metric';
    return if !$promtool;
    my $rules = "groups:\n  - name: dashboard\n    rules:\n";
    for my $n (0 .. $#expr) {
        my $expr = $expr[$n] =~ s/\$__rate_interval/5m/gr =~ s/\$__range/1h/gr =~ s/\$instance/.*/gr =~ s/'/''/gr;
        $rules .= "      - record: panel_$n\n        expr: '$expr'\n";
    }
    promtool_is_content(['check', 'rules', write_file(tmpdir() . '/dashboard.yml', $rules)]);
};

finish();
