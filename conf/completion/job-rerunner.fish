# job-rerunner.fish -- what fish makes of the Tab key in a command line of job-rerunner.
#
# The program knows it itself (`job-rerunner complete'); this hands it the words and takes its
# answer. Installed below fish/vendor_completions.d.
#
# SPDX-License-Identifier: BSD-2-Clause

function __job_rerunner_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l before (string match -r -- '^--[a-z-]+=' $word)
    set -l path (string replace -- "$before" '' "$word")
    for line in ($words[1] complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :files
                printf '%s\n' $before(__fish_complete_path $path)
            case :folders
                printf '%s\n' $before(__fish_complete_directories $path)
            case '*'
                printf '%s\n' $line
        end
    end
end

# In the order of the answer: the newest run stands first.
complete -c job-rerunner -f -k -a '(__job_rerunner_complete)'
