//! Adopts an existing toolchain: finds it, determines what it builds for, and where its libc is.
//!
//! All answers come from the compiler itself, before anything is written.

use super::{
    error::InitError,
    installed,
    interpreter::interpreter,
    layout::Layout,
    traits::{Headers, Traits},
    write::{Content, OnConflict, Write},
    zig,
};
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
    distribution::Distribution,
    profile::Usr,
    target::{Mismatch, Target, elf_machine::ElfMachine},
};
use crossmerge_plan::{plan::Plan, words::quote};
use crossmerge_system::{
    exec::{PrintedPath, probe::ProbeDirectory},
    file::{canonical, read},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Output,
};

/// Finds `<prefix>gcc`, clang or Zig, and checks that it builds for the target.
pub(crate) fn adopt(
    context: &Context,
    target: &Target,
    kind: ToolchainKind,
    prefix: &OsStr,
) -> Result<Toolchain, InitError> {
    if kind == ToolchainKind::Zig {
        let mut toolchain = zig::find(context, target, prefix, || {
            not_installed(context, target, ToolchainKind::Gnu)
        })?;
        check(context, target, &toolchain)?;
        toolchain.binutils = zig::binutils(context, |probes, args| {
            compiler_in(probes, context, &toolchain, args)
        })?;
        return Ok(toolchain);
    }
    let driver = kind.driver();
    let find = |prefix: &OsStr| {
        let mut name = prefix.to_owned();
        name.push(driver);
        context.find_program(&name).map_err(|_| name)
    };
    let found = find(prefix).map_err(|name| {
        let is_there = |meant: &OsString| !meant.is_empty() && find(meant).is_ok();
        let serving = || match (kind, context.config.families()) {
            (ToolchainKind::Gnu, Ok(families)) => installed::serving(context, target, &families),
            _ => Vec::new(),
        };
        let meant = likely_meant(prefix, driver)
            .into_iter()
            .find(is_there)
            .or_else(|| Some(serving().into_iter().next()?.prefix.into()));
        let install = not_installed(context, target, kind);
        InitError::NoCompiler {
            name,
            meant,
            install,
        }
    })?;
    let prefix = found
        .as_os_str()
        .as_bytes()
        .strip_suffix(driver.as_bytes())
        .unwrap_or_default();
    let mut toolchain = Toolchain::new(kind, OsStr::from_bytes(prefix).into());
    if kind == ToolchainKind::Llvm {
        toolchain.options = gcc_toolchain(context, &toolchain)?;
    }
    let Err(why) = check(context, target, &toolchain) else {
        return Ok(toolchain);
    };
    // A compiler with another default ABI may support the tuple's too, with a libc for it.
    match with_flags(context, target, &toolchain) {
        Some(toolchain) => Ok(toolchain),
        None => Err(why),
    }
}

/// Checks that a compiler builds for the target: the machine, the system, the libc and the ABI.
fn check(context: &Context, target: &Target, toolchain: &Toolchain) -> Result<(), InitError> {
    let is_elf = check_object(context, target, toolchain)?;
    // Without a sysroot, clang finds the host's headers.
    let headers = match toolchain.kind {
        ToolchainKind::Gnu | ToolchainKind::Zig => Headers::Found,
        ToolchainKind::Llvm => Headers::None,
    };
    let Some(traits) = traits(context, toolchain, headers)? else {
        return Ok(());
    };
    let width = || (!is_elf).then(|| traits.other_width(target)).flatten();
    let other = traits
        .other_system(target)
        .or_else(width)
        .or_else(|| traits.other_abi(target));
    match other {
        None => Ok(()),
        Some(mismatch) => Err(other_traits(context, target, toolchain, mismatch)),
    }
}

fn traits(
    context: &Context,
    toolchain: &Toolchain,
    headers: Headers,
) -> Result<Option<Traits>, InitError> {
    let probes = ProbeDirectory::new()?;
    // Zig compiles the libc before it prints the commands of a link, and needs minutes for that. The last of `-c` and
    // `-E` decides.
    let ends_early = toolchain.kind == ToolchainKind::Zig;
    let compile = ends_early.then_some(OsStr::new("-c"));
    Traits::ask(&probes, headers, |args| {
        let args = compile.into_iter().chain(args.iter().copied());
        compiler_in(&probes, context, toolchain, args)
    })
}

