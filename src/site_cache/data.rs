//! The answers for a target: the layers that match its tuple, from the general to the special, with users' own and
//! learned answers.
//!
//! `build.rs` compiles `site-cache/*.toml` into the built-in layers. A file `site-cache/<layer>.toml` in a
//! configuration directory is merged over that layer, or adds one. Above the layers comes the target's `learned.toml`,
//! and `site-cache/<tuple>.toml` is merged over everything.

pub use super::form::{About, LayerKind, Obtained};
use super::{
    error::SiteCacheError,
    form::{LayerFile, WrittenAnswer},
};
use crate::{config::Config, context::Context};
use crossmerge_plan::{glob, tuple::Tuple};
use crossmerge_system::file::read;
use std::{
    borrow::Cow,
    ops::Deref,
    path::{Path, PathBuf},
    rc::Rc,
};

include!(concat!(env!("OUT_DIR"), "/site_cache.rs"));

/// The directory of users' own files.
pub const DIRECTORY: &str = "site-cache";

/// The file of the learned answers, in the target's state directory.
pub const LEARNED: &str = "learned.toml";

/// A built-in layer.
#[derive(Debug)]
struct BuiltInLayer {
    name: &'static str,
    summary: &'static str,
    kind: LayerKind,
    tuples: &'static [&'static str],
    except: &'static [&'static str],
    /// Sorted by their names.
    answers: &'static [Answer],
}

/// Text, built in or read from a file.
type AnswerText = Cow<'static, str>;

/// The value of one cache variable, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The variable.
    pub name: AnswerText,
    /// Its value, exactly as the macro stores it; `None` if a user disabled the answer.
    pub value: Option<AnswerText>,
    /// The macro or package that runs the test, with its file.
    pub asker: Option<AnswerText>,
    /// How it was obtained; optional in a user's file.
    pub obtained: Option<Obtained>,
    /// The probe that measures it.
    pub probe: Option<AnswerText>,
    /// A remark, one line.
    pub note: Option<AnswerText>,
    /// What it depends on, if it is not the C library.
    pub about: Option<About>,
    /// The versions of the macro with the measured test.
    pub asked: Option<AnswerText>,
    /// Text in scripts with the measured test. A script without it gets no answer.
    pub needs: Option<AnswerText>,
    /// Other tests that versions of the macro run under this name. The first one found in a script applies.
    pub others: Cow<'static, [OtherTest]>,
    /// The layer; the tuple if the answer is for one target.
    pub layer: AnswerText,
    /// Where the answer comes from.
    pub origin: Origin,
}

/// Another test under the name of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTest {
    /// Text on one line of scripts with this test, and of no scripts with another.
    pub text: AnswerText,
    /// The answer to it; `None` if scripts decide it without an answer.
    pub value: Option<AnswerText>,
    /// The versions of the macro with this test.
    pub asked: AnswerText,
}

/// The test that a script runs under the name of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestVariant<'a> {
    /// The measured one.
    Measured,
    /// Another known one.
    Other(&'a OtherTest),
    /// An unknown one: the text of the measured test is missing.
    Unknown,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This program.
    BuiltIn,
    /// This file of a user.
    User(PathBuf),
    /// This file of learned answers.
    Learned(PathBuf),
}

/// An answer that is known for a target.
#[derive(Debug, Clone)]
pub enum KnownAnswer {
    /// A built-in one.
    BuiltIn(&'static Answer),
    /// A user's own or a learned one.
    Own(Rc<Answer>),
}

impl Deref for KnownAnswer {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        match self {
            Self::BuiltIn(answer) => answer,
            Self::Own(answer) => answer,
        }
    }
}

/// All answers for one target, including overridden ones.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The layers: name and summary, from the general to the special.
    layers: Vec<(AnswerText, AnswerText)>,
    /// The answers, sorted by variable. The last one for a variable decides.
    all: Vec<KnownAnswer>,
    /// Whether answers that no probe confirmed are given too.
    unverified: bool,
}

/// Returns the probes: name and source.
pub fn probes() -> &'static [(&'static str, &'static str)] {
    PROBES
}

impl Answer {
    /// Returns whether the answer was confirmed: by a probe, by a configure script of this target, or by the user who
    /// wrote it.
    pub fn is_verified(&self) -> bool {
        self.probe.is_some() || self.origin != Origin::BuiltIn
    }

