//! What `crossdev --show-target-cfg` prints, which shell scripts read. Pure.

use super::{
    class::{Part, TargetClass},
    error::ToolchainError,
    part::parts,
    request::{Extra, ToolchainRequest},
};
use crate::context::Context;
use crossmerge_portage::Repositories;
use std::fmt::Write as _;

/// The parts by crossdev's names, in its order.
const GNU: [(Part, &str); 5] = [
    (Part::Binutils, "binutils"),
    (Part::Gcc, "gcc"),
    (Part::Kernel, "kernel"),
    (Part::Libc, "libc"),
    (Part::Gdb, "gdb"),
];

/// Renders a property of the repositories, which crossdev's emerge-wrapper reads.
pub(crate) fn repository(context: &Context, variable: &str) -> Result<String, ToolchainError> {
    const REPOSITORIES: &str = "PORTAGE_REPOSITORIES";
    let settings = context.host_settings(&[REPOSITORIES])?;
    let settings = settings.ok_or(ToolchainError::NoRepository)?;
    let repositories = Repositories::parse(&settings[REPOSITORIES]);
    let main = repositories.main().ok_or(ToolchainError::NoRepository)?;
    let shown = match variable {
        "MAIN_REPO_PATH" => main.location.display().to_string(),
        "MAIN_REPO_NAME" => main.name.clone(),
        "REPO_CONFIG" => settings[REPOSITORIES].clone(),
        "SEARCH_OVERLAYS" => {
            let others = repositories
                .all
                .iter()
                .filter(|repository| *repository != main);
            let others: Vec<String> = others
                .map(|one| one.location.display().to_string())
                .collect();
            others.join(" ")
        }
        other => {
            return Err(ToolchainError::NoVariable {
                name: other.to_owned(),
            });
        }
    };
    Ok(format!("{shown}\n"))
}

/// Renders a target's packages as shell variables.
pub(crate) fn target(request: &ToolchainRequest, family: Option<&str>) -> String {
    let class = &TargetClass::of(&request.tuple);
    let parts = parts(request, class);
    let mut text = format!(
        "arch={}\ntarget={}\ncategory={}\n",
        class.arch(&request.tuple, family),
        request.tuple,
        request.category()
    );
    let mut names = Vec::new();
    let gdb = request.extra.contains(&Extra::Gdb);
    for (part, name) in GNU
        .into_iter()
        .filter(|(part, _)| gdb || *part != Part::Gdb)
    {
        let found = parts.iter().find(|one| one.part == Some(part));
        let package = found.map(|found| &found.package);
        let category = package.map_or("", |package| &package.category);
        let _ = writeln!(text, "{name}_category={category}");
        let _ = writeln!(
            text,
            "{name}_pn={}",
            package.map_or("", |package| &package.name)
        );
        names.push(name);
    }
    let _ = writeln!(text, "crosspkgs='{}'", names.join(" "));
    let extra: Vec<&str> = parts
        .iter()
        .filter(|part| part.part.is_none())
        .map(|part| {
            let (category, name) = (&part.package.category, &part.package.name);
            let _ = writeln!(text, "ex_{name}_category={category}\nex_{name}_pn={name}");
            name.as_str()
        })
        .collect();
    if !extra.is_empty() {
        let _ = writeln!(text, "extrapkgs='{}'", extra.join(" "));
    }
    text
}
