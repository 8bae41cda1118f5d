//! Embeds the data directories: every file in `wrappers/` and `profiles/` becomes a row of a generated table. To add
//! an applet or a CPU family, you only add a file.
//!
//! The definitions of applets are parsed here and embedded as code, and the CPU families as constants. The site answers
//! of `site-cache/` are checked and embedded as tables.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo passes its settings to a build script in the environment"
)]

#[path = "src/site_cache/form.rs"]
#[expect(unreachable_pub, reason = "the program includes this module too")]
mod form;

use crossmerge_plan::glob;
use form::{LayerFile, LayerKind, Obtained, WrittenAnswer};
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path, process};

/// Returns the row of a wrapper definition: its file stem, the names of its applets, and the definition as code, so
/// that starting an applet parses no TOML. The names follow `Wrapper::names`: those of its tools, those that it lists,
/// or that of the file. A key that `Wrapper` does not have ends the build.
fn wrapper((stem, text): &(String, String)) -> String {
    let file = format!("wrappers/{stem}.toml");
    let wrapper: toml::Table = text
        .parse()
        .unwrap_or_else(|e| fail(&file, &format!("{e}")));
    let tools = wrapper.get("tools").and_then(toml::Value::as_table);
    let tools = tools.into_iter().flat_map(toml::Table::keys);
    let mut names: Vec<&str> = tools.map(String::as_str).collect();
    names.extend(strings(&wrapper, "names"));
    if names.is_empty() {
        names.push(stem);
    }
    let fields: String = wrapper
        .iter()
        .map(|(key, value)| {
            field(key, value)
                .unwrap_or_else(|| fail(&file, &format!("`{key}` has a value of the wrong type")))
        })
        .collect();
    format!(
        "BuiltInWrapper {{ stem: {stem:?}, names: &{names:?}, define: || Wrapper {{ {fields} ..Wrapper::default() }} }},\n"
    )
}

/// Returns a key of a wrapper definition as a field of `Wrapper`. The values of `layers` and `toolchain` are names
/// of enum variants. Returns `None` if the value has the wrong type.
fn field(key: &str, value: &toml::Value) -> Option<String> {
    let item = |value: &toml::Value| {
        let word = value.as_str()?;
        let of = match key {
            "layers" => "Layer",
            "toolchain" => "ToolchainKind",
            _ => return Some(format!("{word:?}.into()")),
        };
        Some(format!("{of}::{}", camel(word)))
    };
    let value = match value {
        toml::Value::Array(values) => {
            let items: Option<Vec<String>> = values.iter().map(item).collect();
            format!("vec![{}]", items?.join(", "))
        }
        toml::Value::Table(table) => {
            let pair = |(name, value)| Some(format!("({name:?}.into(), {})", item(value)?));
            let pairs: Option<Vec<String>> = table.iter().map(pair).collect();
            format!("BTreeMap::from([{}])", pairs?.join(", "))
        }
        value if key == "summary" => item(value)?,
        value => format!("Some({})", item(value)?),
    };
    let field = match key {
        "override" => "override_variable",
        key => key,
    };
    Some(format!("{field}: {value}, "))
}

/// Converts a value to the name of a variant: `build-type-flags` to `BuildTypeFlags`.
fn camel(word: &str) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(1.min(part.len()));
        first.to_uppercase() + rest
    };
    word.split('-').map(capital).collect()
}

/// The keys of a CPU family that are needed to look up names: `target::Spellings`.
const NAME_KEYS: [&str; 4] = ["examples", "alone", "hurd", "names"];

/// The key of the virtual boards, which only a few commands need: `target::Board`.
const BOARDS: &str = "board";

