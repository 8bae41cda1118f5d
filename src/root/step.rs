//! The steps of a root, as data: they can be printed, carried out, and taken up again.

use super::{
    command::{Command, Program},
    error::RootError,
    provider,
    provider::Provider,
    request::RootRequest,
    stage::Native,
};
use crate::{applet::Wrappers, context::Context};
use crossmerge_plan::words::quote_line;
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The package with the directories and users of every system.
const BASE: &str = "sys-apps/baselayout";

/// The libraries by whose names the libc's package is found.
const LIBCS: [&str; 3] = ["libc.so.6", "libc.so.0", "libc.so"];

/// The directories of a root without [`BASE`], with the mode of each.
const DIRECTORIES: [(&str, u32); 17] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("mnt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("usr/bin", 0o755),
    ("usr/lib", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
    ("usr/share", 0o755),
];

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Its name, which is also that of its log.
    pub(super) name: String,
    /// What it does, for the user.
    pub(super) title: String,
    pub(super) action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Makes the new root with these directories and symlinks.
    Layout {
        directories: Vec<(PathBuf, u32)>,
        /// The path of each symlink, and its target.
        links: Vec<(PathBuf, PathBuf)>,
    },
    /// Runs a command. If a test is given and succeeds, nothing is left to do.
    Run {
        command: Command,
        unless: Option<Command>,
    },
    /// Writes the configuration with which the root builds packages itself.
    Configure(Native),
    /// Removes leftovers.
    Settle,
    /// Checks the new root.
    Check,
    /// Replaces the old root by the new one.
    Replace,
}

