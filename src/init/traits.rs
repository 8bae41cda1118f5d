//! The traits of a compiler other than the machine: the system, the libc and the ABI. They are derived from its
//! predefined macros and its link command, and compared with the tuple.

use super::interpreter::{interpreter, libc_of_interpreter};
use crate::target::{Macros, Mismatch, Target};
use crossmerge_system::exec::probe::ProbeDirectory;
use std::{
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::Output,
};

/// A source that includes the libc's macros, if there is a libc.
const SOURCE: &str = "#ifdef __has_include\n#if __has_include(<stdio.h>)\n#include <stdio.h>\n#endif\n#endif\nint main(void) { return 0; }\n";

/// Macros of systems, with Portage's KERNEL or the system's name; the first that is defined counts. Sources: GCC's and
/// clang's `TARGET_OS_CPP_BUILTINS`.
const SYSTEMS: [(&str, &str); 9] = [
    ("__linux__", "linux"),
    ("__CYGWIN__", "Cygwin"),
    ("_WIN32", "Winnt"),
    ("__gnu_hurd__", "Hurd"),
    ("__FreeBSD__", "FreeBSD"),
    ("__NetBSD__", "NetBSD"),
    ("__OpenBSD__", "OpenBSD"),
    ("__APPLE__", "Darwin"),
    ("__sun", "SunOS"),
];

/// Macros of libcs, with Portage's ELIBC or the libc's name; the first that is defined counts. uClibc also defines
/// glibc's. musl defines none, and is identified by its dynamic linker.
const LIBCS: [(&str, &str); 9] = [
    ("__CYGWIN__", "Cygwin"),
    ("__MINGW32__", "mingw"),
    ("__UCLIBC__", "uclibc-ng"),
    ("__BIONIC__", "bionic"),
    ("__dietlibc__", "dietlibc"),
    ("__KLIBC__", "klibc"),
    ("__GLIBC__", "glibc"),
    ("_NEWLIB_VERSION", "newlib"),
    ("__NEWLIB__", "newlib"),
];

/// The macros and the dynamic linker of a compiler's output.
#[derive(Debug, Clone)]
pub(crate) struct Traits {
    macros: Macros,
    interpreter: Option<PathBuf>,
}

/// The headers with which the compiler is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headers {
    /// Those that the compiler finds.
    Found,
    /// None, because those that the compiler finds may be another target's.
    None,
}

impl Traits {
    /// Determines the traits of a compiler, which `run` starts in the C locale. Returns `None` if the compiler prints
    /// no macros.
    pub(crate) fn ask<E: From<io::Error>>(
        probes: &ProbeDirectory,
        headers: Headers,
        run: impl Fn(&[&OsStr]) -> Result<Output, E>,
    ) -> Result<Option<Self>, E> {
        let source = probes.source("traits.c", SOURCE)?;
        let define = |file: &OsStr| {
            let args = ["-dM", "-E", "-x", "c"].map(OsStr::new);
            let output = run(&[&args[..], &[file]].concat())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok::<_, E>(output.status.success().then_some(text))
        };
        let found = match headers {
            Headers::Found => define(source.as_os_str())?,
            Headers::None => None,
        };
        // The headers may be broken, or not fit the options.
        let found = match found {
            Some(text) => Some(text),
            None => define(OsStr::new("/dev/null"))?,
        };
        let Some(macros) = found else {
            return Ok(None);
        };
        let args = [OsString::from("-###"), source.into()];
        let linking = run(&[args[0].as_os_str(), args[1].as_os_str()])?.stderr;
        Ok(Some(Self {
            macros: Macros::parse(&macros),
            interpreter: interpreter(&String::from_utf8_lossy(&linking)),
        }))
    }

    /// Compares the system and the libc with the tuple's. Returns the difference, if there is one.
    pub(crate) fn other_system(&self, target: &Target) -> Option<Mismatch> {
        let made = self.first(&SYSTEMS);
        let is_linux = |kernel: Option<&str>| kernel == Some("linux");
        // The names of the other systems are not all Portage's.
        let is_other = made.is_some() && target.kernel.is_some() && made != target.kernel;
        if is_other || is_linux(made) != is_linux(target.kernel) {
            let name = |kernel: Option<&str>| kernel.unwrap_or("none").to_owned();
            return Some(Mismatch {
                what: "system",
                made: name(made),
                wanted: name(target.kernel),
            });
        }
        let made = self.libc()?;
        let wanted = target.elibc?;
        // The tuple may name the libc elsewhere: OpenWrt's `arm-openwrt-linux-muslgnueabi` means musl.
        let is_named = target.tuple.contains(made);
        (made != wanted && !is_named).then(|| Mismatch {
            what: "libc",
            made: made.into(),
            wanted: wanted.into(),
        })
    }

