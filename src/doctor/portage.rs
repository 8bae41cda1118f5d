//! The checks of Portage's settings for the host and for the target.

use super::{
    environment::is_root,
    examination::{Examination, PROFILE_LINK, trimmed},
    finding::{CheckResult, DoctorError},
    links::list,
};
use crate::{
    call::Call,
    context::ContextError,
    init::{InitError, InitRecord, check_foreign_by_compiler, is_packaged},
    links::is_our_command,
};
use crossmerge_plan::{env, plan::Change, shown::Show, words::quote_line};
use crossmerge_portage::{PortageError, Repositories, Repository};
use crossmerge_system::{
    exec,
    file::{self, Node, beneath::FileKind, read},
};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

pub(super) fn tuple(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let foreign = match exam.host() {
        Some(Ok(host)) => host.check_foreign(exam.tuple()),
        _ => check_foreign_by_compiler(exam.context),
    };
    match foreign {
        Ok(()) => Ok(CheckResult::ok("")),
        Err(e @ InitError::Native { .. }) => {
            let before = format!("{}-", exam.tuple());
            let links = fs_err::read_dir(&exam.bindir).into_iter().flatten();
            let mut ours = links.flatten().filter(|link| {
                link.file_name().to_string_lossy().starts_with(&before)
                    && is_our_command(&link.path())
            });
            Ok(match ours.next() {
                Some(_) => {
                    CheckResult::error(e.to_string(), format!("crossmerge remove {}", exam.tuple()))
                }
                // crossmerge has no symlinks for the tuple, so there is no target to fix.
                None => CheckResult::skipped(e.to_string()),
            })
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) fn portage(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let (Some(host), Some(settings)) = (exam.host(), exam.settings()) else {
        return Ok(CheckResult::skipped("there is no Portage on the host"));
    };
    // Portage prints nothing for any variable if it cannot parse a file.
    let of_host = host.as_ref().err().map(|e| match e {
        InitError::Context(e) => reason(e),
        e => e.to_string(),
    });
    let of_target = settings.as_ref().err().map(reason);
    Ok(match (of_host, of_target) {
        (None, None) => CheckResult::ok(""),
        (Some(message), _) => {
            let etc = file::below(&exam.context.config.broot, "etc/portage");
            let file = blamed(&message, &etc).unwrap_or_else(|| etc.join("make.conf"));
            CheckResult::error(
                format!("Portage cannot read the host's settings: {message}"),
                set_aside(&file),
            )
        }
        (None, Some(message)) => {
            let etc = exam.etc_portage();
            let file = blamed(&message, &etc).unwrap_or_else(|| etc.join("make.conf"));
            CheckResult::error(
                format!("Portage cannot read the target's settings: {message}"),
                format!("{} && {}", set_aside(&file), exam.init()),
            )
        }
    })
}

/// Returns Portage's messages before the first Python traceback.
fn reason(error: &ContextError) -> String {
    match error {
        ContextError::Portage(PortageError::NoAnswer { output, .. }) => {
            let lines: Vec<&str> = output
                .lines()
                .take_while(|line| !line.starts_with("Traceback"))
                .collect();
            lines.join("; ")
        }
        e => e.to_string(),
    }
}

/// Finds the file below `etc/portage` that a message names.
fn blamed(message: &str, etc: &Path) -> Option<PathBuf> {
    let mut words = message.split(['"', '\'', ' ', ':', ',']).map(PathBuf::from);
    words.find(|path| path.starts_with(etc) && path.is_file())
}

fn set_aside(file: &Path) -> String {
    let mut old = file.as_os_str().to_owned();
    old.push(".old");
    format!("mv {} {}", quote_line(file.as_os_str()), quote_line(&old))
}

pub(super) fn settings(exam: &Examination) -> Result<CheckResult, DoctorError> {
    match exam.context.compare_settings() {
        Some((version, Ok(()))) => {
            return Ok(CheckResult::ok(format!(
                "crossmerge's results agree with those of Portage {version}, which is now recorded: settings are read without portageq"
            )));
        }
        Some((version, Err(why))) => {
            return Ok(CheckResult::ok(format!(
                "portageq is called, since crossmerge does not know Portage {version}: {why}"
            )));
        }
        None => {}
    }
    let errors = exam.context.settings_errors();
    Ok(match errors.first() {
        None => CheckResult::ok("read without portageq"),
        // This is not a problem, but every call starts Python.
        Some(why) => CheckResult::ok(format!("portageq is called, since {why}")),
    })
}

pub(super) fn profile(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let etc = exam.etc_portage();
    // Portage reads either path.
    let places = [
        etc.join(PROFILE_LINK),
        exam.context.configroot().join("etc/make.profile"),
    ];
    if let Some(profile) = places.iter().find(|place| place.is_dir()) {
        let profile = fs_err::canonicalize(profile)?;
        return Ok(CheckResult::ok(format!("`{}`", profile.shown())));
    }
    let message = match fs_err::read_link(&places[0]) {
        Ok(to) => format!(
            "`{}` leads to `{}`, which does not exist",
            places[0].shown(),
            to.shown()
        ),
        Err(_) => format!("there is no `{}`", places[0].shown()),
    };
    let main = match exam.host() {
        Some(Ok(host)) => host.repositories.main().map(|main| main.location.clone()),
        _ => None,
    };
    let embedded = main
        .unwrap_or_else(|| "/var/db/repos/gentoo".into())
        .join("profiles/embedded");
    let link = quote_line(places[0].as_os_str());
    let fix = format!("ln -sfn {} {link}", quote_line(embedded.as_os_str()));
    Ok(CheckResult::error(message, fix))
}

pub(super) fn arch(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(target) = exam.target().ok().filter(|t| t.arch != "unknown") else {
        return Ok(CheckResult::skipped("Gentoo has no ARCH for the target"));
    };
    let arch = exam.setting("ARCH");
    if arch == target.arch {
        return Ok(CheckResult::ok(arch));
    }
    let profile = exam.etc_portage().join("profile");
    let line = quote_line(format!("ARCH=\"{}\"", target.arch).as_ref()).into_boxed_str();
    Ok(CheckResult::error(
        format!(
            "ARCH is `{arch}`, but `{}` means `{}`",
            exam.tuple(),
            target.arch
        ),
        format!(
            "mkdir -p {} && echo {line} >> {}",
            quote_line(profile.as_os_str()),
            quote_line(profile.join("make.defaults").as_os_str())
        ),
    ))
}

pub(super) fn repositories(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(Ok(host)) = exam.host() else {
        return Ok(CheckResult::skipped("there is no Portage on the host"));
    };
    let visible = Repositories::parse(exam.setting("PORTAGE_REPOSITORIES"));
    let is_hidden = |wanted: &&Repository| !visible.all.iter().any(|r| r.name == wanted.name);
    let missing: Vec<&Repository> = host.repositories.all.iter().filter(is_hidden).collect();
    if missing.is_empty() {
        return Ok(CheckResult::ok(format!(
            "{} repositories",
            visible.all.len()
        )));
    }
    let conf = exam.etc_portage().join("repos.conf");
    let (redirect, file) = match conf.is_dir() {
        true => (">", conf.join("crossmerge.conf")),
        false => (">>", conf),
    };
    let lines: String = missing
        .iter()
        .map(|repository| {
            let keys = repository
                .keys
                .iter()
                .map(|(key, value)| format!("{key} = {value}\n"));
            format!(
                "\n[{}]\n{}auto-sync = no\n",
                repository.name,
                keys.collect::<String>()
            )
        })
        .collect();
    // The name of a section may contain characters that are special to printf or the shell.
    let words: String = lines
        .lines()
        .map(|line| format!(" {}", quote_line(line.as_ref())))
        .collect();
    let names: Vec<PathBuf> = missing.iter().map(|r| PathBuf::from(&r.name)).collect();
    Ok(CheckResult::warning(
        format!("the target does not see {}", list(&names)),
        format!(
            "printf '%s\\n'{words} {redirect} {}",
            quote_line(file.as_os_str())
        ),
    ))
}

/// Lists the files of the target's make.conf as Portage reads them: both paths, and every file if one is a directory.
fn make_conf_files(exam: &Examination) -> Vec<PathBuf> {
    let places = [
        exam.context.configroot().join("etc/make.conf"),
        exam.etc_portage().join("make.conf"),
    ];
    let mut files = Vec::new();
    for place in places {
        match fs_err::read_dir(&place) {
            Ok(entries) => {
                let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
                paths.sort();
                files.extend(paths);
            }
            Err(_) => files.push(place),
        }
    }
    files.retain(|file| file.is_file());
    files
}

/// The directories in which Portage keeps the target's binary packages and builds its packages.
const DIRECTORIES: [&str; 2] = ["PKGDIR", "PORTAGE_TMPDIR"];

/// Returns whether a line of make.conf sets a variable.
fn sets(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name)
        .is_some_and(|rest| rest.trim_start().starts_with('='))
}

pub(super) fn make_conf(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let files = make_conf_files(exam);
    let Some(last) = files.last() else {
        return Ok(CheckResult::skipped("there is no make.conf"));
    };
    let setting_of = |name: &str| {
        let mut found = None;
        for file in &files {
            let text = read::read_to_string(file, read::SETTINGS).unwrap_or_default();
            if text.lines().any(|line| sets(line, name)) {
                found = Some(file.clone());
            }
        }
        found
    };
    if let Some(file) = setting_of("SYSROOT") {
        return Ok(CheckResult::error(
            format!(
                "`{}` sets SYSROOT, which Portage reads only from the environment",
                file.shown()
            ),
            format!(
                "sed -E -i '/^[[:space:]]*(export[[:space:]]+)?SYSROOT[[:space:]]*=/d' {}",
                quote_line(file.as_os_str())
            ),
        ));
    }
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    let tuple = exam.tuple().as_str();
    let mut compare = |name: &str, has: &str, wanted: &str| {
        if has != wanted {
            wrong.push(format!("{name} is `{has}`, but should be `{wanted}`"));
            right.push(format!("{name}=\"{wanted}\""));
        }
    };
    compare("CHOST", exam.setting("CHOST"), tuple);
    if let Some(Ok(host)) = exam.host() {
        compare("CBUILD", exam.setting("CBUILD"), &host.settings["CBUILD"]);
    }
    // If ROOT is unset, Portage uses the host's root, and crossmerge's wrappers the sysroot. A ROOT that is set is
    // kept.
    let root = exam.setting(env::ROOT.name);
    if setting_of("ROOT").is_some() && (is_root(Path::new(root)) || !root.starts_with('/')) {
        let wanted = format!("{}/", exam.sysroot.display());
        compare("ROOT", root, &wanted);
    }
    if wrong.is_empty() {
        let found = files.iter().find(|file| follows_root(exam, file));
        return Ok(match found {
            Some(file) => directories_follow_root(exam, file)?,
            None => CheckResult::ok(""),
        });
    }
    let words: String = right
        .iter()
        .map(|line| format!(" {}", quote_line(line.as_ref())))
        .collect();
    Ok(CheckResult::error(
        format!("in `{}`: {}", last.shown(), wrong.join("; ")),
        format!("printf '%s\\n'{words} >> {}", quote_line(last.as_os_str())),
    ))
}

/// Returns whether a file of make.conf lets Portage's own directories follow ROOT, as earlier releases wrote it. crossdev
/// writes this too, so its files count only if ROOT is not the sysroot.
fn follows_root(exam: &Examination, file: &Path) -> bool {
    let text = read::read_to_string(file, read::SETTINGS).unwrap_or_default();
    let follows = |line: &str| {
        let is_directory = DIRECTORIES.iter().any(|name| sets(line, name));
        is_directory && (line.contains("ROOT}") || line.contains("$ROOT"))
    };
    let is_ours = || text.starts_with("# Made by `crossmerge init");
    let is_elsewhere = || {
        let root = Path::new(exam.setting(env::ROOT.name));
        !is_root(root) && file::canonical(root) != file::canonical(&exam.sysroot)
    };
    text.lines().any(follows) && (is_ours() || is_elsewhere())
}

fn directories_follow_root(exam: &Examination, file: &Path) -> Result<CheckResult, DoctorError> {
    let record = InitRecord::read(&exam.sysroot)?;
    let is_as_left = || {
        let node = Node::at(file).ok()?;
        let within = file.strip_prefix(&exam.sysroot).ok()?;
        record.is_as_left(within, &node).ok()
    };
    let fix = match is_as_left() {
        Some(true) => exam.init(),
        _ => {
            let script = format!(
                "/^[[:space:]]*(export[[:space:]]+)?({})[[:space:]]*=/s|[$][{{]?E?ROOT[}}]?/?|{}/|",
                DIRECTORIES.join("|"),
                exam.sysroot.display()
            );
            let script = quote_line(script.as_ref());
            format!("sed -E -i {script} {}", quote_line(file.as_os_str()))
        }
    };
    Ok(CheckResult::warning(
        format!(
            "in `{}`, {} follow ROOT: with another ROOT there, the binary packages of the sysroot are not found",
            file.shown(),
            DIRECTORIES.join(" and ")
        ),
        fix,
    ))
}

pub(super) fn roots(exam: &Examination) -> Result<CheckResult, DoctorError> {
    if let Some(root) = exam.context.env.get(env::ROOT)
        && exam.context.config.is_own_root(Path::new(root))
    {
        let message = format!("ROOT is `{}`, the host's own root", root.shown());
        return Ok(CheckResult::error(message, "unset ROOT SYSROOT"));
    }
    let args = ["envvar", "-v", "ROOT", "SYSROOT"];
    let plan = exam.wrappers.plan(
        "portageq",
        &Call::new(exam.context),
        args.map(Into::into).into(),
    )?;
    if let Some(Change::Set(root)) = plan.env.get(OsStr::new(env::ROOT.name))
        && !Path::new(root).is_dir()
    {
        // Portage would create the directory if it ran with such a ROOT.
        return Ok(CheckResult::warning(
            format!("ROOT is `{}`, which is not a directory", root.shown()),
            format!("mkdir -p {}", quote_line(root)),
        ));
    }
    let output = exec::ask(&plan)?;
    let values = trimmed(&output.stdout);
    if values.contains("SYSROOT=") {
        return Ok(CheckResult::ok(values.replace('\n', ", ")));
    }
    let complaint = trimmed(&output.stderr);
    let complaint = complaint.lines().next().unwrap_or_default();
    let complaint = complaint.trim_start_matches("!!! Error: ");
    let fix = match exam.context.env.get(env::ROOT) {
        Some(_) => "unset ROOT SYSROOT".to_owned(),
        None => format!(
            "printf '%s\\n' {} >> {}",
            quote_line(format!("ROOT=\"{}/\"", exam.sysroot.display()).as_ref()),
            quote_line(exam.etc_portage().join("make.conf").as_os_str())
        ),
    };
    Ok(CheckResult::error(
        format!("Portage rejects them: {complaint}"),
        fix,
    ))
}

/// Files by which an installed package is recognised as a libc, in any directory.
const LIBC: [&str; 4] = ["libc.so", "libc.so.6", "libc.a", "libc.so.0"];

pub(super) fn libc_package(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(elibc) = exam.target().ok().and_then(|target| target.elibc) else {
        return Ok(CheckResult::skipped("Gentoo has no ELIBC for the target"));
    };
    let Some(Ok(host)) = exam.host() else {
        return Ok(CheckResult::skipped("there is no Portage on the host"));
    };
    let package = format!("sys-libs/{elibc}");
    let provided = exam.etc_portage().join("profile/package.provided");
    let is_provided = |file: &Path| {
        let text = read::read_to_string(file, read::SETTINGS).unwrap_or_default();
        text.lines()
            .any(|line| line.trim().starts_with(&format!("{package}-")))
    };
    let mut files = vec![provided.clone()];
    files.extend(
        fs_err::read_dir(&provided)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path()),
    );
    let listed = files.iter().find(|file| is_provided(file));
    match (owner(&exam.sysroot.join("var/db/pkg")), listed) {
        // Earlier releases advised this line, which applies to every root.
        (Some(owner), Some(file)) => {
            let script = format!("/^[[:space:]]*sys-libs[/]{elibc}-/d");
            return Ok(CheckResult::warning(
                format!(
                    "`{owner}` owns it, but `{}` lists it too, so Portage merges it into no other root",
                    file.shown()
                ),
                format!(
                    "sed -i {} {}",
                    quote_line(script.as_ref()),
                    quote_line(file.as_os_str())
                ),
            ));
        }
        (Some(owner), None) => return Ok(CheckResult::ok(format!("`{owner}` owns it"))),
        (None, Some(file)) => {
            return Ok(CheckResult::ok(format!("`{}` lists it", file.shown())));
        }
        (None, None) => {}
    }
    let record = InitRecord::read(&exam.sysroot)?;
    if is_packaged(elibc)
        && exam.context.settings.toolchain.is_some()
        && record.knows(Path::new("usr/include/stdio.h"))
        && record.knows(Path::new("etc/portage/repos.conf"))
    {
        return Ok(CheckResult::warning(
            "no package of the target owns the toolchain's libc, so no other root gets it as a dependency",
            exam.init(),
        ));
    }
    let directories = host
        .repositories
        .all
        .iter()
        .map(|r| r.location.join(&package));
    let Some(ebuilds) = directories.into_iter().find(|directory| directory.is_dir()) else {
        return Ok(CheckResult::skipped(format!(
            "no package owns it, but no repository has `{package}`, so no package can depend on it"
        )));
    };
    let version = match glibc_version(exam)?.or(ebuild_version(&ebuilds, elibc)) {
        Some(version) => version,
        None => {
            return Ok(CheckResult::skipped(format!(
                "the version of the {elibc} is unknown"
            )));
        }
    };
    let file = if provided.is_dir() {
        provided.join("libc")
    } else {
        provided
    };
    let directory = file.parent().unwrap_or(Path::new("."));
    Ok(CheckResult::warning(
        format!(
            "no package of the target owns the libc, so Portage would build and merge `{package}` over it for any package that depends on it"
        ),
        format!(
            "mkdir -p {} && echo {package}-{version} >> {}",
            quote_line(directory.as_os_str()),
            quote_line(file.as_os_str())
        ),
    ))
}

