#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A GitHub App in place of a token: a token for each installation, its end, and
# what one installation's bad days mean for the others.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use POSIX qw(strftime);
use Test::More;
use JR::FakeGitHub;
use JR::File qw(read_file_or_empty);
use JR::Test;

# A fake with an App that two organisations have; a service that is the App.
sub world {
    my (%o) = @_;
    my %app = %{ delete $o{app} // {} };
    my $github = github(tokens => []);
    my %settings = $github->new_app(%app);
    $github->put_installation(11, account => 'octo');
    $github->put_installation(12, account => 'hepta');
    my $service = service(github => $github, %settings, %o)->start;
    return ($github, $service);
}

sub fails {
    my ($service, $repo) = @_;
    my $run = workflow_run(github => $service->{github}, door => $service->http, jobs => ['build'], repo => $repo);
    status_is $run->play(build => 'failure'), 201, "a run of $repo fails";
    return $run;
}

sub is_rerun {
    my ($service, $repo, $name) = @_;
    my $run = fails($service, $repo);
    wait_ok { $run->accepted } "$name: rerun";
    is scalar $run->posts, 1, "$name: once";
    return $run;
}

# A time as the log has it.
sub stamp {
    my ($s) = @_;
    return strftime('%Y-%m-%dT%H:%M:%S', gmtime $s) . sprintf '.%03d', 1000 * ($s - int $s);
}

sub tokens_made { return grep { $_->{status} == 201 } $_[0]->requests('POST', '/access_tokens$') }

# What a request had for authorization.
sub bearer { return $_[0]{headers}{authorization} =~ /^Bearer (\S+)$/ ? $1 : '' }

sub health {
    my ($service) = @_;
    return $service->http->send({ method => 'GET', path => '/healthz' })->body;
}

my (@secrets, @folders);

# To be looked for at the end.
sub note_secrets {
    my ($github, $service) = @_;
    push @folders, $service->{dir};
    my @used = map { bearer($_) } $github->requests;
    my %once = map { $_ => 1 } @used;
    push @secrets, keys %once;
    my ($body) = read_file_or_empty($service->{env}{GITHUB_APP_KEY_FILE}) =~ /-----\n(.{60})/;
    push @secrets, $body;
    return;
}

subtest 'two organisations' => sub {
    my ($github, $service) = world(API_WRITE_INTERVAL => 0);
    my $octo  = is_rerun($service, 'octo/app', 'octo');
    my $hepta = is_rerun($service, 'hepta/lib', 'hepta');
    is_rerun($service, 'octo/app', 'octo again');
    my @made = tokens_made($github);
    is scalar @made, 2, 'one token for each';
    is_deeply [map { $_->{path} =~ /(\d+)/ } @made], [11, 12], 'of each installation';
    is $_->{body}, '{"permissions":{"actions":"write"}}', 'for actions only' for @made;
    is $_->{headers}{'content-type'}, 'application/json', 'as JSON' for @made;
    my %token = map { $_ => bearer(($_->posts)[0]) } $octo, $hepta;
    isnt $token{$octo}, $token{$hepta}, 'each with its own token';
    cmp_ok length $token{$octo}, '>=', 520, 'which is long';
    is scalar $github->requests('GET', 'octo/app/installation$'), 1, 'the installation is looked up once';
    is $service->log->count('calls-stopped'), 0, 'nothing was stopped';
    note_secrets($github, $service);
};

subtest 'the client id' => sub {
    my ($github, $service) = world();
    $service->restart(GITHUB_APP_ID => 'Iv23liExample0000001');
    is_rerun($service, 'octo/app', 'it is as good as the number');
    my ($claims) = map { (split /\./, bearer($_))[1] } $github->requests('GET', '/installation$');
    require MIME::Base64;
    like MIME::Base64::decode_base64url($claims), qr/"iss":"Iv23liExample0000001"/, 'and is in the JWT';
};

subtest 'a token that ends' => sub {
    my ($github, $service) = world(app => { token_life => 290 });
    is_rerun($service, 'octo/app', 'with less than five minutes to live');
    cmp_ok scalar tokens_made($github), '>=', 2, 'it is not used for another call';
    note_secrets($github, $service);

    # Within its life, a token lost its worth.
    ($github, $service) = world();
    is_rerun($service, 'octo/app', 'the first');
    $github->revoke_tokens;
    is_rerun($service, 'octo/app', 'after the tokens were revoked');
    is scalar tokens_made($github), 2, 'one new token';
    is scalar(grep { $_->{status} == 401 } $github->requests), 1, 'after one 401';
    is $service->log->count('calls-stopped'), 0, 'nothing was stopped';

    # GitHub takes none of its tokens: this installation waits, the other does not.
    $github->script(GET => '^/repos/octo/app/actions', { status => 401, body => { message => 'Bad credentials' } }, 100);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'bad-token'), 'a token that is never taken';
    is_rerun($service, 'hepta/lib', 'the other organisation');
    wait_ok { $service->log->text =~ qr/calls-stopped .*for installation 11 for/ } 'once it is no longer fresh all its calls stop';
    # When the stop is over the next one is made, which may be by now.
    my ($stopped) = $service->log->text =~ /^(\S+)Z error calls-stopped .*for installation 11 for/m;
    is scalar(grep { $_->{path} =~ m{/installations/11/} && stamp($_->{time}) lt $stopped } tokens_made($github)), 3,
        'only one more was made for it';
    unlike health($service), qr/token-rejected/, 'not for all';
    $github->forget_scripts;
    wait_ok { $run->accepted } 'rerun when it is taken again';
    note_secrets($github, $service);
};

