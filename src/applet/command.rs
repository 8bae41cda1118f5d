//! The command line of an applet: the caller's, the target's, the configuration's or the wrapper's own. Placeholders
//! are filled in, and options that the caller also gave are omitted.

use super::{cache_marker, error::AppletError, wrapper::Wrapper};
use crate::{
    call::Call,
    context::Context,
    export::{self, Facts, Flags, Format},
    layer::{Prepared, Variant, Variants},
    libraries,
};
use crossmerge_plan::{
    glob,
    plan::{File, Plan},
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

/// The beginning of a placeholder for a kept file: `{file:cmake}`.
const FILE: &str = "{file:";

/// The characters between the words of a command, as in a shell.
const BLANKS: [char; 3] = [' ', '\t', '\n'];

/// The placeholder for the caller's arguments.
const ARGS: &str = "{args}";

/// The placeholder for a library directory that the adopted compiler searches: `-L{libdir}`. The argument is repeated
/// for each.
const LIBDIR: &str = "{libdir}";

/// The placeholder for a directory of symlinks to start files: `-B{start-files}`. The argument is repeated for each.
const START_FILES: &str = "{start-files}";

/// The placeholder for options by which a compiler cache notices another compiler: see `cache_marker.rs`.
const CACHE_MARKER: &str = "{cache-marker}";

/// A complete command line.
#[derive(Debug, Default)]
pub(super) struct CommandLine {
    /// The program and crossmerge's arguments.
    pub(super) words: Vec<OsString>,
    /// The caller's arguments.
    pub(super) rest: Vec<OsString>,
    /// crossmerge's arguments that follow the caller's.
    pub(super) after: Vec<OsString>,
    /// The files that crossmerge's arguments name.
    pub(super) files: Vec<File>,
    /// The parts of these files that depend on a trial.
    pub(super) variants: Vec<Variants>,
}

impl CommandLine {
    /// Makes the command line of the caller's arguments, or an empty one.
    pub(super) fn of_caller(args: Vec<OsString>) -> Self {
        let mut args = args.into_iter();
        Self {
            words: args.next().into_iter().collect(),
            rest: args.collect(),
            after: Vec::new(),
            files: Vec::new(),
            variants: Vec::new(),
        }
    }

    /// Returns the arguments of the program, as it gets them.
    pub(super) fn args(&self) -> impl Iterator<Item = &OsString> {
        let words = self.words.iter().skip(1);
        words.chain(&self.rest).chain(&self.after)
    }

    /// Finds the program, and makes the plan with what the layers have prepared.
    pub(super) fn into_plan(
        mut self,
        wrapper: &Wrapper,
        tool: Option<&str>,
        call: &Call,
        mut prepared: Prepared,
    ) -> Result<Plan, AppletError> {
        let context = call.context;
        prepared.files.extend(self.files);
        prepared.variants.extend(self.variants);
        // Without a command, the plan is the environment; `env` without arguments prints it.
        if self.words.is_empty() {
            self.words.push("env".into());
        }
        let program = self.words.remove(0);
        let program = match (tool, &wrapper.command) {
            // An adopted tool has an absolute path already.
            (Some(_), _) => program.into(),
            (None, Some(command)) => match wrapper.preferred(command, &program, context) {
                Some(preferred) => preferred,
                None => context.find_program(&program)?,
            },
            (None, None) => context.find_command(&program)?,
        };
        let plan = Plan {
            program,
            args: self
                .words
                .into_iter()
                .chain(self.rest)
                .chain(self.after)
                .collect(),
            ..Plan::default()
        };
        Ok(prepared.complete(plan))
    }
}

impl Wrapper {
    /// Makes the command line: the program and options of the environment, else of the target's file, else of the
    /// configuration, else of the wrapper; the caller's arguments; and the files that the options name.
    pub(super) fn command_line(
        &self,
        name: &str,
        command: &str,
        call: &Call,
        mut args: Vec<OsString>,
        tool: Option<&str>,
    ) -> Result<CommandLine, AppletError> {
        let mut words = self.words(name, command, call.context, &args, tool)?;
        let (mut files, mut variants) = (Vec::new(), Vec::new());
        let mut after = Vec::new();
        if let Some(at) = words.iter().position(|word| word == ARGS) {
            after = words.split_off(at).split_off(1);
        }
        if self.is_bare(&args) {
            words.truncate(1);
            after.clear();
        } else if !self.bare_with.is_empty()
            && let (Some(ours), Some(theirs)) = (words.get(1), args.first())
            && ours == theirs
        {
            // The caller also gave the subcommand.
            args.remove(0);
        }
        if let Some(at) = after.iter().position(|word| word == CACHE_MARKER) {
            let header = cache_marker::header(call, &args);
            let include = header.iter();
            let include = include.flat_map(|file| ["-include".into(), file.path.clone().into()]);
            after.splice(at..=at, include.collect::<Vec<OsString>>());
            files.extend(header);
        }
        let is_omitted = |arg: &OsString| {
            let arg = arg.to_string_lossy();
            self.omits.iter().any(|glob| glob::matches(glob, &arg))
        };
        args.retain(|arg| !is_omitted(arg));
        for word in &mut words {
            *word = place_file(word, call, &mut files, &mut variants)?;
        }
        Ok(CommandLine {
            words,
            rest: args,
            after,
            files,
            variants,
        })
    }

    /// Returns whether the caller's arguments ask for something to which crossmerge's arguments do not apply.
    fn is_bare(&self, args: &[OsString]) -> bool {
        let is_one = |(at, arg): (usize, &OsString)| {
            let arg = arg.to_string_lossy();
            (at == 0 || arg.starts_with('-'))
                && self.bare_with.iter().any(|glob| glob::matches(glob, &arg))
        };
        !self.bare_with.is_empty() && (args.is_empty() || args.iter().enumerate().any(is_one))
    }

    fn words(
        &self,
        name: &str,
        command: &str,
        context: &Context,
        args: &[OsString],
        tool: Option<&str>,
    ) -> Result<Vec<OsString>, AppletError> {
        let variable = self.override_variable.as_deref().unwrap_or_default();
        if let Some(value) = context.env.get_name(variable).filter(|v| !v.is_empty()) {
            let words = split(&format!("{variable} in the environment"), value)?;
            return Ok(words.into_iter().map(Into::into).collect());
        }
        let configured = context
            .settings
            .commands
            .get(name)
            .or(context.config.commands.get(name));
        let from = format!("the command of `{name}`");
        let words = split(&from, configured.map_or(command, String::as_str).as_ref())?;
        let theirs = self.caller_options(context, args)?;
        let yields = self
            .yields_to
            .iter()
            .any(|option| theirs.iter().any(|arg| is_option(arg, option)));
        let stays = |word: &&String| {
            let option = word.split('=').next().unwrap_or(word);
            // A tool reads crossmerge's file in addition to the caller's, which comes later.
            let is_given = word.starts_with("--")
                && !word.contains(FILE)
                && theirs.iter().any(|arg| is_option(arg, option));
            !(is_given || yields && word.starts_with('-'))
        };
        // If a compiler's caller names another sysroot, crossmerge's options are for that one.
        let named = sysroot_among(args);
        if tool.is_some() && named.is_none() {
            context.check_chosen_sysroot()?;
        }
        let sysroot = named.map_or_else(|| context.sysroot(), PathBuf::from);
        let mut of_tool: Vec<OsString> = Vec::new();
        if let (Some(tool), Some(toolchain)) = (tool, &context.settings.toolchain) {
            of_tool.push(toolchain.tool(tool).into());
            of_tool.extend(toolchain.subcommand(tool).map(Into::into));
        }
        let fill = |word: String| {
            let word = fill(word.as_ref(), "{tuple}", OsStr::new(context.tuple.as_str()));
            fill(&word, "{sysroot}", sysroot.as_os_str())
        };
        let options = context
            .settings
            .toolchain
            .as_ref()
            .map_or(&[][..], |toolchain| &toolchain.options);
        let ours = |option: &&String| !libraries::runs_programs_of_sysroot(option);
        let mut filled = Vec::new();
        for word in words.iter().filter(stays) {
            match word.as_str() {
                "{tool}" => filled.append(&mut of_tool),
                "{options}" => filled.extend(options.iter().filter(ours).cloned().map(fill)),
                word if word.contains(START_FILES) => {
                    let directories = libraries::start_files(context, &sysroot);
                    filled.extend(each(word, START_FILES, &directories));
                }
                word if word.contains(LIBDIR) && libraries::links(args) => {
                    let directories = libraries::directories(context, &sysroot);
                    filled.extend(each(word, LIBDIR, &directories));
                }
                word if word.contains(LIBDIR) => {}
                word => filled.push(fill(word.to_owned())),
            }
        }
        Ok(filled)
    }

    /// Returns the user's options: those before `--`, and those of the variable with options for every call.
    fn caller_options(
        &self,
        context: &Context,
        args: &[OsString],
    ) -> Result<Vec<OsString>, AppletError> {
        let mut options: Vec<OsString> = args
            .iter()
            .take_while(|arg| *arg != "--")
            .cloned()
            .collect();
        // `-D NAME=VALUE` means the same as `-DNAME=VALUE`.
        let is_short = |arg: &OsString| arg.len() == 2 && arg.as_bytes()[0] == b'-';
        let joined = options.windows(2).filter(|pair| is_short(&pair[0]));
        let joined: Vec<OsString> = joined
            .map(|pair| [pair[0].as_bytes(), pair[1].as_bytes()].concat())
            .map(OsString::from_vec)
            .collect();
        options.extend(joined);
        if let Some(name) = &self.options_from {
            let variable = context.env.get_name(name).map(OsStr::to_owned);
            let value = match variable {
                Some(value) => value,
                None => context.portage()?.target_setting(name).into(),
            };
            options.extend(value.to_string_lossy().split_whitespace().map(Into::into));
        }
        Ok(options)
    }
}

/// Returns an argument for each directory, with the placeholder replaced.
fn each<'d>(
    word: &'d str,
    placeholder: &'d str,
    directories: &'d [PathBuf],
) -> impl Iterator<Item = OsString> + 'd {
    let of = move |directory: &PathBuf| fill(word.as_ref(), placeholder, directory.as_os_str());
    directories.iter().map(of)
}

