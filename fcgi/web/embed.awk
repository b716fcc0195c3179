# embed.awk -- a style sheet, a script or markup as a C string, without what is only for its
# readers: comments and indentation; in a style sheet and a picture also the ends of lines; in a
# style sheet also blanks and the last `;' of a rule. A line of markup that does not begin with
# `<' goes on with the tag above.
#
#   awk -f embed.awk FILE.css >FILE.css.inc       #include it as the value of a char[]
#
# SPDX-License-Identifier: BSD-2-Clause

# "*/" may come lines later.
function without_comments(line,    end)
{
    for (;;) {
        if (in_comment) {
            end = index(line, close_comment)
            if (end == 0)
                return ""
            line = substr(line, end + length(close_comment))
            in_comment = 0
        }
        end = index(line, open_comment)
        if (end == 0)
            return line
        put(substr(line, 1, end - 1))
        line = substr(line, end + length(open_comment))
        in_comment = 1
    }
}

# A piece of the string. Trigraphs are known to some compilers.
function put(text)
{
    gsub(/[\\"?]/, "\\\\&", text)
    if (text != "")
        print "\"" text "\""
}

# The blanks in it that a browser needs are inside of values and selectors.
function without_blanks(line)
{
    if (line ~ /^[-a-z]+: /)
        sub(/: /, ":", line)
    sub(/ \{$/, "{", line)
    if (held && line !~ /^}/)
        line = ";" line
    held = sub(/;$/, "", line)
    return line
}

BEGIN {
    is_style = ARGV[1] ~ /\.css$/
    is_script = ARGV[1] ~ /\.js$/
    is_page = ARGV[1] ~ /\.html$/
    end_of_line = "\"\\n\""
    open_comment = is_style || is_script ? "/*" : "<!--"
    close_comment = is_style || is_script ? "*/" : "-->"
}

{
    line = without_comments($0)
    gsub(/^[ \t]+|[ \t]+$/, "", line)
    if (line == "")
        next
    if (is_style)
        line = without_blanks(line)
    else if (!is_script && line !~ /^</)
        line = " " line
    else if (is_page && tags++ > 0)
        print end_of_line
    put(line)
    if (is_script)
        print end_of_line
}

END {
    if (is_page)
        print end_of_line
}