subtest 'suspended' => sub {
    my ($github, $service) = world();
    $github->put_installation(11, suspended => 1);
    my @runs = map { fails($service, 'octo/app') } 1 .. 3;
    ok $service->log->wait_entry('decision', run => $_->id, verdict => 'wait', reason => 'app-suspended'), 'it waits, with the reason' for @runs;
    is_rerun($service, 'hepta/lib', 'the other organisation');
    like health($service), qr/"healthy":true/, 'it is healthy';
    $github->put_installation(11, suspended => 0);
    for my $run (@runs) {
        wait_ok { $run->accepted } 'rerun when that is over';
    }

    # With a token at hand.
    $github->put_installation(11, suspended => 1);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'app-suspended'), 'it waits';
    $github->put_installation(11, suspended => 0);
    wait_ok { $run->accepted } 'rerun when that is over';
};

subtest 'a stop outlives a restart' => sub {
    my ($github, $service) = world(API_BACKOFF_MAX => '1h');
    $github->put_installation(11, suspended => 1);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('calls-stopped'), 'suspended';
    $service->restart;
    my $later = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $later->id, reason => 'app-suspended', github => 0), 'nothing is asked';
    is scalar $github->requests('POST', '/access_tokens$'), 1, 'indeed';
    is_rerun($service, 'hepta/lib', 'the other organisation');
};

subtest 'not installed' => sub {
    my ($github, $service) = world();
    $github->put_installation(13, account => 'some', repos => ['some/chosen']);
    my @runs = map { fails($service, $_) } 'nobody/app', 'some/other';
    ok $service->log->wait_entry('decision', run => $_->id, verdict => 'closed', reason => 'not-installed'), 'closed, with the reason' for @runs;
    is_rerun($service, 'some/chosen', 'one that was chosen');
    is_rerun($service, 'octo/app', 'another organisation');

    # Taken away, given back: it has another number then.
    $github->remove_installation(11);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'closed', reason => 'not-installed'), 'taken away';
    $github->put_installation(21, account => 'octo');
    is_rerun($service, 'octo/app', 'given back');
    $github->remove_installation(12);
    $github->put_installation(22, account => 'hepta');
    is_rerun($service, 'hepta/lib', 'taken away and given back meanwhile');

    # Taken out of the chosen ones.
    $github->put_installation(13, repos => ['some/other']);
    $run = fails($service, 'some/chosen');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'closed', reason => 'not-installed'), 'no longer chosen';
    is_rerun($service, 'some/other', 'the one that is now');
    is $service->log->count('calls-stopped'), 0, 'nothing was stopped';
};

subtest 'not permitted' => sub {
    my ($github, $service) = world();
    $github->put_installation(11, permissions => { actions => 'read', metadata => 'read' });
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'closed', reason => 'no-permission', github => 422), 'closed, with the reason';
    is_rerun($service, 'hepta/lib', 'the other organisation');
};

