//! The words of the documents and of the comments: a table of words that are not used, and the field's words to write
//! instead.
//!
//! The check reads prose only. It skips fenced blocks and text in backticks, because these quote commands, files and output. In
//! Rust it reads only comments. A form may be split over two lines, so text is compared word by word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Forms that are not used, each with the words to write instead.
const FORMS: &[(&[&str], &str)] = &[
    (&["folder", "folders"], "directory"),
    (&["mend", "mends", "mended", "mending"], "fix"),
    (
        &[
            "somebody", "someone", "whoever", "a person", "persons", "people", "people's",
        ],
        "user, or the user's role",
    ),
    (&["nobody", "anybody", "everybody"], "no user, every user"),
    (
        &["of yours", "of ours", "of one's own"],
        "your own, crossmerge's own, local",
    ),
    (&["this machine", "this machine's"], "the build machine"),
    (
        &["namespace of users", "namespaces of users"],
        "user namespace",
    ),
    (
        &["namespace of processes", "namespaces of processes"],
        "PID namespace",
    ),
    (
        &["namespace of mounts", "namespaces of mounts"],
        "mount namespace",
    ),
    (
        &["namespace of networks", "namespaces of networks"],
        "network namespace",
    ),
    (
        &["private binfmt_misc", "binfmt_misc of its own"],
        "per-namespace binfmt_misc",
    ),
    (
        &[
            "variable of the environment",
            "variables of the environment",
        ],
        "environment variable",
    ),
    (&["linked statically"], "statically linked"),
    (
        &["says", "is said", "tell", "tells", "told"],
        "prints, states, reports",
    ),
    (
        &["a look", "each look", "every look", "looked at"],
        "check, lookup",
    ),
    (
        &["step aside", "steps aside", "yields"],
        "is omitted, does not apply",
    ),
    (&["wins", "win over"], "replaces, overrides"),
    (&["put in place of"], "replaces"),
    (
        &["is nowhere", "is not there", "are not there"],
        "is missing, does not exist",
    ),
    (&["there already"], "existing"),
    (
        &["lead nowhere", "leads nowhere"],
        "is dangling (a symlink), is broken (a link)",
    ),
    (&["none when"], "returns `None` if"),
];

/// Files, and directories with all files below them. Data and licenses are no prose.
const CHECKED: &[&str] = &[
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "bench",
    "build.rs",
    "completions",
    "crates",
    "demo/README.md",
    "demo/apt.sh",
    "demo/distfiles.tsv",
    "demo/portages",
    "demo/prefix.sh",
    "demo/programs.tsv",
    "demo/real-gentoo",
    "demo/real-gentoo.tsv",
    "demo/repo/eclass",
    "demo/repo/profiles",
    "demo/run",
    "demo/setup",
    "demo/toolchain",
    "demo/toolchain-gentoo",
    "distributions",
    "docs",
    "examples",
    "fuzz/README.md",
    "man",
    "packaging",
    "profiles",
    "site-cache/README.md",
    "src",
    "tests/toolchain/README.md",
    "tests/toolchain/prefix",
    "toolchains",
    "wrappers",
];

/// Lines that contain such a form for a reason: file, form, number of lines, and reason.
const EXCUSED: &[(&str, &str, usize, &str)] = &[(
    "docs/site-cache-matrix.md",
    "says",
    1,
    "quotes site-cache/probes/exceptions.toml, which is part of the measured data",
)];

/// A form in a text.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    line: usize,
    form: &'static str,
    write: &'static str,
}

/// Finds the forms in the prose of a file. Its extension decides what is prose.
fn forms_in(text: &str, extension: &str) -> Vec<Found> {
    let text = match extension {
        "rs" => only_comments(text),
        _ => text.to_owned(),
    };
    let words = words_of(&without_code(&text));
    let by_first = forms_by_first_word();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for &(form, write) in by_first.get(&*word.text).into_iter().flatten() {
            let mut rest = words[at + 1..].iter();
            let is_here = form.split(' ').skip(1).all(|part| {
                rest.next()
                    .is_some_and(|it| it.text == part && it.continues)
            });
            if is_here {
                let line = word.line;
                found.push(Found { line, form, write });
            }
        }
    }
    found
}

/// The forms, each with the words to write instead, by their first word.
fn forms_by_first_word() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let mut by_first: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (forms, write) in FORMS {
        for &form in *forms {
            let first = form.split(' ').next().unwrap_or_default();
            by_first.entry(first).or_default().push((form, *write));
        }
    }
    by_first
}

/// A word of a text, in lower case.
struct Word {
    line: usize,
    text: String,
    /// True if only white space and comment markers separate it from the word before.
    continues: bool,
}

