//! Checks whether a target may be made: its tuple, its sysroot, its symlinks. Changes nothing.
//!
//! Every choice that would replace something of the host is refused here: its tuple, its directories, the names of
//! its compilers.

use super::{error::InitError, interpreter::libc_of_interpreter, options::InitOptions, toolchain};
use crate::{
    applet::Wrappers,
    config::{Toolchain, ToolchainKind},
    context::Context,
    links::tools,
    target::{Target, elf_machine::ElfMachine},
};
use crossmerge_plan::{shown::Show, tuple::Tuple, words::quote};
use crossmerge_system::{
    elf,
    exec::PrintedPath,
    file::{below, canonical},
};
use std::{
    ffi::OsStr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Directories in which the host keeps its own files, relative to its root. Source: the Filesystem Hierarchy Standard
/// 3.0.
const OF_THE_HOST: &str = "bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin srv sys tmp usr var \
     usr/bin usr/games usr/include usr/lib usr/lib32 usr/lib64 usr/libexec usr/local usr/sbin usr/share usr/src \
     usr/local/bin usr/local/etc usr/local/games usr/local/include usr/local/lib usr/local/sbin usr/local/share usr/local/src \
     var/cache var/db var/lib var/lock var/log var/mail var/opt var/run var/spool var/tmp";

/// Vendors that do not distinguish a tuple from the host's, which may be spelt with any of them.
const ANY_VENDOR: [Option<&str>; 3] = [None, Some("pc"), Some("unknown")];

/// A shell that every host has, linked against its libc.
const SHELL: &str = "/bin/sh";

/// Refuses a sysroot that is not a directory, that contains the host's own files, or that is another target's.
pub(super) fn check_sysroot(context: &Context, sysroot: &Path) -> Result<(), InitError> {
    let is_default = *sysroot == context.default_sysroot();
    let place = canonical(sysroot);
    let why = if sysroot.exists() && !sysroot.is_dir() {
        "it is not a directory".to_owned()
    } else if is_default {
        return Ok(());
    } else if is_hosts_own(&place, &context.config.broot) {
        "the host's own files are in it".to_owned()
    } else if let Some(whose) = home_of(&place) {
        format!("it is the home directory of {whose}")
    } else if let Some((other, _)) = context
        .config
        .sysroots()?
        .iter()
        .find(|(other, sysroot)| *other != context.tuple && canonical(sysroot) == place)
    {
        format!("it is the sysroot of `{other}`")
    } else {
        return Ok(());
    };
    Err(InitError::NoPlace {
        sysroot: sysroot.into(),
        tuple: context.tuple.clone(),
        why,
    })
}

/// Returns whether a path without symlinks is one of the host's own directories, or of its Portage prefix.
fn is_hosts_own(place: &Path, broot: &Path) -> bool {
    canonical(&below(broot, "usr")).starts_with(place)
        || [Path::new(""), broot].iter().any(|root| {
            let mut own = OF_THE_HOST.split_whitespace().map(|own| below(root, own));
            own.any(|own| own == place || canonical(&own) == place)
        })
}

/// Returns the user whose home directory a path is, if it is one.
fn home_of(place: &Path) -> Option<String> {
    if dirs::home_dir().is_some_and(|home| canonical(&home) == place) {
        return Some("the current user".into());
    }
    let owner = place.metadata().ok()?.uid();
    let owner = nix::unistd::User::from_uid(owner.into()).ok().flatten()?;
    (canonical(&owner.dir) == place).then(|| format!("`{}`", owner.name))
}

/// Refuses the host's own tuple, by the native compiler and the host's programs. Used without Portage.
pub(crate) fn check_foreign_by_compiler(context: &Context) -> Result<(), InitError> {
    let machine = context.machine_of_cc();
    let is_named = machine.as_deref() == Some(context.tuple.as_str());
    match is_named || is_like_the_host(context, machine.as_deref()) {
        false => Ok(()),
        true => Err(InitError::Native {
            tuple: context.tuple.clone(),
            what: "the native tuple".into(),
        }),
    }
}

/// Returns whether a tuple is another name of the host: CPU, kernel and libc are the host's, and the vendor does not
/// distinguish them.
fn is_like_the_host(context: &Context, machine: Option<&str>) -> bool {
    let tuple = &context.tuple;
    let machine: Option<Tuple> = machine.and_then(|machine| machine.parse().ok());
    let vendors = machine.as_ref().map(Tuple::vendor);
    if !ANY_VENDOR.contains(&tuple.vendor()) && vendors != Some(tuple.vendor()) {
        return false;
    }
    let own = crossmerge_system::file::read::head(
        Path::new("/proc/self/exe"),
        crossmerge_system::file::read::ELF_HEADER,
    );
    let (Ok(target), Ok(own)) = (context.target(), own) else {
        return false;
    };
    if !ElfMachine::of(&own).is_some_and(|own| own.fits(&target)) {
        return false;
    }
    // A tuple that is only the host's CPU is an abbreviation of the host's tuple.
    let is_cpu = target.tuple == target.cpu;
    is_cpu || target.kernel == Some("linux") && has_hosts_libc(&target)
}

/// Returns whether the target's libc is the host's, or the tuple does not name a libc.
fn has_hosts_libc(target: &Target) -> bool {
    let shell = elf::interpreter(Path::new(SHELL)).ok().flatten();
    let own = shell.and_then(|shell| libc_of_interpreter(&shell));
    match target.elibc {
        Some(libc) => own == Some(libc),
        None => target.tuple.ends_with("linux"),
    }
}

/// Refuses symlinks that would shadow real tools in PATH, such as those of a distribution or an SDK.
///
/// Only symlinks for tools of the adopted toolchain are checked. Symlinks in a directory outside PATH shadow nothing.
pub(super) fn check_shadows(
    context: &Context,
    wrappers: &Wrappers,
    bindir: &Path,
    options: &InitOptions,
) -> Result<(), InitError> {
    let adopted = context.settings.toolchain.as_ref();
    match adopted.and_then(|adopted| shadowed(context, wrappers, bindir, adopted)) {
        None => Ok(()),
        Some(tool) => Err(InitError::Shadows {
            name: tool.file_name().unwrap_or_default().to_owned(),
            command: instead(context, options),
            tool,
        }),
    }
}

/// Finds the first real tool in PATH that has the name of a symlink for a toolchain's tool.
pub(crate) fn shadowed(
    context: &Context,
    wrappers: &Wrappers,
    bindir: &Path,
    toolchain: &Toolchain,
) -> Option<PathBuf> {
    let path = context.path();
    if !path.iter().any(|dir| canonical(dir) == canonical(bindir)) {
        return None;
    }
    let mut names = tools(context, wrappers, toolchain).into_iter();
    names.find_map(|name| real_tool(context, &name))
}

/// Finds a tool in PATH that is not a symlink to this or another crossmerge.
fn real_tool(context: &Context, name: &str) -> Option<PathBuf> {
    let found = context.find_program(OsStr::new(name)).ok()?;
    let target = fs_err::read_link(&found).unwrap_or_default();
    (!target.ends_with("crossmerge")).then_some(found)
}

/// Returns the command that makes the target under a tuple with another vendor, with the same options, so that its
/// symlinks do not shadow the real tools.
pub(crate) fn instead(context: &Context, options: &InitOptions) -> String {
    let adopted = context.settings.toolchain.as_ref();
    let is_zig = adopted.is_some_and(|adopted| adopted.kind == ToolchainKind::Zig);
    let kind = match (&options.toolchain, options.llvm) {
        (_, true) => ToolchainKind::Llvm,
        _ if is_zig => ToolchainKind::Zig,
        (Some(_), false) => ToolchainKind::Gnu,
        (None, false) => adopted.map_or(ToolchainKind::Gnu, |adopted| adopted.kind),
    };
    let mut command = format!("crossmerge init {}", free_tuple(context, kind));
    let mut add = |option: &str, value: &OsStr| {
        command.push_str(&format!(" {option} {}", quote(value)));
    };
    match (kind, &options.toolchain, adopted) {
        (ToolchainKind::Llvm, ..) => {}
        (_, Some(prefix), _) => add("--toolchain", prefix),
        (_, None, Some(adopted)) => add("--toolchain", adopted.prefix.as_os_str()),
        _ => {}
    }
    if let Some(sysroot) = &options.sysroot {
        add("--sysroot", sysroot.as_os_str());
    }
    if let Some(bindir) = &options.bindir {
        add("--bindir", bindir.as_os_str());
    }
    if let Some(profile) = &options.profile {
        add("--profile", OsStr::new(profile));
    }
    if kind == ToolchainKind::Llvm {
        command.push_str(" --llvm");
    }
    let has_kernel = context.target().is_ok_and(|target| target.kernel.is_some());
    if kind != ToolchainKind::Zig && (options.with_libc || has_kernel) {
        command.push_str(" --with-libc");
    }
    command
}

/// Returns the tuple with a vendor for which no compiler is in PATH.
fn free_tuple(context: &Context, kind: ToolchainKind) -> String {
    let tuple = context.tuple.as_str();
    let vendor = context.tuple.vendor();
    let with = |other: &str| match (vendor, tuple.split_once('-')) {
        (Some(vendor), _) => tuple.replacen(&format!("-{vendor}-"), &format!("-{other}-"), 1),
        (None, Some((cpu, rest))) => format!("{cpu}-{other}-{rest}"),
        (None, None) => format!("{tuple}-{other}-none"),
    };
    let is_free = |candidate: &String| {
        let driver = format!("{candidate}-{}", kind.driver());
        candidate != tuple && real_tool(context, &driver).is_none()
    };
    let mut vendors = ["unknown", "cross", "crossmerge"].into_iter().map(with);
    vendors.find(is_free).unwrap_or_else(|| with("other"))
}

/// Refuses a sysroot in which the toolchain keeps its own libc in Debian's layout: `include` and `lib` instead of
/// `usr/include` and `usr/lib`. Its linker scripts contain that directory, so nothing links below it, and packages that
/// Portage merges there would replace the distribution's files.
pub(super) fn check_layout(
    context: &Context,
    target: &Target,
    sysroot: &Path,
    options: &InitOptions,
) -> Result<(), InitError> {
    let has = |header: &str| sysroot.join(header).is_file();
    let is_other = has("include/stdio.h") && !has("usr/include/stdio.h");
    if target.kernel.is_none() || !is_other {
        return Ok(());
    }
    Err(InitError::OtherLayout {
        sysroot: sysroot.into(),
        command: instead(context, options),
    })
}

/// Returns whether a compiler is the one that `<tuple>-<driver>` in PATH runs and uses the target's sysroot by default,
/// as crossdev's compilers do.
pub(super) fn is_the_targets(context: &Context, toolchain: &Toolchain, sysroot: &Path) -> bool {
    let name = format!("{}-{}", context.tuple, toolchain.kind.driver());
    let same = |path: &PathBuf| canonical(path) == canonical(&toolchain.compiler());
    real_tool(context, &name)
        .filter(same)
        .and_then(|path| named(&path, toolchain.kind))
        .is_some_and(|named| uses(context, &named, sysroot))
}

/// Returns the toolchain of a compiler, from its path.
fn named(compiler: &Path, kind: ToolchainKind) -> Option<Toolchain> {
    let prefix = compiler.to_str()?.strip_suffix(kind.driver())?;
    Some(Toolchain::new(kind, prefix.into()))
}

/// Returns whether a compiler uses a sysroot by default.
fn uses(context: &Context, toolchain: &Toolchain, sysroot: &Path) -> bool {
    const SYSROOT: &str = "--sysroot=";
    let own = match toolchain.kind {
        ToolchainKind::Zig => None,
        ToolchainKind::Gnu => toolchain::compiler(context, toolchain, ["-print-sysroot"])
            .ok()
            .and_then(|output| PrintedPath::of_output(&output)),
        // clang has no such option, but its link command contains it.
        ToolchainKind::Llvm => {
            let args = ["-###", "-x", "c", "/dev/null"];
            let output = toolchain::compiler(context, toolchain, args).ok();
            let commands =
                output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            let words = commands.and_then(|commands| shell_words::split(&commands).ok());
            let mut words = words.unwrap_or_default().into_iter();
            words.find_map(|word| PrintedPath::of(word.strip_prefix(SYSROOT)?))
        }
    };
    own.is_some_and(|own| own.real().as_deref() == Some(&canonical(sysroot)))
}

/// Notes that a compiler with the target's name, which was not adopted, does not use the sysroot.
pub(super) fn note_compiler_elsewhere(
    context: &Context,
    sysroot: &Path,
    options: &InitOptions,
) -> Option<String> {
    let name = format!("{}-{}", context.tuple, ToolchainKind::Gnu.driver());
    let found = real_tool(context, &name)?;
    let toolchain = named(&found, ToolchainKind::Gnu)?;
    if uses(context, &toolchain, sysroot) {
        return None;
    }
    let prefix = toolchain.prefix.file_name()?.to_owned();
    let options = InitOptions {
        toolchain: Some(prefix),
        with_libc: true,
        ..options.clone()
    };
    Some(format!(
        "`{}` does not use the sysroot `{}`; this makes a target whose compiler does: {}",
        found.shown(),
        sysroot.shown(),
        instead(context, &options)
    ))
}