subtest 'renamed and moved' => sub {
    my ($github, $service) = world();
    is_rerun($service, 'octo/app', 'before');
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'octo/app');
    $run->queued('build');
    my $event = delivery(job_event($run->facts, id => ($run->truth->{jobs}[0]{id}), name => 'build', action => 'completed', conclusion => 'failure'));
    $github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
    $run->finish('failure');
    $github->move_repo('octo/app', 'octo/renamed');
    status_is $service->http->send($event), 201, 'an event with the old name';
    wait_ok { $run->accepted } 'renamed: rerun';

    $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'octo/gift');
    is_rerun($service, 'octo/gift', 'before');
    $run->queued('build');
    $event = delivery(job_event($run->facts, id => ($run->truth->{jobs}[0]{id}), name => 'build', action => 'completed', conclusion => 'failure'));
    $github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
    $run->finish('failure');
    $github->move_repo('octo/gift', 'hepta/gift');
    status_is $service->http->send($event), 201, 'an event with the old owner';
    wait_ok { $run->accepted } 'moved to another organisation: rerun';
};

subtest 'rate limits are each installation\'s' => sub {
    my ($github, $service) = world();
    $github->put_installation(11, limit => { limit => 5000, remaining => 0, reset => time + 1890 });
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'rate-limited'), 'it waits';
    like $service->log->text, qr/calls-stopped .*for installation 11 for 18\d\d s/, 'until the limit is whole again';
    is_rerun($service, 'hepta/lib', 'the other organisation');
    my $gets = () = $run->gets;
    is $gets, 1, 'asked once';
    like health($service), qr/rate-limited/, '/healthz says so';
};

subtest 'clocks' => sub {
    for my $ahead_s (-7200, 7200, 120, -650) {
        my $name = "GitHub's is $ahead_s s ahead";
        my ($github, $service) = world();
        $github->set_clock($ahead_s);
        is_rerun($service, 'octo/app', $name);
        is_rerun($service, 'hepta/lib', "$name, the second");
        my @refused = grep { $_->{status} == 401 } $github->requests;
        is scalar @refused, (abs $ahead_s > 600 ? 1 : 0), "$name: refused once at most";
        is scalar tokens_made($github), 2, "$name: tokens last";
        is $service->log->count('clock-differs', level => 'warn'), scalar @refused, "$name: the log says so";
        note_secrets($github, $service) if $ahead_s == 7200;
    }

    # It is set while the service runs.
    my ($github, $service) = world();
    is_rerun($service, 'octo/app', 'before');
    $github->set_clock(4000);
    is_rerun($service, 'octo/app', 'after');
    is $service->log->count('calls-stopped'), 0, 'nothing was stopped';

    # A time that helps nobody is tried once only.
    ($github, $service) = world();
    $github->script(GET => '/installation$', { status => 401, body => { message => q('Expiration time' claim ('exp') is too far in the future) } }, 4);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'bad-app'), 'refused twice: the App is rejected';
    wait_ok { $run->accepted } 'and tried again later';
};

subtest 'a key that GitHub does not know' => sub {
    my ($github, $service) = world();
    my $key = JR::FakeGitHub::new_key(tmpdir() . '/stranger.pem');
    $service->restart(GITHUB_APP_KEY_FILE => $key);
    my @runs = fails($service, 'octo/app');
    ok $service->log->wait_entry('calls-stopped', level => 'error'), 'all calls stop';
    ok $service->log->wait_entry('decision', run => $runs[0]->id, verdict => 'wait', reason => 'bad-app'), 'with the reason';
    push @runs, fails($service, 'hepta/lib');
    like health($service), qr/token-rejected/, '/healthz says so';
    is scalar(grep { $_->{path} =~ /hepta/ } $github->requests), 0, 'nobody else is asked about';
    wait_ok { $github->requests('GET', '^/app$') } 'the key is tried again';
    $github->put_app(id => 4711, public_key => JR::FakeGitHub::public_key($key));
    for my $run (@runs) {
        wait_ok { $run->accepted } 'rerun when it is known';
    }
    wait_ok { health($service) !~ /token-rejected/ } '/healthz says so';
    note_secrets($github, $service);
};

