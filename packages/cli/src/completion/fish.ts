/** The script for fish, which has a language of its own; it says the same as the one in sh.ts. */
import { BUILTIN, type Case, type Cases } from './cases.js';

function branches(cases: readonly Case[], indent: string): string {
  return cases
    .map(({ patterns, words }) => {
      const names = patterns.map((pattern) => `'${pattern}'`).join(' ');
      return `${indent}case ${names}\n${indent}    set -a list ${words.join(' ')}\n${indent}    set found 1\n`;
    })
    .join('');
}

/** What stands before the word: its command, and what was given. */
const READ = `# fish completion for sockfilter
function __sockfilter_ask
    set -l program $argv[1]
    set -e argv[1]
    command $program $argv 2>/dev/null
end

function __sockfilter_words
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l program $tokens[1]
    set -e tokens[1]
    set -l command ''
    set -l table ''
    set -l before ''
    set -l earlier ''
    set -l modules
    set -l place
    set -l list
    set -l found ''
    for word in $tokens
        switch "$before"
            case --file --root
                set -a place $before $word
                set before ''
                continue
            case -m --match -p --protocol --proto -j --jump
                set -a modules $word
        end
        switch "$word"
            case --file --root --wait '-w*'
            case '-*'
                test -n "$command"; or set table 1
            case '*'
                if test -z "$command$table"
                    set command $word
                else if contains -- "$command" group set
                    set command "$command $word"
                end
        end
        set earlier "$before"
        set before "$word"
    end
    if string match -q -- '--*=*' "$current"
        set earlier "$before"
        set before (string replace -r '=.*' '' -- "$current")
    end
    switch "$before"
        case --file
            set list @file
            set found 1
        case --root
            set found 1
    end
    switch "$command:$earlier"
        case ':-P' ':--policy'
            set list ACCEPT DROP
            set found 1
    end
`;

/** What is found is printed, asked for where it is not known. */
const PRINT = `    set -l start ''
    if string match -q -- '--*=*' "$current"
        set start (string replace -r '=.*' '=' -- "$current")
    end
    for word in $list
        switch $word
            case @file
                for path in (__fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current"))
                    printf '%s%s\\n' "$start" "$path"
                end
            case @chain
                printf "$start%s\\n" ${BUILTIN.join(' ')} (__sockfilter_ask $program $place -S | string replace -rf '^-N ' '')
            case @own
                printf "$start%s\\n" (__sockfilter_ask $program $place -S | string replace -rf '^-N ' '')
            case @group
                printf "$start%s\\n" (__sockfilter_ask $program $place group list | tail -n +2 | string replace -r ' .*' '')
            case @set
                printf "$start%s\\n" (__sockfilter_ask $program $place set list | string replace -rf '^Name: ' '')
            case '*'
                printf '%s%s\\n' "$start" "$word"
        end
    end
end

complete -c sockfilter -f -a '(__sockfilter_words)'
`;

export function fishScript({ values, options, modules, args }: Cases): string {
  return `${READ}    if test -z "$found"
        switch "$command:$before"
${branches(values, '            ')}        end
    end
    if test -z "$found"
        switch "$current"
            case '-*'
                switch "$command"
${branches(options, '                    ')}                end
                if test -z "$command"
                    for word in $modules
                        switch "$word"
${branches(modules, '                            ')}                        end
                    end
                end
            case '*'
                if test -z "$table"
                    switch "$command"
${branches(args, '                        ')}                    end
                end
        end
    end
${PRINT}`;
}
