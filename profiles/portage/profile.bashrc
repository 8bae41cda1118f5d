# Made by `crossmerge init @CHOST@`.
#
# The pkg_postinst of a package may run a program of the target, which the kernel here cannot execute. bash's exit code
# for that is 126, and pkg_postinst goes on as if nothing had happened. The trap makes it fail instead, so that emerge
# names the package and exits with 1. `trap - ERR` in etc/portage/bashrc removes the trap.

if [[ ${EBUILD_PHASE} == postinst ]]; then
	trap '[[ $? -ne 126 ]] || die "\`${BASH_COMMAND%% *}\` cannot be executed here. To run programs of the target under QEMU, add \`run_target_programs = true\` as the first line of @FILE@"' ERR

	# A program in ROOT uses the libraries of ROOT, if they are complete enough to contain the dynamic linker.
	if [[ -n ${QEMU_LD_PREFIX-} && ${QEMU_LD_PREFIX%/} == "${SYSROOT%/}" ]] && compgen -G "${ROOT%/}/lib*/ld*.so*" > /dev/null; then
		export QEMU_LD_PREFIX=${ROOT%/}
	fi
fi
