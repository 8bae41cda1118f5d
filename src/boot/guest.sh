#!/bin/sh
# The first process of a board on which `crossmerge boot --run` runs a command. It starts the image's own init, and
# beside it waits until the system is up, runs the command, and writes its output to the disks that crossmerge reads.
# It needs a POSIX shell, the kernel's virtio disks, and `sleep`.
# crossmerge replaces the names in @.

# Finds the disks by the first lines that crossmerge wrote to them: the kernel may name them in another order.
find_disks() {
	out='' err='' status=''
	for disk in /dev/vd[a-z] /.crossmerge/dev/vd[a-z]; do
		line=''
		[ -b "$disk" ] && read -r line < "$disk"
		case $line in
			'@ID@ out') out=$disk ;;
			'@ID@ err') err=$disk ;;
			'@ID@ status') status=$disk ;;
		esac
	done
	[ -n "$out" ] && [ -n "$err" ] && [ -n "$status" ]
} 2> /dev/null

# An initramfs has no devtmpfs before its init mounts it. Another mount elsewhere is not in its way.
reach_disks() {
	for module in /.crossmerge/modules/*.ko; do
		[ -f "$module" ] && insmod "$module"
	done
	[ ! -d /.crossmerge/dev ] || mount -t devtmpfs dev /.crossmerge/dev
} 2> /dev/null

# Succeeds if a process has a controlling terminal: a login, or a shell on the console.
has_terminal() {
	for stat in /proc/[0-9]*/stat; do
		line=''
		read -r line < "$stat"
		# Behind the name: state, parent, group, session, terminal.
		# shellcheck disable=SC2086
		set -- ${line##*) }
		[ "${5:-0}" = 0 ] || return 0
	done
	return 1
} 2> /dev/null


# Waits for a login, for five seconds in which no process starts or ends, or for two minutes.
wait_until_up() {
	seconds=0 same=0 before=''
	while [ $seconds -lt 120 ] && [ $same -lt 5 ] && ! has_terminal; do
		sleep 1
		# Without a subshell, which would be a process itself.
		list=''
		for process in /proc/[0-9]*; do
			[ -e "$process/exe" ] && list="$list $process"
		done
		[ "$list" = "$before" ] && same=$((same + 1)) || same=0
		before=$list seconds=$((seconds + 1))
	done
}

run() {
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	HOME=/root
	export PATH HOME
	reach_disks
	tries=0
	until find_disks; do
		[ $tries -lt 60 ] || {
			echo 'crossmerge: the kernel has no disks of QEMU: it lacks CONFIG_VIRTIO_BLK or the driver of its bus' > /dev/console
			return
		}
		tries=$((tries + 1))
		sleep 1
	done
	[ -z "$init" ] || wait_until_up
	{
		/bin/sh -c @COMMAND@ < /dev/null
		code=$?
		printf '@ID@ end'
		printf '@ID@ end' >&2
	} > "$out" 2> "$err"
	sync
	echo "@ID@ $code" > "$status"
	sync
	@END@
}

init=@INIT@
run &
for program in $init; do
	[ ! -x "$program" ] || exec "$program"
done
wait
while :; do sleep 1000; done
