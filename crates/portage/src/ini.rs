//! Parses repos.conf: the grammar of Python's `configparser` with its `%(name)s` references.
//!
//! If `configparser` reports an error, Portage ignores the whole of repos.conf. crossmerge leaves such a file to
//! portageq.

use super::{error::SettingsError, text};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The options of a section, in the order in which each first appears.
pub(crate) type IniOptions = Vec<(String, String)>;

/// The content of all files together.
#[derive(Debug, Default)]
pub(crate) struct Ini {
    /// `[DEFAULT]`: options that apply to every section that does not set them.
    pub defaults: IniOptions,
    /// The other sections.
    pub sections: Vec<(String, IniOptions)>,
    /// The index of each section.
    names: HashMap<String, usize>,
    /// The index of each option in its section, by [`Current::key`].
    places: HashMap<(usize, String), usize>,
}

/// The maximum nesting of references (`MAX_INTERPOLATION_DEPTH` of `configparser`).
const DEEPEST: usize = 10;

/// The maximum size of all expanded options together, in bytes plus references. A name that refers to ten others, which
/// refer to ten others each, has a billion references at the permitted depth.
pub(crate) const MOST: usize = 16 << 20;

/// The section whose options are being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    None,
    Defaults,
    Section(usize),
}

impl Current {
    fn key(self) -> usize {
        match self {
            Self::Section(section) => section + 1,
            Self::None | Self::Defaults => 0,
        }
    }
}

impl Ini {
    /// Returns the content without any file: only these defaults, which files may override.
    pub(crate) fn new(defaults: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| (name.to_lowercase(), (*value).to_owned());
        let defaults: IniOptions = defaults.iter().map(own).collect();
        let places = defaults.iter().enumerate();
        Self {
            places: places
                .map(|(place, (name, _))| ((0, name.clone()), place))
                .collect(),
            defaults,
            ..Self::default()
        }
    }

    /// Reads one more file. Its options replace those of earlier files. It is one loop, as in CPython's
    /// `Lib/configparser.py`: the lines before a line decide what it is.
    pub(crate) fn read(&mut self, file: &str, content: &str) -> Result<(), SettingsError> {
        let mut current = Current::None;
        let mut added: BTreeSet<(usize, Option<String>)> = BTreeSet::new();
        // The option to which a continuation line belongs, by its index.
        let mut option: Option<(Current, usize)> = None;
        let mut changed: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
        let key = |(current, option): (Current, usize)| (current.key(), option);
        let mut indent = 0;
        for (number, line) in content.lines().enumerate() {
            let error = |reason: &str| Err(SettingsError::line(file, number + 1, reason));
            let value = text::strip(line);
            if value.starts_with(['#', ';']) {
                continue;
            }
            if value.is_empty() {
                if let Some(place) = option {
                    changed.entry(key(place)).or_default().push(String::new());
                }
                continue;
            }
            let own_indent = line.chars().take_while(|c| text::is_space(*c)).count();
            if let Some(place) = option
                && own_indent > indent
            {
                changed
                    .entry(key(place))
                    .or_default()
                    .push(value.to_owned());
                continue;
            }
            indent = own_indent;
            if let Some(name) = section_name(value) {
                option = None;
                if name == "DEFAULT" {
                    current = Current::Defaults;
                    continue;
                }
                let known = self.names.get(name).copied();
                let section = known.unwrap_or(self.sections.len());
                if known.is_none() {
                    self.names.insert(name.to_owned(), section);
                    self.sections.push((name.to_owned(), IniOptions::new()));
                }
                current = Current::Section(section);
                if !added.insert((current.key(), None)) {
                    return error("the section is a duplicate, so Portage ignores repos.conf");
                }
                continue;
            }
            let options = match current {
                Current::None => {
                    return error("it is in no section, so Portage ignores repos.conf");
                }
                Current::Defaults => &mut self.defaults,
                Current::Section(section) => &mut self.sections[section].1,
            };
            let Some((name, value)) = value.split_once(['=', ':']) else {
                return error("it is not `name = value`, so Portage ignores repos.conf");
            };
            let name = text::strip(name).to_lowercase();
            if name.is_empty() {
                return error("the option has no name, so Portage ignores repos.conf");
            }
            if !added.insert((current.key(), Some(name.clone()))) {
                return error("the option is a duplicate, so Portage ignores repos.conf");
            }
            let place = self.places.entry((current.key(), name.clone()));
            let place = *place.or_insert_with(|| {
                options.push((name, String::new()));
                options.len() - 1
            });
            option = Some((current, place));
            changed.insert(key((current, place)), vec![text::strip(value).to_owned()]);
        }
        for ((section, option), lines) in changed {
            let options = match section {
                0 => &mut self.defaults,
                section => &mut self.sections[section - 1].1,
            };
            options[option].1 = lines.join("\n").trim_end_matches(text::is_space).to_owned();
        }
        Ok(())
    }