subtest 'a new key in its file' => sub {
    my ($github, $service) = world();
    my $file = tmpdir() . '/rotated.pem';
    JR::FakeGitHub::new_key($file);
    $service->restart(GITHUB_APP_KEY_FILE => $file, API_BACKOFF_MAX => '1h');
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('calls-stopped'), 'the old one is rejected';
    JR::FakeGitHub::new_key("$file.new");
    $github->put_app(id => 4711, public_key => JR::FakeGitHub::public_key("$file.new"));
    rename "$file.new", $file or die "rename: $!";
    ok $service->log->wait_entry('token-renewed'), 'the new one is taken up';
    wait_ok { $run->accepted } 'rerun';
};

subtest 'an App that GitHub does not know' => sub {
    my ($github, $service) = world();
    $service->restart(GITHUB_APP_ID => 4712);
    my $run = fails($service, 'octo/app');
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'bad-app'), 'it waits: nothing is known of the installation';
    $service->restart(GITHUB_APP_ID => 4711);
    wait_ok { $run->accepted } 'rerun with the right one';
};

subtest 'answers that show what came' => sub {
    my ($github, $service) = world(LOG_LEVEL => 'debug');
    is_rerun($service, 'octo/app', 'first');
    for my $row (['GET', '/actions/runs/', 404, 'not-found'], ['GET', '/actions/runs/', 302, 'moved'],
        ['POST', '/access_tokens$', 400, 'refused'], ['GET', '/installation$', 500, 'server-error']) {
        my ($method, $path, $status, $reason) = @$row;
        $github->script($method, $path, { status => $status, echo => 1 });
        $github->revoke_tokens if $method eq 'POST';
        my $run = fails($service, $path =~ /installation/ ? 'octo/new' : 'octo/app');
        my $entry = $service->log->wait_entry('decision', run => $run->id, reason => $reason);
        ok $entry, "$status: decided";
        like $entry->{text} // '', qr/\*{100}/, "$status: made unreadable";
        next if $entry->{verdict} eq 'closed';
        wait_ok { $run->accepted } "$status: rerun in the end";    # before it meets the next bad day
    }
    note_secrets($github, $service);
};

subtest 'no token in the answer' => sub {
    for my $body ('{}', '{"token":""}', '{"token":"a b"}', "{\"token\":\"a\\r\\nX: y\"}", 'no JSON', '[]') {
        my ($github, $service) = world();
        $github->script(POST => '/access_tokens$', { status => 201, body => $body });
        my $run = fails($service, 'octo/app');
        ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => 'bad-answer'), "$body: waits";
        wait_ok { $run->accepted } "$body: rerun later";
    }
    my ($github, $service) = world();
    $github->script(POST => '/access_tokens$', { cut => 1, effect => 1 });
    $github->script(POST => '/access_tokens$', { status => 502 });
    is_rerun($service, 'octo/app', 'no answer, then 502');
};

# By a run that does not fail: one that does may be found before its event is here.
sub introduce {
    my ($service, $repo) = @_;
    my $run = workflow_run(github => $service->{github}, door => $service->http, jobs => ['build'], repo => $repo);
    status_is $run->play(build => 'success'), 200, "$repo is known";
    return;
}

subtest 'missed runs are looked for' => sub {
    my ($github, $service) = world(RECONCILE_INTERVAL => '200ms');
    introduce($service, $_) for 'octo/app', 'hepta/lib';
    my @missed = map { workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => $_) } 'octo/app', 'hepta/lib';
    for my $run (@missed) {
        $run->completed('build', 'failure', event => 0);
        $run->finish('failure');
        wait_ok { $run->accepted } 'found and rerun';
    }
};

# The lists of runs that were asked for.
sub looks_at { my ($github, $owner) = @_; return map { $_->{path} } $github->requests(GET => "^/repos/$owner/[^/]+/actions/runs\$") }

