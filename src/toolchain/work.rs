//! The work on one toolchain: its plan, what the machine has of it already, and so what is left to do. Changes nothing.

use super::{
    change::{self, Change},
    class::Part,
    error::ToolchainError,
    gcc_stage::is_first_compiler,
    installed::packages,
    machine::{InstalledPackage, Machine},
    plan::ToolchainPlan,
    record::{StepState, ToolchainRecord, hash, hash_of},
    request::ToolchainRequest,
    step::EmergeStep,
};
use crate::{config::Config, context::Context};
use crossmerge_plan::{
    env,
    plan::{Change as Variable, Changes, Plan},
    words::quote,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// Variables of the caller that would make an ebuild build something else.
const UNSET: [env::Variable; 6] = [
    env::CHOST,
    env::CBUILD,
    env::ROOT,
    env::SYSROOT,
    env::ESYSROOT,
    env::ABI,
];

/// The options of emerge by which it builds nothing if the package is installed.
const UPDATE: [&str; 2] = ["-u", "--newuse"];

/// The variables of a step that do not change its result.
const WITHOUT_EFFECT: [&str; 2] = [env::FEATURES.name, "EMERGE_DEFAULT_OPTS"];

/// A toolchain, and what is left to do for it.
#[derive(Debug)]
pub(crate) struct ToolchainWork {
    pub(crate) machine: Machine,
    pub(crate) plan: ToolchainPlan,
    pub(crate) record: ToolchainRecord,
    /// The record on the disk when everything was looked up.
    read: Option<ToolchainRecord>,
    /// The path of the record.
    pub(crate) record_path: PathBuf,
    pub(crate) changes: Vec<Change>,
    /// The version of each step's package, in the order of the steps.
    pub(crate) versions: Vec<String>,
    /// A hash of what each step's result depends on.
    pub(crate) inputs: Vec<String>,
    /// A hash of each step's variables.
    pub(crate) environments: Vec<String>,
    /// Whether each step is done already.
    pub(crate) done: Vec<bool>,
    /// The steps for which Portage must not take a binary package, because it took one of an earlier step.
    pub(crate) from_source: BTreeSet<usize>,
}

impl ToolchainWork {
    /// Looks up everything, and decides what is left to do.
    pub(crate) fn new(
        context: &Context,
        request: &ToolchainRequest,
    ) -> Result<Self, ToolchainError> {
        let asked = request;
        let mut request = asked.clone();
        let machine = Machine::read(context, &mut request)?;
        check_other_compiler(&machine, &request)?;
        let category = request.category();
        let read = ToolchainRecord::read(&context.config, &category)?;
        let mut record = read.clone().unwrap_or_default();
        let family = machine.family.clone();
        let plan = ToolchainPlan::new(
            request,
            &machine.host,
            family.as_deref(),
            &machine,
            &machine,
        )?;
        let changes = Change::list(&plan.files, &record)?;
        change::check(&changes)?;
        let is_built = |name: &str| plan.steps.iter().any(|step| step.package == name);
        let built = { plan.parts.iter().zip(&plan.sources) }
            .filter(|(part, _)| is_built(&part.package.name))
            .map(|(part, directory)| (part, directory.as_path()));
        let newest = Machine::versions(built, &plan.arch)?;
        let versions: Vec<String> = { plan.steps.iter() }
            .map(|step| newest[step.package.as_str()].clone())
            .collect();
        record.request = Some(asked.clone());
        let environments: Vec<String> = { plan.steps.iter() }
            .map(|step| environment_of(step, &plan))
            .collect();
        let steps = plan.steps.iter().zip(&versions).zip(&environments);
        let inputs: Vec<String> = steps
            .map(|((step, version), environment)| inputs_of(step, version, environment, &plan))
            .collect();
        let mut work = Self {
            record_path: ToolchainRecord::path(&context.config, &category),
            done: Vec::new(),
            from_source: BTreeSet::new(),
            machine,
            plan,
            record,
            read,
            changes,
            versions,
            inputs,
            environments,
        };
        work.done = work.done_steps();
        Ok(work)
    }

    /// Returns whether no other run has changed the toolchain since everything was looked up.
    pub(crate) fn is_current(&self, config: &Config) -> Result<bool, ToolchainError> {
        let category = self.plan.request.category();
        Ok(ToolchainRecord::read(config, &category)? == self.read)
    }

    /// Decides which steps are done.
    ///
    /// The last step of a package is done if it was recorded with the same inputs and the package is still installed.
    /// Without a record, as for crossdev's toolchains, the installed version and flags decide. An earlier step of a
    /// package is done with the last one. The steps before there is a libc are done once there is one: a compiler
    /// without libc would replace a complete one.
    fn done_steps(&self) -> Vec<bool> {
        let steps = &self.plan.steps;
        let libc = self
            .plan
            .parts
            .iter()
            .find(|part| part.part == Some(Part::Libc));
        let libc = libc.and_then(|libc| self.machine.installed(&libc.package.name));
        let has_libc = libc.is_some_and(|libc| !libc.flags.contains("headers-only"));
        let is_last = |place: usize| self.is_last(place);
        let of_last: Vec<bool> = (0..steps.len())
            .map(|place| is_last(place) && self.is_installed(place))
            .collect();
        (0..steps.len())
            .map(|place| {
                let same = |other: &usize| steps[*other].package == steps[place].package;
                let last = (place..steps.len()).rfind(same);
                let is_done = last.is_some_and(|last| of_last[last]);
                let is_for_libc = has_libc
                    && !is_last(place)
                    && self.machine.installed(&steps[place].package).is_some();
                is_done || is_for_libc || (!is_last(place) && self.is_recorded(place))
            })
            .collect()
    }

    /// Returns whether no later step builds the same package.
    fn is_last(&self, place: usize) -> bool {
        let package = &self.plan.steps[place].package;
        let mut later = self.plan.steps[place + 1..].iter();
        !later.any(|step| step.package == *package)
    }

    /// Returns whether a step builds a compiler with the libc, and the installed compiler was built without it. Their
    /// USE flags may be the same, and then Portage takes one for the other.
    pub(crate) fn has_first_compiler(&self, place: usize) -> bool {
        let package = &self.plan.steps[place].package;
        let mut earlier = self.plan.steps[..place].iter();
        let compiler = format!("usr/bin/{}-gcc", self.plan.request.tuple);
        self.plan.is(package, Part::Gcc)
            && earlier.any(|step| step.package == *package)
            && is_first_compiler(&self.machine.host.below(&compiler))
    }

    /// Returns whether emerge may install binary packages.
    pub(crate) fn takes_binary_packages(&self) -> bool {
        self.machine.has_binary_packages || self.plan.request.takes_binary_packages()
    }

    /// Returns the options that keep the binary packages of the first compiler apart from those of the complete one, which
    /// have the same name and version.
    fn options_for_packages(&self, place: usize) -> Vec<String> {
        let step = &self.plan.steps[place];
        let is_gcc = self.plan.is(&step.package, Part::Gcc);
        let is_first = is_gcc && !self.is_last(place);
        let makes = self.machine.makes_binary_packages || self.plan.request.makes_binary_packages();
        let mut options = Vec::new();
        if self.takes_binary_packages() {
            options.push(match is_first || self.from_source.contains(&place) {
                true => format!("--usepkg-exclude={}", step.atom),
                false => "--binpkg-respect-use=y".into(),
            });
        }
        if makes && is_first {
            options.push(format!("--buildpkg-exclude={}", step.atom));
        }
        options
    }

    /// Returns whether a step was done with the same inputs, and its package is still installed.
    fn is_recorded(&self, place: usize) -> bool {
        let step = &self.plan.steps[place];
        let installed = self.machine.installed(&step.package);
        let recorded = self.record.step(&step.name);
        recorded.is_some_and(|recorded| {
            recorded.state == StepState::Done
                && recorded.inputs == self.inputs[place]
                && installed.is_some()
        })
    }

    fn is_installed(&self, place: usize) -> bool {
        let step = &self.plan.steps[place];
        let Some(installed) = self.machine.installed(&step.package) else {
            return false;
        };
        match self.record.step(&step.name) {
            Some(_) => self.is_recorded(place),
            None => {
                has_flags(&installed, step)
                    && installed.version == self.versions[place]
                    && !self.has_first_compiler(place)
            }
        }
    }

    /// Returns the steps that must be done before this one. The headers of Linux need no compiler; every other step
    /// needs all steps before it.
    pub(crate) fn needs(&self, place: usize) -> Vec<usize> {
        let package = &self.plan.steps[place].package;
        let has_mig = self
            .plan
            .parts
            .iter()
            .any(|part| part.part == Some(Part::Kernel2));
        let is_alone = self.plan.is(package, Part::Kernel) && !has_mig && !self.plan.request.llvm;
        (0..place)
            .filter(|earlier| !is_alone || self.plan.steps[*earlier].package == *package)
            .collect()
    }

    /// Returns whether the installed package has the right version, and was built with other variables than now.
    /// Portage does not notice that.
    fn is_outdated(&self, place: usize) -> bool {
        let step = &self.plan.steps[place];
        let installed = self.machine.installed(&step.package);
        let installed = installed.filter(|package| package.version == self.versions[place]);
        let (Some(installed), Some(recorded)) = (installed, self.record.step(&step.name)) else {
            return false;
        };
        match recorded.state {
            StepState::Waiting => false,
            StepState::Done => {
                !recorded.environment.is_empty() && recorded.environment != self.environments[place]
            }
            StepState::Begun | StepState::Failed => recorded.build_time == installed.build_time,
        }
    }

    /// Returns a step's call of emerge as a plan.
    pub(crate) fn command(&self, place: usize) -> Plan {
        let step = &self.plan.steps[place];
        let is_outdated = self.is_outdated(place) || self.has_first_compiler(place);
        let mut variables: Changes = UNSET
            .iter()
            .map(|variable| (variable.name.into(), Variable::Unset))
            .collect();
        for (name, value) in &step.environment {
            variables.insert(name.into(), Variable::Set(value.into()));
        }
        if let Some(flags) = &step.flags {
            variables.insert(env::USE.name.into(), Variable::Set(flags.join(" ").into()));
        }
        let options = step.options.iter();
        let options = options.filter(|option| !is_outdated || !UPDATE.contains(&option.as_str()));
        let more = self.options_for_packages(place);
        let args = [&step.atom].into_iter().chain(options).chain(&more);
        Plan {
            program: self.machine.emerge.clone(),
            args: args.map(Into::into).collect(),
            env: variables,
            ..Plan::default()
        }
    }

    /// Returns what is recorded before anything is changed: all files, with those that exist already.
    pub(crate) fn record_of_changes(&self) -> ToolchainRecord {
        let mut record = self.record.clone();
        change::add_to_record(&self.changes, &mut record);
        record
    }

    /// Returns whether the options for emerge make it install nothing.
    pub(crate) fn only_pretends(&self) -> bool {
        let is_short =
            |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('p');
        let mut words = self.plan.request.emerge_options.iter();
        words.any(|word| word == "--pretend" || is_short(word))
    }

    /// Returns a step's name for the user: `gcc 15.3.0, C compiler without libc`.
    pub(crate) fn title(&self, place: usize) -> String {
        let step = &self.plan.steps[place];
        let (package, version) = (&step.package, &self.versions[place]);
        match step.purpose {
            "" => format!("{package} {version}"),
            purpose => format!("{package} {version}, {purpose}"),
        }
    }

    /// Renders the work as comments, diffs and shell commands.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let all = self.plan.steps.len();
        let category = self.plan.request.category();
        let _ = writeln!(
            text,
            "# {category}: {all} steps; the repository is {}",
            self.plan.overlay.repository.path.display()
        );
        for change in &self.changes {
            text.push_str(&change.to_diff());
        }
        for place in 0..all {
            let step = &self.plan.steps[place];
            let _ = write!(text, "\n# {}/{all}  {}", place + 1, self.title(place));
            if self.done[place] {
                text.push_str(": done already\n");
                continue;
            }
            let log = quote(step.log.as_os_str());
            let _ = write!(
                text,
                "\n{} > {log} 2>&1\n",
                self.command(place).to_string().trim_end()
            );
        }
        text
    }

    /// Renders the work as JSON.
    pub(crate) fn to_json(&self) -> String {
        let files: Vec<_> = self
            .changes
            .iter()
            .map(|change| {
                json!({
                    "path": change.path,
                    "changes": change.is_needed(),
                    "diff": change.to_diff(),
                })
            })
            .collect();
        let steps: Vec<_> = (0..self.plan.steps.len())
            .map(|place| {
                let step = &self.plan.steps[place];
                json!({
                    "name": step.name,
                    "package": step.atom,
                    "version": self.versions[place],
                    "purpose": step.purpose,
                    "use": step.flags,
                    "options": step.options,
                    "environment": step.environment,
                    "log": step.log,
                    "done": self.done[place],
                    "needs": self.needs(place).iter().map(|need| &self.plan.steps[*need].name).collect::<Vec<_>>(),
                })
            })
            .collect();
        let value = json!({
            "tuple": self.plan.request.tuple.as_str(),
            "category": self.plan.request.category(),
            "arch": self.plan.arch,
            "stage": self.plan.stage,
            "abis": self.plan.abis.abis,
            "repository": self.plan.overlay.repository.path,
            "files": files,
            "steps": steps,
        });
        format!("{value:#}\n")
    }
}

