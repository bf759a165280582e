//! What a group owes, predicate by predicate, and what writing it caused (§4).
//!
//! The relation itself is SQL (`store::queries::enroll`); this is its vocabulary and its order, for "why not enrolled".

use std::ops::AddAssign;

/// Why a learner is not enrolled in a course of their group: the first failing predicate, in this fixed order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocker {
    /// No live membership in any group with the course.
    NoMembership,
    /// Predicate 1: the account has ended.
    Deleted,
    /// Predicate 1: invited, not yet registered.
    NotRegistered,
    /// Predicate 1: waiting for approval.
    NotApproved,
    /// Predicate 1: an admin has said no.
    Rejected,
    /// Predicate 2: the learner is inactive or suspended.
    Dormant,
    /// Predicate 3.
    CourseNotPublished,
    /// Predicate 4: the plan does not include groups.
    ParkedPlan,
    /// Predicate 5: the connection is observing or paused, by hand or by the brake.
    ConnectionObserving,
    /// Nothing is in the way: a job is writing what is owed, or is about to.
    JobRunning,
    /// Predicate 6: a reason exists but has ended; its cause.
    Ended(String),
    /// Predicate 6: a live reason exists. The learner is enrolled.
    Enrolled,
}

impl Blocker {
    /// The stable machine key.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoMembership => "no_membership",
            Self::Deleted => "deleted",
            Self::NotRegistered => "not_registered",
            Self::NotApproved => "not_approved",
            Self::Rejected => "rejected",
            Self::Dormant => "dormant",
            Self::CourseNotPublished => "course_not_published",
            Self::ParkedPlan => "parked_plan",
            Self::ConnectionObserving => "connection_observing",
            Self::JobRunning => "job_running",
            Self::Ended(cause) => cause,
            Self::Enrolled => "enrolled",
        }
    }

    /// A sentence for the person who must act.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::NoMembership => "not a member of any group with this course",
            Self::Deleted => "the account has ended",
            Self::NotRegistered => "the learner has not registered yet",
            Self::NotApproved => "waiting for approval",
            Self::Rejected => "the learner was rejected",
            Self::Dormant => "the learner is inactive",
            Self::CourseNotPublished => "the course is not published",
            Self::ParkedPlan => "the subscription plan does not include groups",
            Self::ConnectionObserving => "the connection is not live",
            Self::JobRunning => "a job is still enrolling the members",
            Self::Ended(_) => "an earlier enrollment through this membership was ended",
            Self::Enrolled => "enrolled",
        }
    }
}

/// How many rows an `enroll` wrote: what the sync log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
pub struct Effects {
    /// Enrollments made or re-opened.
    pub enrollments: i64,
    /// Reasons recorded; more than enrollments when somebody was enrolled already.
    pub reasons: i64,
    /// Cycles opened.
    pub cycles: i64,
    /// More is owed than one transaction may write; a job writes it.
    #[serde(skip)]
    pub deferred: bool,
    /// The brake of the connection has put it on observation (§7.16).
    #[serde(skip)]
    pub held: bool,
    /// Somebody is overdue from the beginning: the date had passed when they joined (§7.8).
    #[serde(skip)]
    pub late: bool,
}

impl Effects {
    /// Whether nothing was owed.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl AddAssign for Effects {
    fn add_assign(&mut self, other: Self) {
        self.enrollments += other.enrollments;
        self.reasons += other.reasons;
        self.cycles += other.cycles;
        self.deferred |= other.deferred;
        self.held |= other.held;
        self.late |= other.late;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blockers_stand_in_the_order_of_the_predicates() {
        let order = [
            Blocker::NoMembership,
            Blocker::Deleted,
            Blocker::NotRegistered,
            Blocker::NotApproved,
            Blocker::Rejected,
            Blocker::Dormant,
            Blocker::CourseNotPublished,
            Blocker::ParkedPlan,
            Blocker::ConnectionObserving,
            Blocker::JobRunning,
            Blocker::Ended("withdrawn".to_owned()),
            Blocker::Enrolled,
        ];
        assert!(order.is_sorted());
        assert_eq!(Blocker::Ended("withdrawn".to_owned()).code(), "withdrawn");
    }
}
