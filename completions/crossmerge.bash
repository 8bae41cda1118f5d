# bash completion for crossmerge's own commands, and for its symlinks, which complete like their real tools. `make docs` inserts the tables
# before this text.

_crossmerge() {
	local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[0]##*/}
	COMPREPLY=()
	case $name in
		crossmerge) _crossmerge_own ;;
		emerge-wrapper) _crossmerge_wrapper ;;
		*) _crossmerge_link "$name" ;;
	esac
}

# Runs crossmerge by the path in the command line.
_crossmerge_run() {
	local program=${COMP_WORDS[0]/#\~\//$HOME/}
	[[ ${program##*/} == crossmerge ]] || program=crossmerge
	"$program" "$@" 2> /dev/null
}

# Offers the lines of standard input that begin with the word at the cursor.
_crossmerge_offer() {
	local line
	while IFS= read -r line; do
		[[ $line == "$cur"* ]] && COMPREPLY+=("$line")
	done
}

_crossmerge_own() {
	local path='' option='' word value
	local -a args=()
	local -i at only_args=0
	for ((at = 1; at < COMP_CWORD; at++)); do
		word=${COMP_WORDS[at]}
		if [[ $option ]]; then
			# The option's value. bash makes `=` a separate word.
			[[ $word == = ]] || option=
		elif ((only_args)); then
			args+=("$word")
		elif [[ $word == -- ]]; then
			only_args=1
		elif [[ $word == -* ]]; then
			[[ ${_crossmerge_values[$path $word]-} ]] && option=$word
		elif [[ " ${_crossmerge_commands[$path ]-} " == *" $word "* ]]; then
			path+=${path:+ }$word
		else
			args+=("$word")
			# The rest belongs to another program, including its options.
			value=${_crossmerge_values[$path *]-}
			[[ $value == applet || $value == configure ]] && ((${#args[@]} >= ${_crossmerge_before[$path ]})) && only_args=1
		fi
	done
	if [[ $option ]]; then
		[[ $cur == = ]] && cur=
		_crossmerge_value "${_crossmerge_values[$path $option]}"
	elif [[ $cur == -* ]] && ((! only_args)); then
		_crossmerge_offer < <(printf '%s\n' ${_crossmerge_options[$path ]})
	elif [[ ${_crossmerge_commands[$path ]-} && ! ${args[*]-} ]]; then
		_crossmerge_offer < <(printf '%s\n' ${_crossmerge_commands[$path ]})
	else
		value=${_crossmerge_values[$path $((${#args[@]} + 1))]-}
		_crossmerge_value "${value:-${_crossmerge_values[$path *]-nothing}}"
	fi
}

# Offers the values of a position: those of a kind, or the words after `words`. `args` are the arguments before it, `path` the subcommands.
_crossmerge_value() {
	local -i drop
	case $1 in
		words\ *) _crossmerge_offer < <(printf '%s\n' ${1#words }) ;;
		tuples) _crossmerge_offer < <(_crossmerge_run targets | sed 's/ .*//') ;;
		names)
			_crossmerge_offer < <(_crossmerge_run targets | sed 's/ .*//'
				_crossmerge_run show --examples)
			;;
		applets)
			_crossmerge_offer < <(_crossmerge_run applets
				_crossmerge_linked "${args[0]-}")
			;;
		answers) _crossmerge_offer < <(_crossmerge_run site-cache list --all "${args[0]-}" | sed 's/ .*//') ;;
		learned) _crossmerge_offer < <(_crossmerge_run site-cache list --all "${args[0]-}" | sed -n '/ learned *$/s/ .*//p') ;;
		profiles)
			_crossmerge_offer < <(printf '%s\n' auto embedded
				_crossmerge_run profile list "${args[0]-}" | sed 's/^ *\[[0-9]*\] *//; s/ .*//')
			;;
		prefixes)
			if [[ $cur == */* ]]; then
				compopt -o nospace -o filenames
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			else
				compopt -o nospace
				_crossmerge_offer < <(compgen -c -- "$cur" | sed -n 's/-gcc$/-/p' | sort -u)
			fi
			;;
		directories)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$cur")
			;;
		files)
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			;;
		applet)
			# The words after the tuple and the applet are arguments of the symlink <tuple>-<applet>.
			drop=$((COMP_CWORD - ${#args[@]} + 2))
			_crossmerge_tool "${_crossmerge_tools[${args[1]}]-}" "$drop" "${args[0]}-${args[1]}"
			;;
		configure)
			drop=$((COMP_CWORD - ${#args[@]} + 1))
			_crossmerge_tool @configure "$drop" "${args[0]}-configure"
			;;
	esac
}

# Prints the tools of an adopted toolchain that have a symlink for the tuple.
_crossmerge_linked() {
	local tool
	[[ $1 ]] || return
	for tool in "${!_crossmerge_tools[@]}"; do
		[[ $(type -P -- "$1-$tool") ]] && printf '%s\n' "$tool"
	done
}

# emerge-wrapper --target TUPLE, and emerge's arguments.
_crossmerge_wrapper() {
	case $COMP_CWORD in
		1) _crossmerge_offer < <(printf '%s\n' --target --help) ;;
		2) _crossmerge_value tuples ;;
		*)
			_crossmerge_tool emerge 3 emerge
			((COMP_CWORD != 1)) || [[ --init != "$cur"* ]] || COMPREPLY+=(--init)
			;;
	esac
}

# Completes <tuple>-<applet> and emerge-<tuple>. The longest matching applet is chosen, as in the program.
_crossmerge_link() {
	local applet='' known tool
	for known in "${!_crossmerge_tools[@]}"; do
		[[ $1 == *-"$known" ]] && ((${#known} > ${#applet})) && applet=$known
	done
	if [[ $applet ]]; then
		tool=${_crossmerge_tools[$applet]}
	elif [[ $1 == emerge-* ]]; then
		tool=emerge
	else
		# An applet that the user added: the last line of the plan is its command.
		for known in $(crossmerge applets 2> /dev/null); do
			[[ $1 == *-"$known" ]] && ((${#known} > ${#applet})) && applet=$known
		done
		tool=$(crossmerge plan "${1%"-$applet"}" "$applet" 2> /dev/null | sed -n '$ { s/^ *//; s/ .*//; s|.*/||; p }')
	fi
	_crossmerge_tool "$tool" 1 "$1"
}

# _crossmerge_tool TOOL N NAME: completes as if TOOL replaced the first N words. NAME is the name of the symlink.
_crossmerge_tool() {
	local tool=$1 name=$3
	local -i drop=$2
	case $tool in
		'' | @run) _crossmerge_value files ;;
		@env) _crossmerge_as "$drop" ;;
		@compiler)
			if [[ $cur == -* || $cur == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
				_crossmerge_compiler "$name"
			else
				_crossmerge_value files
			fi
			;;
		@configure)
			if [[ ${COMP_WORDS[drop]-} == *configure && $COMP_CWORD -gt $drop ]]; then
				_crossmerge_as "$drop"
			else
				_crossmerge_as "$drop" ./configure
			fi
			;;
		@*)
			# crossmerge implements this applet and its options itself.
			if [[ $cur == -* ]]; then
				_crossmerge_asked "$name"
			else
				_crossmerge_value files
			fi
			;;
		*)
			_crossmerge_as "$drop" "$tool"
			if [[ ! ${COMPREPLY[*]-} && $cur == -* ]]; then
				_crossmerge_asked "$tool"
			fi
			;;
	esac
}

# Offers the options in the output of a program's --help. Each shell runs it once.
_crossmerge_asked() {
	local text word
	if [[ ! -v _crossmerge_help[$1] ]]; then
		text=$(LC_ALL=C "$1" --help 2>&1 < /dev/null | grep -oE -- '(^|[^[:alnum:]_-])--?[[:alnum:]][[:alnum:]_-]*' | grep -oE -- '-.*' | sort -u)
		_crossmerge_help[$1]=$text
	fi
	_crossmerge_offer <<< "${_crossmerge_help[$1]}"
}

# Offers the options of a compiler, and the values of an option. bash splits a word at `=`, so only the part after it is offered. GCC and
# clang have different options for this. clang prints a value without its option.
_crossmerge_compiler() {
	local before='' word=$cur option='' line
	if [[ $cur == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 1]}= word=$before cur=
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}= word=$before$cur
	fi
	[[ $word != *=* ]] || option=${word%%=*}=
	while read -r line _; do
		[[ $line == -* ]] || line=$option$line
		line=${line#"$before"}
		[[ $line && $line == "$cur"* ]] && COMPREPLY+=("$line")
	done < <("$1" --completion="$word" 2> /dev/null || "$1" --autocomplete="${word/=/=,}" 2> /dev/null)
	[[ ${COMPREPLY[*]-} == *= ]] && compopt -o nospace
}

# _crossmerge_as N WORDS…: completes as if WORDS replaced the first N words.
_crossmerge_as() {
	local -i drop=$1 at
	local before=${COMP_LINE:0:COMP_POINT} after=${COMP_LINE:COMP_POINT} word
	shift
	for ((at = 0; at < drop; at++)); do
		word=${COMP_WORDS[at]}
		before=${before#"${before%%[![:space:]]*}"}
		before=${before#"$word"}
	done
	(($#)) || before=${before#"${before%%[![:space:]]*}"}
	COMP_WORDS=("$@" "${COMP_WORDS[@]:drop}")
	COMP_CWORD=$((COMP_CWORD - drop + $#))
	COMP_LINE="$*$before$after"
	COMP_POINT=$((${#COMP_LINE} - ${#after}))
	if declare -F _comp_command_offset > /dev/null; then
		_comp_command_offset 0
	elif declare -F _command_offset > /dev/null; then
		_command_offset 0
	else
		_crossmerge_value files
	fi
}

complete -F _crossmerge crossmerge emerge-wrapper
