//! Programs for other machines: the rules that recognise them, `<tuple>-run`, and `crossmerge binfmt`. The tests
//! change binfmt_misc only in their own user namespaces (Linux 6.7), never the host's.

mod binfmt;
mod libc;
mod rules;
mod run;

use crate::support::{Output, Prefix};
use std::path::{Path, PathBuf};

/// Debian's cross compilers, and QEMU's name for the default machine of each.
const COMPILERS: [(&str, &str); 15] = [
    ("arm-linux-gnueabi", "arm"),
    ("arm-linux-gnueabihf", "arm"),
    ("aarch64-linux-gnu", "aarch64"),
    ("alpha-linux-gnu", "alpha"),
    ("hppa-linux-gnu", "hppa"),
    ("i686-linux-gnu", "i386"),
    ("m68k-linux-gnu", "m68k"),
    ("mips64el-linux-gnuabi64", "mips64el"),
    ("powerpc-linux-gnu", "ppc"),
    ("powerpc64le-linux-gnu", "ppc64le"),
    ("riscv64-linux-gnu", "riscv64"),
    ("s390x-linux-gnu", "s390x"),
    ("sh4-linux-gnu", "sh4"),
    ("sparc64-linux-gnu", "sparc64"),
    ("x86_64-linux-gnu", "x86_64"),
];

/// A program that prints its name and its arguments, and exits with 7.
const PROGRAM: &str = r#"#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	const char *prefix = getenv("QEMU_LD_PREFIX"), *cpu = getenv("QEMU_CPU");
	for (int i = 0; i < argc; i++)
		printf("<%s>", argv[i]);
	printf(" prefix=%s cpu=%s\n", prefix ? prefix : "-", cpu ? cpu : "-");
	return 7;
}
"#;

/// Compiles a program with a cross compiler of Debian's, and returns its path.
fn compile(prefix: &Prefix, compiler: &str, options: &[&str], name: &str, source: &str) -> PathBuf {
    let source = prefix.write(&format!("{name}.c"), source);
    let program = prefix.join(name);
    let words = [source.to_str(), Some("-o"), program.to_str()];
    let words = words.into_iter().flatten().chain(options.iter().copied());
    prefix
        .command(format!("/usr/bin/{compiler}-gcc"), words)
        .success();
    program
}

/// Runs a script in new user and mount namespaces with their own binfmt_misc.
fn in_namespace(prefix: &Prefix, script: &str) -> Output {
    let before = host_table();
    let script = format!("mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 99\n{script}");
    let output = prefix.command("/usr/bin/unshare", ["-Urm", "/bin/bash", "-euc", &script]);
    assert_eq!(host_table(), before, "the host's own table has changed");
    output
}

/// The entries of the host's own binfmt_misc, which are none if it is not mounted.
fn host_table() -> Vec<(PathBuf, String)> {
    let directory = Path::new("/proc/sys/fs/binfmt_misc");
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        (path, text)
    };
    let mut table: Vec<_> = files.map(|file| read(file.path())).collect();
    table.sort();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let mounts: Vec<&str> = mounts
        .lines()
        .filter(|line| line.contains("binfmt_misc"))
        .collect();
    table.push((directory.into(), mounts.join("\n")));
    table
}
