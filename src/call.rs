//! One call of an applet: the context, and what is looked up for build systems, once.

use crate::{
    context::{Context, ContextError},
    export::{ExportError, Facts, Gcc, Tool, tools},
    pkg_config::PkgConfigSysroot,
};
use once_cell::unsync::OnceCell;

/// The context of a call with the facts that its layers and files share. Each is gathered when it is first needed.
#[derive(Debug)]
pub struct Call<'a> {
    /// The context.
    pub context: &'a Context,
    facts: OnceCell<Facts>,
    build_tools: OnceCell<Vec<Tool>>,
    gcc: OnceCell<Option<Gcc>>,
    tools: OnceCell<Vec<Tool>>,
    view: OnceCell<PkgConfigSysroot>,
}

impl<'a> Call<'a> {
    /// A call for which nothing is gathered yet.
    pub fn new(context: &'a Context) -> Self {
        Self {
            context,
            facts: OnceCell::new(),
            build_tools: OnceCell::new(),
            gcc: OnceCell::new(),
            tools: OnceCell::new(),
            view: OnceCell::new(),
        }
    }

    /// The same call with another environment: the facts that were gathered still hold.
    pub(crate) fn with<'b>(&self, context: &'b Context) -> Call<'b> {
        Call {
            context,
            facts: self.facts.clone(),
            // CBUILD is of the environment.
            build_tools: OnceCell::new(),
            gcc: self.gcc.clone(),
            tools: self.tools.clone(),
            view: self.view.clone(),
        }
    }

    /// What build systems are told of the target.
    pub fn facts(&self) -> Result<&Facts, ExportError> {
        let gather = || {
            let build_tools = self.build_tools()?.to_vec();
            Facts::gather(self.context, self.tools().to_vec(), build_tools)
        };
        self.facts.get_or_try_init(gather)
    }

    /// The build machine's compilers that exist.
    pub(crate) fn build_tools(&self) -> Result<&[Tool], ContextError> {
        let find = || {
            let cbuild = self.context.cbuild()?;
            Ok(tools::of_build_machine(self.context, cbuild.as_deref()))
        };
        self.build_tools.get_or_try_init(find).map(Vec::as_slice)
    }

    /// The target's GCC; `None` if the target has clang, or a GCC in a layout of its own.
    pub(crate) fn gcc(&self) -> Option<&Gcc> {
        self.gcc.get_or_init(|| Gcc::of(self.context)).as_ref()
    }

    /// The target's tools that exist.
    pub(crate) fn tools(&self) -> &[Tool] {
        self.tools
            .get_or_init(|| tools::of_target(self.context, self.gcc()))
    }

    /// Where pkg-config searches.
    pub(crate) fn view(&self) -> Result<&PkgConfigSysroot, ContextError> {
        self.view
            .get_or_try_init(|| PkgConfigSysroot::decide(self.context))
    }
}