# The share of the first is one call, and that is used up.
subtest 'each installation has a share of its own for that' => sub {
    my ($github, $service) = world(RECONCILE_INTERVAL => '200ms', RETRY_CONCLUSIONS => 'failure');
    my %limit = (limit => 10, remaining => 5000, reset => time + 3600);
    $github->put_installation(11, limit => {%limit});
    for my $repo ('octo/app', 'octo/lib', 'hepta/lib') {
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => $repo);
        # 202: it was looked for and found before.
        status_is $run->play(build => 'failure'), '201|202', "a run of $repo fails";
        wait_ok { $run->accepted } 'and is rerun';
    }
    my ($octo, $hepta) = map { scalar looks_at($github, $_) } qw(octo hepta);
    wait_ok { looks_at($github, 'hepta') > $hepta + 5 } 'one has calls to spare';
    cmp_ok looks_at($github, 'octo'), '<=', $octo + 1, 'the other has not';
    my @quiet = map { workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => $_) } 'octo/app', 'hepta/lib';
    $_->queued('build') for @quiet;
    wait_ok { $quiet[1]->gets >= 2 } 'nor for a run that has gone quiet, which the one is asked about';
    is scalar $quiet[0]->gets, 0, 'and not the other';
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'hepta/lib');
    $run->completed('build', 'failure', event => 0);
    $run->finish('failure');
    wait_ok { $run->accepted } 'what is missed in the one is found and rerun';
    is_rerun($service, 'octo/app', 'and the other is rerun by its events');
};

subtest 'who is stopped is passed over' => sub {
    my ($github, $service) = world(RECONCILE_INTERVAL => '200ms');
    introduce($service, $_) for 'octo/app', 'octo/lib', 'hepta/lib';
    $github->put_installation(11, limit => { limit => 5000, remaining => 0, reset => time + 1800 });
    ok $service->log->wait_entry('calls-stopped'), 'one is stopped';
    my $begin = $service->log->mark;
    my $hepta = looks_at($github, 'hepta');
    wait_ok { looks_at($github, 'hepta') > $hepta + 5 } 'the other is looked at';
    cmp_ok $service->log->count('look-failed', since => $begin), '<=', 1, 'no look fails but the one that was stopped';
};

# The next round would be an hour later.
subtest 'and has his turn in the same round' => sub {
    my ($github, $service) = world(RECONCILE_INTERVAL => 0, RETRY_CONCLUSIONS => 'failure');
    introduce($service, $_) for 'octo/app', 'octo/lib', 'hepta/lib';
    $github->script(GET => '^/repos/octo/[^/]+/actions/runs$', { status => 429, headers => { 'Retry-After' => 2 } });
    my $before = looks_at($github, 'octo');
    $service->restart(RECONCILE_INTERVAL => '1h');
    ok $service->log->wait_entry('calls-stopped'), 'one is stopped';
    wait_ok { looks_at($github, 'hepta') } 'the other is looked at';
    wait_ok { looks_at($github, 'octo') == $before + 2 } 'and then the rest of the one';
    my @octo = looks_at($github, 'octo');
    isnt $octo[-1], $octo[-2], 'which is another repository';
};

subtest 'Checks, where the owner has accepted that' => sub {
    my ($github, $service) = world();
    $service = service(github => $github, %{ $service->{env} }, POLICY => 'careful')->start;
    my $fails = sub {
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        $run->describe('build', steps => [['Run make', 'failure']], log => ['##[error]Connection reset by peer']);
        status_is $run->play(build => 'failure'), 201, 'a run fails';
        wait_ok { $run->accepted } 'and is rerun';
        return ($github->requests('GET', '/annotations$'))[-1];
    };
    is $fails->()->{status}, 403, 'annotations cannot be read';
    my ($with, $without) = ('{"permissions":{"actions":"write","checks":"read"}}', '{"permissions":{"actions":"write"}}');
    my @asked = map {"$_->{status} $_->{body}"} $github->requests('POST', '/access_tokens$');
    like $asked[0], qr/^422 .*"checks":"read","pull_requests":"read","contents":"read"/, 'since the owner has not accepted that,';
    is_deeply [@asked[-2, -1], scalar @asked], ['422 {"permissions":{"actions":"write","contents":"read"}}', "201 $without", 8],
        'nor any other';
    is scalar $github->requests('GET', '/installation$'), 1, 'nobody looks where the repository is';
    like health($service), qr/"degraded":\[\]/, 'nothing is wrong';
    is $service->log->count('calls-stopped') + $service->log->count('calls-fail') + $service->log->count('shut-out'), 0, 'nothing stops';
    $github->put_installation(11, permissions => { actions => 'write', checks => 'read', metadata => 'read' });
    $github->revoke_tokens;
    workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'octo/other')->play(build => 'failure');
    wait_ok { ($github->requests('POST', '/access_tokens$'))[-1]{status} == 201 && $github->requests('POST', '/access_tokens$') == 13 }
        'a new token';
    is +($github->requests('POST', '/access_tokens$'))[-1]{body}, $with, 'may read them, now that he has';
    is $fails->()->{status}, 200, 'and does';
};