    /// Returns the options of a section with the defaults, expanded. `left` is the remainder of [`MOST`].
    pub(crate) fn expanded(
        &self,
        section: usize,
        left: &mut usize,
    ) -> Result<BTreeMap<String, String>, SettingsError> {
        let mut raw: BTreeMap<&str, &str> = BTreeMap::new();
        let (name, own) = &self.sections[section];
        for (name, value) in self.defaults.iter().chain(own) {
            raw.insert(name, value);
        }
        raw.iter()
            .map(|(option, value)| {
                let mut expanded = String::new();
                let error = |reason: &str| {
                    SettingsError::query(format!("repos.conf, `{option}` of `{name}`: {reason}"))
                };
                expand(value, &raw, 1, left, &mut expanded).map_err(|unfit| match unfit {
                    ExpandError::Wrong(reason) => {
                        error(&format!("{reason}, so Portage ignores repos.conf"))
                    }
                    ExpandError::TooLong => {
                        error(&format!("makes it longer than {MOST} bytes")).into_final()
                    }
                })?;
                Ok(((*option).to_owned(), expanded))
            })
            .collect()
    }
}

/// Returns the name in `[name]`, up to the last bracket.
fn section_name(line: &str) -> Option<&str> {
    let line = line.strip_prefix('[')?;
    let name = &line[..line.rfind(']')?];
    (!name.is_empty()).then_some(name)
}

/// Why a value cannot be expanded.
enum ExpandError {
    /// Portage rejects the value too.
    Wrong(&'static str),
    /// The value would exceed the limit.
    TooLong,
}

fn expand(
    value: &str,
    options: &BTreeMap<&str, &str>,
    depth: usize,
    left: &mut usize,
    expanded: &mut String,
) -> Result<(), ExpandError> {
    if depth > DEEPEST {
        return Err(ExpandError::Wrong("`%(…)s` is nested too deeply"));
    }
    *left = left
        .checked_sub(value.len() + 1)
        .ok_or(ExpandError::TooLong)?;
    let mut rest = value;
    while let Some(percent) = rest.find('%') {
        expanded.push_str(&rest[..percent]);
        rest = &rest[percent + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            expanded.push('%');
            rest = after;
            continue;
        }
        let (name, after) = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .and_then(|(name, after)| Some((name, after.strip_prefix('s')?)))
            .filter(|(name, _)| !name.is_empty())
            .ok_or(ExpandError::Wrong(
                "a `%` is followed by neither `%` nor `(name)s`",
            ))?;
        let value = options
            .get(name.to_lowercase().as_str())
            .ok_or(ExpandError::Wrong("`%(…)s` refers to no option"))?;
        expand(value, options, depth + 1, left, expanded)?;
        rest = after;
    }
    expanded.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ini, SettingsError> {
        let mut ini = Ini::new(&[("ROOT", "/r/")]);
        ini.read("f", text)?;
        Ok(ini)
    }

    #[test]
    fn options_are_read_as_configparser_does() {
        let text = "[DEFAULT]\nMain-Repo = a\n[a] x\nlocation: %(root)sa%%\n  b\n\n# c\n  d\n\nx = \n[b\n] \n";
        let error = read(text).expect_err("`[b` is no option");
        assert_eq!(error.line, Some(11), "{error}");
        let ini = read(&text[..text.len() - 6]).expect(text);
        let options = ini.expanded(0, &mut MOST.clone()).expect(text);
        assert_eq!(options["location"], "/r/a%\nb\n\nd");
        assert_eq!(options["main-repo"], "a");
        assert_eq!(options["x"], "");
    }

    #[test]
    fn text_that_configparser_rejects_is_an_error() {
        for text in [
            "a = b\n",
            "[a]\nx = 1\nX = 2\n",
            "[a]\n[a]\n",
            "[a]\n= 2\n",
            "[a]\nx\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
        for text in ["[a]\nx = %(y)s\n", "[a]\nx = %\n", "[a]\nx = %(x)s\n"] {
            let ini = read(text).expect(text);
            assert!(ini.expanded(0, &mut MOST.clone()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn references_that_multiply_are_an_error() {
        let mut text = "[a]\nx0 = y\n".to_owned();
        for depth in 1..9 {
            let last = format!("%(x{})s", depth - 1);
            text += &format!("x{depth} = {}\n", last.repeat(20));
        }
        for text in [text.clone(), text.replace("= y", "=")] {
            let ini = read(&text).expect("as it stands");
            let error = ini.expanded(0, &mut MOST.clone()).expect_err("too long");
            assert!(error.is_final, "{error}");
        }
    }
}
