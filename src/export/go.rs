//! Go's environment, and a file for GOENV with the same settings.

use super::{error::ExportError, facts::Facts, text::text};

const FILE: &str = "Go's environment";

/// The variables of cgo, with those whose flags they get.
const FLAGS: [(&str, &str); 4] = [
    ("CGO_CFLAGS", "CFLAGS"),
    ("CGO_CPPFLAGS", "CPPFLAGS"),
    ("CGO_CXXFLAGS", "CXXFLAGS"),
    ("CGO_LDFLAGS", "LDFLAGS"),
];

/// Returns the variables: name and value. Without a C compiler for the target, cgo is off.
pub(crate) fn variables(facts: &Facts) -> Result<Vec<(String, String)>, ExportError> {
    let target = &facts.target;
    let goos = facts.name(target.goos, "GOOS", None)?;
    let goarch = facts.name(target.goarch.as_deref(), "GOARCH", Some("goarch"))?;
    let mut all: Vec<(String, String)> = vec![
        ("GOOS".into(), goos.into()),
        ("GOARCH".into(), goarch.into()),
    ];
    if let Some((name, value)) = target.golevel.as_deref().and_then(|l| l.split_once('=')) {
        all.push((name.into(), value.into()));
    }
    let cgo = facts.tool("CC").is_some();
    all.push(("CGO_ENABLED".into(), u8::from(cgo).to_string()));
    if !cgo {
        return Ok(all);
    }
    // Go splits a compiler at spaces outside quotes; PKG_CONFIG is one word.
    for (variable, is_command) in [
        ("CC", true),
        ("CXX", true),
        ("AR", false),
        ("PKG_CONFIG", false),
    ] {
        if let Some(path) = facts.tool(variable) {
            let path = text(path, FILE)?;
            let value = match is_command {
                true => quote(path)?,
                false => path.to_owned(),
            };
            all.push((variable.into(), value));
        }
    }
    for (name, flags) in FLAGS {
        let words = facts.flags.words(&[flags]);
        if !words.is_empty() {
            all.push((name.into(), words));
        }
    }
    Ok(all)
}

/// Renders the file for GOENV.
pub(super) fn render(facts: &Facts) -> Result<String, ExportError> {
    let variables = variables(facts)?.into_iter();
    Ok(variables
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect())
}

/// Quotes a word for Go, which knows quotes but no escapes.
fn quote(word: &str) -> Result<String, ExportError> {
    let is_plain = |c: char| !c.is_whitespace() && c != '\'' && c != '"';
    let quotes = ['\'', '"'];
    match quotes.iter().find(|quote| !word.contains(**quote)) {
        _ if word.chars().all(is_plain) => Ok(word.into()),
        Some(quote) => Ok(format!("{quote}{word}{quote}")),
        None => Err(ExportError::Unwritable {
            value: word.into(),
            file: FILE,
            reason: "Go knows no escape for both kinds of quotes",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_as_go_reads_it() {
        for (word, quoted) in [
            ("/usr/bin/gcc", Some("/usr/bin/gcc")),
            ("/a b/gcc", Some("'/a b/gcc'")),
            ("/it's/gcc", Some("\"/it's/gcc\"")),
            ("/\"q\"/gcc", Some("'/\"q\"/gcc'")),
            ("/it's \"q\"/gcc", None),
        ] {
            assert_eq!(quote(word).ok().as_deref(), quoted, "{word}");
        }
    }
}
