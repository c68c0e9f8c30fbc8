# Completion of trialbook for bash: source <(trialbook completion bash)
_trialbook() {
    local at typed word glued=1 line left reply
    local -a words=()
    COMPREPLY=()
    # Bash takes `:` and `=` for words of their own: what stands without a blank between belongs together.
    left=${COMP_LINE:0:COMP_POINT}
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $left == [[:blank:]]* ]]; then
            left=${left#"${left%%[![:blank:]]*}"}
            glued=
        fi
        if ((at == COMP_CWORD)); then
            word=$left
        fi
        left=${left#"$word"}
        if [[ -n $glued && ${#words[@]} -gt 0 ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        glued=1
    done
    typed=${words[-1]}
    for at in "${!words[@]}"; do
        # Without quotes and backslashes, as the program will be told.
        word=${words[at]}
        case $word in
            \'*) word=${word#\'} word=${word%\'} ;;
            \"*) word=${word#\"} word=${word%\"} ;;
            *\\*) word=${word//\\/} ;;
        esac
        words[at]=$word
    done
    # What stands before the last `:` or `=` is not replaced.
    line=
    if [[ $typed != [\'\"]* && $typed == *[:=]* && $COMP_WORDBREAKS == *[:=]* ]]; then
        line=${words[-1]%"${words[-1]##*[:=]}"}
    fi
    while IFS= read -r reply; do
        reply=${reply%%$'\t'*}
        reply=${reply#"$line"}
        if [[ $typed != [\'\"]* ]]; then
            printf -v reply '%q' "$reply"
        fi
        COMPREPLY+=("$reply")
    done < <("${COMP_WORDS[0]}" __complete -- "${words[@]:1}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _trialbook trialbook
