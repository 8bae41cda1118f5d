//! The form of `site-cache/*.toml`, of users' own files and of the learned answers. `build.rs` reads the built-in ones with
//! it, so that there is one reading of it, and nothing is parsed on the way to an applet's exec. Pure.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What a layer speaks of. A later kind wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerKind {
    /// The kernel.
    Kernel,
    /// The C library, with the kernel it runs on.
    Libc,
    /// The CPU and its ABI.
    Cpu,
}

/// How an answer was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Obtained {
    /// The run of its probe gave it, on every target of the matrix.
    Probe,
    /// It was read in sources or documentation.
    Read,
    /// A configure script that could run its tests found it, for this target.
    Learned,
}

/// What an answer is about, when that is not the C library: QEMU's host may answer otherwise than the target machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The kernel that runs on the target machine.
    Kernel,
    /// The file system that the program will find there.
    Filesystem,
}

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    summary: Option<String>,
    kind: Option<LayerKind>,
    #[serde(default)]
    tuples: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    answers: BTreeMap<String, toml::Value>,
}

/// A file that was read.
#[derive(Debug, Default)]
pub(super) struct LayerFile {
    /// One line for a user.
    pub summary: Option<String>,
    /// What it speaks of.
    pub kind: Option<LayerKind>,
    /// Globs on the whole tuple, of which one must fit.
    pub tuples: Vec<String>,
    /// Globs on the whole tuple, of which none may fit.
    pub except: Vec<String>,
    /// The answers by the variable's name; none where there shall be no answer.
    pub answers: BTreeMap<String, Option<WrittenAnswer>>,
}

/// One answer as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAnswer {
    /// The value, exactly what the macro stores.
    pub value: String,
    /// The macro or package that asks, with its file.
    pub asker: Option<String>,
    /// How it was obtained.
    pub obtained: Option<Obtained>,
    /// The probe that shows it again.
    pub probe: Option<String>,
    /// One line more.
    pub note: Option<String>,
    /// What it is about, when that is not the C library.
    pub about: Option<About>,
    /// The versions of the macro that ask the question which was measured.
    pub asked: Option<String>,
    /// Text that a script has where it asks that question. Without it there is no answer.
    pub needs: Option<String>,
    /// Other questions that versions of the macro ask under this name. The first one that a script has decides.
    #[serde(default)]
    pub others: Vec<WrittenOtherTest>,
}

/// Another question under the same name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenOtherTest {
    /// Text on one line of a script that asks it, and of no script that asks another.
    pub text: String,
    /// The answer to it; `None` where the script decides without one.
    pub value: Option<String>,
    /// The versions of the macro that ask it.
    pub asked: String,
}

/// The shortest text that may stand for a question, in bytes. A shorter one would be found where nobody asks it.
const SHORTEST_TEXT: usize = 6;

impl LayerFile {
    /// Reads a file's text. The message of an error names the answer.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: RawFile =
            toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        let answers = file.answers.into_iter().map(|(name, value)| {
            let written =
                WrittenAnswer::parse(&name, value).map_err(|e| format!("`{name}`: {e}"))?;
            Ok((name, written))
        });
        Ok(Self {
            summary: file.summary,
            kind: file.kind,
            tuples: file.tuples,
            except: file.except,
            answers: answers.collect::<Result<_, String>>()?,
        })
    }
}

impl WrittenAnswer {
    /// Reads one answer: a value, the whole table, or `false` for none.
    fn parse(name: &str, value: toml::Value) -> Result<Option<Self>, String> {
        if !is_cache_variable(name) {
            return Err("it is not the name of a cache variable, which has `_cv_` in it".into());
        }
        let written = match value {
            toml::Value::Boolean(false) => return Ok(None),
            toml::Value::String(value) => Self {
                value,
                asker: None,
                obtained: None,
                probe: None,
                note: None,
                about: None,
                asked: None,
                needs: None,
                others: Vec::new(),
            },
            toml::Value::Table(table) => {
                let written = Self::deserialize(table);
                written.map_err(|e| e.to_string().trim_end().to_owned())?
            }
            _ => return Err("an answer is a string, a table with `value`, or false".into()),
        };
        let optional = [
            &written.asker,
            &written.probe,
            &written.note,
            &written.asked,
            &written.needs,
        ];
        let others = written.others.iter();
        let others = others.flat_map(|other| {
            [Some(&other.text), other.value.as_ref(), Some(&other.asked)].into_iter()
        });
        let all = optional.into_iter().map(Option::as_ref).chain(others);
        for text in all.flatten().chain([&written.value]) {
            if text.contains(char::is_control) {
                return Err(format!("{text:?} contains a control character"));
            }
        }
        let others = written.others.iter().map(|other| &other.text);
        if let Some(text) = others
            .chain(&written.needs)
            .find(|text| text.len() < SHORTEST_TEXT)
        {
            return Err(format!(
                "{text:?} is too short to be the text of one question: it needs {SHORTEST_TEXT} bytes"
            ));
        }
        Ok(Some(written))
    }
}

/// Returns whether autoconf would keep a variable of that name in its cache.
pub(super) fn is_cache_variable(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(is_word) && name.contains("_cv_")
}
