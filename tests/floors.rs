//! The floors of `src/` and `crates/`: a module uses only modules before it in the table, and no two files use each
//! other.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// The floors from the ground up: each has a name and its modules in order, and each module has a description of one
/// line.
const FLOORS: [(&str, &[(&str, &str)]); 10] = [
    (
        "ground: `crates/plan`",
        &[
            (
                "shown",
                "names chosen by other users, escaped for a terminal",
            ),
            (
                "words",
                "paths and arguments, quoted for a shell or as JSON",
            ),
            (
                "report",
                "notes, output, failures with hints and exit codes",
            ),
            ("glob", "globs on tuples and names"),
            ("tuple", "tuples, validated once"),
            (
                "plan",
                "a program, its environment and the steps before it, as data",
            ),
            (
                "env",
                "the environment variables, and the only code that reads them",
            ),
        ],
    ),
    (
        "system: `crates/system`",
        &[
            ("file", "reads and writes files that other users may change"),
            (
                "user",
                "whether the process acts for the system or for one user",
            ),
            ("elf", "the header of an ELF file"),
            (
                "exec",
                "carries out plans: the only code that starts programs",
            ),
            ("script", "the `#!` line of a script"),
            ("search", "the search for programs in PATH"),
        ],
    ),
    (
        "facts",
        &[
            ("terminal", "errors, hints and progress on a terminal"),
            (
                "steps",
                "the progress and the logs of a task that has several steps",
            ),
            ("autoconf", "reads configure scripts: `crates/autoconf`"),
            ("system", "the systems and libcs that a tuple may end in"),
            ("argv0", "the applet and the tuple in the command's name"),
            ("target", "the facts about a tuple, from `profiles/`"),
            ("name", "the names that users give to targets"),
            ("kernel", "kernel trees and their Makefiles"),
            ("config", "the user's configuration"),
            (
                "distribution",
                "how the host's distribution installs a program",
            ),
            ("compressor", "the programs that compress archives"),
            (
                "portage",
                "Portage's settings, repositories and installed packages: `crates/portage`",
            ),
        ],
    ),
    (
        "context",
        &[
            ("context", "the lookups for one target"),
            ("abi", "the ABI of a compiler's output"),
            ("libraries", "the target's library directories"),
        ],
    ),
    (
        "machines",
        &[
            ("profile", "Portage profiles for a target"),
            (
                "qemu",
                "runs a target's programs and enters its roots, with QEMU's user mode",
            ),
            ("emulator", "the command that runs a target's program"),
            (
                "boot",
                "starts images on virtual boards, with QEMU's system emulator",
            ),
        ],
    ),
    (
        "answers",
        &[
            (
                "export",
                "the facts about a target, in the forms that build systems read",
            ),
            (
                "pkg_config",
                "where pkg-config searches, and the audit of what it prints",
            ),
            (
                "call",
                "the context of one run, with the facts that its layers share",
            ),
            ("site_cache", "answers for configure scripts"),
        ],
    ),
    (
        "applets",
        &[
            ("layer", "named sets of changes to the environment"),
            (
                "applet",
                "makes a plan from a wrapper definition and arguments",
            ),
        ],
    ),
    (
        "changes",
        &[
            ("links", "the symlinks under which crossmerge is called"),
            ("crossdev", "what crossdev has set up on a host"),
            ("init", "makes a target, and removes it"),
            (
                "adopt",
                "takes over crossdev's wrappers, and puts them back",
            ),
            ("fix_root", "corrects paths in a sysroot"),
            (
                "toolchain",
                "builds cross toolchains, and prepares what that needs",
            ),
            ("root", "builds, checks and measures roots of devices"),
            ("image", "makes images of a root"),
            (
                "farm",
                "compiler caches, compile servers and binary packages for a target",
            ),
        ],
    ),
    (
        "reports",
        &[
            ("targets", "the targets of the host and their states"),
            (
                "doctor",
                "what is wrong with a target, and the command that fixes it",
            ),
        ],
    ),
    (
        "doors",
        &[
            ("run", "the table of applets with code"),
            ("cli", "the commands of `crossmerge` itself"),
        ],
    ),
];