    /// Returns whether the answer depends on which test a script runs under this name.
    pub fn is_conditional(&self) -> bool {
        self.needs.is_some() || !self.others.is_empty()
    }

    /// Returns the test that a script runs, identified by the texts in it.
    pub fn variant(&self, script: &str) -> TestVariant<'_> {
        let is_missing = |text: &AnswerText| !script.contains(text.as_ref());
        match self.others.iter().find(|other| !is_missing(&other.text)) {
            Some(other) => TestVariant::Other(other),
            None if self.needs.as_ref().is_some_and(is_missing) => TestVariant::Unknown,
            None => TestVariant::Measured,
        }
    }

    /// Returns the answer to the test that a script runs; `None` if it has none.
    pub fn value_for(&self, script: &str) -> Option<&str> {
        match self.variant(script) {
            TestVariant::Measured => self.value.as_deref(),
            TestVariant::Other(other) => other.value.as_deref(),
            TestVariant::Unknown => None,
        }
    }

    fn of_written(
        name: String,
        written: Option<WrittenAnswer>,
        layer: &str,
        origin: Origin,
    ) -> Self {
        let mut answer = Self {
            name: name.into(),
            value: None,
            asker: None,
            obtained: None,
            probe: None,
            note: None,
            about: None,
            asked: None,
            needs: None,
            others: Cow::default(),
            layer: layer.to_owned().into(),
            origin,
        };
        if let Some(written) = written {
            answer.value = Some(written.value.into());
            answer.asker = written.asker.map(Into::into);
            answer.obtained = written.obtained;
            answer.probe = written.probe.map(Into::into);
            answer.note = written.note.map(Into::into);
            answer.about = written.about;
            answer.asked = written.asked.map(Into::into);
            answer.needs = written.needs.map(Into::into);
            let others = written.others.into_iter().map(|other| OtherTest {
                text: other.text.into(),
                value: other.value.map(Into::into),
                asked: other.asked.into(),
            });
            answer.others = others.collect();
        }
        answer
    }
}

impl Answers {
    /// Collects the built-in answers for a tuple.
    pub fn built_in(tuple: &Tuple) -> Self {
        let mut answers = Self::default();
        for layer in fitting(tuple) {
            answers.add_built_in(layer);
        }
        answers.sort();
        answers
    }

    /// Collects all answers for a target: built-in, users' own and learned ones.
    pub fn of(context: &Context) -> Result<Self, SiteCacheError> {
        let mut layers: Vec<(LayerKind, Result<&BuiltInLayer, UserLayer>)> =
            fitting(&context.tuple)
                .map(|layer| (layer.kind, Ok(layer)))
                .collect();
        let mut last = Vec::new();
        for own in own_layers(&context.config, &context.tuple)? {
            match own.kind {
                Some(kind) => layers.push((kind, Err(own))),
                None => last.push(own),
            }
        }
        // A stable sort: users' own layers come after built-in ones of the same kind.
        layers.sort_by_key(|(kind, _)| *kind);
        let mut answers = Self {
            unverified: context.settings.unverified_answers,
            ..Self::default()
        };
        for (_, layer) in layers {
            match layer {
                Ok(layer) => answers.add_built_in(layer),
                Err(own) => answers.add_own(own),
            }
        }
        let learned = context.state_directory().join(LEARNED);
        if let Some(layer) = read(&learned)? {
            let name = context.tuple.to_string();
            let summary = format!("learned answers: {}", learned.display());
            answers.layers.push((name.into(), summary.into()));
            let origin = Origin::Learned(learned);
            answers.add_written(layer, context.tuple.as_str(), &origin);
        }
        for own in last {
            answers.add_own(own);
        }
        answers.sort();
        Ok(answers)
    }

    fn add_built_in(&mut self, layer: &'static BuiltInLayer) {
        self.layers.push((layer.name.into(), layer.summary.into()));
        self.all
            .extend(layer.answers.iter().map(KnownAnswer::BuiltIn));
    }

    fn add_own(&mut self, own: UserLayer) {
        let summary = own.layer.summary.clone().unwrap_or_else(|| {
            let file = own.file.display();
            format!("the answers in {file}")
        });
        self.layers.push((own.name.clone().into(), summary.into()));
        self.add_written(own.layer, &own.name, &Origin::User(own.file));
    }

    fn add_written(&mut self, layer: LayerFile, name: &str, origin: &Origin) {
        let answers = layer.answers.into_iter().map(|(variable, written)| {
            let answer = Answer::of_written(variable, written, name, origin.clone());
            KnownAnswer::Own(Rc::new(answer))
        });
        self.all.extend(answers);
    }

