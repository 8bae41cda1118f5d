//! The link check before the last compiler: GCC may search the libc in a directory in which it is not. The configure scripts
//! of the last compiler's libraries would fail then, with messages that do not name the cause.

use super::{
    class::Part,
    error::{LinkError, ToolchainError},
    work::ToolchainWork,
};
use crossmerge_plan::plan::Plan;
use crossmerge_system::exec;
use std::{ffi::OsString, path::PathBuf, process::Output, time::Duration};

/// The time limit of the compiler.
const LIMIT: Duration = Duration::from_secs(60);

/// The object file with which every program begins.
const START: &str = "crt1.o";

/// The directories of a sysroot in which libraries are.
const LIBRARIES: [&str; 5] = [
    "usr/lib",
    "usr/lib64",
    "usr/lib32",
    "usr/libx32",
    "usr/libo32",
];

/// Links with the installed libc for each ABI, if a step builds the GCC that needs it. Systems other than Linux need further
/// libraries, which differ.
pub(super) fn check(work: &ToolchainWork, place: usize) -> Result<(), ToolchainError> {
    let plan = &work.plan;
    let tuple = &plan.request.tuple;
    let is = |place: usize, part: Part| plan.is(&plan.steps[place].package, part);
    let follows_libc = (0..place).any(|earlier| is(earlier, Part::Libc));
    let follows_gcc = (0..place).any(|earlier| is(earlier, Part::Gcc));
    let is_last_gcc = is(place, Part::Gcc) && follows_gcc && follows_libc;
    if !is_last_gcc || !tuple.as_str().contains("-linux") {
        return Ok(());
    }
    let compiler = Compiler {
        program: work.machine.host.below(&format!("usr/bin/{tuple}-gcc")),
        sysroot: work.machine.host.sysroot(tuple),
    };
    for abi in &plan.abis.abis {
        let flags = plan.abis.variables.get(&format!("CFLAGS_{abi}"));
        let flags: Vec<&str> = flags
            .map_or("", String::as_str)
            .split_whitespace()
            .collect();
        if let Err(printed) = compiler.link(&flags) {
            return Err(Box::new(LinkError {
                tuple: tuple.clone(),
                abi: abi.clone(),
                printed,
                searched: compiler.library_directory(&flags),
                found: compiler.start_file(),
            })
            .into());
        }
    }
    Ok(())
}

/// The first compiler, and the sysroot with the libc.
struct Compiler {
    program: PathBuf,
    sysroot: PathBuf,
}

impl Compiler {
    /// Links an empty file with the start files and the libc. Returns the errors of the linker.
    ///
    /// The file has no `main`, and the first compiler lacks some functions that the libc needs, so unresolved symbols are
    /// no error.
    fn link(&self, flags: &[&str]) -> Result<(), String> {
        let words = [
            "-x",
            "c",
            "/dev/null",
            "-nodefaultlibs",
            "-lc",
            "-Wl,--unresolved-symbols=ignore-all",
            "-o",
            "/dev/null",
        ];
        let output = self.run(flags, &words);
        let Ok(output) = output else { return Ok(()) };
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).trim_end().into()),
        }
    }

    /// Returns the library directory of the sysroot that the compiler searches first.
    fn library_directory(&self, flags: &[&str]) -> PathBuf {
        let output = self.run(flags, &["-print-multi-os-directory"]).ok();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let name = text.unwrap_or_default();
        let name = name.strip_prefix("../").unwrap_or("lib");
        self.sysroot.join("usr").join(name)
    }

    /// Returns the library directory of the sysroot that contains the libc's start file.
    fn start_file(&self) -> Option<PathBuf> {
        let mut directories = LIBRARIES
            .iter()
            .map(|directory| self.sysroot.join(directory));
        directories.find(|directory| directory.join(START).exists())
    }

    fn run(&self, flags: &[&str], words: &[&str]) -> Result<Output, exec::ExecError> {
        let mut sysroot = OsString::from("--sysroot=");
        sysroot.push(&self.sysroot);
        let args = flags.iter().chain(words).map(OsString::from);
        let plan = Plan {
            program: self.program.clone(),
            args: [sysroot].into_iter().chain(args).collect(),
            ..Plan::default()
        };
        exec::run_within(&plan, LIMIT)
    }
}