/// Lists the steps of a request.
pub(super) fn steps(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
) -> Result<Vec<Step>, RootError> {
    let new = &request.places.new;
    let has_base = has_base(context)?;
    let mask = request.mask.join(" ");
    let in_root = |more: Vec<(&'static str, OsString)>| {
        let root = ("ROOT", new.clone().into_os_string());
        let mask = ("INSTALL_MASK", OsString::from(&mask));
        // `init` writes the opposite, for the sysroot.
        let documents = ("FEATURES", OsString::from("-nodoc -noinfo -noman"));
        let documents = request.native.iter().map(|_| documents.clone()).collect();
        [vec![root, mask], documents, more].concat()
    };
    let emerge =
        |environment: Vec<(&'static str, OsString)>, words: &[&str], packages: &[String]| {
            let words = words.iter().map(OsString::from);
            Command {
                program: Program::Applet("emerge"),
                environment,
                args: words.chain(packages.iter().map(OsString::from)).collect(),
                runs_target: false,
            }
        };
    const MERGE: [&str; 3] = ["--usepkgonly", "--binpkg-respect-use=y", "--oneshot"];
    const TRY: [&str; 4] = [
        "--pretend",
        "--usepkgonly",
        "--binpkg-respect-use=y",
        "--oneshot",
    ];
    let mut steps = vec![Step {
        name: "layout".into(),
        title: "directories and symlinks".into(),
        action: layout(context, has_base),
    }];
    let mut run = |name: &str, title: String, command: Command, unless: Option<Command>| {
        steps.push(Step {
            name: name.into(),
            title,
            action: Action::Run { command, unless },
        });
    };
    if has_base {
        let base = [BASE.to_owned()];
        let flag = || vec![("USE", OsString::from("build"))];
        let without = |words: &[&'static str]| [words, &["--nodeps"]].concat();
        run(
            "base-package",
            format!("binary package of {BASE}"),
            emerge(flag(), &["--buildpkgonly", "--oneshot", "--nodeps"], &base),
            Some(emerge(in_root(flag()), &without(&TRY), &base)),
        );
        run(
            "base",
            format!("{BASE}, alone"),
            emerge(in_root(flag()), &without(&MERGE), &base),
            None,
        );
    }
    if let Some(libc) = libc(context) {
        let libc = [libc];
        run(
            "libc",
            libc[0].clone(),
            emerge(in_root(Vec::new()), &MERGE, &libc),
            None,
        );
    }
    let build = Command {
        // pkg_postinst of a package may run what was merged, here into the sysroot.
        runs_target: true,
        ..emerge(
            Vec::new(),
            &[
                "--oneshot",
                "--usepkg",
                "--buildpkg",
                "--binpkg-respect-use=y",
            ],
            &request.packages,
        )
    };
    run(
        "build",
        "binary packages that are missing".into(),
        build,
        Some(emerge(in_root(Vec::new()), &TRY, &request.packages)),
    );
    let noreplace = [&MERGE[..], &["--noreplace"]].concat();
    let packages = Command {
        runs_target: true,
        ..emerge(in_root(Vec::new()), &noreplace, &request.packages)
    };
    run("packages", request.packages.join(" "), packages, None);
    if let Some(tree) = &request.kernel {
        let make = Command {
            program: Program::Applet("xkmake"),
            environment: vec![("ROOT", new.clone().into())],
            args: vec!["-C".into(), tree.into(), "modules_install".into()],
            runs_target: false,
        };
        run(
            "kernel",
            format!("modules of {}", tree.display()),
            make,
            None,
        );
    }
    if wrappers.names().any(|name| name == "ldconfig") {
        let ldconfig = Command {
            program: Program::Applet("ldconfig"),
            environment: vec![("ROOT", new.clone().into())],
            args: vec!["-X".into()],
            runs_target: false,
        };
        run("ldconfig", "cache of libraries".into(), ldconfig, None);
    }
    for locale in &request.locales {
        let localedef = Command {
            program: Program::Applet("localedef"),
            environment: vec![("ROOT", new.clone().into())],
            args: locale.arguments(),
            runs_target: false,
        };
        let name = format!("locale-{}", locale.name());
        run(&name, format!("locale {}", locale.name()), localedef, None);
    }
    let native = request.native.iter().map(|native| {
        let action = Action::Configure(native.clone());
        ("configure", "configuration of Portage", action)
    });
    let native: Vec<_> = native.collect();
    let last = [
        ("settle", "leftovers are removed", Action::Settle),
        (
            "check",
            "libraries, machines, symlinks, owners",
            Action::Check,
        ),
        (
            "replace",
            "the new root replaces the old one",
            Action::Replace,
        ),
    ];
    for (name, title, action) in native.into_iter().chain(last) {
        steps.push(Step {
            name: name.into(),
            title: title.into(),
            action,
        });
    }
    Ok(with_hooks(steps, context, request))
}

/// Puts the hooks before and after their steps.
fn with_hooks(steps: Vec<Step>, context: &Context, request: &RootRequest) -> Vec<Step> {
    let hook = |when: &str, step: &Step| {
        let path = request.hook(when, &step.name)?;
        let is_replaced = when == "post" && step.action == Action::Replace;
        let root = match is_replaced {
            true => &request.places.root,
            false => &request.places.new,
        };
        let name = format!("{when}-{}", step.name);
        Some(Step {
            title: format!("hook {}", path.display()),
            action: Action::Run {
                command: Command {
                    program: Program::Hook(path),
                    environment: vec![
                        ("ROOT", root.clone().into()),
                        ("SYSROOT", context.own_sysroot().into()),
                        ("CHOST", context.tuple.as_str().into()),
                    ],
                    args: Vec::new(),
                    runs_target: false,
                },
                unless: None,
            },
            name,
        })
    };
    let mut all = Vec::new();
    for step in steps {
        let (before, after) = (hook("pre", &step), hook("post", &step));
        all.extend(before);
        all.push(step);
        all.extend(after);
    }
    all
}

/// Returns whether a repository of the host has the package with the base layout.
fn has_base(context: &Context) -> Result<bool, RootError> {
    let repositories = context.repositories()?;
    let mut all = repositories.iter().flat_map(|it| it.all.iter());
    Ok(all.any(|repository| Path::new(&repository.location).join(BASE).is_dir()))
}

/// Returns the package of the sysroot that has the libc.
pub(super) fn libc(context: &Context) -> Option<String> {
    let names: BTreeSet<String> = LIBCS.map(str::to_owned).into();
    let mut providers = provider::find(context, &names);
    LIBCS
        .iter()
        .find_map(|name| match providers.remove(*name)? {
            Provider::Package(package) => Some(package),
            Provider::File(_) => None,
        })
}

/// Returns the layout of a root: the symlinks that the sysroot has in place of `bin`, `sbin` and library directories,
/// since packages are built for them, and without [`BASE`] the directories of every system.
fn layout(context: &Context, has_base: bool) -> Action {
    let sysroot = context.own_sysroot();
    let (mut directories, mut links) = (Vec::new(), Vec::new());
    let is_place = |name: &OsStr| {
        let name = name.to_string_lossy();
        name == "bin" || name == "sbin" || name.starts_with("lib")
    };
    for below in ["", "usr"] {
        let Ok(entries) = std::fs::read_dir(sysroot.join(below)) else {
            continue;
        };
        let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names.into_iter().filter(|name| is_place(name)) {
            let place = Path::new(below).join(&name);
            let Ok(target) = sysroot.join(&place).read_link() else {
                continue;
            };
            let real = sysroot.join(below).join(&target).canonicalize();
            let real = real.ok().and_then(|real| {
                let top = sysroot.canonicalize().ok()?;
                Some(real.strip_prefix(top).ok()?.to_owned())
            });
            if let Some(real) = real.filter(|_| target.is_relative()) {
                directories.push((real, 0o755));
                links.push((place, target));
            }
        }
    }
    if !has_base {
        directories.extend(DIRECTORIES.map(|(path, mode)| (PathBuf::from(path), mode)));
        links.push(("var/run".into(), "../run".into()));
        links.push(("var/lock".into(), "../run/lock".into()));
    }
    Action::Layout { directories, links }
}

impl Step {
    /// Renders the step as shell commands.
    pub(super) fn to_shell(&self, context: &Context, request: &RootRequest) -> String {
        let quoted = |path: &Path| quote_line(path.as_os_str());
        let places = &request.places;
        let (new, root, old) = (
            quoted(&places.new),
            quoted(&places.root),
            quoted(&places.old()),
        );
        match &self.action {
            Action::Layout { directories, links } => {
                let made = directories.iter().map(|(path, mode)| {
                    let path = quoted(&places.new.join(path));
                    format!("install -d -m {mode:o} {path}\n")
                });
                let made: String = made.collect();
                let links = links.iter().map(|(path, target)| {
                    format!(
                        "ln -s {} {}\n",
                        quoted(target),
                        quoted(&places.new.join(path))
                    )
                });
                format!(
                    "install -d -m 755 {new}\n{made}{}",
                    links.collect::<String>()
                )
            }
            Action::Run { command, unless } => {
                let runs =
                    command.runs_target && context.settings.run_target_programs != Some(false);
                let note = match runs {
                    true => "# as with run_target_programs = true\n",
                    false => "",
                };
                let command = command.to_shell(context);
                match unless {
                    Some(unless) => format!("{note}{} ||\n  {command}\n", unless.to_shell(context)),
                    None => format!("{note}{command}\n"),
                }
            }
            Action::Configure(native) => native.to_shell(&places.new),
            Action::Settle => {
                let keeps = match request.native {
                    Some(_) => String::new(),
                    None => format!("find {new} -name '.keep*' -size 0 -delete\n"),
                };
                format!("{keeps}find {new}/var/cache/edb -mindepth 1 -delete\n")
            }
            Action::Check => format!("crossmerge root check --tuple {} {new}\n", context.tuple),
            Action::Replace => {
                format!("mv {root} {old}\nmv {new} {root}\nrm -r {old}\n")
            }
        }
    }
}
