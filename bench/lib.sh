# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the groups measure with. Each row goes to stdout as it is measured and to $rows, from which the table is made.
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

# row WHAT OURS PEER RATIO LIMIT: the figures as text; a dash where there is none.
row() {
	local verdict
	verdict=$(verdict "$2" "$3" "$4" "$5")
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$verdict" >> "$rows"
	line "$1" "$2" "$3" "$4" "$5" "$verdict"
}

line() { printf "%-74s %10s %10s %7s %7s  %s\n" "$@"; }

# Says whether a limit is kept. It is a ratio, or with a plus so many milliseconds more than the peer takes.
verdict() {
	awk -v ours="$1" -v peer="$2" -v ratio="$3" -v limit="$4" 'BEGIN {
		if (limit == "-") exit
		if (limit ~ /^\+/) { is = ours - peer; limit = substr(limit, 2) } else is = ratio
		if (is > limit * 1.2) print "OVER by more than a fifth"; else if (is > limit) print "over"
	}'
}

# compare WHAT RUNS LIMIT OURS PEER: two commands in turns, some runs of one and as many of the other, round after round. Of a
# round counts the quickest run, which is the one that nothing else on the machine disturbed; of the rounds the median, and that
# of their ratios. What takes long is measured in fewer rounds. `before`, where it is set, is a command that runs before each.
compare() {
	local what=$1 runs=$2 limit=$3 ours=$4 peer=$5 round many=$rounds warmup=2
	((runs >= 10)) || { many=$(((rounds + 1) / 2)) warmup=1; }
	for ((round = 0; round < many; round++)); do
		hyperfine -N --warmup "$warmup" --runs "$runs" ${before:+--prepare "$before"} --style none --export-csv "$work/csv" "$ours" "$peer" > "$work/said" 2>&1 || {
			cat "$work/said" >&2
			fail "\`$what\` was not measured" "run it by hand in a folder of its own: $ours"
		}
		awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "min") column = i; next }
			{ time[NR] = $column } END { print time[2] * 1000, time[3] * 1000, time[2] / time[3] }' "$work/csv"
	done > "$work/measured"
	row "$what" "$(column 1)" "$(column 2)" "$(column 3)" "$limit"
}

column() { awk -v column="$1" '{ print $column }' "$work/measured" | median | awk '{ printf "%.2f", $1 }'; }

# Puts what an applet sets into the environment and its command line into `tool`, so that the bare tool is asked the same in the
# same surroundings.
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
	[[ -n $tool ]] || fail "there is no plan for \`$tuple-$1\`" "crossmerge plan $tuple $*"
}

# bare WHAT RUNS LIMIT APPLET ARGS…: an applet and the tool that it becomes.
bare() (
	what=$1 runs=$2 limit=$3
	shift 3
	surroundings_of "$@"
	compare "$what" "$runs" "$limit" "$tuple-$*" "$tool"
)

# Makes a target of a prefix's own, with its links beside the prefix's `crossmerge`.
make_target() {
	crossmerge init "$@" > "$work/said" 2>&1 || {
		cat "$work/said" >&2
		fail "there is no target $1" "crossmerge init $*"
	}
}

# Gives a target other tools than those that it was made with. `init` would try them.
use_tools() {
	sed -i "s|^prefix = .*|prefix = \"$2\"|" "$PORTAGE_OVERRIDE_EPREFIX/etc/crossmerge/targets/$1.toml"
}

# Unsets what a caller has set that would decide in our place.
unset_of_callers() {
	unset ABI CBUILD CC CFLAGS CHOST CONFIG_SITE CROSS_CMD CXX DEFAULT_ABI EPREFIX ESYSROOT LDFLAGS PKG_CONFIG_PATH ROOT SYSROOT WORKDIR
}

# Makes a prefix in which the demonstration's Portage is at home, with nothing in it but `crossmerge`, as it is installed.
make_prefix() {
	local prefix=$1
	mkdir -p "$prefix/bin" "$prefix/share" "$prefix/etc/portage"
	install -m 755 "$binary" "$prefix/bin/crossmerge"
	ln -s "$demo/venv/share/portage" "$prefix/share/portage"
	cp "$demo/venv/etc/portage/"{make,repos}.conf "$prefix/etc/portage/"
	ln -s "$(readlink "$demo/venv/etc/portage/make.profile")" "$prefix/etc/portage/make.profile"
}

# Makes it the prefix of all that follows.
enter_prefix() {
	export PATH=$1/bin:$demo/venv/bin:/usr/bin:/bin:/usr/sbin PORTAGE_OVERRIDE_EPREFIX=$1
}

# Makes the configure script of the questions in a folder.
make_questions() {
	mkdir "$1"
	cp "$here/questions.ac" "$1/configure.ac"
	cp /usr/share/misc/config.{guess,sub} "$1"
	(cd "$1" && autoheader && autoconf)
}