    /// Sorts the answers by variable. Those for the same variable keep their order.
    fn sort(&mut self) {
        self.all.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The matching layers: name and summary, from the general to the special.
    pub fn layers(&self) -> impl Iterator<Item = (&str, &str)> {
        let layers = self.layers.iter();
        layers.map(|(name, summary)| (name.as_ref(), summary.as_ref()))
    }

    /// Returns the deciding answer of each variable, given or not, sorted by name.
    pub fn deciding(&self) -> impl Iterator<Item = &Answer> {
        let by_name = self.all.chunk_by(|a, b| a.name == b.name);
        by_name.filter_map(|answers| answers.last().map(Deref::deref))
    }

    /// Returns the answers that are given, sorted by name.
    pub fn given(&self) -> impl Iterator<Item = &Answer> {
        self.deciding().filter(|answer| self.is_given(answer))
    }

    /// Returns whether a deciding answer is given.
    pub fn is_given(&self, answer: &Answer) -> bool {
        answer.value.is_some() && (self.unverified || answer.is_verified())
    }

    /// Returns all answers for a variable, the general first. The last one decides.
    pub fn about(&self, name: &str) -> &[KnownAnswer] {
        let from = self.all.partition_point(|answer| *answer.name < *name);
        let until = self.all.partition_point(|answer| *answer.name <= *name);
        &self.all[from..until]
    }
}

/// A user's file of answers.
#[derive(Debug)]
struct UserLayer {
    name: String,
    file: PathBuf,
    /// `None` if the file is for this tuple alone.
    kind: Option<LayerKind>,
    layer: LayerFile,
}

/// Returns the built-in layers that match, from the general to the special.
fn fitting(tuple: &Tuple) -> impl Iterator<Item = &'static BuiltInLayer> {
    LAYERS
        .iter()
        .filter(|layer| fits(layer.tuples, layer.except, tuple))
}

fn fits<G: AsRef<str>>(tuples: &[G], except: &[G], tuple: &Tuple) -> bool {
    let any = |globs: &[G]| {
        globs
            .iter()
            .any(|glob| glob::matches(glob.as_ref(), tuple.as_str()))
    };
    any(tuples) && !any(except)
}

/// Reads users' own files that match the tuple, the host's before the user's.
fn own_layers(config: &Config, tuple: &Tuple) -> Result<Vec<UserLayer>, SiteCacheError> {
    let mut fitting = Vec::new();
    for (name, file) in config.own_files(DIRECTORY)? {
        let Some(layer) = read(&file)? else {
            continue;
        };
        let refuse = |message: &str| SiteCacheError::Malformed {
            file: file.clone(),
            message: message.into(),
        };
        let is_layer = layer.kind.is_some() || !layer.tuples.is_empty() || !layer.except.is_empty();
        let built_in = LAYERS.iter().find(|built_in| built_in.name == name);
        let own_tuple = name.parse::<Tuple>().ok();
        let (kind, does_fit) = match (built_in, layer.kind) {
            (Some(_), _) if is_layer => {
                return Err(refuse(
                    "a layer of this name is built in, with its own `kind` and `tuples`",
                ));
            }
            (Some(built_in), _) => (
                Some(built_in.kind),
                fits(built_in.tuples, built_in.except, tuple),
            ),
            (None, Some(kind)) if !layer.tuples.is_empty() => {
                (Some(kind), fits(&layer.tuples, &layer.except, tuple))
            }
            (None, _) if is_layer => return Err(refuse("a layer has both `kind` and `tuples`")),
            (None, _) => match own_tuple {
                Some(own) => (None, own == *tuple),
                None => return Err(refuse("its name is neither that of a layer nor a tuple")),
            },
        };
        if does_fit {
            fitting.push(UserLayer {
                name,
                file,
                kind,
                layer,
            });
        }
    }
    Ok(fitting)
}

/// Reads a file of answers; returns `None` if it does not exist.
fn read(file: &Path) -> Result<Option<LayerFile>, SiteCacheError> {
    let text = match read::read_to_string(file, read::CONFIGURATION) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(SiteCacheError::Unreadable)?,
    };
    let layer = LayerFile::parse(&text).map_err(|message| SiteCacheError::Malformed {
        file: file.into(),
        message,
    })?;
    Ok(Some(layer))
}
