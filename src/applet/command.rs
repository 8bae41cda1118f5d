//! The command line of an applet: the caller's, the target's, everyone's or the wrapper's own, with its placeholders filled
//! and the options left out that the caller gave too.

use super::{AppletError, Wrapper};
use crate::context::Context;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

impl Wrapper {
    /// The command line: the caller's, the target's, everyone's or the wrapper's own, in this order.
    pub(super) fn words(
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
        let stays = |word: &&String| {
            let option = word.split('=').next().unwrap_or(word);
            !word.starts_with("--") || !theirs.iter().any(|arg| is_option(arg, option))
        };
        let tool = match (tool, &context.settings.toolchain) {
            (Some(tool), Some(toolchain)) => prefixed(&toolchain.prefix, tool),
            _ => OsString::new(),
        };
        // A compiler's caller may name another sysroot; then what we add is about that one.
        let sysroot = sysroot_among(args).map_or_else(|| context.sysroot(), PathBuf::from);
        let fill = |word: String| {
            let word = fill(word.as_ref(), "{tuple}", OsStr::new(context.tuple.as_str()));
            fill(
                &fill(&word, "{sysroot}", sysroot.as_os_str()),
                "{tool}",
                &tool,
            )
        };
        let options = context
            .settings
            .toolchain
            .as_ref()
            .map_or(&[][..], |toolchain| &toolchain.options);
        let words = words
            .iter()
            .filter(stays)
            .flat_map(|word| match word.as_str() {
                "{options}" => options.to_vec(),
                _ => vec![word.clone()],
            });
        Ok(words.map(fill).collect())
    }

    /// The options that came from a person: those before `--`, and those of the variable that holds some for every call.
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

/// The sysroot that the arguments of a compiler name last: `--sysroot=DIR` or `--sysroot DIR`.
fn sysroot_among(args: &[OsString]) -> Option<OsString> {
    let mut named = args.iter().enumerate().filter_map(|(at, arg)| {
        match arg.as_bytes().strip_prefix(b"--sysroot=") {
            Some(sysroot) => Some(OsStr::from_bytes(sysroot).to_owned()),
            None => args.get(at + 1).filter(|_| arg == "--sysroot").cloned(),
        }
    });
    named.next_back()
}

/// The tool's path: the prefix may end in the middle of a file name.
pub fn prefixed(prefix: &Path, tool: &str) -> OsString {
    let mut path = prefix.as_os_str().to_owned();
    path.push(tool);
    path
}

fn is_option(arg: &OsStr, option: &str) -> bool {
    let rest = arg.as_bytes().strip_prefix(option.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
}

fn split(from: &str, text: &OsStr) -> Result<Vec<String>, AppletError> {
    let words = text.to_str().and_then(|text| shell_words::split(text).ok());
    words
        .filter(|words| !words.is_empty())
        .ok_or_else(|| AppletError::CommandLine {
            from: from.into(),
            text: text.to_string_lossy().into_owned(),
        })
}

/// Replaces a placeholder everywhere in a word; the value may be any bytes.
fn fill(word: &OsStr, placeholder: &str, value: &OsStr) -> OsString {
    let mut filled = Vec::new();
    let mut rest = word.as_bytes();
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
