//! The facts as JSON, for programs. `docs/build-systems.md` names the keys.

use super::{facts::Facts, tools::Tool};
use crossmerge_plan::words::json_string;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Renders an object, whose first line names the command that made it.
pub(super) fn render(facts: &Facts, command: &str) -> String {
    let path = |path: &Path| json_string(path.as_os_str());
    let tools = |tools: &[Tool]| -> Map<String, Value> {
        let pairs = tools.iter();
        pairs
            .map(|tool| (tool.variable.to_owned(), path(&tool.path)))
            .collect()
    };
    let flags: Map<String, Value> = facts
        .flags
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let emulator = facts.emulator.as_ref().map(|emulator| {
        let words = emulator.words().iter();
        words.map(|word| json_string(word)).collect::<Vec<_>>()
    });
    let facts = json!({
        "target": facts.target,
        "sysroot": path(&facts.sysroot),
        "cbuild": facts.cbuild,
        "tools": tools(&facts.tools),
        "build_tools": tools(&facts.build_tools),
        "flags": flags,
        "emulator": emulator,
    });
    let body = format!("{facts:#}\n");
    let rest = body.strip_prefix("{\n").unwrap_or(&body);
    format!("{}\n{rest}", first_line(command))
}

/// Returns the first line of the object: JSON has no comments.
pub(super) fn first_line(command: &str) -> String {
    format!("{{ \"made_by\": \"crossmerge {command}\",")
}
