//! The hosts of distcc: each compiles one object, which is compared with the one of the build machine.

use super::{error::FarmError, problem::setting};
use crate::{context::Context, layer::EngineProblem};
use crossmerge_plan::plan::{Change, Plan};
use crossmerge_system::{elf::ElfHeader, exec::probe::ProbeDirectory, file::read};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The variable with the hosts.
const HOSTS: &str = "DISTCC_HOSTS";

/// A source whose object contains code, and no path.
const SOURCE: &str = "int twice(int number) { return 2 * number; }\n";

/// Texts with which compilers begin their names in `.comment`.
const NAMES: [&[u8]; 2] = [b"GCC: (", b"clang version"];

/// A host, as DISTCC_HOSTS names it.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    /// The compiler in the host's object, or the problem.
    pub(super) answer: Result<String, EngineProblem>,
}

/// Has each host compile an object.
pub(super) fn examine(context: &Context, distcc: &Path) -> Result<Vec<Host>, FarmError> {
    let Some((kind, _)) = context.compiler() else {
        return Err(FarmError::NoCompiler(context.tuple.clone()));
    };
    let trial = Trial {
        probes: ProbeDirectory::new()?,
        distcc: distcc.into(),
        compiler: format!("{}-{}", context.tuple, kind.driver()),
        tuple: context.tuple.as_str(),
    };
    trial.probes.source("twice.c", SOURCE)?;
    let hosts = match context.env.get_name(HOSTS) {
        Some(hosts) => hosts.to_string_lossy().into_owned(),
        None => setting(context, HOSTS)?,
    };
    let names = trial.hosts(&hosts)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ours = trial.own_object()?;
    let names = names.into_iter();
    let examined = names.map(|name| {
        let answer = trial.ask(&name, &ours)?;
        Ok(Host { name, answer })
    });
    examined.collect()
}

/// One examination.
struct Trial<'a> {
    probes: ProbeDirectory,
    distcc: PathBuf,
    compiler: String,
    tuple: &'a str,
}

impl Trial<'_> {
    /// Returns the hosts other than the build machine, as distcc understands the list.
    fn hosts(&self, hosts: &str) -> Result<Vec<String>, FarmError> {
        let mut plan = self.plan(&["--show-hosts"]);
        if !hosts.is_empty() {
            plan.env.insert(HOSTS.into(), Change::Set(hosts.into()));
        }
        let output = self.probes.compile(plan)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_other =
            |host: &&str| !host.is_empty() && host.split('/').next() != Some("localhost");
        Ok(text.lines().filter(is_other).map(Into::into).collect())
    }

    /// Compiles the object on the build machine.
    fn own_object(&self) -> Result<Vec<u8>, FarmError> {
        let out = self.probes.join("ours.o");
        let mut plan = self.compiling(&out);
        let compiler = plan.args.remove(0);
        plan.program = "/usr/bin/env".into();
        plan.args.insert(0, compiler);
        self.probes.compile(plan)?;
        Ok(read::read(&out, read::CONTENTS)?)
    }

    /// Has a host compile the object, and compares it.
    fn ask(&self, host: &str, ours: &[u8]) -> Result<Result<String, EngineProblem>, FarmError> {
        let out = self.probes.join("theirs.o");
        let mut plan = self.compiling(&out);
        for (name, value) in [(HOSTS, host), ("DISTCC_FALLBACK", "0")] {
            plan.env.insert(name.into(), Change::Set(value.into()));
        }
        let output = self.probes.compile(plan)?;
        let machine = host.split([':', '/', ',']).next().unwrap_or(host);
        let theirs = match output.status.success() {
            true => read::read(&out, read::CONTENTS)?,
            false => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Ok(Err(self.refusal(machine, &said)));
            }
        };
        fs_err::remove_file(&out)?;
        Ok(self.compare(machine, ours, &theirs))
    }

    /// Explains why a host compiled nothing.
    fn refusal(&self, machine: &str, said: &str) -> EngineProblem {
        let (compiler, tuple) = (&self.compiler, self.tuple);
        let has = |text: &str| said.contains(text);
        if has("server provided no answer") || has("exit code 110") || has("not in") {
            return EngineProblem {
                message: format!(
                    "its distccd does not run `{compiler}`: the compiler is missing, or the daemon does not allow it"
                ),
                fix: format!(
                    "on {machine}: crossmerge init {tuple} && crossmerge farm enable {tuple} distcc"
                ),
            };
        }
        let last = said.lines().find(|line| line.contains("ERROR"));
        let last = last.and_then(|line| line.split("ERROR: ").nth(1));
        EngineProblem {
            message: format!(
                "no distccd answers: {}",
                last.unwrap_or("it printed no reason")
            ),
            fix: format!("on {machine}: distccd --daemon --allow NETWORK"),
        }
    }

    /// Compares the objects.
    fn compare(&self, machine: &str, ours: &[u8], theirs: &[u8]) -> Result<String, EngineProblem> {
        let (own, other) = (name_in(ours), name_in(theirs));
        let tuple = self.tuple;
        let header = |object: &[u8]| ElfHeader::of(object);
        if header(ours) != header(theirs) {
            return Err(EngineProblem {
                message: format!("its `{}` compiles for another machine", self.compiler),
                fix: format!("on {machine}: crossmerge doctor {tuple}"),
            });
        }
        if own != other {
            return Err(EngineProblem {
                message: format!("its compiler is `{other}`, and the build machine has `{own}`"),
                fix: format!(
                    "install the same compiler on {machine}, or remove {machine} from {HOSTS}"
                ),
            });
        }
        if ours != theirs {
            return Err(EngineProblem {
                message: format!("its `{own}` makes another object: it has other default options"),
                fix: format!(
                    "compare `{} -v` on {machine} and on the build machine",
                    self.compiler
                ),
            });
        }
        Ok(own)
    }

    /// Returns the plan that compiles the source with distcc.
    fn compiling(&self, out: &Path) -> Plan {
        let mut plan = self.plan(&[&self.compiler, "-O2", "-c"]);
        plan.args.push(self.probes.join("twice.c").into());
        plan.args.extend([OsStr::new("-o").to_owned(), out.into()]);
        plan
    }

    /// Returns the plan of distcc with an empty directory for its state.
    fn plan(&self, args: &[&str]) -> Plan {
        let mut plan = Plan {
            program: self.distcc.clone(),
            args: args.iter().map(Into::into).collect(),
            ..Plan::default()
        };
        let state = self.probes.join("").into_os_string();
        plan.env.insert("DISTCC_DIR".into(), Change::Set(state));
        for name in ["DISTCC_LOG", "DISTCC_VERBOSE", "DISTCC_POTENTIAL_HOSTS"] {
            plan.env.insert(name.into(), Change::Unset);
        }
        plan
    }
}

/// Returns the name of the compiler that made an object.
fn name_in(object: &[u8]) -> String {
    let found = NAMES.iter().find_map(|name| {
        let at = object
            .windows(name.len())
            .position(|bytes| bytes == *name)?;
        object[at..].split(|byte| *byte == 0).next()
    });
    let name = String::from_utf8_lossy(found.unwrap_or_default()).into_owned();
    match name.is_empty() {
        true => "a compiler without a name".into(),
        false => name,
    }
}
