//! Adopting a toolchain that is there already: finding it, asking it what it builds for, and where its libc lies.
//!
//! Everything is asked of the compiler itself, before anything is written.

use super::{
    error::InitError,
    installed,
    interpreter::interpreter,
    layout::Layout,
    traits::{Headers, Traits},
    write::{Content, OnConflict, Write},
};
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
    distribution::Distribution,
    profile::Usr,
    target::{Mismatch, Target, elf_machine::ElfMachine},
};
use crossmerge_plan::{
    plan::{Change, Changes, Plan},
    words::quote,
};
use crossmerge_system::{
    exec,
    exec::PrintedPath,
    file,
    file::{canonical, read},
};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Output,
};

/// Finds `<prefix>gcc`, or clang, and checks that what it makes is for the target.
pub(crate) fn adopt(
    context: &Context,
    target: &Target,
    kind: ToolchainKind,
    prefix: &OsStr,
) -> Result<Toolchain, InitError> {
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
    let mut toolchain = Toolchain {
        kind,
        prefix: OsStr::from_bytes(prefix).into(),
        options: Vec::new(),
        libdirs: None,
        start_files: None,
    };
    if kind == ToolchainKind::Llvm {
        toolchain.options = gcc_toolchain(context, &toolchain)?;
    }
    let Err(why) = check(context, target, &toolchain) else {
        return Ok(toolchain);
    };
    // Where it has another ABI by itself, it may have the tuple's too, with a libc for it.
    match with_flags(context, target, &toolchain) {
        Some(told) => Ok(told),
        None => Err(why),
    }
}