/// The words of a text. An underscore is part of a word, so that a form is not found in a longer name.
fn words_of(text: &str) -> Vec<Word> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
    let mut words: Vec<Word> = Vec::new();
    let mut continues = false;
    for (number, line) in (1..).zip(text.lines()) {
        let mut rest = line;
        while let Some(start) = rest.find(is_part) {
            continues &= rest[..start].chars().all(|c| " \t#/!*".contains(c));
            rest = &rest[start..];
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            let text = word.trim_matches('\'').to_lowercase();
            let continues_it = continues && !word.starts_with('\'');
            continues = !word.ends_with('\'');
            rest = &rest[end..];
            words.push(Word {
                line: number,
                text,
                continues: continues_it,
            });
        }
        continues &= rest.trim().is_empty();
    }
    words
}

/// The text with spaces in place of everything outside comments.
fn only_comments(text: &str) -> String {
    let comment = |line: &str| match line.find("//") {
        Some(at) if line[..at].trim().is_empty() || line[..at].ends_with(' ') => {
            line[at..].to_owned()
        }
        _ => String::new(),
    };
    text.lines().map(|line| comment(line) + "\n").collect()
}

/// The text with `_` in place of fenced blocks, text in backticks and the addresses of links. The numbers of lines stay.
fn without_code(text: &str) -> String {
    let mut prose = String::new();
    let mut is_fenced = false;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        if !is_fenced && !is_fence {
            prose += line;
        }
        prose.push('\n');
    }
    let mut without = String::new();
    for paragraph in prose.split_inclusive("\n\n") {
        for (number, part) in paragraph.split('`').enumerate() {
            match number % 2 {
                0 => without += part,
                _ => without.extend(part.chars().map(|c| if c == '\n' { c } else { '_' })),
            }
        }
    }
    let mut parts = without.split("](");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (address, rest) = part.split_once(')').unwrap_or(("", part));
        text += if address.contains('\n') { "\n" } else { " " };
        text += rest;
    }
    text
}

/// Every file that is checked, below the checkout.
fn checked_files() -> Vec<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut left: Vec<PathBuf> = CHECKED.iter().map(|path| checkout.join(path)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = path.read_dir().expect("a directory");
            left.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn the_documents_and_comments_use_the_words_of_the_field() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for file in checked_files() {
        let path = file.strip_prefix(checkout).expect("a path of the checkout");
        let path = path.to_str().expect("UTF-8");
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{path}: {e}"));
        let extension = file.extension().and_then(|it| it.to_str());
        let found = forms_in(&text, extension.unwrap_or_default());
        for &(of, form, count, _) in EXCUSED {
            if of == path && found.iter().filter(|it| it.form == form).count() == count {
                excused.insert((of, form));
            }
        }
        for Found { line, form, write } in found {
            if !excused.contains(&(path, form)) {
                wrong.push(format!("{path}:{line}: `{form}`: write {write}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (path, form, count, why) in EXCUSED {
        assert!(
            excused.contains(&(*path, *form)),
            "{path} does not contain `{form}` {count} times any more: {why}"
        );
    }
}

#[test]
fn every_form_is_found_across_lines_and_at_the_start_of_a_sentence() {
    for (forms, write) in FORMS {
        for &form in *forms {
            let capital = form[..1].to_uppercase() + &form[1..];
            for text in [
                format!("# A title\n\nOne ({form}) here.\n"),
                format!("# A title\n\n{capital}, and more.\n"),
                format!("key = 1\n\n# see {}.\n", form.replace(' ', "\n# ")),
            ] {
                let found = forms_in(&text, "md");
                let wanted = Found {
                    line: 3,
                    form,
                    write,
                };
                assert!(found.contains(&wanted), "{text:?}: {found:?}");
            }
            let comment = format!("fn f() {{}}\n\nlet x = 1; // {form}\n");
            assert!(!forms_in(&comment, "rs").is_empty(), "{comment:?}");
        }
    }
}

#[test]
fn code_names_and_parts_of_words_are_skipped() {
    let text = "# A title

The key `mend` and `this
machine` are code, [a link](folder/mend.md) has an address.

```
folder   /var/db/repos: nobody says why
```

A recommendation, my_folder, folder_of, mend_it, a sum, to look, personal, lead them.
This. Machine. A namespace for users. Linked, statically. linked='statically built'.
";
    assert_eq!(forms_in(text, "md"), []);
    let code = "/// A directory.\nfn folder(mend: &str) { println!(\"whoever\") }\n";
    assert_eq!(forms_in(code, "rs"), []);
}