/// Returns the last sysroot in a compiler's arguments: `--sysroot=DIR` or `--sysroot DIR`.
fn sysroot_among(args: &[OsString]) -> Option<OsString> {
    let mut named = args.iter().enumerate().filter_map(|(at, arg)| {
        match arg.as_bytes().strip_prefix(b"--sysroot=") {
            Some(sysroot) => Some(OsStr::from_bytes(sysroot).to_owned()),
            None => args.get(at + 1).filter(|_| arg == "--sysroot").cloned(),
        }
    });
    named.next_back()
}

pub(super) fn is_option(arg: &OsStr, option: &str) -> bool {
    let rest = arg.as_bytes().strip_prefix(option.as_bytes());
    // CMake's `-DNAME:TYPE=VALUE`.
    rest.is_some_and(|rest| rest.is_empty() || matches!(rest[0], b'=' | b':'))
}

/// Replaces `{file:FORMAT}` by the path of a kept file, and adds the file to the list. If it contains the emulator, it
/// has a variant for each that may work.
fn place_file(
    word: &OsStr,
    call: &Call,
    files: &mut Vec<File>,
    variants: &mut Vec<Variants>,
) -> Result<OsString, AppletError> {
    let format = word.to_str().and_then(|word| {
        let (_, rest) = word.split_once(FILE)?;
        Format::named(rest.split_once('}')?.0)
    });
    match format {
        Some(format) => put_file(word, format, call, files, variants),
        None => Ok(word.to_owned()),
    }
}