subtest 'check --online' => sub {
    my ($github, $service) = world();
    my %env = %{ $service->environment };
    my $check = sub { my ($words, %to) = @_; return tool(['check', '--online', @$words], %env, %to) };
    my $good = $check->(['octo/app']);
    is $good->{status}, 0, 'good' or diag $good->{out}, $good->{err};
    like $good->{out}, qr/^app +works, as Re-Runner$/m, 'names the App';
    like $good->{out}, qr/^installation +number 11 /m, 'and the installation';
    like $good->{out}, qr/^its runs +can be read$/m, 'and reads the runs';
    like $good->{out}, qr/^GITHUB_APP_KEY +set$/m, 'the key is not shown';
    is $check->([])->{status}, 0, 'without a repository';

    my $bad = $check->(['nobody/app']);
    is $bad->{status}, 1, 'not installed';
    like $bad->{out}, qr/^installation +NO: .*Install the App/m, 'what to do';
    $github->put_installation(12, suspended => 1);
    like $check->(['hepta/lib'])->{out}, qr/^installation +NO: .*suspended/m, 'suspended';
    # As with the systemd unit: the key in a file beside the settings.
    mkdir $_ or die "$_: $!" for tmpdir() . '/etc', tmpdir() . '/etc/github';
    open my $fh, '>', tmpdir() . '/etc/env' or die "env: $!";
    print {$fh} "$_=$env{$_}\n" for qw(STATE_DIR MAP_SIZE GITHUB_API_URL GITHUB_APP_ID GITHUB_SIGN_KEY);
    close $fh;
    symlink $env{GITHUB_APP_KEY_FILE}, tmpdir() . '/etc/github/app_key' or die "symlink: $!";
    is tool(['check', '--online', '--env-file', tmpdir() . '/etc/env', 'octo/app'])->{status}, 0, 'a key beside the settings';

    my $stranger = JR::FakeGitHub::new_key(tmpdir() . '/check.pem');
    like $check->([], GITHUB_APP_KEY_FILE => $stranger)->{out}, qr/^app +NO: .*GITHUB_APP_ID/m, 'another key';
    $github->set_clock(3600);
    like $check->([])->{out}, qr/clock is wrong by 3\d\d\d s/, 'the clock';
};

