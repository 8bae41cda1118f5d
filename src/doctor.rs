//! `doctor`: checks a target, and reports each problem with the command that fixes it.
//!
//! Every check is a function from an `Examination` to a `CheckResult`, and `CHECKS` lists them all. Checks read files
//! and run programs; they write only below a temporary directory. A check that cannot be done is reported as skipped,
//! never as `ok`. A check that depends on a failed one is skipped, so that one cause is reported once. `cli.rs` prints
//! the report.

mod built;
mod environment;
mod examination;
mod farm;
mod finding;
mod flags;
mod linking;
mod links;
mod packages;
mod pkg_config;
mod portage;
mod profile;
mod program;
mod sysroot;
mod toolchain;

use crate::{
    applet::Wrappers,
    config::Config,
    context::Context,
    targets,
    terminal::{HINT, Progress},
};
use crossmerge_plan::{env::Env, tuple::Tuple};
use examination::Examination;
use finding::CheckResult;
pub use finding::{CheckStatus, DoctorError};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fmt::Write as _,
};

/// One check.
#[derive(Debug, Clone, Copy)]
struct Check {
    /// The name, in the report and in `docs/doctor.md`.
    name: &'static str,
    /// The condition that it verifies, as part of a sentence.
    condition: &'static str,
    /// The checks on which it depends. It is skipped if one of them failed or was skipped. Each is above it in the
    /// table.
    needs: &'static [&'static str],
    /// The function that does the check.
    run: fn(&Examination) -> Result<CheckResult, DoctorError>,
}