/// The module path of a file. The root of the crate is empty.
type Module = Vec<String>;

/// The modules that each file uses, each with one of the paths that name it.
type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

#[test]
fn no_module_uses_one_of_a_higher_floor() {
    let order: Vec<&str> = FLOORS
        .iter()
        .flat_map(|(_, modules)| modules.iter().map(|(name, _)| *name))
        .collect();
    let rank = |module: &Module| order.iter().position(|name| *name == module[0]);
    let graph = graph(&sources());
    let mut up = Vec::new();
    for (module, named) in graph.iter().filter(|(module, _)| !module.is_empty()) {
        let own = rank(module).unwrap_or_else(|| panic!("`{}` has no floor", module[0]));
        for (other, path) in named.iter().filter(|(other, _)| !other.is_empty()) {
            if rank(other).is_none_or(|other| other > own) {
                up.push(format!("`{}` names `{path}`", module.join("::")));
            }
        }
    }
    assert_eq!(up, [""; 0], "a module names one that stands above it");
    let known: BTreeSet<&str> = graph
        .keys()
        .filter_map(|module| Some(module.first()?.as_str()))
        .collect();
    let gone: Vec<_> = order.iter().filter(|name| !known.contains(*name)).collect();
    assert_eq!(gone, [&""; 0], "no such module");
}

#[test]
fn no_two_files_use_each_other() {
    if let Some(circle) = circle(&graph(&sources())) {
        panic!("these files name each other in a circle: {circle}");
    }
}

#[test]
fn the_first_comment_of_the_library_shows_the_floors() {
    let lib = std::fs::read_to_string(src().join("lib.rs")).expect("lib.rs");
    let mut table = String::new();
    for (floor, modules) in FLOORS {
        let _ = writeln!(table, "//! | **{floor}** | |");
        for (name, what) in modules {
            let _ = writeln!(table, "//! | `{name}` | {what} |");
        }
    }
    assert!(lib.contains(&table), "src/lib.rs should have:\n{table}");
}

#[test]
fn every_syntax_that_names_a_module_is_recognised() {
    let files = |text: &str| {
        let of = |path: &str, text: &str| {
            let module = path.split("::").filter(|part| !part.is_empty());
            (module.map(str::to_owned).collect(), text.to_owned())
        };
        let parent = "mod b; pub use b::B; fn f() { b::g() }";
        let empty = [of("c", ""), of("c::d", ""), of("", "mod a; mod c;")];
        [of("a", parent), of("a::b", text)]
            .into_iter()
            .chain(empty)
            .collect()
    };
    for text in [
        "use super::A;",
        "use super::{b, A};",
        "use super::*;",
        "use crate::a::A;",
        "use crate::{c, a::{self}};",
        "fn f() { super::f() }",
        "fn f() { println!(\"{}\", crate::a::f()) }",
        "mod inner { fn f() { super::super::f() } }",
    ] {
        let graph: Graph = graph(&files(text));
        assert!(circle(&graph).is_some(), "{text}: {graph:?}");
    }
    for text in [
        "// use super::A;",
        "/// [`super::A`]\nfn f() { \"super::A\"; }",
        "use crate::c::{d::D, C};",
        "pub(in crate::a) fn f() {}",
        "mod inner { use super::*; fn f() { super::f() } }",
        "#[cfg(test)] mod tests { use super::super::A; }",
        "#[cfg(any(test, feature = \"fuzzing\"))] pub use super::A;",
        "use std::{io, path::Path};",
    ] {
        let graph: Graph = graph(&files(text));
        assert_eq!(circle(&graph), None, "{text}: {graph:?}");
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The crates: directory, name, and what this test puts before the module paths of their files. The root of the last
/// crate counts as the root of all. The other roots only list their modules.
const CRATES: [(&str, &str, &str); 5] = [
    ("crates/plan/src", "crossmerge_plan", ""),
    ("crates/system/src", "crossmerge_system", ""),
    ("crates/portage/src", "crossmerge_portage", "portage"),
    ("crates/autoconf/src", "crossmerge_autoconf", "autoconf"),
    ("src", "crossmerge", ""),
];

/// The files of all crates, without the properties for fuzzing and tests, which may use every module.
fn sources() -> BTreeMap<Module, String> {
    let mut sources = BTreeMap::new();
    for (top, _, prefix) in CRATES {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(top);
        let mut directories = vec![top.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let relative = path
                    .strip_prefix(&top)
                    .expect("below it")
                    .with_extension("");
                let parts = relative
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned());
                let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
                let module: Module = prefix
                    .into_iter()
                    .chain(parts)
                    .filter(|part| part != "lib")
                    .collect();
                let name = module.last().map_or("", String::as_str);
                if path.extension().is_some_and(|extension| extension == "rs")
                    && !["main", "fuzzing", "hostile", "properties"].contains(&name)
                {
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    sources.insert(module, text);
                }
            }
        }
    }
    sources
}

