//! Decides how to undo adopt: each path gets its previous file back, unless a user has changed it since.

use super::{
    error::AdoptError,
    record::{AdoptRecord, AdoptedSymlink, Previous, directory_of_kept},
    request::{AdoptPlan, AdoptRequest},
    step::AdoptStep,
};
use crate::{crossdev::same_text, links::is_our_command};
use crossmerge_plan::{shown::Show, tuple::Tuple};
use std::collections::BTreeSet;

/// Decides on the steps for all targets of the request.
pub(super) fn decide(
    request: &AdoptRequest,
    record: &AdoptRecord,
) -> Result<AdoptPlan, AdoptError> {
    let chosen: BTreeSet<Tuple> = request.chosen(record)?;
    let recorded = record.tuples();
    if let Some(unknown) = chosen
        .iter()
        .find(|tuple| !recorded.contains(tuple.as_str()))
    {
        return Err(AdoptError::NotAdopted(unknown.clone()));
    }
    let (undone, left) = record.without(&chosen);
    let mut plan = AdoptPlan::default();
    let mut over = Vec::new();
    for tuple in &chosen {
        let before = plan.steps.len();
        for taken in undone.iter().filter(|taken| taken.is_of(tuple)) {
            over.extend(put_back(taken, &mut plan)?.then_some(taken));
        }
        let removed = plan.steps[before..]
            .iter()
            .filter(|step| matches!(step, AdoptStep::Remove { .. }))
            .count();
        let restored = plan.steps.len() - before - removed;
        plan.summary.push(format!(
            "restored {tuple}: {restored} of crossdev's wrappers put back, {removed} commands removed"
        ));
    }
    for taken in undone.iter().filter(|taken| taken.tuple.is_none()) {
        over.extend(put_back(taken, &mut plan)?.then_some(taken));
    }
    for taken in over {
        if let Previous::File(aside) = &taken.previous {
            plan.steps.push(AdoptStep::Discard {
                path: aside.clone(),
                top: directory_of_kept(request.config),
            });
        }
    }
    let path = AdoptRecord::file(request.config);
    match left.is_empty() {
        true if undone.is_empty() => {}
        true => plan.steps.push(AdoptStep::Remove { path }),
        false => plan.steps.push(AdoptStep::Write {
            path,
            text: left.to_text(),
        }),
    }
    Ok(plan)
}

/// Decides on the step for one symlink. Returns whether its previous file is back, so that the kept copy is no longer
/// needed.
fn put_back(taken: &AdoptedSymlink, plan: &mut AdoptPlan) -> Result<bool, AdoptError> {
    let path = &taken.path;
    let place = path.shown();
    let leads_to = fs_err::read_link(path).ok();
    if !is_our_command(path) && leads_to.as_ref() != Some(&taken.ours) {
        let is_there = path.symlink_metadata().is_ok();
        let is_back = match &taken.previous {
            Previous::Nothing => !is_there,
            Previous::Link(target) => leads_to.as_ref() == Some(target),
            // The kept copy is missing if an interrupted run had already put it back.
            Previous::File(aside) => !aside.exists() || same_text(path, aside),
        };
        if !is_back {
            let what = if is_there { "changed" } else { "removed" };
            let kept = match &taken.previous {
                Previous::File(aside) => {
                    format!("; its previous contents are in `{}`", aside.shown())
                }
                _ => String::new(),
            };
            plan.note(format!(
                "`{place}` is left as it is: it was {what} since it was adopted{kept}"
            ));
        }
        return Ok(is_back);
    }
    let path = path.clone();
    let step = match &taken.previous {
        Previous::Nothing => AdoptStep::Remove { path },
        Previous::Link(target) => {
            if !path.with_file_name(target).exists() {
                plan.note(format!(
                    "`{place}` leads to `{}` again, which does not exist",
                    target.shown()
                ));
            }
            AdoptStep::Link {
                path,
                target: target.clone(),
            }
        }
        Previous::File(aside) if aside.exists() => AdoptStep::Copy {
            from: aside.clone(),
            to: path,
        },
        Previous::File(aside) => {
            plan.note(format!(
                "`{place}` is left as it is: the copy of its previous contents, `{}`, is missing",
                aside.shown()
            ));
            return Ok(false);
        }
    };
    plan.steps.push(step);
    Ok(true)
}
