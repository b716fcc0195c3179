#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# COMMANDS: people ask for reruns on pull requests, by a comment or a button. Who may is asked of
# GitHub; what counts is done once, whatever dies meanwhile; and what does not count does nothing.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Log;
use JR::Test;

my %QUICK = (RERUN_DELAY => 0, API_BACKOFF_MIN => '100ms', API_BACKOFF_MAX => '200ms', API_WRITE_INTERVAL => 0, WORKERS => 1);
my $SHA = 'a' x 40;
my $files = 0;

# A GitHub with a pull request, where octocat may write; a service that reruns nothing by itself.
sub world {
    my (%o) = @_;
    my $github = github(tokens => [JR::Service::token()]);
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA);
    $github->set_permission('octo/app', 'octocat', 'write');
    my $service = service(github => $github, %QUICK, RUN_ATTEMPTS => 1, COMMANDS => 'yes', pages => 'metrics', %o)->start;
    return ($github, $service);
}

# A run of the pull request that has failed, and is left.
sub failed_run {
    my ($service, %o) = @_;
    my $run = workflow_run(github => $service->{github}, door => $o{door} // $service->http, jobs => ['build'], event => 'pull_request',
        head_sha => $SHA, %o);
    $run->begin;
    status_is $run->play(build => 'failure'), '20[0-4]', 'a run fails';
    return $run;
}