fn graph(sources: &BTreeMap<Module, String>) -> Graph {
    let edges = |(module, text): (&Module, &String)| {
        let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{module:?}: {e}"));
        let mut paths = Vec::new();
        collect(tokens, 0, &mut paths);
        let mut named = BTreeMap::new();
        for path in paths {
            let Some(mut other) = absolute(&path, module, sources) else {
                continue;
            };
            while !other.is_empty() && !sources.contains_key(&other) {
                other.pop();
            }
            // A macro belongs to the root of its crate, which names all modules.
            let is_macro = other.is_empty() && path.segments[0].starts_with("crossmerge_");
            if other != *module && !is_macro {
                named
                    .entry(other)
                    .or_insert_with(|| path.segments.join("::"));
            }
        }
        (module.clone(), named)
    };
    sources.iter().map(edges).collect()
}

/// A path in a file.
struct Named {
    segments: Vec<String>,
    /// The number of inline modules that enclose it.
    depth: usize,
}

/// The module path that a path in the code means, with the names after it. Returns `None` if it begins outside these
/// crates.
fn absolute(path: &Named, module: &Module, sources: &BTreeMap<Module, String>) -> Option<Module> {
    let mut segments = path.segments.as_slice();
    let mut depth = path.depth;
    let mut base = module.clone();
    match segments[0].as_str() {
        // The root of the crate, before whose modules the table may put a prefix.
        "crate" => {
            let is_prefix = |first: &String| CRATES.iter().any(|(_, _, prefix)| first == prefix);
            base.truncate(usize::from(module.first().is_some_and(is_prefix)));
        }
        "self" | "super" => {
            while let Some("self" | "super") = segments.first().map(String::as_str) {
                match (segments[0] == "super", depth) {
                    (true, 0) => drop(base.pop()),
                    (true, _) => depth -= 1,
                    (false, _) => {}
                }
                segments = &segments[1..];
            }
            // `super` inside an inline module is still in the file.
            if depth > 0 {
                return None;
            }
            base.extend_from_slice(segments);
            return Some(base);
        }
        name if name.starts_with("crossmerge_") => {
            let (_, _, prefix) = CRATES.iter().find(|(_, known, _)| *known == name)?;
            base = Vec::from_iter(
                Some(*prefix)
                    .filter(|prefix| !prefix.is_empty())
                    .map(str::to_owned),
            );
        }
        child => {
            let child = [module.as_slice(), &[child.to_owned()]].concat();
            if path.depth > 0 || !sources.contains_key(&child) {
                return None;
            }
            base.extend_from_slice(segments);
            return Some(base);
        }
    }
    base.extend_from_slice(&segments[1..]);
    Some(base)
}

