# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub::Server -- HTTP, the control socket, the record of requests
# and the bad days of the fake GitHub. What the API means is in Actions, what the
# host of logs does in Logs.
#
# A bad day is a rule with an `act`:
#   effect => 1         first do what the request asks for
#   after => S          answer so many seconds later; 'told': when the test says so (tell)
#   status, body, headers   then answer this, or (an X-RateLimit-Reset of `+N': N seconds after Date)
#   cut => 1            close without an answer, or
#   hang => 1           never answer, or
#   huge => N           answer 200 with N bytes
#   echo => 1           show the Authorization that came, in message and Location

package JR::FakeGitHub::Server;

use strict;
use warnings;
use IO::Select;
use JSON::PP ();
use POSIX qw(strftime);
use Time::HiRes qw(time);
use JR::FakeGitHub::Actions;
use JR::Message qw(pack_message unpack_message);

my $JSON = JSON::PP->new->canonical->utf8;

sub new {
    my ($class, %o) = @_;
    return bless {
        actions  => JR::FakeGitHub::Actions->new(tokens => $o{tokens}),
        requests => [],
        of_logs  => {},
        log_requests => [],
        rules    => [],
        headers  => {},
        input    => {},
        control  => {},
        holds    => {},
        late     => [],
        after    => 0,
    }, $class;
}

# Serve until the parent is gone.
sub serve {
    my ($self, $api, $logs, $control, $parent) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $select   = $self->{select}   = IO::Select->new($api, $logs, $control);
    my $controls = $self->{controls} = IO::Select->new($control);
    while (getppid == $parent) {
        $self->answer_late;
        for my $handle ((%{ $self->{holds} } ? $controls : $select)->can_read($self->wait_s)) {
            if ($handle == $api || $handle == $logs || $handle == $control) {
                my $new = $handle->accept or next;
                $new->autoflush(1);
                $self->{input}{$new} = '';
                $select->add($new);
                $self->{of_logs}{$new} = 1 if $handle == $logs;
                next if $handle != $control;
                $self->{control}{$new} = 1;
                $controls->add($new);
            }
            else {
                $self->read_from($handle);
            }
        }
    }
    return;
}

# Until the next late answer is due.
sub wait_s {
    my ($self) = @_;
    my ($first) = sort { $a <=> $b } map { $_->{due} } @{ $self->{late} };
    return 1 if !defined $first || $first > time + 1 || %{ $self->{holds} };
    return $first > time ? $first - time : 0;
}

sub answer_late {
    my ($self) = @_;
    return if %{ $self->{holds} };
    my @due = sort { $a->{due} <=> $b->{due} } grep { $_->{due} <= time } @{ $self->{late} };
    for my $late (@due) {
        $self->{late} = [grep { $_ != $late } @{ $self->{late} }];
        my $handle = $late->{handle};
        next if !$self->send_answer($handle, @$late{qw(request answer)});
        while (my $request = take_request(\$self->{input}{$handle})) {
            $self->answer($handle, $request) or last;
        }
    }
    return;
}

sub read_from {
    my ($self, $handle) = @_;
    my $n = sysread $handle, $self->{input}{$handle}, 65536, length $self->{input}{$handle};
    return $self->drop($handle) if !$n;
    if ($self->{control}{$handle}) {
        my $message = unpack_message($self->{input}{$handle});
        $self->answer_control($handle, $message) if $message;
        return;
    }
    while (my $request = take_request(\$self->{input}{$handle})) {
        $self->answer($handle, $request) or return;
    }
    return;
}

sub drop {
    my ($self, $handle) = @_;
    delete $self->{$_}{$handle} for qw(input control of_logs);
    delete $self->{holds}{$handle};
    $self->{late} = [grep { $_->{handle} != $handle } @{ $self->{late} }];
    $self->{$_}->remove($handle) for qw(select controls);
    close $handle;
    return;
}

