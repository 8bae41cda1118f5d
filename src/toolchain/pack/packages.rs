//! Unpacks binary packages: writes the files that configure a toolchain, and calls emerge.

use super::{
    error::PackError,
    manifest::{Manifest, NAME},
    place::check_space,
};
use crate::{
    context::Context,
    steps::{last_lines, open_log},
    toolchain::{
        change::{self, Change as FileChange},
        installed::packages,
        machine::Machine,
        plan::ToolchainPlan,
        record::{ToolchainRecord, hash},
        request::ToolchainRequest,
        run::{GRACE, lock},
    },
};
use crossmerge_plan::plan::{Change, Plan};
use crossmerge_system::{
    exec::{Interrupts, Job, JobEnd},
    file::{Directory, read},
};
use nix::fcntl::Flock;
use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::ExitStatus,
};

/// Reads the manifest of a directory of binary packages.
pub(crate) fn manifest_of(directory: &Path) -> Result<Manifest, PackError> {
    let path = directory.join(NAME);
    match read::read_to_string(&path, read::SETTINGS) {
        Ok(text) => Manifest::parse(&text, &path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Err(PackError::NoManifest(directory.into()))
        }
        Err(e) => Err(PackError::read(&path)(e)),
    }
}

/// Installs the packages of a directory. Packages that an interrupted run has installed stay.
pub(crate) fn unpack(
    context: &Context,
    directory: &Path,
    manifest: &Manifest,
) -> Result<(), PackError> {
    manifest.host.check()?;
    let mut request = of_another_machine(manifest);
    let machine = Machine::read(context, &mut request)?;
    let prefix = &machine.host.eprefix;
    if !manifest.prefix.is_empty() && prefix.len() > manifest.prefix.len() {
        return Err(PackError::LongPrefix {
            from: manifest.prefix.clone().into(),
            to: prefix.into(),
        });
    }
    let lock = lock(&context.config, &manifest.category)?;
    let left = left(&machine, manifest)?;
    if left.is_empty() {
        return Ok(());
    }
    verify(directory, manifest)?;
    // The files, and those of the packages while they are merged.
    check_space(&machine.host.below(""), manifest.bytes * 2)?;

    let family = machine.family.clone();
    let plan = ToolchainPlan::of_existing(
        request.clone(),
        &machine.host,
        family.as_deref(),
        &machine,
        &machine,
    )?;
    let path = ToolchainRecord::path(&context.config, &manifest.category);
    let record = ToolchainRecord::read(&context.config, &manifest.category)?;
    let mut record = record.unwrap_or_default();
    let changes = FileChange::list(&plan.files, &record)?;
    change::check(&changes)?;
    record.request = Some(request);
    change::add_to_record(&changes, &mut record);
    record.write(&path)?;
    change::apply(&changes)?;

    let log = machine
        .host
        .logs
        .join(format!("{}-unpack.log", manifest.category));
    let status = emerge(context, &machine, &log, &lock, directory, left)?;
    match status.success() {
        true => Ok(()),
        false => Err(PackError::Emerge {
            output: last_lines(&log),
            log,
        }),
    }
}

/// Returns the request of the machine that packed the toolchain, without its paths.
fn of_another_machine(manifest: &Manifest) -> ToolchainRequest {
    let llvm = manifest.category.starts_with("cross_llvm-");
    let request = manifest.request.clone();
    let mut request =
        request.unwrap_or_else(|| ToolchainRequest::new(manifest.tuple.clone(), llvm));
    request.output = None;
    request.search = None;
    request.emerge_options = Vec::new();
    for part in request.parts.values_mut() {
        part.repository = None;
    }
    request
}

/// Returns the packages that are not installed, as atoms. Refuses other versions and builds than those of the manifest.
fn left(machine: &Machine, manifest: &Manifest) -> Result<Vec<String>, PackError> {
    let root = machine.host.below("");
    let there = packages(&root, &manifest.category)?;
    let is_same = |name: &str| {
        let wanted = manifest.package.iter().find(|package| package.name == name);
        let found = machine.installed(name);
        wanted.zip(found).is_some_and(|(wanted, found)| {
            wanted.version == found.version && wanted.build_time == found.build_time
        })
    };
    let others = there.iter().filter(|(name, _)| !is_same(name));
    let others: Vec<String> = others
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    if !others.is_empty() {
        return Err(PackError::Installed {
            category: manifest.category.clone(),
            packages: others.join(", "),
            tuple: manifest.tuple.clone(),
        });
    }
    let packages = manifest.package.iter();
    let left = packages.filter(|package| !there.contains_key(&package.name));
    let atom = |package: &super::manifest::PackedPackage| {
        format!(
            "={}/{}-{}",
            manifest.category, package.name, package.version
        )
    };
    Ok(left.map(atom).collect())
}

/// Compares the packages with their checksums.
fn verify(directory: &Path, manifest: &Manifest) -> Result<(), PackError> {
    for package in &manifest.package {
        let damaged = |what: &str| PackError::Damaged {
            place: directory.into(),
            what: format!("the package of {} {} {what}", package.name, package.version),
        };
        let Some(file) = &package.file else {
            return Err(damaged("has no file"));
        };
        match read::read(&directory.join(file), read::SUMMED) {
            Ok(content) if Some(hash(&content)) == package.sha256 => {}
            Ok(_) => return Err(damaged("has not the recorded checksum")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("does not exist"));
            }
            Err(e) => return Err(PackError::read(&directory.join(file))(e)),
        }
    }
    Ok(())
}

/// Calls emerge for the packages of a directory alone. It ends with crossmerge, however that ends.
fn emerge(
    context: &Context,
    machine: &Machine,
    log: &Path,
    lock: &Flock<File>,
    directory: &Path,
    atoms: Vec<String>,
) -> Result<ExitStatus, PackError> {
    let options = ["--usepkgonly", "--quiet", "--color=n"].map(str::to_owned);
    let set = |name: &str, value: PathBuf| (name.into(), Change::Set(value.into()));
    let plan = Plan {
        program: machine.emerge.clone(),
        args: options.into_iter().chain(atoms).map(Into::into).collect(),
        env: [
            set("PKGDIR", directory.into()),
            set("EMERGE_DEFAULT_OPTS", PathBuf::new()),
        ]
        .into(),
        ..Plan::default()
    };
    let parent = log.parent().unwrap_or(Path::new("/"));
    Directory::make(parent, &mut Vec::new())?;
    let file = open_log(log, false).map_err(PackError::write(log))?;
    let interrupts = Interrupts::new()?;
    let job = Job::start(&plan, &context.env, &file, &[lock.as_fd()])?;
    match job.wait(&interrupts, GRACE)? {
        JobEnd::Exited(status) => Ok(status),
        JobEnd::Interrupted(signal) => Err(PackError::Interrupted(signal)),
    }
}
