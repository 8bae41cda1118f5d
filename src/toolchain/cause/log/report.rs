//! The lines with which make, ninja and Portage report a failure, and those that name a package or a directory.

use crate::toolchain::cause::{
    form::{Weight, configure_error},
    place::{Package, Phase},
};

/// What make or ninja reports about a command.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) number: usize,
    /// The number in `make[2]`. It is 0 for `make`.
    pub(super) level: usize,
    pub(super) kind: Kind,
    /// The file name of the target without its extension. Empty if the line does not name it.
    pub(super) stem: String,
    /// The weight of the line as an error. `None` if it only reports the command's exit code.
    pub(super) weight: Option<Weight>,
}

/// The kinds of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `*** [target] Error N`
    Failed,
    /// `*** Waiting for unfinished jobs....`
    Waiting,
    /// `[target] Error N (ignored)`
    Ignored,
    /// ninja's `FAILED: target`
    Ninja,
}

impl Report {
    /// Reads a line with plain quotes.
    pub(super) fn of(number: usize, line: &str) -> Option<Self> {
        if let Some(target) = line.strip_prefix("FAILED: ") {
            let target = target.split(' ').next().unwrap_or_default();
            return Some(Self {
                number,
                level: 0,
                kind: Kind::Ninja,
                stem: stem(target).to_owned(),
                weight: None,
            });
        }
        let (level, text) = level(line)?;
        let (kind, text) = match text.strip_prefix("*** ") {
            Some(text) if text.starts_with("Waiting for unfinished jobs") => (Kind::Waiting, text),
            Some(text) => (Kind::Failed, text),
            None if text.ends_with(" (ignored)") && text.starts_with('[') => (Kind::Ignored, text),
            None => return None,
        };
        // make 4 and later: `[Makefile:12: target] Error 1`.
        let (target, result) = text
            .strip_prefix('[')
            .and_then(|text| text.rsplit_once("] "))
            .unwrap_or_default();
        let target = target.rsplit(": ").next().unwrap_or_default();
        let weight = match (kind, result) {
            (Kind::Failed, "Killed") => Some(Weight::Strong),
            (Kind::Failed, result) if result.starts_with("Segmentation fault") => {
                Some(Weight::Strong)
            }
            // The report is the error itself: `*** No rule to make target`, `*** missing separator.  Stop.`
            (Kind::Failed, "") if text.contains("Stop.") => Some(Weight::Strong),
            _ => None,
        };
        Some(Self {
            number,
            level,
            kind,
            stem: stem(target).to_owned(),
            weight,
        })
    }
}

/// Returns the level and the text of a line of make. A line about a Makefile begins with its name instead:
/// `Makefile:12: *** missing separator.  Stop.`
fn level(line: &str) -> Option<(usize, &str)> {
    let (program, text) = line.split_once(": ")?;
    let program = program.strip_prefix('g').unwrap_or(program);
    match program.strip_prefix("make") {
        Some("") => Some((0, text)),
        Some(level) => {
            let level = level.strip_prefix('[')?.strip_suffix(']')?;
            Some((level.parse().ok()?, text))
        }
        None if text.starts_with("*** ") && text.ends_with("Stop.") => Some((0, text)),
        None => None,
    }
}

/// Returns the file name of a path without its extension.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.split_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Reads the head of the message of `die`: ` * ERROR: category/name-1::repository failed (compile phase):`. Portage's checks
/// of what was installed name no phase.
pub(super) fn died(line: &str) -> Option<(Package, Option<Phase>)> {
    let (package, rest) = line.strip_prefix(" * ERROR: ")?.split_once(" failed")?;
    let phase = match rest.strip_prefix(" (") {
        Some(rest) => Some(Phase::of(rest.split_once(" phase)")?.0)),
        None if rest == ":" => None,
        None => return None,
    };
    Some((Package::of(package)?, phase))
}

/// Returns the package that a line of Portage begins or ends.
pub(super) fn package(line: &str) -> Option<Package> {
    let rest = line.strip_prefix(">>> ")?;
    let name = match rest.strip_prefix("Failed to emerge ") {
        Some(rest) => rest.split([' ', ',']).next()?,
        None => {
            let starts = ["Emerging (", "Emerging binary (", "Installing ("];
            starts.iter().find(|start| rest.starts_with(**start))?;
            let name = rest.split_once(") ")?.1;
            name.split(' ').next()?
        }
    };
    Package::of(name)
}

/// Returns the directory that a configure script names before its error. The line has plain quotes.
pub(super) fn directory(line: &str) -> Option<&str> {
    let directory = configure_error(line)?.strip_prefix("in '")?;
    directory.strip_suffix("':")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This is a table: one row for each line.
    #[test]
    fn a_report_has_its_level_and_its_target() {
        for (line, wanted) in [
            ("make: *** [all] Error 2", Some((0, Kind::Failed, "all"))),
            (
                "gmake[3]: *** [Makefile:12: lib/a.lo] Error 1",
                Some((3, Kind::Failed, "a")),
            ),
            (
                "make[1]: *** [x:1: insn-recog.o] Killed",
                Some((1, Kind::Failed, "insn-recog")),
            ),
            (
                "make[1]: *** Waiting for unfinished jobs....",
                Some((1, Kind::Waiting, "")),
            ),
            (
                "make[2]: [Makefile:3: probe] Error 1 (ignored)",
                Some((2, Kind::Ignored, "probe")),
            ),
            (
                "Makefile:3: *** missing separator.  Stop.",
                Some((0, Kind::Failed, "")),
            ),
            (
                "make: *** No rule to make target 'x'.  Stop.",
                Some((0, Kind::Failed, "")),
            ),
            ("FAILED: a/b.c.o ", Some((0, Kind::Ninja, "b"))),
            ("make[1]: Entering directory '/x'", None),
            ("remake: *** [all] Error 2", None),
            ("make[1]: makeinfo: No such file or directory", None),
        ] {
            let report = Report::of(1, line);
            let found = { report.as_ref() }.map(|one| (one.level, one.kind, one.stem.as_str()));
            assert_eq!(found, wanted, "{line}");
        }
    }

    #[test]
    fn a_package_has_its_name_and_its_version() {
        let package = |line: &str| package(line).map(|package| package.to_string());
        for (line, wanted) in [
            (
                ">>> Emerging (1 of 2) cross-x/gcc-12.2.0-r1::gentoo",
                "cross-x/gcc-12.2.0-r1",
            ),
            (
                ">>> Emerging (1 of 1) sys-libs/musl-1.2.3::x for /usr/y/",
                "sys-libs/musl-1.2.3",
            ),
            (
                ">>> Failed to emerge cross-x/linux-headers-6.1, Log file:",
                "cross-x/linux-headers-6.1",
            ),
        ] {
            assert_eq!(package(line).as_deref(), Some(wanted), "{line}");
        }
        let (package, phase) =
            died(" * ERROR: cross-x/gcc-12::r failed (compile phase):").expect("die");
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("gcc", "12")
        );
        assert_eq!(phase, Some(Phase::Compile));
    }
}
