//! Membership: one row per (group, learner) while it lasts; its state is computed (§2.4).

use super::learner::Facts;

super::spelled! {
    /// Who wrote a membership.
    Source {
        Scim = "scim",
        Rest = "rest",
        Console = "console",
        Import = "import",
    }
}

super::spelled! {
    /// What a live membership is worth.
    State {
        /// The learner is not registered and approved: not a member for any purpose.
        Pending = "pending",
        /// Counts and enrolls.
        Active = "active",
        /// The learner is inactive: enrollments stay, no new ones.
        Dormant = "dormant",
    }
}

super::spelled! {
    /// Why a membership or a reason ended. Nothing here un-enrolls, save `withdrawn`, which a person asked for.
    EndCause {
        MemberRemoved = "member_removed",
        AssignmentRemoved = "assignment_removed",
        GroupDeleted = "group_deleted",
        UserDeleted = "user_deleted",
        Withdrawn = "withdrawn",
        /// The learner's accounts went to another learner, who is the same person (§7.13).
        Linked = "linked",
        /// They went back.
        Unlinked = "unlinked",
    }
}

impl State {
    /// The state of a live membership of a learner with these facts.
    #[must_use]
    pub fn of(facts: Facts) -> Self {
        if !facts.addable() {
            Self::Pending
        } else if facts.works() {
            Self::Active
        } else {
            Self::Dormant
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::learner::{Approval, Registration};

    #[test]
    fn a_pending_learner_is_pending_even_when_inactive() {
        let facts = Facts {
            registration: Registration::Registered,
            approval: Approval::Pending,
            active: false,
            suspended: false,
            deleted: false,
        };
        assert_eq!(State::of(facts), State::Pending);
        let approved = Facts {
            approval: Approval::Approved,
            ..facts
        };
        assert_eq!(State::of(approved), State::Dormant);
        assert_eq!(
            State::of(Facts {
                active: true,
                ..approved
            }),
            State::Active
        );
    }
}
