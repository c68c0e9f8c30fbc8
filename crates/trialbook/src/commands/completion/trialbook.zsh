#compdef trialbook
# Completion of trialbook for zsh: source <(trialbook completion zsh)
_trialbook() {
    local line
    local -a found typed
    # Without quotes and backslashes, as the program will be told; the opening quote is not in PREFIX.
    typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
    while IFS= read -r line; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done < <("${words[1]}" __complete -- "${typed[@]}" 2>/dev/null)
    if (( ${#found} )); then
        _describe -V trialbook found
    else
        _files
    fi
}
compdef _trialbook trialbook
