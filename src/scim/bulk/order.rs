//! In which order operations can run: what another one names comes before it, everything else as it was sent.
//!
//! B-17, B-18: a depth-first walk in request order finds the strongly connected sets (Tarjan), and hands each out
//! after everything it leads to. Only creations are ever moved, and only forward, so operations on one resource keep
//! their order (B-23).

use std::collections::HashMap;

use super::message::{Action, BulkRequest};

/// Operations that must run together; nearly always a single one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Positions in the request, ascending.
    pub operations: Vec<usize>,
    /// They name each other, or the one names itself.
    pub circle: bool,
}

/// The units of a request in an order in which they can run.
#[must_use]
pub fn order(request: &BulkRequest) -> Vec<Unit> {
    units(&edges(request))
}

/// For each operation the creations that it names.
fn edges(request: &BulkRequest) -> Vec<Vec<usize>> {
    let planned = || {
        request
            .operations
            .iter()
            .enumerate()
            .filter_map(|(at, operation)| Some((at, operation, operation.planned.as_ref().ok()?)))
    };
    let makers: HashMap<&str, usize> = planned()
        .filter(|(_, _, planned)| planned.action == Action::Create)
        .filter_map(|(at, operation, _)| Some((operation.bulk_id.as_deref()?, at)))
        .collect();
    let mut edges = vec![Vec::new(); request.operations.len()];
    for (at, _, planned) in planned() {
        if let Some(edges) = edges.get_mut(at) {
            edges.extend(
                planned
                    .references
                    .iter()
                    .filter_map(|name| makers.get(name.as_str())),
            );
        }
    }
    edges
}

/// What the walk knows of one operation.
#[derive(Clone, Default)]
struct Mark {
    /// When it was first met; `None` before.
    met: Option<usize>,
    /// The earliest one it can get back to.
    back: usize,
    /// It waits for its set to be complete.
    waits: bool,
}

/// Tarjan's algorithm with its own stack, as a request may be one long chain.
fn units(edges: &[Vec<usize>]) -> Vec<Unit> {
    let mut walk = Walk {
        marks: vec![Mark::default(); edges.len()],
        waiting: Vec::new(),
        met: 0,
    };
    let mut units = Vec::new();
    for start in 0..edges.len() {
        if !walk.is_new(start) {
            continue;
        }
        walk.meet(start);
        // where we are, and how many of its edges we have followed
        let mut path = vec![(start, 0)];
        while let Some((at, followed)) = path.last_mut() {
            let (at, next) = (*at, edges.get(*at).and_then(|edges| edges.get(*followed)));
            *followed += 1;
            match next {
                Some(&next) if walk.is_new(next) => {
                    walk.meet(next);
                    path.push((next, 0));
                }
                Some(&next) => walk.sees(at, next),
                None => {
                    path.pop();
                    if let Some((above, _)) = path.last() {
                        walk.returns(*above, at);
                    }
                    if let Some(operations) = walk.complete(at) {
                        let named = edges.get(at).is_some_and(|edges| edges.contains(&at));
                        let circle = operations.len() > 1 || named;
                        units.push(Unit { operations, circle });
                    }
                }
            }
        }
    }
    units
}

struct Walk {
    marks: Vec<Mark>,
    waiting: Vec<usize>,
    met: usize,
}

impl Walk {
    fn is_new(&self, at: usize) -> bool {
        self.marks.get(at).is_some_and(|mark| mark.met.is_none())
    }

    fn meet(&mut self, at: usize) {
        if let Some(mark) = self.marks.get_mut(at) {
            *mark = Mark {
                met: Some(self.met),
                back: self.met,
                waits: true,
            };
            self.met += 1;
            self.waiting.push(at);
        }
    }

    /// An edge to one that was met before.
    fn sees(&mut self, at: usize, next: usize) {
        if let Some(Mark {
            met: Some(met),
            waits: true,
            ..
        }) = self.marks.get(next).cloned()
        {
            self.lower(at, met);
        }
    }

    /// The walk comes back from `below`.
    fn returns(&mut self, at: usize, below: usize) {
        if let Some(back) = self.marks.get(below).map(|mark| mark.back) {
            self.lower(at, back);
        }
    }

    fn lower(&mut self, at: usize, back: usize) {
        if let Some(mark) = self.marks.get_mut(at) {
            mark.back = mark.back.min(back);
        }
    }

    /// The set of `at` when it is the first of it that was met.
    fn complete(&mut self, at: usize) -> Option<Vec<usize>> {
        let mark = self.marks.get(at)?;
        if mark.met != Some(mark.back) {
            return None;
        }
        let from = self.waiting.iter().rposition(|waiting| *waiting == at)?;
        let mut set = self.waiting.split_off(from);
        for member in &set {
            if let Some(mark) = self.marks.get_mut(*member) {
                mark.waits = false;
            }
        }
        set.sort_unstable();
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(edges: &[&[usize]]) -> Vec<Vec<usize>> {
        let edges: Vec<Vec<usize>> = edges.iter().map(|edges| edges.to_vec()).collect();
        units(&edges)
            .into_iter()
            .map(|unit| unit.operations)
            .collect()
    }

    #[test]
    fn without_references_the_order_is_that_of_the_request() {
        assert_eq!(sets(&[&[], &[], &[]]), [[0], [1], [2]]);
    }

    #[test]
    fn what_is_named_comes_first_and_the_rest_stays() {
        assert_eq!(sets(&[&[3], &[], &[0], &[]]), [[3], [0], [1], [2]]);
    }

    #[test]
    fn operations_that_name_each_other_form_one_set() {
        assert_eq!(
            sets(&[&[4], &[2], &[3], &[1], &[1]]),
            [vec![1, 2, 3], vec![4], vec![0]]
        );
        let alone = units(&[vec![0], vec![]]);
        assert_eq!(
            alone.iter().map(|unit| unit.circle).collect::<Vec<_>>(),
            [true, false]
        );
    }

    #[test]
    fn a_chain_of_a_thousand_and_a_circle_of_a_thousand_end() {
        let chain: Vec<Vec<usize>> = (0..1000)
            .map(|at| if at < 999 { vec![at + 1] } else { vec![] })
            .collect();
        assert_eq!(
            units(&chain).first().map(|unit| unit.operations.clone()),
            Some(vec![999])
        );
        let circle: Vec<Vec<usize>> = (0..1000).map(|at| vec![(at + 1) % 1000]).collect();
        assert_eq!(units(&circle).len(), 1);
    }
}
