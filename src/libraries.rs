//! Library directories: where the target's packages install libraries, and where an adopted compiler has to search.
//!
//! The profile decides (`LIBDIR_<abi>`: `lib64` for most 64-bit CPUs) and can change at any time. An adopted compiler
//! searches the directories of the distribution it was built for. So its applet also passes the target's directories:
//! those of libraries by `-L`, after the caller's own; those of start files by symlinks in crossmerge's own directory.
//!
//! `-B` with a directory of the sysroot would do both, but GCC would also search it for `cc1`, `as`, `ld`, `specs` and
//! other files that it runs, or whose instructions it follows. Other users may have built the content of a sysroot, so
//! no call may run anything from it.

use crate::{config::Toolchain, context::Context, target::Target};
use crossmerge_plan::env;
use crossmerge_system::file::{self, below};
use nix::{
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    sys::stat::{Mode, SFlag, fstatat},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Component, Path, PathBuf},
};

/// The files that GCC finds by name and not by `-l`: the start files of glibc, musl and uClibc, and the most usual
/// arguments of `-print-file-name=`. Sources: `*startfile` of `gcc -dumpspecs` for each of Debian's cross compilers;
/// musl's Makefile; glibc's `csu/Makefile`.
pub(crate) const FOUND_BY_NAME: [&str; 12] = [
    START_FILE, "Scrt1.o", "rcrt1.o", "gcrt1.o", "grcrt1.o", "Mcrt1.o", "crti.o", "crtn.o",
    "libc.so", "libc.a", "libm.so", "libm.a",
];

/// The start file that every libc has.
const START_FILE: &str = "crt1.o";

/// Returns the library directories of a target without a profile, the most likely first, below `usr` and below the
/// root.
///
/// Source: GCC's `MULTILIB_OSDIRNAMES` and glibc's `sysdeps/unix/sysv/linux/*/configure.ac`: `lib64` for 64 bits,
/// with a subdirectory for each ABI on RISC-V; `lib32` for MIPS n32, `libx32` for x32; `lib` for all others.
pub(crate) fn usual(target: &Target, multiarch: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    let of_abi = |libdir: &str| {
        let abi = target.abi.as_deref().map(|abi| format!("{libdir}/{abi}"));
        abi.into_iter().chain([libdir.to_owned()])
    };
    if target.bits == 64 {
        of_abi("lib64").for_each(&mut add);
    }
    add("lib".into());
    if target.bits == 32 || target.either_bits {
        of_abi("lib32").for_each(&mut add);
        add("libx32".into());
    }
    for name in multiarch {
        add(format!("lib/{name}"));
    }
    names
}