/// Every check, in the order of the report.
const CHECKS: [Check; 45] = [
    Check {
        name: "tuple",
        condition: "the tuple is not one of the host's own ABIs",
        needs: &[],
        run: portage::tuple,
    },
    Check {
        name: "facts",
        condition: "a CPU family in profiles/ matches the tuple",
        needs: &["tuple"],
        run: sysroot::facts,
    },
    Check {
        name: "environment",
        condition: "no environment variable replaces the target's own settings",
        needs: &["tuple"],
        run: environment::environment,
    },
    Check {
        name: "sysroot",
        condition: "the sysroot is a directory, and not the host's own root",
        needs: &["environment"],
        run: sysroot::sysroot,
    },
    Check {
        name: "init",
        condition: "init has finished, and nothing it wrote is missing or half-made",
        needs: &["sysroot"],
        run: sysroot::init,
    },
    Check {
        name: "leftovers",
        condition: "no temporary file of an interrupted init is left",
        needs: &["init"],
        run: sysroot::leftovers,
    },
    Check {
        name: "updates",
        condition: "no `._cfgNNNN_` file waits to be merged",
        needs: &["init"],
        run: sysroot::updates,
    },
    Check {
        name: "links",
        condition: "every symlink of the target exists and leads to crossmerge",
        needs: &["facts", "sysroot"],
        run: links::links,
    },
    Check {
        name: "path",
        condition: "the symlinks are the first of their names in PATH",
        needs: &["links"],
        run: links::path,
    },
    Check {
        name: "portage",
        condition: "Portage reads the settings of the host and of the target",
        needs: &["init"],
        run: portage::portage,
    },
    Check {
        name: "settings",
        condition: "which settings crossmerge reads itself, and which need portageq",
        needs: &["portage"],
        run: portage::settings,
    },
    Check {
        name: "profile",
        condition: "make.profile leads to a profile",
        needs: &["portage"],
        run: portage::profile,
    },
    Check {
        name: "arch",
        condition: "the profile's ARCH is the tuple's",
        needs: &["facts", "profile"],
        run: portage::arch,
    },
    Check {
        name: "layout",
        condition: "`bin`, `sbin` and `lib` are where the profile expects them",
        needs: &["profile"],
        run: profile::layout,
    },
    Check {
        name: "repositories",
        condition: "the target sees every ebuild repository of the host",
        needs: &["portage"],
        run: portage::repositories,
    },
    Check {
        name: "make.conf",
        condition: "CHOST, CBUILD, ROOT and SYSROOT in the target's make.conf",
        needs: &["portage"],
        run: portage::make_conf,
    },
    Check {
        name: "roots",
        condition: "Portage accepts ROOT and SYSROOT together",
        needs: &["portage", "make.conf"],
        run: portage::roots,
    },
    Check {
        name: "built",
        condition: "the toolchain that crossmerge built is complete",
        needs: &["facts"],
        run: built::built,
    },
    Check {
        name: "compiler",
        condition: "the C compiler exists and starts",
        needs: &["facts", "sysroot"],
        run: toolchain::compiler,
    },
    Check {
        name: "compile",
        condition: "the compiler compiles C to assembly",
        needs: &["compiler"],
        run: toolchain::compile,
    },
    Check {
        name: "assemble",
        condition: "the compiler assembles the result to an object",
        needs: &["compile"],
        run: toolchain::assemble,
    },
    Check {
        name: "machine",
        condition: "the object's machine, byte order and word size are the tuple's",
        needs: &["assemble"],
        run: toolchain::machine,
    },
    Check {
        name: "link",
        condition: "the compiler links an object without any library",
        needs: &["machine"],
        run: toolchain::link,
    },
    Check {
        name: "flags",
        condition: "the compiler accepts the target's CFLAGS and LDFLAGS",
        needs: &["link"],
        run: flags::flags,
    },
    Check {
        name: "abi",
        condition: "the profile's flags produce the compiler's ABI",
        needs: &["link", "profile"],
        run: profile::abi,
    },
    Check {
        name: "float-abi",
        condition: "the float ABI of the compiler's output and of the libc is the tuple's",
        needs: &["link"],
        run: toolchain::float_abi,
    },
    Check {
        name: "search",
        condition: "the compiler's sysroot is the target's",
        needs: &["compile"],
        run: toolchain::search,
    },
    Check {
        name: "libraries",
        condition: "the compiler searches the library directories of the profile",
        needs: &["search"],
        run: profile::libraries,
    },
    Check {
        name: "esysroot",
        condition: "a caller's `--sysroot`, such as ESYSROOT, overrides the compiler's sysroot",
        needs: &["link"],
        run: toolchain::esysroot,
    },
    Check {
        name: "libc",
        condition: "the libc's headers, library and start files are in the sysroot",
        needs: &["float-abi"],
        run: program::libc,
    },
    Check {
        name: "program",
        condition: "a program with the libc compiles and links",
        needs: &["libc"],
        run: program::program,
    },
    Check {
        name: "static",
        condition: "a static program links",
        needs: &["program"],
        run: linking::static_program,
    },
    Check {
        name: "shared",
        condition: "a shared library and a program with it link",
        needs: &["program"],
        run: linking::shared,
    },
    Check {
        name: "c++",
        condition: "a C++ program compiles and links",
        needs: &["program"],
        run: linking::cxx,
    },
    Check {
        name: "farm",
        condition: "ccache, distcc and icecream are set up, if FEATURES contains them",
        needs: &["portage"],
        run: farm::farm,
    },
    Check {
        name: "libc-package",
        condition: "the target's Portage has a package for the libc",
        needs: &["libc", "repositories"],
        run: portage::libc_package,
    },
    Check {
        name: "packages",
        condition: "the target's binary packages are its own, and signed if that is configured",
        needs: &["portage", "make.conf"],
        run: packages::packages,
    },
    Check {
        name: "binrepos",
        condition: "binary packages of other machines are verified, and kept in the sysroot",
        needs: &["portage"],
        run: packages::binrepos,
    },
    Check {
        name: "pkg-config",
        condition: "the real pkg-config puts the sysroot before each path once",
        needs: &["sysroot"],
        run: pkg_config::pkg_config,
    },
    Check {
        name: "config.site",
        condition: "every file in CONFIG_SITE exists",
        needs: &["tuple"],
        run: environment::config_site,
    },
    Check {
        name: "la-files",
        condition: "no libtool file in the sysroot names the host's libraries",
        needs: &["sysroot"],
        run: sysroot::la_files,
    },
    Check {
        name: "config-scripts",
        condition: "no configuration script in the sysroot names the host's directories",
        needs: &["sysroot"],
        run: sysroot::config_scripts,
    },
    Check {
        name: "symlinks",
        condition: "no symlink in the sysroot leads to the host",
        needs: &["sysroot"],
        run: sysroot::symlinks,
    },
    Check {
        name: "qemu",
        condition: "QEMU's emulator for the target is installed",
        needs: &["facts"],
        run: program::qemu,
    },
    Check {
        name: "run",
        condition: "the programs run under QEMU",
        needs: &["program", "static", "shared", "c++", "qemu"],
        run: program::run,
    },
];

