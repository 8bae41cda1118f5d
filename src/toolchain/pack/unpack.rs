//! Unpacks an archive into a directory, where the compiler then works.
//!
//! The files are unpacked and tried beside the directory, and then renamed to it: it has all files or none.

use super::{
    archive::Archive,
    error::PackError,
    manifest::{CHECKSUMS, Manifest},
    place::{check_empty, check_space, rename},
    relocate::Relocation,
    tree::{checksums, list},
};
use crate::{config::Config, context::Context, toolchain::run::lock};
use crossmerge_plan::{env::Env, plan::Plan, tuple::Tuple};
use crossmerge_system::{
    exec::{self, probe::ProbeDirectory},
    file::{self, Directory, FILE_MODE, PROGRAM_MODE, canonical, is_executable, read, waiting},
    user,
};
use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

/// The directory of root's unpacked toolchains (Filesystem Hierarchy Standard, `/opt`).
const OF_SYSTEM: &str = "/opt";

/// The characters of a path that make and configure scripts would interpret.
const SPECIAL: [char; 10] = [' ', '\t', '\n', '"', '\'', '`', '$', '\\', ':', '#'];

/// An archive, with its manifest.
#[derive(Debug)]
pub(crate) struct Unpacked {
    archive: Archive,
    pub(crate) manifest: Manifest,
}

/// Returns the directory in which the toolchain of a tuple is unpacked by default.
pub(crate) fn default_directory(tuple: &Tuple) -> Result<PathBuf, PackError> {
    let directory = match user::acts_for_system() {
        true => OF_SYSTEM.into(),
        false => user::data_dir()
            .ok_or(PackError::NoHome)?
            .join("crossmerge/toolchains"),
    };
    Ok(directory.join(tuple.as_str()))
}

impl Unpacked {
    /// Reads the manifest of an archive.
    pub(crate) fn read(env: &Env, config: &Config, path: &Path) -> Result<Self, PackError> {
        if path.symlink_metadata().is_err() {
            return Err(PackError::NoInput(path.into()));
        }
        let archive = Archive::to_read(env, &config.broot, path)?;
        let manifest = archive.manifest()?;
        Ok(Self { archive, manifest })
    }
}

/// Unpacks an archive into a new directory.
pub(crate) fn unpack(
    context: &Context,
    unpacked: &Unpacked,
    directory: &Path,
) -> Result<(), PackError> {
    let manifest = &unpacked.manifest;
    manifest.host.check()?;
    if directory.to_str().is_none_or(|name| name.contains(SPECIAL)) {
        return Err(PackError::BadDirectory(directory.into()));
    }
    check_empty(directory)?;
    let _lock = lock(&context.config, &manifest.category)?;
    check_empty(directory)?;
    let parent = directory.parent().unwrap_or(Path::new("/"));
    check_space(parent, manifest.bytes)?;
    let new = waiting(directory);
    file::remove_all(&new).map_err(PackError::write(&new))?;
    Directory::make(&new, &mut Vec::new())?;
    let done = fill(unpacked, &new, directory);
    if done.is_err() {
        // What cannot be removed now is removed by the next run.
        let _ = file::remove_all(&new);
    }
    done
}

/// Unpacks, verifies and tries the files in a new directory, and renames it.
fn fill(unpacked: &Unpacked, new: &Path, directory: &Path) -> Result<(), PackError> {
    let manifest = &unpacked.manifest;
    unpacked.archive.extract(new)?;
    set_modes(new)?;
    verify(new, manifest)?;
    relocate(new, manifest, directory)?;
    if manifest.stage > 0 {
        try_compiler(new, manifest)?;
    }
    rename(new, directory)
}

/// Makes all files readable by every user, whatever the umask.
fn set_modes(top: &Path) -> Result<(), PackError> {
    let set = |path: &Path, mode: u32| {
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(PackError::write(path))
    };
    let mut directories = vec![top.to_owned()];
    for path in list(top)?.values() {
        let parents = path
            .ancestors()
            .skip(1)
            .take_while(|parent| parent.starts_with(top));
        directories.extend(parents.map(Path::to_owned));
        if !path.is_symlink() {
            set(
                path,
                if is_executable(path) {
                    PROGRAM_MODE
                } else {
                    FILE_MODE
                },
            )?;
        }
    }
    directories.sort();
    directories.dedup();
    directories
        .iter()
        .try_for_each(|path| set(path, PROGRAM_MODE))
}

/// Compares the files with the checksums.
fn verify(top: &Path, manifest: &Manifest) -> Result<(), PackError> {
    let damaged = |what: String| PackError::Damaged {
        place: top.into(),
        what,
    };
    let path = top.join(CHECKSUMS);
    let wanted = read::read_to_string(&path, read::CONTENTS).map_err(PackError::read(&path))?;
    let found = checksums(top)?;
    if let Some(line) = wanted
        .lines()
        .find(|line| !found.lines().any(|other| other == *line))
    {
        let name = line.split_once("  ").map_or(line, |(_, name)| name);
        return Err(damaged(format!("`{name}` has not the recorded checksum")));
    }
    let files = list(top)?.len() as u64;
    match files == manifest.files + 2 && wanted.lines().count() == found.lines().count() {
        true => Ok(()),
        false => Err(damaged(format!(
            "it has {files} files instead of {}",
            manifest.files + 2
        ))),
    }
}

/// Replaces the old paths in text files.
fn relocate(top: &Path, manifest: &Manifest, directory: &Path) -> Result<(), PackError> {
    let relocation = Relocation {
        from: &format!("{}/usr", manifest.prefix),
        to: directory.to_str().unwrap_or_default(),
        tuple: manifest.tuple.as_str(),
    };
    for place in &manifest.texts {
        let path = top.join(place);
        let text = read::read(&path, read::SUMMED).map_err(PackError::read(&path))?;
        if let Some(new) = relocation.text(&text) {
            // The file is in a directory that is not in use yet.
            fs_err::write(&path, new).map_err(PackError::write(&path))?;
        }
    }
    let path = top.join(CHECKSUMS);
    fs_err::write(&path, checksums(top)?).map_err(PackError::write(&path))
}

/// Compiles a file, and checks that the compiler uses only its own programs and its own sysroot.
fn try_compiler(top: &Path, manifest: &Manifest) -> Result<(), PackError> {
    let compiler = top.join(format!("bin/{}-gcc", manifest.tuple));
    let run = |args: Vec<OsString>| {
        let plan = Plan {
            program: compiler.clone(),
            args,
            ..Plan::default()
        };
        exec::ask(&plan)
    };
    let broken = |why: String| PackError::Broken {
        path: compiler.clone(),
        why,
    };
    let own = canonical(top);
    let mut questions = vec!["-print-prog-name=as", "-print-prog-name=ld"];
    // A compiler without a libc has no sysroot.
    if manifest.stage >= 4 {
        questions.push("-print-sysroot");
    }
    for question in questions {
        let output = run(vec![question.into()])?;
        let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            return Err(broken(message(&output)));
        }
        if !canonical(Path::new(&printed)).starts_with(&own) {
            return Err(broken(format!("`{question}` prints `{printed}`")));
        }
    }
    let probes = ProbeDirectory::new().map_err(PackError::write(top))?;
    let source = { probes.source("probe.c", "int main(void) { return 0; }\n") }
        .map_err(PackError::write(top))?;
    let args = [
        "-c".into(),
        source.into(),
        "-o".into(),
        probes.join("probe.o").into(),
    ];
    let output = run(args.into())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(broken(message(&output))),
    }
}

fn message(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("it fails without a message")
        .trim()
        .to_owned()
}