/// Finds the installed package whose contents include a libc.
fn owner(database: &Path) -> Option<String> {
    let database = Node::at(database).ok().filter(Node::is_dir)?;
    let directories = |directory: &Node| {
        let entries = directory.entries().unwrap_or_default().into_iter();
        entries.filter_map(|(name, kind)| (kind == FileKind::Directory).then_some(name))
    };
    for category in directories(&database) {
        let Ok(Some(category)) = database.child(&category) else {
            continue;
        };
        for package in directories(&category) {
            let contents = category.child(&package).ok().flatten();
            let contents =
                contents.and_then(|package| package.child(OsStr::new("CONTENTS")).ok()?);
            let contents = contents.and_then(|file| file.read_to_string(read::CONTENTS).ok());
            let owns = contents.unwrap_or_default().lines().any(|line| {
                let mut words = line.split(' ');
                let is_file = matches!(words.next(), Some("obj" | "sym"));
                let path = Path::new(words.next().unwrap_or_default());
                is_file
                    && path
                        .file_name()
                        .is_some_and(|name| LIBC.iter().any(|libc| name == *libc))
            });
            if owns {
                let category = category.path().file_name()?;
                return Some(Path::new(category).join(package).shown().to_string());
            }
        }
    }
    None
}

/// Reads glibc's version from its own header.
fn glibc_version(exam: &Examination) -> Result<Option<String>, DoctorError> {
    let source = exam.source(
        "version.c",
        "#include <features.h>\n__GLIBC__ __GLIBC_MINOR__\n",
    )?;
    let output = exam.compile(["-E".as_ref(), "-P".as_ref(), source.as_os_str()])??;
    let text = trimmed(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let numbers: Vec<&str> = last.split_whitespace().collect();
    let is_number = |word: &&str| word.bytes().all(|b| b.is_ascii_digit());
    Ok((numbers.len() == 2 && numbers.iter().all(is_number)).then(|| numbers.join(".")))
}

/// Returns a version of the libc that a repository has, for a libc whose headers state none.
fn ebuild_version(ebuilds: &Path, name: &str) -> Option<String> {
    let entries = fs_err::read_dir(ebuilds).ok()?.flatten();
    let versions = entries.filter_map(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        let version = file.strip_prefix(name)?.strip_prefix('-')?;
        Some(version.strip_suffix(".ebuild")?.to_owned())
    });
    versions
        .filter(|version| !version.starts_with("9999"))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_make_conf_sets_a_variable() {
        for (line, is_set) in [
            ("ROOT=/", true),
            ("  export ROOT = \"/x\"", true),
            ("SYSROOT=/", false),
            ("# ROOT=/", false),
            ("PORTROOT=/", false),
            ("ROOT_DIR=/", false),
        ] {
            assert_eq!(sets(line, "ROOT"), is_set, "{line}");
        }
    }
}