/// Refuses a second toolchain in the same sysroot: with GCC beside clang's, or with clang beside GCC's.
fn check_other_compiler(
    machine: &Machine,
    request: &ToolchainRequest,
) -> Result<(), ToolchainError> {
    let tuple = request.tuple.clone();
    let other = ToolchainRequest::new(tuple.clone(), !request.llvm).category();
    match packages(&machine.host.below(""), &other)?.is_empty() {
        true => Ok(()),
        false => Err(ToolchainError::OtherCompiler { tuple, other }),
    }
}

/// Returns whether the installed package was built with the step's flags.
fn has_flags(installed: &InstalledPackage, step: &EmergeStep) -> bool {
    // The last mention of a flag decides. Without one, the package is no longer that of a step for the headers.
    let mut wanted = BTreeMap::from([("headers-only", false)]);
    for flag in step.flags.iter().flatten() {
        match flag.strip_prefix('-') {
            Some(flag) => wanted.insert(flag, false),
            None => wanted.insert(flag, true),
        };
    }
    // A flag that the ebuild does not have is in no package's USE.
    let mut known = { wanted.iter() }.filter(|(flag, _)| installed.known_flags.contains(**flag));
    known.all(|(flag, is_on)| installed.flags.contains(*flag) == *is_on)
}