sub say {
    my ($service, $body, %o) = @_;
    my $comment = $service->{github}->put_comment(repo => $o{repo} // 'octo/app', number => $o{number} // 7, login => $o{sender} // 'octocat', body => $body);
    my $answer = $service->http->send(delivery(comment_event(body => $body, comment_id => $comment->{id}, %o), event => 'issue_comment', %{ $o{delivery} // {} }));
    return ($answer, $comment->{id});
}

# The reactions to a comment, in their order.
sub reactions {
    my ($service, $id) = @_;
    my ($comment) = grep { $_->{id} == $id } $service->{github}->comments;
    return join ' ', map { $_->{content} } @{ $comment->{reactions} // [] };
}

sub reaction_is {
    my ($service, $id, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_ok { reactions($service, $id) ne '' } "$name: a reaction";
    return is reactions($service, $id), $want, $name;
}

# What is asked is answered so.
sub asked {
    my ($service, $body, $want, %o) = @_;
    my ($answer, $id) = say($service, $body, %o);
    is $answer->status, 202, "$body is taken";
    like $answer->header('X-Rerun-Reason'), qr/^asked;/, 'as a command';
    reaction_is($service, $id, $want, "$body: $want");
    return $id;
}

# A later command has been done; until then nothing was done for what came before it.
sub nothing_came {
    my ($service, $run, $name) = @_;
    asked($service, '/rerun why', 'eyes');
    is scalar($run->posts), 0, $name;
    return;
}

subtest 'rerun' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    my $id = asked($service, "Flaky again.\r\n\r\n  /rerun  \r\n", 'rocket');
    wait_ok { $run->accepted } 'the run is rerun, though its attempts are used up';
    like +($run->posts)[0]{path}, qr{/rerun-failed-jobs$}, 'its failed jobs';
    my $entry = $service->log->wait_entry('command', by => 'octocat');
    is $entry->{verdict}, 'done', 'the log tells it';
    is $entry->{runs}, 1, 'and how many runs';
    ok $service->log->wait_entry('rerun-asked', by => 'octocat', run => $run->id), 'and of each run';
    my $why = tool(['why', $run->id], STATE_DIR => $service->state_dir);
    like $why->{out}, qr/octocat/, 'why names who asked';
    like $service->http->send({ method => 'GET', path => '/metrics' })->body,
        qr/^job_rerunner_commands_total\{command="rerun",outcome="done"\} 1$/m, 'the metrics count it';
    is scalar($github->requests('GET', '/collaborators/octocat/permission')), 1, 'GitHub was asked who may';
    asked($service, '/rerun', 'confused');
    is scalar(my @posts = $run->posts), 1, 'what is rerun already is not rerun again';
    is scalar($github->requests('GET', '/collaborators/octocat/permission')), 1, 'who may is known for some minutes';
};

subtest 'all' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    my $good = workflow_run(github => $github, door => $service->http, jobs => ['lint'], name => 'Lint', event => 'pull_request', head_sha => $SHA);
    $good->play(lint => 'success');
    my $elsewhere = failed_run($service, name => 'Other', head_sha => 'b' x 40);
    asked($service, '/rerun all', 'rocket');
    wait_ok { $run->accepted } 'the run is rerun';
    like +($run->posts)[0]{path}, qr{/rerun$}, 'the whole of it';
    asked($service, '/rerun', 'confused');
    is scalar($good->posts), 0, 'one that succeeded is not';
    is scalar($elsewhere->posts), 0, 'nor one of another commit';
};

subtest 'stop' => sub {
    my ($github, $service) = world(RUN_ATTEMPTS => 3);
    my $early = failed_run($service);
    wait_ok { $early->accepted } 'by itself it is rerun';
    asked($service, '/rerun stop', 'rocket');
    $early->play(build => 'failure');
    my $run = failed_run($service, name => 'Lint');
    ok $service->log->wait_entry('decision', run => $run->id, reason => 'stopped'), 'a run of the commit is left';
    ok $service->log->wait_entry('decision', run => $early->id, reason => 'stopped'), 'so is the next attempt of one';
    is scalar($run->posts), 0, 'and not rerun';
    like tool(['why', $run->id], STATE_DIR => $service->state_dir)->{out}, qr/stopped/, 'why tells it';
    my $other = failed_run($service, head_sha => 'c' x 40, name => 'Test');
    wait_ok { $other->accepted } 'one of another commit is rerun';
    asked($service, '/rerun', 'rocket');
    wait_ok { $run->accepted } 'a later /rerun ends it';
    my $late = failed_run($service, name => 'Docs');
    wait_ok { $late->accepted } 'for all runs of the commit';
    asked($service, '/rerun stop', 'rocket');
    my $left = failed_run($service, name => 'Build');
    ok $service->log->wait_entry('decision', run => $left->id, reason => 'stopped'), 'stopped again';
    is tool(['rerun', $left->id], STATE_DIR => $service->state_dir)->{status}, 0, 'an administrator';
    wait_ok { $left->accepted } 'passes it';
};

subtest 'why' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service, name => 'CI @octocat <b>');
    my $id = asked($service, '/rerun why', 'eyes');
    my @ours;
    wait_ok { @ours = grep { $_->{login} eq 'rerun-bot' } $github->comments } 'a comment answers it';
    is $ours[0]{number}, 7, 'on the pull request';
    like $ours[0]{body}, qr/^<!-- job-rerunner why $id -->\n\n### `CI \@octocat <b>`\n/, 'names are harmless';
    like $ours[0]{body}, qr/build/, 'with the failed job';
    is scalar($run->posts), 0, 'nothing is rerun';
    asked($service, '/rerun why', 'eyes');
    wait_ok { 2 == grep { $_->{login} eq 'rerun-bot' } $github->comments } 'each is answered once';
};

subtest 'who may not' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    $github->set_permission('octo/app', 'reader', 'read');
    $github->set_permission('octo/app', 'boss', 'admin');
    # Another has a login that was given up.
    $github->set_permission('octo/app', 'renamed', 'write', 4242);
    for my $who (qw(reader stranger renamed)) {
        my ($answer) = say($service, '/rerun', sender => $who, association => 'OWNER');
        is $answer->status, 202, "$who: 202";
        ok $service->log->wait_entry('command', by => $who, verdict => 'not-allowed'), 'the log tells it';
    }
    is scalar($run->posts), 0, 'nothing is rerun for who has no write permission';
    is scalar(grep { $_->{path} =~ m{/pulls/7$} } $github->requests('GET')), 0, 'nor asked about';
    asked($service, '/rerun', 'rocket', sender => 'boss');
    wait_ok { $run->accepted } 'an administrator of the repository may';
    is scalar(my @reactions = $github->requests('POST', '/reactions$')), 1, 'strangers are not answered';
};

subtest 'many who may not' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    say($service, '/rerun', sender => "stranger$_") for 1 .. 32;
    ok $service->log->wait_entry('command', by => 'stranger32', verdict => 'not-allowed'), 'all are refused';
    is scalar(my @asked = $github->requests('GET', '/collaborators/')), 30, 'GitHub was asked about 30 of them';
    my ($answer) = say($service, '/rerun');
    is $answer->status, 202, 'nobody knows one more';
    ok $service->log->wait_entry('command', by => 'octocat', verdict => 'not-allowed'), 'who is refused';
    asked($service, '/rerun', 'rocket', association => 'MEMBER');
    wait_ok { $run->accepted } 'but one whom GitHub calls a member is asked about';
};

