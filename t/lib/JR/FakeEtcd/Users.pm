# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeEtcd::Users -- the users of the fake etcd: their passwords, roles and tokens, and what
# they may read and write. It refuses as etcd does, with a code of gRPC and words.

package JR::FakeEtcd::Users;

use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# Codes of gRPC.
use constant { INVALID => 3, DENIED => 7, NOT_NOW => 9, UNIMPLEMENTED => 12, UNKNOWN_TOKEN => 16 };

# users: name => { password, roles => { name => 1 } }; roles: name => [[from, end] ...];
# tokens: token => { user, due }. Nobody is asked who he is before `on`. A token that is not used is
# over after ttl_s.
sub new {
    my ($class, %o) = @_;
    return bless { on => 0, users => {}, roles => {}, tokens => {}, given => 0, ttl_s => $o{ttl_s} // 300 }, $class;
}

sub refuse { my ($code, $text) = @_; die [$code, "etcdserver: $text"] }

sub now_s { return clock_gettime(CLOCK_MONOTONIC) }

# --- who is it, and what may he do? ---

# The user whose token it is, who needs one; nothing: nobody is asked.
sub user_of {
    my ($self, $token) = @_;
    return if !$self->{on};
    refuse(INVALID, 'user name is empty') if !defined $token;
    my $known = $self->{tokens}{$token};
    refuse(UNKNOWN_TOKEN, 'invalid auth token') if !$known || $known->{due} <= now_s();
    $known->{due} = now_s() + $self->{ttl_s};
    return $self->{users}{ $known->{user} };
}

# Ranges: [key, end], end is '' for that key alone. Who names none needs no token, but no wrong one.
sub check_ranges {
    my ($self, $token, @ranges) = @_;
    return if !@ranges && !defined $token;
    my $user = $self->user_of($token) or return;
    return if $user->{roles}{root};
    my @granted = map { @{ $self->{roles}{$_} } } keys %{ $user->{roles} };
    for my $range (@ranges) {
        refuse(DENIED, 'permission denied') if !grep { is_within($range, $_) } @granted;
    }
    return;
}

sub is_within {
    my ($range, $granted) = @_;
    my ($key, $end) = @$range;
    my ($from, $to) = @$granted;
    return $key eq $from && !length $end if !length $to;
    return $key ge $from && (length $end ? $end le $to && $end ne "\0" : $key lt $to);
}

sub check_root {
    my ($self, $token) = @_;
    my $user = $self->user_of($token) or return;
    refuse(DENIED, 'permission denied') if !$user->{roles}{root};
    return;
}

# --- what is asked about them ---

sub enable {
    my ($self) = @_;
    my $root = $self->{users}{root} or refuse(NOT_NOW, 'root user does not exist');
    refuse(NOT_NOW, 'root user does not have root role') if !$root->{roles}{root};
    $self->{on} = 1;
    return;
}

# A token for a name and a password.
sub authenticate {
    my ($self, $asked) = @_;
    refuse(NOT_NOW, 'authentication is not enabled') if !$self->{on};
    my $user = $self->{users}{ $asked->{name} // '' };
    refuse(INVALID, 'authentication failed, invalid user ID or password') if !$user || $user->{password} ne ($asked->{password} // '');
    my $token = 'fake.' . ++$self->{given};
    $self->{tokens}{$token} = { user => $asked->{name}, due => now_s() + $self->{ttl_s} };
    return (token => $token);
}

sub user { my ($self, $name) = @_; return $self->{users}{$name} // refuse(NOT_NOW, 'user name not found') }
sub role { my ($self, $name) = @_; return $self->{roles}{$name} // refuse(NOT_NOW, 'role name not found') }

sub add_user {
    my ($self, $asked) = @_;
    refuse(INVALID, 'user name is empty') if !length $asked->{name};
    refuse(NOT_NOW, 'user name already exists') if $self->{users}{ $asked->{name} };
    $self->{users}{ $asked->{name} } = { password => $asked->{password} // '', roles => {} };
    return;
}

# All of the user's tokens are over.
sub change_password {
    my ($self, $asked) = @_;
    $self->user($asked->{name})->{password} = $asked->{password} // '';
    my $tokens = $self->{tokens};
    delete @$tokens{ grep { $tokens->{$_}{user} eq $asked->{name} } keys %$tokens };
    return;
}

sub add_role {
    my ($self, $asked) = @_;
    refuse(NOT_NOW, 'role name already exists') if $self->{roles}{ $asked->{name} };
    $self->{roles}{ $asked->{name} } = [];
    return;
}

# The role of root need not be there.
sub grant_role {
    my ($self, $asked) = @_;
    my $user = $self->user($asked->{user});
    $self->role($asked->{role}) if $asked->{role} ne 'root';
    $user->{roles}{ $asked->{role} } = 1;
    return;
}

# from, end: bytes
sub grant_range {
    my ($self, $name, $from, $end) = @_;
    push @{ $self->role($name) }, [$from, $end];
    return;
}

1;
