//! The arguments of `<tuple>-chroot`. Pure.

use super::error::ChrootError;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

/// The arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ChrootRequest {
    pub(super) root: Option<PathBuf>,
    /// The sources of bind mounts, each with its mount point. `None` for the same path.
    pub(super) binds: Vec<(PathBuf, Option<PathBuf>)>,
    pub(super) user: Option<String>,
    pub(super) cpu: Option<OsString>,
    /// The command. Empty for a login shell.
    pub(super) command: Vec<OsString>,
}

/// Returns whether the arguments ask for the help of `chroot`, not of the command in the root.
pub fn asks_for_help(args: &[OsString]) -> bool {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_bytes() {
            b"--help" | b"-h" => return true,
            b"--root" | b"--bind" | b"--user" | b"--cpu" => drop(args.next()),
            word if !word.starts_with(b"--") || word == b"--" => return false,
            _ => {}
        }
    }
    false
}

/// Returns the help. `name` is the name by which crossmerge was called.
pub fn help(name: &OsStr) -> String {
    let name = name.display();
    format!(
        "\
Enter the target's root, with its programs running under QEMU and nothing of it mounted afterwards

Usage: {name} [options] [--] [command [arguments…]]

  --root DIR         the root to enter, instead of the target's ROOT or sysroot
  --bind SRC[:DST]   mount this file or directory of the host inside, at DST; may be given several times
  --user USER        be this user of the root's, by name or number, instead of root
  --cpu MODEL        the CPU model that QEMU emulates, instead of the target's `cpu`: `qemu-NAME -cpu help` lists them

Without a command, a login shell. `crossmerge plan <tuple> chroot …` prints every step.
"
    )
}

impl ChrootRequest {
    pub(super) fn parse(args: Vec<OsString>) -> Result<Self, ChrootError> {
        let mut request = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let bytes = arg.as_bytes();
            if bytes == b"--" {
                request.command = args.collect();
                break;
            }
            if !bytes.starts_with(b"-") {
                request.command = std::iter::once(arg).chain(args).collect();
                break;
            }
            let (option, value) = match bytes.iter().position(|byte| *byte == b'=') {
                Some(at) => (
                    OsStr::from_bytes(&bytes[..at]).to_owned(),
                    Some(OsStr::from_bytes(&bytes[at + 1..]).to_owned()),
                ),
                None => (arg.clone(), None),
            };
            let option = option.to_string_lossy().into_owned();
            if !["--root", "--bind", "--user", "--cpu"].contains(&option.as_str()) {
                return Err(ChrootError::UnknownOption(option));
            }
            let value = value
                .or_else(|| args.next())
                .filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| ChrootError::NoValue(option.clone()))?;
            match option.as_str() {
                "--root" => request.root = Some(value.into()),
                "--bind" => request.binds.push(bind(value)),
                "--user" => request.user = Some(value.to_string_lossy().into_owned()),
                _ => request.cpu = Some(value),
            }
        }
        Ok(request)
    }
}

/// Splits the value of `--bind` at the last colon before an absolute path.
fn bind(value: OsString) -> (PathBuf, Option<PathBuf>) {
    let bytes = value.as_bytes();
    match bytes.windows(2).rposition(|pair| pair == b":/") {
        Some(at) if at > 0 => {
            let (source, target) = (bytes[..at].to_vec(), bytes[at + 1..].to_vec());
            let path = |bytes| PathBuf::from(OsString::from_vec(bytes));
            (path(source), Some(path(target)))
        }
        _ => (value.into(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<ChrootRequest, ChrootError> {
        ChrootRequest::parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn options_end_at_the_command() {
        let request =
            parse("--root=/r --bind /a:/b --bind=rel:/c --bind /d --user 7 --cpu max ls --root x")
                .expect("a request");
        let wanted = ChrootRequest {
            root: Some("/r".into()),
            binds: vec![
                ("/a".into(), Some("/b".into())),
                ("rel".into(), Some("/c".into())),
                ("/d".into(), None),
            ],
            user: Some("7".into()),
            cpu: Some("max".into()),
            command: ["ls", "--root", "x"].map(Into::into).to_vec(),
        };
        assert_eq!(request, wanted);
        assert_eq!(
            parse("-- -x").expect("a request").command,
            [OsString::from("-x")]
        );
        assert_eq!(parse("").expect("a request"), ChrootRequest::default());
        for line in ["--rot /r", "-u root", "--user", "--user=", "--cpu"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn help_after_the_command_belongs_to_the_command() {
        for (line, is) in [
            ("--help", true),
            ("--root /r -h", true),
            ("--root=/r --help", true),
            ("ls --help", false),
            ("-- --help", false),
            ("--user --help", false),
            ("", false),
        ] {
            let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(asks_for_help(&args), is, "{line}");
        }
    }
}