/// Collects the paths of a file, in `use` declarations and in the code, without code that is compiled for tests only.
fn collect(tokens: TokenStream, depth: usize, paths: &mut Vec<Named>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let word = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => ident.to_string(),
            _ => String::new(),
        };
        match &tokens[at] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let attribute = tokens
                    .get(at + 1)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                at += 2;
                if attribute.contains("cfg") && attribute.contains("test") {
                    at = end_of_item(&tokens, at);
                }
                continue;
            }
            TokenTree::Ident(ident) if ident == "use" => {
                let end = (at..tokens.len()).find(|at| is_punct(&tokens, *at, ';'));
                let end = end.unwrap_or(tokens.len());
                tree(&tokens[at + 1..end], &[], depth, paths);
                at = end;
            }
            TokenTree::Ident(ident) if ident == "pub" => {
                // `pub(in crate::a)` uses no module. It limits which modules may use this one.
                if let Some(TokenTree::Group(_)) = tokens.get(at + 1) {
                    at += 1;
                }
            }
            TokenTree::Ident(ident) if ident == "mod" => {
                if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                    collect(body.stream(), depth + 1, paths);
                }
                at += 2;
            }
            TokenTree::Ident(_) => {
                let mut segments = vec![word(at)];
                while is_punct(&tokens, at + 1, ':') && is_punct(&tokens, at + 2, ':') {
                    match word(at + 3) {
                        name if name.is_empty() => break,
                        name => segments.push(name),
                    }
                    at += 3;
                }
                if segments.len() > 1 {
                    paths.push(Named { segments, depth });
                }
            }
            TokenTree::Group(group) => collect(group.stream(), depth, paths),
            _ => {}
        }
        at += 1;
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, wanted: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// The index behind the item that begins at a token: after its `;` or its body.
fn end_of_item(tokens: &[TokenTree], from: usize) -> usize {
    let is_use = (from..tokens.len().min(from + 3))
        .any(|at| matches!(&tokens[at], TokenTree::Ident(ident) if ident == "use"));
    let ends = |at: &usize| match &tokens[*at] {
        TokenTree::Group(group) => !is_use && group.delimiter() == Delimiter::Brace,
        _ => is_punct(tokens, *at, ';') || is_punct(tokens, *at, ','),
    };
    (from..tokens.len())
        .find(ends)
        .map_or(tokens.len(), |at| at + 1)
}

/// Collects the paths of a `use` tree.
fn tree(tokens: &[TokenTree], before: &[String], depth: usize, paths: &mut Vec<Named>) {
    for branch in tokens.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
        let mut segments = before.to_vec();
        let mut has_branches = false;
        for token in branch {
            match token {
                TokenTree::Ident(ident) if ident == "as" => break,
                TokenTree::Ident(ident) if ident == "self" && !segments.is_empty() => {}
                TokenTree::Ident(ident) => segments.push(ident.to_string()),
                TokenTree::Group(group) => {
                    has_branches = true;
                    let branches: Vec<TokenTree> = group.stream().into_iter().collect();
                    tree(&branches, &segments, depth, paths);
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => segments.push("*".into()),
                _ => {}
            }
        }
        if !has_branches && !branch.is_empty() {
            paths.push(Named { segments, depth });
        }
    }
}

/// Describes a cycle of files.
fn circle(graph: &Graph) -> Option<String> {
    let mut done = BTreeSet::new();
    let mut way = Vec::new();
    graph
        .keys()
        .find_map(|module| visit(module, graph, &mut done, &mut way))
}

fn visit<'g>(
    module: &'g Module,
    graph: &'g Graph,
    done: &mut BTreeSet<&'g Module>,
    way: &mut Vec<&'g Module>,
) -> Option<String> {
    if let Some(at) = way.iter().position(|known| *known == module) {
        let next = way[at + 1..].iter().copied().chain([module]);
        let names = way[at..].iter().zip(next).map(|(module, next)| {
            format!("`{}` names `{}`", module.join("::"), graph[*module][next])
        });
        return Some(names.collect::<Vec<_>>().join(", "));
    }
    if !done.insert(module) {
        return None;
    }
    way.push(module);
    let named = graph.get(module).into_iter().flat_map(BTreeMap::keys);
    let found = { named }.find_map(|other| visit(other, graph, done, way));
    way.pop();
    found
}
