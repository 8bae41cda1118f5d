//! Values as text, for files in which not every value can stand.

use super::{error::ExportError, facts::Facts};
use std::path::Path;

/// A path as text, for a file of that kind, in which no line break can stand.
pub(super) fn text<'a>(path: &'a Path, file: &'static str) -> Result<&'a str, ExportError> {
    let refuse = |reason| ExportError::Unwritable {
        value: path.into(),
        file,
        reason,
    };
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    match text.contains(char::is_control) {
        true => Err(refuse("it holds a control character")),
        false => Ok(text),
    }
}

/// The words of an emulator as text, for a file of that kind.
pub(super) fn emulator_words<'a>(
    facts: &'a Facts,
    file: &'static str,
) -> Result<Option<Vec<&'a str>>, ExportError> {
    let Some(emulator) = &facts.emulator else {
        return Ok(None);
    };
    let words = emulator.words().iter();
    words
        .map(|word| text(Path::new(word), file))
        .collect::<Result<_, _>>()
        .map(Some)
}
