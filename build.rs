//! Embeds the data folders: every `wrappers/*.toml` and `profiles/*.toml` becomes a `(name, text)` row of a
//! generated table, so that adding an applet or a CPU family is adding a file and nothing else. The applets' names get a table
//! of their own, so that none of the texts has to be read to know them.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script through the environment"
)]

use std::{env, fs, path::Path};

/// The row of a wrapper's names, by the rule of `Wrapper::names`: those of its tools, those it lists, or the file's own.
fn names(path: &Path) -> String {
    let stem = path.file_stem().expect("a file name").to_string_lossy();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let wrapper: toml::Table = text
        .parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let tools = wrapper.get("tools").and_then(toml::Value::as_table);
    let mut names: Vec<&str> = tools.map_or(Vec::new(), |tools| {
        tools.keys().map(String::as_str).collect()
    });
    let listed = wrapper.get("names").and_then(toml::Value::as_array);
    names.extend(listed.into_iter().flatten().filter_map(toml::Value::as_str));
    if names.is_empty() {
        names.push(&stem);
    }
    format!("({stem:?}, &{names:?}),\n")
}

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for folder in ["wrappers", "profiles"] {
        println!("cargo::rerun-if-changed={folder}");
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        let mut paths: Vec<_> = fs::read_dir(Path::new(&root).join(folder))
            .unwrap_or_else(|e| panic!("{folder}: {e}"))
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|e| e == "toml"))
            .collect();
        paths.sort();
        let rows: String = paths
            .iter()
            .map(|path| {
                let stem = path.file_stem().expect("a file name").to_string_lossy();
                format!("({stem:?}, include_str!({:?})),\n", path.to_string_lossy())
            })
            .collect();
        let write = |name: &str, rows: String| {
            let path = Path::new(&out).join(format!("{name}.rs"));
            fs::write(path, format!("&[\n{rows}]\n")).expect("a writable OUT_DIR");
        };
        write(folder, rows);
        if folder == "wrappers" {
            write("names", paths.iter().map(|path| names(path)).collect());
        }
    }
    println!("cargo::rerun-if-env-changed=CROSSMERGE_EPREFIX");
}