/// Checks that what a compiler makes is for the target: the machine, the system, the libc and the ABI.
fn check(context: &Context, target: &Target, toolchain: &Toolchain) -> Result<(), InitError> {
    let is_elf = check_object(context, target, toolchain)?;
    // What clang finds without a sysroot are the build machine's headers.
    let headers = match toolchain.kind {
        ToolchainKind::Gnu => Headers::Found,
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
    let directory = file::temporary()?;
    Traits::ask(directory.path(), headers, |args| {
        compiler(context, toolchain, args)
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

/// Finds a GNU toolchain in PATH that builds for the target: what stands before `gcc` in its path.
fn fitting(context: &Context, target: &Target) -> Option<PathBuf> {
    let families = context.config.families().ok()?;
    let serving = installed::serving(context, target, &families);
    let mut prefixes = serving.into_iter().map(|compiler| compiler.prefix);
    prefixes.find(|prefix| {
        let toolchain = Toolchain {
            kind: ToolchainKind::Gnu,
            prefix: prefix.clone(),
            options: Vec::new(),
            libdirs: None,
            start_files: None,
        };
        made_traits(context, target, &toolchain)
    })
}

/// Returns whether a compiler makes what the target means, without looking for another if not.
fn made_traits(context: &Context, target: &Target, toolchain: &Toolchain) -> bool {
    let fits = |traits: &Traits| {
        traits.other_system(target).is_none() && traits.other_abi(target).is_none()
    };
    let traits = traits(context, toolchain, Headers::Found).ok().flatten();
    check_object(context, target, toolchain).is_ok() && traits.as_ref().is_some_and(fits)
}

/// The toolchain with the flags of the tuple as options, if it makes what the target means with them, and has a libc for it.
fn with_flags(context: &Context, target: &Target, toolchain: &Toolchain) -> Option<Toolchain> {
    let flags = target.cflags.split_whitespace().map(Into::into);
    let mut told = toolchain.clone();
    told.options.extend(flags);
    let fits = !target.cflags.is_empty()
        && made_traits(context, target, &told)
        // Where it links without the flags and not with them, its libc has the other ABI.
        && (links(context, &told) || !links(context, toolchain));
    fits.then_some(told)
}

/// Returns whether a compiler links a program with its own libc.
fn links(context: &Context, toolchain: &Toolchain) -> bool {
    let linked = || {
        let directory = file::temporary().ok()?;
        let (source, out) = (
            directory.path().join("probe.c"),
            directory.path().join("probe"),
        );
        fs_err::write(
            &source,
            "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n",
        )
        .ok()?;
        let args = ["-o".as_ref(), out.as_os_str(), source.as_os_str()];
        Some(compiler(context, toolchain, args).ok()?.status.success())
    };
    linked().unwrap_or(false)
}

/// The command that installs clang, or a GNU compiler for the target.
fn not_installed(context: &Context, target: &Target, kind: ToolchainKind) -> Option<String> {
    let distribution = Distribution::of(&context.env, &context.config.broot);
    match kind {
        ToolchainKind::Gnu => distribution.compiler(target, &context.config.families().ok()?),
        ToolchainKind::Llvm => distribution.install(kind.driver()),
    }
}

/// The command that installs the libc of the target's compiler.
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

/// What a user may have meant by a prefix that has no compiler: with a dash behind it, or without the compiler's name.
fn likely_meant(prefix: &OsStr, driver: &str) -> Vec<OsString> {
    let mut dashed = prefix.to_owned();
    dashed.push("-");
    let bytes = prefix.as_bytes().strip_suffix(driver.as_bytes());
    let bare = bytes.map(|bytes| OsStr::from_bytes(bytes).to_owned());
    [Some(dashed), bare].into_iter().flatten().collect()
}

/// Runs the compiler as its applet will, but for the sysroot, in the C locale.
pub(super) fn compiler(
    context: &Context,
    toolchain: &Toolchain,
    args: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<Output, InitError> {
    let mut all: Vec<OsString> = Vec::new();
    if toolchain.kind == ToolchainKind::Llvm {
        all.push(format!("--target={}", context.tuple).into());
    }
    // Those that name the sysroot have nothing to do with what it is asked here.
    let options = toolchain.options.iter();
    let options = options.filter(|option| !option.contains("{sysroot}"));
    all.extend(options.map(Into::into));
    all.extend(args.into_iter().map(Into::into));
    let program = toolchain.compiler();
    let directory = file::temporary()?;
    let env = Changes::from([
        ("LC_ALL".into(), Change::Set("C".into())),
        ("TMPDIR".into(), Change::Set(directory.path().into())),
    ]);
    let mut outputs = exec::query(&[Plan {
        program,
        args: all,
        env,
        ..Plan::default()
    }])?;
    Ok(outputs.remove(0))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// The option that lets clang keep using the GCC it uses now: below a sysroot it looks for none on the machine.
fn gcc_toolchain(context: &Context, toolchain: &Toolchain) -> Result<Vec<String>, InitError> {
    const SELECTED: &str = "Selected GCC installation: ";
    let said = text(&compiler(context, toolchain, ["-v"])?.stderr);
    let directory = said.lines().find_map(|line| line.strip_prefix(SELECTED));
    let prefix = directory
        .and_then(|directory| directory.split_once("/lib/gcc"))
        .and_then(|(prefix, _)| PrintedPath::of(prefix));
    let Some(prefix) = prefix.and_then(|prefix| prefix.real()) else {
        return Ok(Vec::new());
    };
    Ok(vec![format!("--gcc-toolchain={}", prefix.display())])
}

/// Compiles nothing and reads the header of the object: its machine, byte order and word size are the target's. Returns whether it
/// is ELF.
fn check_object(
    context: &Context,
    target: &Target,
    toolchain: &Toolchain,
) -> Result<bool, InitError> {
    let directory = file::temporary()?;
    let object = directory.path().join("empty.o");
    let args = [
        "-c".as_ref(),
        "-x".as_ref(),
        "c".as_ref(),
        "/dev/null".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
    ];
    let output = compiler(context, toolchain, args)?;
    let compiler = toolchain.compiler().into();
    if !output.status.success() {
        return Err(InitError::CompilerFails {
            compiler,
            said: text(&output.stderr),
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

/// The writes that bring the toolchain's libc into the sysroot, when it lies outside.
///
/// A toolchain with a sysroot of its own gives that tree as it is. Others keep headers in one directory and libraries in
/// another (Debian: `/usr/<tuple>/include` and `lib`), which become `usr/include` and `usr/lib`; a linker script that
/// names the old directory is made to name the new one, which the linker looks for below the sysroot.
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
    };
    let mut writes = Vec::new();
    let has_libc = |own: &PrintedPath| own.join("usr/include/stdio.h").is_file();
    let is_machines = |own: &PrintedPath| context.config.is_own_root(own);
    if let Some(own) = own.filter(|own| has_libc(own) && !is_machines(own)) {
        for directory in [
            "lib",
            "lib32",
            "lib64",
            "usr/include",
            "usr/lib",
            "usr/lib32",
            "usr/lib64",
        ] {
            // With a merged /usr, `lib` of the root is `usr/lib`.
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
        // What comes first is the library itself; behind it may be a symlink of usr's to that.
        let mut seen = BTreeSet::new();
        writes.retain(|write| seen.insert(write.path.clone()));
        return Ok(writes);
    }
    let directory = file::temporary()?;
    let probe = directory.path().join("probe.c");
    fs_err::write(&probe, "#include <stdio.h>\nint main(void) { return 0; }\n")?;
    let no_libc = || no_libc(context, toolchain);
    let rule = compiler(context, toolchain, ["-M".as_ref(), probe.as_os_str()])?.stdout;
    // GCC may have a changed copy of its own (`include-fixed`), and glibc another part of it in `bits`.
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
        if is_machines_own(place) {
            return Err(InitError::HostLibc(place.clone()));
        }
    }
    if include.starts_with(sysroot) {
        return Ok(writes);
    }
    // What lies there may be another libc than the tuple's, beside a compiler that takes any.
    let other = traits(context, toolchain, Headers::Found)?;
    if let Some(mismatch) = other.and_then(|traits| traits.other_system(target)) {
        return Err(other_traits(context, target, toolchain, mismatch));
    }
    copy(&include, &sysroot.join("usr/include"), None, &mut writes)?;
    copy(&lib, &sysroot.join("usr/lib"), Some(&lib), &mut writes)?;
    let linking = text(&compiler(context, toolchain, ["-###".as_ref(), probe.as_os_str()])?.stderr);
    if let Some(interpreter) = interpreter(&linking) {
        writes.extend(beside(&interpreter, &lib, sysroot));
        writes.extend(reach(&interpreter, sysroot, layout));
    }
    Ok(writes)
}

/// Directories that the build machine's own libc lies in.
const OF_THE_MACHINE: [&str; 5] = ["/usr/include", "/usr/lib", "/lib", "/usr/lib64", "/lib64"];

/// Returns whether a directory, without symlinks, is one of the build machine's own.
fn is_machines_own(place: &Path) -> bool {
    OF_THE_MACHINE
        .iter()
        .any(|own| place == Path::new(own) || canonical(Path::new(own)) == place)
}

fn real_parent(path: &PrintedPath) -> Result<PathBuf, InitError> {
    Ok(fs_err::canonicalize(
        path.parent().unwrap_or(Path::new("/")),
    )?)
}

/// Brings a dynamic linker that lies beside the libraries' directory to them: Debian's of mips64el and sparc64 is in `lib64`, and all
/// else in `lib`.
fn beside(interpreter: &Path, lib: &Path, sysroot: &Path) -> Option<Write> {
    let name = interpreter.file_name()?;
    let source = lib.parent()?.join(interpreter.strip_prefix("/").ok()?);
    (!lib.join(name).exists() && source.is_file()).then(|| {
        let place = sysroot.join("usr/lib").join(name);
        Write::new(place, Content::Copy(source), OnConflict::Gap)
    })
}

/// Makes `/lib/ld-….so` reachable when the libraries are in `usr/lib`: the directory as a symlink, as on a merged-usr system, or the one
/// file when the directory exists or belongs to the layout.
fn reach(interpreter: &Path, sysroot: &Path, layout: &Layout) -> Option<Write> {
    let name = interpreter.file_name()?;
    let directory = interpreter.parent()?.strip_prefix("/").ok()?;
    let gap = |path: PathBuf, target: PathBuf| {
        Some(Write::new(path, Content::Link(target), OnConflict::Gap))
    };
    let up = |path: &Path| path.components().map(|_| "..").collect::<PathBuf>();
    // Where the file will be once the layout's symlinks are there.
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

/// Lists the copies of a directory's files, links and directories. With `scripts_of`, linker scripts that name that directory
/// name `/usr/lib` instead.
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
        // A toolchain's lib64 may be a link to its lib.
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

/// The text of a GNU linker script with the directory's name changed, and with that of its neighbours (`lib64`, where the
/// dynamic linker may be), which are directories of the root in a sysroot; none when the file is no such script.
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