/// Returns whether a profile's library directory is valid: a relative path without `.` and `..`.
pub(crate) fn is_libdir(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Returns the names of the library directories that an adopted compiler searches, in order: that of the ABI in the
/// environment, which an ebuild's phases set; then those recorded for the toolchain, or the usual ones.
fn names(context: &Context, adopted: &Toolchain) -> Vec<String> {
    let abi = context
        .env
        .get(env::ABI)
        .or(context.env.get(env::DEFAULT_ABI));
    let in_env = abi.and_then(OsStr::to_str).and_then(|abi| {
        let libdir = context.env.get_name(&format!("LIBDIR_{abi}"))?.to_str()?;
        is_libdir(libdir).then(|| libdir.to_owned())
    });
    let recorded = match &adopted.libdirs {
        Some(recorded) => recorded.clone(),
        // The toolchain was recorded by a version without this key.
        None => match context.target() {
            Ok(target) if target.kernel.is_some() => usual(&target, &multiarch(context)),
            _ => Vec::new(),
        },
    };
    let mut names: Vec<String> = in_env.into_iter().collect();
    if !recorded.is_empty() {
        names.extend(recorded.into_iter().filter(|name| is_libdir(name)));
    } else {
        // A bare-metal compiler has its own libraries.
        names.clear();
    }
    names
}

/// Returns whether the compiler searches a library directory of the sysroot. An adopted compiler searches those in the
/// options of its applet. Any other searches the directory by default.
pub(crate) fn searches(context: &Context, libdir: &str) -> bool {
    let Some(adopted) = &context.settings.toolchain else {
        return true;
    };
    let names = names(context, adopted);
    names.is_empty() || names.iter().any(|name| name == libdir)
}

/// Returns the names that Debian may have for the target: the tuple, the tuple without its vendor, and the prefix of
/// the tools.
pub(crate) fn multiarch(context: &Context) -> Vec<String> {
    let tuple = &context.tuple;
    let mut names = vec![tuple.to_string()];
    names.extend(tuple.without_vendor());
    let toolchain = context.settings.toolchain.as_ref();
    let prefix = toolchain.and_then(|toolchain| toolchain.prefix.file_name()?.to_str());
    let prefix = prefix.and_then(|prefix| prefix.strip_suffix('-'));
    names.extend(prefix.map(str::to_owned));
    names
}

/// Returns the existing library directories of a sysroot that an adopted compiler searches, in its order, without
/// duplicates under other names. As in a native compiler, `usr/<libdir>` comes before `<libdir>`, which on a system with
/// a split `/usr` contains only the libraries needed to boot.
pub(crate) fn directories(context: &Context, sysroot: &Path) -> Vec<PathBuf> {
    let Some(adopted) = &context.settings.toolchain else {
        return Vec::new();
    };
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for name in names(context, adopted) {
        for directory in [sysroot.join("usr").join(&name), sysroot.join(&name)] {
            if let Ok(metadata) = directory.metadata()
                && metadata.is_dir()
                && seen.insert((metadata.dev(), metadata.ino()))
            {
                found.push(directory);
            }
        }
    }
    found
}

/// Returns the LD_LIBRARY_PATH with which an adopted toolchain's dynamic linker finds the libraries of a root. Such a
/// linker was built for another distribution: by default it searches `lib` and that distribution's multiarch
/// directories. Returns `None` if the root has no other library directories.
///
/// crossmerge passes it to QEMU, which sets it only for the program: a native program would load the sysroot's
/// libraries. QEMU separates variables by commas, so `None` is returned if the path contains one. `more` are further
/// directories.
pub(crate) fn linker_path(context: &Context, root: &Path, more: Vec<PathBuf>) -> Option<OsString> {
    let own = directories(context, root).into_iter().filter(|directory| {
        let below = directory.strip_prefix(root).unwrap_or(directory);
        let below = below.strip_prefix("usr").unwrap_or(below);
        !below.starts_with("lib")
    });
    let own: Vec<PathBuf> = own.chain(more).collect();
    if own.is_empty() {
        return None;
    }
    let callers = context.env.get(env::LD_LIBRARY_PATH).unwrap_or_default();
    let callers = std::env::split_paths(callers).filter(|path| !own.contains(path));
    let all: Vec<PathBuf> = callers.chain(own.iter().cloned()).collect();
    let path = std::env::join_paths(all).ok()?;
    (!path.as_encoded_bytes().contains(&b',')).then_some(path)
}

/// Returns the directories of symlinks by which an adopted GCC finds the start files of a sysroot: one for each
/// library directory that contains any. The symlinks lead into the target's own sysroot, so there are none for
/// another.
pub(crate) fn start_files(context: &Context, sysroot: &Path) -> Vec<PathBuf> {
    let adopted = context.settings.toolchain.as_ref();
    let Some((adopted, links)) = adopted.and_then(|a| Some((a, a.start_files.as_ref()?))) else {
        return Vec::new();
    };
    // Compared as paths, so a trailing slash does not matter.
    if *sysroot != context.own_sysroot() {
        return Vec::new();
    }
    let Some(usr) = open_usr(sysroot) else {
        return Vec::new();
    };
    let has = |name: &String| {
        let start_file = format!("{name}/{START_FILE}");
        fstatat(&usr, start_file.as_str(), AtFlags::empty()).is_ok()
    };
    let names = names(context, adopted).into_iter().filter(has);
    names.map(|name| links.join(name)).collect()
}

/// Returns whether a recorded option of a toolchain makes GCC search a sysroot for programs, as earlier releases
/// recorded it.
pub(crate) fn runs_programs_of_sysroot(option: &str) -> bool {
    option.starts_with("-B{sysroot}")
}

/// Returns whether a command links. If not, the caller omits the options of library directories: GCC takes `-Wl,` for
/// an input file, so that `gcc -v` alone would link.
pub(crate) fn links(args: &[OsString]) -> bool {
    const ENDS_BEFORE_LINKING: [&str; 6] = ["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"];
    let is_input = |arg: &&OsString| {
        let arg = arg.as_encoded_bytes();
        !arg.starts_with(b"-") || arg == b"-" || arg.starts_with(b"-l")
    };
    !args
        .iter()
        .any(|arg| ENDS_BEFORE_LINKING.iter().any(|end| arg == end))
        && args.iter().any(|arg| is_input(&arg))
}

/// The library directories below `usr`, and RISC-V's subdirectories of them: one for each ABI of that word size.
/// Source: glibc's `sysdeps/unix/sysv/linux/riscv/configure.ac`.
const LIBDIRS: [(&str, &[&str]); 4] = [
    ("lib64", &["lp64d", "lp64", "lp64f"]),
    ("lib", &[]),
    ("libx32", &[]),
    ("lib32", &["ilp32d", "ilp32", "ilp32f"]),
];

/// Returns the library directories of the ABI: `LIBDIR_<abi>` of the environment, else of the target's settings, else
/// those in the sysroot that contain `.pc` files, else `lib`.
///
/// The settings are read only if they matter: if no ABI is named and only one directory contains `.pc` files, it is
/// that.
pub(crate) fn libdirs(context: &Context, root: &Path) -> Vec<String> {
    let named = |variable| context.env.get(variable).and_then(OsStr::to_str);
    let abi = named(env::ABI).or(named(env::DEFAULT_ABI));
    let filled = |libdir: Option<String>| libdir.filter(|libdir| !libdir.is_empty());
    let in_env = |abi: &str| {
        let libdir = context.env.get_name(&format!("LIBDIR_{abi}"))?.to_str()?;
        Some(libdir.to_owned())
    };
    if let Some(libdir) = filled(in_env(abi.unwrap_or("default"))) {
        return vec![libdir];
    }
    let found = with_packages(context, root);
    if abi.is_none() && found.len() == 1 {
        return found;
    }
    // The default ABI's settings include its directory.
    let settings = match abi {
        Some(_) => None,
        None => context.read_target_settings(&[env::DEFAULT_ABI.name]),
    };
    let settings = settings.unwrap_or_default();
    let default_abi = || filled(settings.get(env::DEFAULT_ABI.name).cloned());
    let abi = abi.map(str::to_owned).or_else(default_abi);
    let abi = abi.unwrap_or_else(|| "default".into());
    let name = format!("LIBDIR_{abi}");
    let setting = || match settings.get(&name) {
        Some(libdir) => Some(libdir.clone()),
        None => context.read_target_settings(&[&name])?.remove(&name),
    };
    match filled(in_env(&abi)).or_else(|| filled(setting())) {
        Some(libdir) => vec![libdir],
        None if found.is_empty() => vec!["lib".into()],
        None => found,
    }
}

/// Returns the existing library directories of the sysroot, the ABI's own first, for build systems that search for
/// libraries without the compiler.
pub(crate) fn library_directories(context: &Context, sysroot: &Path) -> Vec<String> {
    let exists = |libdir: &String| below(sysroot, &format!("usr/{libdir}")).is_dir();
    libdirs(context, sysroot)
        .into_iter()
        .filter(exists)
        .collect()
}

/// Opens `usr` of a root. Lookups relative to an open directory take half the time.
fn open_usr(root: &Path) -> Option<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    // musl follows open(2), but not openat(2), by an unnecessary fcntl(2).
    openat(AT_FDCWD, &below(root, "usr"), flags, Mode::empty()).ok()
}

