#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The documents keep step with the program: settings, their defaults and ranges,
# reasons, status codes, log events and their fields, sub-commands and the include rule;
# the tables that are made from the program's are as it makes them; links and names of
# files lead somewhere; and the request by hand works as it stands there, twice, and is
# answered so.  (The labels of metrics: metrics.t; the example of settings: conf.t; what
# administrators are told to do: operations.t.)

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Document qw(section titles code anchor links);
use JR::File qw(read_file);
use JR::Log;
use JR::Process qw(spawn reap);
use JR::Response;
use JR::Test;

my $top     = srcdir();
my $readme  = read_file("$top/README");
my $hacking = read_file("$top/HACKING");
my %page    = map { m{/(doc/[^/]+\.md)$} => read_file($_) } glob "$top/doc/*.md";
my %manual  = map { m{/(doc/[^/]+)$} => read_file($_) } glob "$top/doc/*.[578]";
my $manual  = $manual{'doc/job-rerunner.8'};
my $help    = tool(['--help']);
is $help->{status}, 0, '--help: exit 0';

# What stands under a title of a manual page, up to the next.
sub manual_section {
    my ($title, $text) = @_;
    return ($text // $manual) =~ /^\.S[hs] \Q$title\E\n(.*?)(?=^\.Sh |\z)/ms ? $1 : '';
}

# The sources in the rooms of lib/ and fcgi/, and what stands above them.
sub sources { return glob "$top/{lib,fcgi}/*/*.[ch] $top/fcgi/main.c" }

# The same words, whatever their order?
sub same_set {
    my ($got, $want, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is join("\n", sort @$got), join("\n", sort @$want), $name;
}

subtest 'settings' => sub {
    my ($table) = $help->{out} =~ /^settings.*?:\n((?:  .*\n)+)/m;
    my %default = map { /^  ([A-Z_]+) .*?(?: \[([^\]]+)\])?$/ ? ($1 => $2 // '') : () } split /\n/, $table // '';
    cmp_ok scalar keys %default, '>', 20, '--help has a table';

    my %in_page = map { /^\| `([A-Z_]+)` \|(?: `([^`]+)`)? \|/ ? ($1 => $2 // '') : () } split /\n/, $page{'doc/settings.md'};
    same_set [keys %in_page], [keys %default], 'the page has the same settings';
    my $list = manual_section('SETTINGS', $manual{'doc/job-rerunner.conf.5'});
    my %in_manual = map { /^\.It Ev ([A-Z_]+)(?: Pq (.+))?$/ ? ($1 => $2 // '') : () } split /\n/, $list;
    same_set [keys %in_manual], [keys %default], 'so has the manual page';
    for my $name (sort keys %default) {
        is $in_page{$name}, $default{$name}, "$name: default on the page";
        is $in_manual{$name}, $default{$name}, "$name: default in the manual page";
    }

    my $said = tool(['check'], map { $_ => 'x' } keys %default)->{err};
    my %range = $said =~ /^([A-Z_]+): 'x' is not a .*; allowed is (\S+ to [^\s,]+)/mg;
    cmp_ok scalar keys %range, '>', 10, 'the program tells ranges';
    my %item = $list =~ /^\.It Ev ([A-Z_]+)[^\n]*\n(.*?)(?=^\.It |^\.El)/msg;
    my %row = $page{'doc/settings.md'} =~ /^\| `([A-Z_]+)` (.*)$/mg;
    for my $name (sort keys %range) {
        for my $told ($item{$name} =~ s/\n/ /gr, $row{$name}) {
            like $told, qr/(?<!\w)\Q$range{$name}\E(?!\w)/, "$name: its range";
        }
    }
};

subtest 'reasons' => sub {
    my ($rows) = read_file("$top/lib/model/words.c") =~ /\} reasons\[\] = \{\n(.*?)^\};/ms;
    my @token = grep { $_ ne 'none' } $rows =~ /^\s*\{ JR_REASON_\w+, (?:\w+, )?"([^"]+)"/mg;
    cmp_ok scalar @token, '>', 50, 'words.c has a table';
    same_set [$page{'doc/reasons.md'} =~ /^\| `([a-z-]+)` \| \S/mg], \@token, 'the page lists them';
    my $list = manual_section('REASONS', $manual{'doc/job-rerunner-reasons.7'});
    same_set [$list =~ /^\.It Ql (\S+)$/mg], \@token, 'so does the manual page';

    # What shows reasons has them too: the words, and the colours of the pages.
    my $source = join '', map { read_file($_) } grep { !m{/(?:words|page_parts)\.c$} } grep {/c$/} sources();
    my @unused = grep { $source !~ /\b$_\b/ } $rows =~ /^\s*\{ (JR_REASON_\w+), /mg;
    is "@unused", '', 'the program gives each of them';
};

subtest 'status codes' => sub {
    my ($rows) = read_file("$top/fcgi/web/request.c") =~ /\} statuses\[\] = \{\n(.*?)^\};/ms;
    my %result = ($rows // '') =~ /\{ (\d+), "[^"]+", "([^"]+)" \}/g;
    cmp_ok scalar keys %result, '>', 10, 'request.c has a table';
    my %in_page = section($page{'doc/operate.md'}, 'Status codes') =~ /^\| (\d{3}) \| (\S+) \|/mg;
    is_deeply \%in_page, \%result, 'a page has it, with the results';
    same_set [manual_section('Requests') =~ /^\.It (\d{3})$/mg], [keys %result], 'so has the manual page';
};

subtest 'the pages' => sub {
    my ($rows) = read_file("$top/fcgi/web/page.c") =~ /routes\[\] = \{\n(.*?)^\};/ms;
    my %behind = ('/runs/' => 'ID', '/repos/' => 'OWNER/NAME');
    my @page = map { $_ . ($behind{$_} // '') } ($rows // '') =~ /\{ "([^"]+)"/g;
    cmp_ok scalar @page, '>', 8, 'page.c has a table';
    same_set [manual_section('PAGES') =~ /^\.It (\/\S+)$/mg], \@page, 'the manual page has them';
    same_set [section($page{'doc/operate.md'}, 'The pages') =~ /^\| (\/\S+) \|/mg], \@page, 'so has a page';
    my %name = map { $_ => 1 } map { map {/"([a-z]+)"/g} read_file($_) =~ /_names\[\] = \{(.*?)\};/sg } glob "$top/fcgi/web/page*.c";
    cmp_ok scalar keys %name, '>', 10, 'they have parameters';
    is join(' ', grep { manual_section('PAGES') !~ /^\.Cm .*\b$_\b/m } sort keys %name), '', 'which the manual page has';
};

subtest 'words of /healthz' => sub {
    my @word = read_file("$top/fcgi/view/health.c") =~ /^ *\{ \{ "([a-z-]+)", (?:true|false),/mg;
    cmp_ok scalar @word, '>', 8, 'health.c has some';
    my %told = map { $_ => 1 } section($page{'doc/operate.md'}, 'Is it healthy?') =~ /`([a-z-]+)`/g;
    is join(' ', grep { !$told{$_} } @word), '', 'a page has each of them';
    %told = map { $_ => 1 } map { split /[ ,.]+/ } manual_section('Requests') =~ /^\.(?:Pq )?Cm (.*)/mg;
    is join(' ', grep { !$told{$_} } @word), '', 'so has the manual page';
};

subtest 'kinds of causes' => sub {
    my ($rows) = read_file("$top/lib/rules/surge.c") =~ /families\[\] = \{\n(.*?)^\};/ms;
    my @kind = map { join ' ', map { lc tr/_/-/r } /JR_CAUSE_(\w+)/g } split /,\n/, $rows // '';
    cmp_ok scalar @kind, '>', 2, 'surge.c has some';
    my $told = section($page{'doc/policy.md'}, 'When many runs fail for the same kind of cause');
    is_deeply [map { join ' ', /`([a-z-]+)`/g } $told =~ /^\| [^|`]+ \| (`.*`) \|$/mg], \@kind, 'a page has them';
    my @in_manual = map { join ' ', split / , / } $manual{'doc/job-rerunner-policy.5'} =~ /^\.Pq Cm ((?:[a-z-]+ , )+[a-z-]+)/mg;
    is scalar(grep { my $kind = $_; !grep { $_ eq $kind } @in_manual } @kind), 0, 'so has the manual page';
};

subtest 'metrics' => sub {
    my ($rows) = read_file("$top/lib/service/metrics.c") =~ /families\[\] = \{\n(.*?)^\};/ms;
    my %type = ($rows // '') =~ /\{ "(\w+)", "(\w+)",/g;
    cmp_ok scalar keys %type, '>', 25, 'metrics.c has a table';
    is_deeply { $page{'doc/metrics.md'} =~ /^\| `(job_rerunner_\w+)` \| (\w+) \|/mg }, \%type, 'a page has it, with the types';
    is_deeply { manual_section('METRICS') =~ /^\.It Cm (\w+) Pq (\w+)$/mg }, \%type, 'so has the manual page';
};

# The word that stands before the text, or those of a condition; so with the fields.
subtest 'events of the log' => sub {
    my %event    = map { $_ => 1 } qw(worker dispatcher);    # by the kind of a process
    my $argument = qr/(?:[^,()"]|"[^"]*"|\([^()]*\))+/;
    my %field;
    for my $source (map { read_file($_) } grep {/c$/} sources()) {
        my @keys = $source =~ /\b(?:jr_line_(?:text|number|ms)|log_header)\(&?line,($argument)/g;
        $field{$_} = 1 for map {/"([a-z_]+)"/g} @keys;
        my @words = $source =~ /\b(?:jr_log\(|(?:jr_line_begin|log_run|log_outage)\($argument,)$argument,($argument)/g;
        $event{$_} = 1 for map {/"([a-z-]+)"/g} @words;
    }
    cmp_ok scalar keys %event, '>', 30, 'the program writes some';
    my @told = map { split / , / } manual_section('LOGGING') =~ /^\.It Sy (.+)$/mg;
    same_set \@told, [keys %event], 'the manual page has them all';
    cmp_ok scalar keys %field, '>', 30, 'they have fields';
    my @shown = map { /`([a-z-]+)`/g } section($page{'doc/operate.md'}, 'Reading the logs') =~ /^\| (`.*?) \|/mg;
    cmp_ok scalar @shown, '>', 20, 'a page has those that matter most';
    is join(' ', grep { !$event{$_} } @shown), '', 'which are events of the program';
    my %named = map { $_ => 1 } map { split /[ ,=]+/ } manual_section('LOGGING') =~ /^\.(?:Pq .*?)?(?:Cm|Ql) (.+)$/mg;
    is join(' ', grep { !$named{$_} } sort keys %field), '', 'the manual page has those, too';
};

subtest 'commands and exit statuses' => sub {
    my ($commands) = $help->{out} =~ /^commands:\n((?:  .*\n)+)/m;
    my @name = ($commands // '') =~ /^  (\S+)/mg;
    cmp_ok scalar @name, '>', 2, '--help has commands';
    my ($list, $json) = split /^\.Ss JSON\n/m, manual_section('COMMANDS');
    same_set [$list =~ /^\.It Cm (\S+)/mg], \@name, 'the manual page has them';
    like $page{'doc/operate.md'}, qr/\bjob-rerunner $_\b/, "a page shows $_" for grep {!/^(?:help|version)$/} @name;

    my %option = map { $_ => 1 } read_file("$top/fcgi/tool/tool.c") =~ /\{ "([a-z-]+)", (?:NULL|"[A-Z=]+"), (?:true|false),/g;
    cmp_ok scalar keys %option, '>', 5, 'tool.c has options';
    like $list, qr/\bFl -\Q$_\E\b/, "the manual page has --$_" for sort keys %option;
    my %command = map { $_ => 1 } @name;
    for my $document ($readme, values %page) {
        while ($document =~ /\bjob-rerunner ([a-z]+)((?: [^`|\n]*)?)/g) {
            my ($command, $rest) = ($1, $2);
            next if !$command{$command};
            ok $option{$_}, "--$_ of $command" for $rest =~ /(?<!\S)--([a-z-]+)/g;
        }
    }

    # How many, without --limit and at most.
    my ($limits) = $list =~ /^\.Ar n\n(is .*?)\nAll /ms;
    for my $name (qw(runs outbox flaky)) {
        my ($usual) = tool([$name, '--help'])->{out} =~ /--limit N .* \[(\d+)\]$/m;
        my ($most) = tool([$name, '--limit', 0])->{err} =~ /from 1 to (\d+)/;
        like $limits, qr/\b$usual\b.*\bat most\b.*\b$most\b/s, "the manual page has the limits of $name";
    }

    my %key = map { $_ => 1 } map { read_file($_) =~ /\b(?:jr_)?emit_\w+\([^;"]*?"([a-z_]+)"/g } glob "$top/fcgi/{tool/command,view/,web/page}*.c";
    cmp_ok scalar keys %key, '>', 60, 'the commands write JSON';
    my $keys = $json . manual_section('PAGES');
    my @undocumented = grep { $keys !~ /\b$_\b/ } sort keys %key;
    is "@undocumented", '', 'the manual page has every key of it';
    my ($enum) = read_file("$top/lib/service/process.h") =~ /enum \{(.*?)\};/s;
    same_set [manual_section('EXIT STATUS') =~ /^\.It (\d+)$/mg], [$enum =~ /JR_EXIT_\w+ = (\d+)/g], 'and exit statuses';
};

subtest 'the version' => sub {
    my ($version) = read_file("$top/configure.ac") =~ /^AC_INIT\(\[job-rerunner\], \[([^\]]+)\]\)$/m;
    ok defined $version, 'configure.ac has one';
    my ($packaged) = read_file("$top/debian/changelog") =~ /\Ajob-rerunner \(([^)]+)\) /;
    is $packaged, $version, 'debian/changelog has the same on top';
    my ($told) = read_file("$top/NEWS") =~ /^(\S+)\n-+$/m;
    is $told, $version, 'so has NEWS';
    like tool(['--version'])->{out}, qr/\b\Q$version\E$/m, 'and the program';
};

# Programs of t/unit and t/fuzz stand in the build, and a path may be below another folder.
subtest 'files and titles that are named are there' => sub {
    my @short = map { read_file("$top/$_") } qw(SECURITY NEWS debian/job-rerunner.README.Debian);
    for my $document ($readme, $hacking, @short, values %page, values %manual) {
        my %named = map { $_ => 1 } $document =~ m{(?<![\w/.])((?:lib|fcgi|conf|doc|t)/[\w./-]*\w)}g;
        ok -e "$top/$_", $_ for grep { !m{[A-Z]|^t/(?:unit|fuzz)/.*\.t$|/job-rerunner$|^doc/job-rerunner/} } sort keys %named;
    }
    for my $document ($readme, $hacking) {
        my ($list) = $document =~ /^In this file:\n\n((?:    .*\n)+)/m;
        my @title = map { s/^\s+|\s+$//gr } map { split / {2,}/ } map { s/^ +//r } split /\n/, $list // '';
        same_set \@title, [$document =~ /^(\S[^\n]*)\n-{4,}$/mg], 'the list of contents is whole';
    }
};

subtest 'weathers and targets' => sub {
    my @weather = map { /^(\S+)/ } split /\n/, qx{$^X '$top/t/sim/run' --list};
    cmp_ok scalar @weather, '>', 20, 'the simulation has some';
    same_set [section($page{'doc/measured.md'}, 'How well it decides') =~ /^([a-z0-9-]+) +\d+ +\d+ /mg], \@weather,
        'each was measured';
    my ($target) = read_file("$top/Makefile.am") =~ /^FUZZ = (.*)$/m;
    same_set [section($page{'doc/testing.md'}, 'Fuzzing') =~ /^\| ([a-z]+) \|/mg], [split ' ', $target // ''],
        'each target of the fuzzers has a line';
};

# jr_x stands for any name, and lmdb.h is LMDB's.
subtest 'what is named in the code is there' => sub {
    my @source = grep {-f} map { glob "$top/$_" } qw(lib/*/* fcgi/*/* fcgi/*.c doc/*.c conf/* t/*/* t/*/*/* t/*/*/*/* t/*/*/*/*/* Makefile.am);
    my %file = ('lmdb.h' => 1, map { m{([^/]+)$} => 1 } @source);
    my $code = join "\n", map { read_file($_) } grep {/\.(?:c|h|pm|in|am|t)$|\/(?:web|quickstart)$/} @source;
    my %known = map { $_ => 1 } 'jr_x', $code =~ /\b((?:jr|JR)_\w+)\b/g;
    for my $document ($readme, $hacking, values %page, values %manual) {
        my %named = map { $_ => 1 } $document =~ /\b((?:jr|JR)_\w*\w)\b(?![<*])/g;
        is join(' ', grep { !$known{$_} } sort keys %named), '', scalar(keys %named) . ' names of ours';
        %named = map { $_ => 1 } $document =~ /(?<![\w\/.])([a-z_]+\.(?:c|h|css))\b/g;
        is join(' ', grep { !$file{$_} } sort keys %named), '', scalar(keys %named) . ' files';
    }
};

subtest 'links lead somewhere' => sub {
    cmp_ok scalar keys %page, '>', 6, 'there are pages';
    for my $name (sort keys %page) {
        for my $link (links($page{$name})) {
            my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
            my $path = $file eq '' ? $name : "doc/$file" =~ s{^doc/\.\./}{}r;
            ok -e "$top/$path", "$name: $link" or next;
            next if !defined $anchor;
            is scalar(grep { anchor($_) eq $anchor } titles($page{$path})), 1, "$name: one title is meant by $link";
        }
        my @title = section($page{$name}, (titles($page{$name}))[0]) =~ /^## (.*)$/mg;
        my ($list) = $page{$name} =~ /^((?:- \[.*\]\(#.*\)\n)+)/m;
        next if @title < 3;
        same_set [($list // '') =~ /\(#(.*)\)/g], [map { anchor($_) } @title], "$name: the list of contents is whole";
    }
    my %linked = map { $_ => 1 } links($page{'doc/README.md'});
    is join(' ', grep { !$linked{ s{^doc/}{}r } } grep { $_ ne 'doc/README.md' } sort keys %page), '', 'the index has each page';
    my ($makefile) = read_file("$top/Makefile.am") =~ s/\\\n\t//gr;
    my ($pages) = $makefile =~ /^dist_pages_DATA = (.*)$/m;
    same_set [split ' ', $pages // ''], [keys %page], 'each page is installed';
    my ($pictures) = $makefile =~ /^dist_pictures_DATA = (.*)$/m;
    my %picture = map { ("doc/$_" => 1) } grep {/^pictures/} map { links($_) } values %page;
    same_set [split ' ', $pictures // ''], [keys %picture], 'each picture is';
    like $readme, qr/ \Q$_\E  /, "README names $_" for grep { !/README|hot-path|github|testing/ } sort keys %page;
};

subtest 'the short ones are short' => sub {
    for ([README => $readme, 200], [HACKING => $hacking, 300]) {
        my ($name, $text, $most) = @$_;
        cmp_ok scalar(() = $text =~ /\n/g), '<=', $most, "$name: lines";
    }
};

# `make docs` repairs what fails here.
subtest 'tables that are made are up to date' => sub {
    my $tables = 0;
    my $example = 'conf/job-rerunner.env.example';
    my %document = (%page, %manual, $example => read_file("$top/$example"));
    for my $name (sort keys %document) {
        my @table = $document{$name} =~ /^(?:<!--|\.\\"|#) table: (\w+)/mg or next;
        $tables += @table;
        my $out = tmpdir() . "/filled.$tables";
        open my $in, '<', "$top/$name" or die "$name: $!";
        my $pid = spawn(argv => [($ENV{JR_BUILDDIR} // $top) . '/doc/fill'], env => { PATH => '/usr/bin:/bin' }, stdin => $in, out => $out);
        is reap($pid), 0, "$name: @table";
        is read_file($out), $document{$name}, 'are what the program has';
    }
    is $tables, 7, 'settings, reasons and metrics, as a page and as a manual page, and the example';
};

# Rooms that stand before another, and that it must not know all the same.
my %unknown_to = (
    'lib/rules'    => 'lib/config',
    'lib/cluster'  => 'lib/store',
    'fcgi/process' => 'fcgi/tool',
);

# A room is a folder of lib/ or fcgi/. A file includes what stands before it in Makefile.am: files
# of its own room, and of rooms before; only what is in lib/ of lib/'s. All are included by their
# path from the top, but for what configure or the build has made.
subtest 'includes go one way' => sub {
    my $makefile = read_file("$top/Makefile.am");
    my ($n, %place, @room, %room, %last, @wrong) = (0);
    for my $list (qw(lib_libjr_a fcgi_libprogram_a)) {
        my ($files) = $makefile =~ /^\Q$list\E_SOURCES = \\\n(.*?[^\\])\n/ms;
        for my $file ($files =~ m{\b((?:lib|fcgi)/\w+/\w+\.[ch])\b}g) {
            my ($room, $name) = $file =~ m{^(\w+/\w+)/(\w+)};
            push @wrong, "$room is there twice" if $room{$room} && $last{$list} ne $room;
            push @wrong, "$name.c is there twice, and one archive holds both" if $file =~ /c$/ && $place{$name}++;
            push @room, $room if !$room{$room};
            ($room{$room}, $last{$list}) = (1, $room);
            $place{ $file =~ s/\.[ch]$//r } //= ++$n;
        }
    }
    $place{'fcgi/main'} = ++$n;
    cmp_ok scalar keys %room, '>', 10, 'Makefile.am has rooms';
    for my $file (sources()) {
        my ($name) = $file =~ m{((?:lib|fcgi)/.*)\.[ch]$};
        push @wrong, "$name is not in Makefile.am" if !$place{$name};
        my ($room) = $name =~ m{^(.*)/};
        my %unknown = map { $_ => 1 } split ' ', $unknown_to{$room // ''} // '';
        for my $path (read_file($file) =~ m{^\s*#\s*include\s*("[^"]+"|<(?:lib|fcgi)/[^>]+>)}mg) {
            my ($other, $theirs) = $path =~ m{^"((\w+/\w+)/\w+)\.h"$};
            push @wrong, "$name includes $path, not by its path from the top" if !defined $other && $path !~ /\.inc"$/;
            push @wrong, "$name includes $path" if defined $other && ($place{$other} // 1e9) > ($place{$name} // 0);
            push @wrong, "$name includes $path, and must not know that room" if $unknown{$theirs // ''};
        }
    }
    is "@wrong", '', 'in the order of Makefile.am';

    my ($list) = $hacking =~ /^The rooms\n-+\n.*?\n\n((?:    \S.*\n)+)/ms;
    is_deeply [$list =~ m{^    ((?:lib|fcgi)/\w+) +\S}mg], [reverse @room], 'HACKING has the rooms in that order, turned over';
};

subtest 'each room tells what it is for' => sub {
    my %files;
    for my $file (sources()) {
        push @{$files{$1}}, $2 if $file =~ m{((?:lib|fcgi)/\w+)/(\w+)\.[ch]$};
    }
    for my $room (sort keys %files) {
        ok -e "$top/$room/README", "$room has a README" or next;
        my $readme = read_file("$top/$room/README");
        like $readme, qr/\A\Q$room\E -- \S.*\n\nIt may know: \S.*\nIt must not know: \S/, "$room: its first lines";
        my %missing = map { $_ => 1 } grep { !/^command_/ && $readme !~ /\b$_\b/ } @{$files{$room}};
        is join(' ', sort keys %missing), '', "$room: it names each file";
    }
    my ($distributed) = read_file("$top/Makefile.am") =~ s/\\\n\t//gr =~ /^rooms = (.*)$/m;
    is join(' ', sort split ' ', $distributed), join(' ', sort keys %files), 'the archive has each of them';
};

# The lines of some texts, without what is another each time.
sub lasting {
    my @line = grep {/\S/} map { split /\r?\n/ } @_;
    return [map { s/^ +//r =~ s/\b(?:\d{4}-\S+Z|ms=[\d.]+)/-/gr } @line];
}

# The tables and what is in them are known to lib/ alone.
subtest 'fcgi/ names no table of the store' => sub {
    my @files = grep { m{/fcgi/} } sources();
    cmp_ok scalar @files, '>', 30, 'there are files';
    is join(' ', grep { read_file($_) =~ /\bJR_TABLE_\w/ } @files), '', 'none does';
};

# As somebody would paste it, in a folder that looks like the source tree.
subtest 'a request by hand' => sub {
    my ($command, $shown) = code(section($page{'doc/operate.md'}, 'A request by hand'));
    like $command, qr{fcgi/job-rerunner <}, 'a page has a command' or return;
    my $dir = tmpdir() . '/by-hand';
    mkdir $_ or die "$_: $!" for $dir, "$dir/fcgi";
    symlink binary(), "$dir/fcgi/job-rerunner" or die "symlink: $!";
    my %sanitizer = map { $_ => $ENV{$_} } grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV;
    my $log = JR::Log->new("$dir/log");
    for my $time (1, 2) {
        my $out = "$dir/answer.$time";
        my $pid = spawn(
            argv => ['/bin/sh', '-c', "cd '$dir' && { $command }"],
            env  => { PATH => '/usr/bin:/bin', %sanitizer },
            out  => $out,
            err  => $log->path,
        );
        is reap($pid), 0, "time $time: exit status 0";
        my $answer = JR::Response->from_cgi(read_file($out));
        status_is $answer, 201, "time $time";
        is $answer->json->{result}, 'scheduled', "time $time: result";
        ok $log->wait_entry('decision', run => 1, verdict => 'dry-run'), "time $time: decided" or diag $log->text;
    }
    my ($webhook, $decision) = map { $log->text =~ /^(\S+ info $_ .*)$/m } qw(webhook decision);
    is_deeply lasting($webhook, read_file("$dir/answer.1"), $decision), lasting($shown // ''), 'the page shows what it says';
    is $log->count('webhook', status => 201), 2, 'two requests';
    is $log->count('webhook', repeated => 'yes'), 1, 'the second is known';
    is $log->count('decision'), 1, 'one decision';
    unlike $log->text, qr/ error /, 'no error';
};

subtest 'the manual pages are well-formed' => sub {
    my ($mandoc) = grep { -x } map {"$_/mandoc"} split /:/, $ENV{PATH} // '';
    plan skip_all => 'no mandoc' if !$mandoc;
    for my $name (sort keys %manual) {
        my $report = tmpdir() . '/mandoc';
        my $status = reap(spawn(
            argv => [$mandoc, '-T', 'lint', '-W', 'warning', "$top/$name"],
            env  => { PATH => $ENV{PATH} }, out => $report,
        ));
        is $status, 0, "$name: mandoc has no warning" or diag read_file($report);
    }
    my ($pages) = read_file("$top/Makefile.am") =~ /^dist_man_MANS = (.*)$/m;
    same_set [split ' ', $pages // ''], [keys %manual], 'each is installed';
};

finish();