subtest 'what does not count' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    my %nothing = (
        'an edit'                      => { action => 'edited' },
        'a deletion'                   => { action => 'deleted' },
        'an issue'                     => { pull => 0 },
        'a bot'                        => { sender => 'dependabot[bot]', type => 'Bot' },
        "somebody else's comment"      => { login => 'author' },
        'a comment of an hour ago'     => { created => time - 3600 },
    );
    for my $name (sort keys %nothing) {
        my ($answer) = say($service, '/rerun', %{ $nothing{$name} });
        is $answer->status, 202, "$name: 202";
        like $answer->header('X-Rerun-Reason'), qr/^nothing-asked;/, "$name: nothing is asked";
    }
    for my $body ('Please /rerun', '> /rerun', "```\n/rerun\n```", '    /rerun', '/rerun now', '/RERUN', '<!-- /rerun -->', '/rerunall', '') {
        my ($answer) = say($service, $body);
        like $answer->header('X-Rerun-Reason'), qr/^nothing-asked;/, 'no command: ' . $body =~ s/\n/\\n/gr;
    }
    nothing_came($service, $run, 'none of it reran anything');
    is scalar($github->requests('GET', '/collaborators/')), 1, 'nobody was asked about';
};

subtest 'repeats' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    my $comment = $github->put_comment(repo => 'octo/app', number => 7, login => 'octocat', body => '/rerun');
    my $event = comment_event(body => '/rerun', comment_id => $comment->{id});
    my $delivery = delivery($event, event => 'issue_comment');
    is $service->http->send($delivery)->status, 202, 'it is taken';
    wait_ok { $run->accepted } 'rerun';
    is $service->http->send($delivery)->status, 202, 'the same delivery again';
    like $service->http->send(delivery($event, event => 'issue_comment'))->header('X-Rerun-Reason'), qr/^nothing-asked;/, 'the same comment, another delivery';
    reaction_is($service, $comment->{id}, 'rocket', 'one reaction');
    $run->play(build => 'failure');
    asked($service, '/rerun why', 'eyes');
    is scalar(my @posts = $run->posts), 1, 'and one rerun';
};

subtest 'the contract' => sub {
    my ($github, $service) = world(COMMANDS => 'no');
    for my $event (comment_event(body => '/rerun'), button_event(run_id => 1)) {
        my $name = $event->{check_run} ? 'check_run' : 'issue_comment';
        is $service->http->send(delivery($event, event => $name))->status, 204, "$name is 204 unless switched on";
        is $service->http->send(delivery('{', event => $name))->status, 204, "$name that is no JSON, too";
    }
    $service->restart(COMMANDS => 'yes');
    my $event = comment_event(body => '/rerun');
    is $service->http->send(delivery($event, event => 'issue_comment', key => 'another-key-than-ours'))->status, 403, 'a wrong signature is 403';
    is $service->http->send(delivery($event, event => 'issue_comment', signature => undef))->status, 403, 'none is 403';
    is $service->http->send(delivery({ zen => 'x', hook_id => 1 }, event => 'ping'))->status, 204, 'ping is 204';
    is $service->http->send(delivery($event, event => 'issues'))->status, 204, 'other events are 204';
    is $service->http->send(delivery('{"action":', event => 'issue_comment'))->status, 400, 'no JSON is 400';
    is $service->http->send(delivery('null', event => 'issue_comment'))->status, 204, 'null is 204';
    is $service->http->send(delivery('{}', event => 'check_run'))->status, 204, 'nothing in it is 204';
    is $service->http->send(delivery({ comment => 5, action => 'created' }, event => 'issue_comment'))->status, 400, 'a comment that is none is 400';
    delete $event->{comment}{id};
    is $service->http->send(delivery($event, event => 'issue_comment'))->status, 400, 'one without a number is 400';
    $event = button_event(run_id => 'x');
    is $service->http->send(delivery($event, event => 'check_run'))->status, 400, 'a button of no run is 400';
    is $service->http->send(delivery(button_event(run_id => 5, action => 'created'), event => 'check_run'))->status, 202, 'a check run that is made is 202';
    is $service->http->send(delivery(comment_event(body => 'x' x 50_000), event => 'issue_comment', form => 1))->status, 202, 'a form is taken, too';
};

