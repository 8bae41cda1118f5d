//! Undoing: what was there comes back, unless somebody has changed it since.

use super::{
    error::AdoptError,
    record::{AdoptRecord, AdoptedSymlink, Previous, directory_of_kept},
    request::{AdoptPlan, AdoptRequest},
    step::AdoptStep,
};
use crate::{crossdev::same_text, links::is_our_command};
use crossmerge_plan::{shown::Show, tuple::Tuple};
use std::collections::BTreeSet;

/// Decides on every target that is meant.
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

/// Decides on one link. Tells whether what was kept of it is there again, and so is needed no more.
fn put_back(taken: &AdoptedSymlink, plan: &mut AdoptPlan) -> Result<bool, AdoptError> {
    let path = &taken.path;
    let place = path.shown();
    let said = fs_err::read_link(path).ok();
    if !is_our_command(path) && said.as_ref() != Some(&taken.ours) {
        let is_there = path.symlink_metadata().is_ok();
        let is_back = match &taken.previous {
            Previous::Nothing => !is_there,
            Previous::Link(target) => said.as_ref() == Some(target),
            // What was kept is gone when a run that was killed had put it back.
            Previous::File(aside) => !aside.exists() || same_text(path, aside),
        };
        if !is_back {
            let what = if is_there { "changed" } else { "removed" };
            let kept = match &taken.previous {
                Previous::File(aside) => format!("; what was there is in `{}`", aside.shown()),
                _ => String::new(),
            };
            plan.note(format!(
                "`{place}` is left as it is: it was {what} since{kept}"
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
                    "`{place}` leads to `{}` again, which is not there",
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
                "`{place}` is left as it is: what was there is not in `{}` any more",
                aside.shown()
            ));
            return Ok(false);
        }
    };
    plan.steps.push(step);
    Ok(true)
}
