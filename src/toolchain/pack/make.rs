//! Packs a toolchain: decides what belongs to it, and makes binary packages or an archive.
//!
//! The result is made beside its place and then renamed. An interrupted run leaves only names that the next one removes.

use super::{
    archive::{Archive, endings, is_name, usual_end},
    error::PackError,
    finished::{check, stage},
    manifest::{Manifest, NAME, PackedPackage},
    place::{check_empty, check_space, rename},
    tree::{Toolchain, make, needs},
};
use crate::{
    context::Context,
    toolchain::{
        class::{Part, TargetClass},
        error::ToolchainError,
        gcc_stage::GccStage,
        installed::packages,
        machine::Machine,
        record::hash,
        request::ToolchainRequest,
        run::lock,
    },
};
use crossmerge_plan::{
    env,
    plan::{Change, Plan},
};
use crossmerge_portage::merged::{MERGED, files_of};
use crossmerge_system::{
    exec,
    file::{Directory, read, remove_all, waiting},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// The ends of names of archives that tar can write and crossmerge does not.
const OTHER_ENDS: [&str; 6] = [".tgz", ".txz", ".tbz2", ".zip", ".7z", ".rar"];

/// What is packed, and where to.
#[derive(Debug)]
pub(crate) struct PackRequest<'a> {
    pub(crate) context: &'a Context,
    /// What was asked for when the toolchain was built, or the usual request.
    pub(crate) toolchain: ToolchainRequest,
    /// Whether crossmerge built the toolchain.
    pub(crate) is_recorded: bool,
    pub(crate) output: Option<&'a Path>,
    /// The last stage that is packed. `None`: the last of the target's class.
    pub(crate) stage: Option<u8>,
}

/// A packed toolchain.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The archive, or the directory of the binary packages.
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    /// The size of the archive or the packages, in bytes.
    pub(crate) bytes: u64,
}

/// An installed toolchain.
struct Installed {
    /// The prefix's directory `usr`.
    usr: PathBuf,
    chost: String,
    files: BTreeMap<PathBuf, String>,
    manifest: Manifest,
    /// The size of the files, as Portage has counted it.
    bytes: u64,
    /// The time of the last build, in seconds since 1970.
    time: u64,
}

/// Packs a toolchain.
pub(crate) fn pack(mut request: PackRequest<'_>) -> Result<Packed, PackError> {
    let output = output(&request)?;
    let machine = Machine::read(request.context, &mut request.toolchain)?;
    let category = request.toolchain.category();
    // A build of the toolchain has to end first.
    let _lock = lock(&request.context.config, &category)?;
    let installed = installed(&request, &machine)?;
    match output {
        Output::Archive(path) => archive(&request, installed, path),
        Output::Packages(path) => binary_packages(&request, installed, path),
    }
}

/// Where the result is written.
enum Output {
    /// An archive; without a path, one with the usual name in the working directory.
    Archive(Option<PathBuf>),
    Packages(PathBuf),
}