    /// Compares the ABI with the tuple's. Returns the difference, if there is one.
    pub(crate) fn other_abi(&self, target: &Target) -> Option<Mismatch> {
        target.other_abi(&self.macros)
    }

    /// Compares the width of a pointer with the tuple's. Used for output that is not ELF, whose header would state the
    /// width.
    pub(crate) fn other_width(&self, target: &Target) -> Option<Mismatch> {
        let made = self.macros.number("__SIZEOF_POINTER__")? * 8;
        (made != u32::from(target.bits)).then(|| Mismatch {
            what: "word size",
            made: format!("{made} bits"),
            wanted: format!("{} bits", target.bits),
        })
    }

    fn libc(&self) -> Option<&'static str> {
        let linker = || self.interpreter.as_deref().and_then(libc_of_interpreter);
        self.first(&LIBCS).or_else(linker)
    }

    fn first(&self, table: &[(&str, &'static str)]) -> Option<&'static str> {
        let mut defined = table.iter().filter(|(macro_, _)| self.macros.has(macro_));
        defined.next().map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Source;

    /// This is a table: one row for each case.
    #[test]
    fn a_libc_or_system_other_than_the_tuples_is_a_mismatch() {
        const LINUX: &str = "#define __linux__ 1\n";
        const GLIBC: &str = "#define __linux__ 1\n#define __GLIBC__ 2\n";
        const UCLIBC: &str = "#define __linux__ 1\n#define __GLIBC__ 2\n#define __UCLIBC__ 1\n";
        const NEWLIB: &str = "#define _NEWLIB_VERSION \"4.3\"\n";
        const MINGW: &str = "#define _WIN32 1\n#define __MINGW32__ 1\n";
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        for (tuple, macros, interpreter, other) in [
            ("arm-x-linux-gnueabi", GLIBC, "/lib/ld-linux.so.3", None),
            (
                "arm-x-linux-musleabi",
                GLIBC,
                "/lib/ld-linux.so.3",
                Some(("libc", "glibc", "musl")),
            ),
            ("arm-x-linux-musleabi", LINUX, "/lib/ld-musl-arm.so.1", None),
            (
                "arm-x-linux-gnueabi",
                LINUX,
                "/lib/ld-musl-arm.so.1",
                Some(("libc", "musl", "glibc")),
            ),
            (
                "mips-x-linux-uclibc",
                GLIBC,
                "/lib/ld.so.1",
                Some(("libc", "glibc", "uclibc-ng")),
            ),
            ("mips-x-linux-uclibc", UCLIBC, "/lib/ld-uClibc.so.0", None),
            (
                "mips-x-linux-gnu",
                UCLIBC,
                "/lib/ld-uClibc.so.0",
                Some(("libc", "uclibc-ng", "glibc")),
            ),
            (
                "arm-openwrt-linux-muslgnueabi",
                LINUX,
                "/lib/ld-musl-arm.so.1",
                None,
            ),
            // The first compiler of a bootstrap, before there is a libc.
            ("arm-x-linux-gnueabi", LINUX, "", None),
            (
                "arm-x-linux-musleabi",
                LINUX,
                "/lib/ld-linux.so.3",
                Some(("libc", "glibc", "musl")),
            ),
            ("arm-none-eabi", NEWLIB, "", None),
            (
                "arm-none-eabi",
                GLIBC,
                "/lib/ld-linux.so.3",
                Some(("system", "linux", "none")),
            ),
            (
                "riscv64-x-linux-gnu",
                NEWLIB,
                "",
                Some(("system", "none", "linux")),
            ),
            ("x86_64-w64-mingw32", MINGW, "", None),
            (
                "x86_64-w64-mingw32",
                GLIBC,
                "/lib64/ld-linux-x86-64.so.2",
                Some(("system", "linux", "Winnt")),
            ),
            (
                "x86_64-x-linux-gnu",
                MINGW,
                "",
                Some(("system", "Winnt", "linux")),
            ),
            (
                "i686-gnu",
                "#define __gnu_hurd__ 1\n#define __GLIBC__ 2\n",
                "/lib/ld.so",
                None,
            ),
            ("avr", "", "", None),
            // Targets whose libc is not known.
            ("aarch64-linux-android", LINUX, "/system/bin/linker64", None),
            (
                "x86_64-redhat-linux",
                GLIBC,
                "/lib64/ld-linux-x86-64.so.2",
                None,
            ),
        ] {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            let traits = Traits {
                macros: Macros::parse(macros),
                interpreter: Some(interpreter.into()),
            };
            let found = traits.other_system(&target);
            let found = found
                .as_ref()
                .map(|m| (m.what, m.made.as_str(), m.wanted.as_str()));
            assert_eq!(found, other, "{tuple} {macros} {interpreter}");
        }
    }
}
