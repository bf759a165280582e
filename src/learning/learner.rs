//! The learner: three independent facts, never one status (§2.2).
//!
//! Not here: the SCIM account (`users`), which names its learner and may end while the learner stays.

use super::owed::Blocker;

super::spelled! {
    /// Whether the person has an account they can use.
    Registration {
        Invited = "invited",
        Registered = "registered",
    }
}

super::spelled! {
    /// Whether the organization has accepted the person.
    Approval {
        Pending = "pending",
        Approved = "approved",
        Rejected = "rejected",
    }
}

super::spelled! {
    /// How the person came to us.
    RegisteredVia {
        Scim = "scim",
        Rest = "rest",
        Console = "console",
        Import = "import",
        Invite = "invite",
        SelfSignup = "self_signup",
    }
}

/// The facts that decide whether a learner may be added and enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub registration: Registration,
    pub approval: Approval,
    /// Any live account is active. SCIM writes it.
    pub active: bool,
    /// An admin has suspended the person. SCIM never lifts it.
    pub suspended: bool,
    /// The last live account has ended.
    pub deleted: bool,
}

impl Facts {
    /// Why the learner may not be added to a group; `None` when they may (S-08).
    #[must_use]
    pub const fn not_addable(self) -> Option<Blocker> {
        if self.deleted {
            return Some(Blocker::Deleted);
        }
        match (self.registration, self.approval) {
            (Registration::Invited, _) => Some(Blocker::NotRegistered),
            (Registration::Registered, Approval::Pending) => Some(Blocker::NotApproved),
            (Registration::Registered, Approval::Rejected) => Some(Blocker::Rejected),
            (Registration::Registered, Approval::Approved) => None,
        }
    }

    /// Whether the learner may be added to a group (S-08).
    #[must_use]
    pub fn addable(self) -> bool {
        self.not_addable().is_none()
    }

    /// Whether the learner may receive new enrollments now.
    #[must_use]
    pub fn enrollable(self) -> bool {
        self.addable() && self.works()
    }

    /// What one person is who was known as this learner and as another. What this one was told stands, but that they wait: who has
    /// registered, or was approved, under either name is; who was suspended under either stays out.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self {
            registration: self.registration.max(other.registration),
            approval: if self.approval == Approval::Pending {
                other.approval
            } else {
                self.approval
            },
            active: (self.active && !self.deleted) || (other.active && !other.deleted),
            suspended: self.suspended || other.suspended,
            deleted: self.deleted && other.deleted,
        }
    }

    /// Active and not suspended.
    #[must_use]
    pub const fn works(self) -> bool {
        self.active && !self.suspended
    }
}

/// The approval a new learner starts with: a connection's own choice, else what the tenant set for SCIM.
#[must_use]
pub const fn approval_at_creation(automatic: bool) -> Approval {
    if automatic {
        Approval::Approved
    } else {
        Approval::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn facts(
        registration: Registration,
        approval: Approval,
        active: bool,
        deleted: bool,
    ) -> Facts {
        Facts {
            registration,
            approval,
            active,
            suspended: false,
            deleted,
        }
    }

    #[test]
    fn only_a_registered_and_approved_learner_is_addable() {
        use Approval::{Approved, Pending, Rejected};
        use Registration::{Invited, Registered};
        for (registration, approval, deleted, expected) in [
            (Registered, Approved, false, None),
            (Registered, Approved, true, Some(Blocker::Deleted)),
            (Registered, Pending, false, Some(Blocker::NotApproved)),
            (Registered, Rejected, false, Some(Blocker::Rejected)),
            (Invited, Approved, false, Some(Blocker::NotRegistered)),
            (Invited, Pending, false, Some(Blocker::NotRegistered)),
        ] {
            assert_eq!(
                facts(registration, approval, true, deleted).not_addable(),
                expected
            );
        }
    }

    #[test]
    fn who_was_two_learners_is_what_the_kept_one_was_told() {
        use Approval::{Approved, Pending, Rejected};
        use Registration::{Invited, Registered};
        let former = facts(Registered, Approved, true, true);
        let new = facts(Invited, Pending, true, false);
        assert_eq!(former.joined(new), facts(Registered, Approved, true, false));
        assert_eq!(new.joined(former), facts(Registered, Approved, true, false));
        let rejected = facts(Registered, Rejected, true, false);
        assert_eq!(rejected.joined(former).approval, Rejected);
        // The activity of an account that has ended is nobody's.
        let away = facts(Registered, Approved, false, false);
        assert!(!former.joined(away).active && !away.joined(former).active);
        let suspended = Facts {
            suspended: true,
            ..former
        };
        assert!(!new.joined(suspended).works());
    }

    #[test]
    fn an_inactive_or_suspended_learner_is_addable_but_not_enrollable() {
        let inactive = facts(Registration::Registered, Approval::Approved, false, false);
        assert!(inactive.addable() && !inactive.enrollable());
        let suspended = Facts {
            suspended: true,
            active: true,
            ..inactive
        };
        assert!(suspended.addable() && !suspended.enrollable());
    }
}
