//! The form of answer files: `site-cache/*.toml`, users' own files and learned answers. `build.rs` parses the built-in
//! files with this module too, so that there is one parser, and applets parse no built-in file at run time. Pure.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The part of a target on which the answers of a layer depend. A later kind overrides an earlier one.
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

/// The way in which an answer was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Obtained {
    /// Its probe printed it, on every target of the matrix.
    Probe,
    /// It comes from sources or documentation.
    Read,
    /// A configure script found it by running its test, for this target.
    Learned,
}

/// The part of a system on which an answer depends, if it is not the C library. The host under QEMU may give another
/// answer than the target machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The kernel that runs on the target machine.
    Kernel,
    /// The file system that the program will use there.
    Filesystem,
}

/// A file before its answers are checked.
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

/// A parsed file of answers.
#[derive(Debug, Default)]
pub(super) struct LayerFile {
    /// A description, one line.
    pub summary: Option<String>,
    /// What its answers depend on.
    pub kind: Option<LayerKind>,
    /// Globs on the whole tuple. One has to match.
    pub tuples: Vec<String>,
    /// Globs on the whole tuple. None may match.
    pub except: Vec<String>,
    /// The answers by variable; `None` for `false`, which disables an answer.
    pub answers: BTreeMap<String, Option<WrittenAnswer>>,
}

/// An answer in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAnswer {
    /// The value, exactly what the macro stores.
    pub value: String,
    /// The macro or package that runs the test, with its file.
    pub asker: Option<String>,
    /// How it was obtained.
    pub obtained: Option<Obtained>,
    /// The probe that measures it.
    pub probe: Option<String>,
    /// A remark, one line.
    pub note: Option<String>,
    /// What it depends on, if it is not the C library.
    pub about: Option<About>,
    /// The versions of the macro with the measured test.
    pub asked: Option<String>,
    /// Text in scripts with the measured test. A script without it gets no answer.
    pub needs: Option<String>,
    /// Other tests that versions of the macro run under this name. The first one found in a script applies.
    #[serde(default)]
    pub others: Vec<WrittenOtherTest>,
}

/// Another test under the same name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenOtherTest {
    /// Text on one line of scripts with this test, and of no scripts with another.
    pub text: String,
    /// The answer to it; `None` if scripts decide it without an answer.
    pub value: Option<String>,
    /// The versions of the macro with this test.
    pub asked: String,
}

/// The minimum length of a text that identifies a test, in bytes. A shorter one would be found in other scripts too.
const SHORTEST_TEXT: usize = 6;

impl LayerFile {
    /// Parses a file's text. An error message names the answer.
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
    /// Parses one answer: a value, a table, or `false` for none.
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
                "{text:?} is too short to identify one test: it needs {SHORTEST_TEXT} bytes"
            ));
        }
        Ok(Some(written))
    }
}

/// Returns whether Autoconf would keep a variable of that name in its cache.
pub(super) fn is_cache_variable(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(is_word) && name.contains("_cv_")
}