/// The checks of the toolchain itself, from an object to programs of every kind.
pub const OF_THE_TOOLCHAIN: [&str; 15] = [
    "compiler",
    "compile",
    "assemble",
    "machine",
    "link",
    "float-abi",
    "search",
    "libraries",
    "libc",
    "program",
    "static",
    "shared",
    "c++",
    "qemu",
    "run",
];

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    tuple: String,
    check: &'static str,
    status: CheckStatus,
    message: String,
    fix: Option<String>,
    #[serde(skip)]
    condition: &'static str,
}

/// The results of all checks of all targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DoctorReport(Vec<Line>);

impl DoctorReport {
    /// Returns whether no target was checked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether there is a warning or an error.
    pub fn has_findings(&self) -> bool {
        self.0.iter().any(Line::is_finding)
    }

    /// Returns whether there is an error.
    pub fn has_errors(&self) -> bool {
        let mut lines = self.0.iter();
        lines.any(|line| line.status == CheckStatus::Error)
    }

    /// Renders the report for a user, with colours: for each target a summary, then its findings with their fixes. With
    /// `verbose`, the other checks are listed between the two.
    pub fn to_text(&self, verbose: bool) -> String {
        let mut text = String::new();
        for lines in self.0.chunk_by(|one, next| one.tuple == next.tuple) {
            text += &summary(lines);
            let (findings, others): (Vec<&Line>, Vec<&Line>) =
                lines.iter().partition(|line| line.is_finding());
            let others = others.into_iter().filter(|_| verbose);
            others
                .chain(findings)
                .for_each(|line| line.write_to(&mut text));
        }
        text
    }
}

/// Renders the first line of a target's part of the report: the number of its checks by status.
fn summary(lines: &[Line]) -> String {
    let count = |status| lines.iter().filter(|line| line.status == status).count();
    let mut counts = vec![format!("{} ok", count(CheckStatus::Ok))];
    for (status, one, many) in [
        (CheckStatus::Warning, "warning", "warnings"),
        (CheckStatus::Error, "error", "errors"),
        (CheckStatus::Skipped, "skipped", "skipped"),
    ] {
        match count(status) {
            0 => {}
            number => {
                let style = status.style();
                let noun = if number == 1 { one } else { many };
                counts.push(format!("{style}{number} {noun}{style:#}"));
            }
        }
    }
    let tuple = lines.first().map_or("", |line| &line.tuple);
    format!("{tuple}: {}\n", counts.join(", "))
}

impl Line {
    fn is_finding(&self) -> bool {
        matches!(self.status, CheckStatus::Warning | CheckStatus::Error)
    }

    fn write_to(&self, text: &mut String) {
        let width = CHECKS.iter().map(|check| check.name.len()).max();
        let width = width.unwrap_or(0);
        let style = self.status.style();
        let status = self.status.as_str();
        let head = format!("{style}{status:7}{style:#}  {:width$}", self.check);
        let Self {
            condition, message, ..
        } = self;
        let _ = match &self.fix {
            Some(fix) => writeln!(
                text,
                "  {head}  {condition}\n           {}\n           {HINT}hint:{HINT:#} {fix}",
                message.replace('\n', "\n           ")
            ),
            None if message.is_empty() => writeln!(text, "  {head}  {condition}"),
            None => writeln!(text, "  {head}  {condition} ({message})"),
        };
    }
}

