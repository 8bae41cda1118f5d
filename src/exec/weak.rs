//! Whether somebody else could put another program in the place of one that root is about to run. Said once for each folder.
//!
//! Nothing is refused: who may write to root's PATH is root already, and this names the folder that makes it so. What others run is
//! their own affair, so for them nothing is looked at.

use crate::{
    file::weak_point,
    plan::{Plan, step::Step},
    user,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The programs that were looked at.
static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// What was named.
static NAMED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Looks at the program of a plan, and warns when it is not root's alone. In a root that is entered, programs are whose the root is.
pub(super) fn warn_of(plan: &Plan) {
    let is_in_root = plan.enter.iter().any(|step| matches!(step, Step::Root(_)));
    if !is_in_root && user::acts_for_system() {
        warn_of_program(&plan.program);
    }
}

fn warn_of_program(program: &Path) {
    let is_new = |paths: &Mutex<BTreeSet<PathBuf>>, path: &Path| {
        let paths = paths.lock();
        paths.is_ok_and(|mut paths| paths.insert(path.into()))
    };
    if !is_new(&SEEN, program) {
        return;
    }
    // What cannot be looked at cannot be run either, and that is said then.
    let Ok(Some(weak)) = weak_point(program) else {
        return;
    };
    if is_new(&NAMED, &weak.path) {
        let program = program.display();
        crate::say(&format!(
            "warning: `{program}` is run as root, and somebody else may change {weak}; to mend it: `{}`",
            weak.mend()
        ));
    }
}
