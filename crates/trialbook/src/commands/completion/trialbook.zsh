#compdef trialbook
# Completion of trialbook for zsh: source <(trialbook completion zsh)
_trialbook() {
    local line
    local -a found
    while IFS= read -r line; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#found} )); then
        _describe -V trialbook found
    else
        _files
    fi
}
compdef _trialbook trialbook
