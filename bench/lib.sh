# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The functions with which the groups measure. Each row is printed to stdout at once, and appended to $rows, from which bench/run makes the
# table.
#
# bench/run sets: here, demo, work, rows, rounds, tuple, binary.
# shellcheck disable=SC2154

fail() {
	printf 'bench: error: %s\nhint: %s\n' "$1" "$2" >&2
	exit 1
}

say() { printf 'bench: %s\n' "$*" >&2; }

# Prints the median of the numbers on stdin.
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# Begins a group of rows in the table.
group() {
	printf '%s\n' "$1" >> "$rows"
	printf '\n%s\n' "$1"
}

# row WHAT OURS PEER RATIO LIMIT: writes a row. The figures are text; `-` means that there is none.
row() {
	local verdict
	verdict=$(verdict "$2" "$3" "$4" "$5")
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$verdict" >> "$rows"
	line "$1" "$2" "$3" "$4" "$5" "$verdict"
}

line() { printf "%-74s %10s %10s %7s %7s  %s\n" "$@"; }

# Prints a verdict if a limit is exceeded. The limit is a ratio, or `+` and the milliseconds allowed beyond the peer's time.
verdict() {
	awk -v ours="$1" -v peer="$2" -v ratio="$3" -v limit="$4" 'BEGIN {
		if (limit == "-") exit
		if (limit ~ /^\+/) { is = ours - peer; limit = substr(limit, 2) } else is = ratio
		if (is > limit * 1.2) print "OVER by more than a fifth"; else if (is > limit) print "over"
	}'
}

# compare WHAT RUNS LIMIT OURS PEER: measures two commands alternately. In each round it runs each of them RUNS times. The result of a
# round is the shortest run, because other processes disturbed it least. The figures are the medians over the rounds, as is the ratio.
# Commands with few runs take long and are measured in fewer rounds. `before`, if set, is a command that runs before each run.
compare() {
	local what=$1 runs=$2 limit=$3 ours=$4 peer=$5 round many=$rounds warmup=2
	((runs >= 10)) || { many=$(((rounds + 1) / 2)) warmup=1; }
	for ((round = 0; round < many; round++)); do
		hyperfine -N --warmup "$warmup" --runs "$runs" ${before:+--prepare "$before"} --style none --export-csv "$work/csv" "$ours" "$peer" > "$work/said" 2>&1 || {
			cat "$work/said" >&2
			fail "\`$what\` was not measured" "run it by hand in an empty directory: $ours"
		}
		awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "min") column = i; next }
			{ time[NR] = $column } END { print time[2] * 1000, time[3] * 1000, time[2] / time[3] }' "$work/csv"
	done > "$work/measured"
	row "$what" "$(column 1)" "$(column 2)" "$(column 3)" "$limit"
}

column() { awk -v column="$1" '{ print $column }' "$work/measured" | median | awk '{ printf "%.2f", $1 }'; }

# Exports the variables that an applet sets, and stores its command line in `tool`, so that the bare tool runs with the same arguments in
# the same environment.
surroundings_of() {
	local word
	tool=
	while IFS= read -r -d '' word; do
		case $word in
			env:*) export "${word#env:}" ;;
			unset:*) unset "${word#unset:}" ;;
			*) tool+="${tool:+ }$word" ;;
		esac
	done < <(crossmerge plan --json "$tuple" "$@" | python3 -c '
import json, sys
plan = json.load(sys.stdin)
for name, value in plan["env"].items():
    print(f"unset:{name}" if value is None else f"env:{name}={value}", end="\0")
for word in [plan["program"], *plan["args"]]:
    print(word, end="\0")')
	[[ -n $tool ]] || fail "crossmerge prints no plan for \`$tuple-$1\`" "crossmerge plan $tuple $*"
}

# bare WHAT RUNS LIMIT APPLET ARGS…: measures an applet beside the tool that it execs.
bare() (
	what=$1 runs=$2 limit=$3
	shift 3
	surroundings_of "$@"
	compare "$what" "$runs" "$limit" "$tuple-$*" "$tool"
)

# Makes a target in the current prefix, with its symlinks beside the prefix's `crossmerge`.
make_target() {
	crossmerge init "$@" > "$work/said" 2>&1 || {
		cat "$work/said" >&2
		fail "\`crossmerge init\` failed for \`$1\`" "crossmerge init $*"
	}
}

# Changes the tools of a target. `init` cannot, because it would test the new tools.
use_tools() {
	sed -i "s|^prefix = .*|prefix = \"$2\"|" "$PORTAGE_OVERRIDE_EPREFIX/etc/crossmerge/targets/$1.toml"
}

# Unsets the caller's variables that would change the measurements.
unset_of_callers() {
	unset ABI CBUILD CC CFLAGS CHOST CONFIG_SITE CROSS_CMD CXX DEFAULT_ABI EPREFIX ESYSROOT LDFLAGS PKG_CONFIG_PATH ROOT SYSROOT WORKDIR
}

# Makes a prefix with the demonstration's Portage and an installed `crossmerge`, and nothing else.
make_prefix() {
	local prefix=$1
	mkdir -p "$prefix/bin" "$prefix/share" "$prefix/etc/portage"
	install -m 755 "$binary" "$prefix/bin/crossmerge"
	ln -s "$demo/venv/share/portage" "$prefix/share/portage"
	cp "$demo/venv/etc/portage/"{make,repos}.conf "$prefix/etc/portage/"
	ln -s "$(readlink "$demo/venv/etc/portage/make.profile")" "$prefix/etc/portage/make.profile"
}

# Makes a prefix the current one.
enter_prefix() {
	export PATH=$1/bin:$demo/venv/bin:/usr/bin:/bin:/usr/sbin PORTAGE_OVERRIDE_EPREFIX=$1
}

# Makes the configure script of questions.ac in a new directory.
make_questions() {
	mkdir "$1"
	cp "$here/questions.ac" "$1/configure.ac"
	cp /usr/share/misc/config.{guess,sub} "$1"
	(cd "$1" && autoheader && autoconf)
}
