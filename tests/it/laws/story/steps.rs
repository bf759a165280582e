//! The steps of a story: what directories, admins, files and time may do, in any order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::{Approval, COURSES, GROUPS, PEOPLE};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Scim,
    Rest,
    Csv,
}

#[derive(Clone, Debug)]
pub enum Step {
    Create(usize),
    Delete(usize),
    Activate(usize, bool),
    Decide(usize, Approval),
    NewGroup(usize, Face),
    EndGroup(usize, Face),
    Add(usize, Vec<usize>, Face),
    Replace(usize, Vec<usize>),
    Remove(usize, usize, Face),
    /// One PATCH that adds and takes away again (§7.18).
    AddAndRemove(usize, usize),
    Assign(usize, usize, Option<u32>, Option<i64>),
    /// Other terms for an assignment, for all or for who comes.
    Edit(usize, usize, Option<u32>, Option<i64>, bool),
    /// A cohort by file: the group if there is none, the course, the people.
    Cohort(usize, Vec<usize>, usize, Option<u32>, Option<i64>),
    Unassign(usize, usize),
    Withdraw(usize, usize),
    Complete(usize, usize),
    Waive(usize, usize),
    Extend(usize, usize),
    Publish(usize, bool),
    Plan(bool),
    Observe(bool),
    Reconcile,
    /// Hours go by.
    Wait(i64),
}

fn person() -> impl Strategy<Value = usize> {
    0..PEOPLE
}

fn group() -> impl Strategy<Value = usize> {
    0..GROUPS
}

fn course() -> impl Strategy<Value = usize> {
    0..COURSES
}

fn face() -> impl Strategy<Value = Face> {
    prop_oneof![Just(Face::Scim), Just(Face::Rest), Just(Face::Csv)]
}

fn door() -> impl Strategy<Value = Face> {
    prop_oneof![Just(Face::Scim), Just(Face::Rest)]
}

fn approval() -> impl Strategy<Value = Approval> {
    prop_oneof![
        2 => Just(Approval::Approved),
        1 => Just(Approval::Pending),
        1 => Just(Approval::Rejected),
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => person().prop_map(Step::Create),
        2 => person().prop_map(Step::Delete),
        3 => (person(), any::<bool>()).prop_map(|(who, active)| Step::Activate(who, active)),
        4 => (person(), approval()).prop_map(|(who, approval)| Step::Decide(who, approval)),
        4 => (group(), door()).prop_map(|(group, face)| Step::NewGroup(group, face)),
        1 => (group(), door()).prop_map(|(group, face)| Step::EndGroup(group, face)),
        9 => (group(), vec(person(), 1..4), face()).prop_map(|(group, who, face)| Step::Add(group, who, face)),
        2 => (group(), vec(person(), 1..4)).prop_map(|(group, who)| Step::Replace(group, who)),
        4 => (group(), person(), face()).prop_map(|(group, who, face)| Step::Remove(group, who, face)),
        1 => (group(), person()).prop_map(|(group, who)| Step::AddAndRemove(group, who)),
        7 => (group(), course(), proptest::option::of(1_u32..14), proptest::option::of(-5_i64..60))
            .prop_map(|(group, course, months, due)| Step::Assign(group, course, months, due)),
        3 => (group(), course(), proptest::option::of(1_u32..14), proptest::option::of(-5_i64..60), any::<bool>())
            .prop_map(|(group, course, months, due, future)| Step::Edit(group, course, months, due, future)),
        3 => (group(), vec(person(), 1..4), course(), proptest::option::of(1_u32..14), proptest::option::of(-5_i64..60))
            .prop_map(|(group, who, course, months, due)| Step::Cohort(group, who, course, months, due)),
        2 => (group(), course()).prop_map(|(group, course)| Step::Unassign(group, course)),
        2 => (person(), course()).prop_map(|(who, course)| Step::Withdraw(who, course)),
        4 => (person(), course()).prop_map(|(who, course)| Step::Complete(who, course)),
        1 => (person(), course()).prop_map(|(who, course)| Step::Waive(who, course)),
        1 => (person(), course()).prop_map(|(who, course)| Step::Extend(who, course)),
        2 => (course(), any::<bool>()).prop_map(|(course, published)| Step::Publish(course, published)),
        2 => any::<bool>().prop_map(Step::Plan),
        2 => any::<bool>().prop_map(Step::Observe),
        1 => Just(Step::Reconcile),
        5 => (1_i64..24 * 40).prop_map(Step::Wait),
    ]
}
