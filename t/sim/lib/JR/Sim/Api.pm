# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Api -- GitHub's API on a port of 127.0.0.1, on good and bad days.
#
# Of a scenario's `api`, chances for each request unless said otherwise:
#   get_error list_error       an error page instead of the answer
#   post_error post_error_late an error page before, after the effect
#   get_cut post_cut post_cut_late   the connection is cut instead
#   running                    a POST is refused as if the run was going on
#   never                      POSTs for this attempt are refused for good
#   ask_error ask_cut          the like for jobs of an attempt, annotations, links to logs
#   guard_error guard_cut      the like for what guards ask
#   odd                        a GET is answered with something else
#   moved                      a redirect to where the thing is now
#   slow                       [chance, least, most] seconds before the answer
#   hang                       how many requests in all are never answered
#   get_lag list_lag           seconds by which answers are out of date
#   kill kill_late             the dispatcher is killed before, after a POST's effect
#   kill_get                   and while it asks
#   limits tokens              [every, for] seconds: rate limits, a token not taken

package JR::Sim::Api;

use strict;
use warnings;
use parent 'JR::Sim::Listener';
use JSON::PP ();
use Time::HiRes qw(time);
use JR::FakeGitHub::Actions;
use JR::Sim::Guards;
use JR::Sim::Report;

my $JSON = JSON::PP->new->canonical->utf8;

my $PROBLEM = \&JR::FakeGitHub::Actions::problem;

# What GitHub will say again, however often it is asked.
my @NEVER = (
    sub { $PROBLEM->(403, 'Resource not accessible by personal access token', 'X-Accepted-GitHub-Permissions' => 'actions=write') },
    sub { $PROBLEM->(403, 'Must have admin rights to Repository.') },
    sub { $PROBLEM->(403, 'This workflow is disabled') },
    sub { $PROBLEM->(404, 'Not Found') },
    sub { $PROBLEM->(422, 'Unprocessable') },
);

# Calls that find out why a run failed.
my $EVIDENCE = qr/^(?:jobs|notes|link)$/;

use constant CUT_S => .1;    # from one look whether a door is healed to the next

my $HTML = '<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>';

# loop, dice, github, way (the scenario's `api`); hosts: how many there are, each with a port of its own;
# kill->() kills the dispatcher, may_kill->() says whether it may be killed now; plan_log->(run, job) decides about a log that
# GitHub is asked for
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, way => $o{way} // {}, input => {}, count => {}, calls => {}, hung => [] }, $class;
    $self->listen($o{hosts});
    @{ $self->{github} }{qw(get_lag list_lag)} = map { $self->{way}{$_} // 0 } qw(get_lag list_lag);
    return $self;
}

sub what {
    my ($request) = @_;
    local $_ = $request->{path};
    return
          m{^/app(?:/|$)|/installation$} ? 'app'
        : JR::Sim::Report::is_call($request) ? 'report'
        : $request->{method} eq 'POST'  ? 'post'
        : JR::Sim::Guards::route($request) ? 'guard'
        : m{/attempts/\d+/jobs$}        ? 'jobs'
        : m{/annotations$}              ? 'notes'
        : m{/logs$}                     ? 'link'
        : m{/runs/\d+}                  ? 'get'
        : m{rate_limit}                 ? 'probe'
        :                                 'list';
}