fn output(request: &PackRequest<'_>) -> Result<Output, PackError> {
    let Some(path) = request.output else {
        return Ok(Output::Archive(None));
    };
    let path = std::path::absolute(path).map_err(PackError::read(path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_directory = path.is_dir() || !name.contains('.');
    match is_name(&path) && !path.is_dir() {
        true => Ok(Output::Archive(Some(path))),
        false if !is_directory && (name.contains(".tar.") || has_other_end(&name)) => {
            Err(PackError::Name {
                endings: endings(),
                name: name.as_ref().into(),
            })
        }
        false => Ok(Output::Packages(path)),
    }
}

fn has_other_end(name: &str) -> bool {
    OTHER_ENDS.iter().any(|end| name.ends_with(end))
}

/// Looks up the packages of a toolchain and their files, and checks that it is complete.
fn installed(request: &PackRequest<'_>, machine: &Machine) -> Result<Installed, PackError> {
    let toolchain = &request.toolchain;
    let (tuple, category) = (&toolchain.tuple, toolchain.category());
    let class = TargetClass::of(tuple);
    let root = machine.host.below("");
    let names = packages(&root, &category)?;
    if names.is_empty() {
        return Err(PackError::NoPackages {
            tuple: tuple.clone(),
            category,
        });
    }
    let part_of = |name: &str| {
        let mut parts = class.packages.iter();
        parts
            .find(|(_, package)| package.name == name)
            .map(|(part, _)| *part)
    };
    let parts: BTreeSet<Part> = names.keys().filter_map(|name| part_of(name)).collect();
    let database = |name: &str, version: &str| {
        root.join(MERGED)
            .join(&category)
            .join(format!("{name}-{version}"))
    };
    let mut files_of_packages = BTreeMap::new();
    for (name, version) in &names {
        files_of_packages.insert(name.as_str(), contents(&database(name, version))?);
    }
    let libc = class
        .packages
        .get(&Part::Libc)
        .map(|libc| libc.name.as_str());
    let headers_only = libc
        .and_then(|libc| machine.installed(libc))
        .is_some_and(|libc| libc.flags.contains("headers-only"));
    let compiler = format!("{tuple}-gcc");
    let gcc_files = class.packages.get(&Part::Gcc).map(|gcc| gcc.name.as_str());
    let gcc_files = gcc_files.and_then(|gcc| files_of_packages.get(gcc));
    let gcc = { gcc_files.into_iter().flatten() }
        .find(|path| path.file_name() == Some(OsStr::new(&compiler)));
    let gcc = match gcc {
        Some(compiler) => GccStage::of(compiler)?,
        None => None,
    };
    let reached = stage(&parts, headers_only, gcc, toolchain.llvm);
    let wanted = request.stage.unwrap_or(class.stage);
    check(tuple, reached, wanted)?;

    let prefix = machine.host.eprefix.clone();
    let mut manifest = Manifest::new(tuple.clone(), category.clone(), wanted, prefix);
    manifest.request = request.is_recorded.then(|| toolchain.clone());
    let mut installed = Installed {
        usr: machine.host.below("usr"),
        chost: machine.host.chost.to_string(),
        files: BTreeMap::new(),
        manifest,
        bytes: 0,
        time: 0,
    };
    for (name, version) in &names {
        let part = part_of(name);
        let is_wanted = part.map_or(wanted == class.stage, |part| stage_of(part) <= wanted);
        let Some(package) = machine.installed(name).filter(|_| is_wanted) else {
            continue;
        };
        let text = |file: &str| {
            let path = database(name, version).join(file);
            read::read_to_string(&path, read::PACKAGE)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if !text("CHOST").is_empty() {
            installed.chost = text("CHOST");
        }
        installed.bytes += text("SIZE").parse().unwrap_or(0);
        installed.time = installed.time.max(package.build_time);
        let owner = format!("{category}/{name}");
        let files = files_of_packages.remove(name.as_str()).unwrap_or_default();
        installed
            .files
            .extend(files.into_iter().map(|path| (path, owner.clone())));
        installed.manifest.package.push(PackedPackage {
            step: match part {
                Some(Part::Gcc) if gcc == Some(GccStage::First) => format!("{name}-stage1"),
                Some(Part::Gcc) => format!("{name}-stage2"),
                Some(Part::Libc) if headers_only => format!("{name}-headers"),
                _ => name.clone(),
            },
            name: name.clone(),
            version: version.clone(),
            flags: package.flags.into_iter().collect(),
            build_time: package.build_time,
            file: None,
            sha256: None,
        });
    }
    Ok(installed)
}

/// Returns the stage to which a part belongs.
fn stage_of(part: Part) -> u8 {
    match part {
        Part::Binutils | Part::Ccw => 0,
        Part::Gcc | Part::Crt => 1,
        Part::Kernel | Part::Kernel2 | Part::Kernel3 => 2,
        Part::Libc => 3,
        Part::Gdb | Part::Libcxxabi | Part::Libcxx | Part::Libunwind => 4,
    }
}

/// Lists the files and symlinks of a package.
fn contents(package: &Path) -> Result<Vec<PathBuf>, PackError> {
    let path = package.join("CONTENTS");
    let text = read::read(&path, read::CONTENTS).map_err(PackError::read(&path))?;
    Ok(files_of(&text).map(Path::to_owned).collect())
}

/// Removes a file or directory of an interrupted run when it is dropped, and at the beginning.
struct Unfinished(PathBuf);

impl Unfinished {
    fn new(path: PathBuf) -> Result<Self, PackError> {
        remove_all(&path).map_err(PackError::write(&path))?;
        Ok(Self(path))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        let _ = remove_all(&self.0);
    }
}

fn archive(
    request: &PackRequest<'_>,
    installed: Installed,
    path: Option<PathBuf>,
) -> Result<Packed, PackError> {
    let context = request.context;
    let (env, tuple) = (&context.env, &request.toolchain.tuple);
    if request.toolchain.llvm {
        return Err(PackError::Clang {
            tuple: tuple.clone(),
        });
    }
    let mut manifest = installed.manifest;
    let Some(version) = manifest.version("gcc") else {
        return Err(PackError::NoCompiler {
            tuple: tuple.clone(),
        });
    };
    let name = format!("{tuple}-gcc-{version}{}", usual_end(env));
    let path = match path {
        Some(path) => path,
        None => std::path::absolute(&name).map_err(PackError::read(Path::new(&name)))?,
    };
    if path.symlink_metadata().is_ok() {
        return Err(PackError::OutputExists(path));
    }
    let new = Unfinished::new(waiting(&path))?;
    let archive = Archive::to_write(env, &context.config.broot, &path)?.at(&new.0);
    let parent = path.parent().unwrap_or(Path::new("/"));
    // The tree, and the archive, which is at most half of it.
    check_space(parent, installed.bytes + installed.bytes / 2)?;
    let mut files = path.file_name().unwrap_or_default().to_owned();
    files.push(".files");
    let files = Unfinished::new(waiting(&path.with_file_name(files)))?;
    let toolchain = Toolchain {
        tuple: tuple.as_str(),
        chost: &installed.chost,
        usr: &installed.usr,
        files: installed.files,
    };
    make(&toolchain, &files.0.join(tuple.as_str()), &mut manifest)?;
    let epoch = env.get(env::SOURCE_DATE_EPOCH).and_then(OsStr::to_str);
    let time = epoch.and_then(|epoch| epoch.parse().ok());
    archive.write(&files.0, tuple.as_str(), time.unwrap_or(installed.time))?;
    let bytes = fs::metadata(&new.0).map_err(PackError::read(&new.0))?.len();
    rename(&new.0, &path)?;
    Ok(Packed {
        path,
        manifest,
        bytes,
    })
}

/// Makes binary packages with Portage's quickpkg, and the manifest beside them.
fn binary_packages(
    request: &PackRequest<'_>,
    installed: Installed,
    path: PathBuf,
) -> Result<Packed, PackError> {
    check_empty(&path)?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    check_space(parent, installed.bytes)?;
    let quickpkg = request.context.find_program(OsStr::new("quickpkg"));
    let quickpkg = quickpkg.map_err(ToolchainError::from)?;
    let mut manifest = installed.manifest;
    let toolchain = Toolchain {
        tuple: manifest.tuple.as_str(),
        chost: &installed.chost,
        usr: &installed.usr,
        files: installed.files,
    };
    manifest.host = needs(&toolchain)?;
    manifest.files = toolchain.files.len() as u64;
    manifest.bytes = installed.bytes;
    let new = Unfinished::new(waiting(&path))?;
    Directory::make(&new.0, &mut Vec::new())?;
    let packages = manifest.package.iter();
    let atoms = packages.map(|package| {
        format!(
            "={}/{}-{}",
            manifest.category, package.name, package.version
        )
    });
    let args = ["--include-config=y", "--umask", "022"].map(str::to_owned);
    let plan = Plan {
        program: quickpkg,
        args: args.into_iter().chain(atoms).map(Into::into).collect(),
        env: [("PKGDIR".into(), Change::Set(new.0.clone().into()))].into(),
        ..Plan::default()
    };
    let output = exec::ask(&plan)?;
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        return Err(PackError::Failed {
            what: "quickpkg",
            printed: String::from_utf8_lossy(&printed).trim().into(),
        });
    }
    let made = super::tree::list(&new.0)?;
    let mut bytes = 0;
    for package in &mut manifest.package {
        let start = format!("{}-{}", package.name, package.version);
        let is_its = |place: &&PathBuf| {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let rest = name.strip_prefix(&start);
            place.starts_with(&manifest.category)
                && rest.is_some_and(|rest| rest.starts_with(['.', '-']))
        };
        let place = made.keys().find(is_its).ok_or_else(|| PackError::Failed {
            what: "quickpkg",
            printed: format!("it made no package of {start}"),
        })?;
        let file = new.0.join(place);
        let content = read::read(&file, read::SUMMED).map_err(PackError::read(&file))?;
        bytes += content.len() as u64;
        package.sha256 = Some(hash(&content));
        package.file = Some(place.clone());
    }
    let file = new.0.join(NAME);
    fs_err::write(&file, manifest.to_text()).map_err(PackError::write(&file))?;
    rename(&new.0, &path)?;
    Ok(Packed {
        path,
        manifest,
        bytes,
    })
}