/// Returns a hash of the variables of a step: those of its ebuild's file, and those of the call of emerge.
fn environment_of(step: &EmergeStep, plan: &ToolchainPlan) -> String {
    let file = plan.files.iter().find_map(|(path, wanted)| match wanted {
        super::files::Wanted::Text(text) if is_environment_of(path, &step.package) => Some(text),
        _ => None,
    });
    let mut variables = step.environment.clone();
    variables.retain(|name, _| !WITHOUT_EFFECT.contains(&name.as_str()));
    hash(format!("{file:?} {variables:?}").as_bytes())
}

/// Returns a hash of everything that the result of a step depends on.
fn inputs_of(step: &EmergeStep, version: &str, environment: &str, plan: &ToolchainPlan) -> String {
    let mut parts = plan.parts.iter().zip(&plan.sources);
    let source = parts.find(|(part, _)| part.package.name == step.package);
    let ebuild = format!("{}-{version}.ebuild", step.package);
    let ebuild = source.and_then(|(_, directory)| hash_of(&directory.join(ebuild)));
    let text = format!(
        "{} {:?} {:?} {environment} {ebuild:?}",
        step.atom, step.flags, step.kept_flags
    );
    hash(text.as_bytes())
}

/// Returns whether a file is the environment of a package's ebuild.
fn is_environment_of(path: &Path, package: &str) -> bool {
    path.file_name()
        .is_some_and(|name| name == format!("{package}.conf").as_str())
        && path.components().any(|part| part.as_os_str() == "env")
}