subtest 'what is left stays left' => sub {
    my ($github, $service) = world(NO_RETRY_LIST => 'robot', NO_RETRY_WORKFLOWS => 'Deploy*', NO_RETRY_REPOS => 'octo/left', REPO_BRANCHES => 'main');
    my $robot = failed_run($service, name => 'By a robot', actor => 'robot');
    my $deploy = failed_run($service, name => 'Deploy it');
    my $waits = failed_run($service, name => 'Approval');
    $waits->finish('action_required', event => 1);
    my $run = failed_run($service, name => 'CI', head_branch => 'topic');
    asked($service, '/rerun', 'rocket');
    wait_ok { $run->accepted } 'one that nothing names is rerun, whatever its branch';
    asked($service, '/rerun all', 'confused');
    is scalar($_->posts), 0, 'left: ' . $_->truth->{name} for $robot, $deploy, $waits;
};

subtest 'deployments' => sub {
    my $policy = tmpdir() . '/policy.yml';
    open my $file, '>', $policy or die $!;
    print $file "version: 1\notherwise: leave\nrules: [{ leave: all }]\nguards: { superseded: rerun, closed: rerun, merge-queue: rerun, concurrency: rerun }\n";
    close $file;
    my ($github, $service) = world(POLICY => $policy, EVIDENCE => 'never', RUN_ATTEMPTS => 3);
    my $run = failed_run($service, name => 'Publish it');
    my $good = failed_run($service, name => 'CI');
    asked($service, '/rerun', 'rocket');
    wait_ok { $good->accepted } 'no rule is asked for what a person wants';
    ok $service->log->wait_entry('decision', run => $run->id, reason => 'deployment'), 'the guard of deployments is';
    is scalar($run->posts), 0, 'and holds';
};

subtest 'a closed pull request' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA, state => 'closed');
    asked($service, '/rerun', 'confused');
    is scalar($run->posts), 0, 'nothing is rerun';
    ok $service->log->wait_entry('command', verdict => 'closed'), 'the log tells why';
};

subtest 'GitHub fails' => sub {
    my ($github, $service) = world();
    my $run = failed_run($service);
    $github->script(GET => '/collaborators/', { status => 502, body => {} }, 2);
    $github->script(GET => '/pulls/7', { cut => 1 }, 1);
    $github->script(GET => '/actions/runs$', { status => 500, body => { message => 'Server Error' } }, 1);
    $github->script(POST => '/reactions$', { effect => 1, cut => 1 }, 1);
    asked($service, '/rerun', 'rocket');
    wait_ok { $run->accepted } 'rerun in the end';
    wait_ok { 2 <= $github->requests('POST', '/reactions$') } 'the reaction is set again';
    $github->script(POST => '/issues/7/comments$', { effect => 1, cut => 1 }, 1);
    asked($service, '/rerun why', 'eyes');
    wait_ok { $github->requests('GET', '/issues/7/comments$') } 'a comment whose answer was lost is looked for';
    asked($service, '/rerun', 'confused');
    is scalar(my @ours = grep { $_->{login} eq 'rerun-bot' } $github->comments), 1, 'and not written twice';
    is scalar(my @posts = $run->posts), 1, 'one rerun';
};

subtest 'GitHub hangs on commands' => sub {
    my ($github, $service) = world(RUN_ATTEMPTS => 2, API_READS => 1);
    $github->script(GET => '/collaborators/', { hang => 1 }, 100);
    say($service, '/rerun');
    wait_ok { $github->requests('GET', '/collaborators/') } 'a command is under way';
    my @runs = map { failed_run($service, name => "Run $_") } 1 .. 3;
    wait_ok { 3 == grep { $_->accepted } @runs } 'runs are rerun meanwhile';
    is $service->log->count('calls-stopped') + $service->log->count('calls-fail'), 0, 'and that says nothing of other calls';
};