/// Lists the names of all checks, in the order of the report.
pub fn check_names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

/// Returns the named checks and those on which they depend; all checks if none is named.
fn wanted(names: &[String]) -> BTreeSet<&'static str> {
    let mut wanted = BTreeSet::new();
    // Each check is below those that it depends on, so one pass from the end is enough.
    for check in CHECKS.iter().rev() {
        let is_named = names.is_empty() || names.iter().any(|name| name == check.name);
        if is_named || wanted.contains(check.name) {
            wanted.insert(check.name);
            wanted.extend(check.needs);
        }
    }
    wanted
}

/// Checks the given targets, or all initialised targets if none is given. `checks` names the checks to report. If it is
/// empty, all are reported. The checks that they depend on are done, but not reported.
pub fn examine(
    env: &Env,
    config: &Config,
    wrappers: &Wrappers,
    argv0: &OsStr,
    tuples: &[Tuple],
    checks: &[String],
) -> Result<DoctorReport, DoctorError> {
    let mut tuples = tuples.to_vec();
    if tuples.is_empty() {
        let initialised = targets::targets(env, config)?;
        tuples.extend(initialised.iter().filter_map(|t| t.tuple.parse().ok()));
    }
    let mut lines = Vec::new();
    let wanted = wanted(checks);
    let progress = Progress::of("checking", tuples.len() * wanted.len());
    for tuple in tuples {
        let context = Context::new(env.clone(), config.clone(), tuple)?;
        let exam = Examination::new(&context, wrappers, argv0)?;
        lines.extend(examine_one(&exam, &wanted, &progress)?);
    }
    lines.retain(|line| checks.is_empty() || checks.iter().any(|name| name == line.check));
    Ok(DoctorReport(lines))
}

fn examine_one(
    exam: &Examination,
    wanted: &BTreeSet<&str>,
    progress: &Progress,
) -> Result<Vec<Line>, DoctorError> {
    let mut so_far: BTreeMap<&str, (CheckStatus, bool)> = BTreeMap::new();
    let mut lines = Vec::new();
    for check in CHECKS.iter().filter(|check| wanted.contains(check.name)) {
        let lacking = check.needs.iter().find_map(|need| match so_far.get(need) {
            Some((_, true)) => None,
            Some((CheckStatus::Error, _)) => Some(format!("`{need}` failed")),
            _ => Some(format!("`{need}` was skipped")),
        });
        let finding = match lacking {
            Some(reason) => CheckResult::skipped(reason),
            None => (check.run)(exam)?,
        };
        progress.step();
        so_far.insert(check.name, (finding.status, finding.lets_dependents_run));
        lines.push(Line {
            tuple: exam.context.tuple.to_string(),
            check: check.name,
            status: finding.status,
            message: finding.message,
            fix: finding.fix,
            condition: check.condition,
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_needs_only_checks_above_it() {
        for (number, check) in CHECKS.iter().enumerate() {
            for need in check.needs {
                let above = CHECKS[..number].iter().any(|above| above.name == *need);
                assert!(above, "`{}` needs `{need}`", check.name);
            }
        }
    }

    #[test]
    fn the_guide_lists_the_checks_as_the_table_has_them() {
        let rows: Vec<Vec<&str>> = include_str!("../docs/doctor.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|line| line.trim_end_matches(" |").splitn(3, " | ").collect())
            .collect();
        for (check, row) in CHECKS.iter().zip(&rows) {
            assert_eq!(row[0], format!("{}`", check.name));
            assert_eq!(row[1], check.condition, "{}", check.name);
            assert!(row[2].ends_with('.'), "a sentence: {row:?}");
        }
        assert_eq!(rows.len(), CHECKS.len());
    }
}
