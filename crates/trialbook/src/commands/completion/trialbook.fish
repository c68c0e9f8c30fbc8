# Completion of trialbook for fish: trialbook completion fish | source
function __trialbook_complete
    set -l words (commandline -opc)
    # Without quotes and backslashes, as the program will be told; a quote may be open still.
    set -l typed (commandline -ct | string collect)
    set -l last (string unescape -- $typed | string collect)
    or set last (string replace -r '^[\'"]' '' -- $typed | string collect)
    set -l found ($words[1] __complete -- $words[2..-1] "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$last"
    end
end
complete -c trialbook -f -k -a '(__trialbook_complete)'
