//! `crossmerge toolchain`.

pub(super) mod build;
mod existing;
mod lookup;
mod pack;
mod prepare;
mod request;
mod test;
mod update;

use super::{invocation::Invocation, print::print, toolchain_args::ToolchainCommand};
use crate::{
    context::Context,
    toolchain::{self, Removal, ToolchainRequest, ToolchainWork},
};
use build::{BuildOptions, build};
use crossmerge_plan::report::Failure;
use lookup::{at_portage, note, target};
use std::process::ExitCode;

/// Runs one of the commands.
pub(super) fn toolchain(
    invocation: Invocation<'_>,
    command: ToolchainCommand,
) -> Result<ExitCode, Failure> {
    match command {
        ToolchainCommand::Plan { options, json } => {
            let request = request::request(&invocation, options)?;
            let (env, config, _) = at_portage(&invocation)?;
            let context = Context::new(env, config, request.tuple.clone())?;
            let work = ToolchainWork::new(&context, &request)?;
            print(&match json {
                true => work.to_json(),
                false => work.to_text(),
            })
        }
        ToolchainCommand::Build {
            options,
            verbose,
            files_only,
            no_test,
        } => {
            let options = BuildOptions {
                request: request::request(&invocation, options)?,
                verbose,
                files_only,
                test: !no_test,
                show_log: false,
            };
            build(invocation, options)
        }
        ToolchainCommand::Status { tuples, json } => existing::status(&invocation, &tuples, json),
        ToolchainCommand::Log { tuple, step } => {
            existing::log(&invocation, &tuple, step.as_deref())
        }
        ToolchainCommand::Remove { tuple, dry_run } => {
            let (tuple, llvm) = target(&invocation, &tuple)?;
            let (_, config, _) = at_portage(&invocation)?;
            let llvm = llvm || existing::is_only_llvm(&existing::categories(&config)?, &tuple);
            remove(invocation, ToolchainRequest::new(tuple, llvm), dry_run)
        }
        ToolchainCommand::Update {
            tuples,
            like,
            verbose,
            no_test,
        } => {
            let how = update::How {
                like: like.as_deref(),
                verbose,
                test: !no_test,
            };
            update::update(&invocation, &tuples, &how)
        }
        ToolchainCommand::Test { tuples, json } => test::test(&invocation, &tuples, json),
        ToolchainCommand::Pack(options) => pack::pack(&invocation, &options),
        ToolchainCommand::Unpack(options) => pack::unpack(invocation, &options),
        ToolchainCommand::Prepare(options) => prepare::prepare(&invocation, &options),
        ToolchainCommand::List => {
            let (_, config, _) = at_portage(&invocation)?;
            let categories = existing::categories(&config)?.into_iter();
            print(
                &categories
                    .map(|category| format!("{category}\n"))
                    .collect::<String>(),
            )
        }
    }
}

/// Removes a toolchain.
pub(super) fn remove(
    invocation: Invocation<'_>,
    request: ToolchainRequest,
    dry_run: bool,
) -> Result<ExitCode, Failure> {
    let category = request.category();
    let (env, config, _) = at_portage(&invocation)?;
    let context = Context::new(env, config, request.tuple.clone())?;
    let decide = || toolchain::removal(&context, request.clone());
    let steps = decide()?;
    if dry_run {
        return print(&toolchain::removal_text(&steps));
    }
    let lock = toolchain::lock(&context.config, &category)?;
    let steps = decide()?;
    toolchain::remove(&context, &steps, &category, &lock)?;
    let kept: Vec<Removal> = { steps.iter() }
        .filter(|step| matches!(step, Removal::Keep(_)))
        .cloned()
        .collect();
    if !kept.is_empty() {
        note(toolchain::removal_text(&kept).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
