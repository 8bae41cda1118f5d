//! Conversion of values to text, for files that cannot contain every value.

use super::{error::ExportError, facts::Facts};
use std::path::Path;

/// Returns a path as text for that kind of file. A line break is an error.
pub(super) fn text<'a>(path: &'a Path, file: &'static str) -> Result<&'a str, ExportError> {
    let refuse = |reason| ExportError::Unwritable {
        value: path.into(),
        file,
        reason,
    };
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    match text.contains(char::is_control) {
        true => Err(refuse("it contains a control character")),
        false => Ok(text),
    }
}

/// Returns the words of an emulator as text for that kind of file.
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
