//! The check of the real pkg-config, by its output: version numbers do not show how it behaves (pkgconf issue 571).

use super::{
    examination::{Examination, complaint, trimmed},
    finding::{CheckResult, DoctorError},
    program::install,
};
use crate::{applet::AppletError, call::Call, context::ContextError};
use crossmerge_plan::{env, plan::Change, words::quote};
use crossmerge_system::exec;
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// A package with paths of the target, and one path that already contains the sysroot.
const PACKAGE: &str = "\
prefix=/usr
includedir=${prefix}/include/crossmerge-probe
Name: crossmerge-probe
Description: a probe
Version: 1
Cflags: -I${includedir} -I${pc_sysrootdir}/usr/include/crossmerge-spelt
Libs: -L/opt/crossmerge-probe
";

/// Names under which a pkg-config may be installed.
const NAMES: [&str; 3] = ["pkgconf", "pkg-config", "pkgconf3"];

pub(super) fn pkg_config(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let sysroot = exam.sysroot.to_string_lossy();
    if sysroot.contains(char::is_whitespace) {
        // pkg-config separates flags by spaces, and build systems do not remove quotes from them.
        let plain = sysroot.replace(char::is_whitespace, "-");
        let quoted = |path: &str| quote(OsStr::new(path));
        let (from, to) = (quoted(&sysroot), quoted(&plain));
        let message = format!(
            "pkg-config cannot print flags with a sysroot that has white space in its path, `{sysroot}`"
        );
        let init = exam.init();
        return Ok(CheckResult::error(
            message,
            format!("mv {from} {to} && {init} --sysroot {to}"),
        ));
    }
    let wrong = match ask(exam, None)? {
        Ok(()) => return Ok(CheckResult::ok("")),
        Err(wrong) => wrong,
    };
    if exam.context.env.get(env::REAL_PKG_CONFIG).is_some() {
        let message = format!("REAL_PKG_CONFIG in the environment: {wrong}");
        return Ok(CheckResult::error(message, "unset REAL_PKG_CONFIG"));
    }
    for directory in exam.context.path() {
        for name in NAMES {
            let Ok(path) = exam.context.find_program(directory.join(name).as_os_str()) else {
                continue;
            };
            if ask(exam, Some(&path))?.is_ok() {
                let fix = format!("export REAL_PKG_CONFIG={}", quote(path.as_os_str()));
                return Ok(CheckResult::error(wrong, fix));
            }
        }
    }
    let fix = install(exam, "dev-util/pkgconf", "pkg-config");
    Ok(CheckResult::error(wrong, fix))
}

/// Runs pkg-config on a package in the temporary directory, as `<tuple>-pkg-config` would. The inner error states what
/// is wrong with the output.
fn ask(exam: &Examination, real: Option<&PathBuf>) -> Result<Result<(), String>, DoctorError> {
    let directory = exam.scratch("pkgconfig");
    fs_err::create_dir_all(&directory)?;
    fs_err::write(directory.join("crossmerge-probe.pc"), PACKAGE)?;
    let args = |args: &[&str]| -> Vec<OsString> { args.iter().map(Into::into).collect() };
    let paths = args(&["--cflags", "--libs", "crossmerge-probe"]);
    let variable = args(&["--variable=includedir", "crossmerge-probe"]);
    let mut plan = match exam
        .wrappers
        .plan("pkg-config", &Call::new(exam.context), paths)
    {
        Err(AppletError::Context(e @ ContextError::Search(_))) if real.is_none() => {
            return Ok(Err(e.to_string()));
        }
        plan => plan?,
    };
    if let Some(real) = real {
        plan.program = real.clone();
    }
    let sysroot = match plan.env.get(OsStr::new(env::PKG_CONFIG_SYSROOT_DIR.name)) {
        Some(Change::Set(sysroot)) => sysroot.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let libdir = (
        env::PKG_CONFIG_LIBDIR.name.into(),
        Change::Set(directory.into()),
    );
    plan.env.extend([libdir]);
    let program = plan.program.display().to_string();
    let mut of_variable = plan.clone();
    of_variable.args = variable;
    let outputs = match exec::query(&[plan, of_variable]) {
        Ok(outputs) => outputs,
        Err(e) => return Ok(Err(e.to_string())),
    };
    if let Some(output) = outputs.iter().find(|output| !output.status.success()) {
        return Ok(Err(format!("`{program}` fails: {}", complaint(output))));
    }
    let printed: String = outputs
        .iter()
        .map(|output| trimmed(&output.stdout) + " ")
        .collect();
    let printed = printed.trim_end();
    let words: Vec<&str> = printed.split_whitespace().collect();
    // pkg-config adds no sysroot to a variable: the package's user adds it.
    let wanted = [
        format!("-I{sysroot}/usr/include/crossmerge-probe"),
        format!("-I{sysroot}/usr/include/crossmerge-spelt"),
        format!("-L{sysroot}/opt/crossmerge-probe"),
        "/usr/include/crossmerge-probe".into(),
    ];
    Ok(match words == wanted {
        true => Ok(()),
        false => Err(format!(
            "`{program}` must put the sysroot before the path of each flag, once, and before no variable: it prints `{printed}` instead of `{}`",
            wanted.join(" ")
        )),
    })
}