sub kill_dispatcher {
    my ($service, $file) = @_;
    my $pid = wait_for { $service->dispatcher_at($file) };
    ok $pid, 'the dispatcher is at the point' or return;
    $service->expect_death;
    kill 'KILL', $pid;
    return wait_ok { ($service->dispatcher // $pid) != $pid } 'killed, and replaced';
}

for my $point (qw(before-command command-done before-reaction)) {
    subtest "killed at $point" => sub {
        my $file = tmpdir() . '/stop' . ++$files;
        my ($github, $service) = world(JR_TEST_STOP_AT => "$point:$file");
        my $run = failed_run($service);
        my ($answer, $id) = say($service, '/rerun');
        is $answer->status, 202, 'taken';
        kill_dispatcher($service, $file);
        wait_ok { $run->accepted } 'it is rerun';
        reaction_is($service, $id, 'rocket', 'and answered');
        asked($service, '/rerun', 'confused');
        is scalar(my @posts = $run->posts), 1, 'once';
        is $service->log->count('rerun-asked'), 1, 'asked for once';
    };
}

for my $point (qw(before-saying after-saying)) {
    subtest "killed at $point" => sub {
        my $file = tmpdir() . '/stop' . ++$files;
        my ($github, $service) = world(JR_TEST_STOP_AT => "$point:$file");
        my $run = failed_run($service);
        say($service, '/rerun why');
        kill_dispatcher($service, $file);
        wait_ok { grep { $_->{login} eq 'rerun-bot' } $github->comments } 'it is said';
        asked($service, '/rerun stop', 'rocket');
        is scalar(my @ours = grep { $_->{login} eq 'rerun-bot' } $github->comments), 1, 'once';
    };
}

# A GitHub with an App, and a service whose check runs have buttons.
sub world_of_buttons {
    my $github = github(tokens => [JR::Service::token()]);
    my %settings = $github->new_app;
    $github->put_installation(11, account => 'octo', permissions => { actions => 'write', metadata => 'read', checks => 'write', pull_requests => 'write' });
    $github->set_permission('octo/app', 'octocat', 'write');
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA, head_ref => 'topic');
    my $service = service(github => $github, %settings, %QUICK, RUN_ATTEMPTS => 1, COMMANDS => 'yes', REPORT => 'check')->start;
    return ($github, $service);
}

# The buttons of a run's check run, once that is completed.
sub buttons_are {
    my ($github, $run, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($check, $told);
    wait_for {
        ($check) = grep { $_->{external_id} eq $run->id } $github->checks;
        $told = join ' ', map { $_->{identifier} } @{ ($check // {})->{actions} // [] };
        $check && $check->{status} eq 'completed' && $told eq $want;
    };
    is $told, $want, $name;
    return $check;
}

sub press {
    my ($service, $run, %o) = @_;
    return $service->http->send(delivery(button_event(run_id => $run->id, app => 4711, %o), event => 'check_run'));
}

sub pressed {
    my ($service, $run, $want, %o) = @_;
    my $before = $service->log->count('command');
    is press($service, $run, %o)->status, 202, 'somebody presses it';
    wait_for { $service->log->count('command') > $before };
    my @told = $service->log->find('command');
    return is $told[-1]{verdict}, $want, $want;
}

subtest 'a button' => sub {
    my ($github, $service) = world_of_buttons();
    my $run = failed_run($service, head_branch => 'topic');
    my $check = buttons_are($github, $run, 'rerun-1 all-1 stop-1', 'the check run has buttons');
    is scalar(grep { length $_->{label} > 20 || length $_->{description} > 40 || length $_->{identifier} > 20 } @{ $check->{actions} }), 0, 'as short as they have to be';
    like press($service, $run, app => 99)->header('X-Rerun-Reason'), qr/^nothing-asked;/, "a button of another App's does nothing";
    pressed($service, $run, 'not-allowed', sender => 'stranger');
    pressed($service, $run, 'stale', attempt => 2);
    is scalar($run->posts), 0, 'nothing is rerun';
    pressed($service, $run, 'done');
    wait_ok { $run->accepted } 'octocat may';
    $run->play(build => 'failure');
    buttons_are($github, $run, 'rerun-2 all-2 stop-2', 'the next attempt has others');
    pressed($service, $run, 'stale', verb => 'all');
    is scalar(my @posts = $run->posts), 1, 'that of the attempt before does nothing';
    pressed($service, $run, 'done', verb => 'stop');
    pressed($service, $run, 'done', attempt => 2);
    wait_ok { $run->posts == 2 } 'that of the newest does';
    $run->play(build => 'success');
    buttons_are($github, $run, '', 'where nothing has failed there is none');
};

subtest 'a button of another commit' => sub {
    my ($github, $service) = world_of_buttons();
    my $run = failed_run($service, head_branch => 'topic');
    my $push = failed_run($service, head_branch => 'main', event => 'push', name => 'Push');
    my $left = failed_run($service, head_branch => 'topic', name => 'Deploy');
    buttons_are($github, $run, 'rerun-1 all-1 stop-1', 'there are buttons');
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => 'b' x 40, head_ref => 'topic');
    pressed($service, $run, 'stale', verb => $_) for qw(rerun all stop);
    pressed($service, $push, 'done');
    wait_ok { $push->accepted } 'a run of no pull request is rerun';
    is scalar($run->posts), 0, 'that of an old commit is not';
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA, head_ref => 'topic', state => 'closed');
    pressed($service, $run, 'closed');
    $service->restart(NO_RETRY_WORKFLOWS => 'Deploy');
    my $none = failed_run($service, head_branch => 'topic', name => 'Deploy');
    pressed($service, $left, 'nothing-to-do') if $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA, head_ref => 'topic');
    is scalar(grep { $_->{external_id} eq $none->id && @{ $_->{actions} // [] } } $github->checks), 0, 'what is never rerun has no buttons';
};

subtest 'plain CGI' => sub {
    my $github = github(tokens => [JR::Service::token()]);
    $github->put_pull(repo => 'octo/app', number => 7, head_sha => $SHA);
    $github->set_permission('octo/app', 'octocat', 'write');
    my $alone = service(github => $github, %QUICK, RERUN_DELAY => '2m', RUN_ATTEMPTS => 1, COMMANDS => 'yes');
    my $door = $alone->cgi;
    my $run = failed_run($alone, door => $door);
    my $comment = $github->put_comment(repo => 'octo/app', number => 7, login => 'octocat', body => '/rerun');
    is $door->send(delivery(comment_event(body => '/rerun', comment_id => $comment->{id}), event => 'issue_comment'))->status, 202, 'taken';
    wait_ok { $run->accepted } 'rerun by who is left behind';
    reaction_is($alone, $comment->{id}, 'rocket', 'and answered');
    ok $door->wait_children, 'nobody stays';
};

subtest 'as plain CGI, GitHub hangs on commands' => sub {
    my $github = github(tokens => [JR::Service::token()]);
    $github->script(GET => '/collaborators/', { hang => 1 }, 100);
    my $alone = service(github => $github, %QUICK, RUN_ATTEMPTS => 1, COMMANDS => 'yes', LOG_LEVEL => 'debug');
    my $door = $alone->cgi;
    is $door->send(delivery(comment_event(body => '/rerun'), event => 'issue_comment'))->status, 202, 'taken';
    wait_ok { $github->requests('GET', '/collaborators/') } 'GitHub is asked';
    ok $door->wait_children, 'the child leaves';
    is scalar(JR::Log->new($door->log)->find('command')), 0, 'without waiting for an answer: others may rerun';
};

subtest 'permissions and events' => sub {
    my $github = github(tokens => [JR::Service::token()]);
    my %settings = $github->new_app(events => ['workflow_job', 'workflow_run']);
    my %all = (actions => 'write', metadata => 'read', pull_requests => 'write');
    $github->put_installation(11, account => 'octo', permissions => \%all);
    my $service = service(github => $github, %settings, %QUICK, COMMANDS => 'no', RUN_ATTEMPTS => 2)->start;
    my $run = failed_run($service);
    wait_ok { $run->accepted } 'rerun';
    is +($github->requests('POST', 'access_tokens'))[-1]{body}, '{"permissions":{"actions":"write"}}', 'without it no permission is asked for';
    $service->restart(COMMANDS => 'yes');
    $run = failed_run($service, name => 'Lint');
    wait_ok { $run->accepted } 'rerun';
    is +($github->requests('POST', 'access_tokens'))[-1]{body}, '{"permissions":{"actions":"write","pull_requests":"write"}}', 'with it one';
    my %tool = (%{ $service->{env} }, GITHUB_API_URL => $github->url, GITHUB_SIGN_KEY => JR::Service::sign_key(), STATE_DIR => $service->state_dir, COMMANDS => 'yes');
    my $check = tool(['check', '--online', 'octo/app'], %tool);
    like $check->{out}, qr/^events +NO: .*not told of comments/m, 'check --online compares the events';
    like $check->{out}, qr/^commands +can be answered/m, 'and the permission';
    $github->put_installation(11, permissions => { actions => 'write', metadata => 'read' });
    $check = tool(['check', '--online', 'octo/app'], %tool);
    like $check->{out}, qr/^commands +NO: /m, 'that is missing';
    unlike tool(['check', '--online', 'octo/app'], %tool, COMMANDS => 'no')->{out}, qr/^(?:events|commands)/m, 'only with COMMANDS';
};

subtest 'a dry run' => sub {
    my ($github, $service) = world(DRY_RUN => 'yes');
    my $run = failed_run($service);
    my ($answer) = say($service, '/rerun');
    is $answer->status, 202, 'it is taken';
    ok $service->log->wait_entry('decision', run => $run->id, reason => 'dry-run'), 'and would have been rerun';
    is scalar($github->requests('POST')), 0, 'nothing is written at GitHub';
};

finish();