fn other_traits(
    context: &Context,
    target: &Target,
    toolchain: &Toolchain,
    mismatch: Mismatch,
) -> InitError {
    InitError::OtherTraits {
        compiler: toolchain.compiler().into(),
        tuple: context.tuple.clone(),
        mismatch: mismatch.into(),
        instead: fitting(context, target)
            .map(|prefix| {
                let libc = if target.kernel.is_some() {
                    " --with-libc"
                } else {
                    ""
                };
                let (tuple, prefix) = (&context.tuple, quote(prefix.as_os_str()));
                format!("crossmerge init {tuple} --toolchain {prefix}{libc}")
            })
            .or_else(|| not_installed(context, target, ToolchainKind::Gnu)),
    }
}

/// Finds a GNU toolchain in PATH that builds for the target, and returns its prefix, the part of the path before `gcc`.
fn fitting(context: &Context, target: &Target) -> Option<PathBuf> {
    let families = context.config.families().ok()?;
    let serving = installed::serving(context, target, &families);
    let mut prefixes = serving.into_iter().map(|compiler| compiler.prefix);
    prefixes.find(|prefix| {
        let toolchain = Toolchain::new(ToolchainKind::Gnu, prefix.clone());
        fits(context, target, &toolchain)
    })
}

/// Returns whether a compiler builds for the target, without a search for another one.
fn fits(context: &Context, target: &Target, toolchain: &Toolchain) -> bool {
    let is_same = |traits: &Traits| {
        traits.other_system(target).is_none() && traits.other_abi(target).is_none()
    };
    let traits = traits(context, toolchain, Headers::Found).ok().flatten();
    check_object(context, target, toolchain).is_ok() && traits.as_ref().is_some_and(is_same)
}

/// Returns the toolchain with the tuple's flags as options, if it builds for the target with them and has a libc for
/// them.
fn with_flags(context: &Context, target: &Target, toolchain: &Toolchain) -> Option<Toolchain> {
    let flags = target.cflags.split_whitespace().map(Into::into);
    let mut with_flags = toolchain.clone();
    with_flags.options.extend(flags);
    let does_fit = !target.cflags.is_empty()
        && fits(context, target, &with_flags)
        // If it links without the flags but not with them, its libc has the other ABI.
        && (links(context, &with_flags) || !links(context, toolchain));
    does_fit.then_some(with_flags)
}

/// Returns whether a compiler links a program with its own libc.
fn links(context: &Context, toolchain: &Toolchain) -> bool {
    let linked = || {
        let probes = ProbeDirectory::new().ok()?;
        let text = "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n";
        let (source, out) = (probes.source("probe.c", text).ok()?, probes.join("probe"));
        let args = ["-o".as_ref(), out.as_os_str(), source.as_os_str()];
        let output = compiler_in(&probes, context, toolchain, args).ok()?;
        Some(output.status.success())
    };
    linked().unwrap_or(false)
}

/// Returns the command that installs clang, or a GNU compiler for the target.
fn not_installed(context: &Context, target: &Target, kind: ToolchainKind) -> Option<String> {
    let distribution = Distribution::of(&context.env, &context.config.broot);
    match kind {
        ToolchainKind::Gnu => distribution.compiler(target, &context.config.families().ok()?),
        ToolchainKind::Llvm => distribution.install(kind.driver()),
        ToolchainKind::Zig => distribution.install("zig"),
    }
}

/// Returns the error for a compiler without a libc, with the command that installs one.
fn no_libc(context: &Context, toolchain: &Toolchain) -> InitError {
    let install = || {
        let target = context.target().ok()?;
        let distribution = Distribution::of(&context.env, &context.config.broot);
        distribution.libc(&target, &context.config.families().ok()?)
    };
    InitError::NoLibc {
        compiler: toolchain.compiler().into(),
        install: install(),
    }
}

/// Returns the prefixes that a user may have meant: with a dash appended, or without the compiler's name.
fn likely_meant(prefix: &OsStr, driver: &str) -> Vec<OsString> {
    let mut dashed = prefix.to_owned();
    dashed.push("-");
    let bytes = prefix.as_bytes().strip_suffix(driver.as_bytes());
    let bare = bytes.map(|bytes| OsStr::from_bytes(bytes).to_owned());
    [Some(dashed), bare].into_iter().flatten().collect()
}