# One complete request off the front of the buffer.
sub take_request {
    my ($buffer) = @_;
    my ($head) = $$buffer =~ /^(.*?\r\n)\r\n/s or return;
    my ($line, @lines) = split /\r\n/, $head;
    my ($method, $target) = $line =~ m{^(\S+) (\S+) HTTP/1\.[01]$} or die "not a request: $line";
    my %headers;
    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
        $name = lc $name;
        $headers{$name} = exists $headers{$name} ? "$headers{$name}, $value" : $value;
    }
    my $length = $headers{'content-length'} // 0;
    my $start  = length($head) + 2;
    return if length $$buffer < $start + $length;
    my ($path, $query) = split /\?/, $target, 2;
    my %request = (
        method => $method, target => $target, path => $path, query => $query // '',
        headers => \%headers, raw_head => $head, time => time,
        body => substr $$buffer, $start, $length,
    );
    substr $$buffer, 0, $start + $length, '';
    return \%request;
}

# True when the connection may carry another request, now.
sub answer {
    my ($self, $handle, $request) = @_;
    my $of_logs = $self->{of_logs}{$handle};
    push @{ $self->{ $of_logs ? 'log_requests' : 'requests' } }, $request;
    $request->{of_logs} = 1 if $of_logs;
    my $act = $self->next_act($request);
    my $answer;
    my $host = $of_logs ? $self->{actions}{logs} : $self->{actions};
    $answer = $host->answer($request) if !$act || $act->{effect};
    # Late, but as it should be.
    $answer = $act->{after} && $act->{effect} ? { %$answer, %$act } : $act if $act;
    $answer = echo($act, $request) if $act && $act->{echo};
    $request->{status} = $answer->{status};
    # How many of its kind are unanswered, with this one.
    $request->{at_once} = 1 + grep { $_->{request}{method} eq $request->{method} } @{ $self->{late} };
    my $told  = ($answer->{after} // '') eq 'told';
    my $after = $answer->{hang} || $told ? 9**9 : $answer->{after} // $self->{after};
    return $self->send_answer($handle, $request, $answer) if !$after;
    push @{ $self->{late} }, { due => time + $after, handle => $handle, request => $request, answer => $answer, told => $told };
    return 0;
}

# True when the connection may carry another request.
sub send_answer {
    my ($self, $handle, $request, $answer) = @_;
    if ($answer->{cut}) {
        $self->drop($handle);
        return 0;
    }
    my ($head, $body) = $self->response($request, $answer);
    # At once where that can be: the kernel would hold back the second of two small pieces.
    my $sent = $answer->{before}
        ? (print {$handle} $head) && JR::FakeGitHub::Logs::filling(@$answer{qw(at before)}, sub { print {$handle} $_[0] })
            && (print {$handle} $body)
        : print {$handle} $head . $body;
    return 1 if $sent && !$answer->{no_length} && lc($request->{headers}{connection} // '') ne 'close';
    $self->drop($handle);
    return 0;
}

sub echo {
    my ($act, $request) = @_;
    my ($came) = ($request->{headers}{authorization} // '') =~ /(\S+)$/;
    return {
        %$act, body => { message => "refused: Bearer $came, $came" },
        headers => { Location => "http://127.0.0.1:1/?$came" },
    };
}

sub next_act {
    my ($self, $request) = @_;
    for my $rule (@{ $self->{rules} }) {
        next if !$rule->{times} || $rule->{method} ne $request->{method};
        next if $request->{path} !~ /$rule->{path}/;
        $rule->{times}--;
        return $rule->{act};
    }
    return;
}

sub response {
    my ($self, $request, $answer) = @_;
    my $status  = $answer->{status} // 200;
    my $body    = $answer->{huge} ? 'x' x $answer->{huge} : $answer->{body} // '';
    $body = $JSON->encode($body) if ref $body;
    my %headers = (
        'Content-Type'   => 'application/json; charset=utf-8',
        'Content-Length' => length($body) + ($answer->{before} // 0),
        'Date'           => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $self->{actions}{apps}->now),
        $request->{of_logs} ? () : $self->{actions}->rate_headers($request),
        %{ $self->{headers} },
        %{ $answer->{headers} // {} },
    );
    ($headers{'X-RateLimit-Reset'} // '') =~ /^\+(\d+)$/ and $headers{'X-RateLimit-Reset'} = $self->{actions}{apps}->now + $1;
    delete $headers{'Content-Length'} if $answer->{no_length};
    my $head = join '', "HTTP/1.1 $status Fake\r\n", (map {"$_: $headers{$_}\r\n"} sort keys %headers), "\r\n";
    return ($head, $request->{method} eq 'HEAD' ? '' : $body);
}

# Commands of the test.
my %COMMAND = (
    requests       => sub { [$_[0]->requests_like($_[1])] },
    log_requests   => sub { $_[0]{log_requests} },
    forget_log_requests => sub { $_[0]{log_requests} = []; 1 },
    set_log_base   => sub { $_[0]{actions}{logs}->set_base($_[1]{base}) },
    set_log_host   => sub { $_[0]{actions}{logs}->set_how($_[1]{to}) },
    set_checks     => sub { $_[0]{actions}->set_checks($_[1]{has}) },
    set_group      => sub { $_[0]{actions}->set_group(@{ $_[1] }{qw(repo name runs)}) },
    put_pull       => sub { $_[0]{actions}->put_pull($_[1]{pull}) },
    put_file       => sub { $_[0]{actions}->put_file(@{ $_[1] }{qw(repo path text ref)}) },
    script         => sub { push @{ $_[0]{rules} }, $_[1]{rule}; 1 },
    set_after      => sub { $_[0]{after} = $_[1]{after}; 1 },
    tell           => sub { $_->{due} = 0 for grep { $_->{told} } @{ $_[0]{late} }; 1 },
    forget_scripts => sub { $_[0]{rules} = []; 1 },
    set_headers    => sub { $_[0]{headers} = $_[1]{headers}; 1 },
    put_run        => sub { $_[0]{actions}->put_run($_[1]{run}) },
    get_run        => sub { $_[0]{actions}->export_run($_[1]{id}) },
    set_run        => sub { $_[0]{actions}->set_run($_[1]{id}, $_[1]{to}) },
    set_job        => sub { $_[0]{actions}->set_job($_[1]{id}, $_[1]{name}, $_[1]{to}) },
    add_job        => sub { $_[0]{actions}->add_job($_[1]{id}, $_[1]{name}) },
    set_tokens     => sub { $_[0]{actions}{tokens} = $_[1]{tokens}; 1 },
    put_app        => sub { $_[0]{actions}{apps}->put_app($_[1]{app}) },
    put_installation    => sub { $_[0]{actions}{apps}->put_installation($_[1]{installation}) },
    remove_installation => sub { $_[0]{actions}{apps}->remove_installation($_[1]{id}) },
    revoke_tokens  => sub { $_[0]{actions}{apps}->revoke_tokens },
    checks         => sub { $_[0]{actions}{reports}{checks} },
    comments       => sub { $_[0]{actions}{reports}{comments} },
    put_comment    => sub { $_[0]{actions}{reports}->put_comment($_[1]{comment}) },
    set_permission => sub { $_[0]{actions}->set_permission(@{ $_[1] }{qw(repo login permission id)}) },
    lock_pull      => sub { $_[0]{actions}{reports}{locked}{ $_[1]{number} } = 1 },
    set_content_limit => sub { $_[0]{actions}{reports}{limit} = $_[1]{limit} },
    hold           => sub { $_[0]{holds}{ $_[2] } = 1 },
    set_clock      => sub { $_[0]{actions}{apps}{clock} = $_[1]{ahead_s}; 1 },
    shut_out       => sub { $_[0]{actions}{shut}{ lc $_[1]{name} } = $_[1]{words}; 1 },
    set_gone       => sub { $_[0]{actions}{gone}{ lc $_[1]{repo} } = $_[1]{gone}; 1 },
    move_repo      => sub { $_[0]{actions}->move_repo(@{ $_[1] }{qw(from to)}) },
    set_limit      => sub { $_[0]{actions}->set_limit($_[1]{to}) },
);

sub requests_like {
    my ($self, $want) = @_;
    my ($method, $path) = @$want{qw(method path)};
    return grep { (!defined $method || $_->{method} eq $method) && (!defined $path || $_->{path} =~ /$path/) }
        @{ $self->{requests} };
}

sub answer_control {
    my ($self, $handle, $message) = @_;
    my $result = eval {
        my $command = $COMMAND{ $message->{command} } or die "no command $message->{command}\n";
        { result => $command->($self, $message, $handle) };
    } // { error => "$@" };
    print {$handle} pack_message($result);
    $self->drop($handle) if !$self->{holds}{$handle};
    return;
}

1;
