//! Embeds the data folders: every `wrappers/*.toml` and `profiles/*.toml` becomes a `(name, text)` row of a
//! generated table, so that adding an applet or a CPU family is adding a file and nothing else.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script through the environment"
)]

use std::{env, fs, path::Path};

fn main() {
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
        let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
        fs::write(
            Path::new(&out).join(format!("{folder}.rs")),
            format!("&[\n{rows}]\n"),
        )
        .expect("a writable OUT_DIR");
    }
    println!("cargo::rerun-if-env-changed=CROSSMERGE_EPREFIX");
}
