//! One run of an applet: its context, and the facts for build systems, each looked up once.

use crate::{
    context::{Context, ContextError},
    export::{ExportError, Facts, Gcc, Tool, tools},
    pkg_config::PkgConfigSearch,
};
use once_cell::unsync::OnceCell;

/// The context of one run, with the facts that its layers and generated files share. Each is looked up when first
/// needed.
#[derive(Debug)]
pub struct Call<'a> {
    /// The context.
    pub context: &'a Context,
    facts: OnceCell<Facts>,
    build_tools: OnceCell<Vec<Tool>>,
    gcc: OnceCell<Option<Gcc>>,
    tools: OnceCell<Vec<Tool>>,
    pkg_config: OnceCell<PkgConfigSearch>,
}

impl<'a> Call<'a> {
    /// Creates a call without looking anything up.
    pub fn new(context: &'a Context) -> Self {
        Self {
            context,
            facts: OnceCell::new(),
            build_tools: OnceCell::new(),
            gcc: OnceCell::new(),
            tools: OnceCell::new(),
            pkg_config: OnceCell::new(),
        }
    }

    /// Returns the call with another environment. The facts that do not depend on the environment are kept.
    pub(crate) fn with<'b>(&self, context: &'b Context) -> Call<'b> {
        Call {
            context,
            facts: self.facts.clone(),
            // They depend on CBUILD in the environment.
            build_tools: OnceCell::new(),
            gcc: self.gcc.clone(),
            tools: self.tools.clone(),
            pkg_config: self.pkg_config.clone(),
        }
    }

    /// Returns the facts about the target for build systems.
    pub fn facts(&self) -> Result<&Facts, ExportError> {
        let gather = || {
            let build_tools = self.build_tools()?.to_vec();
            Facts::gather(self.context, self.tools().to_vec(), build_tools)
        };
        self.facts.get_or_try_init(gather)
    }

    /// Returns the installed compilers for the build machine.
    pub(crate) fn build_tools(&self) -> Result<&[Tool], ContextError> {
        let find = || {
            let cbuild = self.context.cbuild()?;
            Ok(tools::of_build_machine(self.context, cbuild.as_deref()))
        };
        self.build_tools.get_or_try_init(find).map(Vec::as_slice)
    }

    /// Returns the target's GCC. `None` if the target has clang, or a GCC with an unknown directory layout.
    pub(crate) fn gcc(&self) -> Option<&Gcc> {
        self.gcc.get_or_init(|| Gcc::of(self.context)).as_ref()
    }

    /// Returns the installed tools of the target's toolchain.
    pub(crate) fn tools(&self) -> &[Tool] {
        self.tools
            .get_or_init(|| tools::of_target(self.context, self.gcc()))
    }

    /// Returns the directories that pkg-config searches.
    pub(crate) fn pkg_config(&self) -> Result<&PkgConfigSearch, ContextError> {
        self.pkg_config
            .get_or_try_init(|| PkgConfigSearch::decide(self.context))
    }
}
