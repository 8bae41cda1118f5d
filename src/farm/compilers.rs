//! `farm enable` and `farm disable`: symlinks from the compilers' names to the engines, and a block in the target's
//! make.conf.

use super::{error::FarmError, links::FarmRecord};
use crate::{
    context::Context,
    distribution::Distribution,
    init::{FileChange, block, change_files, etc_portage},
    layer::{Engine, engines_in},
};
use crossmerge_system::file::read;
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The name of the block in make.conf.
const BLOCK: &str = "farm compilers";

/// The arguments of `farm enable` and `farm disable`.
#[derive(Debug)]
pub(crate) struct CompilerRequest {
    /// The engines; all that are meant if there are none.
    pub(crate) engines: Vec<Engine>,
    /// The value of CCACHE_DIR.
    pub(crate) ccache_dir: Option<String>,
    /// The value of DISTCC_HOSTS.
    pub(crate) hosts: Option<String>,
    /// Whether to print the changes only.
    pub(crate) dry_run: bool,
}

/// The settings in the block.
#[derive(Debug, Default)]
struct Settings {
    engines: BTreeSet<Engine>,
    ccache_dir: Option<String>,
    hosts: Option<String>,
}

impl CompilerRequest {
    /// Adds the engines. Returns a line for each change.
    pub(crate) fn enable(&self, context: &Context) -> Result<String, FarmError> {
        let values = [
            ("CCACHE_DIR", &self.ccache_dir),
            ("DISTCC_HOSTS", &self.hosts),
        ];
        for (name, value) in values {
            check(name, value.as_deref().unwrap_or_default())?;
        }
        let make_conf = etc_portage(context)?.join("make.conf");
        let mut settings = Settings::read(&make_conf);
        let mut record = FarmRecord::read(context)?;
        let mut programs = Vec::new();
        for &engine in &self.engines {
            let program = context.find_program(OsStr::new(engine.program()));
            let program = program.map_err(|_| FarmError::NotInstalled {
                program: engine.program(),
                install: Distribution::of(&context.env, &context.config.broot)
                    .install(engine.program()),
            })?;
            let links = engine.links(context)?;
            if links.is_empty() {
                return Err(FarmError::NoCompiler(context.tuple.clone()));
            }
            programs.push((links, program));
        }
        settings.engines.extend(&self.engines);
        settings.ccache_dir = self.ccache_dir.clone().or(settings.ccache_dir);
        settings.hosts = self.hosts.clone().or(settings.hosts);
        // The links come first: without them, FEATURES would have no effect.
        let mut text = String::new();
        for (links, program) in &programs {
            text.push_str(&record.make(context, links, program, self.dry_run)?);
        }
        text.push_str(&change_files(
            context,
            &[settings.change(make_conf)],
            self.dry_run,
        )?);
        Ok(text)
    }

    /// Takes the engines away; without any, all. Returns a line for each change.
    pub(crate) fn disable(&self, context: &Context) -> Result<String, FarmError> {
        let make_conf = etc_portage(context)?.join("make.conf");
        let mut settings = Settings::read(&make_conf);
        let mut record = FarmRecord::read(context)?;
        let gone = match self.engines.as_slice() {
            [] => &Engine::ALL,
            engines => engines,
        };
        settings.engines.retain(|engine| !gone.contains(engine));
        let mut text = change_files(context, &[settings.change(make_conf)], self.dry_run)?;
        let directories = gone.iter().map(|engine| engine.directory(context));
        let directories = directories.collect::<Result<Vec<_>, _>>()?;
        text.push_str(&record.remove(context, &directories, self.dry_run)?);
        Ok(text)
    }
}

/// Removes all symlinks that `farm enable` made for a target, whose make.conf `remove` handles.
pub(crate) fn remove_links(context: &Context, dry_run: bool) -> Result<String, FarmError> {
    let mut record = FarmRecord::read(context)?;
    record.remove(context, &record.all_directories(), dry_run)
}

impl Settings {
    /// Reads the block of a make.conf. There are no settings without it.
    fn read(make_conf: &Path) -> Self {
        let text = read::read_to_string(make_conf, read::SETTINGS).unwrap_or_default();
        let lines = block::lines_of(&text, BLOCK).unwrap_or_default();
        let value = |name: &str| {
            let mut lines = lines.lines().filter_map(|line| line.strip_prefix(name));
            lines.find_map(|rest| Some(rest.strip_prefix("=\"")?.strip_suffix('"')?.to_owned()))
        };
        Self {
            engines: engines_in(&value("FEATURES").unwrap_or_default()).collect(),
            ccache_dir: value("CCACHE_DIR"),
            hosts: value("DISTCC_HOSTS"),
        }
    }

    /// Returns the change that writes the block, or removes it if no engine is left.
    fn change(&self, file: PathBuf) -> FileChange {
        let has = |engine| self.engines.contains(&engine);
        let features: Vec<&str> = self.engines.iter().map(|engine| engine.feature()).collect();
        let mut lines = format!("FEATURES=\"${{FEATURES}} {}\"\n", features.join(" "));
        let values = [
            ("CCACHE_DIR", &self.ccache_dir, has(Engine::Ccache)),
            ("DISTCC_HOSTS", &self.hosts, has(Engine::Distcc)),
        ];
        for (name, value, is_used) in values {
            if let (Some(value), true) = (value, is_used) {
                lines.push_str(&format!("{name}=\"{value}\"\n"));
            }
        }
        FileChange::Block {
            file,
            name: BLOCK.into(),
            lines: (!features.is_empty()).then_some(lines),
        }
    }
}

/// Refuses a value that make.conf would change.
fn check(name: &'static str, value: &str) -> Result<(), FarmError> {
    match value.contains(['"', '\\', '$', '`', '\n']) {
        true => Err(FarmError::Value {
            name,
            value: value.into(),
        }),
        false => Ok(()),
    }
}