/// Returns the library directories of a root that contain `.pc` files, each under its first name.
fn with_packages(context: &Context, root: &Path) -> Vec<String> {
    // Each entry of LIBDIRS seldom has more than one directory.
    let mut seen = Vec::with_capacity(LIBDIRS.len());
    let mut found = Vec::with_capacity(LIBDIRS.len());
    let Some(usr) = open_usr(root) else {
        return found;
    };
    let directory = |path: &str| {
        let there = fstatat(&usr, path, AtFlags::empty()).ok()?;
        file::is_kind(&there, SFlag::S_IFDIR).then_some(there)
    };
    let mut check = |libdir: String| {
        let Some(packages) = directory(&format!("{libdir}/pkgconfig")) else {
            return;
        };
        let identity = (packages.st_dev, packages.st_ino);
        if !seen.contains(&identity) {
            seen.push(identity);
            found.push(libdir);
        }
    };
    for (libdir, abis) in LIBDIRS {
        if abis.is_empty() || directory(libdir).is_some() {
            abis.iter().for_each(|abi| check(format!("{libdir}/{abi}")));
            check(libdir.into());
        }
    }
    multiarch(context)
        .into_iter()
        .for_each(|name| check(format!("lib/{name}")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Source;

    #[test]
    fn the_usual_directories_follow_word_size_and_abi() {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        for (tuple, wanted) in [
            ("aarch64-unknown-linux-gnu", "lib64 lib"),
            ("x86_64-cross-linux-gnu", "lib64 lib"),
            ("powerpc64le-unknown-linux-gnu", "lib64 lib"),
            ("s390x-ibm-linux-gnu", "lib64 lib"),
            ("sparc64-unknown-linux-gnu", "lib64 lib"),
            ("armv7a-unknown-linux-gnueabihf", "lib lib32 libx32"),
            ("riscv64-unknown-linux-gnu", "lib64/lp64d lib64 lib"),
            ("riscv64-unknown-linux-musl", "lib64/lp64d lib64 lib"),
            ("riscv32-unknown-linux-gnu", "lib lib32/ilp32d lib32 libx32"),
            ("mips64el-unknown-linux-gnuabi64", "lib64 lib"),
            ("mips64el-unknown-linux-gnuabin32", "lib lib32 libx32"),
            ("mips64el-unknown-linux-gnu", "lib64 lib lib32 libx32"),
            ("mipsel-unknown-linux-gnu", "lib lib32 libx32"),
            ("x86_64-cross-linux-gnux32", "lib lib32 libx32"),
        ] {
            let target = Target::of(&tuple.parse().expect(tuple), &sources, "").expect(tuple);
            assert_eq!(usual(&target, &[]).join(" "), wanted, "{tuple}");
        }
        assert!(is_libdir("lib64/lp64d") && is_libdir("lib"));
        assert!(
            !is_libdir("") && !is_libdir("/lib") && !is_libdir("../lib") && !is_libdir("lib/..")
        );
    }

    #[test]
    fn library_directories_are_named_where_something_is_linked() {
        for (args, wanted) in [
            ("x.c -o x -lz", true),
            ("-o x -lz", true),
            ("-", true),
            ("@words", true),
            ("-shared x.o", true),
            ("-v", false),
            ("--version", false),
            ("-print-file-name=libc.so", false),
            ("-dumpmachine", false),
            ("-c x.c", false),
            ("-S x.c", false),
            ("-E -", false),
            ("-MM x.c", false),
            ("-MD -MF x.d x.c -o x", true),
            ("", false),
        ] {
            let words: Vec<OsString> = args.split_whitespace().map(Into::into).collect();
            assert_eq!(links(&words), wanted, "{args}");
        }
    }
}