subtest 'wrong settings end the start' => sub {
    my $folder = tmpdir();
    my %file = (
        text => sub { print { $_[0] } "no key\n" },
        empty => sub { },
    );
    for my $name (keys %file) {
        open my $fh, '>', "$folder/$name.pem" or die "$name: $!";
        $file{$name}->($fh);
        close $fh;
    }
    my $good = JR::FakeGitHub::new_key("$folder/good.pem");
    JR::FakeGitHub::new_key("$folder/ec.pem", qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256));
    JR::FakeGitHub::new_key("$folder/short.pem", qw(-algorithm RSA -pkeyopt rsa_keygen_bits:1024));
    JR::FakeGitHub::new_key("$folder/passphrase.pem", qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:x));
    JR::FakeGitHub::run_openssl(qw(rsa -traditional -in), $good, '-out', "$folder/pkcs1.pem");
    like read_file_or_empty("$folder/pkcs1.pem"), qr/BEGIN RSA PRIVATE KEY/, 'PKCS#1';
    mkdir "$folder/state", 0700;
    my $check = sub {
        return tool(['check'], GITHUB_SIGN_KEY => JR::Service::sign_key(), STATE_DIR => "$folder/state", @_);
    };
    my @app = (GITHUB_APP_ID => 4711);
    is $check->(@app, GITHUB_APP_KEY_FILE => $_)->{status}, 0, $_ for $good, "$folder/pkcs1.pem";
    is $check->(@app, GITHUB_APP_KEY => read_file_or_empty($good))->{status}, 0, 'in the environment';

    my $want = sub {
        my ($name, $says, %env) = @_;
        my $result = $check->(%env);
        is $result->{status}, 78, "$name: exit status 78";
        like $result->{err}, $says, "$name: $says";
        is scalar(() = $result->{err} =~ /^GITHUB_/mg), 1, "$name: one problem" or diag $result->{err};
    };
    my $of = sub { my ($file) = @_; return (@app, GITHUB_APP_KEY_FILE => "$folder/$file") };
    $want->('no such file', qr/^GITHUB_APP_KEY_FILE: cannot read .*No such file/m, $of->('none.pem'));
    $want->('a folder',     qr/^GITHUB_APP_KEY_FILE: .* is not a regular file/m, @app, GITHUB_APP_KEY_FILE => $folder);
    $want->('text',         qr/^GITHUB_APP_KEY_FILE: is not a private key in PEM/m, $of->('text.pem'));
    $want->('empty',        qr/^GITHUB_APP_KEY_FILE: is empty/m, $of->('empty.pem'));
    $want->('a public key', qr/^GITHUB_APP_KEY_FILE: is not a private key/m, $of->('public.pem'))
        if JR::FakeGitHub::run_openssl('pkey', '-in', $good, '-pubout', '-out', "$folder/public.pem") || 1;
    $want->('another kind', qr/^GITHUB_APP_KEY_FILE: is a key, but not an RSA key/m, $of->('ec.pem'));
    $want->('short',        qr/^GITHUB_APP_KEY_FILE: is an RSA key of 1024 bits/m, $of->('short.pem'));
    $want->('a passphrase', qr/^GITHUB_APP_KEY_FILE: is a key with a passphrase/m, $of->('passphrase.pem'));
    $want->('no id',        qr/^GITHUB_APP_ID: is required/m, GITHUB_APP_KEY_FILE => $good);
    $want->('no key',       qr/^GITHUB_APP_KEY: is required/m, @app);
    $want->('a bad id',     qr/^GITHUB_APP_ID: '4711"' has other characters/m, GITHUB_APP_ID => '4711"', GITHUB_APP_KEY_FILE => $good);
    $want->('a token too',  qr/^GITHUB_TOKEN: is set, and so is GITHUB_APP_ID/m, $of->('good.pem'), GITHUB_TOKEN => 'x');
    $want->('neither',      qr/^GITHUB_TOKEN: is required .*GITHUB_APP_ID/m);
};

subtest 'the key is in no worker, the signing key not in the dispatcher' => sub {
    plan skip_all => 'reading memory wants root' if $> != 0;
    plan skip_all => 'a sanitizer keeps what was freed' if grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV;
    my ($github, $service) = world();
    is_rerun($service, 'octo/app', 'at work');
    my ($body) = read_file_or_empty($service->{env}{GITHUB_APP_KEY_FILE}) =~ /-----\n(.{60})/;
    my $memory = sub {
        my ($pid) = @_;
        open my $maps, '<', "/proc/$pid/maps" or return '';
        open my $mem, '<', "/proc/$pid/mem" or return '';
        my $all = '';
        for (<$maps>) {
            my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
            next if m{/(?:data|lock)\.mdb$|/runtime$};
            no warnings 'portable';
            my ($start, $size) = (hex $from, hex($to) - hex $from);
            next if $size > 64 << 20;
            sysseek $mem, $start, 0;
            sysread $mem, $all, $size, length $all;
        }
        return $all;
    };
    my $dispatcher = $memory->($service->dispatcher);
    isnt index($dispatcher, $body), -1, 'the dispatcher has it, so that it would be found';
    for my $worker ($service->workers) {
        my $all = $memory->($worker);
        cmp_ok length $all, '>', 100_000, 'the memory of a worker';
        is index($all, $body), -1, 'has no key';
        is index($all, 'ghs_4711_'), -1, 'and no token';
    }
};

subtest 'no secret in what is written' => sub {
    cmp_ok scalar @secrets, '>', 20, 'JWTs, tokens and keys were used';
    my $texts = 0;
    File::Find::find(sub {
        return if !-f $_;
        my $text = read_file_or_empty($_);
        $texts++ if length $text;
        for my $secret (@secrets) {
            fail "a secret in $File::Find::name" if index($text, $secret) >= 0;
        }
    }, @folders);
    cmp_ok $texts, '>', 10, 'files were looked at';
};

finish();