/// Returns the row of a CPU family: its file stem, the family as code, so that an applet parses no TOML, and the keys for
/// looking up names and the boards as separate TOML. A key that the types of `src/target` do not have ends the build.
fn family((stem, text): &(String, String)) -> String {
    let file = format!("profiles/{stem}.toml");
    let mut facts: toml::Table = text
        .parse()
        .unwrap_or_else(|e| fail(&file, &format!("{e}")));
    let mut names = toml::Table::new();
    for key in ["summary", "cpus"] {
        names.extend(facts.get(key).map(|value| (key.into(), value.clone())));
    }
    for key in NAME_KEYS {
        names.extend(facts.remove(key).map(|value| (key.into(), value)));
    }
    let boards = facts.remove(BOARDS).map(|value| (BOARDS.into(), value));
    let boards = toml::Table::from_iter(boards).to_string();
    let mut take = |key| facts.remove(key);
    let [summary, cpus] = ["summary", "cpus"].map(|key| match take(key) {
        Some(value) => literal(key, &value),
        None => fail(&file, &format!("`{key}` is missing")),
    });
    let mut sections = |key, kind, lists: &[&str], options: &[&str]| match take(key) {
        Some(toml::Value::Array(all)) => {
            let all = all.into_iter().filter_map(|one| one.try_into().ok());
            let all: Vec<String> = all.map(|one| section(kind, lists, options, one)).collect();
            borrowed(&all)
        }
        _ => borrowed(&[]),
    };
    let variants = sections("variant", "Variant", &["tuple", "except"], &[]);
    let kinds = sections(
        "binfmt",
        "Binfmt",
        &["qemu", "mask"],
        &[
            "endian",
            "bits",
            "elf_machine",
            "flags",
            "native_on",
            "native_if",
        ],
    );
    let marks = sections(
        "mark",
        "Mark",
        &["macros"],
        &["elf_abi", "float_abi", "elf_flags"],
    );
    let (facts, names) = (facts_of(&facts), names.to_string());
    format!(
        "BuiltInFamily {{ stem: {stem:?}, names: {names:?}, boards: {boards:?}, family: Family {{ summary: {summary}, cpus: {cpus}, variant: {variants}, binfmt: {kinds}, mark: {marks}, facts: {facts} }} }},\n"
    )
}

/// Returns a section of a CPU family as the constant of a type: the keys in `lists`, empty if they are missing, those in
/// `options`, and if there are others, they are its facts.
fn section(kind: &str, lists: &[&str], options: &[&str], mut table: toml::Table) -> String {
    let mut fields = String::new();
    for key in lists {
        let value = table.remove(*key);
        let value = value.map_or_else(|| borrowed(&[]), |value| literal(key, &value));
        let _ = write!(fields, "{key}: {value}, ");
    }
    for key in options {
        let value = table.remove(*key);
        let value = value.map_or_else(
            || "None".into(),
            |value| format!("Some({})", literal(key, &value)),
        );
        let _ = write!(fields, "{key}: {value}, ");
    }
    if !table.is_empty() {
        let _ = write!(fields, "facts: {}", facts_of(&table));
    }
    format!("{kind} {{ {fields} }}")
}

/// Returns the facts in a table as a list of `Fact`.
fn facts_of(table: &toml::Table) -> String {
    let fact = |(key, value): (&String, _)| {
        let name = camel(&key.replace('_', "-"));
        format!("Fact::{name}({})", literal(key, value))
    };
    borrowed(&table.iter().map(fact).collect::<Vec<_>>())
}

/// Returns the value of a key of a CPU family as a constant.
fn literal(key: &str, value: &toml::Value) -> String {
    match (key, value) {
        ("endian", toml::Value::String(word)) => format!("Endian::{}", camel(word)),
        (_, toml::Value::String(text)) => format!("Cow::Borrowed({text:?})"),
        (_, toml::Value::Array(values)) => {
            let values: Vec<String> = values.iter().map(|value| literal(key, value)).collect();
            borrowed(&values)
        }
        ("mask", toml::Value::Table(bytes)) => {
            let byte = |(offset, byte)| format!("(Cow::Borrowed({offset:?}), {byte})");
            borrowed(&bytes.iter().map(byte).collect::<Vec<_>>())
        }
        (_, toml::Value::Table(flags)) => {
            let flags = flags.iter().map(|(key, value)| format!("{key}: {value}"));
            format!("ElfFlags {{ {} }}", flags.collect::<Vec<_>>().join(", "))
        }
        (_, value) => value.to_string(),
    }
}

/// Returns a constant list of constants.
fn borrowed(items: &[String]) -> String {
    format!("Cow::Borrowed(const {{ &[{}] }})", items.join(", "))
}

/// Returns the strings of a list. Empty if the key is missing.
fn strings<'t>(table: &'t toml::Table, key: &str) -> Vec<&'t str> {
    let values = table.get(key).and_then(toml::Value::as_array);
    let values = values.into_iter().flatten();
    values.filter_map(toml::Value::as_str).collect()
}