# The run that a request is about, and the job.
sub subject {
    my ($self, $request) = @_;
    my $github = $self->{github};
    return $github->{runs}{$1} if $request->{path} =~ m{/runs/(\d+)};
    return @{ $github->{by_job}{$1} // [] } if $request->{path} =~ m{/(?:jobs|check-runs)/(\d+)/};
    return;
}

sub handle {
    my ($self, $socket, $request) = @_;
    my ($run, $job) = $self->subject($request);
    my $what = what($request);
    $self->{calls}{$what}++;
    $self->{last_call} = time;
    @$request{qw(what run job)} = ($what, $run, $job);
    $self->{plan_log}->($run, $job) if $what eq 'link' && $job && $job->{why};
    my ($act, $why) = $self->act($request);
    my $answer;
    $request->{made} = time;
    $request->{hits} = $run->{attempt} if $run;
    $answer = $self->{github}->answer($request) if !$act || $act->{effect};
    $answer = $act if $act;
    $self->note($request, $answer, $why);
    $self->{kill}->() if $act && $act->{kill};
    return if $act && $act->{hang} && push @{ $self->{hung} }, $socket;
    return $self->drop($socket) if $answer->{cut};
    my $slow = $self->{way}{slow};
    if ($slow && $self->{dice}->chance($slow->[0], $self->about($request), 'slow')) {
        my $wait = $self->{dice}->between(@$slow[1, 2], $self->about($request), 'how slow');
        return $self->{loop}->after($wait, sub { $self->reply($socket, $request, $answer) });
    }
    return $self->reply($socket, $request, $answer);
}

# What a throw for this request is about.
sub about {
    my ($self, $request) = @_;
    my $run = $request->{run};
    my $n = $request->{nth} //= $run ? ++$run->{calls}{ $request->{what} } : ++$self->{count}{ $request->{what} };
    return ($request->{what}, $run ? $run->{n} : '', $n);
}

sub error_page {
    my ($self, @about) = @_;
    my $status = $self->{dice}->pick([500, 502, 503, 504], @about, 'status');
    return (status => $status, body => $status == 500 ? { message => 'Server Error' } : $HTML);
}

# The bad day of this request: what is done instead, and its name.
sub act {
    my ($self, $request) = @_;
    my ($way, $dice) = @$self{qw(way dice)};
    my $what  = $request->{what};
    my @about = $self->about($request);
    my $luck  = sub { $dice->chance($way->{ $_[0] } // 0, @about, $_[0]) };
    if (my $stop = $self->stopped($request)) { return @$stop }
    return JR::Sim::Report::act($self, $request, @about) if $what eq 'report';
    if (($way->{hang} // 0) > @{ $self->{hung} } && $what =~ /get|post/ && $dice->chance(.05, @about, 'hang')) {
        return ({ hang => 1, effect => $what eq 'post' }, 'hangs');
    }
    if ($what eq 'post') {
        my $run = $request->{run};
        if ($run && $dice->chance($way->{never} // 0, $run->{n}, $run->{attempt}, 'never')) {
            $run->{refused}{ $run->{attempt} } = 1;
            return ($dice->pick(\@NEVER, $run->{n}, $run->{attempt}, 'answer')->(), 'refused for good');
        }
        return ({ kill => 1, cut => 1 }, 'the dispatcher is killed before the effect') if $luck->('kill') && $self->{may_kill}->();
        return ({ kill => 1, cut => 1, effect => 1 }, 'the dispatcher is killed after the effect') if $luck->('kill_late') && $self->{may_kill}->();
        return ({ cut => 1 }, 'cut before the effect') if $luck->('post_cut');
        return ({ cut => 1, effect => 1 }, 'cut after the effect') if $luck->('post_cut_late');
        return ({ $self->error_page(@about) }, 'error before the effect') if $luck->('post_error');
        return ({ $self->error_page(@about), effect => 1 }, 'error after the effect') if $luck->('post_error_late');
        return (JR::FakeGitHub::Actions::problem(403, 'This workflow is already running'), 'refused for now')
            if $luck->('running');
    }
    return ({ kill => 1, cut => 1 }, 'the dispatcher is killed') if $what ne 'post' && $luck->('kill_get') && $self->{may_kill}->();
    return ({ cut => 1 }, 'cut') if ($what eq 'get' && $luck->('get_cut')) || ($what =~ $EVIDENCE && $luck->('ask_cut'))
        || ($what eq 'guard' && $luck->('guard_cut'));
    return ({ $self->error_page(@about) }, 'error')
        if ($what eq 'get' && $luck->('get_error')) || ($what eq 'list' && $luck->('list_error'))
        || ($what =~ $EVIDENCE && $luck->('ask_error')) || ($what eq 'guard' && $luck->('guard_error'));
    if ($what =~ /get|post/ && $request->{query} !~ /moved/ && $luck->('moved')) {
        my $target = "$request->{path}?moved=1";
        $target = $self->url($request->{door}) . $target if $dice->chance(.5, @about, 'absolute');
        return ({ status => $what eq 'post' ? 307 : 301, headers => { Location => $target }, body => {} }, 'moved');
    }
    if ($what eq 'get' && $luck->('odd')) {
        my $body = $dice->pick([$HTML, '', '{}', '[]', 'null', '{"id":', 'x' x 3_000_000], @about, 'odd');
        return ({ status => 200, body => $body }, 'an odd answer');
    }
    return;
}

# Times in which nothing is answered: [every, for] seconds.
sub is_time_of {
    my ($self, $name) = @_;
    my $way = $self->{way}{$name} or return;
    my ($every, $for) = @$way;
    my $since = time - ($self->{began} //= time);
    return if $since < $every || $self->{over};
    my $turn = int($since / $every);
    return $since - $turn * $every < $for && $turn;
}

sub stopped {
    my ($self, $request) = @_;
    return if $request->{what} eq 'probe' && !$self->is_time_of('tokens');
    if (my $turn = $self->is_time_of('limits')) {
        my $docs = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';
        return [{
            status => 403, headers => { 'Retry-After' => 1 },
            body => { message => 'You have exceeded a secondary rate limit.', documentation_url => "$docs#about-secondary-rate-limits" },
        }, 'secondary rate limit'] if $turn % 2;
        return [{
            status => $turn % 4 ? 403 : 429,
            headers => { 'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => int(time + 1) },
            body => { message => 'API rate limit exceeded for user ID 1.', documentation_url => $docs },
        }, 'primary rate limit'];
    }
    return [JR::FakeGitHub::Actions::problem(401, 'Bad credentials'), 'the token is not taken']
        if $self->is_time_of('tokens');
    return;
}

sub reply {
    my ($self, $socket, $request, $answer) = @_;
    return if !defined fileno $socket;
    return $self->{loop}->after(CUT_S, sub { $self->reply($socket, $request, $answer) }) if $self->is_cut($request->{door});
    my $body = $answer->{body} // '';
    $body = $JSON->encode($body) if ref $body;
    my %headers = (
        'Content-Type' => 'application/json; charset=utf-8', 'Content-Length' => length $body,
        $self->{github}->rate_headers, %{ $answer->{headers} // {} },
    );
    my $status = $answer->{status} // 200;
    local $SIG{PIPE} = 'IGNORE';
    print {$socket} join '', "HTTP/1.1 $status Sim\r\n", (map {"$_: $headers{$_}\r\n"} sort keys %headers), "\r\n", $body;
    $self->drop($socket) if lc($request->{headers}{connection} // '') eq 'close';
    return;
}

# For the judge: what was asked, and what came of it.
sub note {
    my ($self, $request, $answer, $why) = @_;
    return $self->note_guard($request, $answer, $why) if $request->{what} eq 'guard';
    $self->{last_ask} = time if $request->{what} eq 'report';
    $self->{asking}->note($request) if $self->{asking};
    my $run = $request->{run} or return;
    my $shown = $request->{shown};
    my $status = $answer->{status} // 'none';
    my $who = @{ $self->{doors} } > 1 ? ' by host-' . (1 + $request->{door}) : '';
    push @{ $run->{story} }, [time, uc $request->{what} . "$who $request->{path} -> $status"
        . ($why ? " ($why)" : '')
        . ($shown && !$why ? " shows attempt $shown->{attempt} $shown->{status} " . ($shown->{conclusion} // '')
            . ($shown->{stale} ? ', out of date' : '') : '')
        . ($request->{effect} ? ', rerun made' : '')];
    $self->{last_ask} = time if $run->{status} eq 'completed' && $request->{what} ne 'list';
    return $self->note_evidence($request, $status, $why) if $request->{what} =~ $EVIDENCE;
    if ($request->{what} eq 'get') {
        # What the service goes by, with the truth of that moment.
        $run->{basis}[$request->{door}] = { %$shown, asked_at => $request->{made}, true_attempt => $run->{attempt}, true_status => $run->{status} }
            if $shown && !$why;
        return;
    }
    my $basis = $run->{basis}[$request->{door}];
    my $n = ($basis // {})->{attempt} // 0;
    push @{ $run->{posts} }, {
        at => time, status => $status, why => $why, accepted => !!$request->{effect}, told => !$why,
        basis => $basis, door => $request->{door}, hits => $request->{hits}, path => $request->{path}, body => $answer->{body}, asked => { %{ $run->{asked} // {} } },
        vain => { %{ $run->{vain} // {} } }, guard_failures => $run->{guard_failures}{$n} // 0, groups_asked => $run->{groups_asked},
    };
    return;
}

# What was asked of what is around a run: of a list, all runs that it tells of are meant.
sub note_guard {
    my ($self, $request, $answer, $why) = @_;
    my $around = $self->{github}{around};
    my @runs = $why ? $around->note_failure($request) : $around->note($request, $self->{github}{list_lag});
    my $status = $answer->{status} // 'none';
    push @{ $_->{story} }, [time, "GUARD $request->{path}?$request->{query} -> $status" . ($why ? " ($why)" : '')] for @runs;
    $self->{last_ask} = time;
    return;
}

# What the last answer has shown is what the service knows.
sub note_evidence {
    my ($self, $request, $status, $why) = @_;
    my $told = $why ? 'unreadable' : $status == 200 ? 'found' : $status == 404 ? 'absent' : 'unreadable';
    if (my $job = $request->{job}) {
        $job->{"$request->{what}_told"} = !$why && $status == 302 ? 'found' : $told;
    }
    elsif (my ($n) = $request->{path} =~ m{/attempts/(\d+)/jobs$}) {
        my $attempt = $request->{run}{attempts}[$n - 1];
        $attempt->{jobs_told} = $told if $attempt;
    }
    return;
}

1;
