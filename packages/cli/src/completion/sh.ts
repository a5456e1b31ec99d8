/** The script for bash and zsh: one function that prints what can come, and what either makes of it. */
import { BUILTIN, type Case, type Cases } from './cases.js';

const quote = (text: string) => `'${text}'`;

/** `case` of the shell: sets `list`, and that something was found. */
function branches(cases: readonly Case[], indent: string): string {
  return cases
    .map(
      ({ patterns, words }) =>
        `${indent}${patterns.map(quote).join(' | ')}) list="$list "${quote(words.join(' '))} found=1 ;;\n`,
    )
    .join('');
}

function candidates({ values, options, modules, args }: Cases): string {
  return `# Prints what can stand in the place of the last word, a line each; @file for a file.
__sockfilter_words() {
  [ -z "\${ZSH_VERSION-}" ] || emulate -L sh
  local program=$1 command= table= before= earlier= modules= file= root= list= found= word
  shift
  while [ $# -gt 1 ]; do
    word=$1
    shift
    [ "$word" != '=' ] || continue
    case $before in
      --file) file=$word before= && continue ;;
      --root) root=$word before= && continue ;;
      -m | --match | -p | --protocol | --proto | -j | --jump) modules="$modules $word" ;;
    esac
    case $word in
      --file | --root | --wait | -w*) ;;
      -*) [ -n "$command" ] || table=1 ;;
      *)
        if [ -z "$command$table" ]; then command=$word
        elif [ "$command" = group ] || [ "$command" = set ]; then command="$command $word"
        fi ;;
    esac
    earlier=$before
    before=$word
  done
  case \${1-} in
    --*=*) earlier=$before before=\${1%%=*} ;;
  esac
  case $before in
    --file) list=@file found=1 ;;
    --root) found=1 ;;
  esac
  case $command:$earlier in
    :-P | :--policy) list='ACCEPT DROP' found=1 ;;
  esac
  if [ -z "$found" ]; then
    case $command:$before in
${branches(values, '      ')}    esac
  fi
  if [ -z "$found" ]; then
    case \${1-} in
      -*)
        case $command in
${branches(options, '          ')}        esac
        if [ -z "$command" ]; then
          for word in $modules; do
            case $word in
${branches(modules, '              ')}            esac
          done
        fi ;;
      *)
        if [ -z "$table" ]; then
          case $command in
${branches(args, '            ')}          esac
        fi ;;
    esac
  fi
  for word in $list; do
    case $word in
      @chain | @own)
        [ "$word" = @own ] || printf '%s\\n' ${BUILTIN.join(' ')}
        "$program" \${file:+--file "$file"} \${root:+--root "$root"} -S 2>/dev/null | sed -n 's/^-N //p' ;;
      @group)
        "$program" \${file:+--file "$file"} \${root:+--root "$root"} group list 2>/dev/null |
          sed -n '1!s/ .*//p' ;;
      @set)
        "$program" \${file:+--file "$file"} \${root:+--root "$root"} set list 2>/dev/null |
          sed -n 's/^Name: //p' ;;
      *) printf '%s\\n' "$word" ;;
    esac
  done
}
`;
}

export function bashScript(cases: Cases): string {
  return `# bash completion for sockfilter
${candidates(cases)}
_sockfilter() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  [ "$current" != '=' ] || current=
  words=$(__sockfilter_words "\${COMP_WORDS[@]:0:COMP_CWORD+1}")
  COMPREPLY=()
  if [[ $'\\n'$words$'\\n' == *$'\\n@file\\n'* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
  mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "\${words//@file/}" -- "$current")
}
complete -F _sockfilter sockfilter
`;
}

export function zshScript(cases: Cases): string {
  return `#compdef sockfilter
${candidates(cases)}
_sockfilter() {
  local -a candidates
  candidates=(\${(f)"$(__sockfilter_words "\${(@)words[1,CURRENT]}")"})
  [[ \${words[CURRENT]} != --*=* ]] || compset -P '*='
  (( \${candidates[(Ie)@file]} )) && _files
  candidates=(\${candidates:#@file})
  (( $#candidates )) && compadd -a candidates
}
if [ "$funcstack[1]" = _sockfilter ]; then
  _sockfilter "$@"
else
  compdef _sockfilter sockfilter
fi
`;
}