/// Replaces the placeholder of a kept file in this format.
#[inline(never)]
fn put_file(
    word: &OsStr,
    format: Format,
    call: &Call,
    files: &mut Vec<File>,
    variants: &mut Vec<Variants>,
) -> Result<OsString, AppletError> {
    let mut facts = call.facts()?.clone();
    facts.find_facts_for(format, call.context);
    if format == Format::Meson {
        // The environment has the flags, so that the caller's own override them; flags in the file would override the
        // caller's.
        facts.flags = Flags::default();
    }
    let file = export::kept_file(call.context, format, &facts)?;
    let placeholder = format!("{FILE}{}}}", format.name());
    let word = fill(word, &placeholder, file.path.as_os_str());
    files.push(file);
    if format.has_emulator() {
        variants.extend(by_emulator(call.context, format, facts)?);
    }
    Ok(word)
}

/// Returns the variants of a kept file, by the emulators that may run the target's programs. Without a compiler to try
/// them with, there are none.
fn by_emulator(
    context: &Context,
    format: Format,
    mut facts: Facts,
) -> Result<Option<Variants>, AppletError> {
    let Ok(mut candidates) = facts.emulators(context) else {
        return Ok(None);
    };
    let (failure, note) = candidates.notes(context.tuple.as_str());
    candidates.program.note = failure;
    let mut variants = Variants {
        program: Some(candidates.program),
        all: Vec::new(),
        note,
    };
    for emulator in candidates.emulators {
        let mut variant = Variant::new(emulator.trial());
        facts.emulator = Some(emulator);
        variant
            .files
            .push(export::kept_file(context, format, &facts)?);
        variants.all.push(variant);
    }
    Ok(Some(variants))
}

fn split(from: &str, text: &OsStr) -> Result<Vec<String>, AppletError> {
    // Most commands have no quotes. Splitting them takes a tenth of the time then.
    let is_plain = |text: &str| !text.contains(['\'', '"', '\\', '#']);
    let words = text.to_str().and_then(|text| match is_plain(text) {
        true => Some(
            text.split(BLANKS)
                .filter(|word| !word.is_empty())
                .map(Into::into)
                .collect(),
        ),
        false => shell_words::split(text).ok(),
    });
    words
        .filter(|words| !words.is_empty())
        .ok_or_else(|| AppletError::CommandLine {
            from: from.into(),
            text: text.to_string_lossy().into_owned(),
        })
}

/// Replaces a placeholder everywhere in an argument. The value may be any bytes.
fn fill(word: &OsStr, placeholder: &str, value: &OsStr) -> OsString {
    let mut rest = word.as_bytes();
    if !rest.contains(&b'{') {
        return word.to_owned();
    }
    let mut filled = Vec::new();
    while let Some(at) = rest
        .windows(placeholder.len())
        .position(|w| w == placeholder.as_bytes())
    {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(value.as_bytes());
        rest = &rest[at + placeholder.len()..];
    }
    filled.extend_from_slice(rest);
    OsStr::from_bytes(&filled).to_owned()
}