/// Runs the compiler as its applet does, but without the sysroot.
pub(super) fn compiler(
    context: &Context,
    toolchain: &Toolchain,
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<Output, InitError> {
    compiler_in(&ProbeDirectory::new()?, context, toolchain, args)
}

/// Runs the compiler in a directory that has its sources.
fn compiler_in(
    probes: &ProbeDirectory,
    context: &Context,
    toolchain: &Toolchain,
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<Output, InitError> {
    let mut all: Vec<OsString> = Vec::new();
    all.extend(toolchain.kind.compiler_args(&context.tuple));
    // Options with the sysroot do not affect what is determined here.
    let options = toolchain.options.iter();
    let options = options.filter(|option| !option.contains("{sysroot}"));
    all.extend(options.map(Into::into));
    all.extend(args.into_iter().map(Into::into));
    Ok(probes.compile(Plan {
        program: toolchain.compiler(),
        args: all,
        ..Plan::default()
    })?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Returns the option with which clang keeps using the GCC installation that it uses by default: with a sysroot, it
/// searches only there.
fn gcc_toolchain(context: &Context, toolchain: &Toolchain) -> Result<Vec<String>, InitError> {
    const SELECTED: &str = "Selected GCC installation: ";
    let messages = text(&compiler(context, toolchain, ["-v"])?.stderr);
    let directory = messages
        .lines()
        .find_map(|line| line.strip_prefix(SELECTED));
    let prefix = directory
        .and_then(|directory| directory.split_once("/lib/gcc"))
        .and_then(|(prefix, _)| PrintedPath::of(prefix));
    let Some(prefix) = prefix.and_then(|prefix| prefix.real()) else {
        return Ok(Vec::new());
    };
    Ok(vec![format!("--gcc-toolchain={}", prefix.display())])
}

/// Compiles an empty file and checks the machine, byte order and word size in the object's header. Returns whether it
/// is ELF.
fn check_object(
    context: &Context,
    target: &Target,
    toolchain: &Toolchain,
) -> Result<bool, InitError> {
    let probes = ProbeDirectory::new()?;
    let object = probes.join("empty.o");
    let args = [
        "-c".as_ref(),
        "-x".as_ref(),
        "c".as_ref(),
        "/dev/null".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
    ];
    let output = compiler_in(&probes, context, toolchain, args)?;
    let compiler = toolchain.compiler().into();
    if !output.status.success() {
        return Err(InitError::CompilerFails {
            compiler,
            output: text(&output.stderr),
        });
    }
    let header = read::head(&object, read::ELF_HEADER)?;
    match ElfMachine::of(&header) {
        Some(made) if !made.fits(target) => Err(InitError::WrongMachine {
            compiler,
            tuple: context.tuple.clone(),
            made,
            wanted: ElfMachine::wanted(target),
        }),
        made => Ok(made.is_some()),
    }
}

/// Returns the writes that copy the toolchain's libc into the sysroot, if it is elsewhere.
///
/// If the toolchain has its own sysroot, that tree is copied as it is. Other toolchains have headers in one directory
/// and libraries in another (Debian: `/usr/<tuple>/include` and `lib`), which become `usr/include` and `usr/lib`. In
/// linker scripts, the old directory is replaced by the new one, which the linker looks up below the sysroot.
pub(super) fn libc(
    context: &Context,
    target: &Target,
    toolchain: &Toolchain,
    sysroot: &Path,
    layout: &Layout,
) -> Result<Vec<Write>, InitError> {
    let own = match toolchain.kind {
        ToolchainKind::Gnu => {
            PrintedPath::of_output(&compiler(context, toolchain, ["-print-sysroot"])?)
        }
        ToolchainKind::Llvm => None,
        ToolchainKind::Zig => return Err(InitError::ZigsLibc(toolchain.compiler())),
    };
    let has_libc = |own: &PrintedPath| own.join("usr/include/stdio.h").is_file();
    let is_hosts = |own: &PrintedPath| context.config.is_own_root(own);
    if let Some(own) = own.filter(|own| has_libc(own) && !is_hosts(own)) {
        return own_tree(&own, sysroot, layout);
    }
    let probes = ProbeDirectory::new()?;
    let text = "#include <stdio.h>\nint main(void) { return 0; }\n";
    let probe = probes.source("probe.c", text)?;
    let ask = |option: &str| {
        let args = [option.as_ref(), probe.as_os_str()];
        compiler_in(&probes, context, toolchain, args)
    };
    let no_libc = || no_libc(context, toolchain);
    let rule = ask("-M")?.stdout;
    // GCC may have a modified stdio.h in `include-fixed`, and glibc has a part of stdio.h in `bits`.
    let is_header = |path: &&PrintedPath| {
        path.ends_with("stdio.h")
            && !path.ends_with("include-fixed/stdio.h")
            && !path.ends_with("bits/stdio.h")
    };
    let rule = PrintedPath::of_rule(&rule);
    let header = rule.iter().find(is_header).ok_or_else(no_libc)?;
    let include = real_parent(header)?;
    let library = compiler(context, toolchain, ["-print-file-name=libc.so"])?;
    let lib = real_parent(&PrintedPath::of_output(&library).ok_or_else(no_libc)?)?;
    for place in [&include, &lib] {
        if is_hosts_own(place) {
            return Err(InitError::HostLibc(place.clone()));
        }
    }
    if include.starts_with(sysroot) {
        return Ok(Vec::new());
    }
    // The directory may contain another libc than the tuple's, if the compiler works with any.
    let other = traits(context, toolchain, Headers::Found)?;
    if let Some(mismatch) = other.and_then(|traits| traits.other_system(target)) {
        return Err(other_traits(context, target, toolchain, mismatch));
    }
    let mut writes = Vec::new();
    copy(&include, &sysroot.join("usr/include"), None, &mut writes)?;
    copy(&lib, &sysroot.join("usr/lib"), Some(&lib), &mut writes)?;
    if let Some(interpreter) = dynamic_linker(context, toolchain)? {
        writes.extend(beside(&interpreter, &lib, sysroot));
        writes.extend(reach(&interpreter, sysroot, layout));
    }
    Ok(writes)
}

/// Returns the dynamic linker that the toolchain's programs will name.
pub(super) fn dynamic_linker(
    context: &Context,
    toolchain: &Toolchain,
) -> Result<Option<PathBuf>, InitError> {
    let probes = ProbeDirectory::new()?;
    let probe = probes.source("probe.c", "int main(void) { return 0; }\n")?;
    let args = ["-###".as_ref(), probe.as_os_str()];
    let output = compiler_in(&probes, context, toolchain, args)?;
    Ok(interpreter(&text(&output.stderr)))
}

/// Returns the writes that copy a toolchain's own sysroot as it is.
fn own_tree(own: &Path, sysroot: &Path, layout: &Layout) -> Result<Vec<Write>, InitError> {
    let mut writes = Vec::new();
    for directory in [
        "lib",
        "lib32",
        "lib64",
        "usr/include",
        "usr/lib",
        "usr/lib32",
        "usr/lib64",
    ] {
        // With a merged /usr, `lib` at the root is `usr/lib`.
        let is_moved = layout.usr == Some(Usr::Merged) && !directory.starts_with("usr/");
        let to = match is_moved {
            true => sysroot.join("usr").join(directory),
            false => sysroot.join(directory),
        };
        let is_link = own.join(directory).is_symlink();
        if !(is_moved && is_link) {
            copy(&own.join(directory), &to, None, &mut writes)?;
        }
    }
    // The first write of a path is the library itself; a later one may be a symlink from usr to it.
    let mut seen = BTreeSet::new();
    writes.retain(|write| seen.insert(write.path.clone()));
    Ok(writes)
}

/// Directories of the host's own libc.
const OF_THE_HOST: [&str; 5] = ["/usr/include", "/usr/lib", "/lib", "/usr/lib64", "/lib64"];

/// Returns whether a directory, given without symlinks, is one of the host's own.
fn is_hosts_own(place: &Path) -> bool {
    OF_THE_HOST
        .iter()
        .any(|own| place == Path::new(own) || canonical(Path::new(own)) == place)
}

fn real_parent(path: &PrintedPath) -> Result<PathBuf, InitError> {
    Ok(fs_err::canonicalize(
        path.parent().unwrap_or(Path::new("/")),
    )?)
}

/// Returns the copy of a dynamic linker that is not in the libraries' directory: Debian's for mips64el and sparc64 is
/// in `lib64`, and everything else in `lib`.
fn beside(interpreter: &Path, lib: &Path, sysroot: &Path) -> Option<Write> {
    let name = interpreter.file_name()?;
    let source = lib.parent()?.join(interpreter.strip_prefix("/").ok()?);
    (!lib.join(name).exists() && source.is_file()).then(|| {
        let place = sysroot.join("usr/lib").join(name);
        Write::new(place, Content::Copy(source), OnConflict::Gap)
    })
}

/// Returns the symlink that makes `/lib/ld-….so` exist if the libraries are in `usr/lib`. It is the directory, as on a
/// merged-usr system, or the one file if the directory exists or belongs to the layout.
fn reach(interpreter: &Path, sysroot: &Path, layout: &Layout) -> Option<Write> {
    let name = interpreter.file_name()?;
    let directory = interpreter.parent()?.strip_prefix("/").ok()?;
    let gap = |path: PathBuf, target: PathBuf| {
        Some(Write::new(path, Content::Link(target), OnConflict::Gap))
    };
    let up = |path: &Path| path.components().map(|_| "..").collect::<PathBuf>();
    // The path of the file once the layout's symlinks exist.
    let directory = match layout.usr {
        Some(Usr::Merged) if !directory.starts_with("usr") => Path::new("usr").join(directory),
        _ => directory.to_owned(),
    };
    if directory == Path::new("usr/lib") {
        return None;
    }
    let place = sysroot.join(&directory);
    let is_directory = place.symlink_metadata().is_ok_and(|there| there.is_dir());
    if is_directory || layout.usr.is_some() {
        return gap(place.join(name), up(&directory).join("usr/lib").join(name));
    }
    gap(place, up(directory.parent()?).join("usr/lib"))
}

/// Collects the copies of a directory's files, symlinks and directories. In linker scripts that contain the directory
/// `scripts_of`, `/usr/lib` replaces it.
fn copy(
    from: &Path,
    to: &Path,
    scripts_of: Option<&Path>,
    writes: &mut Vec<Write>,
) -> Result<(), InitError> {
    let Ok(metadata) = fs_err::symlink_metadata(from) else {
        return Ok(());
    };
    if metadata.is_symlink() {
        // A toolchain's lib64 may be a symlink to its lib.
        let target = fs_err::read_link(from)?;
        writes.push(Write::new(to, Content::Link(target), OnConflict::Gap));
        return Ok(());
    }
    let mut entries = fs_err::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs_err::DirEntry::file_name);
    for entry in entries {
        let (source, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &place, scripts_of, writes)?;
        } else if kind.is_symlink() && fs_err::read_link(&source)?.is_relative() {
            writes.push(Write::new(
                place,
                Content::Link(fs_err::read_link(&source)?),
                OnConflict::Gap,
            ));
        } else if source.is_file() {
            let script = scripts_of.and_then(|lib| moved_script(&source, lib));
            writes.push(Write::new(
                place,
                script.map_or(Content::Copy(source), Content::Text),
                OnConflict::Gap,
            ));
        }
    }
    Ok(())
}

/// Returns the text of a GNU linker script with `/usr/lib` in place of the directory, and `/` in place of the
/// directory's parent, in whose `lib64` the dynamic linker may be. Returns `None` if the file is not such a script.
fn moved_script(path: &Path, lib: &Path) -> Option<String> {
    const LARGEST: u64 = 1 << 16;
    let script = read::read_to_string(path, LARGEST).ok()?;
    let is_script = script.contains("GROUP (") || script.contains("INPUT (");
    let mut moved = script.replace(&format!("{}/", lib.display()), "/usr/lib/");
    if let Some(root) = lib.parent().filter(|root| *root != Path::new("/usr")) {
        moved = moved.replace(&format!("{}/", root.display()), "/");
    }
    (is_script && moved != script).then_some(moved)
}