/// The endings of tuples, after the CPU, with which [`check_agreement`] compares layers.
const SYSTEMS: [&str; 14] = [
    "-unknown-linux-gnu",
    "-unknown-linux-gnueabi",
    "-unknown-linux-gnueabihf",
    "-unknown-linux-gnux32",
    "-unknown-linux-gnuabin32",
    "-unknown-linux-gnuabi64",
    "-unknown-linux-musl",
    "-unknown-linux-musleabihf",
    "-unknown-linux-uclibc",
    "-unknown-linux-android",
    "-w64-mingw32",
    "-unknown-gnu",
    "-unknown-freebsd14",
    "-unknown-elf",
];

/// Prints an error in a data file and ends the build.
fn fail(file: &str, message: &str) -> ! {
    println!("cargo::error={file}: {message}");
    process::exit(1)
}

/// Reads the files of a directory that have this extension. Returns stem and text of each, sorted.
fn files(root: &str, directory: &str, extension: &str) -> Vec<(String, String)> {
    println!("cargo::rerun-if-changed={directory}");
    let mut files: Vec<_> = fs::read_dir(Path::new(root).join(directory))
        .unwrap_or_else(|e| panic!("{directory}: {e}"))
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .map(|path| {
            let text = fs::read_to_string(&path);
            let text = text.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let stem = path.file_stem().expect("a file name").to_string_lossy();
            (stem.into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

/// Returns the table of the files in `toolchains/` that a prefix gets: path and text of each, sorted.
fn toolchains(root: &str) -> String {
    let top = Path::new(root).join("toolchains");
    let mut directories = vec![top.join("prefix"), top.join("repository")];
    let mut rows = Vec::new();
    while let Some(directory) = directories.pop() {
        println!("cargo::rerun-if-changed={}", directory.display());
        for entry in
            fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_none_or(|extension| extension != "md") {
                let place = path.strip_prefix(&top).expect("a file below it");
                rows.push(format!("({place:?}, include_str!({path:?})),\n"));
            }
        }
    }
    rows.sort();
    format!("&[\n{}]\n", rows.concat())
}

/// Returns the tables of the site answers: each layer with its answers, and the sources of the probes.
fn site_cache(root: &str) -> String {
    let probes = files(root, "site-cache/probes", "c");
    let has_probe = |name: &str| probes.iter().any(|(stem, _)| stem == name);
    let mut layers = Vec::new();
    for (stem, text) in files(root, "site-cache", "toml") {
        let file = format!("site-cache/{stem}.toml");
        let layer = LayerFile::parse(&text).unwrap_or_else(|e| fail(&file, &e));
        let names = text.lines().skip_while(|line| *line != "[answers]").skip(1);
        let names: Vec<&str> = names.filter_map(|line| line.split(" = ").next()).collect();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] >= pair[1]) {
            let (one, other) = (pair[1], pair[0]);
            fail(
                &file,
                &format!("`{one}` belongs before `{other}`: answers are sorted, one per line"),
            );
        }
        if names.len() != layer.answers.len() {
            fail(
                &file,
                "after `[answers]`, only answers are allowed, one per line",
            );
        }
        if layer.summary.is_none() || layer.kind.is_none() || layer.tuples.is_empty() {
            fail(&file, "a layer needs `summary`, `kind` and `tuples`");
        }
        for (name, answer) in &layer.answers {
            let fail = |message: &str| -> ! { fail(&file, &format!("`{name}`: {message}")) };
            let Some(WrittenAnswer {
                asker: Some(_),
                obtained: Some(obtained),
                probe,
                ..
            }) = answer
            else {
                fail("a built-in answer needs `value`, `asker` and `obtained`");
            };
            match (obtained, probe) {
                (Obtained::Probe, None) => fail("`obtained` is \"probe\", and `probe` is missing"),
                (Obtained::Read, Some(_)) => {
                    fail("it has a `probe`, so `obtained` has to be \"probe\"")
                }
                (Obtained::Learned, _) => {
                    fail("an answer that was learned for one target cannot be built in")
                }
                (_, Some(probe)) if !has_probe(probe) => {
                    fail(&format!("site-cache/probes/{probe}.c does not exist"))
                }
                _ => {}
            }
        }
        layers.push((stem, layer));
    }
    layers.sort_by_key(|(_, layer)| layer.kind);
    check_agreement(root, &layers);
    let cow = |text: &str| format!("Cow::Borrowed({text:?})");
    let optional = |text: Option<&String>| match text {
        Some(text) => format!("Some({})", cow(text)),
        None => "None".into(),
    };
    let mut text = String::from("static LAYERS: &[BuiltInLayer] = &[\n");
    for (stem, layer) in &layers {
        let LayerFile {
            summary,
            kind,
            tuples,
            except,
            answers,
        } = layer;
        let (summary, kind) = (summary.as_deref().expect("checked"), kind.expect("checked"));
        let _ = writeln!(
            text,
            "BuiltInLayer {{ name: {stem:?}, summary: {summary:?}, kind: LayerKind::{kind:?}, tuples: &{tuples:?}, except: &{except:?}, answers: &["
        );
        for (name, answer) in answers {
            let WrittenAnswer {
                value,
                asker,
                obtained,
                probe,
                note,
                about,
                asked,
                needs,
                others,
            } = answer.as_ref().expect("checked");
            let others = others.iter().map(|other| {
                let [text, asked] = [&other.text, &other.asked].map(|text| cow(text));
                let value = optional(other.value.as_ref());
                format!("OtherTest {{ text: {text}, value: {value}, asked: {asked} }}")
            });
            let others = borrowed(&others.collect::<Vec<_>>());
            let about = about.map_or("None".into(), |about| format!("Some(About::{about:?})"));
            let [asker, probe, note, asked, needs] =
                [asker, probe, note, asked, needs].map(|text| optional(text.as_ref()));
            let [name, value, layer] = [name, value, stem].map(|text| cow(text));
            let obtained = obtained.expect("checked");
            let _ = writeln!(
                text,
                "Answer {{ name: {name}, value: Some({value}), asker: {asker}, obtained: Some(Obtained::{obtained:?}), probe: {probe}, note: {note}, about: {about}, asked: {asked}, needs: {needs}, others: {others}, layer: {layer}, origin: Origin::BuiltIn }},",
            );
        }
        text += "] },\n";
    }
    text += "];\nconst PROBES: &[(&str, &str)] = &[\n";
    for (stem, source) in &probes {
        let _ = writeln!(text, "({stem:?}, {source:?}),");
    }
    text + "];\n"
}

/// Checks that no two layers of the same kind give a tuple different answers, for tuples of each CPU and many systems.
fn check_agreement(root: &str, layers: &[(String, LayerFile)]) {
    let families = files(root, "profiles", "toml");
    let cpus = families.iter().flat_map(|(stem, text)| {
        let family: toml::Table = text.parse().unwrap_or_else(|e| panic!("{stem}: {e}"));
        let cpus = family["cpus"].as_array().expect("a list").clone();
        cpus.into_iter()
            .map(|cpu| cpu.as_str().expect("a glob").replace(['*', '?'], ""))
    });
    let tuples: Vec<String> = cpus
        .flat_map(|cpu| SYSTEMS.map(|system| format!("{cpu}{system}")))
        .collect();
    let fits = |globs: &[String], tuple: &str| globs.iter().any(|glob| glob::matches(glob, tuple));
    for tuple in &tuples {
        let mut seen: BTreeMap<(LayerKind, &str), (&str, &str)> = BTreeMap::new();
        for (stem, layer) in layers {
            if !fits(&layer.tuples, tuple) || fits(&layer.except, tuple) {
                continue;
            }
            for (name, answer) in &layer.answers {
                let (kind, value) = (
                    layer.kind.expect("checked"),
                    &answer.as_ref().expect("checked").value,
                );
                let (other, before) = *seen.entry((kind, name)).or_insert((stem, value));
                if before != value {
                    let file = format!("site-cache/{stem}.toml");
                    fail(
                        &file,
                        &format!(
                            "`{name}` for `{tuple}` is {value:?} here and {before:?} in {other}.toml, a layer of the same kind"
                        ),
                    );
                }
            }
        }
    }
}

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let table = |directory, row: fn(&(String, String)) -> String| {
        let rows: String = files(&root, directory, "toml").iter().map(row).collect();
        format!("&[\n{rows}]\n")
    };
    for (name, text) in [
        ("site_cache", site_cache(&root)),
        ("wrappers", table("wrappers", wrapper)),
        ("profiles", table("profiles", family)),
        ("toolchains", toolchains(&root)),
    ] {
        let path = Path::new(&out).join(format!("{name}.rs"));
        fs::write(path, text).expect("a writable OUT_DIR");
    }
    println!("cargo::rerun-if-env-changed=CROSSMERGE_EPREFIX");
    // The linker reads this file: see the Makefile.
    println!("cargo::rerun-if-changed=src/start.ld");
}
