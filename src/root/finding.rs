//! The findings of a check, as text and as JSON.

use crate::terminal::{ERROR, HINT, WARNING};
use crossmerge_plan::{report::counted, shown};
use serde::Serialize;
use std::fmt::Write as _;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something in the root does not work.
    Error,
    /// Something that does not belong there, or cannot be known.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The name of the check.
    pub(crate) check: &'static str,
    /// The path in the root, beginning with a slash.
    pub(crate) path: String,
    /// The package that owns the path.
    pub(crate) package: Option<String>,
    pub(crate) message: String,
    /// The command that fixes it.
    pub(crate) fix: String,
}

/// The result of a check.
#[derive(Debug, Serialize)]
pub(crate) struct RootReport {
    pub(crate) tuple: String,
    pub(crate) root: String,
    /// The number of ELF files.
    pub(crate) elf_files: usize,
    /// The number of entries.
    pub(crate) entries: usize,
    pub(crate) packages: usize,
    pub(crate) findings: Vec<Finding>,
}

impl RootReport {
    /// Returns whether anything was found.
    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// Returns the number of findings of a severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings.filter(|it| it.severity == severity).count()
    }

    /// Renders the report as doctor renders its own.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!(
            "{} ({}): {}, {} ELF, {}",
            shown::lines(&self.root),
            self.tuple,
            counted(self.packages, "package"),
            self.elf_files,
            counted(self.entries, "path"),
        );
        for (severity, noun, style) in [
            (Severity::Error, "error", ERROR),
            (Severity::Warning, "warning", WARNING),
        ] {
            match self.count(severity) {
                0 => {}
                number => {
                    let _ = write!(text, ", {style}{}{style:#}", counted(number, noun));
                }
            }
        }
        text.push_str(if self.has_findings() { "\n" } else { ": ok\n" });
        let width = self.findings.iter().map(|it| it.check.len()).max();
        let width = width.unwrap_or(0);
        for finding in &self.findings {
            let (style, severity) = match finding.severity {
                Severity::Error => (ERROR, "error"),
                Severity::Warning => (WARNING, "warning"),
            };
            let owner = finding.package.as_ref();
            let owner = owner.map_or(String::new(), |package| format!(" ({package})"));
            let _ = writeln!(
                text,
                "  {style}{severity:7}{style:#}  {:width$}  {}{}\n           {}\n           {HINT}hint:{HINT:#} {}",
                finding.check,
                shown::lines(&finding.path),
                shown::lines(&owner),
                shown::lines(&finding.message),
                shown::lines(&finding.fix),
            );
        }
        text
    }

    /// Renders the report as a JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data") + "\n"
    }
}
